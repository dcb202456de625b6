/*
 * Names of kernel numbers, one table each: signals, capabilities, resource limits.
 * Lookups never allocate and are case-insensitive where users write them by hand.
 */
#ifndef CSN_BASE_NAMES_H
#define CSN_BASE_NAMES_H

/* "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3", "SIGRTMAX-1"; -1 when unknown. 1 to 64. */
int signal_number(const char *name);
/* "SIGTERM", "SIGRTMIN+3"; "unknown" for numbers out of range. Static storage. */
const char *signal_name(int number);

/* "CAP_CHOWN" or "chown"; -1 when unknown. */
int capability_number(const char *name);
/* "CAP_CHOWN"; NULL when out of range. */
const char *capability_name(int number);
int capability_last(void); /* the newest that this code knows */

/* "RLIMIT_NOFILE" → RLIMIT_NOFILE; -1 when unknown. */
int rlimit_number(const char *name);
const char *rlimit_name(int number);

#endif
