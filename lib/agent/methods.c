/*
 * The wrappers: a method each. They check the id, ask the runtime, and give a failure the kind that
 * the method has; a runtime without the operation gets the interface's default.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/sized.h"

const char *csn_rt_name(const struct csn_rt *rt)
{
	return rt->ops->name;
}

struct csn_runtime *csn_rt_engine(struct csn_rt *rt)
{
	return rt->ops->engine ? rt->ops->engine(rt) : NULL;
}

void csn_rt_close(struct csn_rt *rt)
{
	if (rt)
		rt->ops->close(rt);
}

static int refer(const struct csn_container_id *id, struct container_ref *ret,
		 struct csn_error *err)
{
	ret->id = id;
	return csn_container_id_format(id, ret->text, err);
}

static int unsupported(struct csn_error *err, const char *method)
{
	char reason[100];
	(void)snprintf(reason, sizeof reason, "%s is not supported by this runtime", method);
	return fail_kind(err, CSN_ERROR_UNSUPPORTED, "", reason);
}

/* ---- images ------------------------------------------------------------------------------------
 */

static int need_image(const char *image, struct csn_error *err)
{
	if (image && image[0])
		return 0;
	return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "image must not be empty");
}

int csn_rt_pull_image_with_policy(struct csn_rt *rt, const char *image, enum csn_pull_policy policy,
				  const struct csn_registry_options *auth, struct csn_error *err)
{
	TRY(need_image(image, err));
	return as_kind(err, rt->ops->pull_image(rt, image, policy, auth, err),
		       CSN_ERROR_PULL_FAILED, image);
}

int csn_rt_pull_image(struct csn_rt *rt, const char *image, struct csn_error *err)
{
	return csn_rt_pull_image_with_policy(rt, image, CSN_PULL_IF_NOT_PRESENT, NULL, err);
}

int csn_rt_list_images(struct csn_rt *rt, struct csn_images **ret, struct csn_error *err)
{
	if (!rt->ops->list_images)
		return unsupported(err, "list_images");
	return as_kind(err, rt->ops->list_images(rt, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_remove_image(struct csn_rt *rt, const char *image, bool force, struct csn_error *err)
{
	TRY(need_image(image, err));
	if (!rt->ops->remove_image)
		return unsupported(err, "remove_image");
	return as_kind(err, rt->ops->remove_image(rt, image, force, err), CSN_ERROR_INTERNAL, "");
}

/* ---- life --------------------------------------------------------------------------------------
 */

int csn_rt_create_container(struct csn_rt *rt, const struct csn_container_id *id,
			    const struct csn_service *service, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!service)
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "no service given");
	return as_kind(err, rt->ops->create(rt, &c, service, err), CSN_ERROR_CREATE_FAILED, c.text);
}

int csn_rt_start_container(struct csn_rt *rt, const struct csn_container_id *id,
			   struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	return as_kind(err, rt->ops->start(rt, &c, err), CSN_ERROR_START_FAILED, c.text);
}

int csn_rt_stop_container(struct csn_rt *rt, const struct csn_container_id *id, int timeout_ms,
			  struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	return as_kind(err, rt->ops->stop(rt, &c, timeout_ms, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_remove_container(struct csn_rt *rt, const struct csn_container_id *id,
			    struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	return as_kind(err, rt->ops->remove(rt, &c, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_kill_container(struct csn_rt *rt, const struct csn_container_id *id, const char *signal,
			  struct csn_error *err)
{
	struct container_ref c;
	const char *name;
	TRY(csn_validate_signal(signal ? signal : "SIGKILL", &name, err));
	TRY(refer(id, &c, err));
	if (!rt->ops->kill)
		return unsupported(err, "kill_container");
	return as_kind(err, rt->ops->kill(rt, &c, name, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_pause_container(struct csn_rt *rt, const struct csn_container_id *id,
			   struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->pause)
		return unsupported(err, "pause_container");
	return as_kind(err, rt->ops->pause(rt, &c, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_unpause_container(struct csn_rt *rt, const struct csn_container_id *id,
			     struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->unpause)
		return unsupported(err, "unpause_container");
	return as_kind(err, rt->ops->unpause(rt, &c, err), CSN_ERROR_INTERNAL, "");
}

/* ---- facts -------------------------------------------------------------------------------------
 */

int csn_rt_container_state(struct csn_rt *rt, const struct csn_container_id *id,
			   struct csn_container_state *ret, struct csn_error *err)
{
	struct container_ref c;
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	TRY(refer(id, &c, err));
	TRY(as_kind(err, rt->ops->state(rt, &c, &state, err), CSN_ERROR_INTERNAL, ""));
	give_struct(ret, &state, sizeof state);
	return 0;
}

int csn_rt_get_container_pid(struct csn_rt *rt, const struct csn_container_id *id, int *ret,
			     struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	return as_kind(err, rt->ops->pid(rt, &c, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_get_container_ip(struct csn_rt *rt, const struct csn_container_id *id, char ret[46],
			    struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	int r = as_kind(err, rt->ops->ip(rt, &c, ret, err), CSN_ERROR_INTERNAL, "");
	return r < 0 ? r : 0;
}

int csn_rt_get_container_port_override(struct csn_rt *rt, const struct csn_container_id *id,
				       uint16_t *ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->port_override) {
		*ret = 0;
		return 0;
	}
	return as_kind(err, rt->ops->port_override(rt, &c, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_get_container_namespace_id(struct csn_rt *rt, const struct csn_container_id *id,
				      char ret[64], struct csn_error *err)
{
	struct container_ref c;
	(void)rt;
	TRY(refer(id, &c, err));
	ret[0] = '\0';
	return 0;
}

int csn_rt_sync_container_volumes(struct csn_rt *rt, const struct csn_container_id *id,
				  struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->sync_volumes)
		return 0;
	return as_kind(err, rt->ops->sync_volumes(rt, &c, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_get_container_stats(struct csn_rt *rt, const struct csn_container_id *id,
			       struct csn_rt_stats *ret, struct csn_error *err)
{
	struct container_ref c;
	struct csn_rt_stats stats = CSN_RT_STATS_INIT;
	TRY(refer(id, &c, err));
	TRY(as_kind(err, rt->ops->stats(rt, &c, &stats, err), CSN_ERROR_INTERNAL, ""));
	give_struct(ret, &stats, sizeof stats);
	return 0;
}

/* ---- waiting -----------------------------------------------------------------------------------
 */

int csn_rt_wait_container(struct csn_rt *rt, const struct csn_container_id *id, int timeout_ms,
			  int *ret_code, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	return as_kind(err, rt->ops->wait(rt, &c, timeout_ms, ret_code, err), CSN_ERROR_INTERNAL,
		       "");
}

int csn_rt_wait_outcome(struct csn_rt *rt, const struct csn_container_id *id, int timeout_ms,
			struct csn_wait_outcome *ret, struct csn_error *err)
{
	struct container_ref c;
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	TRY(refer(id, &c, err));
	int r = rt->ops->wait_outcome ? rt->ops->wait_outcome(rt, &c, timeout_ms, &outcome, err)
				      : rt->ops->wait(rt, &c, timeout_ms, &outcome.exit_code, err);
	TRY(as_kind(err, r, CSN_ERROR_INTERNAL, ""));
	give_struct(ret, &outcome, sizeof outcome);
	return 0;
}

int csn_rt_wait_fd(struct csn_rt *rt, const struct csn_container_id *id, int *ret_fd,
		   struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (rt->ops->wait_fd)
		return as_kind(err, rt->ops->wait_fd(rt, &c, ret_fd, err), CSN_ERROR_INTERNAL, "");
	/* One that waits for nothing real has its answer soon. */
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	TRY(as_kind(err, rt->ops->state(rt, &c, &state, err), CSN_ERROR_INTERNAL, ""));
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return as_kind(err, fail_errno(err, "eventfd"), CSN_ERROR_INTERNAL, "");
	*ret_fd = fd;
	return 0;
}

/* ---- logs and exec ------------------------------------------------------------------------------
 */

int csn_rt_container_logs(struct csn_rt *rt, const struct csn_container_id *id, uint64_t tail,
			  struct csn_log_entries **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	return as_kind(err, rt->ops->logs(rt, &c, tail, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_get_logs(struct csn_rt *rt, const struct csn_container_id *id,
		    struct csn_log_entries **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	return as_kind(err, rt->ops->all_logs(rt, &c, ret, err), CSN_ERROR_INTERNAL, "");
}

static int need_command(const char *const *argv, struct csn_error *err)
{
	if (argv && argv[0])
		return 0;
	return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "exec command cannot be empty");
}

int csn_rt_exec(struct csn_rt *rt, const struct csn_container_id *id, const char *const *argv,
		int timeout_ms, struct csn_exec_result *ret, struct csn_error *err)
{
	struct container_ref c;
	struct csn_exec_result result = CSN_EXEC_RESULT_INIT;
	TRY(refer(id, &c, err));
	TRY(need_command(argv, err));
	TRY(as_kind(err, rt->ops->exec(rt, &c, argv, timeout_ms, &result, err), CSN_ERROR_INTERNAL,
		    ""));
	give_struct(ret, &result, sizeof result);
	return 0;
}

int csn_rt_exec_stream(struct csn_rt *rt, const struct csn_container_id *id,
		       const char *const *argv, struct csn_exec_stream **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	TRY(need_command(argv, err));
	if (rt->ops->exec_stream)
		return as_kind(err, rt->ops->exec_stream(rt, &c, argv, ret, err),
			       CSN_ERROR_INTERNAL, "");

	struct csn_exec_result AUTO(csn_exec_result_done) result = CSN_EXEC_RESULT_INIT;
	TRY(as_kind(err, rt->ops->exec(rt, &c, argv, -1, &result, err), CSN_ERROR_INTERNAL, ""));
	return as_kind(err, exec_stream_of_result(&result, ret, err), CSN_ERROR_INTERNAL, "");
}
