/*
 * A health check that is a command: run as the container's own process would be, in its cgroup and
 * namespaces, with its user, environment, working directory and rights. When it takes too long, it
 * and all that it has started and that has not left its session is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/sys.h"
#include "host/host.h"
#include "monitor/probe.h"
#include "monitor/stdio.h"
#include "spec/spec.h"

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

/* The container's own process with other arguments. */
static int read_process(const struct probe *p, struct spec **ret, struct csn_error *err)
{
	TRY(spec_read_bundle(p->s->fds[FD_CONTAINER], p->s->id, ret, err));
	struct spec_process *process = &(*ret)->process;
	size_t count = 0;
	while (p->check->command[count])
		count++;
	process->args.items = (char **)(uintptr_t)p->check->command;
	process->args.count = count;
	process->terminal = process->has_console_size = false;
	return 0;
}

static int start(const struct probe *p, int output, struct host_process *ret, struct csn_error *err)
{
	struct spec *spec AUTO(free_spec)
	= NULL;
	char state[4096];
	TRY(read_process(p, &spec, err));
	(void)snprintf(state, sizeof state, "%s/state", p->s->run_root);
	const struct host_context ctx = { .root = state };
	const struct host_exec req = { .id = p->s->id, .process = &spec->process };
	if (dup2(output, 1) < 0 || dup2(output, 2) < 0)
		return fail_errno(err, "standard streams");
	int r = host_exec(&ctx, &req, ret, err);
	(void)stdio_null();
	return r;
}

/* All that is in the pipe now. False: nobody holds its other end any more. */
static bool take_output(struct probe *p, int fd)
{
	char bytes[4096];
	ssize_t n;
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		probe_add(p, bytes, (size_t)n);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Until the process has ended, whoever still holds its output. False: it took too long. */
static bool follow(struct probe *p, int *output, int pidfd)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
					{ .fd = *output, .events = POLLIN } };
		int n = poll(fds, 2, probe_left(p));
		if (n == 0)
			return false;
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0 && fds[1].revents && !take_output(p, *output))
			close_fd(output);
		if (n > 0 && fds[0].revents)
			break;
	}
	if (*output >= 0)
		(void)take_output(p, *output);
	return true;
}

int probe_command(struct probe *p)
{
	struct host_process process = HOST_PROCESS_INIT;
	struct csn_error err;
	int pair[2], status = 0;
	if (pipe2(pair, O_CLOEXEC) < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0) {
		probe_say(p, "pipe: %s", strerror(errno));
		return -1;
	}
	auto_fd output = pair[0];
	auto_fd theirs = pair[1];
	int r = start(p, theirs, &process, &err);
	close_fd(&theirs);
	if (r < 0) {
		probe_say(p, "%s", err.text);
		return -1;
	}
	bool in_time = follow(p, &output, process.pidfd);
	if (!in_time) {
		/* It is the leader of a session, so this is its group. */
		(void)kill(-process.pid, SIGKILL);
		(void)sys_pidfd_send_signal(process.pidfd, SIGKILL, NULL, 0);
	}
	r = host_wait(&process, &status, &err);
	close_fd(&process.pidfd);
	if (!in_time)
		return probe_is_late(p);
	if (r < 0)
		probe_say(p, "%s", err.text);
	return r < 0 ? -1 : status;
}
