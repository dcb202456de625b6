/*
 * CRI log lines: "2026-11-24T13:05:00.123456789Z stdout F text\n". Records are laid out in one
 * buffer and written when it is full or the batch is done, so that a batch costs one write.
 *
 * The container waits for the disk, as it would if it wrote the file itself. On a full disk it does
 * not wait: records are dropped and counted, and what was torn is ended before the next one.
 */
#include "monitor/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/utc.h"
#include "monitor/logfiles.h"

enum {
	PART_MAX = 16 * 1024,
	BUFFER_SIZE = 256 * 1024,
	PREFIX_MAX = 64,
	RECORD_MAX = PREFIX_MAX + 3 + PART_MAX,
	/* A line that has begun is given so much more room to end in. */
	LINE_SLACK = 64 * 1024,
};

/* Untouched pages of it cost nothing while a container is silent. */
static _Alignas(4096) char buffer[BUFFER_SIZE];
static size_t buffered;

void log_begin(struct log_file *log)
{
	struct stat st;
	log->size = fstat(log->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	(void)unlinkat(log->dir, LOG_DROPPED, 0); /* the last run's */
}

static void put_dropped(struct log_file *log, int dir)
{
	char digits[24];
	int n = snprintf(digits, sizeof digits, "%" PRIu64 "\n", log->dropped);
	(void)file_write_atomic(dir, LOG_DROPPED, digits, (size_t)n, 0600, false, NULL);
	log->told = log->dropped;
}

/* In the run directory, which is on no disk that could be full. */
static void tell_dropped(struct log_file *log)
{
	char path[4096];
	if (log->told == log->dropped || !log->run_root)
		return;
	(void)snprintf(path, sizeof path, "%s/monitor/%s", log->run_root, log->id);
	auto_fd dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		put_dropped(log, dir);
}

void log_end(struct log_file *log)
{
	if (log->dropped)
		put_dropped(log, log->dir);
}

static void flush(struct log_file *log)
{
	size_t done = 0;
	if (log->torn && buffered && write(log->fd, "\n", 1) == 1) {
		log->torn = false;
		log->size++;
	}
	while (done < buffered && !log->torn) {
		ssize_t n = write(log->fd, buffer + done, buffered - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done < buffered) {
		log->dropped += buffered - done;
		log->torn |= done > 0 && buffer[done - 1] != '\n';
	}
	log->size += done;
	buffered = 0;
}

/* "TIME STREAM " without the tag. */
static size_t print_prefix(char *prefix, const char *stream)
{
	struct timespec now;
	char when[UTC_SIZE];
	(void)clock_gettime(CLOCK_REALTIME, &now);
	utc_print(&now, when);
	return (size_t)snprintf(prefix, PREFIX_MAX, "%s %s ", when, stream);
}

/* Room in the file for one more record. */
static void make_room(struct log_file *log, size_t record)
{
	uint64_t size = log->size + buffered, slack = log->partial ? LINE_SLACK : 0;
	if (!log->max_size || size == 0 || size + record <= log->max_size + slack ||
	    size < log->retry_size)
		return;
	flush(log);
	if (log_rotate(log) == 0) {
		log->size = log->retry_size = 0;
		log->torn = false;
	} else {
		log->retry_size = log->size + log->max_size / 8 + 1;
	}
}

static void set_partial(struct log_file *log, struct log_stream *stream, bool partial)
{
	log->partial += (unsigned)partial - (unsigned)stream->partial;
	stream->partial = partial;
}

static char *append(char *to, const char *bytes, size_t size)
{
	memcpy(to, bytes, size);
	return to + size;
}

void log_append(struct log_file *log, struct log_stream *stream, const char *bytes, size_t size)
{
	char prefix[PREFIX_MAX];
	size_t prefix_size = print_prefix(prefix, stream->name);

	log->warm = true;
	while (size) {
		const char *end = memchr(bytes, '\n', size < PART_MAX + 1 ? size : PART_MAX + 1);
		size_t line = end ? (size_t)(end - bytes) : size;
		size_t part = line < PART_MAX ? line : PART_MAX;

		if (BUFFER_SIZE - buffered < RECORD_MAX)
			flush(log);
		make_room(log, prefix_size + 3 + part);
		char *to = append(buffer + buffered, prefix, prefix_size);
		to = append(to, end ? "F " : "P ", 2);
		to = append(to, bytes, part);
		*to++ = '\n';
		buffered = (size_t)(to - buffer);
		part += end != NULL;
		bytes += part;
		size -= part;
		set_partial(log, stream, !end);
	}
	flush(log);
	tell_dropped(log);
}

void log_cool(struct log_file *log)
{
	(void)madvise(buffer, sizeof buffer, MADV_DONTNEED);
	log->warm = false;
}
