/*
 * Hooks that run inside the container's namespaces: createContainer (before pivot_root, paths of
 * the runtime) and startContainer (after it, paths of the container). Each gets the state document
 * on stdin and a process group of its own, which is killed whole at its timeout.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "init/child.h"

static int write_whole(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A memfd holds the whole document, however slowly the hook reads it. */
static int state_stdin(const struct plan_hook_state *s)
{
	step_fd fd = memfd_create("state", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;

	char digits[12];
	size_t at = sizeof digits;
	for (unsigned pid = (unsigned)syscall(SYS_getpid); pid; pid /= 10)
		digits[--at] = (char)('0' + pid % 10);

	int r = write_whole(fd, s->before, __builtin_strlen(s->before));
	if (r == 0)
		r = write_whole(fd, digits + at, sizeof digits - at);
	if (r == 0)
		r = write_whole(fd, s->after, __builtin_strlen(s->after));
	if (r < 0)
		return r;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : take_fd(&fd);
}

_Noreturn static void become_hook(const struct plan_hook *h, int state, int first_private_fd)
{
	(void)setpgid(0, 0);
	if (dup3(state, 0, 0) == 0) {
		(void)close_range((unsigned)first_private_fd, ~0U, CLOSE_RANGE_CLOEXEC);
		(void)execve(h->path, h->argv, h->envp);
	}
	_exit(errno == ENOENT ? 127 : 126);
}

/* 0, -errno, or 1 with *ret_status = the wait status (-1: timed out) when the hook failed. */
static int run_hook(const struct plan_hook *h, const struct plan_hook_state *s, int *ret_status)
{
	step_fd state = state_stdin(s);
	if (state < 0)
		return state;

	step_fd pidfd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .pidfd = (uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become_hook(h, state, 3);
	(void)setpgid(pid, pid); /* whoever is first: the group exists before a kill */

	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	int ready;
	do
		ready = poll(&wait, 1, h->timeout_s ? h->timeout_s * 1000 : -1);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		(void)kill(-pid, SIGKILL);

	int status = 0;
	while (syscall(SYS_wait4, pid, &status, 0, NULL) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_status = ready <= 0 ? -1 : status;
	return *ret_status != 0;
}

static int run_hooks(struct child *c, const struct plan_hook *hooks, size_t count,
		     const struct plan_hook_state *state)
{
	for (size_t i = 0; i < count; i++) {
		int status = 0;
		int r = run_hook(&hooks[i], state, &status);
		if (r == 0)
			continue;
		c->report.status = status;
		return report_at(c, SYNC_DETAIL_HOOK, i, hooks[i].path, r < 0 ? r : -ECANCELED);
	}
	return 0;
}

int step_host_hooks(struct child *c)
{
	if (!c->plan->host_hooks)
		return 0;
	fresh_forget(c);
	int r = sync_say(c, SYNC_NEED_HOOKS, -1);
	return r < 0 ? r : sync_expect(c, SYNC_HOOKS_DONE);
}

int step_create_hooks(struct child *c)
{
	if (c->plan->create_hooks_count)
		fresh_forget(c);
	return run_hooks(c, c->plan->create_hooks, c->plan->create_hooks_count,
			 &c->plan->create_state);
}

int step_start_hooks(struct child *c)
{
	return run_hooks(c, c->plan->start_hooks, c->plan->start_hooks_count,
			 &c->plan->start_state);
}
