/*
 * The end of a container: si_status says how init ended, memory.events whether the OOM killer had
 * a hand in it. The kernel counts a kill before the victim can be seen to end, so what is read once
 * everybody is gone and before the group is removed is all there will ever be.
 *
 * The reason is the first that holds: runtime_error (its status could not be had), oom_killed (the
 * OOM killer ended a process of it, be it another than init), signal, exited. The exit code stays
 * what init's status makes it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "cgroups/cgroups.h"
#include "monitor/journal.h"
#include "monitor/supervise.h"

enum { GONE_TIMEOUT_MS = 10 * 1000 };

bool supervision_oom_kills(const struct supervision *s, uint64_t *ret)
{
	const struct cgroup_oom oom = { .fd = s->fds[FD_OOM],
					.kills = s->oom_kills,
					.group_kills = s->oom_group_kills };
	return cgroup_oom_read(&oom, ret);
}

void supervision_tell(const struct supervision *s, const char *action,
		      const struct exit_record *end, uint64_t oom_kills)
{
	const struct journal_event e = { .type = "container",
					 .action = action,
					 .id = s->id,
					 .name = s->name,
					 .image = s->image,
					 .end = end,
					 .oom_kills = oom_kills };
	(void)journal_add(s->run_root, &e, NULL);
}

static void read_status(const struct supervision *s, struct exit_record *ret)
{
	siginfo_t info = { 0 };
	int r;
	do
		r = waitid(P_PID, (id_t)s->pid, &info, WEXITED);
	while (r < 0 && errno == EINTR);
	(void)clock_gettime(CLOCK_REALTIME, &ret->finished_at);
	if (r < 0) {
		ret->reason = EXIT_RUNTIME_ERROR;
		ret->exit_code = 255;
		(void)snprintf(ret->error, sizeof ret->error,
			       "it ended, but its exit status could not be had: %s",
			       strerror(errno));
		return;
	}
	bool exited = info.si_code == CLD_EXITED;
	ret->reason = exited ? EXIT_EXITED : EXIT_SIGNAL;
	ret->exit_code = exited ? info.si_status & 0xff : 128 + info.si_status;
	ret->signal = exited ? 0 : info.si_status;
	ret->core_dumped = info.si_code == CLD_DUMPED;
}

/* Without a pid namespace of its own, a container's other processes outlive init; they end here. */
static void end_the_rest(const struct cgroup *cg)
{
	bool live = false;
	if (cgroup_populated(cg, &live, NULL) < 0 || !live)
		return;
	(void)cgroup_kill(cg, NULL);
	(void)cgroup_wait_empty(cg, GONE_TIMEOUT_MS, NULL);
}

void reap(const struct supervision *s, struct exit_record *ret)
{
	const struct cgroup cg = { .dir = s->fds[FD_CGROUP], .path = (char *)(uintptr_t)s->cgroup };

	*ret = (struct exit_record){ .started_at = s->started };
	read_status(s, ret);
	said_read(s, ret);
	if (cg.dir >= 0) {
		end_the_rest(&cg);
		(void)cgroup_read_u64(&cg, "memory.peak", &ret->memory_peak, NULL);
	}
	if (supervision_oom_kills(s, &ret->oom_kills) && ret->oom_kills &&
	    ret->reason != EXIT_RUNTIME_ERROR)
		ret->reason = EXIT_OOM_KILLED;
}
