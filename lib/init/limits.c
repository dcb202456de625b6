/*
 * Scheduling class, I/O priority, personality and memory policy of the program. Resource limits
 * are set by the host with prlimit(2), which may know more than we may do here.
 */
#include "init/child.h"

/* sched_setattr(2); not in glibc 2.36. */
struct kernel_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max; /* the utilization clamps' flags are refused without these */
};

enum { IOPRIO_WHO_PGRP = 2 };

int step_limits(struct child *c)
{
	const struct plan *p = c->plan;

	if (p->scheduler.set) {
		struct kernel_sched_attr attr = { .size = sizeof attr,
						  .policy = p->scheduler.policy,
						  .flags = p->scheduler.flags,
						  .nice = p->scheduler.nice,
						  .priority = p->scheduler.priority,
						  .runtime = p->scheduler.runtime,
						  .deadline = p->scheduler.deadline,
						  .period = p->scheduler.period };
		if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
			return report_at(c, SYNC_DETAIL_PATH, 0, "process.scheduler", -errno);
	}
	if (p->ioprio >= 0 && syscall(SYS_ioprio_set, IOPRIO_WHO_PGRP, 0, p->ioprio) < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "process.ioPriority", -errno);
	if (p->has_personality && syscall(SYS_personality, p->personality) < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "linux.personality", -errno);
	if (p->has_mempolicy && syscall(SYS_set_mempolicy, p->mempolicy_mode, p->mempolicy_nodes,
					sizeof p->mempolicy_nodes * 8 + 1) < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "linux.memoryPolicy", -errno);
	return 0;
}

/* prlimit(2) by the host: it may raise what we cannot, and reads its own words of the failure. */
int step_rlimits(struct child *c)
{
	if (!c->plan->rlimits_early)
		return 0;
	int r = sync_say(c, SYNC_NEED_LIMITS, -1);
	return r < 0 ? r : sync_expect(c, SYNC_LIMITS_DONE);
}
