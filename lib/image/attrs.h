/* Owner, mode, time and extended attributes of one file: from a tar entry or a file, onto a file.
 */
#ifndef CSN_IMAGE_ATTRS_H
#define CSN_IMAGE_ATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "caisson.h"

struct archive_entry;

struct xattr_item {
	struct xattr_item *next;
	size_t size;
	char *value; /* in the same allocation, as is the name */
	char name[];
};

struct attrs {
	mode_t mode; /* permission and special bits, no type */
	uid_t uid;
	gid_t gid;
	struct timespec mtime; /* tv_nsec UTIME_OMIT: leave it */
	struct xattr_item *xattrs;
};

/* For things that a file system cannot do (xattrs on some): said once, not an error. */
struct warner {
	void (*warn)(void *data, const char *text);
	void *data;
	bool xattrs_said, acls_said;
};

/* What an unpacked directory has when nothing says otherwise. */
#define ATTRS_DEFAULT_DIR                                                                          \
	{                                                                                          \
		.mode = 0755, .mtime = {.tv_nsec = UTIME_OMIT }                                    \
	}

/* Of a tar entry. Refuses what must not be in a layer (xattrs of overlayfs, ids out of range). */
int attrs_from_entry(struct archive_entry *e, struct warner *w, struct attrs *ret,
		     struct csn_error *err);
/* Of an open file or directory; overlayfs's own xattrs are left out. */
int attrs_from_fd(int fd, struct attrs *ret, struct csn_error *err);
/* The same of what was opened with O_PATH, whatever kind of file it is: path is its link in
 * /proc/self/fd, st what fstat said. */
int attrs_from_path(const char *path, const struct stat *st, struct attrs *ret,
		    struct csn_error *err);
void attrs_done(struct attrs *a);
int attrs_add_xattr(struct attrs *a, const char *name, const void *value, size_t size,
		    struct csn_error *err);
/* POSIX ACLs that a tar entry has as text (SCHILY.acl.*) become extended attributes (acl.c). */
int attrs_add_acls(struct archive_entry *e, struct warner *w, struct attrs *a,
		   struct csn_error *err);

/* Onto a file that belongs to 0:0 and has mode & 0777 already unless all is set; in the order that
 * the kernel needs: owner, then mode (chown clears setuid), then xattrs (chown clears
 * security.capability), then times. */
int attrs_apply(int fd, const struct attrs *a, bool all, struct warner *w, struct csn_error *err);
/* The same for what cannot be opened: symlinks, devices, fifos. */
int attrs_apply_at(int dir_fd, const char *name, const struct attrs *a, bool symlink,
		   struct warner *w, struct csn_error *err);

#endif
