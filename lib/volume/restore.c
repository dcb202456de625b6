/*
 * From the bucket into an empty directory. The manifest is somebody else's text: paths are plain
 * (manifest.c), parents are opened without following links, and a content that is not what its hash
 * says is an error. Directories get their mode and times last, when nothing is put into them any
 * more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/path.h"
#include "image/digest.h"
#include "volume/volume.h"

struct restoring {
	int to;
	struct s3 *s3;
	struct volume_moved *moved;
	struct csn_error *err;
};

static int fail_at(const struct restoring *g, const char *path, int code)
{
	return fail(g->err, code, "\"%.300s\" of the volume: %s", path, strerror(code));
}

/* The directory of a path, and the name in it. */
static int open_parent(const struct restoring *g, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	*ret_name = slash ? slash + 1 : path;
	auto_mem char *parent = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	return parent ? open_beneath(g->to, parent, O_RDONLY | O_DIRECTORY, 0) : -ENOMEM;
}

/* ---- attributes -------------------------------------------------------------------------------
 */

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* Names that a machine gives itself are not taken from a bucket. */
static bool is_allowed(const char *name)
{
	return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0 ||
	       strncmp(name, "system.posix_acl_", 17) == 0;
}

static int set_xattr(int fd, const struct xattr *x)
{
	size_t n = strlen(x->value) / 2;
	auto_mem unsigned char *value = malloc(n + 1);
	if (!value)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(x->value[2 * i]), low = hex_value(x->value[2 * i + 1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		value[i] = (unsigned char)(high << 4 | low);
	}
	if (fsetxattr(fd, x->name, value, n, 0) == 0 || errno == EOPNOTSUPP)
		return 0;
	return -errno;
}

/* Owner first: a change of it takes set-user-id bits and file capabilities away. */
static int set_metadata(int fd, const struct entry *e)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { e->mtime_s, e->mtime_ns } };
	if (fchown(fd, e->uid, e->gid) < 0 || fchmod(fd, e->mode) < 0)
		return -errno;
	for (size_t i = 0; i < e->xattrs.count; i++)
		if (is_allowed(e->xattrs.items[i].name))
			TRY(set_xattr(fd, &e->xattrs.items[i]));
	return futimens(fd, times) < 0 ? -errno : 0;
}

static int set_itself(int dir, const char *name, const struct entry *e)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { e->mtime_s, e->mtime_ns } };
	if (fchownat(dir, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (e->type != ENTRY_LINK && fchmodat(dir, name, e->mode, 0) < 0))
		return -errno;
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* ---- entries ----------------------------------------------------------------------------------
 */

static void close_hasher(struct hasher *h)
{
	hasher_done(h);
}

static int check_content(const struct restoring *g, int fd, const struct entry *e)
{
	struct hasher h AUTO(close_hasher) = { 0 };
	char digest[DIGEST_TEXT_MAX];
	auto_mem char *part = malloc(1 << 20);
	off_t at = 0;
	ssize_t n;
	if (!part)
		return fail_at(g, e->path, ENOMEM);
	TRY(hasher_init(&h, DIGEST_SHA256, g->err));
	while ((n = pread(fd, part, 1 << 20, at)) > 0) {
		TRY(hasher_update(&h, part, (size_t)n, g->err));
		at += n;
	}
	if (n < 0)
		return fail_at(g, e->path, errno);
	TRY(hasher_final(&h, digest, g->err));
	if (strcmp(digest_hex(digest), e->sha256) == 0)
		return 0;
	return fail(g->err, EBADMSG, "\"%.300s\" of the volume: objects/%s has another content",
		    e->path, e->sha256);
}

static int make_file(const struct restoring *g, int dir, const char *name, const struct entry *e)
{
	char key[80];
	auto_fd fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_at(g, e->path, errno);
	if (e->sha256) {
		TRY(within(g->err, s3_get_file(g->s3, manifest_key(e->sha256, key), fd, g->err),
			   "\"%.300s\" of the volume", e->path));
		TRY(check_content(g, fd, e));
		g->moved->moved++;
		g->moved->bytes += e->size;
	}
	int r = set_metadata(fd, e);
	return r < 0 ? fail_at(g, e->path, -r) : 0;
}

static int make_hardlink(const struct restoring *g, int dir, const char *name,
			 const struct entry *e)
{
	const char *first;
	auto_fd from = open_parent(g, e->hardlink, &first);
	if (from < 0)
		return fail_at(g, e->hardlink, -from);
	return linkat(from, first, dir, name, 0) < 0 ? fail_at(g, e->path, errno) : 0;
}

static int make_entry(const struct restoring *g, const struct entry *e)
{
	const char *name;
	auto_fd dir = open_parent(g, e->path, &name);
	int r = 0;
	if (dir < 0)
		return fail_at(g, e->path, -dir);
	switch ((enum entry_type)e->type) {
	case ENTRY_DIR: /* the rest of it at the end */
		return mkdirat(dir, name, 0700) < 0 ? fail_at(g, e->path, errno) : 0;
	case ENTRY_FILE:
		return e->hardlink ? make_hardlink(g, dir, name, e) : make_file(g, dir, name, e);
	case ENTRY_LINK:
		r = symlinkat(e->target, dir, name);
		break;
	case ENTRY_FIFO:
		r = mkfifoat(dir, name, 0600);
		break;
	}
	r = r < 0 ? -errno : set_itself(dir, name, e);
	return r < 0 ? fail_at(g, e->path, -r) : 0;
}

static int finish_dir(const struct restoring *g, const struct entry *e)
{
	const char *path = e->path ? e->path : ".";
	auto_fd fd = open_beneath(g->to, path, O_RDONLY | O_DIRECTORY, 0);
	int r = fd < 0 ? fd : set_metadata(fd, e);
	return r < 0 ? fail_at(g, path, -r) : 0;
}

int volume_restore(int to, struct s3 *s3, struct volume_moved *ret, struct csn_error *err)
{
	const struct restoring g = { .to = to, .s3 = s3, .moved = ret, .err = err };
	struct arena arena AUTO(arena_free) = { 0 };
	struct manifest m;
	auto_mem char *text = NULL;
	size_t size;
	TRY(s3_get(s3, MANIFEST_KEY, MANIFEST_MAX, &text, &size, err));
	TRY(manifest_parse(text, size, &m, &arena, err));
	for (size_t i = 0; i < m.entries.count; i++)
		TRY(make_entry(&g, &m.entries.items[i]));
	for (size_t i = m.entries.count; i-- > 0;)
		if (m.entries.items[i].type == ENTRY_DIR)
			TRY(finish_dir(&g, &m.entries.items[i]));
	ret->files = m.entries.count;
	return finish_dir(&g, &m.root);
}
