/* See tar_build.h. */
#include "tests/unit/tar_build.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};

void tar_append(struct tar *t, const void *data, size_t size)
{
	if (t->size + size > t->capacity) {
		t->capacity = 2 * (t->size + size);
		t->data = realloc(t->data, t->capacity);
		if (!t->data)
			abort();
	}
	if (size)
		memcpy(t->data + t->size, data, size);
	t->size += size;
}

static void pad(struct tar *t)
{
	static const char zeros[512];

	tar_append(t, zeros, (512 - t->size % 512) % 512);
}

static void add_header(struct tar *t, char type, const char *name, size_t size,
		       const struct tar_entry *e)
{
	struct header h = { .type = type, .magic = "ustar", .version = "00" };
	bool link = type == '1' || type == '2';
	mode_t mode = e->mode ? e->mode : type == '5' ? 0755 : 0644;
	unsigned int sum = 0;

	memcpy(h.name, name, strnlen(name, sizeof h.name));
	if (link)
		memcpy(h.link, e->text, strnlen(e->text, sizeof h.link));
	(void)snprintf(h.mode, sizeof h.mode, "%07o", mode & 07777777u);
	(void)snprintf(h.uid, sizeof h.uid, "%07o", e->uid & 07777777u);
	(void)snprintf(h.gid, sizeof h.gid, "%07o", e->gid & 07777777u);
	(void)snprintf(h.size, sizeof h.size, "%011llo", (unsigned long long)size & 077777777777u);
	(void)snprintf(h.mtime, sizeof h.mtime, "%011llo",
		       (unsigned long long)e->mtime & 077777777777u);
	(void)snprintf(h.major, sizeof h.major, "%07o", e->major & 07777777u);
	(void)snprintf(h.minor, sizeof h.minor, "%07o", e->minor & 07777777u);
	memset(h.checksum, ' ', sizeof h.checksum);
	for (size_t i = 0; i < sizeof h; i++)
		sum += ((unsigned char *)&h)[i];
	(void)snprintf(h.checksum, sizeof h.checksum, "%06o", sum & 0777777u);
	tar_append(t, &h, sizeof h);
}

/* "LEN key=value\n" for each line; LEN counts itself. */
static void add_pax(struct tar *t, const struct tar_entry *e)
{
	struct tar records = { 0 };
	auto_mem char *copy = strdup(e->pax);
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char digits[24];
		size_t size = strlen(line) + 2, n = 0;
		do
			n = (size_t)snprintf(digits, sizeof digits, "%zu", size + n);
		while ((size_t)atol(digits) != size + n);
		tar_append(&records, digits, n);
		tar_append(&records, " ", 1);
		tar_append(&records, line, strlen(line));
		tar_append(&records, "\n", 1);
	}
	const struct tar_entry plain = { 0 };
	add_header(t, 'x', "pax", records.size, &plain);
	tar_append(t, records.data, records.size);
	pad(t);
	tar_done(&records);
}

void tar_add(struct tar *t, const struct tar_entry *e)
{
	size_t size = e->type != '0' || !e->text ? 0 : e->size ? e->size : strlen(e->text);

	if (e->pax)
		add_pax(t, e);
	add_header(t, e->type, e->name, size, e);
	tar_append(t, e->text, size);
	pad(t);
}

void tar_end(struct tar *t)
{
	static const char zeros[1024];

	tar_append(t, zeros, sizeof zeros);
}

void tar_make(struct tar *t, const struct tar_entry *entries)
{
	*t = (struct tar){ 0 };
	for (; entries->type; entries++)
		tar_add(t, entries);
	tar_end(t);
}

int tar_fd(const struct tar *t)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);

	if (fd < 0 || write(fd, t->data, t->size) != (ssize_t)t->size ||
	    lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

void tar_done(struct tar *t)
{
	free(t->data);
	*t = (struct tar){ 0 };
}

/* ---- trees ----------------------------------------------------------------------------------- */

struct seen {
	ino_t ino;
	char path[PATH_MAX];
};

struct listing {
	struct tar out;
	struct seen seen[64];
	size_t seen_count;
};

static void put(struct listing *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct listing *l, const char *fmt, ...)
{
	char text[3 * PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	tar_append(&l->out, text, (size_t)n);
}

static void put_xattrs(struct listing *l, const char *proc_path)
{
	char names[4096], value[256];
	ssize_t size = llistxattr(proc_path, names, sizeof names);

	for (char *n = names; size > 0 && n < names + size; n += strlen(n) + 1) {
		ssize_t v = lgetxattr(proc_path, n, value, sizeof value - 1);
		if (strcmp(n, "trusted.overlay.opaque") == 0)
			put(l, " opaque");
		else if (strncmp(n, "security.selinux", 16) != 0)
			put(l, " %s=%.*s", n, v > 0 ? (int)v : 0, value);
	}
}

static const char *link_of(struct listing *l, const struct stat *st, const char *path)
{
	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return NULL;
	for (size_t i = 0; i < l->seen_count; i++)
		if (l->seen[i].ino == st->st_ino)
			return l->seen[i].path;
	if (l->seen_count < 64) {
		l->seen[l->seen_count].ino = st->st_ino;
		(void)snprintf(l->seen[l->seen_count++].path, PATH_MAX, "%s", path);
	}
	return NULL;
}

static void put_file(struct listing *l, int dir_fd, const char *name, const char *path,
		     const struct stat *st)
{
	char buf[PATH_MAX], proc[PATH_MAX];
	const char *same = link_of(l, st, path);
	ssize_t n;

	if (same) {
		put(l, "h %s = %s\n", path, same);
		return;
	}
	if (S_ISCHR(st->st_mode) && st->st_rdev == 0) {
		put(l, "w %s\n", path);
		return;
	}
	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(dir_fd, name, buf, sizeof buf);
		put(l, "l %s -> %.*s", path, n > 0 ? (int)n : 0, buf);
	} else {
		char kind = S_ISDIR(st->st_mode)    ? 'd'
			    : S_ISREG(st->st_mode)  ? 'f'
			    : S_ISCHR(st->st_mode)  ? 'c'
			    : S_ISBLK(st->st_mode)  ? 'b'
			    : S_ISFIFO(st->st_mode) ? 'p'
						    : '?';
		put(l, "%c %o %s", kind, st->st_mode & 07777, path);
	}
	if (S_ISREG(st->st_mode)) {
		auto_fd fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, buf, 200);
		put(l, "=%.*s", n > 0 ? (int)n : 0, buf);
	}
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		put(l, " %u:%u", major(st->st_rdev), minor(st->st_rdev));
	if (st->st_uid || st->st_gid)
		put(l, " %u:%u", st->st_uid, st->st_gid);
	(void)snprintf(proc, sizeof proc, "/proc/self/fd/%d/%s", dir_fd, name);
	put_xattrs(l, proc);
	put(l, "\n");
}

static void list_dir(struct listing *l, int dir_fd, const char *prefix)
{
	char proc[64], path[PATH_MAX];
	struct dirent **entries;
	struct stat st;

	(void)snprintf(proc, sizeof proc, "/proc/self/fd/%d", dir_fd);
	int count = scandir(proc, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			free(entries[i]);
			continue;
		}
		(void)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "/" : "", name);
		put_file(l, dir_fd, name, path, &st);
		if (S_ISDIR(st.st_mode)) {
			auto_fd fd = openat(dir_fd, name,
					    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (fd >= 0)
				list_dir(l, fd, path);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

char *tree_text(int dir_fd)
{
	struct listing *l = calloc(1, sizeof *l);
	if (!l)
		abort();

	list_dir(l, dir_fd, "");
	tar_append(&l->out, "", 1);
	char *text = l->out.data;
	free(l);
	return text;
}
