/* Small files whole, records replaced atomically, trees made and removed. */
#ifndef CSN_BASE_FILE_H
#define CSN_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "caisson.h"

/* Reads dir_fd/path whole (at most max bytes, -EFBIG beyond). *ret is malloc'd and NUL-terminated
 * behind *ret_size bytes. FIFOs and devices are refused without blocking. */
int file_read(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size,
	      struct csn_error *err);
/* Replaces dir_fd/name atomically: ".name.tmp-PID" + rename. durable: fsync file and directory. */
int file_write_atomic(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
		      bool durable, struct csn_error *err);
/* The same for a file that nobody else replaces just now: it has no name while it is written, so
 * that a writer who is killed leaves nothing. */
int file_write_unnamed(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
		       struct csn_error *err);
/* One write(2) of text to an existing file (proc, sysfs, cgroup). Short writes are -EIO. */
int file_write_text(int dir_fd, const char *path, const char *text, struct csn_error *err);
/* Writes all bytes to fd, restarting on EINTR and short writes. */
int write_all(int fd, const void *data, size_t size);
/* mkdir -p of an absolute or relative path; existing directories are fine. */
int make_dirs(const char *path, mode_t mode, struct csn_error *err);
/* rm -r of dir_fd/name, never following symlinks nor crossing mounts. Absent: 0. */
int remove_tree(int dir_fd, const char *name, struct csn_error *err);

#endif
