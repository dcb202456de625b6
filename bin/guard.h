/*
 * The guard of our own binary: programs whose children enter containers run from a read-only view
 * of themselves. See guard.c.
 */
#ifndef CSN_BIN_GUARD_H
#define CSN_BIN_GUARD_H

#include <stdbool.h>

/* Each program has these: the arguments that ask for a guarded start. Characters, not pointers:
 * they are read before relocation. */
enum { GUARD_WORD_MAX = 12 };
extern const char guard_words[][GUARD_WORD_MAX] __attribute__((visibility("hidden")));
extern const int guard_words_count __attribute__((visibility("hidden")));

/* True when this process runs from its read-only view. */
bool guard_is_on(void);

#endif
