/* The words of another program's command line, built up one by one. Inside lib/host only. */
#ifndef CSN_HOST_WORDS_H
#define CSN_HOST_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum { WORDS_MAX = 2048 };

struct words {
	struct arena *arena;
	char *items[WORDS_MAX + 1]; /* ends with NULL */
	size_t count;
	bool failed; /* no memory, or too many: asked once, at the end */
};

void words_add(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* In the child after fork: becomes the program, found in the usual directories whatever our own
 * environment says, with no other environment than that. Returns only when it cannot. */
void words_exec(const struct words *w);

#endif
