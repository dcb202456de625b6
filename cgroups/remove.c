/*
 * Removal of a group. The common case is one rmdir. Else the groups that the workload made below it
 * go first, deepest first. The walk holds one directory at a time and steps back by "..", so that
 * no depth of nesting runs us out of descriptors, stack or path length; cgroupfs has no symbolic
 * links and no rename, so ".." is where we came from, and the depth is counted all the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "cgroups/internal.h"

enum { REMOVE_TIMEOUT_MS = 2000 };

static int64_t now_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* rmdir, given that an exiting process may be counted a moment longer than its parent waits for it.
 * Short naps that double: cgroup.events is no help, its notifications are 10 ms apart. */
static int remove_one(int dir, const char *name, int64_t deadline)
{
	for (long nap_us = 50;; nap_us = nap_us < 10000 ? nap_us * 2 : nap_us) {
		if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY || now_us() >= deadline)
			return -errno;
		struct timespec nap = { .tv_nsec = nap_us * 1000 };
		(void)nanosleep(&nap, NULL);
	}
}

/* Name of some group directly below the open directory fd. 0: there is none. */
static int first_below(int fd, char name[NAME_MAX + 1])
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	int found = 0;
	if (!dir) {
		close_fd(&copy);
		return errno == ENOENT ? 0 : -errno;
	}
	for (struct dirent *e; !found && (e = readdir(dir));)
		if (e->d_type == DT_DIR && e->d_name[0] != '.') {
			(void)snprintf(name, NAME_MAX + 1, "%s", e->d_name);
			found = 1;
		}
	(void)closedir(dir);
	return found;
}

static int enter(int *fd, const char *name)
{
	int next = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return -errno;
	close_fd(fd);
	*fd = next;
	return 0;
}

/* Removes the group name in dir. 1: it has groups below it that must go first. */
static int remove_leaf(int dir, const char *name, int64_t deadline)
{
	char below[NAME_MAX + 1];
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY)
		return -errno;
	auto_fd fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int has_below = fd < 0 ? -errno : first_below(fd, below);
	if (has_below == 0)
		return remove_one(dir, name, deadline);
	return has_below == -ENOENT ? 0 : has_below;
}

/* Removes all groups below start. Having stepped back, a group is met again, now without any. */
static int remove_below(int start, int64_t deadline)
{
	char name[NAME_MAX + 1];
	auto_fd fd = openat(start, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	for (size_t depth = 0;;) {
		int found = first_below(fd, name);
		TRY(found);
		if (!found && depth == 0)
			return 0;
		if (!found) {
			TRY(enter(&fd, ".."));
			depth--;
			continue;
		}
		int deeper = remove_leaf(fd, name, deadline);
		if (deeper > 0 && enter(&fd, name) == 0)
			depth++;
		TRY(deeper);
	}
}

/* Empty ancestors that carry our mark, up to the mount. */
static void remove_marked_parents(struct cgroup *cg)
{
	size_t mount = strlen(cg->fs_path) - strlen(cg->path);
	for (;;) {
		char *slash = strrchr(cg->fs_path, '/');
		char mark;
		*slash = '\0';
		if (strlen(cg->fs_path) <= mount ||
		    getxattr(cg->fs_path, CGROUP_MARK, &mark, 1) < 0 || rmdir(cg->fs_path) < 0)
			return;
	}
}

int cgroup_missing(const char *path, bool *ret_missing, uint32_t *ret_kept, struct csn_error *err)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;

	TRY(cgroup_name(path, &cg, err));
	size_t mount = strlen(cg.fs_path) - strlen(cg.path), whole = strlen(cg.path), kept = whole;
	while (kept > 0 && access(cg.fs_path, F_OK) < 0) {
		if (errno != ENOENT)
			return fail_errno(err, "cgroup \"%s\"", path);
		*strrchr(cg.fs_path, '/') = '\0';
		kept = strlen(cg.fs_path) - mount;
	}
	*ret_missing = kept < whole;
	*ret_kept = (uint32_t)kept;
	return 0;
}

void cgroup_remove_above(const char *path, uint32_t kept)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;

	if (cgroup_name(path, &cg, NULL) < 0)
		return;
	size_t mount = strlen(cg.fs_path) - strlen(cg.path);
	do
		*strrchr(cg.fs_path, '/') = '\0';
	while (strlen(cg.fs_path) > mount + kept && rmdir(cg.fs_path) == 0);
}

int cgroup_remove_empty(const char *path, struct csn_error *err)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;

	TRY(cgroup_name(path, &cg, err));
	if (rmdir(cg.fs_path) < 0 && errno != ENOENT)
		return fail_errno(err, "remove cgroup \"%s\"", path);
	remove_marked_parents(&cg);
	return 0;
}

int cgroup_remove(const char *path, struct csn_error *err)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;

	TRY(cgroup_name(path, &cg, err));
	/* Nothing below it, and nobody in it: the common case is one call. */
	int r = rmdir(cg.fs_path) == 0 || errno == ENOENT ? 0 : -errno;
	if (r == -EBUSY) {
		int64_t deadline = now_us() + INT64_C(1000) * REMOVE_TIMEOUT_MS;
		auto_fd dir = open(cg.fs_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = dir >= 0 ? remove_below(dir, deadline) : errno == ENOENT ? 0 : -errno;
		if (r == 0)
			r = remove_one(AT_FDCWD, cg.fs_path, deadline);
	}
	if (r < 0)
		return fail(err, -r, "remove cgroup \"%s\": %s", path, strerror(-r));
	remove_marked_parents(&cg);
	return 0;
}
