/* Deadlines for poll(2). */
#ifndef CSN_BASE_DEADLINE_H
#define CSN_BASE_DEADLINE_H

#include <stdint.h>

/* A deadline on the monotonic clock, and what is left of it for poll(2). Negative: never. */
int64_t deadline_in(int timeout_ms);
int deadline_left(int64_t deadline);

#endif
