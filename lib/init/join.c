/*
 * From the caller's world into the container's namespaces. clone3 has made most of them; here are
 * those that must be joined by path, and those that can only be made from inside.
 */
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "init/child.h"

/* Nothing of the caller's signal state, umask or session may reach the program. */
int step_prepare(struct child *c)
{
	/* Not dumpable: no process of the container may trace us or open our /proc entries. The
	 * kernel resets it at execve. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;

	for (int sig = 1; sig <= 64; sig++)
		if (c->plan->ignored_signals & (UINT64_C(1) << (sig - 1)))
			(void)sys_signal_default(sig);

	sigset_t none;
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return -errno;

	umask(0);
	if (setsid() < 0)
		return -errno;
	return 0;
}

int step_join(struct child *c)
{
	const struct plan *p = c->plan;

	if (p->join_flags && setns(p->join_pidfd, (int)p->join_flags) < 0)
		return -errno;

	for (size_t i = 0; i < p->joins_count; i++) {
		/* A pid namespace was joined by the host before clone3: setns acts on children. */
		if (p->joins[i].flag == CLONE_NEWPID || p->joins[i].flag == CLONE_NEWTIME)
			continue;
		if (p->joins[i].flag == CLONE_NEWUSER && p->user_joined)
			continue;
		if (setns(p->joins[i].fd, (int)p->joins[i].flag) < 0)
			return report_at(c, SYNC_DETAIL_JOIN, i, p->joins[i].name, -errno);
	}
	if (p->exec_only) {
		if (p->exec_root >= 0 && (fchdir(p->exec_root) < 0 || chroot(".") < 0))
			return -errno;
		c->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (c->root < 0)
			return -errno;
	}
	return 0;
}

/* In a new user namespace we are nobody until the host has written the maps. */
int step_userns(struct child *c)
{
	const struct plan *p = c->plan;
	bool joined = false;

	for (size_t i = 0; i < p->joins_count; i++)
		joined |= p->joins[i].flag == CLONE_NEWUSER;
	if (!p->new_userns && !joined)
		return 0;

	if (p->new_userns) {
		int r = sync_say(c, SYNC_NEED_MAPS, -1);
		if (r < 0)
			return r;
		r = sync_expect(c, SYNC_MAPS_DONE);
		if (r < 0)
			return r;
	}
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
		return -errno;
	if (p->set_groups && syscall(SYS_setgroups, 0, NULL) < 0)
		return -errno;
	/* A change of ids made us dumpable again by /proc/sys/fs/suid_dumpable's rules. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int step_late_namespaces(struct child *c)
{
	if (c->plan->late_flags && unshare((int)c->plan->late_flags) < 0)
		return -errno;
	return 0;
}
