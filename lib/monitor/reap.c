/*
 * The end of a container: si_status says how init ended, memory.events whether the OOM killer had
 * a hand in it. The group was made for this container, so its counters began at zero; they are
 * read before it is removed.
 */
#include <errno.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "cgroups/cgroups.h"
#include "monitor/supervise.h"

void reap(const struct supervision *s, struct exit_record *ret)
{
	siginfo_t info = { 0 };
	int r;
	do
		r = waitid(P_PID, (id_t)s->pid, &info, WEXITED);
	while (r < 0 && errno == EINTR);

	*ret = (struct exit_record){ .started_at = s->started };
	(void)clock_gettime(CLOCK_REALTIME, &ret->finished_at);
	if (r < 0) {
		ret->reason = EXIT_RUNTIME_ERROR;
		ret->exit_code = 255;
		return;
	}
	bool exited = info.si_code == CLD_EXITED;
	ret->reason = exited ? EXIT_EXITED : EXIT_SIGNAL;
	ret->exit_code = exited ? info.si_status & 0xff : 128 + info.si_status;
	ret->signal = exited ? 0 : info.si_status;
	ret->core_dumped = info.si_code == CLD_DUMPED;

	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	bool known = false;
	if (cgroup_open(s->cgroup, &cg, NULL) < 0)
		return;
	(void)cgroup_oom_kills(&cg, &ret->oom_kills, &known, NULL);
	(void)cgroup_read_u64(&cg, "memory.peak", &ret->memory_peak, NULL);
	if (ret->oom_kills)
		ret->reason = EXIT_OOM_KILLED;
}
