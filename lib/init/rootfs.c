/*
 * The root mount: attach it in our own mount namespace, later make it "/" and let go of the
 * host's tree. Nothing that is mounted here may reach the host, so the whole tree becomes a slave
 * first.
 */
#include <fcntl.h>
#include <sched.h>

#include "init/child.h"

static int clone_root(struct child *c)
{
	int fd = open_tree(AT_FDCWD, c->plan->rootfs,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return fd < 0 ? report_at(c, SYNC_DETAIL_PATH, 0, c->plan->rootfs, -errno) : fd;
}

static int leave_host_propagation(void)
{
	struct mount_attr attr = { .propagation = MS_SLAVE };
	return mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof attr) < 0 ? -errno : 0;
}

static int propagate(int tree, unsigned long how)
{
	struct mount_attr attr = { .propagation = how & ~(unsigned long)MS_REC };
	unsigned flags = AT_EMPTY_PATH | (how & MS_REC ? (unsigned)AT_RECURSIVE : 0);
	return mount_setattr(tree, "", flags, &attr, sizeof attr) < 0 ? -errno : 0;
}

int step_root(struct child *c)
{
	const struct plan *p = c->plan;

	if (!p->has_mntns) {
		c->root = open(p->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return c->root < 0 ? report_at(c, SYNC_DETAIL_PATH, 0, p->rootfs, -errno) : 0;
	}

	/* Cloned when it is a slave at most: rootfsPropagation "shared" is a new group of peers,
	 * not the host's (config-linux.md). */
	int r = leave_host_propagation();
	if (r < 0)
		return r;
	step_fd tree = p->rootfs_tree;
	if (tree < 0)
		tree = clone_root(c);
	if (tree < 0)
		return tree;

	/* Before the mounts, whose own options have the last word. */
	if (p->root_propagation & (MS_PRIVATE | MS_SLAVE)) {
		r = propagate(tree, p->root_propagation);
		if (r < 0)
			return r;
	}
	if (move_mount(tree, "", AT_FDCWD, p->rootfs, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, p->rootfs, -errno);
	c->root = take_fd(&tree);
	return 0;
}

int step_pivot(struct child *c)
{
	const struct plan *p = c->plan;

	if (fchdir(c->root) < 0)
		return -errno;
	if (!p->has_mntns)
		return chroot(".") < 0 ? -errno : 0;

	if (p->no_pivot) {
		if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
			return -errno;
	} else {
		/* The old root is stacked on the new one and comes off at once: no directory for
		 * it is needed. */
		if (sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
			return -errno;
	}
	/* A shared root cannot be pivoted to, and an unbindable one not be bound from. */
	if (!(p->root_propagation & (MS_SHARED | MS_UNBINDABLE)))
		return 0;
	int r = propagate(c->root, p->root_propagation);
	return r < 0 || !(p->root_propagation & MS_REC) ? r : mounts_propagate(c);
}

int step_readonly_root(struct child *c)
{
	if (!c->plan->root_readonly || !c->plan->has_mntns)
		return 0;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	return mount_setattr(c->root, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0 ? -errno : 0;
}
