/*
 * Masked and read-only paths. A masked file is covered by the host's /dev/null, a masked directory
 * by one empty read-only tmpfs that all of them share. Only a path that does not exist is passed
 * over; any other failure ends the start, for a mask that was silently left out is a hole.
 */
#include <fcntl.h>

#include "init/child.h"

static int empty_dir(struct child *c)
{
	if (c->empty >= 0)
		return c->empty;

	step_fd fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "2", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				 MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The first directory takes the tmpfs itself, the others a clone of where it landed. */
static int mask_dir(struct child *c, int target, const char *name)
{
	if (c->empty < 0) {
		step_fd first = empty_dir(c);
		if (first < 0)
			return first;
		int r = attach_at(first, target, name);
		if (r < 0)
			return r;
		c->empty = take_fd(&first);
		return 0;
	}
	step_fd again =
		open_tree(c->empty, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return again < 0 ? -errno : attach_at(again, target, name);
}

/* A clone of the host's /dev/null that is not in use yet. */
static int spare_null(struct child *c)
{
	if (c->spare < 0) {
		int null = host_null(c);
		if (null < 0)
			return null;
		c->spare = open_tree(null, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	}
	return c->spare < 0 ? -errno : c->spare;
}

static int mask(struct child *c, const char *path)
{
	const char *name = "";
	int dir = fresh_dir(c, FRESH_KERNEL, path, &name);
	step_fd target = dir >= 0 ? dir : inroot_open(c, path, 0);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return target;

	/* The kernel says which it is: a file does not go onto a directory. */
	int null = spare_null(c);
	if (null < 0)
		return null;
	int r = attach_at(null, target, name);
	if (r == -ENOENT && name[0])
		return 0;
	if (r == -EINVAL || r == -ENOTDIR)
		return mask_dir(c, target, name);
	leave_fd(&c->spare);
	return r;
}

static int make_readonly(struct child *c, const char *path)
{
	const char *name = "";
	int dir = fresh_dir(c, FRESH_KERNEL, path, &name);
	step_fd target = dir >= 0 ? dir : inroot_open(c, path, 0);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return target;

	step_fd tree = open_tree(target, name,
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
					 (name[0] ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH));
	if (tree < 0)
		return errno == ENOENT ? 0 : -errno;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0)
		return -errno;
	return attach_at(tree, target, name);
}

int step_masks(struct child *c)
{
	const struct plan *p = c->plan;

	for (size_t i = 0; i < p->readonly_count; i++) {
		int r = make_readonly(c, p->readonly_paths[i]);
		if (r < 0)
			return report_at(c, SYNC_DETAIL_READONLY, i, p->readonly_paths[i], r);
	}
	for (size_t i = 0; i < p->masked_count; i++) {
		int r = mask(c, p->masked_paths[i]);
		if (r < 0)
			return report_at(c, SYNC_DETAIL_MASK, i, p->masked_paths[i], r);
	}
	return 0;
}
