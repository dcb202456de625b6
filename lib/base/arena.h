/*
 * A region allocator for things that live and die together (a decoded config, a plan). Memory is
 * zeroed, aligned for any type, and freed all at once. Not thread-safe.
 */
#ifndef CSN_BASE_ARENA_H
#define CSN_BASE_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_chunk *chunks;
};

/* NULL (errno ENOMEM) when memory is out. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* count * size, checked for overflow. */
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);
/* The same, and what was in it is overwritten first: for secrets. */
void arena_wipe(struct arena *a);

#endif
