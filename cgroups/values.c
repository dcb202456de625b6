/* The files of a group: plain values, keyed values, writes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "cgroups/internal.h"

ssize_t read_value(const struct cgroup *cg, const char *file, char *buf, size_t size)
{
	auto_fd fd = openat(cg->dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (n < 0)
		return errno == ENODEV ? -ENOENT : -errno; /* ENODEV: the group is being removed */
	buf[n] = '\0';
	return n;
}

bool cgroup_has_file(const struct cgroup *cg, const char *file)
{
	return faccessat(cg->dir, file, F_OK, 0) == 0;
}

static int fail_file(const struct cgroup *cg, const char *file, int r, struct csn_error *err)
{
	return fail(err, -r, "cgroup \"%s\": %s: %s", cg->path, file, strerror(-r));
}

static uint64_t parse_value(const char *text)
{
	return strncmp(text, "max", 3) == 0 ? CGROUP_MAX : strtoull(text, NULL, 10);
}

int cgroup_read_u64(const struct cgroup *cg, const char *file, uint64_t *ret, struct csn_error *err)
{
	char buf[64];
	ssize_t n = read_value(cg, file, buf, sizeof buf);
	if (n < 0)
		return fail_file(cg, file, (int)n, err);
	*ret = parse_value(buf);
	return 0;
}

int cgroup_read_key(const struct cgroup *cg, const char *file, const char *key, uint64_t *ret,
		    struct csn_error *err)
{
	char buf[8192];
	size_t length = strlen(key);
	ssize_t n = read_value(cg, file, buf, sizeof buf);
	if (n < 0)
		return fail_file(cg, file, (int)n, err);
	for (const char *line = buf; line && *line;) {
		if (strncmp(line, key, length) == 0 && line[length] == ' ') {
			*ret = parse_value(line + length + 1);
			return 0;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return fail(err, ENOENT, "cgroup \"%s\": %s: no \"%s\"", cg->path, file, key);
}

int cgroup_write(const struct cgroup *cg, const char *file, const char *text, struct csn_error *err)
{
	if (strchr(file, '/') || !strchr(file, '.'))
		return fail(err, EINVAL, "cgroup file \"%s\": expected a name such as memory.max",
			    file);
	struct csn_error why;
	int r = file_write_text(cg->dir, file, text, &why);
	if (r < 0)
		return fail(err, -r, "cgroup \"%s\": write \"%s\" to %s: %s", cg->path, text, file,
			    strerror(-r));
	return 0;
}

int cgroup_oom_kills(const struct cgroup *cg, uint64_t *ret, bool *ret_known, struct csn_error *err)
{
	int r = cgroup_read_key(cg, "memory.events", "oom_kill", ret, err);
	*ret_known = r == 0;
	if (r == -ENOENT) {
		*ret = 0;
		return 0;
	}
	return r;
}
