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

/* A decimal number or "max", up to a blank or the end. */
static bool parse_value(const char *text, uint64_t *ret)
{
	const char *rest = text;
	if (strncmp(text, "max", 3) == 0) {
		*ret = CGROUP_MAX;
		rest += 3;
	} else if (*text >= '0' && *text <= '9') {
		char *end;
		*ret = strtoull(text, &end, 10);
		rest = end;
	}
	return rest > text && strchr(" \n", *rest);
}

int cgroup_read_u64(const struct cgroup *cg, const char *file, uint64_t *ret, struct csn_error *err)
{
	char buf[64];
	uint64_t value = 0;
	ssize_t n = read_value(cg, file, buf, sizeof buf);
	if (n < 0)
		return fail_file(cg, file, (int)n, err);
	if (!parse_value(buf, &value))
		return fail(err, EINVAL, "cgroup \"%s\": %s: \"%.*s\" is not a number", cg->path,
			    file, (int)strcspn(buf, "\n"), buf);
	*ret = value;
	return 0;
}

bool value_of_key(const char *text, const char *key, uint64_t *ret)
{
	size_t length = strlen(key);
	for (const char *line = text; line && *line;) {
		uint64_t value = 0;
		if (strncmp(line, key, length) == 0 && line[length] == ' ' &&
		    parse_value(line + length + 1, &value)) {
			*ret = value;
			return true;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return false;
}

int cgroup_read_key(const struct cgroup *cg, const char *file, const char *key, uint64_t *ret,
		    struct csn_error *err)
{
	char buf[8192];
	ssize_t n = read_value(cg, file, buf, sizeof buf);
	if (n < 0)
		return fail_file(cg, file, (int)n, err);
	if (value_of_key(buf, key, ret))
		return 0;
	return fail(err, ENOENT, "cgroup \"%s\": %s: no \"%s\"", cg->path, file, key);
}

int cgroup_write(const struct cgroup *cg, const char *file, const char *text, struct csn_error *err)
{
	if (strchr(file, '/') || !strchr(file, '.') || file[0] == '.')
		return fail(err, EINVAL,
			    "cgroup file \"%.100s\": expected a name such as memory.max", file);
	/* A write of no bytes never reaches the controller; an empty line does, and clears. */
	int r = file_write_text(cg->dir, file, *text ? text : "\n", NULL);
	if (r < 0)
		return fail(err, -r, "cgroup \"%s\": write \"%.100s\" to %s: %s", cg->path, text,
			    file, strerror(-r));
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
