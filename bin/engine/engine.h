/* What the commands of `csn` share. One command a file; main.c has the list. */
#ifndef CSN_BIN_ENGINE_H
#define CSN_BIN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "bin/opts.h"
#include "caisson-image.h"
#include "caisson-network.h"
#include "caisson-restart.h"
#include "caisson-stats.h"
#include "caisson.h"

extern const struct command command_cp, command_diff, command_port, command_rename, command_top;
extern const struct command command_attach, command_create, command_events, command_exec,
	command_images, command_import, command_inspect, command_kill, command_load, command_login,
	command_logout, command_logs, command_pause, command_ps, command_pull, command_push,
	command_rm, command_rmi, command_run, command_start, command_stats, command_stop,
	command_unpause, command_update, command_wait;
extern const struct command command_commit, command_down, command_export, command_image,
	command_save, command_tag, command_up;

extern const struct command command_df, command_system_prune; /* of system */
extern const struct command command_network, command_system, command_volume;

/* Exit statuses that are not a container's. */
enum { STATUS_FAILED = 1, STATUS_ENGINE_ERROR = 125 };

/* ---- main.c -----------------------------------------------------------------------------------
 */

/* The runtime of --root and --run-root, opened at the first call; NULL after having said why not.
 */
struct csn_runtime *engine_runtime(void);
/* The same for services (caisson-runtime.h); its engine is csn_rt_engine(). */
struct csn_rt;
struct csn_rt *engine_rt(void);
const char *engine_run_root(void);
/* Words a failure on standard error; returns status. */
int engine_fail(const struct csn_error *err, int status);
int engine_fail_text(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Does it to each container and prints those that it was done to; the exit status. */
int engine_each(int argc, char **argv,
		int (*fn)(struct csn_runtime *rt, const char *container, struct csn_error *err));

/* ---- print.c ----------------------------------------------------------------------------------
 */

/* --format: json or table. -EINVAL after having said what is wrong. */
int print_format(const char *format, bool *ret_json);
/* Prints the document and a newline; the exit status. */
int print_json(struct json_out *o);
/* Times as RFC 3339, or null when 0. */
void print_json_time(struct json_out *o, const char *key, int64_t ns);
/* "2026-11-24T13:05:00.123456789Z" */
/* A time of an option (when.c): RFC 3339, seconds since 1970, "10m" ago; 0: not given. Nonzero
 * after an error that was told. */
int when_parse(const char *option, const char *text, int64_t *ret);
void print_time(char *buf, size_t size, int64_t ns);
/* "3 minutes", "About an hour" */
void print_duration(char *buf, size_t size, int64_t ns);
/* "12.3MB" */
void print_size(char *buf, size_t size, uint64_t bytes);
/* A reference without what everybody leaves out. */
const char *print_reference(const char *reference);
int64_t print_now(void);
void print_image_json(struct json_out *o, const struct csn_image_info *i);
/* Progress of a load on standard error, one line a layer. */
void print_progress(void *data, const struct csn_image_progress *p);

/* ---- limits.c ---------------------------------------------------------------------------------
 */

/* The options that set limits, as they were given. */
struct limit_args {
	const char *memory, *memory_swap, *memory_reservation;
	const char *cpus, *cpu_shares, *cpu_quota, *cpu_period, *cpuset_cpus, *cpuset_mems;
	const char *pids_limit, *blkio_weight;
	struct opt_list weights, read_bps, write_bps, read_iops, write_iops;
};
extern struct limit_args limit_args;

/* What they ask for; texts live as long as the arena. */
bool limits_given(void);
int limits_collect(struct arena *arena, struct csn_resources *ret, struct csn_error *err);

/* clang-format off */
#define LIMIT_OPTIONS                                                                              \
	{ 'm', "memory", "SIZE", "memory, such as 512m; -1: no limit", OPT_TEXT,                   \
	  &limit_args.memory },                                                                    \
	{ 0, "memory-swap", "SIZE", "memory and swap together; -1: no limit for swap",     \
	  OPT_TEXT, &limit_args.memory_swap },                                                     \
	{ 0, "memory-reservation", "SIZE", "memory that stays as long as others have some to give", \
	  OPT_TEXT, &limit_args.memory_reservation },                                              \
	{ 0, "cpus", "NUMBER", "CPU time, as a number of CPUs such as 1.5", OPT_TEXT,              \
	  &limit_args.cpus },                                                                      \
	{ 'c', "cpu-shares", "SHARES", "share of the CPUs when they are busy; 1024 is usual",      \
	  OPT_TEXT, &limit_args.cpu_shares },                                                      \
	{ 0, "cpu-quota", "MICROSECONDS", "CPU time in a period; -1: no limit", OPT_TEXT,          \
	  &limit_args.cpu_quota },                                                                 \
	{ 0, "cpu-period", "MICROSECONDS", "length of that period (100000)", OPT_TEXT,             \
	  &limit_args.cpu_period },                                                                \
	{ 0, "cpuset-cpus", "LIST", "CPUs to run on, such as 0-1,3", OPT_TEXT,                     \
	  &limit_args.cpuset_cpus },                                                               \
	{ 0, "cpuset-mems", "LIST", "memory nodes to use", OPT_TEXT, &limit_args.cpuset_mems },    \
	{ 0, "pids-limit", "NUMBER", "processes and threads; -1: no limit", OPT_TEXT,              \
	  &limit_args.pids_limit },                                                                \
	{ 0, "blkio-weight", "WEIGHT", "share of block I/O, 10 to 1000", OPT_TEXT,                 \
	  &limit_args.blkio_weight },                                                              \
	{ 0, "blkio-weight-device", "DEVICE:WEIGHT", "the same for one device", OPT_LIST,          \
	  &limit_args.weights },                                                                   \
	{ 0, "device-read-bps", "DEVICE:RATE", "bytes read a second, such as /dev/sda:10m; 0: no limit", \
	  OPT_LIST, &limit_args.read_bps },                                                        \
	{ 0, "device-write-bps", "DEVICE:RATE", "bytes written a second", OPT_LIST,                \
	  &limit_args.write_bps },                                                                 \
	{ 0, "device-read-iops", "DEVICE:RATE", "reads a second", OPT_LIST,                        \
	  &limit_args.read_iops },                                                                 \
	{ 0, "device-write-iops", "DEVICE:RATE", "writes a second", OPT_LIST,                      \
	  &limit_args.write_iops }
/* clang-format on */

/* ---- stats_print.c ----------------------------------------------------------------------------
 */

/* One sample as a JSON object on a line. */
int print_stats_json(const struct csn_stats *s);
/* All samples of the sampler in Prometheus' text format. */
void print_stats_prometheus(const struct csn_sampler *sampler);

/* ---- restart.c --------------------------------------------------------------------------------
 */

struct restart_args {
	const char *policy, *delay;
};
extern struct restart_args restart_args;

/* clang-format off */
#define RESTART_OPTIONS                                                                            \
	{ 0, "restart", "POLICY", "when to start it again: no, always, unless-stopped, on-failure[:MAX]", \
	  OPT_TEXT, &restart_args.policy },                                                        \
	{ 0, "restart-delay", "SECONDS", "wait so long before (0.1, doubled up to 60)", OPT_TEXT,  \
	  &restart_args.delay }
/* clang-format on */

bool restart_given(void);
/* Into ret what was given; the rest stays. */
int restart_collect(struct csn_restart_policy *ret, struct csn_error *err);

/* ---- make.c -----------------------------------------------------------------------------------
 */

/* What create and run have in common: options to a new container. */
struct make_args {
	const char *name, *working_dir, *user, *entrypoint, *hostname, *stop_signal;
	const char *cgroup_parent, *pull;
	struct opt_list env, labels, ulimits, log_options;
	int stop_timeout, oom_score_adj;
	bool interactive, tty, read_only, remove, init;
};
extern struct make_args make_args;

#define MAKE_OPTIONS                                                                                 \
	{                                                                                            \
		0,	  "name",	  "NAME", "name of the container (one is made up)",          \
		OPT_TEXT, &make_args.name                                                            \
	},                                                                                           \
		{ 'e',                                                                               \
		  "env",                                                                             \
		  "NAME[=VALUE]",                                                                    \
		  "set an environment variable; without a value: as it is here",                     \
		  OPT_LIST,                                                                          \
		  &make_args.env },                                                                  \
		{ 'w',	    "workdir",                                                               \
		  "DIR",    "working directory; made where it is missing",                           \
		  OPT_TEXT, &make_args.working_dir },                                                \
		{ 'u',                                                                               \
		  "user",                                                                            \
		  "USER[:GROUP]",                                                                    \
		  "names or numbers, from the image's passwd",                                       \
		  OPT_TEXT,                                                                          \
		  &make_args.user },                                                                 \
		{ 0,	    "entrypoint",	  "PROGRAM", "instead of the image's; empty: none",  \
		  OPT_TEXT, &make_args.entrypoint },                                                 \
		{ 0,	    "read-only",	 NULL, "the root file system cannot be written",     \
		  OPT_FLAG, &make_args.read_only },                                                  \
		{ 'h',	    "hostname",		"NAME", "host name (the first 12 digits of the id)", \
		  OPT_TEXT, &make_args.hostname },                                                   \
		{ 'l', "label", "KEY=VALUE", "set a label", OPT_LIST, &make_args.labels },           \
		{ 0, "stop-signal", "SIGNAL", "what stop sends", OPT_TEXT, &make_args.stop_signal }, \
		{ 0,	     "stop-timeout",                                                         \
		  "SECONDS", "how long stop waits before it kills (10)",                             \
		  OPT_INT,   &make_args.stop_timeout },                                              \
		{ 'i',	    "interactive",	   NULL, "keep standard input open",                 \
		  OPT_FLAG, &make_args.interactive },                                                \
		{ 't', "tty", NULL, "with a terminal", OPT_FLAG, &make_args.tty },                   \
		{ 0,	    "init",                                                                  \
		  NULL,	    "a small init as the first process: reaps, hands signals on",            \
		  OPT_FLAG, &make_args.init },                                                       \
		RESTART_OPTIONS, LIMIT_OPTIONS,                                                      \
		{ 0,                                                                                 \
		  "log-opt",                                                                         \
		  "NAME=VALUE",                                                                      \
		  "max-size=SIZE of a log file, max-file=NUMBER of them",                            \
		  OPT_LIST,                                                                          \
		  &make_args.log_options },                                                          \
		{ 0,                                                                                 \
		  "ulimit",                                                                          \
		  "NAME=SOFT[:HARD]",                                                                \
		  "limit of each process, such as nofile=1024:2048; -1: none",                       \
		  OPT_LIST,                                                                          \
		  &make_args.ulimits },                                                              \
		{ 0,	    "cgroup-parent",                                                         \
		  "PATH",   "group below which the container's own is made",                         \
		  OPT_TEXT, &make_args.cgroup_parent },                                              \
		{ 0,	    "oom-score-adj",                                                         \
		  "NUMBER", "how soon to be killed when memory is short, -1000 to 1000",             \
		  OPT_INT,  &make_args.oom_score_adj },                                              \
		{ 0,	    "pull",                                                                  \
		  "POLICY", "always, newer, if-not-present (the default) or never",                  \
		  OPT_TEXT, &make_args.pull },                                                       \
	{                                                                                            \
		0, "rm", NULL, "remove the container when it ends", OPT_FLAG, &make_args.remove      \
	}

/* Makes the container of IMAGE [COMMAND [ARGUMENT…]]. */
int make_container(int argc, char **argv, char ret_id[CSN_ID_SIZE], struct csn_error *err);

/* ---- make_network.c ---------------------------------------------------------------------------
 */

struct network_args {
	const char *ip, *ip6, *mac;
	struct opt_list networks, aliases, ports, dns, dns_search, dns_options, hosts;
	bool publish_all;
};
extern struct network_args network_args;

#define NETWORK_OPTIONS                                                                              \
	{ 0,                                                                                         \
	  "network",                                                                                 \
	  "NETWORK[:OPTIONS]",                                                                       \
	  "a network (bridge), none, host, container:NAME or ns:PATH; may be repeated",              \
	  OPT_LIST,                                                                                  \
	  &network_args.networks },                                                                  \
		{ 0, "ip", "ADDRESS", "IPv4 address in the network", OPT_TEXT, &network_args.ip },   \
		{ 0, "ip6", "ADDRESS", "IPv6 address in the network", OPT_TEXT, &network_args.ip6 }, \
		{ 0,	    "mac-address",    "MAC", "hardware address in the network",              \
		  OPT_TEXT, &network_args.mac },                                                     \
		{ 0,	    "network-alias",	  "NAME", "one more name in the network",            \
		  OPT_LIST, &network_args.aliases },                                                 \
		{ 'p',                                                                               \
		  "publish",                                                                         \
		  "[[IP:]PORT:]PORT[/PROTOCOL]",                                                     \
		  "make a port reachable through the host; PORT may be a range",                     \
		  OPT_LIST,                                                                          \
		  &network_args.ports },                                                             \
		{ 'P',	    "publish-all",                                                           \
		  NULL,	    "publish every port that the image exposes",                             \
		  OPT_FLAG, &network_args.publish_all },                                             \
		{ 0,	     "dns",                                                                  \
		  "ADDRESS", "name server, instead of the host's",                                   \
		  OPT_LIST,  &network_args.dns },                                                    \
		{ 0,	    "dns-search",                                                            \
		  "DOMAIN", "search domain, likewise",                                               \
		  OPT_LIST, &network_args.dns_search },                                              \
		{ 0,	    "dns-option",                                                            \
		  "OPTION", "resolver option, likewise",                                             \
		  OPT_LIST, &network_args.dns_options },                                             \
	{                                                                                            \
		0, "add-host", "NAME:ADDRESS",                                                       \
			"one more line in /etc/hosts; host-gateway: the host", OPT_LIST,             \
			&network_args.hosts                                                          \
	}

/* What was asked for of networks, into the options. */
int make_network(struct arena *arena, struct csn_container_options *o, struct csn_error *err);
/* One published port. */
int parse_port(struct arena *arena, const char *text, struct csn_port *ret, struct csn_error *err);

/* ---- attend.c ---------------------------------------------------------------------------------
 */

struct attend {
	struct csn_runtime *rt;
	const char *id;
	struct csn_attach *attach;
	bool tty, input;
	bool signals; /* hand signals on to the container */
};
/* Blocks the signals that attend hands on: before the start, so that none is lost. */
void attend_prepare(void);
/* Carries bytes until the container ends; its exit status. */
int attend(const struct attend *a);

#endif
