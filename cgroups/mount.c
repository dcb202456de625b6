/*
 * Where cgroup2 is mounted. The two usual places are asked with one statfs each; only then is
 * mountinfo read.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "cgroups/internal.h"

static bool is_cgroup2(const char *path)
{
	struct statfs fs;
	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Blanks and backslashes in mountinfo are written as three octal digits: "\040". */
static void unescape(char *text)
{
	char *out = text;
	for (const char *in = text; *in;) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' &&
		    in[3] >= '0' && in[3] <= '7') {
			*out++ = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 4;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
}

bool cgroup2_of_mountinfo(char *line, bool *ret_whole, char **ret_point)
{
	char *type = strstr(line, " - "), *save = NULL, *field[5] = { NULL };
	if (!type || strncmp(type + 3, "cgroup2 ", 8) != 0)
		return false;
	/* ID, parent ID, major:minor, root of the mount in its file system, mount point. */
	*type = '\0';
	for (size_t i = 0; i < COUNT(field); i++)
		field[i] = strtok_r(i ? NULL : line, " ", &save);
	if (!field[4])
		return false;
	unescape(field[4]);
	*ret_whole = strcmp(field[3], "/") == 0;
	*ret_point = field[4];
	return true;
}

/* A mount of the whole hierarchy, else a bind mount of a part of it. */
static int find_in_mountinfo(char *buf, size_t size, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t length = 0;
	char *save = NULL, *found = NULL;

	TRY(file_read(AT_FDCWD, "/proc/self/mountinfo", 8 << 20, &text, &length, err));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool whole = false;
		char *point = NULL;
		/* Listed is not reachable: another mount may lie on top. */
		if (!cgroup2_of_mountinfo(line, &whole, &point) || strlen(point) >= size ||
		    !is_cgroup2(point) || (found && !whole))
			continue;
		found = point;
		if (whole)
			break;
	}
	if (!found)
		return fail(err, ENOENT,
			    "cgroup2 is not mounted: mount -t cgroup2 none /sys/fs/cgroup, or "
			    "boot with cgroup_no_v1=all");
	(void)snprintf(buf, size, "%s", found);
	return 0;
}

int cgroup_find_mount(char *buf, size_t size, struct csn_error *err)
{
	static const char *const usual[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	/* Where it was a moment ago it still is: a verb asks several times. */
	static _Thread_local const char *found;
	for (size_t i = 0; !found && i < COUNT(usual); i++)
		if (is_cgroup2(usual[i]))
			found = usual[i];
	if (found) {
		(void)snprintf(buf, size, "%s", found);
		return 0;
	}

	return find_in_mountinfo(buf, size, err);
}
