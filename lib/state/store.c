/*
 * The state root: one directory an id. mkdir is what claims an id, so two creates of the same id
 * cannot both win; flock on the directory is what serialises the verbs on one container.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "state/state.h"

enum { ID_MAX = 255 };

int state_check_id(const char *id, struct csn_error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+-.";
	size_t n = strlen(id);
	if (n == 0)
		return fail(err, EINVAL, "container id is empty");
	if (n > ID_MAX)
		return fail(err, EINVAL, "container id is longer than %d bytes", ID_MAX);
	if (id[strspn(id, allowed)] || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return fail(err, EINVAL,
			    "invalid container id \"%s\": expected letters, digits and _ + - .",
			    id);
	return 0;
}

int store_open(const char *root, bool create, struct store *ret, struct csn_error *err)
{
	if (!root)
		root = "/run/caisson";
	if (strspn(root, "/") == strlen(root))
		return fail(err, EINVAL, "the state directory may not be \"%s\"", root);
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && create) {
		TRY(make_dirs(root, 0700, err));
		fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return fail_errno(err, "state directory \"%s\"", root);
	ret->dir = fd;
	ret->root = strdup(root);
	if (!ret->root) {
		close_fd(&ret->dir);
		return fail(err, ENOMEM, "out of memory");
	}
	return 0;
}

void store_close(struct store *s)
{
	close_fd(&s->dir);
	free(s->root);
	s->root = NULL;
}

/* Locks the open directory and makes sure that it is still the one of that name: whoever held the
 * lock before us may have removed it. */
static int lock_entry(const struct store *s, const char *id, int fd)
{
	struct stat held, named;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	if (fstat(fd, &held) < 0 || fstatat(s->dir, id, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return held.st_ino == named.st_ino && held.st_dev == named.st_dev ? 0 : -ENOENT;
}

enum how { UNLOCKED, LOCKED, NEW };

static int open_entry(const struct store *s, const char *id, enum how how, struct entry *ret)
{
	auto_fd fd = openat(s->dir, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A directory that we have just made is nobody else's to remove. */
	if (how == NEW && flock(fd, LOCK_EX) < 0)
		return -errno;
	int r = how == LOCKED ? lock_entry(s, id, fd) : 0;
	if (r < 0)
		return r;
	ret->id = strdup(id);
	if (!ret->id)
		return -ENOMEM;
	ret->dir = take_fd(&fd);
	return 0;
}

int store_add(const struct store *s, const char *id, struct entry *ret, struct csn_error *err)
{
	TRY(state_check_id(id, err));
	if (mkdirat(s->dir, id, 0711) < 0) {
		if (errno == EEXIST)
			return fail(err, EEXIST, "container with id \"%s\" already exists", id);
		return fail_errno(err, "container \"%s\": make its state directory", id);
	}
	int r = open_entry(s, id, NEW, ret);
	if (r < 0) {
		(void)unlinkat(s->dir, id, AT_REMOVEDIR);
		return fail(err, -r, "container \"%s\": %s", id, strerror(-r));
	}
	return 0;
}

int store_get(const struct store *s, const char *id, enum entry_lock lock, struct entry *ret,
	      struct csn_error *err)
{
	TRY(state_check_id(id, err));
	int r = open_entry(s, id, lock == ENTRY_LOCKED ? LOCKED : UNLOCKED, ret);
	if (r == -ENOENT || r == -ENOTDIR)
		return fail(err, ENOENT, "container \"%s\" does not exist", id);
	return r < 0 ? fail(err, -r, "container \"%s\": %s", id, strerror(-r)) : 0;
}

/* The files that every entry has go first, one call each; a tree walk only if more is there: a gate
 * that was never opened, the rest of a crash. */
int store_remove(const struct store *s, const struct entry *e, struct csn_error *err)
{
	static const char *const files[] = { "state.json", "config.json" };
	for (size_t i = 0; i < COUNT(files); i++)
		(void)unlinkat(e->dir, files[i], 0);
	if (unlinkat(s->dir, e->id, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return within(err, remove_tree(s->dir, e->id, err), "container \"%s\"", e->id);
}

void entry_unlock(struct entry *e)
{
	(void)flock(e->dir, LOCK_UN);
}

int entry_relock(const struct store *s, struct entry *e)
{
	return lock_entry(s, e->id, e->dir);
}

void entry_close(struct entry *e)
{
	close_fd(&e->dir);
	free(e->id);
	e->id = NULL;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(char ***list, size_t *count, const char *name)
{
	char **grown = realloc(*list, (*count + 1) * sizeof **list);
	if (!grown)
		return -ENOMEM;
	*list = grown;
	grown[*count] = strdup(name);
	if (!grown[*count])
		return -ENOMEM;
	(*count)++;
	return 0;
}

int store_list(const struct store *s, char ***ret, size_t *ret_count, struct csn_error *err)
{
	char **list = NULL;
	size_t count = 0;
	int r = 0;
	int copy = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir) {
		r = fail_errno(err, "state directory \"%s\"", s->root);
		close_fd(&copy);
		return r;
	}
	for (struct dirent *e; r == 0 && (e = readdir(dir));)
		/* ".cache" and temporary files are no containers; neither is a plain file. */
		if (e->d_name[0] != '.' && e->d_type != DT_REG &&
		    state_check_id(e->d_name, NULL) == 0)
			r = add_name(&list, &count, e->d_name);
	(void)closedir(dir);
	if (r < 0) {
		store_list_free(list, count);
		return fail(err, ENOMEM, "out of memory");
	}
	if (count)
		qsort(list, count, sizeof *list, compare);
	*ret = list;
	*ret_count = count;
	return 0;
}

void store_list_free(char **ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
}
