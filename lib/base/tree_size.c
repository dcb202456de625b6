/* Walking through a tree for its size. */
#include "base/tree_size.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

enum { DEPTH_MAX = 256 };

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static uint64_t size_below(int at, const char *path, const dev_t *device, int depth)
{
	auto_fd fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t size = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || (device && st.st_dev != *device))
		return 0;
	const dev_t ours = st.st_dev;
	DIR *d AUTO(close_dir)
	= fdopendir(fd);
	if (d)
		(void)take_fd(&fd);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != ours)
			continue;
		bool is_dir = S_ISDIR(st.st_mode);
		uint64_t own = (uint64_t)st.st_blocks * 512;
		size += is_dir || st.st_nlink < 2 ? own : own / st.st_nlink;
		if (is_dir && depth < DEPTH_MAX)
			size += size_below(dirfd(d), e->d_name, &ours, depth + 1);
	}
	return size;
}

uint64_t tree_size(int at, const char *path)
{
	return size_below(at, path, NULL, 0);
}
