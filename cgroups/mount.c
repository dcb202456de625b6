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
#include "cgroups/cgroups.h"

static bool is_cgroup2(const char *path)
{
	struct statfs fs;
	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Field 5 of a mountinfo line is the mount point; the type follows " - ". */
static bool line_is_cgroup2(char *line, char **ret_point)
{
	char *type = strstr(line, " - ");
	if (!type || strncmp(type + 3, "cgroup2 ", 8) != 0)
		return false;
	char *save = NULL, *field = strtok_r(line, " ", &save);
	for (int i = 1; field && i < 5; i++)
		field = strtok_r(NULL, " ", &save);
	*ret_point = field;
	return field && is_cgroup2(field);
}

int cgroup_find_mount(char *buf, size_t size, struct csn_error *err)
{
	static const char *const usual[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	static _Thread_local size_t last; /* the one that was right before is asked first */
	for (size_t i = 0; i < COUNT(usual); i++) {
		size_t at = (last + i) % COUNT(usual);
		if (is_cgroup2(usual[at])) {
			(void)snprintf(buf, size, "%s", usual[at]);
			last = at;
			return 0;
		}
	}

	auto_mem char *text = NULL;
	size_t length = 0;
	TRY(file_read(AT_FDCWD, "/proc/self/mountinfo", 8 << 20, &text, &length, err));
	char *save = NULL, *point = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (line_is_cgroup2(line, &point)) {
			(void)snprintf(buf, size, "%s", point);
			return 0;
		}
	return fail(err, ENOENT,
		    "cgroup2 is not mounted: mount -t cgroup2 none /sys/fs/cgroup, or boot with "
		    "cgroup_no_v1=all");
}
