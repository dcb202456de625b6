/* Directories of an image as its containers will see them, over all of its layers (merged.c). */
#ifndef CSN_RUNTIME_MERGED_H
#define CSN_RUNTIME_MERGED_H

#include <stddef.h>
#include <sys/stat.h>

#include "runtime/runtime.h"

/* One directory of the image: where it is, topmost layer first. */
struct union_dir {
	int *fds;
	size_t count;
};
void union_done(struct union_dir *u);

/* What the topmost layer that has name in it says: its stat and the directory it is in. -ENOENT
 * also for what a layer took away. */
int union_stat(const struct union_dir *u, const char *name, struct stat *ret_st, size_t *ret_index);
/* The directory name in u, whose first appearance is in u->fds[first]. */
int union_descend(const struct union_dir *u, const char *name, size_t first, struct union_dir *ret);

/* The directory at path, with symbolic links inside the image followed. -ENOENT, -ENOTDIR. */
int merged_dir(const struct csn_runtime *rt, const struct spec_strings *layers, const char *path,
	       struct union_dir *ret, struct csn_error *err);

#endif
