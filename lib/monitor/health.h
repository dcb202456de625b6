/*
 * Health checks: what of them is on disk, and the process that makes them.
 *
 *	<root>/containers/<id>/healthcheck.json	what to check, made with the container
 *	<run-root>/monitor/<id>/health.json	how it went so far, replaced after every check; kept
 *in containers/<id>/ when the container has ended
 *
 * The checks are made by one more process, a child of the monitor that starts with the container
 * and ends with its first process: a monitor without health checks does not know of them, one with
 * them has given up its rights, and the container goes on being checked when it is killed.
 */
#ifndef CSN_MONITOR_HEALTH_H
#define CSN_MONITOR_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "caisson-health.h"

#define HEALTHCHECK_NAME "healthcheck.json"
#define HEALTH_NAME	 "health.json"
enum { HEALTH_LOG = 5, HEALTH_OUTPUT = 4096 };

/* Every member has its value: see service_health_decide(). */
int healthcheck_write(int container_dir, const struct csn_healthcheck *check,
		      struct csn_error *err);
/* -ENOENT: it has none. */
int healthcheck_read(int container_dir, struct csn_healthcheck *ret, struct arena *arena,
		     struct csn_error *err);

/* One check. */
struct health_result {
	int64_t started_at_ns, ended_at_ns;
	int exit_code; /* 0: good; -1: it could not be made, or took too long */
	char *output;  /* without NUL bytes */
};
struct health_record {
	enum csn_health_status status;
	unsigned failing_streak;
	struct health_result log[HEALTH_LOG]; /* oldest first */
	size_t log_count;
};
/* Texts in the arena. -ENOENT: nothing was checked yet. */
int health_record_read(int dir, struct health_record *ret, struct arena *arena,
		       struct csn_error *err);
int health_record_write(int dir, const struct health_record *r, struct csn_error *err);
/* Writes its results as member "log". */
void health_put_log(struct json_out *o, const struct health_record *r);

/*
 * What a result changes, by Docker's rules: a good one makes it healthy; a bad one counts unless
 * the container is still starting and in its start period, and makes it unhealthy when it is the
 * check->retries'th in a row. True: the status is another one.
 */
bool health_judge(struct health_record *r, const struct health_result *result,
		  const struct csn_healthcheck *check, int64_t container_started_at_ns);
/* How long after a check the next one is due; also before the first. */
int64_t health_delay(const struct health_record *r, const struct csn_healthcheck *check,
		     int64_t container_started_at_ns, int64_t now_ns);

#endif
