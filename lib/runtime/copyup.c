/*
 * What an image has at a path, copied into a directory of ours: files, directories, links, nodes
 * and FIFOs with owner, mode, times and extended attributes; hard links among them stay. The image
 * is read layer by layer by fd (merged.c): no link of it is ever followed here, so that nothing of
 * the host can be copied, and nothing outside of the directory written.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/path.h"
#include "runtime/merged.h"
#include "runtime/volumes.h"

enum { DEPTH_MAX = 100, NAMES_SIZE = 64 << 10, VALUE_SIZE = 64 << 10 };
#define OVERLAY_PREFIX "trusted.overlay."

/* A file with several names, and where the first of them was copied to. */
struct link {
	dev_t dev;
	ino_t ino;
	char *path;
};

struct copying {
	int root;
	char path[PATH_MAX]; /* below root, of what is copied just now */
	struct link *links;
	size_t links_count;
	char *names, *value;
};

static void copying_done(struct copying *c)
{
	for (size_t i = 0; i < c->links_count; i++)
		free(c->links[i].path);
	free(c->links);
	free(c->names);
	free(c->value);
}

/* ---- one thing --------------------------------------------------------------------------------
 */

static int copy_bytes(int from, int to)
{
	for (;;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
		if (n < 0 &&
		    (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS))
			n = sendfile(to, from, NULL, 1 << 30);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
	}
}

/* What the file system of the copy cannot hold stays behind; overlayfs' own words do always. */
static int copy_xattrs(struct copying *c, int from, int to)
{
	ssize_t size = flistxattr(from, c->names, NAMES_SIZE);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(c->names + at) + 1) {
		const char *name = c->names + at;
		if (strncmp(name, OVERLAY_PREFIX, strlen(OVERLAY_PREFIX)) == 0)
			continue;
		ssize_t n = fgetxattr(from, name, c->value, VALUE_SIZE);
		if (n >= 0 && fsetxattr(to, name, c->value, (size_t)n, 0) < 0 && errno == ENOSPC)
			return -ENOSPC;
	}
	return 0;
}

/* Owner first: a change of it takes set-user-id bits and file capabilities away. */
static int copy_metadata(struct copying *c, int from, int to)
{
	struct stat st;
	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
	    fchmod(to, st.st_mode & 07777) < 0)
		return -errno;
	TRY(copy_xattrs(c, from, to));
	const struct timespec times[] = { st.st_atim, st.st_mtim };
	return futimens(to, times) < 0 ? -errno : 0;
}

static int copy_file(struct copying *c, int from_dir, int to_dir, const char *name)
{
	auto_fd from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return -errno;
	auto_fd to =
		openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	TRY(copy_bytes(from, to));
	return copy_metadata(c, from, to);
}

static int set_itself(int to_dir, const char *name, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0))
		return -errno;
	return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
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
	return set_itself(to_dir, name, st);
}

static int copy_node(int to_dir, const char *name, const struct stat *st)
{
	if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0)
		return -errno;
	return set_itself(to_dir, name, st);
}

/* ---- names of one file ------------------------------------------------------------------------
 */

/* 1: it was copied before and has one name more now. 0: it is the first of them. */
static int link_again(struct copying *c, const struct stat *st)
{
	for (size_t i = 0; i < c->links_count; i++)
		if (c->links[i].ino == st->st_ino && c->links[i].dev == st->st_dev)
			return linkat(c->root, c->links[i].path, c->root, c->path, 0) < 0 ? -errno
											  : 1;
	struct link *grown = reallocarray(c->links, c->links_count + 1, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	c->links = grown;
	char *path = strdup(c->path);
	if (!path)
		return -ENOMEM;
	grown[c->links_count++] = (struct link){ st->st_dev, st->st_ino, path };
	return 0;
}

/* ---- directories ------------------------------------------------------------------------------
 */

static int copy_dir(struct copying *c, const struct union_dir *from, int to, int depth);

static int copy_subdir(struct copying *c, const struct union_dir *from, size_t index, int to_dir,
		       const char *name, int depth)
{
	struct union_dir down AUTO(union_done) = { 0 };
	if (depth == DEPTH_MAX)
		return -ELOOP;
	TRY(union_descend(from, name, index, &down));
	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	auto_fd to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return -errno;
	TRY(copy_dir(c, &down, to, depth + 1));
	return copy_metadata(c, down.fds[0], to);
}

static int copy_entry(struct copying *c, const struct union_dir *from, size_t index, int to_dir,
		      const char *name, const struct stat *st, int depth)
{
	int from_dir = from->fds[index];
	if (S_ISDIR(st->st_mode))
		return copy_subdir(c, from, index, to_dir, name, depth);
	int again = st->st_nlink > 1 ? link_again(c, st) : 0;
	if (again)
		return again < 0 ? again : 0;
	if (S_ISREG(st->st_mode))
		return copy_file(c, from_dir, to_dir, name);
	return S_ISLNK(st->st_mode) ? copy_link(from_dir, to_dir, name, st)
				    : copy_node(to_dir, name, st);
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Of one layer's part of a directory: what no layer above it has. */
static int copy_layer(struct copying *c, const struct union_dir *from, size_t layer, int to,
		      int depth)
{
	int copy = openat(from->fds[layer], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d AUTO(close_dir)
	= copy < 0 ? NULL : fdopendir(copy);
	size_t above = strlen(c->path);
	if (!d) {
		close_fd(&copy);
		return -errno;
	}
	for (struct dirent *e; (e = readdir(d));) {
		struct stat st;
		size_t index = 0;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		int r = union_stat(from, e->d_name, &st, &index);
		if (r == -ENOENT || (r == 0 && index != layer))
			continue;
		if (r < 0)
			return r;
		size_t n = strlen(e->d_name);
		if (above + n + 2 > sizeof c->path)
			return -ENAMETOOLONG;
		(void)snprintf(c->path + above, sizeof c->path - above, "%s%s", above ? "/" : "",
			       e->d_name);
		/* On failure the path stays as it is: the error names it. */
		TRY(copy_entry(c, from, index, to, e->d_name, &st, depth));
		c->path[above] = '\0';
	}
	return 0;
}

static int copy_dir(struct copying *c, const struct union_dir *from, int to, int depth)
{
	for (size_t i = 0; i < from->count; i++)
		TRY(copy_layer(c, from, i, to, depth));
	return 0;
}

int image_copy_dir(const struct csn_runtime *rt, const struct spec_strings *layers,
		   const char *path, int to, struct csn_error *err)
{
	struct copying c AUTO(copying_done) = { .root = to };
	struct union_dir from AUTO(union_done) = { 0 };
	int r = merged_dir(rt, layers, path, &from, err);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	TRY(r);
	c.names = malloc(NAMES_SIZE);
	c.value = malloc(VALUE_SIZE);
	if (!c.names || !c.value)
		return fail(err, ENOMEM, "out of memory");
	r = copy_dir(&c, &from, to, 0);
	if (r == 0)
		r = copy_metadata(&c, from.fds[0], to);
	if (r < 0)
		return fail(err, -r, "copy %s/%s of the image: %s", path, c.path, strerror(-r));
	return 1;
}
