/*
 * Running docker-credential-NAME, found in PATH: a verb as its argument, the registry (or a JSON
 * object, to store) on standard input, the answer on standard output. Secrets never stand in an
 * argument. The helper gets our environment, for it may need a session bus or a home.
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
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "image/authfile.h"

#define ANSWER_MAX ((size_t)64 << 10)
#define PATIENCE_S 60

extern char **environ;

/* In PATH, as execvp(3) looks for it. */
static int find_program(const char *name, char *buf, size_t size)
{
	const char *path = getenv("PATH");

	for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
		size_t n = strcspn(p, ":");
		if (n > 0 && *p == '/' &&
		    (size_t)snprintf(buf, size, "%.*s/%s", (int)n, p, name) < size &&
		    access(buf, X_OK) == 0)
			return 0;
		p += n + (p[n] == ':');
	}
	return ENOENT;
}

/* By way of a shell, which sets the umask: ours is 0, and what a helper writes are secrets. */
static int start(const char *program, const char *verb, int in, int out, pid_t *ret)
{
	char *const argv[] = { (char *)(uintptr_t) "sh",
			       (char *)(uintptr_t) "-c",
			       (char *)(uintptr_t) "umask 077; exec \"$0\" \"$1\"",
			       (char *)(uintptr_t)program,
			       (char *)(uintptr_t)verb,
			       NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all;

	int e = posix_spawn_file_actions_init(&actions);
	if (e)
		return e;
	e = posix_spawnattr_init(&attr);
	if (e == 0) {
		(void)sigfillset(&all);
		(void)posix_spawnattr_setsigdefault(&attr, &all);
		(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
		e = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
		if (e == 0)
			e = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
		if (e == 0)
			e = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
							     O_WRONLY, 0);
		if (e == 0)
			e = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
		if (e == 0)
			e = posix_spawn(ret, "/bin/sh", &actions, &attr, argv, environ);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return e;
}

/* Reads to the end; the process is killed when it is not quick enough or says too much. */
static int read_answer(int fd, pid_t pid, char *buf, size_t *ret_size)
{
	time_t end = time(NULL) + PATIENCE_S;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (*ret_size = 0; *ret_size < ANSWER_MAX;) {
		time_t now = time(NULL);
		int r = now < end ? poll(&p, 1, (int)(end - now) * 1000) : 0;
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		ssize_t n = read(fd, buf + *ret_size, ANSWER_MAX - *ret_size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		*ret_size += (size_t)n;
	}
	(void)kill(pid, SIGKILL);
	return -ETIMEDOUT;
}

static int judge(const char *program, int status, const char *text, struct csn_error *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (strstr(text, "credentials not found"))
		return fail(err, ENOENT, "%s: has none", program);
	return fail(err, EIO, "%s: failed: %.*s", program, (int)strcspn(text, "\r\n"), text);
}

static bool name_is_plain(const char *name)
{
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-_.") == strlen(name);
}

int helper_run(const char *name, const char *verb, const char *input, char **ret,
	       struct csn_error *err)
{
	char program[256], path[4200];
	int in[2], out[2], status;
	pid_t pid;
	size_t size;

	if (!name_is_plain(name) ||
	    (size_t)snprintf(program, sizeof program, "docker-credential-%s", name) >=
		    sizeof program)
		return fail(err, EINVAL, "credential helper '%.100s': no such name is allowed",
			    name);
	auto_mem char *buf = calloc(1, ANSWER_MAX + 1);
	if (!buf)
		return fail(err, ENOMEM, "out of memory");
	if (pipe2(in, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe");
	auto_fd in_read = in[0];
	auto_fd in_write = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe");
	auto_fd out_read = out[0];
	auto_fd out_write = out[1];

	int e = find_program(program, path, sizeof path);
	if (e == 0)
		e = start(path, verb, in_read, out_write, &pid);
	if (e)
		return fail(err, e == ENOENT ? ENOEXEC : e, "start %s: %s", program, strerror(e));
	close_fd(&out_write);
	close_fd(&in_read);
	(void)write_all(in_write, input, strlen(input));
	close_fd(&in_write);
	int r = read_answer(out_read, pid, buf, &size);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(err, "wait for %s", program);
	if (r < 0)
		return fail(err, -r, "%s: did not answer in %d seconds", program, PATIENCE_S);
	TRY(judge(program, status, buf, err));
	*ret = take_ptr(buf);
	return 0;
}
