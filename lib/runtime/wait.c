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
#include <sys/stat.h>
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
static int sleep_until_news(const struct facts *f, struct watch *watch, int64_t deadline)
{
	struct pollfd p[3] = { { .fd = watch->news, .events = POLLIN },
			       { .fd = f->monitor_fd >= 0 ? f->monitor_fd : f->init_fd,
				 .events = POLLIN },
			       { .events = POLLIN } };
	for (;;) {
		p[2].fd = watch_leads(watch); /* -1: somebody else looks for us */
		int n = poll(p, 3, deadline_left(deadline));
		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0)
			return errno == EINTR ? 0 : -errno;
		if (p[2].revents)
			watches_tell(watch->all);
		if (watch_taken(watch) || p[1].revents)
			return 0;
	}
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

/* One who waits. */
struct waiting {
	struct csn_runtime *rt;
	struct container c;
	enum csn_wait_condition condition;
	int64_t deadline;
	struct watch watch;
	int hold; /* container.json, share-locked until its end was read */
	int held; /* pidfd of its first process */
	bool looked, had_end;
	int64_t old_end; /* finished_at of the end that was there at the first look */
	struct exit_record last;
};

static void waiting_done(struct waiting *w)
{
	container_close(&w->c);
	watch_end(&w->watch);
	close_fd(&w->hold);
	close_fd(&w->held);
}

/* A renamed container has a new record: the lock moves on to it. */
static void hold_record(struct waiting *w)
{
	auto_fd __attribute__((unused)) old = take_fd(&w->hold); /* closed at the end */
	w->hold = openat(w->c.dir, "container.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (w->hold >= 0)
		(void)flock(w->hold, LOCK_SH | LOCK_NB);
}

static bool is_removed(const struct waiting *w)
{
	struct stat st;
	return fstatat(w->rt->containers_dir, w->c.id, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

/* Whether an end that is there is what is waited for. */
static bool is_awaited(struct waiting *w, const struct facts *f)
{
	bool ended = f->has_exit || f->lost;
	int64_t at = nanoseconds(&f->exit.finished_at);
	if (!w->looked || !ended) {
		w->had_end = ended;
		w->old_end = at;
	}
	w->looked = true;
	if (ended)
		w->last = f->exit;
	if (w->condition == CSN_WAIT_NEXT_EXIT)
		return ended && !(w->had_end && w->old_end == at);
	/* One that is about to be restarted has ended, but is not done. */
	return ended && !f->restarting && w->condition == CSN_WAIT_NOT_RUNNING;
}

/* 1: it is over; 0: something may have changed. */
static int look_and_sleep(struct waiting *w, struct csn_error *err)
{
	struct facts f AUTO(facts_done) = FACTS_INIT;
	hold_record(w);
	facts_read(w->rt, &w->c, false, &f);
	if (f.init_fd >= 0) { /* of this run, not of one before */
		close_fd(&w->held);
		w->held = fcntl(f.init_fd, F_DUPFD_CLOEXEC, 0);
	}
	if (f.lost && w->held >= 0 && settle_lost(w->rt, &w->c, w->held) == 0) {
		close_fd(&w->held);
		return 0;
	}
	if (is_awaited(w, &f))
		return 1;
	if (w->condition == CSN_WAIT_REMOVED) {
		if (f.has_exit) /* read: it may go */
			close_fd(&w->hold);
		if (is_removed(w))
			return 1;
	} else if (faccessat(w->c.dir, "container.json", F_OK, 0) < 0 || is_removed(w)) {
		return fail(err, ENOENT, "container %.12s was removed", w->c.id);
	}
	if (w->watch.news < 0) { /* only now, and then another look: nothing falls between */
		if (watch_begin(&w->watch, &w->rt->watches, w->c.dir) < 0)
			return fail_errno(err, "watch container %.12s", w->c.id);
		return 0;
	}
	int r = sleep_until_news(&f, &w->watch, w->deadline);
	if (r == -ETIMEDOUT)
		return fail(err, ETIMEDOUT, "container %.12s has not %s in time", w->c.id,
			    w->condition == CSN_WAIT_REMOVED ? "been removed" : "ended");
	return r < 0 ? fail(err, -r, "wait: %s", strerror(-r)) : 0;
}

int csn_container_wait_for(struct csn_runtime *rt, const char *container,
			   enum csn_wait_condition condition, int timeout_ms,
			   struct csn_wait_outcome *ret, struct csn_error *err)
{
	struct waiting w AUTO(waiting_done) = { .rt = rt,
						.c = CONTAINER_INIT,
						.condition = condition,
						.deadline = deadline_in(timeout_ms),
						.watch = WATCH_INIT,
						.hold = -1,
						.held = -1 };
	int over;
	if ((unsigned)condition > CSN_WAIT_REMOVED)
		return fail(err, EINVAL, "wait: no such condition");
	TRY(container_find(rt, container, &w.c, err));
	do {
		over = look_and_sleep(&w, err);
		TRY(over);
	} while (!over);
	give_outcome(&w.last, ret);
	return 0;
}

int csn_container_wait(struct csn_runtime *rt, const char *container, int timeout_ms,
		       struct csn_wait_outcome *ret, struct csn_error *err)
{
	return csn_container_wait_for(rt, container, CSN_WAIT_NOT_RUNNING, timeout_ms, ret, err);
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
