/* Writing container.log in the CRI line format. Inside lib/monitor. */
#ifndef CSN_MONITOR_LOGS_H
#define CSN_MONITOR_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_stream {
	const char *name; /* "stdout" */
	bool partial;	  /* the last record ended without a line end */
};

struct log_file {
	int fd;
	uint64_t dropped; /* bytes that could not be written (disk full) */
};

/*
 * Appends what was read in one go: one record a line, "F" when the line is whole, "P" when more of
 * it follows in the next record of that stream. Lines longer than 16 KiB are parted. All records of
 * one call carry the same time. Never blocks for long and never fails: what cannot be written is
 * counted.
 */
void log_append(struct log_file *log, struct log_stream *stream, const char *bytes, size_t size);

#endif
