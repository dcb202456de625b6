/*
 * THE place that resolves paths below a directory that somebody else controls (a root file
 * system, a volume, a store). Everything goes by fd and openat2(2) (Linux 5.6).
 */
#ifndef CSN_BASE_PATH_H
#define CSN_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "caisson.h"

/* Cleans a path in place: "//", "." and ".." (never above "/"). Absolute stays absolute. */
void path_clean(char *path);
/* Opens path as seen by a process whose root is root_fd: symlinks are followed inside it, ".."
 * stops at it, magic links are refused. flags as openat(2); O_CLOEXEC is added. */
int open_in_root(int root_fd, const char *path, int flags, mode_t mode);
/* As above, but any symlink is -ELOOP. */
int open_beneath(int dir_fd, const char *path, int flags, mode_t mode);
/* dir joined with path unless path is absolute; malloc'd. */
char *path_join(const char *dir, const char *path);

#endif
