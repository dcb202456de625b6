/*
 * Whiteouts: a name ".wh.x" deletes x of the layers below, ".wh..wh..opq" everything in its
 * directory. On disk they become what overlayfs looks for: a character device 0:0 named x, and the
 * attribute trusted.overlay.opaque.
 *
 * Rules that do not depend on the order of entries: a thing that the same layer adds wins over its
 * deletion, but if it is a directory nothing from below shines through; nothing is written for what
 * is not there below (in a directory that only one layer has, overlayfs would list such a device).
 */
#include "image/whiteout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/error.h"
#include "image/tree.h"

#define PREFIX	    ".wh."
#define META_PREFIX ".wh..wh."
#define OPAQUE_NAME ".wh..wh..opq"

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

int whiteout_parse(const char *path, enum whiteout *ret, const char **ret_target,
		   struct csn_error *err)
{
	const char *name = path, *slash;

	*ret = WHITEOUT_NONE;
	for (; (slash = strchr(name, '/')); name = slash + 1) {
		if (starts_with(name, META_PREFIX)) {
			*ret = WHITEOUT_IGNORE;
			return 0;
		}
		if (starts_with(name, PREFIX))
			return fail(err, EINVAL, "a directory's name starts with '%s'", PREFIX);
	}
	if (!starts_with(name, PREFIX))
		return 0;

	if (starts_with(name, META_PREFIX)) {
		*ret = strcmp(name, OPAQUE_NAME) == 0 ? WHITEOUT_OPAQUE : WHITEOUT_IGNORE;
		return 0;
	}
	*ret_target = name + strlen(PREFIX);
	if (!**ret_target || strcmp(*ret_target, ".") == 0 || strcmp(*ret_target, "..") == 0)
		return fail(err, EINVAL, "a whiteout that names nothing");
	*ret = WHITEOUT_DELETE;
	return 0;
}

static int write_whiteout(struct tree *t, struct tree_dir *w, struct csn_error *err)
{
	struct tree_dir *dir = w->parent;
	struct lower_hit hit;
	struct stat st;

	if (dir->made) {
		int fd = tree_fd(t, dir, err);
		if (fd < 0)
			return fd;
		if (fstatat(fd, w->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return 0; /* added again by this layer */
	}
	TRY(lower_lookup(t, dir, w->name, &hit, err));
	if (hit.kind == LOWER_NONE)
		return 0;

	TRY(tree_make(t, dir, err));
	int fd = tree_fd(t, dir, err);
	if (fd < 0)
		return fd;
	if (mknodat(fd, w->name, S_IFCHR, makedev(0, 0)) < 0)
		return fail_errno(err, "make the whiteout of '%.200s'", w->name);
	return 0;
}

static int write_opaque(struct tree *t, struct tree_dir *dir, struct csn_error *err)
{
	TRY(tree_make(t, dir, err));
	int fd = tree_fd(t, dir, err);
	if (fd < 0)
		return fd;
	if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0)
		return fail_errno(err, "mark the directory '%.200s' opaque", dir->name);
	return 0;
}

int whiteout_write(struct tree *t, struct csn_error *err)
{
	for (struct tree_dir *d = t->newest; d; d = d->older) {
		if (!tree_is_alive(t, d))
			continue;
		if (d->whiteout)
			TRY(write_whiteout(t, d, err));
		else if (d->opaque)
			TRY(write_opaque(t, d, err));
	}
	return 0;
}
