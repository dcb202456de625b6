/*
 * The files of a container's log, in its directory:
 *
 *	container.log	is written to
 *	container.log.N	was, the higher the later; nothing is ever added to it or taken from it
 *
 * A file is retired by giving it its number as a second name, and then renaming an empty one over
 * container.log: at every moment each file has a name, and what is called container.log is the last
 * one. The oldest are removed whole. Between the two steps, and after a crash there, the last one
 * has both names.
 */
#ifndef CSN_MONITOR_LOGFILES_H
#define CSN_MONITOR_LOGFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_NAME    "container.log"
#define LOG_NEXT    "container.log.next" /* the empty one */
#define LOG_DROPPED "log.dropped"	 /* bytes that could not be written, as text */
enum { LOG_NAME_MAX = 48 };

void log_file_name(uint64_t number, char ret[LOG_NAME_MAX]);
/* Calls fn for each number, in no order, until it is false. 0 or -errno. Allocates nothing. */
int log_files_each(int dir, bool (*fn)(void *data, uint64_t number), void *data);
/* The lowest number of at least `from` and the highest of at most `to`; 0: there is none. */
struct log_range {
	uint64_t from, to;	  /* asked */
	uint64_t lowest, highest; /* found */
};
int log_files_range(int dir, struct log_range *range);
/* Is the file open as fd called name? */
bool log_file_is(int dir, const char *name, int fd);

#endif
