/*
 * The end of the child: find the program, say "ready", wait to be started, become it.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "init/child.h"

/* 0 when path is a file that we may execute. */
static int runnable(const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static bool has_slash(const char *s)
{
	while (*s && *s != '/')
		s++;
	return *s;
}

/* execvp's search: a directory that may not be searched, or a file that may not be run, is passed
 * over but remembered. */
static int search(struct child *c, const char *name)
{
	size_t name_len = __builtin_strlen(name);
	int found = -ENOENT;

	for (const char *dir = c->plan->search_path; dir;) {
		size_t n = 0;
		while (dir[n] && dir[n] != ':')
			n++;
		if (n + name_len + 3 <= sizeof c->program) {
			size_t at = 0;
			if (n == 0)
				c->program[at++] = '.';
			__builtin_memcpy(c->program + at, dir, n);
			at += n;
			c->program[at++] = '/';
			__builtin_memcpy(c->program + at, name, name_len + 1);
			int r = runnable(c->program);
			if (r == 0)
				return 0;
			if (r == -EACCES)
				found = r;
		}
		dir = dir[n] == ':' ? dir + n + 1 : NULL;
	}
	return found;
}

/* Nobody waits between here and execve and no hook runs: its own refusal comes soon enough. */
static bool execve_tells(const struct plan *p)
{
	return p->gate_fd < 0 && !p->start_hooks_count;
}

int step_find_program(struct child *c)
{
	if (!c->plan->argv)
		return 0;
	const char *name = c->plan->argv[0];
	size_t len = __builtin_strlen(name);
	int r;

	if (len == 0) {
		r = -ENOENT;
	} else if (has_slash(name)) {
		r = len < sizeof c->program ? 0 : -ENAMETOOLONG;
		if (r == 0 && !execve_tells(c->plan))
			r = runnable(name);
		if (r == 0)
			__builtin_memcpy(c->program, name, len + 1);
	} else {
		r = search(c, name);
	}
	return r < 0 ? report_at(c, SYNC_DETAIL_PROGRAM, 0, name, r) : 0;
}

/* Without a gate the same host starts us: what still fails is reported after START. With one, all
 * that can fail must have been tried before create returns. */
int step_ready_early(struct child *c)
{
	return c->plan->gate_fd < 0 ? sync_say(c, SYNC_READY, -1) : 0;
}

/* The host has heard READY: all mounts are in place. */
int step_done(struct child *c)
{
	(void)c;
	_exit(0);
}

int step_ready(struct child *c)
{
	return c->plan->gate_fd < 0 ? 0 : sync_say(c, SYNC_READY, -1);
}

/* A created container may wait for days: it holds nothing of the host meanwhile. */
static int let_go(const struct plan *p)
{
	unsigned first = (unsigned)p->keep_fds, gate = (unsigned)p->gate_fd;
	if (gate > first && close_range(first, gate - 1, 0) < 0)
		return -errno;
	return close_range(gate > first ? gate + 1 : first, ~0U, 0) < 0 ? -errno : 0;
}

int step_gate(struct child *c)
{
	if (c->plan->gate_fd < 0)
		return sync_expect(c, SYNC_START);

	/* A runtime that dies before it has written us down takes us with it. */
	int r = sync_expect(c, SYNC_RECORDED);
	if (r == 0)
		r = let_go(c->plan);
	if (r < 0)
		return r;
	c->sync = -1;
	for (;;) {
		c->sync = accept4(c->plan->gate_fd, NULL, NULL, SOCK_CLOEXEC);
		if (c->sync < 0 && errno != EINTR && errno != ECONNABORTED)
			return -errno;
		if (c->sync >= 0 && sync_expect(c, SYNC_START) == 0)
			return 0;
		/* Whoever knocked went away before saying START: still created. */
		close_fd(&c->sync);
	}
}

int step_exec(struct child *c)
{
	const struct plan *p = c->plan;

	if (!p->argv)
		return report_at(c, SYNC_DETAIL_NO_PROGRAM, 0, NULL, -EINVAL);
	if (close_range((unsigned)p->keep_fds, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -errno;
	(void)execve(c->program, p->argv, p->envp);
	/* A directory is EACCES to execve: say it as the look-up would. */
	int error = -errno, seen = error == -EACCES ? runnable(c->program) : 0;
	return report_at(c, SYNC_DETAIL_PROGRAM, 0, p->argv[0], seen == -EISDIR ? seen : error);
}
