/*
 * The joiner: enters a user namespace by path and clones the child from inside it, so that the new
 * pid namespace belongs to that user namespace. The child is a sibling (CLONE_PARENT), so the host
 * stays its parent. The joiner's own number space is the host's: the pid it reports is the host's.
 */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "init/child.h"

static pid_t join_and_clone(const struct plan *p)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	for (size_t i = 0; i < p->joins_count; i++)
		if (p->joins[i].flag == CLONE_NEWUSER && setns(p->joins[i].fd, CLONE_NEWUSER) < 0)
			return -errno;

	struct clone_args args = { .flags = p->clone_flags | CLONE_PARENT };
	pid_t pid = sys_clone3(&args);
	if (pid == 0)
		init_main(p);
	return pid < 0 ? -errno : pid;
}

_Noreturn void init_joiner(const struct plan *p, int report_fd)
{
	pid_t pid = join_and_clone(p);
	struct joiner_report said = { .pid = pid > 0 ? pid : 0, .error = pid < 0 ? -pid : 0 };
	ssize_t n = write(report_fd, &said, sizeof said);
	_exit(n == sizeof said ? 0 : 1);
}
