/*
 * Starting our programs. The caller may have threads, so nothing here forks: posix_spawn(3) with
 * every descriptor, signal and the working directory said explicitly. What the caller has open,
 * blocked or ignored does not reach the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/path.h"
#include "base/sys.h"
#include "runtime/runtime.h"

#define END_TIMEOUT_MS	 2000 /* for programs whose work is done */
#define EXTRA_MAX	 4
#define CLEAR_OF_TARGETS 16 /* sources of dup2 are moved above every target */

/* In an uninstalled build tree the program's file is bin/csn, bin/.libs/csn or bin/.libs/lt-csn,
 * and our programs are in bin/. */
static char *build_tree(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return NULL;
	self[n] = '\0';
	for (int level = 0; level < 2; level++) {
		char *slash = strrchr(self, '/');
		if (!slash || slash == self)
			return NULL;
		*slash = '\0';
		auto_mem char *program = path_join(self, MONITOR_PROGRAM);
		if (program && access(program, X_OK) == 0)
			return strdup(self);
	}
	return NULL;
}

int programs_find(char **ret, struct csn_error *err)
{
	const char *given = secure_getenv("CAISSON_LIBEXEC");
	char *dir = given && *given ? strdup(given) : build_tree();
	if (!dir)
		dir = strdup(CSN_LIBEXECDIR);
	if (!dir)
		return fail(err, ENOMEM, "out of memory");
	*ret = dir;
	return 0;
}

/* A fixed environment, and what the sanitizers and the coverage counters of a test build read. */
char **programs_env(void)
{
	static const char path[] =
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static const char *const passed[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
					      "GCOV_PREFIX", "GCOV_PREFIX_STRIP" };
	size_t size = (COUNT(passed) + 2) * sizeof(char *) + sizeof path;
	for (size_t i = 0; i < COUNT(passed); i++) {
		const char *value = secure_getenv(passed[i]);
		size += value ? strlen(passed[i]) + strlen(value) + 2 : 0;
	}

	char **env = malloc(size);
	if (!env)
		return NULL;
	char *text = (char *)(env + COUNT(passed) + 2), *end = (char *)env + size;
	size_t count = 0;
	env[count++] = text;
	text = stpcpy(text, path) + 1;
	for (size_t i = 0; i < COUNT(passed); i++) {
		const char *value = secure_getenv(passed[i]);
		if (!value)
			continue;
		env[count++] = text;
		text += snprintf(text, (size_t)(end - text), "%s=%s", passed[i], value) + 1;
	}
	env[count] = NULL;
	return env;
}

static void close_all(int (*fds)[EXTRA_MAX + 2])
{
	for (size_t i = 0; i < COUNT(*fds); i++)
		close_fd(&(*fds)[i]);
}

/* Descriptors 0, 1, 2 and the extra ones; nothing else. Returns an errno value. */
static int add_descriptors(posix_spawn_file_actions_t *actions, const struct spawn *s,
			   int (*moved)[EXTRA_MAX + 2])
{
	int sources[EXTRA_MAX + 2] = { s->in_fd, s->out_fd };
	for (size_t i = 0; i < s->extra_count; i++)
		sources[i + 2] = s->extra[i];

	int e = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_RDWR, 0);
	for (size_t i = 0; e == 0 && i < s->extra_count + 2; i++) {
		int target = i < 2 ? (int)i : (int)i + 1;
		if (sources[i] < 0) {
			e = posix_spawn_file_actions_addopen(actions, target, "/dev/null", O_RDWR,
							     0);
			continue;
		}
		(*moved)[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, CLEAR_OF_TARGETS);
		e = (*moved)[i] < 0
			    ? errno
			    : posix_spawn_file_actions_adddup2(actions, (*moved)[i], target);
	}
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(actions, (int)s->extra_count + 3);
	if (e == 0)
		e = posix_spawn_file_actions_addchdir_np(actions, "/");
	return e;
}

static int set_attributes(posix_spawnattr_t *attr, const struct spawn *s)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	if (s->session)
		flags |= POSIX_SPAWN_SETSID;
	int e = posix_spawnattr_setsigmask(attr, &none);
	if (e == 0)
		e = posix_spawnattr_setsigdefault(attr, &all);
	return e ? e : posix_spawnattr_setflags(attr, flags);
}

int spawn_program(struct csn_runtime *rt, const struct spawn *s, pid_t *ret_pid,
		  struct csn_error *err)
{
	int moved[EXTRA_MAX + 2] AUTO(close_all)
	= { -1, -1, -1, -1, -1, -1 };
	auto_mem char *path = path_join(rt->programs, s->program);
	size_t count = 0;
	while (s->args[count])
		count++;
	auto_mem char **argv = calloc(count + 2, sizeof *argv);
	if (!path || !argv)
		return fail(err, ENOMEM, "out of memory");
	argv[0] = (char *)(uintptr_t)s->program;
	for (size_t i = 0; i < count; i++)
		argv[i + 1] = (char *)(uintptr_t)s->args[i];

	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int e = posix_spawn_file_actions_init(&actions);
	if (e)
		return fail(err, e, "start %s: %s", path, strerror(e));
	e = posix_spawnattr_init(&attr);
	if (e == 0) {
		pid_t pid = 0;
		e = add_descriptors(&actions, s, &moved);
		if (e == 0)
			e = set_attributes(&attr, s);
		if (e == 0)
			e = posix_spawn(&pid, path, &actions, &attr, argv,
					s->env ? s->env : rt->env);
		if (e == 0)
			*ret_pid = pid;
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return e ? fail(err, e, "start %s: %s", path, strerror(e)) : 0;
}

int spawn_reap(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

/* Gone, or never to be seen by us: the caller ignores SIGCHLD or reaps everything itself. */
static bool reaped(pid_t pid)
{
	pid_t r = waitpid(pid, NULL, WNOHANG);
	return r == pid || (r < 0 && errno == ECHILD);
}

void spawn_forget(struct csn_runtime *rt, pid_t pid)
{
	(void)pthread_mutex_lock(&rt->lock);
	size_t left = 0;
	for (size_t i = 0; i < rt->children_count; i++)
		if (!reaped(rt->children[i]))
			rt->children[left++] = rt->children[i];
	rt->children_count = left;
	if (!reaped(pid)) {
		pid_t *grown = realloc(rt->children, (left + 1) * sizeof *grown);
		if (grown) {
			rt->children = grown;
			rt->children[rt->children_count++] = pid;
		}
	}
	(void)pthread_mutex_unlock(&rt->lock);
}

void spawn_reap_all(struct csn_runtime *rt)
{
	int64_t deadline = deadline_in(END_TIMEOUT_MS);
	for (size_t i = 0; i < rt->children_count; i++) {
		auto_fd fd = sys_pidfd_open(rt->children[i], 0);
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (fd >= 0)
			(void)poll(&p, 1, deadline_left(deadline));
		(void)reaped(rt->children[i]);
	}
	rt->children_count = 0;
}
