/*
 * Small files whole, atomic replacement, trees. Only regular files (and the kernel's own
 * pseudo-files, which say so too) are read: a FIFO or device in a file's place must not hang us.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"

int file_read(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size,
	      struct csn_error *err)
{
	auto_fd fd = openat(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(err, "open %s", path);
	if (!S_ISREG(st.st_mode))
		return fail(err, EINVAL, "open %s: not a regular file", path);

	/* Pseudo-files have no size: start with a page and grow. */
	size_t capacity = st.st_size > 0 ? (size_t)st.st_size + 1 : 4096;
	size_t size = 0;
	auto_mem char *buf = NULL;
	for (;;) {
		if (capacity > max + 1)
			capacity = max + 1;
		char *grown = realloc(buf, capacity + 1);
		if (!grown)
			return fail(err, ENOMEM, "read %s: out of memory", path);
		buf = grown;
		ssize_t n = read(fd, buf + size, capacity - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "read %s", path);
		size += (size_t)n;
		/* A plain file of the size that it said to have needs no second read to end. */
		if (n == 0 || (st.st_size > 0 && (size_t)st.st_size == size && size <= max))
			break;
		if (size > max)
			return fail(err, EFBIG, "read %s: larger than %zu bytes", path, max);
		if (size == capacity)
			capacity *= 2;
	}
	buf[size] = '\0';
	*ret = take_ptr(buf);
	*ret_size = size;
	return 0;
}

int write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	while (size) {
		ssize_t n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_temp(int dir_fd, const char *temp, const void *data, size_t size, mode_t mode,
		      bool durable)
{
	auto_fd fd =
		openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, data, size);
	if (r == 0 && durable && fsync(fd) < 0)
		r = -errno;
	return r;
}

int file_write_atomic(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
		      bool durable, struct csn_error *err)
{
	char temp[300];
	int n = snprintf(temp, sizeof temp, ".%s.tmp-%d", name, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof temp)
		return fail(err, ENAMETOOLONG, "write %s: name too long", name);

	int r = write_temp(dir_fd, temp, data, size, mode, durable);
	if (r == -EEXIST) {
		/* Left by a process that died with our pid. */
		(void)unlinkat(dir_fd, temp, 0);
		r = write_temp(dir_fd, temp, data, size, mode, durable);
	}
	if (r == 0 && renameat(dir_fd, temp, dir_fd, name) < 0)
		r = -errno;
	if (r == 0 && durable) {
		auto_fd dir = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0 || fsync(dir) < 0)
			r = -errno;
	}
	if (r < 0) {
		(void)unlinkat(dir_fd, temp, 0);
		return fail(err, -r, "write %s: %s", name, strerror(-r));
	}
	return 0;
}

int file_write_unnamed(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
		       struct csn_error *err)
{
	auto_fd fd = openat(dir_fd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
	if (fd < 0) /* not every file system has files without a name */
		return file_write_atomic(dir_fd, name, data, size, mode, false, err);

	int r = write_all(fd, data, size);
	for (int tries = 0; r == 0 && tries < 10; tries++) {
		if (linkat(fd, "", dir_fd, name, AT_EMPTY_PATH) == 0)
			return 0;
		if (errno != EEXIST || (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT))
			r = -errno;
	}
	return fail(err, r ? -r : EEXIST, "write %s: %s", name, strerror(r ? -r : EEXIST));
}

int file_write_text(int dir_fd, const char *path, const char *text, struct csn_error *err)
{
	auto_fd fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "open %s", path);
	size_t size = strlen(text);
	ssize_t n = write(fd, text, size);
	if (n < 0)
		return fail_errno(err, "write %s", path);
	return (size_t)n == size ? 0 : fail(err, EIO, "write %s: cut short", path);
}

int make_dirs(const char *path, mode_t mode, struct csn_error *err)
{
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return fail_errno(err, "make directory %s", path);

	auto_mem char *copy = strdup(path);
	if (!copy)
		return fail(err, ENOMEM, "out of memory");
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return fail_errno(err, "make directory %s", copy);
		*p = '/';
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return fail_errno(err, "make directory %s", path);
	return 0;
}

static int remove_below(int dir, dev_t device);

static int remove_entry(int dir, const char *name, dev_t device)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;

	auto_fd sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (sub < 0 || fstat(sub, &st) < 0)
		return -errno;
	if (device && st.st_dev != device)
		return -EXDEV;
	int r = remove_below(sub, st.st_dev);
	if (r < 0)
		return r;
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_below(int dir, dev_t device)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		int r = -errno;
		close_fd(&copy);
		return r;
	}
	int r = 0;
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = remove_entry(dir, e->d_name, device);
	(void)closedir(d);
	return r;
}

int remove_tree(int dir_fd, const char *name, struct csn_error *err)
{
	int r = remove_entry(dir_fd, name, 0);
	return r < 0 ? fail(err, -r, "remove %s: %s", name, strerror(-r)) : 0;
}
