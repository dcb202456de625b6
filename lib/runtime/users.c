/*
 * Reading a container's user database: from the layers of its image before it runs, from its root
 * while it runs. Both belong to somebody else: only regular files of a sane size are read, and
 * every path is resolved inside the image or the root.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/path.h"
#include "runtime/runtime.h"

/* The whole text, in the arena. */
static int read_text(int fd, const char *path, struct arena *arena, const char **ret,
		     size_t *ret_size, struct csn_error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return fail_errno(err, "%s in the container", path);
	if (st.st_size > USER_DB_MAX)
		return fail(err, EFBIG, "%s in the container: larger than %d bytes", path,
			    USER_DB_MAX);
	char *text = arena_alloc(arena, (size_t)st.st_size + 1);
	if (!text)
		return fail(err, ENOMEM, "out of memory");
	size_t size = 0;
	while (size < (size_t)st.st_size) {
		ssize_t n = read(fd, text + size, (size_t)st.st_size - size);
		if (n < 0)
			return fail_errno(err, "%s in the container", path);
		if (n == 0)
			break;
		size += (size_t)n;
	}
	*ret = text;
	*ret_size = size;
	return 0;
}

/* What opens a file: an fd, or -errno. */
typedef int open_fn(const void *from, const char *path, struct csn_error *err);

static int read_db(open_fn *open_file, const void *from, struct user_db *ret, struct arena *arena,
		   struct csn_error *err)
{
	const struct {
		const char *path, **text;
		size_t *size;
	} files[] = { { "/etc/passwd", &ret->passwd, &ret->passwd_size },
		      { "/etc/group", &ret->group, &ret->group_size } };

	for (size_t i = 0; i < COUNT(files); i++) {
		auto_fd fd = open_file(from, files[i].path, err);
		if (fd == -ENOENT || fd == -ENOTDIR)
			continue; /* nobody has a name there */
		if (fd < 0)
			return fd;
		TRY(read_text(fd, files[i].path, arena, files[i].text, files[i].size, err));
	}
	return 0;
}

struct image_source {
	const struct csn_runtime *rt;
	const struct spec_strings *layers;
};

static int open_in_image(const void *from, const char *path, struct csn_error *err)
{
	const struct image_source *s = from;
	return merged_open(s->rt, s->layers, path, err);
}

int users_of_image(const struct csn_runtime *rt, const struct spec_strings *layers,
		   struct user_db *ret, struct arena *arena, struct csn_error *err)
{
	const struct image_source source = { rt, layers };
	return read_db(open_in_image, &source, ret, arena, err);
}

/* Looked at before it is opened for reading: opening a device does things, a FIFO waits. */
static int open_in_container(const void *from, const char *path, struct csn_error *err)
{
	char magic[32];
	struct stat st;
	auto_fd handle = open_in_root(*(const int *)from, path, O_PATH, 0);
	if (handle < 0)
		return fail(err, -handle, "%s in the container: %s", path, strerror(-handle));
	if (fstat(handle, &st) < 0)
		return fail_errno(err, "%s in the container", path);
	if (!S_ISREG(st.st_mode))
		return fail(err, EINVAL, "%s in the container: not a regular file", path);
	(void)snprintf(magic, sizeof magic, "/proc/self/fd/%d", handle);
	int fd = open(magic, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "%s in the container", path) : fd;
}

int users_of_container(const struct facts *f, struct user_db *ret, struct arena *arena,
		       struct csn_error *err)
{
	char path[32];
	(void)snprintf(path, sizeof path, "/proc/%d/root", (int)f->pid);
	auto_fd root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Only if the process still lives was it that process's root. */
	struct pollfd p = { .fd = f->init_fd, .events = POLLIN };
	if (root < 0 || poll(&p, 1, 0) != 0)
		return fail(err, ESRCH, "the container is not running");
	return read_db(open_in_container, &root, ret, arena, err);
}
