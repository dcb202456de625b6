/*
 * Where groups are made. A group that holds processes can give controllers to nobody below it, so
 * whoever lives in a group of its own and wants groups there must move down first: our group's
 * processes go to "init", the new groups below "containers". That is done to a group that its owner
 * has handed over (systemd marks those that it delegates), or that is all we can see.
 *
 * Doing it again changes nothing: one who is in "init" beside "containers" has done it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "cgroups/internal.h"

#define OURS	   "init"
#define CONTAINERS "containers"

/* A directory below the mount as an open group; path "/" too. */
static int open_level(const char *mount, const char *path, struct cgroup *ret)
{
	*ret = (struct cgroup)CGROUP_INIT;
	ret->path = strdup(path);
	if (asprintf(&ret->fs_path, "%s%s", mount, strcmp(path, "/") == 0 ? "" : path) < 0)
		ret->fs_path = NULL;
	if (!ret->path || !ret->fs_path)
		return -ENOMEM;
	ret->dir = open(ret->fs_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return ret->dir < 0 ? -errno : 0;
}

/* Groups can be made in it: neither its mount nor its mode is against that. */
static bool is_writable(const struct cgroup *cg)
{
	return faccessat(cg->dir, ".", W_OK, AT_EACCESS) == 0 &&
	       faccessat(cg->dir, "cgroup.subtree_control", W_OK, AT_EACCESS) == 0;
}

/* systemd says so of the groups of units with Delegate=. */
static bool is_delegated(const struct cgroup *cg)
{
	static const char *const names[] = { "trusted.delegate", "user.delegate" };
	char value;
	for (size_t i = 0; i < COUNT(names); i++)
		if (fgetxattr(cg->dir, names[i], &value, 1) == 1 && value == '1')
			return true;
	return false;
}

/* The kernel's root may hold processes and give controllers all the same. */
static bool is_kernel_root(const struct cgroup *cg)
{
	return !cgroup_has_file(cg, "cgroup.events");
}

static bool has_processes(const struct cgroup *cg)
{
	char first;
	auto_fd fd = openat(cg->dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &first, 1) == 1;
}

/* The group is the one that /proc says we are in, and not another of that name: a mount may show
 * more than our cgroup namespace does. */
static bool holds_us(const struct cgroup *cg)
{
	auto_mem char *pids = NULL;
	char us[16];
	size_t size = 0;
	(void)snprintf(us, sizeof us, "%d\n", (int)getpid());
	if (file_read(cg->dir, "cgroup.procs", 16 << 20, &pids, &size, NULL) < 0)
		return false;
	for (const char *at = pids; (at = strstr(at, us)); at++)
		if (at == pids || at[-1] == '\n')
			return true;
	return false;
}

/* ---- moving down ------------------------------------------------------------------------------
 */

static int move_listed(const struct cgroup *from, int to)
{
	char pids[4096];
	ssize_t n = read_value(from, "cgroup.procs", pids, sizeof pids);
	if (n < 0)
		return (int)n;
	char *save = NULL;
	/* A pid at the end may be cut: the next round has it. */
	if (n == (ssize_t)sizeof pids - 1 && strrchr(pids, '\n'))
		*strrchr(pids, '\n') = '\0';
	for (char *pid = strtok_r(pids, "\n", &save); pid; pid = strtok_r(NULL, "\n", &save))
		if (write(to, pid, strlen(pid)) < 0 && errno != ESRCH)
			return -errno;
	return 0;
}

/* Until none is left: they fork while we move them. */
static int move_processes(const struct cgroup *from, struct csn_error *err)
{
	enum { ROUNDS = 1000 };
	auto_fd to = openat(from->dir, OURS "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	int r = to < 0 ? -errno : 0;
	for (int i = 0; r == 0 && i < ROUNDS && has_processes(from); i++)
		r = move_listed(from, to);
	if (r == 0 && has_processes(from))
		r = -EBUSY;
	return r < 0 ? fail(err, -r, "cgroup \"%s\": move its processes to \"%s\": %s", from->path,
			    OURS, strerror(-r))
		     : 0;
}

static int split(const struct cgroup *cg, struct csn_error *err)
{
	static const char *const below[] = { OURS, CONTAINERS };
	for (size_t i = 0; i < COUNT(below); i++)
		if (mkdirat(cg->dir, below[i], 0755) < 0 && errno != EEXIST)
			return fail_errno(err, "make cgroup \"%s/%s\"", cg->path, below[i]);
	return move_processes(cg, err);
}

/* ---- choosing ---------------------------------------------------------------------------------
 */

static int fail_no_parent(const char *mount, struct csn_error *err)
{
	return fail(err, EROFS,
		    "no cgroup to make groups in can be written (cgroup2 is at %s): mount it "
		    "read-write, or run in a systemd unit with Delegate=yes, or name a group with "
		    "--cgroup-parent or CAISSON_CGROUP_PARENT",
		    mount);
}

static int give(const char *path, const char *below, char *buf, size_t size, struct csn_error *err)
{
	int n = snprintf(buf, size, "%s/%s", strcmp(path, "/") == 0 ? "" : path, below);
	return (size_t)n < size ? 0
				: fail(err, ENAMETOOLONG, "cgroup \"%.100s...\": too long", path);
}

/* One that was named. It is made with the first group below it, and removed with the last: here
 * only what there is of it is looked at. */
static int named(const char *path, char *buf, size_t size, struct csn_error *err)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	TRY(within(err, cgroup_name(path, &cg, err), "cgroup parent"));
	int n = snprintf(buf, size, "%s", path);
	if ((size_t)n >= size)
		return fail(err, ENAMETOOLONG, "cgroup parent \"%.100s...\": too long", path);
	size_t mount = strlen(cg.fs_path) - strlen(path);
	while ((cg.dir = open(cg.fs_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		char *slash = strrchr(cg.fs_path, '/');
		if (errno != ENOENT || (size_t)(slash - cg.fs_path) < mount)
			return fail_errno(err, "cgroup parent \"%s\"", path);
		*slash = '\0';
	}
	return is_writable(&cg)
		       ? 0
		       : fail(err, EACCES, "cgroup parent \"%s\": cannot be written", path);
}

/* Who is in "init" has moved there, if the group around it is one to split: its parent counts. */
static void step_up(char *own)
{
	char *slash = strrchr(own, '/');
	if (strcmp(slash + 1, OURS) == 0)
		slash[slash == own] = '\0';
}

/* Our own group, or the root where that is all there is; 1: neither is for us. */
static int own(const char *mount, char *buf, size_t size, struct csn_error *err)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	struct cgroup up AUTO(cgroup_close) = CGROUP_INIT;
	char path[PATH_MAX];
	/* "/../x" is a group outside of our cgroup namespace. */
	if (cgroup_of(0, path, sizeof path, NULL) < 0 || strncmp(path, "/..", 3) == 0 ||
	    open_level(mount, path, &cg) < 0 || !holds_us(&cg))
		return 1;
	bool delegated = is_delegated(&cg);
	if (!delegated)
		step_up(path);
	if (strcmp(path, cg.path) != 0) {
		if (open_level(mount, path, &up) < 0)
			return 1;
		delegated = is_delegated(&up);
	}
	const struct cgroup *top = up.dir >= 0 ? &up : &cg;
	bool all_we_see = strcmp(path, "/") == 0 && !is_kernel_root(top) &&
			  (has_processes(top) || top == &up);
	if ((!delegated && !all_we_see) || !is_writable(top))
		return 1;
	TRY(split(top, err));
	return give(path, CONTAINERS, buf, size, err);
}

int cgroup_choose_parent(const char *asked, const char *from_env, char *buf, size_t size,
			 struct csn_error *err)
{
	char mount[PATH_MAX];
	if (asked && *asked)
		return named(asked, buf, size, err);
	if (from_env && *from_env)
		return within(err, named(from_env, buf, size, err), "CAISSON_CGROUP_PARENT");
	TRY(cgroup_find_mount(mount, sizeof mount, err));
	int r = own(mount, buf, size, err);
	if (r <= 0)
		return r;
	struct cgroup root AUTO(cgroup_close) = CGROUP_INIT;
	if (open_level(mount, "/", &root) < 0 || !is_writable(&root))
		return fail_no_parent(mount, err);
	return give("/", "caisson", buf, size, err);
}
