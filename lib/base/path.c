/*
 * Paths below a directory that somebody else controls. One system call a look-up: the kernel does
 * the walking, so nothing can be swapped between a check and a use.
 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"

void path_clean(char *path)
{
	bool absolute = path[0] == '/';
	char *out = path + absolute;
	char *floor = out; /* nothing before it can be taken back by ".." */

	for (char *in = path; *in;) {
		while (*in == '/')
			in++;
		size_t n = strcspn(in, "/");
		if (n == 0 || (n == 1 && in[0] == '.')) {
			in += n;
			continue;
		}
		bool up = n == 2 && in[0] == '.' && in[1] == '.';
		if (up && out > floor) {
			while (out > floor && *--out != '/')
				;
		} else if (!up || !absolute) {
			if (out > path + absolute)
				*out++ = '/';
			memmove(out, in, n);
			out += n;
			if (up)
				floor = out;
		}
		in += n;
	}
	if (out == path)
		*out++ = '.';
	*out = '\0';
}

static int open_how(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	int fd = sys_openat2(dir_fd, path, (uint64_t)(unsigned)flags | O_CLOEXEC, mode, resolve);
	return fd < 0 ? -errno : fd;
}

int open_in_root(int root_fd, const char *path, int flags, mode_t mode)
{
	return open_how(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int open_beneath(int dir_fd, const char *path, int flags, mode_t mode)
{
	return open_how(dir_fd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

char *path_join(const char *dir, const char *path)
{
	char *joined = NULL;
	if (path[0] == '/')
		return strdup(path);
	return asprintf(&joined, "%s/%s", dir, path) < 0 ? NULL : joined;
}
