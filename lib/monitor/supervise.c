/*
 * Supervising: a grid of states × events. An empty cell means that the event cannot matter then.
 *
 *	RUNNING   init lives: output is read, clients come and go
 *	DRAINING  init has ended: what is left in the pipes is read, nothing is waited for
 *
 * The loop polls at most a dozen fds and allocates nothing; an idle monitor touches a few pages.
 */
#include "monitor/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "host/host.h"
#include "monitor/attach.h"
#include "monitor/logs.h"

enum { WARM_MS = 1000 };
enum state { RUNNING, DRAINING, STATES };
enum event {
	STDOUT_READY,
	STDERR_READY,
	TTY_READY,
	INIT_ENDED,
	CLIENT_COMES,
	STDIN_ROOM,
	OOM_NEWS,
	FROZEN_NEWS,
	HEALTH_ENDED,
	EVENTS
};

struct monitor {
	struct supervision *s;
	enum state state;
	struct attach attach;
	struct log_file log;
	struct log_stream out, err;
	uint64_t oom_told;		       /* kills of the OOM killer that are in the journal */
	bool paused;			       /* told so */
	_Alignas(4096) char chunk[128 * 1024]; /* one read of output */
};

/* One for the process: on no stack, and untouched until something happens. */
static struct monitor the_monitor;

/* One read of fd: to the log and to the clients. False at the end of the stream. */
static bool pump(struct monitor *m, int fd, struct log_stream *stream, enum attach_type type)
{
	ssize_t n = read(fd, m->chunk, sizeof m->chunk);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	log_append(&m->log, stream, m->chunk, (size_t)n);
	attach_send(&m->attach, type, m->chunk, (size_t)n);
	return true;
}

static void on_stdout(struct monitor *m)
{
	if (!pump(m, m->s->fds[FD_STDOUT], &m->out, ATTACH_STDOUT))
		close_fd(&m->s->fds[FD_STDOUT]);
}

static void on_stderr(struct monitor *m)
{
	if (!pump(m, m->s->fds[FD_STDERR], &m->err, ATTACH_STDERR))
		close_fd(&m->s->fds[FD_STDERR]);
}

/* A pty reads EIO when its last slave is closed; another may be opened until init ends. */
static void on_tty(struct monitor *m)
{
	if (!pump(m, m->s->fds[FD_TTY], &m->out, ATTACH_STDOUT))
		m->s->fds[FD_TTY] = -1;
}

static void on_init_end(struct monitor *m)
{
	m->state = DRAINING;
}

static void on_client(struct monitor *m)
{
	int fd = accept4(m->s->fds[FD_LISTEN], NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		(void)attach_add(&m->attach, fd, false);
}

static void on_stdin_room(struct monitor *m)
{
	(void)attach_feed(&m->attach);
}

/* Also woken when the group only came near its limit. */
static void on_oom_news(struct monitor *m)
{
	uint64_t kills = 0;
	if (!supervision_oom_kills(m->s, &kills))
		close_fd(&m->s->fds[FD_OOM]); /* it would wake us for ever */
	else if (kills > m->oom_told)
		supervision_tell(m->s, "oom", NULL, m->oom_told = kills);
}

/* Whoever froze or thawed it. What is killed while it is frozen leaves that state to die, which is
 * no unpausing: the group is still asked to be frozen then. */
static void on_frozen_news(struct monitor *m)
{
	const struct cgroup cg = { .dir = m->s->fds[FD_CGROUP],
				   .path = (char *)(uintptr_t)m->s->cgroup };
	char text[256];
	uint64_t asked = 0;
	ssize_t n = pread(m->s->fds[FD_FROZEN], text, sizeof text - 1, 0);
	if (n < 0) {
		close_fd(&m->s->fds[FD_FROZEN]);
		return;
	}
	text[n] = '\0';
	bool frozen = strstr(text, "frozen 1");
	if (frozen == m->paused || strstr(text, "populated 0") ||
	    (!frozen && cgroup_read_u64(&cg, "cgroup.freeze", &asked, NULL) == 0 && asked))
		return;
	m->paused = frozen;
	supervision_tell(m->s, frozen ? "pause" : "unpause", NULL, 0);
}

static void on_health_end(struct monitor *m)
{
	health_reap(m->s);
}

typedef void handler(struct monitor *m);
static handler *const grid[STATES][EVENTS] = {
	[RUNNING] = { [STDOUT_READY] = on_stdout,
		      [STDERR_READY] = on_stderr,
		      [TTY_READY] = on_tty,
		      [INIT_ENDED] = on_init_end,
		      [CLIENT_COMES] = on_client,
		      [STDIN_ROOM] = on_stdin_room,
		      [OOM_NEWS] = on_oom_news,
		      [FROZEN_NEWS] = on_frozen_news,
		      [HEALTH_ENDED] = on_health_end },
	[DRAINING] = { [STDOUT_READY] = on_stdout,
		       [STDERR_READY] = on_stderr,
		       [TTY_READY] = on_tty },
};

/* Which fd stands for an event now; -1 when it is not to be waited for. */
static int fd_of(const struct monitor *m, enum event e)
{
	bool blocked = attach_blocked(&m->attach);
	switch (e) {
	case STDOUT_READY:
		return blocked ? -1 : m->s->fds[FD_STDOUT];
	case STDERR_READY:
		return blocked ? -1 : m->s->fds[FD_STDERR];
	case TTY_READY:
		return blocked ? -1 : m->s->fds[FD_TTY];
	case INIT_ENDED:
		return m->s->fds[FD_INIT];
	case CLIENT_COMES:
		return m->s->fds[FD_LISTEN];
	case STDIN_ROOM:
		return m->attach.waiting_size ? m->attach.stdin_fd : -1;
	case OOM_NEWS:
		return m->s->fds[FD_OOM];
	case FROZEN_NEWS:
		return m->s->fds[FD_FROZEN];
	case HEALTH_ENDED:
		return m->s->fds[FD_HEALTH];
	case EVENTS:
		break;
	}
	return -1;
}

static void serve_clients(struct monitor *m, const struct pollfd *fds)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &m->attach.clients[i];
		if (c->fd < 0 || fds[i].fd != c->fd || !fds[i].revents)
			continue;
		if (fds[i].revents & POLLOUT)
			attach_flush(&m->attach, c);
		if (c->fd >= 0 && (fds[i].revents & (POLLIN | POLLHUP | POLLERR)) &&
		    !m->attach.waiting_size)
			attach_read(&m->attach, c);
	}
}

/* Waits for events that have a cell in this state and handles them. False: nothing came in time. */
static bool step(struct monitor *m, int timeout_ms)
{
	struct pollfd fds[EVENTS + CLIENTS_MAX];
	bool draining = m->state == DRAINING;

	for (int e = 0; e < EVENTS; e++) {
		fds[e].fd = grid[m->state][e] ? fd_of(m, (enum event)e) : -1;
		fds[e].events = e == STDIN_ROOM			    ? POLLOUT
				: e == OOM_NEWS || e == FROZEN_NEWS ? POLLPRI
								    : POLLIN;
	}
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		const struct client *c = &m->attach.clients[i];
		bool owed = c->pending_head_size + c->pending_size;
		fds[EVENTS + i].events =
			(owed ? POLLOUT : 0) | (m->attach.waiting_size || draining ? 0 : POLLIN);
		/* Of one that nothing is wanted from, a hang-up would wake us again and again. */
		fds[EVENTS + i].fd = fds[EVENTS + i].events ? c->fd : -1;
	}
	int n = poll(fds, COUNT(fds), timeout_ms);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	for (int e = 0; e < EVENTS; e++)
		if (fds[e].fd >= 0 && fds[e].revents && grid[m->state][e])
			grid[m->state][e](m);
	serve_clients(m, fds + EVENTS);
	return true;
}

static bool has_output(const struct monitor *m)
{
	return m->s->fds[FD_STDOUT] >= 0 || m->s->fds[FD_STDERR] >= 0 || m->s->fds[FD_TTY] >= 0;
}

/* What init and its children wrote is in the pipes already. A process that outlives init (no pid
 * namespace) may hold them open for ever: it is not waited for. The starter gets a while to take
 * what is owed to it. */
static void drain(struct monitor *m)
{
	enum { SLOW_STARTER_MS = 30 * 1000 };
	while (has_output(m) && step(m, attach_blocked(&m->attach) ? SLOW_STARTER_MS : 0))
		;
}

/* What the end was, for good: to the record first, then to whoever listens. */
static bool tell_end(struct monitor *m, const struct exit_record *end)
{
	bool recorded = exit_record_write(m->s->fds[FD_CONTAINER], end, NULL) == 0;
	if (end->oom_kills > m->oom_told)
		supervision_tell(m->s, "oom", NULL, end->oom_kills);
	supervision_tell(m->s, "die", end, 0);
	attach_end(&m->attach, (uint32_t)end->exit_code);
	return recorded;
}

static void clean_up(const struct supervision *s)
{
	char path[4096];
	struct host_context ctx = { .root = path };
	auto_fd root = open(s->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)snprintf(path, sizeof path, "%s/state", s->run_root);
	(void)host_delete(&ctx, s->id, true, NULL);
	network_leave(s);
	if (s->auto_remove && root >= 0 && auto_remove(root, s->fds[FD_CONTAINER], s->id))
		supervision_tell(s, "remove", NULL, 0);
}

/* Nothing came for a while: the memory that output took is given back. */
static void cool(struct monitor *m)
{
	log_cool(&m->log);
	if (!attach_blocked(&m->attach))
		(void)madvise(m->chunk, sizeof m->chunk, MADV_DONTNEED);
}

int monitor_supervise(struct supervision *s)
{
	struct monitor *m = &the_monitor;
	struct exit_record end;

	m->s = s;
	m->log = (struct log_file){ .fd = s->fds[FD_LOG],
				    .dir = s->fds[FD_CONTAINER],
				    .max_size = s->log_max_size,
				    .max_files = s->log_max_files,
				    .run_root = s->run_root,
				    .id = s->id };
	log_begin(&m->log);
	m->out.name = "stdout";
	m->err.name = "stderr";
	attach_init(&m->attach, s->fds[FD_STDIN], s->fds[FD_TTY] >= 0);
	if (s->fds[FD_STARTER] >= 0)
		(void)attach_add(&m->attach, take_fd(&s->fds[FD_STARTER]), true);

	on_frozen_news(m); /* what is to wake us must have been read */
	while (m->state == RUNNING)
		if (!step(m, m->log.warm ? WARM_MS : -1))
			cool(m);
	drain(m);
	log_end(&m->log);
	reap(s, &end);
	health_end(s);
	struct rest rest = { s->root,
			     s->run_root,
			     s->id,
			     s->restarter,
			     s->fds[FD_CONTAINER],
			     s->fds[FD_PID_FILE],
			     rest_plan(s->fds[FD_CONTAINER], s->restarter, &end) };
	bool again = tell_end(m, &end) && rest.delay_ms >= 0;
	clean_up(s);
	if (again)
		return rest_exec(&rest);
	rest_end(s->run_root, s->id);
	return 0;
}
