/* Writing a container's log in the CRI line format. Inside lib/monitor. */
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
	int fd;		    /* open for appending; replaced when it is retired */
	int dir;	    /* where it is */
	uint64_t max_size;  /* bytes; 0: no limit */
	unsigned max_files; /* with the one that is written to */
	uint64_t size;
	uint64_t retry_size;	   /* it could not be retired: not tried again before */
	unsigned partial;	   /* streams whose last record was */
	bool torn;		   /* the file does not end with a whole record */
	uint64_t dropped;	   /* bytes that could not be written (disk full) */
	uint64_t told;		   /* of them, in LOG_DROPPED */
	const char *run_root, *id; /* where that is */
	bool warm;		   /* memory was used since log_cool() */
};

/* The rest is set. */
void log_begin(struct log_file *log);
/*
 * Appends what was read in one go: one record a line, "F" when the line is whole, "P" when more of
 * it follows in the next record of that stream. Lines longer than 16 KiB are parted. All records of
 * one call carry the same time. Waits for the disk, but not for room on it: what cannot be written
 * is counted.
 *
 * The file is retired before it would be larger than max_size, between lines (or, when a line does
 * not end, inside of one).
 */
void log_append(struct log_file *log, struct log_stream *stream, const char *bytes, size_t size);
/* Gives memory back, when nothing came for a while. */
void log_cool(struct log_file *log);
/* The container has ended: what was dropped is kept with it. */
void log_end(struct log_file *log);
/* rotate.c: the file is retired and a new one takes its place; or nothing has changed. */
int log_rotate(struct log_file *log);

#endif
