/*
 * Reading a container's log: CRI records "TIME STREAM P|F TEXT\n", where a line that was too long
 * or not finished comes as several records, all but the last marked P.
 *
 * The last n lines are found by looking at ever larger pieces of the end of the last file, then of
 * the one before it, from which the lines are counted with the same reader that gives them out.
 * Following sleeps on a watch of the last file and on the pidfd of the monitor.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/utc.h"
#include "monitor/logfiles.h"
#include "runtime/logfile.h"
#include "runtime/runtime.h"

#define BLOCK	      65536
#define RECORD_MAX    (1 << 20) /* nobody writes longer ones: damage */
#define LINE_MAX_SIZE (1 << 20)
#define WHOLE_WINDOW  (1 << 20) /* a line's head is not looked for further back than this */

/* ---- records ----------------------------------------------------------------------------------
 */

struct log_record {
	int64_t time_ns;
	int stream; /* 0 stdout, 1 stderr */
	bool full;
	const char *text;
	size_t length;
};

static bool parse_record(const char *p, size_t size, struct log_record *ret)
{
	static const char *const streams[] = { "stdout ", "stderr " };
	const char *end = p + size;
	size_t n = 0;

	ret->time_ns = utc_parse(p, size, &n);
	if (n == 0 || n + 10 > size || p[n] != ' ')
		return false;
	p += n + 1;
	for (ret->stream = 0; ret->stream < 2; ret->stream++)
		if (memcmp(p, streams[ret->stream], 7) == 0)
			break;
	if (ret->stream == 2 || (p[7] != 'F' && p[7] != 'P'))
		return false;
	ret->full = p[7] == 'F';
	p += 8;
	if (p < end && *p++ != ' ')
		return false;
	ret->text = p;
	ret->length = (size_t)(end - p);
	return true;
}

struct reader {
	int fd;			   /* borrowed */
	struct log_source *source; /* whose file that is, and its next ones; NULL: only this one */
	int watch;		   /* for what source comes to; -1: nobody follows */
	int watched;
	off_t at; /* of the file: where the next read starts */
	char *buf;
	size_t start, size, capacity; /* buf[start..size) is not parsed yet */
	bool skip_first;	      /* began in the middle of a record */
};

static void reader_done(struct reader *r)
{
	free(r->buf);
	r->buf = NULL;
}

static int reader_fill(struct reader *r)
{
	if (r->start) {
		memmove(r->buf, r->buf + r->start, r->size - r->start);
		r->size -= r->start;
		r->start = 0;
	}
	if (r->capacity - r->size < BLOCK) {
		char *grown = realloc(r->buf, r->capacity + 2 * BLOCK);
		if (!grown)
			return -ENOMEM;
		r->buf = grown;
		r->capacity += 2 * BLOCK;
	}
	ssize_t n = pread(r->fd, r->buf + r->size, r->capacity - r->size, r->at);
	if (n < 0)
		return errno == EINTR ? reader_fill(r) : -errno;
	r->at += n;
	r->size += (size_t)n;
	return n > 0;
}

static int watch_file(struct reader *r)
{
	char path[48];
	int before = r->watched;
	if (r->watch < 0)
		return 0;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", r->fd);
	/* IN_ATTRIB: it gets a name, or loses one. */
	r->watched = inotify_add_watch(r->watch, path, IN_MODIFY | IN_ATTRIB);
	if (r->watched < 0)
		return -errno;
	if (before >= 0)
		(void)inotify_rm_watch(r->watch, before);
	return 0;
}

/* At the end of the file: is there more, here or in the next one? */
static int reader_advance(struct reader *r)
{
	bool next = false;
	int n = r->source ? log_source_advance(r->source, &next) : 0;
	if (n <= 0 || !next)
		return n;
	r->fd = r->source->fd;
	r->at = 0;
	r->start = r->size = 0; /* what was torn stays so */
	r->skip_first = false;
	n = watch_file(r);
	return n < 0 ? n : 1;
}

static int reader_more(struct reader *r)
{
	int n = reader_fill(r);
	while (n == 0 && (n = reader_advance(r)) > 0)
		n = reader_fill(r);
	return n;
}

/* The next sound record: 1. 0: none that is whole yet. */
static int reader_next(struct reader *r, struct log_record *ret)
{
	size_t seen = 0;
	for (;;) {
		char *from = r->buf + r->start;
		char *newline =
			r->buf ? memchr(from + seen, '\n', r->size - r->start - seen) : NULL;
		if (!newline) {
			seen = r->size - r->start;
			if (seen > RECORD_MAX) {
				r->start = r->size;
				r->skip_first = true;
				seen = 0;
			}
			int n = reader_more(r);
			if (n <= 0)
				return n;
			if (r->size - r->start < seen)
				seen = 0; /* another file */
			continue;
		}
		seen = 0;
		r->start += (size_t)(newline - from) + 1;
		bool skip = r->skip_first;
		r->skip_first = false;
		if (!skip && parse_record(from, (size_t)(newline - from), ret))
			return 1;
	}
}

/* ---- the last lines ---------------------------------------------------------------------------
 */

struct window {
	uint64_t lines;	   /* that end in it */
	uint64_t first[2]; /* index of each stream's first one */
	bool seen[2];	   /* the stream has a record in it */
	bool finished[2];  /* and a line's end */
	bool open[2];	   /* its last record was P */
};

static void end_line(struct window *w, int stream)
{
	if (!w->finished[stream])
		w->first[stream] = w->lines;
	w->finished[stream] = true;
	w->lines++;
}

/* last: nothing comes behind the file, so that what is open at its end is a line. */
static int count_lines(int fd, off_t from, bool last, struct window *ret)
{
	struct reader r AUTO(
		reader_done) = { .fd = fd, .at = from, .skip_first = from > 0, .watch = -1 };
	struct window w = { 0 };
	struct log_record rec;
	int n;
	while ((n = reader_next(&r, &rec)) > 0) {
		w.seen[rec.stream] = true;
		w.open[rec.stream] = !rec.full;
		if (rec.full)
			end_line(&w, rec.stream);
	}
	for (int stream = 0; last && stream < 2; stream++)
		if (w.open[stream])
			end_line(&w, stream);
	*ret = w;
	return n;
}

/* Does the window hold the last n lines whole? Each stream's first line in it may lack its head. */
static bool is_enough(const struct window *w, uint64_t n, off_t size)
{
	if (w->lines < n)
		return false;
	for (int stream = 0; stream < 2; stream++)
		if (w->seen[stream] && w->first[stream] >= w->lines - n && size < WHOLE_WINDOW)
			return false;
	return true;
}

/* Where to start reading in one file, how many lines to pass over from there, and how many are in
 * what was looked at. */
struct tail {
	off_t at;
	uint64_t skip, lines;
};

static int find_tail_in(int fd, uint64_t n, bool last, struct tail *ret)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	for (off_t size = BLOCK;; size *= 4) {
		struct window w;
		off_t from = st.st_size > size ? st.st_size - size : 0;
		int r = count_lines(fd, from, last, &w);
		if (r < 0)
			return r;
		if (from == 0 || is_enough(&w, n, size)) {
			*ret = (struct tail){ from, w.lines > n ? w.lines - n : 0, w.lines };
			return 0;
		}
	}
}

/* From the last file back, until there are enough. */
static int find_tail(struct log_source *source, uint64_t n, struct tail *ret)
{
	bool last = true;
	int r = log_source_newest(source);
	while (r >= 0) {
		struct log_source before;
		r = find_tail_in(source->fd, n, last, ret);
		if (r < 0 || ret->lines >= n || (r = log_source_before(source, &before)) <= 0)
			break;
		n -= ret->lines;
		log_source_close(source);
		*source = before;
		last = false;
	}
	return r;
}

/* ---- the handle -------------------------------------------------------------------------------
 */

struct joined {
	char *text;
	size_t length, capacity;
	int64_t time_ns;
	bool open;  /* pieces have come, the end has not */
	bool given; /* handed out: to be emptied by the next call */
};

struct csn_logs {
	struct csn_runtime *rt;
	struct container container;
	struct csn_logs_options options;
	struct log_source source;
	struct reader reader;
	struct joined lines[2];
	uint64_t skip;
	int monitor_fd, epoll;
	bool ended; /* the container: one more look at the file, and that is all */
};

void csn_logs_close(struct csn_logs *logs)
{
	if (!logs)
		return;
	log_source_close(&logs->source);
	container_close(&logs->container);
	reader_done(&logs->reader);
	for (int i = 0; i < 2; i++)
		free(logs->lines[i].text);
	close_fd(&logs->reader.watch);
	close_fd(&logs->monitor_fd);
	close_fd(&logs->epoll);
	free(logs);
}

static void close_logs(struct csn_logs **logs)
{
	csn_logs_close(*logs);
}

static int epoll_add(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* The watch comes before the first look, so that nothing falls between. */
static int follow_begin(struct csn_logs *l, struct csn_error *err)
{
	l->reader.watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->reader.watch < 0 || l->epoll < 0 || watch_file(&l->reader) < 0 ||
	    epoll_add(l->epoll, l->reader.watch) < 0)
		return fail_errno(err, "watch the log");

	struct facts f AUTO(facts_done) = FACTS_INIT;
	facts_read(l->rt, &l->container, false, &f);
	/* Without a monitor nobody writes: what is there is all. */
	l->ended = f.monitor_fd < 0;
	if (l->ended)
		return 0;
	l->monitor_fd = take_fd(&f.monitor_fd);
	return epoll_add(l->epoll, l->monitor_fd) < 0 ? fail_errno(err, "watch the log") : 0;
}

static int open_tail(struct csn_logs *l)
{
	struct tail t = { 0 };
	int r = find_tail(&l->source, (uint64_t)l->options.tail, &t);
	l->reader.at = t.at;
	l->reader.skip_first = t.at > 0;
	l->skip = t.skip;
	return r;
}

int csn_container_logs(struct csn_runtime *rt, const char *container,
		       const struct csn_logs_options *options, struct csn_logs **ret,
		       struct csn_error *err)
{
	struct csn_logs *l AUTO(close_logs)
	= calloc(1, sizeof *l);
	if (!l)
		return fail(err, ENOMEM, "out of memory");
	*l = (struct csn_logs){ .rt = rt,
				.container = CONTAINER_INIT,
				.options = CSN_LOGS_OPTIONS_INIT,
				.source = LOG_SOURCE_INIT(-1),
				.reader = { .fd = -1, .watch = -1, .watched = -1 },
				.monitor_fd = -1,
				.epoll = -1 };
	TRY(take_struct(&l->options, sizeof l->options, options, "struct csn_logs_options", err));
	TRY(container_find(rt, container, &l->container, err));
	l->source = (struct log_source)LOG_SOURCE_INIT(l->container.dir);
	l->ended = true;
	int r = l->options.tail < 0 ? log_source_oldest(&l->source) : open_tail(l);
	if (r == -ENOENT) { /* never started: nothing, which is not an error */
		*ret = take_ptr(l);
		return 0;
	}
	if (r < 0)
		return fail(err, -r, "container \"%s\": read its log: %s", container, strerror(-r));
	l->reader.fd = l->source.fd;
	l->reader.source = &l->source;
	if (l->options.follow)
		TRY(follow_begin(l, err));
	*ret = take_ptr(l);
	return 0;
}

int csn_logs_fd(const struct csn_logs *logs)
{
	return logs->epoll;
}

/* ---- lines ------------------------------------------------------------------------------------
 */

static int join(struct joined *j, const struct log_record *rec)
{
	if (!j->open) {
		j->time_ns = rec->time_ns;
		j->length = 0;
	}
	j->open = true;
	if (j->length + rec->length > j->capacity) {
		size_t capacity = j->length + rec->length + BLOCK;
		char *grown = realloc(j->text, capacity);
		if (!grown)
			return -ENOMEM;
		j->text = grown;
		j->capacity = capacity;
	}
	memcpy(j->text + j->length, rec->text, rec->length);
	j->length += rec->length;
	return 0;
}

/* A line is complete: is it wanted? */
static bool wanted(struct csn_logs *l, int stream, int64_t time_ns)
{
	if (l->skip) {
		l->skip--;
		return false;
	}
	if (time_ns < l->options.since_ns)
		return false;
	return stream == 0 ? !l->options.no_stdout : !l->options.no_stderr;
}

static void give_line(struct csn_log_line *ret, int stream, int64_t time_ns, const char *text,
		      size_t length, bool partial)
{
	const struct csn_log_line line = {
		.stream = stream == 0 ? CSN_STREAM_STDOUT : CSN_STREAM_STDERR,
		.time_ns = time_ns,
		.text = text,
		.length = length,
		.partial = partial,
	};
	give_struct(ret, &line, sizeof line);
}

static int give_joined(struct csn_logs *l, int stream, bool partial, struct csn_log_line *ret)
{
	struct joined *j = &l->lines[stream];
	j->given = true;
	give_line(ret, stream, j->time_ns, j->text, j->length, partial);
	return 1;
}

/* The next line that is in the file: 1; 0 none. */
static int next_line(struct csn_logs *l, struct csn_log_line *ret)
{
	struct log_record rec;
	int n;

	while ((n = reader_next(&l->reader, &rec)) > 0) {
		struct joined *j = &l->lines[rec.stream];
		if (l->options.until_ns && rec.time_ns > l->options.until_ns && !j->open) {
			l->ended = true; /* times go up: there is nothing more */
			return 0;
		}
		if (rec.full && !j->open) {
			if (!wanted(l, rec.stream, rec.time_ns))
				continue;
			give_line(ret, rec.stream, rec.time_ns, rec.text, rec.length, false);
			return 1;
		}
		n = join(j, &rec);
		if (n < 0)
			return n;
		if (rec.full) {
			j->open = false;
			if (wanted(l, rec.stream, j->time_ns))
				return give_joined(l, rec.stream, false, ret);
		} else if (j->length >= LINE_MAX_SIZE && !l->skip) {
			j->open = false;
			if (rec.stream == 0 ? !l->options.no_stdout : !l->options.no_stderr)
				return give_joined(l, rec.stream, true, ret);
		}
	}
	return n;
}

/* What had no end when the container ended. */
static int last_pieces(struct csn_logs *l, struct csn_log_line *ret)
{
	for (int stream = 0; stream < 2; stream++) {
		if (!l->lines[stream].open)
			continue;
		l->lines[stream].open = false;
		if (wanted(l, stream, l->lines[stream].time_ns))
			return give_joined(l, stream, true, ret);
	}
	return 0;
}

/* Sleeps until there may be news. -EAGAIN: the time is up. */
static int follow_sleep(struct csn_logs *l, int64_t deadline)
{
	struct pollfd p[2] = { { .fd = l->reader.watch, .events = POLLIN },
			       { .fd = l->monitor_fd, .events = POLLIN } };
	int n = poll(p, 2, deadline_left(deadline));
	if (n == 0)
		return -EAGAIN;
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[0].revents) {
		char events[4096];
		while (read(l->reader.watch, events, sizeof events) > 0)
			;
	}
	if (p[1].revents)
		l->ended = true;
	return 0;
}

int csn_logs_next(struct csn_logs *logs, int timeout_ms, struct csn_log_line *ret,
		  struct csn_error *err)
{
	int64_t deadline = deadline_in(timeout_ms);

	for (int i = 0; i < 2; i++) {
		if (logs->lines[i].given && !logs->lines[i].open)
			logs->lines[i].length = 0;
		logs->lines[i].given = false;
	}
	if (logs->reader.fd < 0)
		return 0;
	for (;;) {
		/* First: an end that is seen now covers what was written before it. */
		bool ended = logs->ended;
		int r = next_line(logs, ret);
		if (r == 0 && ended)
			r = last_pieces(logs, ret);
		if (r < 0)
			return fail(err, -r, "read the log: %s", strerror(-r));
		if (r > 0 || ended)
			return r;
		r = follow_sleep(logs, deadline);
		if (r == -EAGAIN)
			return fail(err, EAGAIN, "nothing new in the log");
		if (r < 0)
			return fail(err, -r, "wait for the log: %s", strerror(-r));
	}
}
