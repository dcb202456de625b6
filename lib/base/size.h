/* Sizes as people write them. */
#ifndef CSN_BASE_SIZE_H
#define CSN_BASE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* "1048576", "512k", "1.5g", "64MiB", "2 GB": a number and a unit (b k m g t p), each 1024 of the
 * one before, in either case and with or without "b" or "ib". False for anything else, and for what
 * is 8 EiB or more. */
bool size_parse(const char *text, int64_t *ret);

#endif
