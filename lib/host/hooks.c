/*
 * Hooks in the runtime's namespaces. Each is a process of its own group with the state document on
 * stdin and exactly its own environment; what it says is kept (a little of it) for the error text.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/names.h"
#include "base/sys.h"
#include "host/launch.h"
#include "host/plan_build.h"

enum { OUTPUT_MAX = 256 };

struct running_hook {
	const struct spec_hook *hook;
	const char *bundle;
	int state;  /* its stdin */
	int output; /* our end of its stdout and stderr */
	pid_t pid;
	int pidfd;
	char text[OUTPUT_MAX + 1];
	size_t text_size;
};

static int state_stdin(const char *state, struct csn_error *err)
{
	auto_fd fd = memfd_create("state", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "memfd_create");
	int r = write_all(fd, state, strlen(state));
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return fail(err, EIO, "write the state for a hook");
	return take_fd(&fd);
}

/* After a plain fork of a single-threaded process. */
_Noreturn static void become_hook(const struct running_hook *h, int output)
{
	static char *const no_env[] = { NULL };
	char *argv[2] = { h->hook->path, NULL };
	char *const *args = h->hook->args.count ? h->hook->args.items : argv;
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setpgid(0, 0);
	if (chdir(h->bundle) == 0 && dup2(h->state, 0) == 0 && dup2(output, 1) == 1 &&
	    dup2(output, 2) == 2 && close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		(void)execve(h->hook->path, args, h->hook->env.set ? h->hook->env.items : no_env);
	dprintf(2, "%s", strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int spawn(struct running_hook *h, struct csn_error *err)
{
	int pair[2];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe2");
	auto_fd output = pair[1];
	h->output = pair[0];

	struct clone_args args = { .flags = CLONE_PIDFD,
				   .pidfd = (uintptr_t)&h->pidfd,
				   .exit_signal = SIGCHLD };
	h->pid = sys_clone3(&args);
	if (h->pid < 0)
		return fail_errno(err, "clone3");
	if (h->pid == 0)
		become_hook(h, output);
	(void)setpgid(h->pid, h->pid);
	return 0;
}

static long now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads what there is; keeps the beginning, throws the rest away. False at the end. */
static bool drain(struct running_hook *h)
{
	char buf[4096];
	ssize_t n = read(h->output, buf, sizeof buf);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	size_t room = OUTPUT_MAX - h->text_size;
	size_t kept = (size_t)n < room ? (size_t)n : room;
	memcpy(h->text + h->text_size, buf, kept);
	h->text_size += kept;
	h->text[h->text_size] = '\0';
	return true;
}

/* Until the process ends; a grandchild may hold its output open for ever. -1: timed out. */
static int await(struct running_hook *h)
{
	long end = h->hook->timeout.set ? now_ms() + h->hook->timeout.value * 1000 : 0;
	struct pollfd fds[] = { { .fd = h->pidfd, .events = POLLIN },
				{ .fd = h->output, .events = POLLIN } };
	for (;;) {
		long left = end ? end - now_ms() : -1;
		if (end && left <= 0)
			break;
		if (poll(fds, COUNT(fds), (int)left) < 0 && errno != EINTR)
			break;
		if (fds[1].revents && !drain(h))
			fds[1].fd = -1;
		if (fds[0].revents) {
			while (fds[1].fd >= 0 && poll(&fds[1], 1, 0) > 0 && drain(h))
				;
			return 0;
		}
	}
	(void)kill(-h->pid, SIGKILL);
	return -1;
}

/* An error is one line, whatever the hook printed. */
static void one_line(struct running_hook *h)
{
	for (size_t i = 0; i < h->text_size; i++)
		if ((unsigned char)h->text[i] < ' ' || h->text[i] == 0x7f)
			h->text[i] = ' ';
	while (h->text_size && h->text[h->text_size - 1] == ' ')
		h->text[--h->text_size] = '\0';
}

static int run_one(struct running_hook *h, struct csn_error *err)
{
	TRY(spawn(h, err));
	bool timed_out = await(h) < 0;
	int status = 0;
	while (waitpid(h->pid, &status, 0) < 0 && errno == EINTR)
		;
	one_line(h);

	const char *colon = h->text_size ? ": " : "";
	if (timed_out)
		return fail(err, ETIMEDOUT, "timed out after %lld s%s%s",
			    (long long)h->hook->timeout.value, colon, h->text);
	if (WIFSIGNALED(status))
		return fail(err, ECANCELED, "killed by %s%s%s", signal_name(WTERMSIG(status)),
			    colon, h->text);
	if (WEXITSTATUS(status))
		return fail(err, ECANCELED, "exit status %d%s%s", WEXITSTATUS(status), colon,
			    h->text);
	return 0;
}

int hooks_run(const struct host_context *ctx, enum spec_hook_kind kind,
	      const struct spec_hooks *hooks, const char *bundle, const char *state,
	      bool keep_going, struct csn_error *err)
{
	for (size_t i = 0; i < hooks->count; i++) {
		auto_fd stdin_fd = state_stdin(state, err);
		TRY(stdin_fd);
		struct running_hook h = { .hook = &hooks->items[i],
					  .bundle = bundle,
					  .state = stdin_fd,
					  .output = -1,
					  .pidfd = -1 };
		struct csn_error why = { 0 };
		int r = run_one(&h, &why);
		close_fd(&h.output);
		close_fd(&h.pidfd);
		if (r == 0)
			continue;
		if (!keep_going)
			return fail(err, why.code, "hooks.%s[%zu]: \"%s\": %s",
				    spec_hook_name(kind), i, h.hook->path, why.text);
		host_warn(ctx, "hooks.%s[%zu]: \"%s\": %s", spec_hook_name(kind), i, h.hook->path,
			  why.text);
	}
	return 0;
}
