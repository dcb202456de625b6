/*
 * Device nodes and the links of /dev. Nodes are made with mknod, or, in a user namespace, by
 * binding the host's node over an empty file.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "init/child.h"

/* The directory of the last item: nearly all of them are in /dev, so it is worth keeping. */
struct last_dir {
	int fd;
	char path[64];
};

static int open_parent(struct child *c, struct last_dir *last, const char *path,
		       const char **ret_name)
{
	int fresh = fresh_dir(c, FRESH_EMPTY, path, ret_name);
	if (fresh >= 0)
		return fresh;

	size_t cut = __builtin_strlen(path);
	while (cut > 0 && path[cut - 1] != '/')
		cut--;
	if (last->fd >= 0 && last->path[cut] == '\0' &&
	    __builtin_memcmp(last->path, path, cut) == 0) {
		*ret_name = path + cut;
		return last->fd;
	}

	leave_fd(&last->fd);
	last->fd = inroot_parent(c, path, ret_name);
	__builtin_memset(last->path, 0, sizeof last->path);
	if (last->fd >= 0 && cut < sizeof last->path)
		__builtin_memcpy(last->path, path, cut);
	else if (last->fd >= 0)
		last->path[0] = '\0'; /* too long to remember: cut is never 0 */
	return last->fd;
}

static int check_existing(int dir, const char *name, const struct plan_device *d)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != (d->mode & S_IFMT))
		return -EEXIST;
	return S_ISFIFO(d->mode) || st.st_rdev == d->rdev ? 0 : -EEXIST;
}

static int bind_node(struct child *c, int dir, const char *name, const struct plan_device *d)
{
	step_fd node = open(d->path, O_PATH | O_CLOEXEC);
	struct stat st;
	if (node < 0 || fstat(node, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != (d->mode & S_IFMT) || st.st_rdev != d->rdev)
		return -ENODEV;

	step_fd file =
		openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY | O_CLOEXEC, 0644);
	if (file < 0 && errno != EEXIST)
		return -errno;
	step_fd target = inroot_open(c, d->path, INROOT_NOFOLLOW);
	if (target < 0)
		return target;
	step_fd tree = open_tree(node, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return tree < 0 ? -errno : attach_tree(tree, target);
}

static int make_device(struct child *c, struct last_dir *last, const struct plan_device *d)
{
	const char *name;
	int dir = open_parent(c, last, d->path, &name);
	if (dir < 0)
		return dir;
	if (c->plan->bind_devices && !S_ISFIFO(d->mode))
		return bind_node(c, dir, name, d);

	/* umask is 0 here, so mknod's mode is final. */
	if (mknodat(dir, name, d->mode, d->rdev) < 0) {
		if (errno == EEXIST)
			return check_existing(dir, name, d);
		if (errno != EPERM || S_ISFIFO(d->mode))
			return -errno;
		/* The config's own rules may deny it; the host may have no such node either. */
		int r = bind_node(c, dir, name, d);
		return r == -ENOENT ? -EPERM : r;
	}
	if ((d->uid || d->gid) && fchownat(dir, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (dir != last->fd && d->rdev == makedev(1, 3) && S_ISCHR(d->mode) &&
	    same(d->path, "/dev/null"))
		c->null_dir = dir;
	return 0;
}

int step_devices(struct child *c)
{
	struct last_dir last = { .fd = -1 };

	for (size_t i = 0; i < c->plan->devices_count; i++) {
		const struct plan_device *d = &c->plan->devices[i];
		int r = make_device(c, &last, d);
		if (r < 0)
			return report_at(c, SYNC_DETAIL_DEVICE, i, d->path, r);
	}
	for (size_t i = 0; i < c->plan->symlinks_count; i++) {
		const struct plan_symlink *l = &c->plan->symlinks[i];
		const char *name;
		int dir = open_parent(c, &last, l->path, &name);
		if (dir < 0)
			return report_at(c, SYNC_DETAIL_PATH, i, l->path, dir);
		if (symlinkat(l->target, dir, name) == 0)
			continue;
		if (errno == EEXIST && !l->replace)
			continue;
		if (errno != EEXIST || unlinkat(dir, name, 0) < 0 ||
		    symlinkat(l->target, dir, name) < 0)
			return report_at(c, SYNC_DETAIL_PATH, i, l->path, -errno);
	}
	leave_fd(&last.fd);
	return 0;
}
