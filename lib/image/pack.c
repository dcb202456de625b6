/*
 * Writing a directory tree as a pax archive: sorted by name, parents first, hard links to the
 * first name that was met, holes as holes. Sockets cannot be in an archive and are left out.
 */
#include "image/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "image/attrs.h"
#include "image/tree.h"

#define PIECE	      ((size_t)256 << 10)
#define FILE_SIZE_MAX ((off_t)1 << 40) /* with holes anybody can make one of 8 EiB */
#define PROC_PATH_MAX 40

/* A file with several names, and the one that is in the archive. */
struct first_name {
	dev_t dev;
	ino_t ino;
	const char *path;
};

struct packer {
	const struct pack *p;
	struct archive *archive;
	struct csn_error *err;
	struct csn_error write_error;
	struct arena arena;
	struct first_name *names; /* open addressing */
	size_t names_count, names_capacity;
	char path[TREE_PATH_MAX + 2]; /* of what is looked at; "" is the root */
	char *piece;
	int depth;
};

/* ---- the archive ----------------------------------------------------------------------------- */

static la_ssize_t on_write(struct archive *a, void *data, const void *bytes, size_t size)
{
	struct packer *k = data;

	if (k->p->write(k->p->data, bytes, size, &k->write_error) < 0) {
		archive_set_error(a, k->write_error.code, "%s", k->write_error.text);
		return -1;
	}
	return (la_ssize_t)size;
}

static int archive_failed(struct packer *k)
{
	const char *text = archive_error_string(k->archive);

	if (k->write_error.code)
		return fail(k->err, k->write_error.code, "%s", k->write_error.text);
	return fail(k->err, EIO, "%s: write the archive: %s", k->path, text ? text : "no memory");
}

static int put_header(struct packer *k, struct archive_entry *e)
{
	/* A warning is about a name that is no UTF-8: the bytes are written as they are. */
	int r = archive_write_header(k->archive, e);
	return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 0 : archive_failed(k);
}

static int put_bytes(struct packer *k, const void *bytes, size_t size)
{
	return archive_write_data(k->archive, bytes, size) < 0 ? archive_failed(k) : 0;
}

static void entry_freep(struct archive_entry **e)
{
	archive_entry_free(*e);
}

/* "dir/.wh.name", ".wh..wh..opq": an empty file. */
static int put_mark(struct packer *k, const char *dir, size_t dir_size, const char *name)
{
	struct archive_entry *e AUTO(entry_freep)
	= archive_entry_new();
	auto_mem char *path = NULL;

	if (!e || asprintf(&path, "%.*s.wh.%s", (int)dir_size, dir, name) < 0)
		return fail(k->err, ENOMEM, "out of memory");
	archive_entry_set_pathname(e, path);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_size(e, 0);
	archive_entry_set_mtime(e, 0, 0);
	return put_header(k, e);
}

/* ---- hard links ------------------------------------------------------------------------------ */

static struct first_name *find_slot(struct first_name *names, size_t capacity,
				    const struct stat *st)
{
	size_t i = (size_t)(st->st_ino * 0x9e3779b97f4a7c15U) & (capacity - 1);

	while (names[i].path && (names[i].ino != st->st_ino || names[i].dev != st->st_dev))
		i = (i + 1) & (capacity - 1);
	return &names[i];
}

static int grow_names(struct packer *k)
{
	size_t capacity = k->names_capacity ? 2 * k->names_capacity : 256;
	struct first_name *grown = calloc(capacity, sizeof *grown);

	if (!grown)
		return fail(k->err, ENOMEM, "out of memory");
	for (size_t i = 0; i < k->names_capacity; i++) {
		const struct first_name *n = &k->names[i];
		const struct stat st = { .st_dev = n->dev, .st_ino = n->ino };
		if (n->path)
			*find_slot(grown, capacity, &st) = *n;
	}
	free(k->names);
	k->names = grown;
	k->names_capacity = capacity;
	return 0;
}

/* The name under which the file is in the archive; NULL when this is the first. */
static int first_name(struct packer *k, const struct stat *st, const char **ret)
{
	*ret = NULL;
	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return 0;
	if (2 * k->names_count >= k->names_capacity)
		TRY(grow_names(k));
	struct first_name *slot = find_slot(k->names, k->names_capacity, st);
	*ret = slot->path;
	if (slot->path)
		return 0;
	*slot = (struct first_name){ st->st_dev, st->st_ino, arena_strdup(&k->arena, k->path) };
	if (!slot->path)
		return fail(k->err, ENOMEM, "out of memory");
	k->names_count++;
	return 0;
}

/* ---- content --------------------------------------------------------------------------------- */

/* Tells where the data is. More pieces than anybody needs count as one. */
static void find_holes(int fd, off_t size, struct archive_entry *e)
{
	off_t at = 0;

	for (int n = 0; at < size; n++) {
		off_t from = lseek(fd, at, SEEK_DATA);
		if (from < 0 || from >= size)
			break;
		off_t to = n < 4096 ? lseek(fd, from, SEEK_HOLE) : size;
		if (to < 0 || to > size)
			to = size;
		archive_entry_sparse_add_entry(e, from, to - from);
		at = to;
	}
	/* All of it is a hole. */
	if (archive_entry_sparse_count(e) == 0)
		archive_entry_sparse_add_entry(e, size, 0);
}

/* As many bytes as the header says, whatever happens to the file meanwhile. */
static int put_content(struct packer *k, int fd, off_t size, bool holes)
{
	off_t at = 0;

	while (at < size) {
		size_t want = size - at < (off_t)PIECE ? (size_t)(size - at) : PIECE;
		off_t data = holes ? lseek(fd, at, SEEK_DATA) : at;
		ssize_t n = 0;
		if (data < 0 || data >= at + (off_t)want) /* ENXIO: nothing more */
			memset(k->piece, 0, want);
		else if ((n = pread(fd, k->piece, want, at)) < 0)
			return fail_errno(k->err, "%s: read", k->path);
		if (n > 0)
			want = (size_t)n;
		else
			memset(k->piece, 0, want);
		TRY(put_bytes(k, k->piece, want));
		at += (off_t)want;
		const struct image_events *events = k->p->events;
		if (events->interrupted && events->interrupted(events->data))
			return fail(k->err, EINTR, "interrupted");
	}
	return 0;
}

/* ---- one entry ------------------------------------------------------------------------------- */

/* What the O_PATH descriptor stands for, without walking to it again. */
static void proc_path(int fd, char ret[PROC_PATH_MAX])
{
	(void)snprintf(ret, PROC_PATH_MAX, "/proc/self/fd/%d", fd);
}

static int set_attributes(struct packer *k, int fd, const struct stat *st, struct archive_entry *e)
{
	AUTO(attrs_done)
	struct attrs a = { 0 };
	char proc[PROC_PATH_MAX];
	int64_t seconds = st->st_mtim.tv_sec;
	long nanoseconds = st->st_mtim.tv_nsec;

	proc_path(fd, proc);
	int r = attrs_from_path(proc, st, &a, k->err);
	if (r < 0)
		return within(k->err, r, "%s", k->path);
	/* In a tar file the fraction has the sign of the whole: -1.5 is 2 seconds before 1970, and
	 * a half. */
	if (seconds < -1 && nanoseconds > 0) {
		seconds++;
		nanoseconds = 1000000000 - nanoseconds;
	}
	archive_entry_set_mode(e, st->st_mode);
	archive_entry_set_uid(e, st->st_uid);
	archive_entry_set_gid(e, st->st_gid);
	archive_entry_set_mtime(e, seconds, nanoseconds);
	for (const struct xattr_item *x = a.xattrs; x; x = x->next)
		archive_entry_xattr_add_entry(e, x->name, x->value, x->size);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		archive_entry_set_rdevmajor(e, major(st->st_rdev));
		archive_entry_set_rdevminor(e, minor(st->st_rdev));
	}
	return 0;
}

static int set_target(struct packer *k, int fd, struct archive_entry *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof target - 1);

	if (n < 0)
		return fail_errno(k->err, "%s: read the link", k->path);
	target[n] = '\0';
	archive_entry_set_symlink(e, target);
	return 0;
}

static int put_regular(struct packer *k, int fd, const struct stat *st, struct archive_entry *e)
{
	bool holes = (off_t)st->st_blocks * 512 < st->st_size;
	char proc[PROC_PATH_MAX];

	if (st->st_size > FILE_SIZE_MAX)
		return fail(k->err, EFBIG, "%s: larger than 1 TiB", k->path);
	proc_path(fd, proc);
	auto_fd file = open(proc, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (file < 0)
		return fail_errno(k->err, "%s: open", k->path);
	archive_entry_set_size(e, st->st_size);
	if (holes)
		find_holes(file, st->st_size, e);
	TRY(put_header(k, e));
	return put_content(k, file, st->st_size, holes);
}

static int put_entry(struct packer *k, int fd, const struct stat *st)
{
	struct archive_entry *e AUTO(entry_freep)
	= archive_entry_new();
	const char *first;

	if (!e)
		return fail(k->err, ENOMEM, "out of memory");
	if (S_ISSOCK(st->st_mode))
		return 0;
	archive_entry_set_pathname(e, k->path[0] ? k->path : "./");
	TRY(set_attributes(k, fd, st, e));
	TRY(first_name(k, st, &first));
	if (first) {
		archive_entry_set_hardlink(e, first);
		archive_entry_set_size(e, 0);
		return put_header(k, e);
	}
	if (S_ISREG(st->st_mode))
		return put_regular(k, fd, st, e);
	if (S_ISLNK(st->st_mode))
		TRY(set_target(k, fd, e));
	return put_header(k, e);
}

/* ---- directories ----------------------------------------------------------------------------- */

struct names {
	struct arena arena;
	const char **items;
	size_t count, capacity;
};

static void names_done(struct names *n)
{
	free(n->items);
	arena_free(&n->arena);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_names(int dir, struct names *ret, struct csn_error *err)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d AUTO(closedirp)
	= copy < 0 ? NULL : fdopendir(copy);

	if (!d) {
		close_fd(&copy);
		return fail_errno(err, "read a directory");
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (ret->count == ret->capacity) {
			size_t capacity = ret->capacity ? 2 * ret->capacity : 64;
			const char **grown = reallocarray(ret->items, capacity, sizeof *grown);
			if (!grown)
				return fail(err, ENOMEM, "out of memory");
			ret->items = grown;
			ret->capacity = capacity;
		}
		ret->items[ret->count] = arena_strdup(&ret->arena, e->d_name);
		if (!ret->items[ret->count++])
			return fail(err, ENOMEM, "out of memory");
	}
	if (ret->count)
		qsort(ret->items, ret->count, sizeof *ret->items, by_text);
	return 0;
}

static bool is_skipped(const struct packer *k)
{
	for (size_t i = 0; i < k->p->skip_count; i++)
		if (strcmp(k->p->skip[i] + (k->p->skip[i][0] == '/'), k->path) == 0)
			return true;
	return false;
}

/* Made to mount on, and nothing else was done with it. */
static int is_mount_point(struct packer *k, int fd, const struct stat *st, bool *ret)
{
	struct names names AUTO(names_done) = { 0 };

	*ret = false;
	if (!is_skipped(k) || !(S_ISDIR(st->st_mode) || S_ISREG(st->st_mode)))
		return 0;
	*ret = st->st_size == 0;
	if (S_ISREG(st->st_mode))
		return 0;
	TRY(read_names(fd, &names, k->err));
	*ret = names.count == 0;
	return 0;
}

static int pack_dir(struct packer *k, int dir, const struct stat *st);

static int pack_name(struct packer *k, int dir, size_t dir_size, const char *name)
{
	struct stat st;
	bool made;

	auto_fd fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* it went meanwhile */
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(k->err, "%s: open", k->path);
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0))
		return k->p->layer ? put_mark(k, k->path, dir_size, name) : 0;
	if (k->p->layer) {
		if (strncmp(name, ".wh.", 4) == 0)
			return fail(k->err, EINVAL,
				    "%s: a layer cannot hold a name that begins with .wh.",
				    k->path);
		TRY(is_mount_point(k, fd, &st, &made));
		if (made)
			return 0;
	}
	return S_ISDIR(st.st_mode) ? pack_dir(k, fd, &st) : put_entry(k, fd, &st);
}

/* What overlayfs says of the directory in its own words. */
static int put_overlay_marks(struct packer *k, int fd, size_t size)
{
	char proc[PROC_PATH_MAX], value[8];

	proc_path(fd, proc);
	if (getxattr(proc, "trusted.overlay.redirect", value, 0) >= 0)
		return fail(k->err, EOPNOTSUPP,
			    "%s: was renamed by reference only (overlay redirect_dir)", k->path);
	if (getxattr(proc, "trusted.overlay.opaque", value, sizeof value) != 1 || value[0] != 'y')
		return 0;
	return put_mark(k, k->path, size, ".wh..opq");
}

/* What the kernel tells about itself and its processes is nobody's file. */
static bool is_of_kernel(int dir)
{
	static const unsigned long kinds[] = {
		PROC_SUPER_MAGIC,   SYSFS_MAGIC,   CGROUP2_SUPER_MAGIC, CGROUP_SUPER_MAGIC,
		DEVPTS_SUPER_MAGIC, TRACEFS_MAGIC, DEBUGFS_MAGIC,	SECURITYFS_MAGIC,
	};
	struct statfs s;
	if (fstatfs(dir, &s) < 0)
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if ((unsigned long)s.f_type == kinds[i])
			return true;
	return false;
}

static int pack_dir(struct packer *k, int dir, const struct stat *st)
{
	struct names names AUTO(names_done) = { 0 };
	size_t size = strlen(k->path);

	if (++k->depth > TREE_DEPTH_MAX)
		return fail(k->err, ENAMETOOLONG, "%.200s…: more than %d directories deep", k->path,
			    TREE_DEPTH_MAX);
	TRY(put_entry(k, dir, st));
	if (k->depth > 1 && !k->p->layer && is_of_kernel(dir)) {
		k->depth--;
		return 0;
	}
	if (size > 0)
		k->path[size++] = '/';
	k->path[size] = '\0';
	if (k->p->layer)
		TRY(put_overlay_marks(k, dir, size));
	TRY(read_names(dir, &names, k->err));
	for (size_t i = 0; i < names.count; i++) {
		if (size + strlen(names.items[i]) > TREE_PATH_MAX)
			return fail(k->err, ENAMETOOLONG, "%.200s…: the path is too long", k->path);
		(void)strcpy(k->path + size, names.items[i]);
		TRY(pack_name(k, dir, size, names.items[i]));
	}
	k->path[size > 0 ? size - 1 : 0] = '\0';
	k->depth--;
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int run(struct packer *k, int dir)
{
	struct stat st;

	k->archive = archive_write_new();
	k->piece = malloc(PIECE);
	if (!k->archive || !k->piece)
		return fail(k->err, ENOMEM, "out of memory");
	if (fstat(dir, &st) < 0)
		return fail_errno(k->err, "stat the root");
	if (archive_write_set_format_pax(k->archive) != ARCHIVE_OK ||
	    archive_write_set_options(k->archive, "xattrheader=SCHILY") != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(k->archive, 256 << 10) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(k->archive, 1) != ARCHIVE_OK ||
	    archive_write_open(k->archive, k, NULL, on_write, NULL) != ARCHIVE_OK)
		return archive_failed(k);
	(void)snprintf(k->path, sizeof k->path, "%s", k->p->name ? k->p->name : "");
	TRY(S_ISDIR(st.st_mode) ? pack_dir(k, dir, &st) : put_entry(k, dir, &st));
	return archive_write_close(k->archive) == ARCHIVE_OK ? 0 : archive_failed(k);
}

int pack_tree(int dir_fd, const struct pack *p, struct csn_error *err)
{
	struct csn_error unused;
	struct packer k = { .p = p, .err = err ? err : &unused };

	/* Names that are UTF-8 go in as they are; in the "C" locale libarchive would mark them as
	 * something that other programs warn of. Other bytes it marks so, rightly. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	int r = run(&k, dir_fd);
	if (k.archive)
		(void)archive_write_free(k.archive);
	if (utf8) {
		(void)uselocale(before);
		freelocale(utf8);
	}
	free(k.piece);
	free(k.names);
	arena_free(&k.arena);
	return r;
}
