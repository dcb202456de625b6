/*
 * Limits as an agent gives them, to those of the engine, where 0 asks for nothing and -1 for no
 * limit. What no kernel of today applies is told, not refused. The restart policy is changed first,
 * and changed back when the limits cannot be.
 */
#include <errno.h>
#include <stdint.h>

#include "agent/native.h"
#include "base/error.h"
#include "base/texts.h"
#include "caisson-restart.h"

/* 0 and less: none. */
static int64_t or_none(const int64_t *given)
{
	return !given ? 0 : *given > 0 ? *given : -1;
}

static int64_t or_nothing(const int64_t *given)
{
	return given ? *given : 0;
}

static int warn(const struct csn_resource_update *u, struct csn_texts *warnings,
		struct csn_error *err)
{
	const struct {
		bool asked;
		const char *text;
	} rows[] = {
		{ u->kernel_memory,
		  "KernelMemory has no cgroup v2 equivalent and was not applied" },
		{ u->cpu_realtime_period || u->cpu_realtime_runtime,
		  "CpuRealtimePeriod/CpuRealtimeRuntime are not supported on cgroup v2; ignored" },
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].asked && !texts_add(warnings, rows[i].text))
			return fail(err, ENOMEM, "out of memory");
	return 0;
}

/* ---- restart policy ---------------------------------------------------------------------------
 */

static bool has_policy(const struct csn_resource_update *u)
{
	return u->restart_policy && u->restart_policy[0];
}

static int read_policy(struct csn_rt *rt, const struct container_ref *c,
		       struct csn_restart_policy *ret, struct csn_error *err)
{
	struct csn_containers *list = NULL;
	TRY(csn_container_get(engine_of(rt), c->text, &list, err));
	*ret = *csn_containers_get(list, 0)->restart;
	csn_containers_free(list);
	return 0;
}

/* A policy takes the place of the one before with its count; a count alone is of the one that is.
 * The delay stays. */
static int change_policy(const struct csn_resource_update *u, struct csn_restart_policy *p,
			 struct csn_error *err)
{
	if (has_policy(u))
		TRY(csn_restart_policy_parse(u->restart_policy, p, err));
	if (!u->restart_maximum_retry_count)
		return 0;
	int64_t count = *u->restart_maximum_retry_count;
	if (count < 0 || count > INT32_MAX)
		return fail(err, EINVAL, "restart_maximum_retry_count: expected 0 to %d, not %lld",
			    INT32_MAX, (long long)count);
	p->max_restarts = (unsigned)count;
	return 0;
}

/* ---- all --------------------------------------------------------------------------------------
 */

static void read_limits(const struct csn_resource_update *u, struct csn_resources *ret)
{
	struct csn_resources r = CSN_RESOURCES_INIT;
	r.cpu_shares = or_nothing(u->cpu_shares);
	r.memory_bytes = or_none(u->memory);
	r.cpu_period_us = or_nothing(u->cpu_period);
	r.cpu_quota_us = or_none(u->cpu_quota);
	r.cpuset_cpus = u->cpuset_cpus;
	r.cpuset_mems = u->cpuset_mems;
	r.memory_reservation_bytes = or_none(u->memory_reservation);
	r.memory_swap_bytes = or_nothing(u->memory_swap);
	r.blkio_weight = or_nothing(u->blkio_weight);
	r.pids_limit = or_none(u->pids_limit);
	*ret = r;
}

static int update(struct csn_rt *rt, const struct container_ref *c,
		  const struct csn_resource_update *u, struct csn_error *err)
{
	struct csn_restart_policy before = CSN_RESTART_POLICY_INIT, after;
	struct csn_resources limits;
	bool restarts = has_policy(u) || u->restart_maximum_retry_count;
	if (restarts) {
		TRY(read_policy(rt, c, &before, err));
		after = before;
		TRY(change_policy(u, &after, err));
		TRY(csn_container_set_restart(engine_of(rt), c->text, &after, err));
	}
	read_limits(u, &limits);
	int r = csn_container_update(engine_of(rt), c->text, &limits, err);
	if (r < 0 && restarts)
		(void)!csn_container_set_restart(engine_of(rt), c->text, &before, NULL);
	return r;
}

int native_update(struct csn_rt *rt, const struct container_ref *c,
		  const struct csn_resource_update *u, struct csn_texts *warnings,
		  struct csn_error *err)
{
	TRY(warn(u, warnings, err));
	int r = about(c, update(rt, c, u, err), err);
	return r == -EINVAL ? as_kind(err, r, CSN_ERROR_INVALID_SPEC, "") : r;
}
