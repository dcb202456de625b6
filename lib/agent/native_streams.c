/* The native runtime's logs and statistics: lists, and streams that end with the container. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/native.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/file.h"
#include "caisson-stats.h"

static void close_logs(struct csn_logs **logs)
{
	csn_logs_close(*logs);
}

static int add_lines(struct csn_logs *logs, const struct container_ref *c,
		     struct csn_log_entries *entries, struct csn_error *err)
{
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	int r;
	while ((r = csn_logs_next(logs, 0, &line, err)) == 1) {
		const struct csn_log_entry e = { .timestamp_ns = line.time_ns,
						 .stream = line.stream,
						 .message = line.text,
						 .message_size = line.length,
						 .source = CSN_LOG_CONTAINER,
						 .source_id = c->text,
						 .service = c->id->service };
		if (!log_entries_add(entries, &e))
			return fail(err, ENOMEM, "out of memory");
	}
	return r == -EAGAIN ? 0 : r;
}

int native_logs(struct csn_rt *rt, const struct container_ref *c, uint64_t tail,
		struct csn_log_entries **ret, struct csn_error *err)
{
	struct csn_logs_options o = CSN_LOGS_OPTIONS_INIT;
	struct csn_logs *logs AUTO(close_logs)
	= NULL;
	o.tail = tail == 0 || tail > INT64_MAX ? -1 : (int64_t)tail;
	TRY(about(c, csn_container_logs(engine_of(rt), c->text, &o, &logs, err), err));

	struct csn_log_entries *entries = log_entries_new();
	int r = entries ? add_lines(logs, c, entries, err) : fail(err, ENOMEM, "out of memory");
	if (r < 0) {
		csn_log_entries_free(entries);
		return r;
	}
	*ret = entries;
	return 0;
}

int native_all_logs(struct csn_rt *rt, const struct container_ref *c, struct csn_log_entries **ret,
		    struct csn_error *err)
{
	return native_logs(rt, c, 0, ret, err);
}

/* ---- a stream of logs -------------------------------------------------------------------------
 */

struct native_log {
	struct csn_log_stream base;
	struct csn_logs *logs;
	int event; /* always readable: one that does not follow never waits; else -1 */
	int64_t since, until;
	bool timestamps, ended;
	char *line; /* with its newline */
	size_t capacity;
};

static int64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int give_chunk(struct native_log *n, const struct csn_log_line *line,
		      struct csn_log_chunk *ret, struct csn_error *err)
{
	if (n->capacity < line->length + 1) {
		char *grown = realloc(n->line, line->length + 1);
		if (!grown)
			return fail(err, ENOMEM, "out of memory");
		n->line = grown;
		n->capacity = line->length + 1;
	}
	if (line->length)
		memcpy(n->line, line->text, line->length);
	n->line[line->length] = '\n';
	ret->stream = line->stream;
	ret->bytes = n->line;
	ret->length = line->length + !line->partial;
	ret->timestamp_ns = n->timestamps ? line->time_ns : 0;
	return 1;
}

/* How long to wait for a line: not beyond the time until which lines are wanted. */
static int wait_of(const struct native_log *n, int64_t deadline)
{
	int left = deadline_left(deadline);
	if (!n->until)
		return left;
	int64_t ms = (n->until - now_ns()) / 1000000 + 1;
	if (ms < 0)
		ms = 0;
	return left < 0 || ms < left ? (int)(ms > 1000000 ? 1000000 : ms) : left;
}

static int log_next(struct csn_log_stream *stream, int timeout_ms, struct csn_log_chunk *ret,
		    struct csn_error *err)
{
	struct native_log *n = (struct native_log *)stream;
	int64_t deadline = deadline_in(timeout_ms);
	while (!n->ended) {
		struct csn_log_line line = CSN_LOG_LINE_INIT;
		int r = csn_logs_next(n->logs, wait_of(n, deadline), &line, err);
		if (r == -EAGAIN && n->until && now_ns() > n->until)
			r = 0;
		if (r == -EAGAIN && deadline_left(deadline) != 0)
			continue;
		if (r < 0)
			return r;
		if (r == 0 || (n->until && line.time_ns > n->until))
			break;
		if (line.time_ns >= n->since)
			return give_chunk(n, &line, ret, err);
	}
	n->ended = true;
	return 0;
}

static int log_fd(const struct csn_log_stream *stream)
{
	const struct native_log *n = (const struct native_log *)stream;
	int fd = csn_logs_fd(n->logs);
	return fd >= 0 ? fd : n->event;
}

static void log_close(struct csn_log_stream *stream)
{
	struct native_log *n = (struct native_log *)stream;
	csn_logs_close(n->logs);
	close_fd(&n->event);
	free(n->line);
	free(n);
}

int native_logs_stream(struct csn_rt *rt, const struct container_ref *c,
		       const struct csn_logs_stream_options *options, struct csn_log_stream **ret,
		       struct csn_error *err)
{
	static const struct log_stream_operations ops = { log_next, log_fd, log_close };
	struct csn_logs_options o = CSN_LOGS_OPTIONS_INIT;
	struct csn_logs *logs AUTO(close_logs)
	= NULL;
	o.follow = options->follow;
	o.tail = options->tail;
	o.no_stdout = !options->want_stdout;
	o.no_stderr = !options->want_stderr;
	TRY(about(c, csn_container_logs(engine_of(rt), c->text, &o, &logs, err), err));
	auto_fd event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	struct native_log *n = calloc(1, sizeof *n);
	if (event < 0 || !n) {
		free(n);
		return fail(err, ENOMEM, "out of memory");
	}
	*n = (struct native_log){ .base.ops = &ops,
				  .logs = take_ptr(logs),
				  .event = take_fd(&event),
				  .since = options->since_ns,
				  .until = options->until_ns,
				  .timestamps = options->timestamps };
	*ret = &n->base;
	return 0;
}

/* ---- a stream of statistics -------------------------------------------------------------------
 */

struct native_samples {
	struct csn_sample_stream base;
	struct csn_stats_stream *stats;
};

/* A number of the first row; 0 where it is not counted. */
static uint64_t number(const struct csn_stats *s, enum csn_table table, unsigned column)
{
	uint64_t value = 0;
	if (csn_stats_rows(s, table) > 0)
		(void)csn_stats_value(s, table, 0, column, &value);
	return value;
}

static uint64_t limit(const struct csn_stats *s, enum csn_table table, unsigned column)
{
	uint64_t value = number(s, table, column);
	return value == CSN_NO_LIMIT ? 0 : value;
}

/* Of all rows: devices, interfaces. */
static uint64_t sum(const struct csn_stats *s, enum csn_table table, unsigned column)
{
	uint64_t all = 0, value;
	for (size_t row = 0; row < csn_stats_rows(s, table); row++)
		if (csn_stats_value(s, table, row, column, &value))
			all += value;
	return all;
}

/* The first line of /proc/stat: ticks of all processors together, of each kind of time. What guests
 * took is in "user" and "nice" already. */
static uint64_t host_cpu_ns(void)
{
	auto_mem char *text = NULL;
	size_t size;
	if (file_read(AT_FDCWD, "/proc/stat", 16 << 20, &text, &size, NULL) < 0 ||
	    strncmp(text, "cpu ", 4) != 0)
		return 0;
	uint64_t ticks = 0;
	char *at = text + 4;
	for (int kind = 0; kind < 8; kind++)
		ticks += strtoull(at, &at, 10);
	return ticks * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void fill_sample(const struct csn_stats *s, struct csn_stats_sample *ret)
{
	uint64_t cpus = number(s, CSN_TABLE_CPU, CSN_CPU_CPUS);
	ret->cpu_total_ns = number(s, CSN_TABLE_CPU, CSN_CPU_USAGE) * 1000;
	ret->cpu_system_ns = host_cpu_ns();
	ret->online_cpus = (uint32_t)(cpus ? cpus : (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
	ret->mem_used_bytes = number(s, CSN_TABLE_MEMORY, CSN_MEMORY_CURRENT);
	ret->mem_limit_bytes = limit(s, CSN_TABLE_MEMORY, CSN_MEMORY_MAX);
	ret->net_rx_bytes = sum(s, CSN_TABLE_NETWORK, CSN_NETWORK_RX_BYTES);
	ret->net_tx_bytes = sum(s, CSN_TABLE_NETWORK, CSN_NETWORK_TX_BYTES);
	ret->blkio_read_bytes = sum(s, CSN_TABLE_IO, CSN_IO_READ_BYTES);
	ret->blkio_write_bytes = sum(s, CSN_TABLE_IO, CSN_IO_WRITE_BYTES);
	ret->pids_current = number(s, CSN_TABLE_PIDS, CSN_PIDS_CURRENT);
	ret->pids_limit = limit(s, CSN_TABLE_PIDS, CSN_PIDS_MAX);
	ret->timestamp_ns = now_ns();
}

static int sample_next(struct csn_sample_stream *stream, int timeout_ms,
		       struct csn_stats_sample *ret, struct csn_error *err)
{
	struct native_samples *n = (struct native_samples *)stream;
	const struct csn_stats *s;
	int r = csn_stats_stream_next(n->stats, timeout_ms, &s, err);
	if (r == 1)
		fill_sample(s, ret);
	return r;
}

static int sample_fd(const struct csn_sample_stream *stream)
{
	return csn_stats_stream_fd(((const struct native_samples *)stream)->stats);
}

static void sample_close(struct csn_sample_stream *stream)
{
	struct native_samples *n = (struct native_samples *)stream;
	csn_stats_stream_close(n->stats);
	free(n);
}

int native_stats_stream(struct csn_rt *rt, const struct container_ref *c, int interval_ms,
			struct csn_sample_stream **ret, struct csn_error *err)
{
	static const struct sample_stream_operations ops = { sample_next, sample_fd, sample_close };
	struct csn_stats_stream *stats = NULL;
	int r = csn_stats_stream_open(engine_of(rt), c->text, interval_ms, &stats, err);
	if (r == -EINVAL)
		return as_kind(err, r, CSN_ERROR_INVALID_SPEC, "");
	TRY(wrong_state(c, r, err));
	struct native_samples *n = calloc(1, sizeof *n);
	if (!n) {
		csn_stats_stream_close(stats);
		return fail(err, ENOMEM, "out of memory");
	}
	n->base.ops = &ops;
	n->stats = stats;
	*ret = &n->base;
	return 0;
}
