/* Durations and sizes as people write them in deployments. */
#ifndef CSN_BASE_QUANTITY_H
#define CSN_BASE_QUANTITY_H

#include <stdint.h>

/* "5s", "500ms", "1h 30m": nanoseconds; -EINVAL, -ERANGE. */
int duration_parse(const char *text, int64_t *ret_ns);
/* "512Mi", "1G" (1000s), "1048576": bytes; -EINVAL, -ERANGE. Command lines have size_parse(). */
int bytes_parse(const char *text, uint64_t *ret);

#endif
