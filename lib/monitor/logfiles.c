/* The files of a container's log: see logfiles.h. Linked by the monitor and by libcaisson. */
#include "monitor/logfiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

void log_file_name(uint64_t number, char ret[LOG_NAME_MAX])
{
	(void)snprintf(ret, LOG_NAME_MAX, LOG_NAME ".%" PRIu64, number);
}

/* 0: it is none. */
static uint64_t number_of(const char *name)
{
	static const char prefix[] = LOG_NAME ".";
	uint64_t n = 0;
	if (strncmp(name, prefix, sizeof prefix - 1) != 0)
		return 0;
	for (const char *c = name + sizeof prefix - 1; *c; c++) {
		if (*c < '0' || *c > '9' || n > UINT64_MAX / 10 - 1)
			return 0;
		n = n * 10 + (uint64_t)(*c - '0');
	}
	return n;
}

int log_files_each(int dir, bool (*fn)(void *data, uint64_t number), void *data)
{
	_Alignas(struct dirent64) char entries[4096];
	auto_fd fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t n;
	if (fd < 0)
		return -errno;
	while ((n = getdents64(fd, entries, sizeof entries)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *e = (const void *)(entries + at);
			uint64_t number = number_of(e->d_name);
			if (number && !fn(data, number))
				return 0;
			at += e->d_reclen;
		}
	}
	return n < 0 ? -errno : 0;
}

static bool widen(void *data, uint64_t number)
{
	struct log_range *r = data;
	if (number >= r->from && (!r->lowest || number < r->lowest))
		r->lowest = number;
	if (number <= r->to && number > r->highest)
		r->highest = number;
	return true;
}

int log_files_range(int dir, struct log_range *range)
{
	range->lowest = range->highest = 0;
	return log_files_each(dir, widen, range);
}

bool log_file_is(int dir, const char *name, int fd)
{
	struct stat named, open;
	return fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &open) == 0 &&
	       named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}
