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
#include "base/texts.h"

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
	if (!rt)
		return;
	arena_free(&rt->options_arena);
	rt->ops->close(rt);
}

int refer(const struct csn_container_id *id, struct container_ref *ret, struct csn_error *err)
{
	ret->id = id;
	return csn_container_id_format(id, ret->text, err);
}

int method_unsupported(struct csn_error *err, const char *method)
{
	char reason[100];
	(void)snprintf(reason, sizeof reason, "%s is not supported by this runtime", method);
	return fail_kind(err, CSN_ERROR_UNSUPPORTED, "", reason);
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
		return method_unsupported(err, "kill_container");
	return as_kind(err, rt->ops->kill(rt, &c, name, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_pause_container(struct csn_rt *rt, const struct csn_container_id *id,
			   struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->pause)
		return method_unsupported(err, "pause_container");
	return as_kind(err, rt->ops->pause(rt, &c, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_unpause_container(struct csn_rt *rt, const struct csn_container_id *id,
			     struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->unpause)
		return method_unsupported(err, "unpause_container");
	return as_kind(err, rt->ops->unpause(rt, &c, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_rename_container(struct csn_rt *rt, const struct csn_container_id *id, const char *name,
			    struct csn_error *err)
{
	static const char blanks[] = " \t\n\r\f\v";
	struct container_ref c;
	char trimmed[200];
	TRY(refer(id, &c, err));
	name += strspn(name, blanks);
	size_t size = strlen(name);
	while (size && strchr(blanks, name[size - 1]))
		size--;
	if (size == 0)
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "name must not be empty");
	(void)snprintf(trimmed, sizeof trimmed, "%.*s", (int)(size < 180 ? size : 180), name);
	if (!rt->ops->rename)
		return method_unsupported(err, "rename_container");
	return as_kind(err, rt->ops->rename(rt, &c, trimmed, err), CSN_ERROR_INTERNAL, "");
}

/* Whether it asks for anything: of the numbers and texts one is given. */
static bool is_empty(const struct csn_resource_update *u)
{
	return !u->cpu_shares && !u->memory && !u->cpu_period && !u->cpu_quota &&
	       !u->cpu_realtime_period && !u->cpu_realtime_runtime && !u->cpuset_cpus &&
	       !u->cpuset_mems && !u->memory_reservation && !u->memory_swap && !u->kernel_memory &&
	       !u->blkio_weight && !u->pids_limit && !u->restart_policy &&
	       !u->restart_maximum_retry_count;
}

int csn_rt_update_container_resources(struct csn_rt *rt, const struct csn_container_id *id,
				      const struct csn_resource_update *update,
				      struct csn_texts **ret_warnings, struct csn_error *err)
{
	struct container_ref c;
	struct csn_resource_update u = CSN_RESOURCE_UPDATE_INIT;
	TRY(refer(id, &c, err));
	TRY(as_kind(err, take_struct(&u, sizeof u, update, "struct csn_resource_update", err),
		    CSN_ERROR_INVALID_SPEC, ""));
	if (!rt->ops->update)
		return method_unsupported(err, "update_container_resources");
	struct csn_texts *warnings AUTO(texts_release)
	= texts_new();
	if (!warnings)
		return as_kind(err, fail(err, ENOMEM, "out of memory"), CSN_ERROR_INTERNAL, "");
	if (!is_empty(&u))
		TRY(as_kind(err, rt->ops->update(rt, &c, &u, warnings, err), CSN_ERROR_INTERNAL,
			    ""));
	*ret_warnings = take_ptr(warnings);
	return 0;
}

int csn_rt_prune_containers(struct csn_rt *rt, struct csn_texts **ret_deleted, uint64_t *ret_bytes,
			    struct csn_error *err)
{
	if (!rt->ops->prune)
		return method_unsupported(err, "prune_containers");
	return as_kind(err, rt->ops->prune(rt, ret_deleted, ret_bytes, err), CSN_ERROR_INTERNAL,
		       "");
}

int csn_rt_list_containers(struct csn_rt *rt, struct csn_container_summaries **ret,
			   struct csn_error *err)
{
	if (rt->ops->list)
		return as_kind(err, rt->ops->list(rt, ret, err), CSN_ERROR_INTERNAL, "");
	*ret = NULL;
	return 0;
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

int csn_rt_port_mappings_container(struct csn_rt *rt, const struct csn_container_id *id,
				   struct csn_ports **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->ports)
		return method_unsupported(err, "port_mappings_container");
	return as_kind(err, rt->ops->ports(rt, &c, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_inspect_detailed(struct csn_rt *rt, const struct csn_container_id *id,
			    struct csn_container_details **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (rt->ops->details)
		return as_kind(err, rt->ops->details(rt, &c, ret, err), CSN_ERROR_INTERNAL, "");
	struct details *nothing = details_new();
	if (!nothing)
		return as_kind(err, fail(err, ENOMEM, "out of memory"), CSN_ERROR_INTERNAL, "");
	*ret = &nothing->is;
	return 0;
}

int csn_rt_top_container(struct csn_rt *rt, const struct csn_container_id *id,
			 const char *const *ps_args, struct csn_top **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->top)
		return method_unsupported(err, "top_container");
	return as_kind(err, rt->ops->top(rt, &c, ps_args, ret, err), CSN_ERROR_INTERNAL, "");
}

enum csn_overlay_attach_kind csn_rt_overlay_attach_kind(const struct csn_rt *rt)
{
	(void)rt;
	return CSN_OVERLAY_HOST_NETNS;
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

int csn_rt_wait_outcome_with_condition(struct csn_rt *rt, const struct csn_container_id *id,
				       enum csn_wait_condition condition, int timeout_ms,
				       struct csn_wait_outcome *ret, struct csn_error *err)
{
	struct container_ref c;
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	if (!rt->ops->wait_for)
		return csn_rt_wait_outcome(rt, id, timeout_ms, ret, err);
	TRY(refer(id, &c, err));
	TRY(as_kind(err, rt->ops->wait_for(rt, &c, condition, timeout_ms, &outcome, err),
		    CSN_ERROR_INTERNAL, ""));
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
