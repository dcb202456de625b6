/*
 * How a container's files differ from its image's: its upper directory is walked beside the layers
 * together. A directory that both have counts as changed when something in it is, or when it
 * itself is no more what it was.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "image/files.h"
#include "image/tree.h"

/* What is found, told in order at the end: a directory's own line comes before those in it. */
struct line {
	const char *path;
	char kind;
};
struct walk {
	struct arena arena;
	struct line *lines;
	size_t count, capacity;
	char path[TREE_PATH_MAX + 2]; /* "/etc/x"; "" is the root */
	int depth;
	char *const *skip;
	size_t skip_count;
	struct csn_error *err;
};

static int add(struct walk *w, char kind)
{
	if (w->count == w->capacity) {
		size_t capacity = w->capacity ? 2 * w->capacity : 256;
		struct line *grown = reallocarray(w->lines, capacity, sizeof *grown);
		if (!grown)
			return fail(w->err, ENOMEM, "out of memory");
		w->lines = grown;
		w->capacity = capacity;
	}
	w->lines[w->count] = (struct line){ arena_strdup(&w->arena, w->path), kind };
	return w->lines[w->count++].path ? 0 : fail(w->err, ENOMEM, "out of memory");
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static DIR *open_names(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d)
		close_fd(&copy);
	return d;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int push(struct walk *w, const char *name, size_t *ret_size)
{
	*ret_size = strlen(w->path);
	if (*ret_size + 1 + strlen(name) > TREE_PATH_MAX)
		return fail(w->err, ENAMETOOLONG, "%.200s…: the path is too long", w->path);
	w->path[*ret_size] = '/';
	(void)strcpy(w->path + *ret_size + 1, name);
	return 0;
}

/* Made to mount on, and nothing else was done with it. */
static bool is_mount_point(const struct walk *w, int fd, const struct stat *st)
{
	bool named = false, empty = st->st_size == 0;
	for (size_t i = 0; i < w->skip_count && !named; i++)
		named = strcmp(w->skip[i], w->path) == 0;
	if (!named || !S_ISDIR(st->st_mode))
		return named && empty;
	DIR *d AUTO(close_dir)
	= open_names(fd);
	for (struct dirent *e; d && (e = readdir(d));)
		if (!is_dot(e->d_name))
			return false;
	return d != NULL;
}

static bool is_opaque(int fd)
{
	char value[4];
	return fgetxattr(fd, "trusted.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y';
}

/* In an opaque directory what the layers had and it has not is gone. */
static int tell_hidden(struct walk *w, int upper, int lower)
{
	DIR *d AUTO(close_dir)
	= open_names(lower);
	for (struct dirent *e; d && (e = readdir(d));) {
		struct stat st;
		size_t size;
		if (is_dot(e->d_name) || fstatat(upper, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		TRY(push(w, e->d_name, &size));
		TRY(add(w, 'D'));
		w->path[size] = '\0';
	}
	return 0;
}

static int walk_dir(struct walk *w, int upper, int lower);

static bool same_directory(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid;
}

/* fd is a directory of upper; of a lower one beside it, or -1, the attributes are in was. */
static int walk_both(struct walk *w, int fd, int lower, const struct stat *is,
		     const struct stat *was)
{
	size_t mark = w->count;
	if (lower < 0)
		TRY(add(w, was ? 'C' : 'A')); /* a file became a directory, or it is new */
	TRY(walk_dir(w, fd, lower));
	if (lower >= 0 && (w->count > mark || !same_directory(is, was))) {
		TRY(add(w, 'C'));
	}
	return 0;
}

static int walk_name(struct walk *w, int upper, int lower, const char *name)
{
	struct stat is, was;
	bool had = lower >= 0 && fstatat(lower, name, &was, AT_SYMLINK_NOFOLLOW) == 0;
	/* Read, not only O_PATH: attributes and names of directories are asked for. */
	auto_fd fd = openat(upper, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &is) < 0)
		return errno == ENOENT ? 0 : fail_errno(w->err, "%s", w->path);
	if (S_ISCHR(is.st_mode) && is.st_rdev == makedev(0, 0))
		return had ? add(w, 'D') : 0;
	if (is_mount_point(w, fd, &is))
		return 0;
	if (!S_ISDIR(is.st_mode))
		return add(w, had ? 'C' : 'A');
	auto_fd dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd beside = -1;
	if (had && S_ISDIR(was.st_mode))
		beside = openat(lower, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return fail_errno(w->err, "%s", w->path);
	return walk_both(w, dir, beside, &is, had ? &was : NULL);
}

static int walk_dir(struct walk *w, int upper, int lower)
{
	DIR *d AUTO(close_dir)
	= open_names(upper);
	if (!d)
		return fail_errno(w->err, "%s: read", w->path);
	if (++w->depth > TREE_DEPTH_MAX)
		return fail(w->err, ENAMETOOLONG, "%.200s…: more than %d directories deep", w->path,
			    TREE_DEPTH_MAX);
	bool opaque = lower >= 0 && is_opaque(upper);
	for (struct dirent *e; (e = readdir(d));) {
		size_t size;
		if (is_dot(e->d_name))
			continue;
		TRY(push(w, e->d_name, &size));
		TRY(walk_name(w, upper, lower, e->d_name));
		w->path[size] = '\0';
	}
	if (opaque)
		TRY(tell_hidden(w, upper, lower));
	w->depth--;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->path, ((const struct line *)b)->path);
}

static void walk_done(struct walk *w)
{
	arena_free(&w->arena);
	free(w->lines);
}

int files_changes(int upper, int lower, char *const *skip, size_t skip_count,
		  int (*tell)(void *data, const char *path, char kind), void *data,
		  struct csn_error *err)
{
	struct walk w AUTO(walk_done) = { .skip = skip, .skip_count = skip_count, .err = err };
	TRY(walk_dir(&w, upper, lower));
	if (w.count)
		qsort(w.lines, w.count, sizeof *w.lines, by_path);
	for (size_t i = 0; i < w.count; i++)
		TRY(tell(data, w.lines[i].path, w.lines[i].kind));
	return 0;
}
