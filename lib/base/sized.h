/*
 * Structs of the public API that begin with "size_t size", which their maker's _INIT macro set: how
 * much of ours the other side knows.
 */
#ifndef CSN_BASE_SIZED_H
#define CSN_BASE_SIZED_H

#include <stddef.h>

struct csn_error;

/* Copies a caller's struct over *dst, which holds the defaults. A larger one than ours must have
 * nothing set in what we do not know: -E2BIG. NULL: nothing. */
int take_struct(void *dst, size_t dst_size, const void *src, const char *what,
		struct csn_error *err);
/* Copies our struct to a caller's, as far as that one goes; its size stays. */
void give_struct(void *dst, const void *src, size_t src_size);

#endif
