/*
 * One more process in a container, for a caller that is a library: its output goes out as frames of
 * the attach protocol and its input comes in as such (monitor.h). Nothing of it is recorded, and it
 * lives as long as the connection: when that ends, it is killed.
 *
 * Unlike the supervisor this waits for its one client: a reader that is slow slows the process down
 * and nothing grows.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sys.h"
#include "host/host.h"
#include "monitor/attach.h"
#include "monitor/stdio.h"
#include "monitor/supervise.h"
#include "spec/spec.h"

#define PROCESS_MAX (4 << 20)

enum { OUT, ERR, TTY, ENDED, INPUT_ROOM, CLIENT, POLLED };

struct execution {
	struct host_process process;
	struct stdio stdio;
	struct attach attach;
	bool ended;
	char chunk[32 * 1024];
};

/* One for the process, as in the supervisor: untouched pages cost nothing. */
static struct execution the_execution;

/* ---- start ----------------------------------------------------------------------------------- */

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

static int start(struct execution *x, const char *state, const char *id, int process_fd,
		 bool has_input, struct csn_error *err)
{
	struct host_context ctx = { .root = state };
	struct spec *spec AUTO(free_spec)
	= NULL;
	auto_mem char *text = NULL;
	char path[32];
	size_t size;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", process_fd);
	TRY(file_read(AT_FDCWD, path, PROCESS_MAX, &text, &size, err));
	TRY(spec_parse_process(text, size, "process", &spec, err));
	if (!spec->process.terminal)
		TRY(stdio_make(&x->stdio, has_input, err));
	const struct host_exec req = { .id = id, .process = &spec->process };
	if (stdio_lend(&x->stdio) < 0)
		return fail_errno(err, "standard streams");
	int r = host_exec(&ctx, &req, &x->process, err);
	if (stdio_null() < 0 && r == 0)
		r = fail_errno(err, "standard streams");
	for (int fd = 0; fd < 3; fd++)
		close_fd(&x->stdio.theirs[fd]);
	if (r == 0 && x->process.tty_master >= 0)
		(void)fcntl(x->process.tty_master, F_SETFL, O_NONBLOCK);
	return r;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static const struct client *client_of(const struct execution *x)
{
	return &x->attach.clients[0];
}

/* False at the end of the stream. */
static bool pump(struct execution *x, int fd, enum attach_type type)
{
	ssize_t n = read(fd, x->chunk, sizeof x->chunk);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n > 0)
		attach_send(&x->attach, type, x->chunk, (size_t)n);
	return n > 0;
}

static void pump_all(struct execution *x, const struct pollfd *p)
{
	static const enum attach_type types[] = { ATTACH_STDOUT, ATTACH_STDERR };
	for (int i = OUT; i <= ERR; i++)
		if (p[i].fd >= 0 && p[i].revents && !attach_blocked(&x->attach) &&
		    !pump(x, p[i].fd, types[i]))
			close_fd(&x->stdio.ours[i + 1]);
	/* The master stays open: it is where input goes, too. */
	if (p[TTY].fd >= 0 && p[TTY].revents && !pump(x, p[TTY].fd, ATTACH_STDOUT))
		x->process.tty_master = -1;
}

static void serve_client(struct execution *x, const struct pollfd *p)
{
	struct client *c = &x->attach.clients[0];
	if (c->fd < 0 || !p->revents)
		return;
	if (p->revents & POLLOUT)
		attach_flush(&x->attach, c);
	/* Input that the process does not take is not waited for when nobody is there any more. */
	if (c->fd >= 0 && (p->revents & POLLHUP) && x->attach.waiting_size)
		attach_drop(c);
	if (c->fd >= 0 && (p->revents & (POLLIN | POLLHUP | POLLERR)) && !x->attach.waiting_size)
		attach_read(&x->attach, c);
}

/* False: nothing came in time. */
static bool step(struct execution *x, int timeout_ms)
{
	const struct client *c = client_of(x);
	bool blocked = attach_blocked(&x->attach), owes_input = x->attach.waiting_size > 0;
	struct pollfd p[POLLED] = {
		[OUT] = { blocked ? -1 : x->stdio.ours[1], POLLIN, 0 },
		[ERR] = { blocked ? -1 : x->stdio.ours[2], POLLIN, 0 },
		[TTY] = { blocked ? -1 : x->process.tty_master, POLLIN, 0 },
		[ENDED] = { x->ended ? -1 : x->process.pidfd, POLLIN, 0 },
		[INPUT_ROOM] = { owes_input ? x->attach.stdin_fd : -1, POLLOUT, 0 },
		[CLIENT] = { c->fd, (short)((blocked ? POLLOUT : 0) | (owes_input ? 0 : POLLIN)),
			     0 },
	};
	int n = poll(p, POLLED, timeout_ms);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	pump_all(x, p);
	x->ended |= p[ENDED].revents != 0;
	if (p[INPUT_ROOM].revents)
		(void)attach_feed(&x->attach);
	serve_client(x, &p[CLIENT]);
	return true;
}

static bool has_output(const struct execution *x)
{
	return x->stdio.ours[1] >= 0 || x->stdio.ours[2] >= 0 || x->process.tty_master >= 0;
}

/* What the process wrote is in the pipes when it has ended; who else holds them is not waited
 * for. */
static void follow(struct execution *x)
{
	while (!x->ended && client_of(x)->fd >= 0)
		(void)step(x, -1);
	if (!x->ended)
		(void)sys_pidfd_send_signal(x->process.pidfd, SIGKILL, NULL, 0);
	while (client_of(x)->fd >= 0 && has_output(x) &&
	       step(x, attach_blocked(&x->attach) ? -1 : 0))
		;
}

/* The last frame, for as long as the client is there to take it. */
static void say_exit(struct execution *x, uint32_t status)
{
	while (client_of(x)->fd >= 0 && attach_blocked(&x->attach))
		(void)step(x, -1);
	attach_send(&x->attach, ATTACH_EXIT, (const char *)&status, sizeof status);
	while (client_of(x)->fd >= 0 && attach_blocked(&x->attach))
		(void)step(x, -1);
}

int monitor_exec(const struct exec_request *req)
{
	struct execution *x = &the_execution;
	struct csn_error err;
	int status = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	x->process = (struct host_process)HOST_PROCESS_INIT;
	x->stdio = (struct stdio)STDIO_INIT;
	int r = start(x, req->state, req->id, req->process_fd, req->has_input, &err);
	say_status(req->status_fd, r < 0 ? 0 : x->process.pid, r < 0 ? &err : NULL);
	if (r < 0)
		return 1;
	attach_init(&x->attach,
		    x->process.tty_master >= 0 ? x->process.tty_master : x->stdio.ours[0],
		    x->process.tty_master >= 0);
	(void)attach_add(&x->attach, req->attach_fd, true);
	follow(x);
	if (host_wait(&x->process, &status, NULL) == 0)
		say_exit(x, (uint32_t)status);
	return 0;
}
