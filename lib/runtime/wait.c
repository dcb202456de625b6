/*
 * Waiting for a container's end. What is slept on: the pidfd of its monitor, which ends after the
 * end is recorded (without a monitor, of its first process), and a watch on its directory, where
 * exit.json appears and from which everything vanishes when it is removed.
 *
 * A container that removes itself takes exit.json along. Its monitor lets go only of a
 * container.json on which no waiter holds a shared lock: so whoever waits gets to read.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/error.h"
#include "base/names.h"
#include "runtime/runtime.h"

_Static_assert((int)CSN_WAIT_EXITED == (int)EXIT_EXITED &&
		       (int)CSN_WAIT_SIGNAL == (int)EXIT_SIGNAL &&
		       (int)CSN_WAIT_OOM_KILLED == (int)EXIT_OOM_KILLED &&
		       (int)CSN_WAIT_RUNTIME_ERROR == (int)EXIT_RUNTIME_ERROR,
	       "one order of reasons");

const char *csn_wait_reason_name(enum csn_wait_reason reason)
{
	return exit_reason_name((enum exit_reason)reason);
}

const char *csn_state_name(enum csn_state state)
{
	static const char *const names[] = { "pending",	 "initializing", "running",
					     "stopping", "exited",	 "failed" };
	return (size_t)state < COUNT(names) ? names[state] : "unknown";
}

static int64_t nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static void give_outcome(const struct exit_record *end, struct csn_wait_outcome *ret)
{
	struct csn_wait_outcome o = {
		.exit_code = end->exit_code,
		.reason = (enum csn_wait_reason)end->reason,
		.core_dumped = end->core_dumped,
		.oom_kills = end->oom_kills,
		.memory_peak_bytes = end->memory_peak,
		.started_at_ns = nanoseconds(&end->started_at),
		.finished_at_ns = nanoseconds(&end->finished_at),
	};
	if (end->reason == EXIT_SIGNAL && end->signal > 0) {
		o.signal = end->signal;
		(void)snprintf(o.signal_name, sizeof o.signal_name, "%s", signal_name(end->signal));
	}
	(void)snprintf(o.error, sizeof o.error, "%s", end->error);
	give_struct(ret, &o, sizeof o);
}

/* Sleeps until something happens to the container. -ETIMEDOUT. */
static int sleep_until_news(const struct facts *f, int watch, int64_t deadline)
{
	struct pollfd p[2] = { { .fd = watch, .events = POLLIN },
			       { .fd = f->monitor_fd >= 0 ? f->monitor_fd : f->init_fd,
				 .events = POLLIN } };
	int n = poll(p, 2, deadline_left(deadline));
	if (n == 0)
		return -ETIMEDOUT;
	if (n < 0 && errno != EINTR)
		return -errno;
	if (n > 0 && p[0].revents) {
		char events[4096];
		while (read(watch, events, sizeof events) > 0)
			;
	}
	return 0;
}

/* It ended while no monitor was there. Whoever held a pidfd of it can ask the kernel how, and
 * writes it down for the others. */
static int settle_lost(struct csn_runtime *rt, const struct container *c, int held)
{
	auto_fd lock = lock_dir(c->dir, LOCK_EX, NULL);
	struct facts now AUTO(facts_done) = FACTS_INIT;
	if (lock < 0)
		return lock;
	facts_read(rt, c, true, &now);
	facts_see(&now, held);
	if (!now.seen)
		return now.has_exit ? 0 : -ENODATA;
	return facts_settle(rt, c, &now, NULL);
}

static int wait_end(struct csn_runtime *rt, const struct container *c, int watch, int64_t deadline,
		    struct csn_wait_outcome *ret, struct csn_error *err)
{
	auto_fd held = -1; /* pidfd of its first process */
	for (;;) {
		struct facts f AUTO(facts_done) = FACTS_INIT;
		facts_read(rt, c, false, &f);
		if (f.init_fd >= 0) { /* of this run, not of one before */
			close_fd(&held);
			held = fcntl(f.init_fd, F_DUPFD_CLOEXEC, 0);
		}
		if (f.lost && held >= 0 && settle_lost(rt, c, held) == 0) {
			close_fd(&held);
			continue;
		}
		if ((f.has_exit && !f.restarting) || f.lost) {
			give_outcome(&f.exit, ret);
			return 0;
		}
		if (faccessat(c->dir, "container.json", F_OK, 0) < 0)
			return fail(err, ENOENT, "container %.12s was removed", c->id);
		int r = sleep_until_news(&f, watch, deadline);
		if (r == -ETIMEDOUT)
			return fail(err, ETIMEDOUT, "container %.12s has not ended in time", c->id);
		if (r < 0)
			return fail(err, -r, "wait: %s", strerror(-r));
	}
}

int csn_container_wait(struct csn_runtime *rt, const char *container, int timeout_ms,
		       struct csn_wait_outcome *ret, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	int64_t deadline = deadline_in(timeout_ms);
	TRY(container_find(rt, container, &c, err));

	char path[32];
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", c.dir);
	auto_fd watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0 || inotify_add_watch(watch, path,
					   IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |
						   IN_DELETE) < 0)
		return fail_errno(err, "watch container %.12s", c.id);
	auto_fd hold = openat(c.dir, "container.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (hold >= 0)
		(void)flock(hold, LOCK_SH | LOCK_NB);
	return wait_end(rt, &c, watch, deadline, ret, err);
}

int csn_container_wait_fd(struct csn_runtime *rt, const char *container, int *ret_fd,
			  struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	TRY(container_find(rt, container, &c, err));
	facts_read(rt, &c, false, &f);

	int fd = -1;
	if ((f.has_exit && !f.restarting) || f.lost)
		fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	else if (f.monitor_fd >= 0)
		fd = take_fd(&f.monitor_fd);
	else if (f.init_fd >= 0)
		fd = take_fd(&f.init_fd);
	else
		return fail(err, EAGAIN, "container \"%s\" has not been started", container);
	if (fd < 0)
		return fail_errno(err, "eventfd");
	*ret_fd = fd;
	return 0;
}
