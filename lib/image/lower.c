/*
 * Looking into the layers below, as overlayfs will when they are mounted.
 *
 * A directory of the image is the union of that directory in several layers: from the top down
 * until one of them marks it opaque, deletes it with a whiteout (a character device 0:0), or has
 * something else than a directory there. The list of lower directories that make up the one asked
 * for last is kept, since questions come in runs.
 *
 * The first question marks the layer as dependent on what is below it: the caller then must not
 * share the result with images that have something else there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/tree.h"

static void list_done(struct lower_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		close_fd(&l->fds[i]);
	free(l->fds);
	*l = (struct lower_list){ 0 };
}

static int list_init(struct lower_list *l, size_t capacity, struct csn_error *err)
{
	*l = (struct lower_list){ .fds = calloc(capacity ? capacity : 1, sizeof *l->fds) };
	return l->fds ? 0 : fail(err, ENOMEM, "out of memory");
}

void lower_forget(struct tree *t)
{
	list_done(&t->cache);
	t->cached = NULL;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static bool is_opaque(int fd)
{
	char value = 0;

	return fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/* Is dir_fd/name there? 0: no. */
static int stat_name(int dir_fd, const char *name, struct stat *ret, struct csn_error *err)
{
	if (fstatat(dir_fd, name, ret, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : fail_errno(err, "stat '%.200s' in a lower layer", name);
}

/* The lower directories of "name" in the directory whose lower directories are up. */
static int descend(const struct lower_list *up, const char *name, struct lower_list *ret,
		   struct csn_error *err)
{
	AUTO(list_done)
	struct lower_list down;
	TRY(list_init(&down, up->count, err));

	for (size_t i = 0; i < up->count; i++) {
		struct stat st;
		int r = stat_name(up->fds[i], name, &st, err);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (!S_ISDIR(st.st_mode))
			break;

		int fd = openat(up->fds[i], name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return fail_errno(err, "open '%.200s' in a lower layer", name);
		down.fds[down.count++] = fd;
		if (is_opaque(fd))
			break;
	}
	*ret = down;
	down = (struct lower_list){ 0 };
	return 0;
}

static int root_list(const struct tree *t, struct lower_list *ret, struct csn_error *err)
{
	AUTO(list_done)
	struct lower_list l;
	TRY(list_init(&l, t->lowers.count, err));

	for (size_t i = 0; i < t->lowers.count; i++) {
		int fd = fcntl(t->lowers.dirs[i], F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return fail_errno(err, "duplicate a descriptor");
		l.fds[l.count++] = fd;
		if (is_opaque(fd))
			break;
	}
	*ret = l;
	l = (struct lower_list){ 0 };
	return 0;
}

/* Fills the cache with the lower directories of dir. */
static int fill_cache(struct tree *t, const struct tree_dir *dir, struct csn_error *err)
{
	const struct tree_dir *chain[TREE_DEPTH_MAX + 1];
	int depth = 0;
	AUTO(list_done)
	struct lower_list list = { 0 };

	lower_forget(t);
	for (const struct tree_dir *d = dir; d != &t->root; d = d->parent)
		chain[depth++] = d;

	TRY(root_list(t, &list, err));
	while (depth > 0 && list.count > 0) {
		struct lower_list down = { 0 };
		TRY(descend(&list, chain[--depth]->name, &down, err));
		list_done(&list);
		list = down;
	}

	t->cache = list;
	t->cached = dir;
	list = (struct lower_list){ 0 };
	return 0;
}

/* Does this layer itself say that nothing from below is seen in the directory? */
static bool is_hidden(const struct tree *t, const struct tree_dir *dir)
{
	for (; dir != &t->root; dir = dir->parent)
		if (dir->opaque)
			return true;
	return t->root.opaque;
}

int lower_lookup(struct tree *t, struct tree_dir *dir, const char *name, struct lower_hit *ret,
		 struct csn_error *err)
{
	*ret = (struct lower_hit){ .kind = LOWER_NONE, .dir_fd = -1 };
	if (is_hidden(t, dir))
		return 0;
	t->dependent = true;
	if (!t->has_lowers) {
		TRY(t->get_lowers(t->data, &t->lowers, err));
		t->has_lowers = true;
	}
	if (t->lowers.count == 0)
		return 0;
	if (t->cached != dir)
		TRY(fill_cache(t, dir, err));

	for (size_t i = 0; i < t->cache.count; i++) {
		int r = stat_name(t->cache.fds[i], name, &ret->st, err);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (is_whiteout(&ret->st))
			return 0;
		ret->kind = S_ISDIR(ret->st.st_mode) ? LOWER_DIR : LOWER_OTHER;
		ret->dir_fd = t->cache.fds[i];
		return 0;
	}
	return 0;
}
