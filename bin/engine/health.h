/* What create and run have in common about health checks. */
#ifndef CSN_BIN_ENGINE_HEALTH_H
#define CSN_BIN_ENGINE_HEALTH_H

#include "bin/opts.h"
#include "caisson-health.h"

struct health_args {
	const char *command, *port, *url, *status;
	const char *interval, *timeout, *start_period, *start_interval, *retries;
	bool off;
};
extern struct health_args health_args;

/* clang-format off: a row an option */
#define HEALTH_OPTIONS                                                                               \
	{ 0,	     "health-cmd",                                                                   \
	  "COMMAND", "check health by a command in the container, for a shell",                      \
	  OPT_TEXT,  &health_args.command },                                                         \
		{ 0,	    "health-tcp",     "PORT", "check health by a connection to a port",      \
		  OPT_TEXT, &health_args.port },                                                     \
		{ 0,	    "health-http",                                                           \
		  "URL",    "check health by an answer, such as of http://localhost:80/",            \
		  OPT_TEXT, &health_args.url },                                                      \
		{ 0,	    "health-status",	"CODE", "the status that it must have (200)",        \
		  OPT_TEXT, &health_args.status },                                                   \
		{ 0,	    "health-interval",	  "TIME", "from one check to the next (30s)",        \
		  OPT_TEXT, &health_args.interval },                                                 \
		{ 0,	    "health-timeout",	 "TIME", "after which a check has failed (30s)",     \
		  OPT_TEXT, &health_args.timeout },                                                  \
		{ 0,	    "health-retries",                                                        \
		  "NUMBER", "so many failures in a row make it unhealthy (3)",                       \
		  OPT_TEXT, &health_args.retries },                                                  \
		{ 0,	    "health-start-period",    "TIME", "in which failures do not count (0s)", \
		  OPT_TEXT, &health_args.start_period },                                             \
		{ 0,	    "health-start-interval",                                                 \
		  "TIME",   "from one check to the next in that period (5s)",                        \
		  OPT_TEXT, &health_args.start_interval },                                           \
	{                                                                                            \
		0, "no-healthcheck", NULL, "no health check, whatever the image says", OPT_FLAG,     \
			&health_args.off                                                             \
	}
/* clang-format on */

/* What they ask for; command is where its list may be kept. */
int health_collect(struct csn_healthcheck *ret, const char *command[2], struct csn_error *err);

#endif
