/*
 * Entries of a layer onto disk.
 *
 * A file is made with O_EXCL under its final name (the directory is nobody else's); if something is
 * in the way, the later entry wins and the earlier one is removed first. Directories get their
 * owner, special bits, extended attributes and times only at the very end: by then nothing is made
 * inside them any more, so that the time stays, and neither a setgid bit nor a default ACL was
 * handed down to their content. umask must be 0.
 *
 * A hard link to a file of a lower layer first copies that file up, as overlayfs would.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "image/unpack.h"

/* Removes what this layer had under that name. */
static int clear_name(struct unpack *u, struct tree_dir *dir, const char *name,
		      struct csn_error *err)
{
	struct tree_dir *child = tree_child(&u->tree, dir, name);
	int fd = tree_fd(&u->tree, dir, err);
	if (fd < 0)
		return fd;

	u->parent = NULL; /* its path may have led through what goes now */
	if (++u->replaced > UNPACK_REPLACED_MAX)
		return fail(err, EFBIG, "more than %d entries that replace others",
			    UNPACK_REPLACED_MAX);
	if (child && !child->whiteout) {
		bool made = child->made;
		tree_drop(&u->tree, child);
		return made ? remove_tree(fd, name, err) : 0;
	}
	if (unlinkat(fd, name, 0) < 0 && errno != ENOENT)
		return fail_errno(err, "remove the earlier entry of the same name");
	return 0;
}

static bool is_dir_here(struct unpack *u, struct tree_dir *dir, const char *name)
{
	struct tree_dir *child = tree_child(&u->tree, dir, name);

	return child && !child->whiteout;
}

/* ---- directories ----------------------------------------------------------------------------- */

static void set_dir_attrs(struct tree_dir *d, struct attrs *a)
{
	attrs_done(&d->attrs);
	d->attrs = *a;
	a->xattrs = NULL;
	d->has_attrs = true;
	d->chmod = d->made;
}

static int root_entry(struct unpack *u, struct attrs *a)
{
	struct root_attrs *root = &u->result.root;

	*root = (struct root_attrs){ true, a->mode, a->uid, a->gid, a->mtime };
	set_dir_attrs(&u->tree.root, a);
	return 0;
}

int writer_dir(struct unpack *u, struct tree_dir *dir, const char *name, struct archive_entry *e,
	       struct csn_error *err)
{
	AUTO(attrs_done)
	struct attrs a = { 0 };
	TRY(attrs_from_entry(e, u->options.warner, &a, err));
	if (!name[0])
		return root_entry(u, &a);

	struct tree_dir *child = tree_child(&u->tree, dir, name);
	bool replaces = child && child->whiteout;
	if (replaces) {
		tree_drop(&u->tree, child);
		child = NULL;
	}
	if (!child) {
		struct stat st;
		int fd = tree_fd(&u->tree, dir, err);
		if (fd < 0)
			return fd;
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			replaces = true;
			TRY(clear_name(u, dir, name, err));
		}
		TRY(tree_add(&u->tree, dir, name, &child, err));
		child->opaque = replaces;
	}
	set_dir_attrs(child, &a);
	return tree_make(&u->tree, child, err);
}

static int finish_dir(struct unpack *u, struct tree_dir *d, struct csn_error *err)
{
	const struct attrs *a = &d->attrs;
	bool plain = !d->chmod && !a->uid && !a->gid && !(a->mode & 07000) && !a->xattrs;

	if (plain && d != &u->tree.root) {
		int up = tree_fd(&u->tree, d->parent, err);
		if (up < 0)
			return up;
		return attrs_apply_at(up, d->name, a, false, u->options.warner, err);
	}
	int fd = tree_fd(&u->tree, d, err);
	if (fd < 0)
		return fd;
	return attrs_apply(fd, a, d->chmod, u->options.warner, err);
}

int writer_finish_dirs(struct unpack *u, struct csn_error *err)
{
	for (struct tree_dir *d = u->tree.newest; d; d = d->older)
		if (d->made && !d->whiteout && tree_is_alive(&u->tree, d)) {
			int r = finish_dir(u, d, err);
			if (r < 0)
				return within(err, r, "directory '%.200s'", d->name);
		}
	return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int write_data(struct unpack *u, int fd, int64_t size, struct csn_error *err)
{
	const void *data;
	size_t n;
	la_int64_t at;
	int64_t end = 0;

	for (;;) {
		int r = archive_read_data_block(u->archive, &data, &n, &at);
		if (r == ARCHIVE_EOF)
			break;
		if (r != ARCHIVE_OK)
			return unpack_archive_failed(u, err);
		/* A hole is left where a sparse file's next piece does not follow the last. */
		if (at != end && lseek(fd, at, SEEK_SET) < 0)
			return fail_errno(err, "seek to %lld", (long long)at);
		int w = write_all(fd, data, n);
		if (w < 0) {
			errno = -w;
			return fail_errno(err, "write");
		}
		end = at + (int64_t)n;
	}
	if (end < size && ftruncate(fd, size) < 0)
		return fail_errno(err, "extend to %lld bytes", (long long)size);
	return 0;
}

/* Makes the name: a descriptor for regular files, 0 for the rest, -1 with errno. */
static int create(int dir_fd, const char *name, struct archive_entry *e, const struct attrs *a)
{
	mode_t type = archive_entry_filetype(e);

	switch (type) {
	case AE_IFREG:
		return openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			      a->mode & 0777);
	case AE_IFLNK:
		return symlinkat(archive_entry_symlink(e), dir_fd, name);
	default:
		return mknodat(dir_fd, name, type | (a->mode & 0777),
			       makedev((unsigned int)archive_entry_rdevmajor(e),
				       (unsigned int)archive_entry_rdevminor(e)));
	}
}

static int check_type(struct archive_entry *e, struct csn_error *err)
{
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
	case AE_IFIFO:
	case AE_IFBLK:
		return 0;
	case AE_IFCHR:
		if (archive_entry_rdevmajor(e) == 0 && archive_entry_rdevminor(e) == 0)
			return fail(err, EPERM,
				    "a character device 0:0 would delete what lies below");
		return 0;
	case AE_IFLNK: {
		const char *target = archive_entry_symlink(e);
		if (!target || !*target)
			return fail(err, EINVAL, "a symlink without a target");
		return 0;
	}
	default:
		return fail(err, EINVAL, "an unknown type of file (%o)", archive_entry_filetype(e));
	}
}

int writer_file(struct unpack *u, struct tree_dir *dir, const char *name, struct archive_entry *e,
		struct csn_error *err)
{
	AUTO(attrs_done)
	struct attrs a = { 0 };
	TRY(check_type(e, err));
	TRY(attrs_from_entry(e, u->options.warner, &a, err));
	if (is_dir_here(u, dir, name))
		TRY(clear_name(u, dir, name, err));

	int dir_fd = tree_fd(&u->tree, dir, err);
	if (dir_fd < 0)
		return dir_fd;
	int made = create(dir_fd, name, e, &a);
	if (made < 0 && errno == EEXIST) {
		TRY(clear_name(u, dir, name, err));
		made = create(dir_fd, name, e, &a);
	}
	if (made < 0)
		return fail_errno(err, "make it");

	mode_t type = archive_entry_filetype(e);
	if (type != AE_IFREG)
		return attrs_apply_at(dir_fd, name, &a, type == AE_IFLNK, u->options.warner, err);

	auto_fd fd = made;
	int64_t size = archive_entry_size(e);
	if (size > 0) {
		TRY(write_data(u, fd, size, err));
		u->result.size += (uint64_t)size;
	}
	return attrs_apply(fd, &a, false, u->options.warner, err);
}

/* ---- hard links ------------------------------------------------------------------------------ */

/* The content of a lower layer's file: shared with it where the file system can, else copied piece
 * by piece so that holes stay holes. */
static int copy_content(int from, int to, off_t size, struct csn_error *err)
{
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	for (off_t at = 0; at < size;) {
		off_t data = lseek(from, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (data < 0 || hole < 0)
			return fail_errno(err, "find the data of a lower layer's file");
		for (at = data; at < hole;) {
			loff_t in = at, out = at;
			ssize_t n = copy_file_range(from, &in, to, &out, (size_t)(hole - at), 0);
			if (n <= 0)
				return fail_errno(err, "copy a lower layer's file");
			at += n;
		}
	}
	return ftruncate(to, size) < 0 ? fail_errno(err, "set the size of the copy") : 0;
}

static int copy_up_regular(struct unpack *u, const struct lower_hit *hit, int dir_fd,
			   const char *name, struct csn_error *err)
{
	auto_fd from = openat(hit->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0)
		return fail_errno(err, "open a lower layer's file");
	auto_fd to = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    hit->st.st_mode & 0777);
	if (to < 0)
		return fail_errno(err, "make a copy of a lower layer's file");

	AUTO(attrs_done)
	struct attrs a = { 0 };
	TRY(attrs_from_fd(from, &a, err));
	TRY(copy_content(from, to, hit->st.st_size, err));
	u->result.size += (uint64_t)hit->st.st_size;
	return attrs_apply(to, &a, false, u->options.warner, err);
}

/* A symlink, device or fifo of a lower layer. Its xattrs cannot be read through a descriptor and
 * hardly ever exist. */
static int copy_up_special(struct unpack *u, const struct lower_hit *hit, int dir_fd,
			   const char *name, struct csn_error *err)
{
	const struct stat *st = &hit->st;
	bool symlink = S_ISLNK(st->st_mode);
	int r;

	if (symlink) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(hit->dir_fd, name, target, sizeof target - 1);
		if (n < 0)
			return fail_errno(err, "read a lower layer's symlink");
		target[n] = '\0';
		r = symlinkat(target, dir_fd, name);
	} else {
		r = mknodat(dir_fd, name, st->st_mode & (S_IFMT | 0777), st->st_rdev);
	}
	if (r < 0)
		return fail_errno(err, "make a copy of a lower layer's file");

	const struct attrs a = { st->st_mode & 07777, st->st_uid, st->st_gid, st->st_mtim, NULL };
	return attrs_apply_at(dir_fd, name, &a, symlink, u->options.warner, err);
}

/* Brings dir/name from below into this layer. */
static int copy_up(struct unpack *u, struct tree_dir *dir, const char *name, struct csn_error *err)
{
	struct tree_dir *child = tree_child(&u->tree, dir, name);
	struct lower_hit hit = { .kind = LOWER_NONE };

	if (child && !child->whiteout)
		return fail(err, EPERM, "a hard link to a directory");
	/* Made before the look-up: both use the list of lower directories. */
	TRY(tree_make(&u->tree, dir, err));
	if (!child)
		TRY(lower_lookup(&u->tree, dir, name, &hit, err));
	if (hit.kind == LOWER_DIR)
		return fail(err, EPERM, "a hard link to a directory");
	if (hit.kind == LOWER_NONE)
		return fail(err, ENOENT, "the file does not exist");

	int dir_fd = tree_fd(&u->tree, dir, err);
	if (dir_fd < 0)
		return dir_fd;
	return S_ISREG(hit.st.st_mode) ? copy_up_regular(u, &hit, dir_fd, name, err)
				       : copy_up_special(u, &hit, dir_fd, name, err);
}

/* linkat between two nodes: 0, or -1 with errno. */
static int try_link(struct unpack *u, struct tree_dir *from, const char *from_name,
		    struct tree_dir *to, const char *to_name)
{
	int from_fd = tree_fd(&u->tree, from, NULL);
	int to_fd = tree_fd(&u->tree, to, NULL);
	/* The way to the second may have closed the first. */
	from_fd = from_fd < 0 ? from_fd : tree_fd(&u->tree, from, NULL);
	if (from_fd < 0 || to_fd < 0) {
		errno = EIO;
		return -1;
	}
	return linkat(from_fd, from_name, to_fd, to_name, 0);
}

static int link_target(struct unpack *u, const char *target, struct tree_dir **ret_dir, char *buf,
		       const char **ret_name, struct csn_error *err)
{
	if (strlen(target) > TREE_PATH_MAX)
		return fail(err, ENAMETOOLONG, "longer than %d bytes", TREE_PATH_MAX);
	(void)strcpy(buf, target);
	TRY(tree_clean_path(buf, err));

	char *slash = strrchr(buf, '/');
	if (slash)
		*slash = '\0';
	*ret_name = slash ? slash + 1 : buf;
	if (!**ret_name)
		return fail(err, EPERM, "a hard link to a directory");
	TRY(tree_walk(&u->tree, slash ? buf : "", TREE_FIND, ret_dir, NULL, err));
	return *ret_dir ? 0 : fail(err, ENOENT, "the file does not exist");
}

int writer_link(struct unpack *u, struct tree_dir *dir, const char *name, const char *target,
		struct csn_error *err)
{
	char buf[TREE_PATH_MAX + 1];
	const char *from_name = NULL;
	struct tree_dir *from = NULL;
	struct stat st;

	int r = link_target(u, target, &from, buf, &from_name, err);
	if (r < 0)
		return within(err, r, "hard link to '%.200s'", target);
	if (from == dir && strcmp(from_name, name) == 0)
		return fail(err, EINVAL, "a hard link to itself");

	int from_fd = from->made ? tree_fd(&u->tree, from, err) : -1;
	if (from_fd < 0 || fstatat(from_fd, from_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		r = copy_up(u, from, from_name, err);
		if (r < 0)
			return within(err, r, "hard link to '%.200s'", target);
	} else if (S_ISDIR(st.st_mode)) {
		return fail(err, EPERM, "hard link to '%.200s': a hard link to a directory",
			    target);
	}

	if (is_dir_here(u, dir, name))
		TRY(clear_name(u, dir, name, err));
	r = try_link(u, from, from_name, dir, name);
	if (r < 0 && errno == EEXIST) {
		TRY(clear_name(u, dir, name, err));
		r = try_link(u, from, from_name, dir, name);
	}
	return r < 0 ? fail_errno(err, "hard link to '%.200s'", target) : 0;
}
