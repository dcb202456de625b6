/*
 * tmpcopyup: what a tmpfs covers is copied into it first. Directories, files, links and nodes with
 * their modes, owners, times and extended attributes (a file's capabilities are one). Depth is
 * bounded, and no symlink of the tree is ever followed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "init/child.h"

enum { COPY_DEPTH_MAX = 32, NAMES_MAX = 4096, VALUE_MAX = 4096 };

/* getdents64(2) */
struct kernel_dirent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static int copy_bytes(int from, int to)
{
	for (;;) {
		ssize_t n = sendfile(to, from, NULL, 1 << 20);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
	}
}

/* What tmpfs cannot hold (user.* before Linux 6.6) or is larger than what anybody writes stays
 * behind; so does what the label of the new mount decides. */
static int copy_xattrs(int from, int to)
{
	char names[NAMES_MAX], value[VALUE_MAX];
	ssize_t size = flistxattr(from, names, sizeof names);

	for (ssize_t at = 0; at < size; at += (ssize_t)__builtin_strlen(names + at) + 1) {
		ssize_t n = fgetxattr(from, names + at, value, sizeof value);
		if (n >= 0 && fsetxattr(to, names + at, value, (size_t)n, 0) < 0 && errno == ENOSPC)
			return -ENOSPC;
	}
	return 0;
}

/* Owner first: a change of it takes set-user-id bits and file capabilities away. */
static int copy_metadata(int from, int to, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	int r = copy_xattrs(from, to);
	return r < 0 ? r : futimens(to, times) < 0 ? -errno : 0;
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	step_fd from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return -errno;
	step_fd to =
		openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	int r = copy_bytes(from, to);
	return r < 0 ? r : copy_metadata(from, to, st);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof target - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, to_dir, name) < 0)
		return -errno;
	return fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_dir(int from, int to, int depth);

static int copy_entry(int from_dir, int to_dir, const char *name, int depth)
{
	struct stat st;
	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return copy_file(from_dir, to_dir, name, &st);
	if (S_ISLNK(st.st_mode))
		return copy_link(from_dir, to_dir, name, &st);
	if (!S_ISDIR(st.st_mode)) {
		if (mknodat(to_dir, name, st.st_mode, st.st_rdev) < 0)
			return -errno;
		return fchownat(to_dir, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0
			       ? -errno
			       : 0;
	}

	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	step_fd from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	step_fd to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0 || to < 0)
		return -errno;
	int r = copy_dir(from, to, depth + 1);
	return r < 0 ? r : copy_metadata(from, to, &st);
}

static int copy_dir(int from, int to, int depth)
{
	_Alignas(struct kernel_dirent) char buf[4096];

	if (depth > COPY_DEPTH_MAX)
		return -ELOOP;
	for (;;) {
		long n = syscall(SYS_getdents64, from, buf, sizeof buf);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (long at = 0; at < n;) {
			const struct kernel_dirent *e = (const void *)(buf + at);
			at += e->reclen;
			if (e->name[0] == '.' &&
			    (e->name[1] == '\0' || (e->name[1] == '.' && e->name[2] == '\0')))
				continue;
			int r = copy_entry(from, to, e->name, depth);
			if (r < 0)
				return r;
		}
	}
}

int copy_tree(int from_path, int to_mount)
{
	step_fd from = openat(from_path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	step_fd to = openat(to_mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return -errno;
	int r = copy_dir(from, to, 0);
	return r < 0 ? r : copy_metadata(from, to, &st);
}
