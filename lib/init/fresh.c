/*
 * File systems that the plan's mounts made new: /dev, /proc, /sys. While one lies where its path
 * says, without a symlink on the way and with nothing over it, a name directly in it needs no
 * look-up from the root, and nobody who can write to the image can move it away meanwhile.
 *
 * What covers it, what lands where no text can tell, and hooks, which may mount anything: each ends
 * that knowledge, and paths are looked up again as everywhere else.
 */
#include "init/child.h"

/* Length of dir when path is dir or below it, else 0. */
static size_t is_below(const char *path, const char *dir)
{
	size_t len = __builtin_strlen(dir);
	if (__builtin_strlen(path) < len || __builtin_memcmp(path, dir, len) != 0)
		return 0;
	return path[len] == '\0' || path[len] == '/' || dir[len - 1] == '/' ? len : 0;
}

void fresh_forget(struct child *c)
{
	c->fresh_count = 0;
	c->null_dir = -1;
}

void fresh_covered(struct child *c, const char *target)
{
	for (size_t i = 0; i < c->fresh_count;) {
		if (is_below(c->fresh[i].path, target))
			c->fresh[i] = c->fresh[--c->fresh_count];
		else
			i++;
	}
}

void fresh_add(struct child *c, int *fd, const char *fstype, const char *path)
{
	enum fresh_kind kind;
	if (same(fstype, "tmpfs"))
		kind = FRESH_EMPTY;
	else if (same(fstype, "proc") || same(fstype, "sysfs"))
		kind = FRESH_KERNEL;
	else
		return;
	if (c->fresh_count < FRESH_MAX && *fd < LEAVE_OPEN_MAX) {
		c->fresh[c->fresh_count++] = (struct fresh){ *fd, kind, path };
		*fd = -1;
	}
}

/* One part of a path that is what it says: of procfs some are symlinks, which a look-up would
 * follow. */
static bool is_plain(const char *name)
{
	static const char *const others[] = {
		"", ".", "..", "self", "thread-self", "net", "mounts"
	};
	for (size_t i = 0; i < COUNT(others); i++)
		if (same(name, others[i]))
			return false;
	for (; *name; name++)
		if (*name == '/')
			return false;
	return true;
}

int fresh_dir(const struct child *c, enum fresh_kind kind, const char *path, const char **ret_name)
{
	for (size_t i = 0; i < c->fresh_count; i++) {
		const struct fresh *f = &c->fresh[i];
		size_t len = f->kind == kind ? is_below(path, f->path) : 0;
		if (!len || path[len] != '/')
			continue;
		if (!is_plain(path + len + 1))
			continue;
		*ret_name = path + len + 1;
		return f->fd;
	}
	return -1;
}
