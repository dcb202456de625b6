/*
 * From a directory to its manifest. Names come sorted, so that the same directory gives the same
 * text; no link is followed, and a file is looked at through one descriptor only.
 */
#include <dirent.h>
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
#include "volume/volume.h"

enum { DEPTH_MAX = 200, LIST_SIZE = 64 << 10 };

struct inode {
	dev_t dev;
	ino_t ino;
	const char *path;
};

struct scanning {
	const struct scan *scan;
	struct manifest *out;
	struct arena *arena;
	struct csn_error *err;
	struct inode *links; /* files with several names, as far as they were seen */
	size_t links_count;
};

static int no_memory(const struct scanning *s)
{
	return fail(s->err, ENOMEM, "out of memory");
}

static int fail_at(const struct scanning *s, const char *path, int code)
{
	return fail(s->err, code, "\"%.300s\" of the volume: %s", path, strerror(code));
}

/* ---- attributes -------------------------------------------------------------------------------
 */

/* What belongs to this machine stays here: trusted.*, and the label that its policy gives. */
static bool is_portable(const char *name)
{
	static const char *const portable[] = { "user.", "security.capability",
						"system.posix_acl_" };
	for (size_t i = 0; i < COUNT(portable); i++)
		if (strncmp(name, portable[i], strlen(portable[i])) == 0)
			return true;
	return false;
}

static int read_xattr(const struct scanning *s, int fd, const char *name, struct xattr *ret)
{
	auto_mem unsigned char *value = malloc(LIST_SIZE);
	ssize_t n = value ? fgetxattr(fd, name, value, LIST_SIZE) : -1;
	if (!value)
		return no_memory(s);
	if (n < 0)
		return 0; /* it is gone */
	ret->name = arena_strdup(s->arena, name);
	ret->value = arena_alloc(s->arena, 2 * (size_t)n + 1);
	for (ssize_t i = 0; ret->value && i < n; i++)
		(void)snprintf(ret->value + 2 * i, 3, "%02x", value[i]);
	return ret->name && ret->value ? 1 : no_memory(s);
}

static int read_xattrs(const struct scanning *s, int fd, struct entry *e)
{
	auto_mem char *names = malloc(LIST_SIZE);
	ssize_t size = names ? flistxattr(fd, names, LIST_SIZE) : -1;
	size_t count = 0;
	if (!names)
		return no_memory(s);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1)
		count++;
	e->xattrs.items = arena_array(s->arena, count, sizeof *e->xattrs.items);
	if (!e->xattrs.items)
		return no_memory(s);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		if (!is_portable(names + at))
			continue;
		int r = read_xattr(s, fd, names + at, &e->xattrs.items[e->xattrs.count]);
		TRY(r);
		e->xattrs.count += r > 0;
	}
	return 0;
}

static void take_stat(struct entry *e, const struct stat *st)
{
	e->mode = st->st_mode & 07777;
	e->uid = st->st_uid;
	e->gid = st->st_gid;
	e->mtime_s = st->st_mtim.tv_sec;
	e->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
}

/* ---- entries ----------------------------------------------------------------------------------
 */

/* The first name of a file with several; NULL: this is it. */
static const char *find_link(struct scanning *s, const struct stat *st, const char *path)
{
	for (size_t i = 0; i < s->links_count; i++)
		if (s->links[i].ino == st->st_ino && s->links[i].dev == st->st_dev)
			return s->links[i].path;
	struct inode *grown = reallocarray(s->links, s->links_count + 1, sizeof *grown);
	if (grown) {
		s->links = grown;
		grown[s->links_count++] = (struct inode){ st->st_dev, st->st_ino, path };
	}
	return NULL;
}

static int scan_file(struct scanning *s, int dir, const char *name, char *path)
{
	struct entry e = { .path = path, .type = ENTRY_FILE };
	struct stat st;
	char hash[65];
	auto_fd fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_at(s, path, errno);
	if (!S_ISREG(st.st_mode))
		return 0;
	take_stat(&e, &st);
	TRY(read_xattrs(s, fd, &e));
	e.size = (uint64_t)st.st_size;
	const char *first = st.st_nlink > 1 ? find_link(s, &st, path) : NULL;
	if (first) {
		e.hardlink = (char *)(uintptr_t)first;
	} else if (e.size) {
		TRY(s->scan->content(s->scan->data, fd, path, e.size, hash, s->err));
		e.sha256 = arena_strdup(s->arena, hash);
		if (!e.sha256)
			return no_memory(s);
	}
	struct entry *to = manifest_add(s->out);
	if (!to)
		return no_memory(s);
	*to = e;
	return 0;
}

static int scan_link(struct scanning *s, int dir, const char *name, char *path,
		     const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
	if (n < 0)
		return errno == ENOENT || errno == EINVAL ? 0 : fail_at(s, path, errno);
	target[n] = '\0';
	struct entry *e = manifest_add(s->out);
	if (!e)
		return no_memory(s);
	e->path = path;
	e->type = ENTRY_LINK;
	take_stat(e, st);
	e->target = arena_strdup(s->arena, target);
	return e->target ? 0 : no_memory(s);
}

static int scan_fifo(struct scanning *s, char *path, const struct stat *st)
{
	struct entry *e = manifest_add(s->out);
	if (!e)
		return no_memory(s);
	e->path = path;
	e->type = ENTRY_FIFO;
	take_stat(e, st);
	return 0;
}

static int scan_names(struct scanning *s, int dir, const char *above, int depth);

static int scan_subdir(struct scanning *s, int dir, const char *name, char *path, int depth)
{
	struct entry e = { .path = path, .type = ENTRY_DIR };
	struct stat st;
	auto_fd fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : fail_at(s, path, errno);
	if (depth == DEPTH_MAX)
		return fail_at(s, path, ELOOP);
	take_stat(&e, &st);
	TRY(read_xattrs(s, fd, &e));
	struct entry *to = manifest_add(s->out);
	if (!to)
		return no_memory(s);
	*to = e;
	return scan_names(s, fd, path, depth + 1);
}

static int scan_entry(struct scanning *s, int dir, const char *name, const char *above, int depth)
{
	struct stat st;
	char *path = *above ? arena_printf(s->arena, "%s/%s", above, name)
			    : arena_strdup(s->arena, name);
	if (!path)
		return no_memory(s);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail_at(s, path, errno);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return scan_file(s, dir, name, path);
	case S_IFDIR:
		return scan_subdir(s, dir, name, path, depth);
	case S_IFLNK:
		return scan_link(s, dir, name, path, &st);
	case S_IFIFO:
		return scan_fifo(s, path, &st);
	default:
		return 0; /* a socket or a device */
	}
}

/* Sorted. malloc'd names in a malloc'd list that ends with NULL; errno. */
static char **list_names(int dir)
{
	struct dirent **items;
	int n = scandirat(dir, ".", &items, NULL, alphasort);
	char **names = n < 0 ? NULL : calloc((size_t)n + 1, sizeof *names);
	size_t count = 0;
	for (int i = 0; i < n; i++) {
		const char *name = items[i]->d_name;
		if (names && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			names[count++] = strdup(name);
		free(items[i]);
	}
	if (n >= 0)
		free(items);
	return names;
}

static void free_names(char ***names)
{
	for (char **n = *names; n && *n; n++)
		free(*n);
	free(*names);
}

static int scan_names(struct scanning *s, int dir, const char *above, int depth)
{
	char **names AUTO(free_names)
	= list_names(dir);
	if (!names)
		return fail_at(s, above, errno);
	for (char **n = names; *n; n++)
		TRY(scan_entry(s, dir, *n, above, depth));
	return 0;
}

int scan_dir(int dir, const struct scan *scan, struct manifest *ret, struct arena *arena,
	     struct csn_error *err)
{
	struct scanning s = { .scan = scan, .out = ret, .arena = arena, .err = err };
	struct stat st;
	if (fstat(dir, &st) < 0)
		return fail_at(&s, "", errno);
	ret->root.type = ENTRY_DIR;
	take_stat(&ret->root, &st);
	int r = read_xattrs(&s, dir, &ret->root);
	if (r == 0)
		r = scan_names(&s, dir, "", 0);
	free(s.links);
	return r;
}
