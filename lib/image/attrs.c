/*
 * Attributes of unpacked files.
 *
 * Which extended attributes a layer may bring is one table: user.*, security.capability, POSIX ACLs
 * and trusted.* are applied; labels that belong to the host's policy (SELinux, IMA, EVM) are left
 * out; overlayfs's own are refused, since with them a layer could show files of other layers.
 */
#include "image/attrs.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"

#ifndef SYS_setxattrat
#define SYS_setxattrat 463 /* Linux 6.13 */
#endif

#define XATTR_ONE_MAX ((size_t)64 << 10) /* the kernel's XATTR_SIZE_MAX */
#define XATTR_ALL_MAX ((size_t)1 << 20)

enum xattr_rule { XATTR_APPLY, XATTR_SKIP, XATTR_REFUSE };

/* The first matching prefix decides; everything else is skipped. */
static const struct {
	const char *prefix;
	enum xattr_rule rule;
} xattr_rules[] = {
	{ "trusted.overlay.", XATTR_REFUSE },
	{ "user.overlay.", XATTR_REFUSE },
	{ "user.", XATTR_APPLY },
	{ "trusted.", XATTR_APPLY },
	{ "security.capability", XATTR_APPLY },
	{ "system.posix_acl_access", XATTR_APPLY },
	{ "system.posix_acl_default", XATTR_APPLY },
};

static enum xattr_rule xattr_rule(const char *name)
{
	for (size_t i = 0; i < COUNT(xattr_rules); i++)
		if (strncmp(name, xattr_rules[i].prefix, strlen(xattr_rules[i].prefix)) == 0)
			return xattr_rules[i].rule;
	return XATTR_SKIP;
}

int attrs_add_xattr(struct attrs *a, const char *name, const void *value, size_t size,
		    struct csn_error *err)
{
	size_t name_size = strlen(name) + 1;
	struct xattr_item *item = malloc(sizeof *item + name_size + size);
	if (!item)
		return fail(err, ENOMEM, "out of memory");

	memcpy(item->name, name, name_size);
	item->value = item->name + name_size;
	item->size = size;
	if (size)
		memcpy(item->value, value, size);
	item->next = a->xattrs;
	a->xattrs = item;
	return 0;
}

static int xattrs_from_entry(struct archive_entry *e, struct attrs *a, struct csn_error *err)
{
	const char *name;
	const void *value;
	size_t size, total = 0;

	if (archive_entry_xattr_reset(e) == 0)
		return 0;
	while (archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK) {
		if (!name)
			continue;
		total += size;
		if (size > XATTR_ONE_MAX || total > XATTR_ALL_MAX)
			return fail(err, EFBIG, "the extended attributes are too large (%.100s)",
				    name);
		switch (xattr_rule(name)) {
		case XATTR_REFUSE:
			return fail(err, EPERM,
				    "a layer must not set the extended attribute '%.200s'", name);
		case XATTR_SKIP:
			break;
		case XATTR_APPLY:
			TRY(attrs_add_xattr(a, name, value, size, err));
			break;
		}
	}
	return 0;
}

static int id_from_entry(int64_t id, const char *what, struct csn_error *err)
{
	/* (uid_t)-1 means "leave it" to chown. */
	if (id < 0 || id >= (int64_t)UINT32_MAX)
		return fail(err, EINVAL, "%s %lld is out of range", what, (long long)id);
	return 0;
}

int attrs_from_entry(struct archive_entry *e, struct warner *w, struct attrs *ret,
		     struct csn_error *err)
{
	AUTO(attrs_done)
	struct attrs a = { 0 };

	TRY(id_from_entry(archive_entry_uid(e), "uid", err));
	TRY(id_from_entry(archive_entry_gid(e), "gid", err));
	a.mode = archive_entry_perm(e) & 07777;
	a.uid = (uid_t)archive_entry_uid(e);
	a.gid = (gid_t)archive_entry_gid(e);
	a.mtime.tv_nsec = UTIME_OMIT;
	if (archive_entry_mtime_is_set(e)) {
		a.mtime.tv_sec = archive_entry_mtime(e);
		a.mtime.tv_nsec = archive_entry_mtime_nsec(e);
		/* libarchive reads "-1.5" as -1 and .5: the fraction has the sign as well. */
		if (a.mtime.tv_sec < 0 && a.mtime.tv_nsec > 0) {
			a.mtime.tv_sec--;
			a.mtime.tv_nsec = 1000000000 - a.mtime.tv_nsec;
		}
	}
	TRY(xattrs_from_entry(e, &a, err));
	TRY(attrs_add_acls(e, w, &a, err));
	*ret = a;
	a.xattrs = NULL;
	return 0;
}

/* Of the open file, or (path) of what is behind a link of /proc/self/fd. */
static int xattrs_from(int fd, const char *path, struct attrs *a, struct csn_error *err)
{
	ssize_t size = path ? listxattr(path, NULL, 0) : flistxattr(fd, NULL, 0);
	if (size == 0 || (size < 0 && errno == ENOTSUP))
		return 0;
	if (size < 0)
		return fail_errno(err, "list extended attributes");

	auto_mem char *names = malloc((size_t)size);
	auto_mem char *value = malloc(XATTR_ONE_MAX);
	if (!names || !value)
		return fail(err, ENOMEM, "out of memory");
	size = path ? listxattr(path, names, (size_t)size) : flistxattr(fd, names, (size_t)size);
	if (size < 0)
		return fail_errno(err, "list extended attributes");

	for (char *name = names; name < names + size; name += strlen(name) + 1) {
		if (xattr_rule(name) != XATTR_APPLY)
			continue;
		ssize_t n = path ? getxattr(path, name, value, XATTR_ONE_MAX)
				 : fgetxattr(fd, name, value, XATTR_ONE_MAX);
		if (n < 0)
			return fail_errno(err, "read the extended attribute %s", name);
		TRY(attrs_add_xattr(a, name, value, (size_t)n, err));
	}
	return 0;
}

static int attrs_from(int fd, const char *path, const struct stat *st, struct attrs *ret,
		      struct csn_error *err)
{
	AUTO(attrs_done)
	struct attrs a = { 0 };

	a.mode = st->st_mode & 07777;
	a.uid = st->st_uid;
	a.gid = st->st_gid;
	a.mtime = st->st_mtim;
	TRY(xattrs_from(fd, path, &a, err));
	*ret = a;
	a.xattrs = NULL;
	return 0;
}

int attrs_from_fd(int fd, struct attrs *ret, struct csn_error *err)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? fail_errno(err, "stat") : attrs_from(fd, NULL, &st, ret, err);
}

int attrs_from_path(const char *path, const struct stat *st, struct attrs *ret,
		    struct csn_error *err)
{
	return attrs_from(-1, path, st, ret, err);
}

void attrs_done(struct attrs *a)
{
	while (a->xattrs) {
		struct xattr_item *item = a->xattrs;
		a->xattrs = item->next;
		free(item);
	}
}

/* A file system without them is worth one warning; anything else is an error. */
static int xattr_failed(const char *name, struct warner *w, struct csn_error *err)
{
	if (errno != ENOTSUP)
		return fail_errno(err, "set the extended attribute %s", name);
	if (w && !w->xattrs_said) {
		w->xattrs_said = true;
		char text[200];
		(void)snprintf(text, sizeof text,
			       "the file system cannot hold the extended attribute %.100s", name);
		w->warn(w->data, text);
	}
	return 0;
}

int attrs_apply(int fd, const struct attrs *a, bool all, struct warner *w, struct csn_error *err)
{
	if ((all || a->uid || a->gid) && fchown(fd, a->uid, a->gid) < 0)
		return fail_errno(err, "chown to %u:%u", a->uid, a->gid);
	if ((all || a->mode & 07000) && fchmod(fd, a->mode) < 0)
		return fail_errno(err, "chmod to %o", a->mode);
	for (const struct xattr_item *x = a->xattrs; x; x = x->next)
		if (fsetxattr(fd, x->name, x->value, x->size, 0) < 0)
			TRY(xattr_failed(x->name, w, err));

	const struct timespec times[2] = { a->mtime, a->mtime };
	if (a->mtime.tv_nsec != UTIME_OMIT && futimens(fd, times) < 0)
		return fail_errno(err, "set the modification time");
	return 0;
}

/* lsetxattr relative to a directory: a system call since Linux 6.13, before that by way of the
 * working directory, which is ours alone (unpack.h). */
static int set_xattr_at(int dir_fd, const char *name, const struct xattr_item *x)
{
	struct {
		uint64_t value;
		uint32_t size, flags;
	} args = { (uint64_t)(uintptr_t)x->value, (uint32_t)x->size, 0 };

	if (syscall(SYS_setxattrat, dir_fd, name, AT_SYMLINK_NOFOLLOW, x->name, &args,
		    sizeof args) == 0)
		return 0;
	if (errno != ENOSYS)
		return -1;
	if (fchdir(dir_fd) < 0)
		return -1;
	return lsetxattr(name, x->name, x->value, x->size, 0);
}

int attrs_apply_at(int dir_fd, const char *name, const struct attrs *a, bool symlink,
		   struct warner *w, struct csn_error *err)
{
	if ((a->uid || a->gid) && fchownat(dir_fd, name, a->uid, a->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(err, "chown to %u:%u", a->uid, a->gid);
	/* Only ours to see, and no symlink: following is not a question. */
	if (!symlink && a->mode & 07000 && fchmodat(dir_fd, name, a->mode, 0) < 0)
		return fail_errno(err, "chmod to %o", a->mode);
	for (const struct xattr_item *x = a->xattrs; x; x = x->next)
		if (set_xattr_at(dir_fd, name, x) < 0)
			TRY(xattr_failed(x->name, w, err));

	const struct timespec times[2] = { a->mtime, a->mtime };
	if (a->mtime.tv_nsec != UTIME_OMIT &&
	    utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(err, "set the modification time");
	return 0;
}
