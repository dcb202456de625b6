/*
 * Loading the filter. With no_new_privs it is the last thing before execve, so that the profile
 * need not allow what we do ourselves; without, it needs CAP_SYS_ADMIN and comes before the
 * capabilities go. A listener must reach the host before "ready", so it is early too.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "init/child.h"

static int load(struct child *c)
{
	const struct plan_seccomp *s = &c->plan->seccomp;
	if (!s->filter)
		return 0;

	/* TSYNC means nothing in a process of one thread and excludes a listener. */
	unsigned flags = s->flags & ~(unsigned)SECCOMP_FILTER_FLAG_TSYNC;
	/* How a listener is waited for: refused by the kernel where there is none. */
	if (s->notify)
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	else
		flags &= ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	struct sock_fprog prog = { .len = s->len,
				   .filter = (struct sock_filter *)(uintptr_t)s->filter };
	step_fd listener = -1;
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (r < 0)
		return -errno;
	if (!s->notify)
		return 0;

	listener = (int)r;
	r = sync_say(c, SYNC_NOTIFY, listener);
	return r < 0 ? (int)r : sync_expect(c, SYNC_NOTIFY_DONE);
}

static bool early(const struct plan *p)
{
	return !p->no_new_privs || p->seccomp.notify;
}

int step_early_seccomp(struct child *c)
{
	return early(c->plan) ? load(c) : 0;
}

int step_late_seccomp(struct child *c)
{
	return early(c->plan) ? 0 : load(c);
}
