/*
 * Unpacking an archive into a directory that belongs to somebody else, who may be at work there.
 *
 * For each entry the directory that it belongs in is opened anew below the root, links and all, so
 * that what was swapped meanwhile leads nowhere else but in that root; the last part of the name is
 * made there without following anything, and given its attributes by descriptor. ".." in a name
 * stops at the directory that is unpacked into.
 *
 * libarchive is kept to the "C" locale, in which names are the bytes that they are.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "image/files.h"

#define PIECE ((size_t)256 << 10)

struct unpacking {
	int root;
	const char *dest; /* absolute, below root */
	const struct files_put *o;
	struct archive *archive;
	struct csn_error *err;
	/* Times of directories are set when all is in them. */
	struct arena arena;
	struct later {
		const char *path;
		struct timespec mtime;
		struct later *next;
	} * later;
};

/* The entry that is being made. */
struct place {
	int parent;
	char path[PATH_MAX]; /* below root, cleaned */
	const char *name;    /* its last part; "": the destination itself */
};

static int archive_failed(struct unpacking *u)
{
	const char *text = archive_error_string(u->archive);
	if (text && strstr(text, "Unrecognized archive format"))
		return fail(u->err, EINVAL, "not a tar archive");
	return fail(u->err, EINVAL, "the archive is damaged: %s", text ? text : "unknown error");
}

/* ---- where it goes ----------------------------------------------------------------------------
 */

/* dest and the entry's name. */
static int join(struct unpacking *u, const char *given, char ret[PATH_MAX])
{
	char name[PATH_MAX];
	if ((size_t)snprintf(name, sizeof name, "/%s", given) >= sizeof name)
		return fail(u->err, ENAMETOOLONG, "%.200s…: the name is too long", given);
	path_clean(name);
	int n = snprintf(ret, PATH_MAX, "%s%s", u->dest, name);
	if (n < 0 || n >= PATH_MAX)
		return fail(u->err, ENAMETOOLONG, "%.200s…: the path is too long", given);
	return 0;
}

/* A directory below root, made part by part where it is missing. */
static int open_parent(struct unpacking *u, const char *path, int *ret)
{
	int fd = open_in_root(u->root, path, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0) {
		*ret = fd;
		return 0;
	}
	const char *slash = strrchr(path, '/');
	if (fd != -ENOENT || !slash || slash == path)
		return fail(u->err, -fd, "%.300s: %s", path, strerror(-fd));
	auto_mem char *up = strndup(path, (size_t)(slash - path));
	auto_fd parent = -1;
	if (!up)
		return fail(u->err, ENOMEM, "out of memory");
	TRY(open_parent(u, up, &parent));
	if (mkdirat(parent, slash + 1, 0755) < 0 && errno != EEXIST)
		return fail_errno(u->err, "%.300s: make directory", path);
	if (!u->o->keep_owners)
		(void)!fchownat(parent, slash + 1, u->o->uid, u->o->gid, AT_SYMLINK_NOFOLLOW);
	fd = open_in_root(u->root, path, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return fail(u->err, -fd, "%.300s: %s", path, strerror(-fd));
	*ret = fd;
	return 0;
}

static int find_place(struct unpacking *u, const char *given, struct place *p)
{
	char up[PATH_MAX];
	TRY(join(u, given, p->path));
	size_t dest = strlen(u->dest);
	if (!p->path[dest] || strcmp(p->path + dest, "/") == 0) {
		p->name = "";
		return 0;
	}
	(void)strcpy(up, p->path);
	*strrchr(up, '/') = '\0';
	p->name = strrchr(p->path, '/') + 1;
	return open_parent(u, up[0] ? up : "/", &p->parent);
}

/* Makes room. 1: there is a directory already, and one is to be there. */
static int make_room(struct unpacking *u, const struct place *p, bool directory)
{
	struct stat st;
	if (fstatat(p->parent, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail_errno(u->err, "%.300s", p->path);
	if (S_ISDIR(st.st_mode) && directory)
		return 1;
	if (S_ISDIR(st.st_mode) != directory && u->o->keep_kinds)
		return fail(u->err, EEXIST, "%.300s: %s", p->path,
			    directory ? "a file does not become a directory"
				      : "a directory does not become a file");
	if (S_ISDIR(st.st_mode))
		return within(u->err, remove_tree(p->parent, p->name, u->err), "%.300s", p->path);
	return unlinkat(p->parent, p->name, 0) < 0 && errno != ENOENT
		       ? fail_errno(u->err, "%.300s: replace", p->path)
		       : 0;
}

/* ---- attributes -------------------------------------------------------------------------------
 */

struct attributes {
	uid_t uid;
	gid_t gid;
	mode_t mode;
	struct timespec times[2];
};

static struct attributes attributes_of(const struct unpacking *u, struct archive_entry *e)
{
	struct attributes a = {
		.uid = u->o->keep_owners ? (uid_t)archive_entry_uid(e) : u->o->uid,
		.gid = u->o->keep_owners ? (gid_t)archive_entry_gid(e) : u->o->gid,
		.mode = archive_entry_perm(e) & 07777,
		.times = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } },
	};
	if (archive_entry_mtime_is_set(e))
		a.times[1] =
			(struct timespec){ archive_entry_mtime(e), archive_entry_mtime_nsec(e) };
	return a;
}

/* Those that mean the same whoever has them; others are the host's own affair. */
static void set_xattrs(struct archive_entry *e, int fd)
{
	const char *name;
	const void *value;
	size_t size;
	(void)archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK)
		if (name &&
		    (strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0))
			(void)fsetxattr(fd, name, value, size, 0);
}

/* By descriptor. A change of the owner takes set-id bits and capabilities away: it comes first. */
static int set_attributes(struct unpacking *u, const struct place *p, struct archive_entry *e,
			  int fd, bool times)
{
	const struct attributes a = attributes_of(u, e);
	if (fchown(fd, a.uid, a.gid) < 0 || fchmod(fd, a.mode) < 0)
		return fail_errno(u->err, "%.300s: set its attributes", p->path);
	set_xattrs(e, fd);
	if (times)
		(void)futimens(fd, a.times);
	return 0;
}

/* ---- kinds of files ---------------------------------------------------------------------------
 */

static int put_directory(struct unpacking *u, struct place *p, struct archive_entry *e)
{
	int there = make_room(u, p, true);
	TRY(there);
	if (!there && mkdirat(p->parent, p->name, 0700) < 0)
		return fail_errno(u->err, "%.300s: make directory", p->path);
	auto_fd fd = openat(p->parent, p->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(u->err, "%.300s", p->path);
	TRY(set_attributes(u, p, e, fd, false));
	struct later *l = arena_alloc(&u->arena, sizeof *l);
	if (!l)
		return fail(u->err, ENOMEM, "out of memory");
	*l = (struct later){ arena_strdup(&u->arena, p->path), attributes_of(u, e).times[1],
			     u->later };
	u->later = l;
	return l->path ? 0 : fail(u->err, ENOMEM, "out of memory");
}

static int put_content(struct unpacking *u, const struct place *p, int fd, int64_t size)
{
	const void *bytes;
	size_t n;
	la_int64_t at;
	for (;;) {
		int r = archive_read_data_block(u->archive, &bytes, &n, &at);
		if (r == ARCHIVE_EOF)
			break;
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return archive_failed(u);
		for (size_t done = 0; done < n;) {
			ssize_t w =
				pwrite(fd, (const char *)bytes + done, n - done, at + (off_t)done);
			if (w < 0 && errno != EINTR)
				return fail_errno(u->err, "%.300s: write", p->path);
			done += w > 0 ? (size_t)w : 0;
		}
	}
	/* What ends with a hole. */
	return ftruncate(fd, size) < 0 ? fail_errno(u->err, "%.300s: write", p->path) : 0;
}

static int put_file(struct unpacking *u, struct place *p, struct archive_entry *e)
{
	TRY(make_room(u, p, false));
	auto_fd fd = openat(p->parent, p->name,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(u->err, "%.300s: make", p->path);
	TRY(put_content(u, p, fd, archive_entry_size(e)));
	return set_attributes(u, p, e, fd, true);
}

static int put_hard_link(struct unpacking *u, struct place *p, struct archive_entry *e)
{
	struct place to = { .parent = -1 };
	int r = find_place(u, archive_entry_hardlink(e), &to);
	auto_fd parent = to.parent;
	TRY(r);
	if (!to.name[0])
		return fail(u->err, EINVAL, "%.300s: a link to the destination", p->path);
	TRY(make_room(u, p, false));
	return linkat(parent, to.name, p->parent, p->name, 0) < 0
		       ? fail_errno(u->err, "%.200s: link to %.200s", p->path, to.path)
		       : 0;
}

/* Links, devices, FIFOs: nothing is in them, and they are not opened. */
static int put_other(struct unpacking *u, struct place *p, struct archive_entry *e)
{
	const struct attributes a = attributes_of(u, e);
	mode_t kind = archive_entry_filetype(e);
	int r;
	TRY(make_room(u, p, false));
	if (kind == AE_IFLNK)
		r = symlinkat(archive_entry_symlink(e), p->parent, p->name);
	else
		r = mknodat(p->parent, p->name, kind | 0600,
			    makedev((unsigned)archive_entry_rdevmajor(e),
				    (unsigned)archive_entry_rdevminor(e)));
	if (r < 0 || fchownat(p->parent, p->name, a.uid, a.gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(u->err, "%.300s: make", p->path);
	if (kind != AE_IFLNK) {
		char magic[32];
		auto_fd fd = openat(p->parent, p->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		struct stat st;
		(void)snprintf(magic, sizeof magic, "/proc/self/fd/%d", fd);
		/* Still ours, not a link that took its place. */
		if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind)
			(void)!chmod(magic, a.mode);
	}
	(void)utimensat(p->parent, p->name, a.times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int put_entry(struct unpacking *u, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);
	struct place p = { .parent = -1 };
	if (!name || !name[0])
		return fail(u->err, EINVAL, "the archive has an entry without a name");
	int r = find_place(u, name, &p);
	auto_fd __attribute__((unused)) parent = p.parent; /* closed at the end */
	TRY(r);
	if (!p.name[0]) /* the destination is what it is */
		return 0;
	if (archive_entry_hardlink(e))
		return put_hard_link(u, &p, e);
	switch (archive_entry_filetype(e)) {
	case AE_IFDIR:
		return put_directory(u, &p, e);
	case AE_IFREG:
		return put_file(u, &p, e);
	case AE_IFLNK:
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
		return put_other(u, &p, e);
	default:
		return 0; /* sockets are made by whoever listens */
	}
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static int open_archive(struct unpacking *u, int fd)
{
	u->archive = archive_read_new();
	if (!u->archive)
		return fail(u->err, ENOMEM, "out of memory");
	/* Only what libarchive reads itself: some filters would run programs. */
	(void)archive_read_support_filter_gzip(u->archive);
	(void)archive_read_support_filter_bzip2(u->archive);
	(void)archive_read_support_filter_xz(u->archive);
	(void)archive_read_support_filter_zstd(u->archive);
	if (archive_read_support_format_tar(u->archive) != ARCHIVE_OK ||
	    archive_read_support_format_empty(u->archive) != ARCHIVE_OK ||
	    archive_read_open_fd(u->archive, fd, PIECE) != ARCHIVE_OK)
		return archive_failed(u);
	return 0;
}

static int unpack(struct unpacking *u)
{
	struct archive_entry *e;
	for (;;) {
		int r = archive_read_next_header(u->archive, &e);
		const char *text = archive_error_string(u->archive);
		if (r == ARCHIVE_EOF)
			break;
		/* Names are bytes; that they could not be converted to others says nothing. */
		if (r != ARCHIVE_OK &&
		    !(r == ARCHIVE_WARN && text && strstr(text, "can't be converted")))
			return archive_failed(u);
		TRY(put_entry(u, e));
	}
	for (struct later *l = u->later; l; l = l->next) {
		const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, l->mtime };
		auto_fd fd = open_in_root(u->root, l->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
		if (fd >= 0)
			(void)futimens(fd, times);
	}
	return 0;
}

int files_put(int root, const char *path, int fd, const struct files_put *o, struct csn_error *err)
{
	struct csn_error unused;
	auto_mem char *dest = path[0] == '/' ? strdup(path) : NULL;
	struct unpacking u = { .root = root, .o = o, .err = err ? err : &unused };
	if (!dest && asprintf(&dest, "/%s", path) < 0)
		return fail(err, ENOMEM, "out of memory");
	auto_fd dir = open_in_root(root, dest, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir < 0)
		return fail(err, -dir, "%.300s: %s", path, strerror(-dir));
	path_clean(dest);
	u.dest = strcmp(dest, "/") == 0 ? "" : dest;
	(void)umask(0);
	int r = open_archive(&u, fd);
	if (r == 0)
		r = unpack(&u);
	if (u.archive)
		(void)archive_read_free(u.archive);
	arena_free(&u.arena);
	return r;
}
