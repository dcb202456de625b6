/*
 * Limits as an agent gives them, to those of the engine, where 0 asks for nothing and -1 for no
 * limit. What no kernel of today applies is told, not refused.
 */
#include <errno.h>

#include "agent/native.h"
#include "base/error.h"
#include "base/texts.h"

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

int native_update(struct csn_rt *rt, const struct container_ref *c,
		  const struct csn_resource_update *u, struct csn_texts *warnings,
		  struct csn_error *err)
{
	struct csn_resources r = CSN_RESOURCES_INIT;
	if ((u->restart_policy && u->restart_policy[0]) || u->restart_maximum_retry_count)
		return fail_kind(err, CSN_ERROR_UNSUPPORTED, "",
				 "update_container_resources: restart_policy");
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
	TRY(warn(u, warnings, err));
	int result = about(c, csn_container_update(engine_of(rt), c->text, &r, err), err);
	return result == -EINVAL ? as_kind(err, result, CSN_ERROR_INVALID_SPEC, "") : result;
}
