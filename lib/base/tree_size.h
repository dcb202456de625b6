/* How much room a tree takes on disk. */
#ifndef CSN_BASE_TREE_SIZE_H
#define CSN_BASE_TREE_SIZE_H

#include <stdint.h>

/* Bytes of the blocks of all below the directory on its file system; links are not followed, and a
 * file of n names counts an nth for each. What goes meanwhile, cannot be looked at, or lies deeper
 * than 256 directories (each holds a descriptor) counts as nothing. */
uint64_t tree_size(int at, const char *path);

#endif
