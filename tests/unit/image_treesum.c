/*
 * Prints one line per file of a tree with all that makes it what it is: path, type and mode, owner,
 * size, device number, modification time, hard-link group, extended attributes, digest of the
 * content. Two trees are equal when their lines are.
 *
 *	image_treesum DIR
 *
 * Left out: sizes and link counts of directories (a matter of the file system), access and change
 * times, and overlayfs's own attributes.
 */
#include <dirent.h>
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

#include "base/cleanup.h"
#include "image/digest.h"

/* The first path, in order, of each file with several links. */
static struct seen {
	dev_t dev;
	ino_t ino;
	char *path;
} * seen;
static size_t seen_count;

static _Noreturn void die(const char *what, const char *path)
{
	(void)fprintf(stderr, "image_treesum: %s %s: %s\n", what, path, strerror(errno));
	exit(2);
}

static void print_escaped(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (s[i] > ' ' && s[i] < 0x7f && s[i] != '\\')
			(void)putchar(s[i]);
		else
			(void)printf("\\%03o", (unsigned char)s[i]);
}

static const char *link_group(const struct stat *st, const char *path)
{
	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return "-";
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].dev == st->st_dev && seen[i].ino == st->st_ino)
			return seen[i].path;
	seen = realloc(seen, (seen_count + 1) * sizeof *seen);
	if (!seen)
		die("remember", path);
	seen[seen_count++] = (struct seen){ st->st_dev, st->st_ino, strdup(path) };
	return "-";
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_xattrs(const char *path)
{
	char names[65536], value[65536], *sorted[1000];
	size_t count = 0;
	ssize_t size = llistxattr(path, names, sizeof names);

	if (size < 0 && errno != ENOTSUP)
		die("list attributes of", path);
	for (char *n = names; size > 0 && n < names + size; n += strlen(n) + 1)
		if (strncmp(n, "trusted.overlay.", strlen("trusted.overlay.")) != 0 && count < 1000)
			sorted[count++] = n;
	qsort(sorted, count, sizeof *sorted, by_name);
	for (size_t i = 0; i < count; i++) {
		ssize_t n = lgetxattr(path, sorted[i], value, sizeof value);
		if (n < 0)
			die("read an attribute of", path);
		(void)printf(" %s=", sorted[i]);
		print_escaped(value, (size_t)n);
	}
}

static void print_content(const char *path)
{
	static char buf[1 << 16];
	struct hasher h;
	char digest[DIGEST_TEXT_MAX];
	ssize_t n;
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || hasher_init(&h, DIGEST_SHA256, NULL) < 0)
		die("open", path);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		(void)hasher_update(&h, buf, (size_t)n, NULL);
	if (n < 0)
		die("read", path);
	(void)hasher_final(&h, digest, NULL);
	(void)printf(" %s", digest);
}

static void print_file(const char *path, const struct stat *st)
{
	char target[PATH_MAX];

	print_escaped(path, strlen(path));
	(void)printf(" %06o %u:%u %lld.%09ld", st->st_mode, st->st_uid, st->st_gid,
		     (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (!S_ISDIR(st->st_mode)) {
		(void)printf(" size=%lld rdev=%u:%u link=", (long long)st->st_size,
			     major(st->st_rdev), minor(st->st_rdev));
		const char *group = link_group(st, path);
		print_escaped(group, strlen(group));
	}
	print_xattrs(path);
	if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlink(path, target, sizeof target);
		if (n < 0)
			die("readlink", path);
		(void)printf(" -> ");
		print_escaped(target, (size_t)n);
	}
	if (S_ISREG(st->st_mode))
		print_content(path);
	(void)putchar('\n');
}

static void walk(const char *path)
{
	struct dirent **entries;
	struct stat st;

	if (lstat(path, &st) < 0)
		die("stat", path);
	print_file(path, &st);
	if (!S_ISDIR(st.st_mode))
		return;
	int count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		die("read", path);
	for (int i = 0; i < count; i++) {
		char child[PATH_MAX];
		const char *name = entries[i]->d_name;
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			(void)snprintf(child, sizeof child, "%s/%s", path, name);
			walk(child);
		}
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1]) < 0) {
		(void)fprintf(stderr, "Usage: image_treesum DIR\n");
		return 2;
	}
	walk(".");
	return 0;
}
