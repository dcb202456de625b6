/*
 * Events: what this library and the monitors write to the journal (monitor/journal.h), and how it
 * is read. A reader sleeps on a watch of the run directory; nothing is asked again and again.
 *
 * A reader that has come to the end of its file looks whether the journal goes on in another one:
 * nobody writes to a file after it was renamed, so what is read once more after that was seen is
 * all of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/names.h"
#include "base/utc.h"
#include "monitor/journal.h"
#include "runtime/runtime.h"

enum { LINE_MAX_SIZE = 64 * 1024 };

/* ---- writing ----------------------------------------------------------------------------------
 */

void event_tell(struct csn_runtime *rt, const struct container *c, struct journal_event e)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record r = { 0 };

	(void)engine_record_read(c->dir, &r, &arena, NULL);
	e.type = "container";
	e.id = c->id;
	e.name = r.name;
	e.image = r.image;
	(void)journal_add(rt->run_root, &e, NULL);
}

void event_tell_image(struct csn_runtime *rt, const char *action, const char *reference,
		      const char *id)
{
	const struct journal_event e = {
		.type = "image", .action = action, .id = id, .image = reference
	};
	(void)journal_add(rt->run_root, &e, NULL);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

struct csn_events {
	struct csn_events_options options;
	int dir, watch;
	int fd; /* of the file that is being read; -1: there is none yet */
	struct arena arena;
	char *line; /* the event that was given last */
	char buf[LINE_MAX_SIZE];
	size_t start, end; /* what of buf has not been given */
};

void csn_events_close(struct csn_events *events)
{
	if (!events)
		return;
	close_fd(&events->dir);
	close_fd(&events->watch);
	close_fd(&events->fd);
	arena_free(&events->arena);
	free(events->line);
	free(events);
}

static void close_events(struct csn_events **ev)
{
	csn_events_close(*ev);
}

int csn_events_fd(const struct csn_events *events)
{
	return events->watch;
}

static int open_journal(const struct csn_events *ev, const char *name)
{
	return openat(ev->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* From the beginning, or from now on. Under the lock no writer changes which file is which. */
static int find_start(struct csn_events *ev, struct csn_error *err)
{
	auto_fd now = open_journal(ev, JOURNAL_NAME);
	if (now < 0 && errno != ENOENT)
		return fail_errno(err, "open " JOURNAL_NAME);
	if (now < 0) {
		ev->fd = ev->options.since_ns ? open_journal(ev, JOURNAL_OLD) : -1;
		return 0;
	}
	while (flock(now, LOCK_SH) < 0)
		if (errno != EINTR)
			return fail_errno(err, "lock " JOURNAL_NAME);
	if (ev->options.since_ns) {
		ev->fd = open_journal(ev, JOURNAL_OLD);
		if (ev->fd >= 0)
			return 0;
	} else if (lseek(now, 0, SEEK_END) < 0) {
		return fail_errno(err, JOURNAL_NAME);
	}
	ev->fd = take_fd(&now);
	return flock(ev->fd, LOCK_UN) < 0 ? fail_errno(err, "unlock " JOURNAL_NAME) : 0;
}

int csn_events_open(struct csn_runtime *rt, const struct csn_events_options *options,
		    struct csn_events **ret, struct csn_error *err)
{
	struct csn_events *ev AUTO(close_events)
	= calloc(1, sizeof *ev);
	if (!ev)
		return fail(err, ENOMEM, "out of memory");
	ev->dir = ev->watch = ev->fd = -1;
	ev->options = (struct csn_events_options)CSN_EVENTS_OPTIONS_INIT;
	TRY(take_struct(&ev->options, sizeof ev->options, options, "struct csn_events_options",
			err));
	ev->dir = open(rt->run_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ev->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (ev->dir < 0 || ev->watch < 0 ||
	    inotify_add_watch(ev->watch, rt->run_root, IN_MODIFY | IN_CREATE | IN_MOVED_FROM) < 0)
		return fail_errno(err, "watch %s", rt->run_root);
	TRY(find_start(ev, err));
	*ret = take_ptr(ev);
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Opens the file in which the journal goes on behind the one that is being read. False: in none. */
static bool next_file(struct csn_events *ev, int *ret)
{
	struct stat mine = { 0 }, now = { 0 }, old = { 0 };
	if (fstatat(ev->dir, JOURNAL_NAME, &now, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
		return false;
	if (ev->fd >= 0 && (fstat(ev->fd, &mine) < 0 || same_file(&mine, &now)))
		return false;
	bool passed = fstatat(ev->dir, JOURNAL_OLD, &old, AT_SYMLINK_NOFOLLOW) < 0 ||
		      same_file(&mine, &old) || ev->fd < 0;
	*ret = open_journal(ev, passed ? JOURNAL_NAME : JOURNAL_OLD);
	return *ret >= 0;
}

/* More bytes: 1; 0 there are none. */
static int fill(struct csn_events *ev)
{
	if (ev->start) {
		memmove(ev->buf, ev->buf + ev->start, ev->end - ev->start);
		ev->end -= ev->start;
		ev->start = 0;
	}
	if (ev->end == sizeof ev->buf)
		ev->end = 0; /* no line of ours is that long */
	for (int next = -1;;) {
		ssize_t n =
			ev->fd < 0 ? 0 : read(ev->fd, ev->buf + ev->end, sizeof ev->buf - ev->end);
		if (n < 0)
			return -errno;
		ev->end += (size_t)n;
		if (n > 0) {
			close_fd(&next); /* it will be found again */
			return 1;
		}
		if (next >= 0) {
			close_fd(&ev->fd);
			ev->fd = next;
			next = -1;
		} else if (!next_file(ev, &next)) {
			return 0;
		}
	}
}

/* The next whole line, in ev->line: 1; 0 there is none. */
static int next_line(struct csn_events *ev)
{
	for (;;) {
		char *from = ev->buf + ev->start;
		char *nl = memchr(from, '\n', ev->end - ev->start);
		if (nl) {
			ev->start += (size_t)(nl - from) + 1;
			free(ev->line);
			ev->line = strndup(from, (size_t)(nl - from));
			return ev->line ? 1 : -ENOMEM;
		}
		int r = fill(ev);
		if (r <= 0)
			return r;
	}
}

/* ---- one event --------------------------------------------------------------------------------
 */

struct event_row {
	char *time, *type, *action, *id, *name, *image, *reason, *signal, *error;
	int32_t exit_code;
	uint64_t oom_kills;
};
#define ROW(name, decode, presence)                                                                \
	{                                                                                          \
#name, decode, offsetof(struct event_row, name), NULL, presence, 0, 0              \
	}
static const struct json_field event_fields[] = {
	ROW(time, decode_string, JSON_REQUIRED),   ROW(type, decode_string, JSON_REQUIRED),
	ROW(action, decode_string, JSON_REQUIRED), ROW(id, decode_string, JSON_OPTIONAL),
	ROW(name, decode_string, JSON_OPTIONAL),   ROW(image, decode_string, JSON_OPTIONAL),
	ROW(reason, decode_text, JSON_OPTIONAL),   ROW(signal, decode_text, JSON_OPTIONAL),
	ROW(error, decode_text, JSON_OPTIONAL),	   ROW(exit_code, decode_i32, JSON_OPTIONAL),
	ROW(oom_kills, decode_u64, JSON_OPTIONAL), { NULL, NULL, 0, NULL, 0, 0, 0 },
};
#undef ROW

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

/* Gives ev->line: 1; 0 when it is none that is wanted (a damaged one is not). */
static int give_event(struct csn_events *ev, struct csn_event *ret)
{
	struct event_row row = { 0 };
	arena_free(&ev->arena);
	ev->arena = (struct arena){ 0 };
	if (json_decode(ev->line, strlen(ev->line), JOURNAL_NAME, event_fields, &row, &ev->arena,
			NULL) < 0)
		return 0;
	const struct csn_event e = {
		.time_ns = utc_parse(row.time, strlen(row.time), NULL),
		.type = row.type,
		.action = row.action,
		.id = text_or_empty(row.id),
		.name = text_or_empty(row.name),
		.image = text_or_empty(row.image),
		.reason = text_or_empty(row.reason),
		.signal = text_or_empty(row.signal),
		.error = text_or_empty(row.error),
		.exit_code = row.exit_code,
		.oom_kills = row.oom_kills,
		.json = ev->line,
	};
	if (e.time_ns < ev->options.since_ns ||
	    (ev->options.until_ns && e.time_ns > ev->options.until_ns))
		return 0;
	give_struct(ret, &e, sizeof e);
	return 1;
}

/* What is left until `until`, in milliseconds, rounded up; at most what poll(2) takes. */
static int until_left(const struct csn_events *ev)
{
	struct timespec now;
	if (!ev->options.until_ns)
		return -1;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	int64_t ns = ev->options.until_ns - ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	int64_t ms = ns <= 0 ? 0 : (ns + 999999) / 1000000;
	return ms > 1000000000 ? 1000000000 : (int)ms;
}

/* Sleeps until the journal has changed or a time is up. */
static int sleep_until_news(struct csn_events *ev, int timeout_ms)
{
	char news[4096];
	struct pollfd p = { .fd = ev->watch, .events = POLLIN };
	int n = poll(&p, 1, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	while (n > 0 && read(ev->watch, news, sizeof news) > 0)
		;
	return 0;
}

int csn_events_next(struct csn_events *events, int timeout_ms, struct csn_event *ret,
		    struct csn_error *err)
{
	int64_t deadline = deadline_in(timeout_ms);
	for (;;) {
		/* Asked first: what is there afterwards was written in time. */
		int left = until_left(events), until = left;
		int r;
		while ((r = next_line(events)) > 0)
			if (give_event(events, ret) > 0)
				return 1;
		if (r == 0 && (events->options.no_follow || until == 0))
			return 0;
		left = deadline_left(deadline);
		if (r == 0 && left == 0)
			return fail(err, EAGAIN, "no event");
		if (until >= 0 && (left < 0 || until < left))
			left = until;
		if (r == 0)
			r = sleep_until_news(events, left);
		if (r < 0)
			return fail(err, -r, "events: %s", strerror(-r));
	}
}
