/*
 * Looking into an image without mounting it: the same union that overlayfs will show, worked out
 * by hand. A directory of the image is that directory in several layers, from the top down until
 * one marks it opaque, has a whiteout (a character device 0:0) in its place, or something that is
 * no directory. Symbolic links are followed inside the image: an absolute one, and "..", start at
 * the image's root. No host path is ever resolved: each step opens one plain name with O_NOFOLLOW.
 *
 * Mounting an overlay for it would take a mount namespace's locks and, below Linux 6.8, fail for
 * more than a dozen layers (fsconfig values end at 255 bytes).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/path.h"
#include "runtime/merged.h"

#define LINKS_MAX 40

void union_done(struct union_dir *u)
{
	for (size_t i = 0; i < u->count; i++)
		close_fd(&u->fds[i]);
	free(u->fds);
	*u = (struct union_dir){ 0 };
}

static bool is_opaque(int fd)
{
	char value = 0;
	return fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/* Appends the fd, which the union owns from now on; false when nothing below shows through. */
static bool union_add(struct union_dir *u, int fd)
{
	u->fds[u->count++] = fd;
	return !is_opaque(fd);
}

static int union_root(const struct csn_runtime *rt, const struct spec_strings *layers,
		      struct union_dir *ret, struct csn_error *err)
{
	struct union_dir u AUTO(union_done) = { calloc(layers->count + 1, sizeof *u.fds), 0 };
	if (!u.fds)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = layers->count; i-- > 0;) {
		int fd = open_beneath(rt->root_dir, layers->items[i], O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0)
			return fail(err, -fd, "open layer %s: %s", layers->items[i], strerror(-fd));
		if (!union_add(&u, fd))
			break;
	}
	*ret = u;
	u = (struct union_dir){ 0 };
	return 0;
}

int union_stat(const struct union_dir *u, const char *name, struct stat *ret_st, size_t *ret_index)
{
	for (size_t i = 0; i < u->count; i++) {
		if (fstatat(u->fds[i], name, ret_st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return -errno;
		}
		if (S_ISCHR(ret_st->st_mode) && ret_st->st_rdev == makedev(0, 0))
			return -ENOENT;
		*ret_index = i;
		return 0;
	}
	return -ENOENT;
}

int union_descend(const struct union_dir *u, const char *name, size_t first, struct union_dir *ret)
{
	struct union_dir down AUTO(union_done) = { calloc(u->count + 1, sizeof *down.fds), 0 };
	if (!down.fds)
		return -ENOMEM;
	for (size_t i = first; i < u->count; i++) {
		int fd = openat(u->fds[i], name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
			break;
		if (fd < 0)
			return -errno;
		if (!union_add(&down, fd))
			break;
	}
	*ret = down;
	down = (struct union_dir){ 0 };
	return 0;
}

/* Takes the first component off path. False at its end. */
static bool next_part(char **path, char **ret)
{
	*path += strspn(*path, "/");
	if (!**path)
		return false;
	*ret = *path;
	*path += strcspn(*path, "/");
	if (**path)
		*(*path)++ = '\0';
	return true;
}

/* The text of a link, and behind it what was left of the path. */
static int read_link(int dir, const char *name, const char *rest, char **ret)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	rest += strspn(rest, "/");
	if ((size_t)n + strlen(rest) + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	char *joined = rest[0] ? path_join(target, rest) : strdup(target);
	if (!joined)
		return -ENOMEM;
	*ret = joined;
	return 0;
}

/* Where a walk is: the directories from the image's root down to here. */
struct walk {
	struct union_dir stack[64];
	size_t depth; /* stack[0] is the root and stays */
};

static void walk_done(struct walk *w)
{
	for (size_t i = 0; i < w->depth; i++)
		union_done(&w->stack[i]);
}

static void walk_up(struct walk *w, size_t to)
{
	while (w->depth > to)
		union_done(&w->stack[--w->depth]);
}

/* Walks the components of path; a link gives *ret_again, the path to walk next. 0 or the fd. */
static int walk_path(struct walk *w, char *path, char **ret_again)
{
	char *name;

	if (path[0] == '/')
		walk_up(w, 1);
	while (next_part(&path, &name)) {
		struct union_dir *here = &w->stack[w->depth - 1];
		struct stat st;
		size_t index = 0;
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			walk_up(w, w->depth > 1 ? w->depth - 1 : 1);
			continue;
		}
		int r = union_stat(here, name, &st, &index);
		if (r < 0)
			return r;
		if (S_ISLNK(st.st_mode))
			return read_link(here->fds[index], name, path, ret_again);
		if (S_ISDIR(st.st_mode)) {
			if (w->depth == COUNT(w->stack))
				return -ENAMETOOLONG;
			TRY(union_descend(here, name, index, &w->stack[w->depth]));
			w->depth++;
			continue;
		}
		if (path[strspn(path, "/")])
			return -ENOTDIR;
		/* A FIFO must not hang us, a device must not be opened. */
		if (!S_ISREG(st.st_mode))
			return -EINVAL;
		int fd = openat(here->fds[index], name,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	return -EISDIR;
}

/* Follows path from the image's root, links and all. A regular file's fd, or -EISDIR with the walk
 * standing in the directory. */
static int walk_image(const struct csn_runtime *rt, const struct spec_strings *layers,
		      const char *path, struct walk *w, struct csn_error *err)
{
	TRY(union_root(rt, layers, &w->stack[0], err));
	w->depth = 1;

	auto_mem char *todo = strdup(path);
	for (int links = 0; todo && links <= LINKS_MAX; links++) {
		char *again = NULL;
		int r = walk_path(w, todo, &again);
		if (r < 0)
			return fail(err, -r, "%s in the image: %s", path, strerror(-r));
		if (!again)
			return r;
		free(todo);
		todo = again;
	}
	return todo ? fail(err, ELOOP, "%s in the image: %s", path, strerror(ELOOP))
		    : fail(err, ENOMEM, "out of memory");
}

int merged_open(const struct csn_runtime *rt, const struct spec_strings *layers, const char *path,
		struct csn_error *err)
{
	struct walk w AUTO(walk_done) = { .depth = 0 };
	return walk_image(rt, layers, path, &w, err);
}

int merged_dir(const struct csn_runtime *rt, const struct spec_strings *layers, const char *path,
	       struct union_dir *ret, struct csn_error *err)
{
	struct walk w AUTO(walk_done) = { .depth = 0 };
	auto_fd file = walk_image(rt, layers, path, &w, err);
	if (file >= 0 || file == -EINVAL)
		return fail(err, ENOTDIR, "%s in the image: %s", path, strerror(ENOTDIR));
	if (file != -EISDIR)
		return file;
	*ret = w.stack[w.depth - 1];
	w.stack[w.depth - 1] = (struct union_dir){ 0 };
	return 0;
}
