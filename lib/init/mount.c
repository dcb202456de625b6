/*
 * The mounts of the plan, in listed order. A mount is made or taken detached, gets its attributes
 * while nobody can see it, and is then moved onto a target that was opened inside the root.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "init/child.h"

/* What fsmount(2) takes at birth; the rest goes through mount_setattr. */
#define FSMOUNT_ATTRS                                                                              \
	((uint64_t)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | \
		    MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW))

static int set_options(int fs, const struct plan_mount *m)
{
	for (size_t i = 0; i < m->options_count; i++) {
		const struct plan_fsopt *o = &m->options[i];
		unsigned cmd = o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
		if (fsconfig(fs, cmd, o->key, o->value, 0) < 0)
			return -errno;
	}
	return 0;
}

static int set_attributes(int fd, const struct plan_mount *m, uint64_t done)
{
	struct mount_attr own = { .attr_set = m->attr_set & ~done, .attr_clr = m->attr_clr };
	struct mount_attr all = { .attr_set = m->rec_attr_set, .attr_clr = m->rec_attr_clr };

	/* A read-only tmpfs or /dev is filled first. */
	if (m->flags & PLAN_READONLY_LATE)
		own.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	if ((own.attr_set || (own.attr_clr && !done)) &&
	    mount_setattr(fd, "", AT_EMPTY_PATH, &own, sizeof own) < 0)
		return -errno;
	if ((all.attr_set || all.attr_clr) &&
	    mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &all, sizeof all) < 0)
		return -errno;
	return 0;
}

static int set_propagation(int fd, const struct plan_mount *m)
{
	for (size_t i = 0; i < COUNT(m->propagation) && m->propagation[i]; i++) {
		struct mount_attr attr = { .propagation =
						   m->propagation[i] & ~(unsigned long)MS_REC };
		unsigned flags = AT_EMPTY_PATH;
		if (m->propagation[i] & MS_REC)
			flags |= AT_RECURSIVE;
		if (mount_setattr(fd, "", flags, &attr, sizeof attr) < 0)
			return -errno;
	}
	return 0;
}

static int configure(int fs, const struct plan_mount *m)
{
	if (m->device && fsconfig(fs, FSCONFIG_SET_STRING, "source", m->device, 0) < 0)
		return -errno;
	int r = set_options(fs, m);
	if (r < 0)
		return r;
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno : 0;
}

/* The kernel explains a refusal better than its errno: "e tmpfs: Unknown parameter 'x'\n". */
static void keep_words(struct child *c, int fs)
{
	char *says = c->report.says;
	ssize_t n = read(fs, says, sizeof c->report.says - 1);
	if (n < 3)
		n = 0;
	else if (says[n - 1] == '\n')
		n--;
	says[n > 0 ? n : 0] = '\0';
}

static int make_new(struct child *c, const struct plan_mount *m)
{
	step_fd fs = fsopen(m->fstype, FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	int r = configure(fs, m);
	if (r < 0) {
		keep_words(c, fs);
		return r;
	}

	uint64_t attrs = m->attr_set & FSMOUNT_ATTRS;
	if (m->flags & PLAN_READONLY_LATE)
		attrs &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attrs);
	return fd < 0 ? -errno : fd;
}

/*
 * Outside a cgroup namespace a fresh cgroup2 mount would show, and change the options of, the
 * host's whole hierarchy: there the container's own directory is bound instead.
 */
static int make_cgroup(struct child *c, const struct plan_mount *m, bool *ret_fresh)
{
	bool own_view = c->plan->late_flags & CLONE_NEWCGROUP;
	for (size_t i = 0; i < c->plan->joins_count; i++)
		own_view |= c->plan->joins[i].flag == CLONE_NEWCGROUP;

	if (own_view) {
		struct plan_mount fresh = *m;
		fresh.fstype = "cgroup2";
		int fd = make_new(c, &fresh);
		*ret_fresh = fd >= 0;
		if (fd >= 0 || (fd != -EPERM && fd != -EBUSY))
			return fd;
	}
	c->report.says[0] = '\0';
	int fd = open_tree(AT_FDCWD, c->plan->cgroup_dir, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int bind_inside(const struct child *c, const struct plan_mount *m)
{
	step_fd from = inroot_open(c, m->device, 0);
	if (from < 0)
		return from;
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	if (m->flags & PLAN_RECURSIVE)
		flags |= AT_RECURSIVE;
	int fd = open_tree(from, "", flags);
	return fd < 0 ? -errno : fd;
}

static int remount(struct child *c, const struct plan_mount *m)
{
	step_fd fd = inroot_open(c, m->target, 0);
	if (fd < 0)
		return fd;
	if (m->options_count) {
		step_fd fs = fspick(fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
		if (fs < 0)
			return -errno;
		int r = set_options(fs, m);
		if (r < 0)
			return r;
		if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
			return -errno;
	}
	int r = set_attributes(fd, m, 0);
	return r < 0 ? r : set_propagation(fd, m);
}

/* copy-symlink: one that is there and says the same is as good. */
static int copy_symlink(struct child *c, const struct plan_mount *m)
{
	const char *name;
	char says[PATH_MAX];
	step_fd dir = inroot_parent(c, m->target, &name);
	if (dir < 0)
		return dir;
	if (symlinkat(m->device, dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	ssize_t n = readlinkat(dir, name, says, sizeof says);
	size_t len = __builtin_strlen(m->device);
	return n == (ssize_t)len && __builtin_memcmp(says, m->device, len) == 0 ? 0 : -EEXIST;
}

/*
 * Where a mount goes: *ret_name in the directory returned, or that itself when it is "". Most
 * targets have no symlink on the way; where the others are (*ret_known false), no name tells.
 */
static int open_target(struct child *c, const struct plan_mount *m, const char **ret_name,
		       bool *ret_known)
{
	unsigned how = (m->flags & PLAN_TARGET_FILE ? INROOT_FILE : 0) |
		       (m->flags & PLAN_TARGET_ITSELF ? INROOT_ITSELF : 0);
	int dir = how || (m->flags & PLAN_TMPCOPYUP)
			  ? -1
			  : fresh_dir(c, FRESH_EMPTY, m->target, ret_name);
	*ret_known = true;
	if (dir >= 0 && mkdirat(dir, *ret_name, 0755) == 0)
		return dir;

	*ret_name = "";
	int target = inroot_make(c, m->target, how | INROOT_NOFOLLOW);
	if (target != -ELOOP || m->flags & PLAN_TARGET_NOFOLLOW) {
		fresh_covered(c, m->target);
		return target;
	}
	fresh_forget(c);
	*ret_known = false;
	return inroot_make(c, m->target, how);
}

static int mount_one(struct child *c, const struct plan_mount *m)
{
	if (m->source == PLAN_MOUNT_REMOUNT)
		return remount(c, m);
	if (m->source == PLAN_MOUNT_SYMLINK)
		return copy_symlink(c, m);
	if (m->source == PLAN_MOUNT_REMOVE)
		return umount2(m->target, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0;

	const char *name;
	bool known;
	step_fd target = open_target(c, m, &name, &known);
	if (target < 0)
		return target;

	bool fresh = m->source == PLAN_MOUNT_NEW;
	step_fd fd = m->source == PLAN_MOUNT_NEW      ? make_new(c, m)
		     : m->source == PLAN_MOUNT_CGROUP ? make_cgroup(c, m, &fresh)
		     : m->source == PLAN_MOUNT_INSIDE ? bind_inside(c, m)
						      : m->tree_fd;
	if (fd < 0)
		return fd;

	int r = set_attributes(fd, m, fresh ? FSMOUNT_ATTRS : 0);
	if (r < 0)
		return r;
	if (m->flags & PLAN_TMPCOPYUP) {
		r = copy_tree(target, fd);
		if (r < 0)
			return r;
	}
	r = attach_at(fd, target, name);
	if (r == 0)
		r = set_propagation(fd, m);
	if (r == 0 && known && m->source == PLAN_MOUNT_NEW && !c->plan->mounts_only)
		fresh_add(c, &fd, m->fstype, m->target);
	return r;
}

/* A container that lives on keeps all of the new mounts or none. */
static void take_back(const struct plan *p, size_t count)
{
	while (p->mounts_only && count-- > 0)
		if (p->mounts[count].source != PLAN_MOUNT_REMOVE &&
		    p->mounts[count].source != PLAN_MOUNT_REMOUNT)
			(void)umount2(p->mounts[count].target, MNT_DETACH);
}

int step_mounts(struct child *c)
{
	/* Targets that are missing are made: by the container's root, where that is not ours. */
	if (c->plan->mounts_only && (c->plan->join_flags & CLONE_NEWUSER) &&
	    (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0))
		return -errno;
	for (size_t i = 0; i < c->plan->mounts_count; i++) {
		const struct plan_mount *m = &c->plan->mounts[i];
		int r = mount_one(c, m);
		if (r < 0) {
			take_back(c->plan, i);
			return report_at(c, SYNC_DETAIL_MOUNT, i, m->target, r);
		}
	}
	return 0;
}

int mounts_propagate(struct child *c)
{
	for (size_t i = 0; i < c->plan->mounts_count; i++) {
		const struct plan_mount *m = &c->plan->mounts[i];
		if (!m->propagation[0])
			continue;
		step_fd fd = inroot_open(c, m->target, 0);
		int r = fd < 0 ? fd : set_propagation(fd, m);
		if (r < 0)
			return report_at(c, SYNC_DETAIL_MOUNT, i, m->target, r);
	}
	return 0;
}

int step_late_readonly(struct child *c)
{
	for (size_t i = 0; i < c->plan->mounts_count; i++) {
		const struct plan_mount *m = &c->plan->mounts[i];
		if (!(m->flags & PLAN_READONLY_LATE))
			continue;

		struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
		step_fd fd = inroot_open(c, m->target, 0);
		if (fd < 0)
			return report_at(c, SYNC_DETAIL_MOUNT, i, m->target, fd);
		if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
			return report_at(c, SYNC_DETAIL_MOUNT, i, m->target, -errno);
	}
	return 0;
}
