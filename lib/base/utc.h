/* Times as text, in UTC. gmtime_r(3) reads the zone file of the host on its first call; this does
 * not, and is all that is needed. */
#ifndef CSN_BASE_UTC_H
#define CSN_BASE_UTC_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { UTC_SIZE = 36 };

/* "2026-11-24T13:05:00Z" */
void utc_print_seconds(time_t t, char buf[UTC_SIZE]);
/* "2026-11-24T13:05:00.123456789Z" */
void utc_print(const struct timespec *t, char buf[UTC_SIZE]);

/* Nanoseconds since 1970 of an RFC 3339 time; 0 when it is none. *ret_size (may be NULL): its
 * length, up to the first byte that does not belong to it. */
int64_t utc_parse(const char *text, size_t size, size_t *ret_size);

#endif
