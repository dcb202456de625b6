/*
 * The process that makes the health checks of a container: a child of its monitor, started with it
 * and gone with it. It sleeps between checks and has forgotten everything: each check is a child of
 * its own, which reads what to check and how it went so far, checks, and writes how it went. So it
 * stays as small as it was, whatever a check needs.
 *
 * A container that is paused is not checked, and not blamed for a check that it was paused in.
 */
#include "monitor/health.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/sys.h"
#include "cgroups/cgroups.h"
#include "monitor/probe.h"

#define SECOND INT64_C(1000000000)

enum { END_WAIT_MS = 2000, EARLY_NS = 50 * 1000 * 1000 };

static int64_t now_on(clockid_t clock)
{
	struct timespec t;
	(void)clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

/* ---- output of a check ------------------------------------------------------------------------
 */

int probe_left(const struct probe *p)
{
	int64_t ms = (p->deadline_ns - now_on(CLOCK_MONOTONIC) + 999999) / 1000000;
	return ms <= 0 ? 0 : ms > 1000000000 ? 1000000000 : (int)ms;
}

void probe_add(struct probe *p, const char *bytes, size_t size)
{
	size_t room = HEALTH_OUTPUT - (p->size < HEALTH_OUTPUT ? p->size : HEALTH_OUTPUT);
	size_t n = size < room ? size : room;
	for (size_t i = 0; i < n; i++)
		p->output[p->size + i] = bytes[i] ? bytes[i] : ' ';
	p->size += n;
	if (n < size && p->size == HEALTH_OUTPUT) { /* once: it is longer then */
		memcpy(p->output + p->size, "...", 3);
		p->size += 3;
	}
	p->output[p->size] = '\0';
}

void probe_say(struct probe *p, const char *fmt, ...)
{
	char text[600];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (n > 0)
		probe_add(p, text, strlen(text));
}

int probe_is_late(struct probe *p)
{
	struct probe was = *p;
	p->size = 0;
	p->output[0] = '\0';
	probe_say(p, "health check exceeded its timeout of %g s%s",
		  (double)p->check->timeout_ns / (double)SECOND, was.size ? ": " : "");
	probe_add(p, was.output, was.size);
	return -1;
}

/* ---- one check, in a process of its own -------------------------------------------------------
 */

/* From the child to the parent. */
struct told {
	int64_t delay_ns; /* until the next; negative: there is nothing to check */
};
static struct told *told;

static int open_run_dir(const struct supervision *s)
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/monitor/%s", s->run_root, s->id);
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_frozen(const struct supervision *s)
{
	const struct cgroup cg = { .dir = s->fds[FD_CGROUP], .path = (char *)(uintptr_t)s->cgroup };
	uint64_t asked = 0;
	return cg.dir >= 0 && cgroup_read_u64(&cg, "cgroup.freeze", &asked, NULL) == 0 && asked;
}

static bool has_ended(const struct supervision *s, int64_t wait_ns)
{
	const struct timespec t = { wait_ns / SECOND, wait_ns % SECOND };
	struct pollfd p = { .fd = s->fds[FD_INIT], .events = POLLIN };
	return ppoll(&p, 1, &t, NULL) != 0; /* a failure ends it, too: no spinning */
}

/* A record that cannot be read is begun anew. */
static void read_record(int dir, struct health_record *ret, struct arena *arena)
{
	if (dir < 0 || health_record_read(dir, ret, arena, NULL) < 0)
		*ret = (struct health_record){ .status = CSN_HEALTH_STARTING };
}

static void make_check(const struct supervision *s, const struct csn_healthcheck *check,
		       struct probe *p, struct health_result *ret)
{
	static int (*const kinds[])(struct probe *) = {
		[CSN_HEALTHCHECK_COMMAND] = probe_command,
		[CSN_HEALTHCHECK_TCP] = probe_tcp,
		[CSN_HEALTHCHECK_HTTP] = probe_http,
	};
	p->s = s;
	p->check = check;
	p->deadline_ns = now_on(CLOCK_MONOTONIC) + check->timeout_ns;
	ret->started_at_ns = now_on(CLOCK_REALTIME);
	ret->exit_code = kinds[check->kind](p);
	ret->ended_at_ns = now_on(CLOCK_REALTIME);
	ret->output = p->output;
}

static void tell_status(const struct supervision *s, enum csn_health_status status)
{
	supervision_tell(s,
			 status == CSN_HEALTH_HEALTHY ? "health_status: healthy"
						      : "health_status: unhealthy",
			 NULL, 0);
}

/* A failure that the container's end, or a pause, fell into says nothing. What could not be run or
 * was killed may have seen that end before we can. */
static bool is_disturbed(const struct supervision *s, const struct health_result *result)
{
	bool early = result->exit_code < 0 || result->exit_code == 128 + SIGKILL;
	return is_frozen(s) || has_ended(s, early ? EARLY_NS : 0);
}

/* first: nothing is checked yet, only when that is due is found out. */
static void check_once(const struct supervision *s, bool first)
{
	static struct probe p;
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_healthcheck check;
	struct health_record record;
	struct health_result result;
	auto_fd dir = open_run_dir(s);
	int64_t started = (int64_t)s->started.tv_sec * SECOND + s->started.tv_nsec;

	told->delay_ns = -1;
	if (healthcheck_read(s->fds[FD_CONTAINER], &check, &arena, NULL) < 0)
		return;
	read_record(dir, &record, &arena);
	if (!first) {
		make_check(s, &check, &p, &result);
		if (result.exit_code == 0 || !is_disturbed(s, &result)) {
			bool changed = health_judge(&record, &result, &check, started);
			if (dir >= 0)
				(void)health_record_write(dir, &record, NULL);
			if (changed)
				tell_status(s, record.status);
		}
	}
	told->delay_ns = health_delay(&record, &check, started, now_on(CLOCK_REALTIME));
}

/* ---- the process ------------------------------------------------------------------------------
 */

/* Sleeps while it is frozen. */
static void await_thaw(const struct supervision *s)
{
	char text[256];
	auto_fd fd = openat(s->fds[FD_CGROUP], "cgroup.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	for (;;) {
		struct pollfd p[] = { { .fd = s->fds[FD_INIT], .events = POLLIN },
				      { .fd = fd, .events = POLLPRI } };
		/* What is to wake us must have been read. */
		ssize_t n = pread(fd, text, sizeof text - 1, 0);
		if (n < 0 || !is_frozen(s) || poll(p, 2, -1) < 0 || p[0].revents)
			return;
	}
}

/* False: the container has ended. */
static bool run_child(const struct supervision *s, bool first)
{
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		check_once(s, first);
		_exit(0);
	}
	if (pid < 0)
		return true; /* later, perhaps */
	auto_fd child = sys_pidfd_open(pid, 0);
	struct pollfd p[] = { { .fd = s->fds[FD_INIT], .events = POLLIN },
			      { .fd = child, .events = POLLIN } };
	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	bool ended = p[0].revents != 0;
	if (ended)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return !ended;
}

int monitor_health(struct supervision *s)
{
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED || !run_child(s, true))
		return 1;
	while (told->delay_ns >= 0 && !has_ended(s, told->delay_ns)) {
		if (is_frozen(s))
			await_thaw(s);
		else if (!run_child(s, false))
			break;
	}
	return 0;
}

/* ---- the monitor's side -----------------------------------------------------------------------
 */

void health_start(struct supervision *s)
{
	struct supervision theirs = *s;
	auto_fd run = open_run_dir(s);
	if (run >= 0)
		(void)unlinkat(run, HEALTH_NAME, 0);
	if (faccessat(s->fds[FD_CONTAINER], HEALTHCHECK_NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	pid_t pid = fork();
	if (pid > 0)
		s->fds[FD_HEALTH] = sys_pidfd_open(pid, 0);
	if (pid != 0)
		return;
	/* Above all not the lock, which says that the monitor lives. */
	for (int i = 0; i < FD_COUNT; i++)
		if (i != FD_CONTAINER && i != FD_INIT && i != FD_CGROUP)
			theirs.fds[i] = -1;
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	supervision_exec(&theirs, "--health");
	_exit(1);
}

void health_reap(struct supervision *s)
{
	siginfo_t info;
	(void)waitid(P_PIDFD, (id_t)s->fds[FD_HEALTH], &info, WEXITED | WNOHANG);
	close_fd(&s->fds[FD_HEALTH]);
}

/* It ends by itself with the container. What it wrote last stays with that. */
void health_end(struct supervision *s)
{
	struct pollfd p = { .fd = s->fds[FD_HEALTH], .events = POLLIN };
	auto_mem char *text = NULL;
	size_t size = 0;
	if (s->fds[FD_HEALTH] >= 0) {
		if (poll(&p, 1, END_WAIT_MS) == 0)
			(void)sys_pidfd_send_signal(p.fd, SIGKILL, NULL, 0);
		(void)poll(&p, 1, END_WAIT_MS);
		health_reap(s);
	}
	auto_fd run = open_run_dir(s);
	if (run >= 0 && file_read(run, HEALTH_NAME, 1 << 20, &text, &size, NULL) == 0)
		(void)file_write_atomic(s->fds[FD_CONTAINER], HEALTH_NAME, text, size, 0600, false,
					NULL);
}
