/*
 * Memory that runs out on command: the program is linked with --wrap for malloc, calloc and
 * realloc, so that allocations of our own code (not of shared libraries) are counted.
 */
#ifndef CSN_TESTS_UNIT_ALLOC_FAIL_H
#define CSN_TESTS_UNIT_ALLOC_FAIL_H

#include <stddef.h>

/* The next count allocations succeed, all later ones fail. Negative: none fails. */
void alloc_fail_after(long count);
/* How many failed since then. */
long alloc_fail_hits(void);

#endif
