/*
 * The native runtime: the interface's methods over the engine. A container's name there is the text
 * of its id, so that nothing has to be kept here: whoever opens the same directories finds all that
 * lives, whatever became of who made it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/agent.h"
#include "agent/native.h"
#include "base/error.h"
#include "caisson-network.h"
#include "caisson-stats.h"

#define LEFTOVER_STOP_MS 5000

struct native {
	struct csn_rt base;
	struct csn_runtime *engine;
};

static struct csn_runtime *engine_of(struct csn_rt *rt)
{
	return ((struct native *)rt)->engine;
}

static int not_found(const char *what, struct csn_error *err)
{
	return fail_kind(err, CSN_ERROR_NOT_FOUND, what, "container not found");
}

/* A failure of the engine about container c: -ENOENT is that there is none. */
static int about(const struct container_ref *c, int r, struct csn_error *err)
{
	return r == -ENOENT ? not_found(c->text, err) : r;
}

static void free_containers(struct csn_containers **list)
{
	csn_containers_free(*list);
}

static int get(struct csn_rt *rt, const struct container_ref *c, struct csn_containers **ret,
	       struct csn_error *err)
{
	return about(c, csn_container_get(engine_of(rt), c->text, ret, err), err);
}

/* ---- images ------------------------------------------------------------------------------------
 */

static int native_pull(struct csn_rt *rt, const char *image, enum csn_pull_policy policy,
		       const struct csn_registry_options *auth, struct csn_error *err)
{
	struct csn_image_pull_options o = CSN_IMAGE_PULL_OPTIONS_INIT;
	o.policy = policy;
	o.registry = auth;
	return csn_image_pull(engine_of(rt), image, &o, NULL, err);
}

static int native_list_images(struct csn_rt *rt, struct csn_images **ret, struct csn_error *err)
{
	return csn_image_list(engine_of(rt), ret, err);
}

static int native_remove_image(struct csn_rt *rt, const char *image, bool force,
			       struct csn_error *err)
{
	int r = csn_image_remove(engine_of(rt), image, force, err);
	return r == -ENOENT ? fail_kind(err, CSN_ERROR_NOT_FOUND, image, "image not found") : r;
}

/* ---- life --------------------------------------------------------------------------------------
 */

static int remove_leftover(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err)
{
	int r = csn_container_stop(engine_of(rt), c->text, LEFTOVER_STOP_MS, err);
	if (r == 0)
		r = csn_container_remove(engine_of(rt), c->text, true, err);
	return r == -ENOENT ? 0 : r;
}

static int native_create(struct csn_rt *rt, const struct container_ref *c,
			 const struct csn_service *service, struct csn_error *err)
{
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	char id[CSN_ID_SIZE];

	TRY(service_options(service, c->text, &o, &arena, err));
	TRY(remove_leftover(rt, c, err));
	int r = csn_container_create(engine_of(rt), &o, id, err);
	return r == -EINVAL ? as_kind(err, r, CSN_ERROR_INVALID_SPEC, "") : r;
}

static int native_start(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err)
{
	int r = csn_container_start(engine_of(rt), c->text, NULL, err);
	return r == -EALREADY ? 0 : r;
}

static int native_stop(struct csn_rt *rt, const struct container_ref *c, int timeout_ms,
		       struct csn_error *err)
{
	return about(c, csn_container_stop(engine_of(rt), c->text, timeout_ms, err), err);
}

static int native_remove(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err)
{
	int r = csn_container_remove(engine_of(rt), c->text, true, err);
	return r == -ENOENT ? 0 : r;
}

/* Not in the state for it: the caller's mistake. */
static int wrong_state(const struct container_ref *c, int r, struct csn_error *err)
{
	r = about(c, r, err);
	return r == -ESRCH || r == -EALREADY ? as_kind(err, r, CSN_ERROR_INVALID_SPEC, "") : r;
}

static int native_kill(struct csn_rt *rt, const struct container_ref *c, const char *signal,
		       struct csn_error *err)
{
	return wrong_state(c, csn_container_kill(engine_of(rt), c->text, signal, err), err);
}

static int native_pause(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err)
{
	return wrong_state(c, csn_container_pause(engine_of(rt), c->text, err), err);
}

static int native_unpause(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err)
{
	return wrong_state(c, csn_container_unpause(engine_of(rt), c->text, err), err);
}

/* ---- facts -------------------------------------------------------------------------------------
 */

static int native_state(struct csn_rt *rt, const struct container_ref *c,
			struct csn_container_state *ret, struct csn_error *err)
{
	struct csn_containers *list AUTO(free_containers)
	= NULL;
	TRY(get(rt, c, &list, err));
	const struct csn_container_info *info = csn_containers_get(list, 0);
	ret->state = info->state;
	ret->paused = info->paused;
	if (info->state == CSN_STATE_EXITED)
		ret->exit_code = info->exit_code;
	if (info->state == CSN_STATE_FAILED)
		(void)snprintf(ret->reason, sizeof ret->reason, "%s", info->error);
	return 0;
}

static int native_pid(struct csn_rt *rt, const struct container_ref *c, int *ret,
		      struct csn_error *err)
{
	struct csn_containers *list AUTO(free_containers)
	= NULL;
	TRY(get(rt, c, &list, err));
	*ret = csn_containers_get(list, 0)->pid;
	return 0;
}

static int native_port_override(struct csn_rt *rt, const struct container_ref *c, uint16_t *ret,
				struct csn_error *err)
{
	return about(c, host_port_read(engine_of(rt), c->text, ret, err), err);
}

static int native_ip(struct csn_rt *rt, const struct container_ref *c, char ret[46],
		     struct csn_error *err)
{
	struct csn_containers *list AUTO(free_containers)
	= NULL;
	char address[CSN_ADDRESS_SIZE] = "";
	TRY(get(rt, c, &list, err));
	ret[0] = '\0';
	if (csn_containers_get(list, 0)->pid == 0)
		return 0;
	int r = csn_container_ip(engine_of(rt), c->text, address, err);
	(void)snprintf(ret, 46, "%.45s", r == 1 ? address : "");
	return r == -ESRCH ? 0 : r;
}

/* A number that this host does not count is the value of none. */
static uint64_t number(const struct csn_stats *stats, enum csn_table table, unsigned column,
		       uint64_t none)
{
	uint64_t value = none;
	if (csn_stats_rows(stats, table) > 0)
		(void)csn_stats_value(stats, table, 0, column, &value);
	return value;
}

static void free_stats(struct csn_stats **stats)
{
	csn_stats_free(*stats);
}

static int native_stats(struct csn_rt *rt, const struct container_ref *c, struct csn_rt_stats *ret,
			struct csn_error *err)
{
	struct csn_stats *stats AUTO(free_stats)
	= NULL;
	TRY(about(c, csn_container_stats(engine_of(rt), c->text, &stats, err), err));
	ret->cpu_usage_usec = number(stats, CSN_TABLE_CPU, CSN_CPU_USAGE, 0);
	ret->memory_bytes = number(stats, CSN_TABLE_MEMORY, CSN_MEMORY_CURRENT, 0);
	ret->memory_limit = number(stats, CSN_TABLE_MEMORY, CSN_MEMORY_MAX, UINT64_MAX);
	ret->timestamp_ns = csn_stats_time_ns(stats);
	return 0;
}

/* ---- waiting -----------------------------------------------------------------------------------
 */

/* "1.5s", "250ms": as the interface's own durations are shown. */
static int timed_out(int timeout_ms, struct csn_error *err)
{
	char after[32];
	if (timeout_ms < 1000) {
		(void)snprintf(after, sizeof after, timeout_ms ? "%dms" : "%dns", timeout_ms);
		return fail_kind(err, CSN_ERROR_TIMEOUT, "", after);
	}
	int n = snprintf(after, sizeof after, "%d.%03d", timeout_ms / 1000, timeout_ms % 1000);
	while (after[n - 1] == '0')
		n--;
	if (after[n - 1] == '.')
		n--;
	(void)snprintf(after + n, sizeof after - (size_t)n, "s");
	return fail_kind(err, CSN_ERROR_TIMEOUT, "", after);
}

static int native_wait_outcome(struct csn_rt *rt, const struct container_ref *c, int timeout_ms,
			       struct csn_wait_outcome *ret, struct csn_error *err)
{
	int r = csn_container_wait(engine_of(rt), c->text, timeout_ms, ret, err);
	return r == -ETIMEDOUT ? timed_out(timeout_ms, err) : about(c, r, err);
}

static int native_wait(struct csn_rt *rt, const struct container_ref *c, int timeout_ms,
		       int *ret_code, struct csn_error *err)
{
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	TRY(native_wait_outcome(rt, c, timeout_ms, &outcome, err));
	*ret_code = outcome.exit_code;
	return 0;
}

static int native_wait_fd(struct csn_rt *rt, const struct container_ref *c, int *ret_fd,
			  struct csn_error *err)
{
	return about(c, csn_container_wait_fd(engine_of(rt), c->text, ret_fd, err), err);
}

/* ---- logs --------------------------------------------------------------------------------------
 */

static void close_logs(struct csn_logs **logs)
{
	csn_logs_close(*logs);
}

static int add_lines(struct csn_logs *logs, const struct container_ref *c,
		     struct csn_log_entries *entries, struct csn_error *err)
{
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	int r;
	while ((r = csn_logs_next(logs, 0, &line, err)) == 1) {
		const struct csn_log_entry e = { .timestamp_ns = line.time_ns,
						 .stream = line.stream,
						 .message = line.text,
						 .message_size = line.length,
						 .source = CSN_LOG_CONTAINER,
						 .source_id = c->text,
						 .service = c->id->service };
		if (!log_entries_add(entries, &e))
			return fail(err, ENOMEM, "out of memory");
	}
	return r == -EAGAIN ? 0 : r;
}

static int native_logs(struct csn_rt *rt, const struct container_ref *c, uint64_t tail,
		       struct csn_log_entries **ret, struct csn_error *err)
{
	struct csn_logs_options o = CSN_LOGS_OPTIONS_INIT;
	struct csn_logs *logs AUTO(close_logs)
	= NULL;
	o.tail = tail == 0 || tail > INT64_MAX ? -1 : (int64_t)tail;
	TRY(about(c, csn_container_logs(engine_of(rt), c->text, &o, &logs, err), err));

	struct csn_log_entries *entries = log_entries_new();
	int r = entries ? add_lines(logs, c, entries, err) : fail(err, ENOMEM, "out of memory");
	if (r < 0) {
		csn_log_entries_free(entries);
		return r;
	}
	*ret = entries;
	return 0;
}

static int native_all_logs(struct csn_rt *rt, const struct container_ref *c,
			   struct csn_log_entries **ret, struct csn_error *err)
{
	return native_logs(rt, c, 0, ret, err);
}

/* ---- exec --------------------------------------------------------------------------------------
 */

static int native_exec_stream(struct csn_rt *rt, const struct container_ref *c,
			      const char *const *argv, struct csn_exec_stream **ret,
			      struct csn_error *err)
{
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	struct csn_attach *attach = NULL;
	o.command = argv;
	int r = csn_container_exec(engine_of(rt), c->text, &o, &attach, err);
	/* What was not found may be the program. */
	if (r == -ENOENT && csn_start_exit_code(err) == 125)
		return not_found(c->text, err);
	TRY(r);
	return exec_stream_of_attach(attach, ret, err);
}

static int native_exec(struct csn_rt *rt, const struct container_ref *c, const char *const *argv,
		       int timeout_ms, struct csn_exec_result *ret, struct csn_error *err)
{
	struct csn_exec_stream *stream = NULL;
	TRY(native_exec_stream(rt, c, argv, &stream, err));
	int r = exec_stream_collect(stream, timeout_ms, ret, err);
	csn_exec_stream_close(stream);
	return r == -ETIMEDOUT ? timed_out(timeout_ms, err) : r;
}

/* ---- open and close -----------------------------------------------------------------------------
 */

static void native_close(struct csn_rt *rt)
{
	csn_runtime_close(engine_of(rt));
	free(rt);
}

static const struct rt_operations operations = {
	.name = "native",
	.close = native_close,
	.engine = engine_of,
	.pull_image = native_pull,
	.list_images = native_list_images,
	.remove_image = native_remove_image,
	.create = native_create,
	.start = native_start,
	.stop = native_stop,
	.remove = native_remove,
	.kill = native_kill,
	.pause = native_pause,
	.unpause = native_unpause,
	.state = native_state,
	.pid = native_pid,
	.ip = native_ip,
	.port_override = native_port_override,
	.stats = native_stats,
	.wait = native_wait,
	.wait_outcome = native_wait_outcome,
	.wait_fd = native_wait_fd,
	.logs = native_logs,
	.all_logs = native_all_logs,
	.exec = native_exec,
	.exec_stream = native_exec_stream,
};

int csn_rt_open_native(const struct csn_config *config, struct csn_rt **ret, struct csn_error *err)
{
	struct native *n = calloc(1, sizeof *n);
	if (!n)
		return as_kind(err, fail(err, ENOMEM, "out of memory"), CSN_ERROR_INTERNAL, "");
	n->base.ops = &operations;
	int r = csn_runtime_open_native(config, &n->engine, err);
	if (r < 0) {
		free(n);
		return as_kind(err, r, CSN_ERROR_CONFIGURATION, "");
	}
	*ret = &n->base;
	return 0;
}
