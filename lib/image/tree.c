/*
 * The directories that a layer touches, and the walk from a path in a tar entry to one of them.
 *
 * Why not just mkdir -p below the layer's directory? Because what a path means depends on the image
 * so far: "lib/x" belongs into usr/lib when a lower layer made lib a symlink, and a directory that
 * the tar file does not describe must look as it does below, or overlayfs would show it with the
 * wrong owner and mode. So a walk goes name by name: the directories this layer has (nodes), then
 * what it has on disk (symlinks are followed from the image's root, never by the kernel), then the
 * layers below. Those are asked only where the layer itself has no answer; a layer that describes
 * its directories, as most do, never asks and can be shared by images with different lower layers.
 */
#include "image/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"

#define OPEN_MAX_DIRS 250 /* per layer; a few layers share the process's limit */
#define DIR_COUNT_MAX ((size_t)2000000)
#define LINKS_MAX     40

/* ---- nodes ----------------------------------------------------------------------------------- */

static uint32_t hash_name(const struct tree_dir *dir, const char *name)
{
	uint32_t h = 2166136261u ^ (uint32_t)((uintptr_t)dir >> 4);

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

int tree_init(struct tree *t, int fs_dir, struct csn_error *err)
{
	*t = (struct tree){ .bucket_count = 256 };
	t->buckets = calloc(t->bucket_count, sizeof(struct tree_dir *));
	if (!t->buckets)
		return fail(err, ENOMEM, "out of memory");
	t->root.parent = &t->root;
	t->root.name = "";
	t->root.fd = fs_dir;
	t->root.made = true;
	t->root.attrs = (struct attrs)ATTRS_DEFAULT_DIR;
	t->newest = &t->root;
	return 0;
}

void tree_done(struct tree *t)
{
	struct tree_dir *older;

	lower_forget(t);
	for (struct tree_dir *d = t->newest; d && d != &t->root; d = older) {
		older = d->older;
		close_fd(&d->fd);
		attrs_done(&d->attrs);
		free(d);
	}
	attrs_done(&t->root.attrs);
	free(t->buckets);
	*t = (struct tree){ 0 };
}

static int grow(struct tree *t, struct csn_error *err)
{
	size_t count = t->bucket_count * 4;
	struct tree_dir **buckets = calloc(count, sizeof(struct tree_dir *));
	if (!buckets)
		return fail(err, ENOMEM, "out of memory");

	for (size_t i = 0; i < t->bucket_count; i++)
		for (struct tree_dir *d = t->buckets[i], *next; d; d = next) {
			next = d->hash_next;
			d->hash_next = buckets[d->hash & (count - 1)];
			buckets[d->hash & (count - 1)] = d;
		}
	free(t->buckets);
	t->buckets = buckets;
	t->bucket_count = count;
	return 0;
}

struct tree_dir *tree_child(struct tree *t, const struct tree_dir *dir, const char *name)
{
	uint32_t h = hash_name(dir, name);

	for (struct tree_dir *d = t->buckets[h & (t->bucket_count - 1)]; d; d = d->hash_next)
		if (d->hash == h && d->parent == dir && strcmp(d->name, name) == 0)
			return d;
	return NULL;
}

int tree_add(struct tree *t, struct tree_dir *dir, const char *name, struct tree_dir **ret,
	     struct csn_error *err)
{
	size_t size = strlen(name) + 1;

	if (size > TREE_NAME_MAX + 1)
		return fail(err, ENAMETOOLONG, "a name is longer than %d bytes", TREE_NAME_MAX);
	if (dir->depth >= TREE_DEPTH_MAX)
		return fail(err, ENAMETOOLONG, "deeper than %d directories", TREE_DEPTH_MAX);
	if (t->dir_count >= DIR_COUNT_MAX)
		return fail(err, EFBIG, "more than %zu directories", DIR_COUNT_MAX);
	if (t->dir_count >= t->bucket_count)
		TRY(grow(t, err));

	struct tree_dir *d = calloc(1, sizeof *d + size);
	if (!d)
		return fail(err, ENOMEM, "out of memory");
	d->name = memcpy(d + 1, name, size);
	d->parent = dir;
	d->depth = dir->depth + 1;
	d->fd = -1;
	d->attrs = (struct attrs)ATTRS_DEFAULT_DIR;
	d->hash = hash_name(dir, name);
	d->hash_next = t->buckets[d->hash & (t->bucket_count - 1)];
	t->buckets[d->hash & (t->bucket_count - 1)] = d;
	d->older = t->newest;
	t->newest = d;
	t->dir_count++;
	*ret = d;
	return 0;
}

void tree_drop(struct tree *t, struct tree_dir *dir)
{
	struct tree_dir **at = &t->buckets[dir->hash & (t->bucket_count - 1)];

	while (*at != dir)
		at = &(*at)->hash_next;
	*at = dir->hash_next;
	dir->gone = true;
	t->has_gone = true;
	lower_forget(t);
}

void tree_set_opaque(struct tree *t, struct tree_dir *dir)
{
	dir->opaque = true;
	lower_forget(t);
}

bool tree_is_alive(const struct tree *t, const struct tree_dir *dir)
{
	if (!t->has_gone)
		return true;
	for (; dir != &t->root; dir = dir->parent)
		if (dir->gone)
			return false;
	return true;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void unlink_used(struct tree *t, struct tree_dir *d)
{
	*(d->used_prev ? &d->used_prev->used_next : &t->used_first) = d->used_next;
	*(d->used_next ? &d->used_next->used_prev : &t->used_last) = d->used_prev;
	d->used_prev = d->used_next = NULL;
	t->used_count--;
}

static void link_used(struct tree *t, struct tree_dir *d)
{
	d->used_next = t->used_first;
	*(t->used_first ? &t->used_first->used_prev : &t->used_last) = d;
	t->used_first = d;
	t->used_count++;
}

int tree_fd(struct tree *t, struct tree_dir *dir, struct csn_error *err)
{
	if (dir == &t->root)
		return dir->fd;
	if (dir->fd >= 0) {
		if (t->used_first != dir) {
			unlink_used(t, dir);
			link_used(t, dir);
		}
		return dir->fd;
	}

	int up = tree_fd(t, dir->parent, err);
	if (up < 0)
		return up;
	int fd = openat(up, dir->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "open the directory '%.200s'", dir->name);
	dir->fd = fd;
	link_used(t, dir);
	if (t->used_count > OPEN_MAX_DIRS) {
		struct tree_dir *last = t->used_last;
		unlink_used(t, last);
		close_fd(&last->fd);
	}
	return fd;
}

/* Attributes of the directory as it is below. */
static int take_lower_attrs(struct tree *t, struct tree_dir *dir, struct csn_error *err)
{
	struct lower_hit hit;

	TRY(lower_lookup(t, dir->parent, dir->name, &hit, err));
	if (hit.kind != LOWER_DIR)
		return 0;
	auto_fd fd = openat(hit.dir_fd, dir->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "open '%.200s' in a lower layer", dir->name);
	return attrs_from_fd(fd, &dir->attrs, err);
}

int tree_make(struct tree *t, struct tree_dir *dir, struct csn_error *err)
{
	if (dir->made)
		return 0;
	TRY(tree_make(t, dir->parent, err));
	if (!dir->has_attrs)
		TRY(take_lower_attrs(t, dir, err));

	int up = tree_fd(t, dir->parent, err);
	if (up < 0)
		return up;
	if (mkdirat(up, dir->name, dir->attrs.mode & 0777) < 0)
		return fail_errno(err, "make the directory '%.200s'", dir->name);
	dir->made = true;
	return 0;
}

/* ---- walking --------------------------------------------------------------------------------- */

int tree_clean_path(char *path, struct csn_error *err)
{
	size_t depth = 0;
	char *out = path;

	if (strlen(path) > TREE_PATH_MAX)
		return fail(err, ENAMETOOLONG, "longer than %d bytes", TREE_PATH_MAX);
	for (const char *in = path; *in;) {
		size_t size = strcspn(in, "/");
		if (size > TREE_NAME_MAX)
			return fail(err, ENAMETOOLONG, "a name is longer than %d bytes",
				    TREE_NAME_MAX);
		if (size == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/')
				;
			depth -= depth > 0;
		} else if (size > 0 && !(size == 1 && in[0] == '.')) {
			if (out > path)
				*out++ = '/';
			memmove(out, in, size);
			out += size;
			if (++depth > TREE_DEPTH_MAX)
				return fail(err, ENAMETOOLONG, "deeper than %d directories",
					    TREE_DEPTH_MAX);
		}
		in += size;
		in += strspn(in, "/");
	}
	*out = '\0';
	return 0;
}

struct walk {
	struct tree_dir *dir;
	char left[2 * PATH_MAX]; /* what is still to be walked */
	int links;
};

/* Puts a symlink's target in front of what is left. */
static int follow(struct tree *t, struct walk *w, const char *target, struct csn_error *err)
{
	char left[sizeof w->left];
	size_t size = strlen(target), rest = strlen(w->left);

	if (++w->links > LINKS_MAX)
		return fail(err, ELOOP, "too many symlinks");
	if (size + 1 + rest >= sizeof left)
		return fail(err, ENAMETOOLONG, "the path is too long behind its symlinks");
	memcpy(left, target, size);
	left[size] = '/';
	memcpy(left + size + 1, w->left, rest + 1);
	memcpy(w->left, left, size + rest + 2);
	if (target[0] == '/')
		w->dir = &t->root;
	return 0;
}

/* A name that is there but no directory: a symlink leads on, the rest is an error. */
static int through(struct tree *t, struct walk *w, int dir_fd, const char *name, bool symlink,
		   struct csn_error *err)
{
	if (!symlink)
		return fail(err, ENOTDIR, "'%.200s' in its path is not a directory", name);

	char target[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof target - 1);
	if (n < 0)
		return fail_errno(err, "read the symlink '%.200s'", name);
	target[n] = '\0';
	return follow(t, w, target, err);
}

/*
 * One name for which there is no directory node: 1 when it was dealt with, 0 when nothing is there
 * and nothing was made.
 */
static int step(struct tree *t, struct walk *w, struct tree_dir *child, const char *name,
		enum tree_walk_mode mode, struct csn_error *err)
{
	struct tree_dir *dir = w->dir;
	bool deleted = child != NULL;

	if (dir->made) {
		struct stat st;
		int fd = tree_fd(t, dir, err);
		if (fd < 0)
			return fd;
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			TRY(through(t, w, fd, name, S_ISLNK(st.st_mode), err));
			return 1;
		}
		if (errno != ENOENT)
			return fail_errno(err, "stat '%.200s'", name);
	}

	struct lower_hit hit = { .kind = LOWER_NONE };
	if (!deleted)
		TRY(lower_lookup(t, dir, name, &hit, err));
	if (hit.kind == LOWER_OTHER) {
		TRY(through(t, w, hit.dir_fd, name, S_ISLNK(hit.st.st_mode), err));
		return 1;
	}
	if (hit.kind == LOWER_NONE && mode == TREE_FIND)
		return 0;

	if (deleted)
		tree_drop(t, child);
	TRY(tree_add(t, dir, name, &child, err));
	child->opaque = deleted;
	if (hit.kind == LOWER_NONE) {
		/* New, and nobody says what it looks like: as mkdir -p would make it, but at a time
		 * that is the same wherever it is unpacked. */
		TRY(tree_make(t, dir, err));
		child->has_attrs = true;
		child->attrs.mtime = (struct timespec){ 0 };
		if (dir->attrs.mode & S_ISGID) {
			child->attrs.mode |= S_ISGID;
			child->attrs.gid = dir->attrs.gid;
		}
		TRY(tree_make(t, child, err));
	}
	w->dir = child;
	return 1;
}

/* Cuts the next name off what is left; "" at the end. */
static int next_name(struct walk *w, char name[TREE_NAME_MAX + 1], struct csn_error *err)
{
	char *in = w->left + strspn(w->left, "/");
	size_t size = strcspn(in, "/");

	if (size > TREE_NAME_MAX)
		return fail(err, ENAMETOOLONG, "a name is longer than %d bytes", TREE_NAME_MAX);
	memcpy(name, in, size);
	name[size] = '\0';
	memmove(w->left, in + size, strlen(in + size) + 1);
	return 0;
}

int tree_walk(struct tree *t, const char *path, enum tree_walk_mode mode, struct tree_dir **ret,
	      bool *ret_linked, struct csn_error *err)
{
	struct walk w = { .dir = &t->root };
	char name[TREE_NAME_MAX + 1];

	*ret = NULL;
	memcpy(w.left, path, strlen(path) + 1);
	for (;;) {
		TRY(next_name(&w, name, err));
		if (!name[0])
			break;
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			w.dir = w.dir->parent;
			continue;
		}

		struct tree_dir *child = tree_child(t, w.dir, name);
		if (child && !child->whiteout) {
			w.dir = child;
			continue;
		}
		int r = step(t, &w, child, name, mode, err);
		if (r <= 0)
			return r;
	}
	if (mode == TREE_CREATE)
		TRY(tree_make(t, w.dir, err));
	*ret = w.dir;
	if (ret_linked)
		*ret_linked = w.links > 0;
	return 0;
}
