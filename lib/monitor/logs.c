/*
 * CRI log lines: "2026-11-24T13:05:00.123456789Z stdout F text\n". Records are laid out in one
 * buffer and written when it is full or the batch is done, so that a batch costs one write.
 */
#include "monitor/logs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/utc.h"

enum { PART_MAX = 16 * 1024, BUFFER_SIZE = 64 * 1024, PREFIX_MAX = 64 };

/* Untouched pages of it cost nothing while a container is silent. */
static char buffer[BUFFER_SIZE];
static size_t buffered;

static void flush(struct log_file *log)
{
	size_t done = 0;
	while (done < buffered) {
		ssize_t n = write(log->fd, buffer + done, buffered - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			log->dropped += buffered - done;
			break;
		}
		done += (size_t)n;
	}
	buffered = 0;
}

static void put(struct log_file *log, const char *bytes, size_t size)
{
	if (BUFFER_SIZE - buffered < size)
		flush(log);
	memcpy(buffer + buffered, bytes, size);
	buffered += size;
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

void log_append(struct log_file *log, struct log_stream *stream, const char *bytes, size_t size)
{
	char prefix[PREFIX_MAX];
	size_t prefix_size = print_prefix(prefix, stream->name);

	while (size) {
		const char *end = memchr(bytes, '\n', size);
		size_t line = end ? (size_t)(end - bytes) : size;
		bool whole = end && line <= PART_MAX;
		size_t part = line < PART_MAX ? line : PART_MAX;

		put(log, prefix, prefix_size);
		put(log, whole ? "F " : "P ", 2);
		put(log, bytes, part);
		put(log, "\n", 1);
		part += whole;
		bytes += part;
		size -= part;
		stream->partial = !whole;
	}
	flush(log);
}
