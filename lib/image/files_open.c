/* Opening what a path means below a root, and packing it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "image/files.h"
#include "image/pack.h"

static int no_such(const char *path, int r, struct csn_error *err)
{
	return fail(err, -r, "%.300s: %s", path, strerror(-r));
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), n = strlen(end);
	return size >= n && strcmp(text + size - n, end) == 0;
}

/* "…/", "…/." and "…/..": the directory, through links. */
static int open_directory(int root, const char *path, int *ret_fd, char ret_name[FILES_NAME_MAX],
			  struct csn_error *err)
{
	auto_mem char *clean = strdup(path);
	int fd = open_in_root(root, path, O_PATH | O_DIRECTORY, 0);
	if (!clean)
		return fail(err, ENOMEM, "out of memory");
	if (fd < 0)
		return no_such(path, fd, err);
	path_clean(clean);
	const char *slash = strrchr(clean, '/');
	const char *name = ends_with(path, "/.") ? "" : slash ? slash + 1 : clean;
	(void)snprintf(ret_name, FILES_NAME_MAX, "%s", name);
	*ret_fd = fd;
	return 0;
}

int files_open(int root, const char *path, int *ret_fd, char ret_name[FILES_NAME_MAX],
	       struct csn_error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return open_directory(root, path, ret_fd, ret_name, err);
	if (strlen(name) >= FILES_NAME_MAX)
		return no_such(path, -ENAMETOOLONG, err);
	auto_mem char *parent = strndup(path, (size_t)(name - path));
	if (!parent)
		return fail(err, ENOMEM, "out of memory");
	auto_fd dir = open_in_root(root, parent[0] ? parent : "/", O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return no_such(path, dir, err);
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return no_such(path, -errno, err);
	(void)strcpy(ret_name, name);
	*ret_fd = fd;
	return 0;
}

static int write_fd(void *data, const void *bytes, size_t size, struct csn_error *err)
{
	int r = write_all(*(const int *)data, bytes, size);
	return r < 0 ? fail(err, -r, "write the archive: %s", strerror(-r)) : 0;
}

int files_get(int root, const char *path, const char *as, int fd, const struct image_events *events,
	      struct csn_error *err)
{
	char name[FILES_NAME_MAX];
	auto_fd file = -1;
	TRY(files_open(root, path, &file, name, err));
	const struct pack p = {
		.name = as ? as : name, .events = events, .write = write_fd, .data = &fd
	};
	return pack_tree(file, &p, err);
}
