/* Durations as people write them. */
#ifndef CSN_BASE_DURATION_H
#define CSN_BASE_DURATION_H

#include <stdint.h>

/* "5s", "500ms", "1h 30m": nanoseconds; -EINVAL, -ERANGE. */
int duration_parse(const char *text, int64_t *ret_ns);

#endif
