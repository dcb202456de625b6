/*
 * libcaisson: whether containers do their work. What is checked is told when a container is made;
 * the conventions are those of caisson.h. The checks are made by a process that lives as long as
 * the container, so that they go on when the program that made it has ended.
 */
#ifndef CAISSON_HEALTH_H
#define CAISSON_HEALTH_H

#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

enum csn_healthcheck_kind {
	CSN_HEALTHCHECK_IMAGE,	 /* what the image says, which may be nothing */
	CSN_HEALTHCHECK_OFF,	 /* none, whatever the image says */
	CSN_HEALTHCHECK_COMMAND, /* command ends with status 0 */
	CSN_HEALTHCHECK_SHELL,	 /* the same of one text for the image's shell (/bin/sh -c) */
	CSN_HEALTHCHECK_TCP,	 /* port takes a connection */
	CSN_HEALTHCHECK_HTTP,	 /* GET url is answered with status expect_status */
};
/*
 * How to find out whether a container does its work. Every check is made inside the container: a
 * command as its own process would run it, connections in its network. The first one comes one
 * interval after the start; failures in the start period do not count. 0 instead of a time or a
 * number: what the image says, else the default. A paused container is not checked.
 */
struct csn_healthcheck {
	size_t size;
	enum csn_healthcheck_kind kind;
	const char *const *command; /* ends with NULL; with CSN_HEALTHCHECK_SHELL one text */
	unsigned port;		    /* of the loopback or another address of the container's */
	const char *url; /* "http://HOST[:PORT][/PATH]", where HOST is an address or localhost,
			  * which is any address of the container's */
	unsigned expect_status;	   /* 0: 200 */
	int64_t interval_ns;	   /* from the end of one check to the next (30 s) */
	int64_t timeout_ns;	   /* after which a check has failed and is killed (30 s) */
	int64_t start_period_ns;   /* (0) */
	int64_t start_interval_ns; /* instead of interval_ns in the start period (5 s) */
	unsigned retries;	   /* so many failures in a row make it unhealthy (3) */
};
#define CSN_HEALTHCHECK_INIT                                                                       \
	{                                                                                          \
		sizeof(struct csn_healthcheck), CSN_HEALTHCHECK_IMAGE, NULL, 0, NULL, 0, 0, 0, 0,  \
			0, 0                                                                       \
	}

enum csn_health_status {
	CSN_HEALTH_NONE, /* it is not checked, or was never started */
	CSN_HEALTH_STARTING,
	CSN_HEALTH_HEALTHY,
	CSN_HEALTH_UNHEALTHY, /* also when it has ended */
};
/* "none", "starting", "healthy", "unhealthy". */
CSN_API const char *csn_health_status_name(enum csn_health_status status);

struct csn_health {
	size_t size;
	enum csn_health_status status;
	unsigned failing_streak; /* failed checks since the last good one, in the start period none
				  */
	/* Of the last check; started_at_ns 0: there was none yet. */
	int64_t started_at_ns, ended_at_ns;
	int exit_code;	   /* 0: good; of a command its status; -1: it took too long, or could not
			    * be run */
	char output[4104]; /* the beginning of what it wrote, or what was wrong; valid UTF-8 */
};
#define CSN_HEALTH_INIT                                                                            \
	{                                                                                          \
		sizeof(struct csn_health), CSN_HEALTH_NONE, 0, 0, 0, 0, ""                         \
	}
/* How a container is by its health check. Its last state can be had until it is started again or
 * removed. */
CSN_API int csn_container_health(struct csn_runtime *rt, const char *container,
				 struct csn_health *ret, struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
