/*
 * One file of a container's log and its way to the next: files are retired and removed while they
 * are read (monitor/logfiles.h), and still every record is read once. Inside lib/runtime.
 */
#ifndef CSN_RUNTIME_LOGFILE_H
#define CSN_RUNTIME_LOGFILE_H

#include <stdbool.h>
#include <stdint.h>

struct log_source {
	int dir; /* of the container; borrowed */
	int fd;
	uint64_t number; /* that the file has, or will have when it is retired */
	bool retired;	 /* seen so: what is read from now on is all there is of it */
};
#define LOG_SOURCE_INIT(dir_)                                                                      \
	{                                                                                          \
		.dir = (dir_), .fd = -1                                                            \
	}
void log_source_close(struct log_source *s);

/* -ENOENT: there is no log. */
int log_source_oldest(struct log_source *s);
int log_source_newest(struct log_source *s);
/* The file before s: 1, 0 when there is none. */
int log_source_before(const struct log_source *s, struct log_source *ret);
/* At the end of s: 1 when there may be more, in it or in the next file, which s is then; 0: not
 * now. *ret_next tells which. */
int log_source_advance(struct log_source *s, bool *ret_next);

#endif
