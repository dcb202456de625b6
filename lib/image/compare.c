/*
 * Comparing an unpacked layer with the same layer unpacked again: names, types, modes, owners,
 * sizes, device numbers, times, number of links, extended attributes and content. Directories are
 * read through descriptors and no link is followed.
 */
#include "image/compare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/tree.h"

#define PIECE ((size_t)64 << 10)

static int differs(struct csn_error *err, const char *name, const char *what)
{
	return fail(err, EUCLEAN, "%s%s%s", name, *name ? ": " : "", what);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static DIR *read_dir(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		close_fd(&fd);
	return d;
}

/* Does b have nothing that a has not? Counted, since each of a's names was looked up in b. */
static int count_names(int dir, size_t *ret, struct csn_error *err)
{
	AUTO(closedirp)
	DIR *d = read_dir(dir);

	if (!d)
		return fail_errno(err, "read a directory");
	*ret = 0;
	while (readdir(d))
		++*ret;
	return 0;
}

static int compare_content(int a, int b, const char *name, struct csn_error *err)
{
	auto_mem char *x = malloc(PIECE), *y = malloc(PIECE);

	if (!x || !y)
		return fail(err, ENOMEM, "out of memory");
	for (;;) {
		ssize_t n = read(a, x, PIECE);
		ssize_t m = read(b, y, PIECE);
		if (n < 0 || m < 0)
			return fail_errno(err, "%s: read", name);
		if (n != m || memcmp(x, y, (size_t)n) != 0)
			return differs(err, name, "its content differs");
		if (n == 0)
			return 0;
	}
}

static int compare_xattrs(int a, int b, const char *name, struct csn_error *err)
{
	char names[4096], x[4096], y[4096];
	ssize_t n = flistxattr(a, names, sizeof names), m = flistxattr(b, NULL, 0);

	if (n != m)
		return differs(err, name, "its extended attributes differ");
	for (const char *at = names; n > 0 && at < names + n; at += strlen(at) + 1) {
		ssize_t size = fgetxattr(a, at, x, sizeof x);
		if (size != fgetxattr(b, at, y, sizeof y) ||
		    (size > 0 && memcmp(x, y, (size_t)size) != 0))
			return differs(err, name, "its extended attributes differ");
	}
	return 0;
}

/* What overlayfs takes for a deletion; nothing else of it is seen by anybody. */
static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static int compare_stat(const struct stat *a, const struct stat *b, const char *name,
			struct csn_error *err)
{
	const struct {
		bool differs;
		const char *what;
	} rows[] = {
		{ (a->st_mode ^ b->st_mode) & S_IFMT, "its type differs" },
		{ a->st_mode != b->st_mode, "its mode differs" },
		{ a->st_uid != b->st_uid || a->st_gid != b->st_gid, "its owner differs" },
		{ a->st_rdev != b->st_rdev, "its device number differs" },
		{ !S_ISDIR(a->st_mode) && a->st_size != b->st_size, "its size differs" },
		{ !S_ISDIR(a->st_mode) && a->st_nlink != b->st_nlink,
		  "its number of links differs" },
		{ *name && (a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
			    a->st_mtim.tv_nsec != b->st_mtim.tv_nsec),
		  "its modification time differs" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].differs)
			return differs(err, name, rows[i].what);
	return 0;
}

static int compare_links(int a, int b, const char *name, struct csn_error *err)
{
	char x[4096], y[4096];
	ssize_t n = readlinkat(a, name, x, sizeof x);

	if (n < 0 || n != readlinkat(b, name, y, sizeof y) || memcmp(x, y, (size_t)n) != 0)
		return differs(err, name, "its target differs");
	return 0;
}

static int compare_dirs(int a, int b, int depth, struct csn_error *err);

static int compare_one(int a, int b, const char *name, int depth, struct csn_error *err)
{
	struct stat x, y;

	if (fstatat(a, name, &x, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(err, "%s: stat", name);
	if (fstatat(b, name, &y, AT_SYMLINK_NOFOLLOW) < 0)
		return differs(err, name, "it is missing");
	if (is_whiteout(&x) && is_whiteout(&y))
		return 0;
	TRY(compare_stat(&x, &y, name, err));
	if (S_ISLNK(x.st_mode))
		return compare_links(a, b, name, err);
	if (!S_ISREG(x.st_mode) && !S_ISDIR(x.st_mode))
		return 0;

	auto_fd p = openat(a, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd q = openat(b, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (p < 0 || q < 0)
		return fail_errno(err, "%s: open", name);
	TRY(compare_xattrs(p, q, name, err));
	if (S_ISREG(x.st_mode))
		return compare_content(p, q, name, err);
	int r = compare_dirs(p, q, depth + 1, err);
	return r < 0 ? within(err, r, "%s", name) : 0;
}

static int compare_dirs(int a, int b, int depth, struct csn_error *err)
{
	AUTO(closedirp)
	DIR *d = read_dir(a);
	struct dirent *e;
	size_t want = 0, got = 0;

	if (!d || depth > TREE_DEPTH_MAX + 1)
		return fail_errno(err, "read a directory");
	while ((e = readdir(d))) {
		want++;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			TRY(compare_one(a, b, e->d_name, depth, err));
	}
	TRY(count_names(b, &got, err));
	return want == got ? 0 : differs(err, "", "there is something that does not belong there");
}

int compare_trees(int want_dir, int got_dir, struct csn_error *err)
{
	return compare_dirs(want_dir, got_dir, 0, err);
}
