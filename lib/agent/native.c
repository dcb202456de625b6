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
#include "base/deadline.h"
#include "base/error.h"
#include "caisson-volume.h"

#define LEFTOVER_STOP_MS 5000

struct csn_runtime *engine_of(struct csn_rt *rt)
{
	return ((struct native *)rt)->engine;
}

static int not_found(const char *what, struct csn_error *err)
{
	return fail_kind(err, CSN_ERROR_NOT_FOUND, what, "container not found");
}

int about(const struct container_ref *c, int r, struct csn_error *err)
{
	return r == -ENOENT ? not_found(c->text, err) : r;
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

	const struct making m = { service, c, &rt->options, &arena };
	TRY(service_options(&m, &o, err));
	TRY(remove_leftover(rt, c, err));
	int r = csn_container_create(engine_of(rt), &o, id, err);
	return r == -EINVAL ? as_kind(err, r, CSN_ERROR_INVALID_SPEC, "") : r;
}

/* A new one for each start. */
static int give_token(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err)
{
	const struct csn_container_auth_context *auth = rt->options.auth;
	struct arena arena AUTO(arena_free) = { 0 };
	const char *env[3] = { NULL };
	if (!auth)
		return 0;
	char *token = auth_token(auth, c->id, (int64_t)time(NULL), &arena);
	env[0] = arena_printf(&arena, "%sAPI_URL=%s", auth->env_prefix, auth->api_url);
	env[1] = token ? arena_printf(&arena, "%sTOKEN=%s", auth->env_prefix, token) : NULL;
	if (!env[0] || !env[1])
		return fail(err, ENOMEM, "out of memory");
	return csn_container_set_private_env(engine_of(rt), c->text, env, err);
}

static int native_start(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err)
{
	TRY(give_token(rt, c, err));
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

static int native_sync_volumes(struct csn_rt *rt, const struct container_ref *c,
			       struct csn_error *err)
{
	return about(c, csn_container_sync_volumes(engine_of(rt), c->text, err), err);
}

int wrong_state(const struct container_ref *c, int r, struct csn_error *err)
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

static int native_rename(struct csn_rt *rt, const struct container_ref *c, const char *name,
			 struct csn_error *err)
{
	int r = about(c, csn_container_rename(engine_of(rt), c->text, name, true, err), err);
	return r == -EINVAL || r == -EEXIST ? as_kind(err, r, CSN_ERROR_INVALID_SPEC, "") : r;
}

static int native_port_override(struct csn_rt *rt, const struct container_ref *c, uint16_t *ret,
				struct csn_error *err)
{
	return about(c, host_port_read(engine_of(rt), c->text, ret, err), err);
}

static int native_prune(struct csn_rt *rt, struct csn_texts **ret_deleted, uint64_t *ret_bytes,
			struct csn_error *err)
{
	return csn_container_prune(engine_of(rt), ret_deleted, ret_bytes, err);
}

/* ---- waiting -----------------------------------------------------------------------------------
 */

/* "1.5s", "250ms": as the interface's own durations are shown. */
int timed_out(int timeout_ms, struct csn_error *err)
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

static int native_wait_for(struct csn_rt *rt, const struct container_ref *c,
			   enum csn_wait_condition condition, int timeout_ms,
			   struct csn_wait_outcome *ret, struct csn_error *err)
{
	int r = csn_container_wait_for(engine_of(rt), c->text, condition, timeout_ms, ret, err);
	return r == -ETIMEDOUT ? timed_out(timeout_ms, err) : about(c, r, err);
}

static int native_wait_fd(struct csn_rt *rt, const struct container_ref *c, int *ret_fd,
			  struct csn_error *err)
{
	return about(c, csn_container_wait_fd(engine_of(rt), c->text, ret_fd, err), err);
}

/* ---- exec --------------------------------------------------------------------------------------
 */

static int native_exec_pty(struct csn_rt *rt, const struct container_ref *c,
			   const struct csn_exec_options *options, struct csn_exec_stream **ret,
			   struct csn_error *err)
{
	struct csn_attach *attach = NULL;
	int r = csn_container_exec(engine_of(rt), c->text, options, &attach, err);
	/* What was not found may be the program. */
	if (r == -ENOENT && csn_start_exit_code(err) == 125)
		return not_found(c->text, err);
	if (r == -EINVAL || r == -EBUSY)
		return as_kind(err, r, CSN_ERROR_INVALID_SPEC, "");
	TRY(r);
	return exec_stream_of_attach(attach, options->tty || options->stdin_open, options->tty, ret,
				     err);
}

static int native_exec_stream(struct csn_rt *rt, const struct container_ref *c,
			      const char *const *argv, struct csn_exec_stream **ret,
			      struct csn_error *err)
{
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	o.command = argv;
	return native_exec_pty(rt, c, &o, ret, err);
}

static int native_exec_options(struct csn_rt *rt, const struct container_ref *c,
			       const struct csn_exec_options *options, int timeout_ms,
			       struct csn_exec_result *ret, struct csn_error *err)
{
	struct csn_exec_options o = *options;
	struct csn_exec_stream *stream = NULL;
	o.tty = o.stdin_open = false;
	TRY(native_exec_pty(rt, c, &o, &stream, err));
	int r = exec_stream_collect(stream, timeout_ms, ret, err);
	csn_exec_stream_close(stream);
	return r == -ETIMEDOUT ? timed_out(timeout_ms, err) : r;
}

static int native_exec(struct csn_rt *rt, const struct container_ref *c, const char *const *argv,
		       int timeout_ms, struct csn_exec_result *ret, struct csn_error *err)
{
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	o.command = argv;
	return native_exec_options(rt, c, &o, timeout_ms, ret, err);
}

/* ---- the container's own input ------------------------------------------------------------------
 */

static void close_attach(struct csn_attach **attach)
{
	csn_attach_close(*attach);
}

static int attach_to(struct csn_rt *rt, const struct container_ref *c, struct csn_attach **ret,
		     struct csn_error *err)
{
	return wrong_state(c, csn_container_attach(engine_of(rt), c->text, ret, err), err);
}

static int native_write_stdin(struct csn_rt *rt, const struct container_ref *c, const void *bytes,
			      size_t size, int timeout_ms, struct csn_error *err)
{
	struct csn_attach *attach AUTO(close_attach)
	= NULL;
	TRY(attach_to(rt, c, &attach, err));
	int r = attach_send_all(attach, bytes, size, deadline_in(timeout_ms), err);
	return r == -EAGAIN ? timed_out(timeout_ms, err) : r;
}

static int native_close_stdin(struct csn_rt *rt, const struct container_ref *c,
			      struct csn_error *err)
{
	struct csn_attach *attach AUTO(close_attach)
	= NULL;
	TRY(attach_to(rt, c, &attach, err));
	return attach_end_input(attach, -1, err);
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
	.tag_image = native_tag_image,
	.prune_images = native_prune_images,
	.image_details = native_image_details,
	.image_history = native_image_history,
	.pull_stream = native_pull_stream,
	.save_images = native_save_images,
	.load_images = native_load_images,
	.import_image = native_import_image,
	.create = native_create,
	.start = native_start,
	.stop = native_stop,
	.remove = native_remove,
	.sync_volumes = native_sync_volumes,
	.kill = native_kill,
	.pause = native_pause,
	.unpause = native_unpause,
	.state = native_state,
	.pid = native_pid,
	.ip = native_ip,
	.port_override = native_port_override,
	.ports = native_ports,
	.top = native_top,
	.changes = native_changes,
	.archive_head = native_archive_head,
	.archive_get = native_archive_get,
	.archive_put = native_archive_put,
	.export_files = native_export,
	.commit = native_commit,
	.details = native_details,
	.list = native_list,
	.rename = native_rename,
	.prune = native_prune,
	.update = native_update,
	.stats = native_stats,
	.stats_stream = native_stats_stream,
	.wait = native_wait,
	.wait_outcome = native_wait_outcome,
	.wait_for = native_wait_for,
	.wait_fd = native_wait_fd,
	.logs = native_logs,
	.all_logs = native_all_logs,
	.logs_stream = native_logs_stream,
	.exec = native_exec,
	.exec_stream = native_exec_stream,
	.exec_options = native_exec_options,
	.exec_pty = native_exec_pty,
	.write_stdin = native_write_stdin,
	.close_stdin = native_close_stdin,
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
