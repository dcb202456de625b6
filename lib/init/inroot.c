/*
 * Paths inside the container's root. The tree is hostile: every look-up is one openat2 with
 * RESOLVE_IN_ROOT from the root's fd, every thing made is made with a plain last component in a
 * directory that is held open. Nothing is ever resolved twice by name.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "init/child.h"

static uint64_t resolve_flags(unsigned flags)
{
	uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	return flags & INROOT_NOFOLLOW ? resolve | RESOLVE_NO_SYMLINKS : resolve;
}

int inroot_open(const struct child *c, const char *path, unsigned flags)
{
	uint64_t how = O_PATH | O_CLOEXEC | (flags & INROOT_ITSELF ? O_NOFOLLOW : 0);
	int fd = sys_openat2(c->root, path, how, 0, resolve_flags(flags));
	return fd < 0 ? -errno : fd;
}

/* Makes name in dir and is content if it is there already. */
static int make_one(int dir, const char *name, bool file)
{
	if (!file)
		return mkdirat(dir, name, 0755) < 0 && errno != EEXIST ? -errno : 0;

	/* Not for writing: the root could not become read-only while that is open. */
	step_fd fd = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY | O_CLOEXEC, 0644);
	return fd < 0 && errno != EEXIST ? -errno : 0;
}

/* The directory of path's last part if it is there. */
static int inroot_open_parent(const struct child *c, const char *path, unsigned flags,
			      const char **ret_name)
{
	char dir[PATH_MAX];
	size_t len = __builtin_strlen(path), cut = len;

	while (cut > 0 && path[cut - 1] != '/')
		cut--;
	if (cut == len || len >= sizeof dir)
		return -EINVAL;
	*ret_name = path + cut;
	__builtin_memcpy(dir, path, cut);
	dir[cut] = '\0';
	return inroot_open(c, cut ? dir : "/", flags & INROOT_NOFOLLOW);
}

int inroot_make(const struct child *c, const char *path, unsigned flags)
{
	int found = inroot_open(c, path, flags);
	if (found != -ENOENT)
		return found;

	/* Nearly always only the last part is missing. */
	const char *name;
	step_fd parent = inroot_open_parent(c, path, flags, &name);
	if (parent >= 0) {
		int r = make_one(parent, name, flags & INROOT_FILE);
		return r < 0 ? r : inroot_open(c, path, flags);
	}

	/* Walk down, opening each prefix from the root, so that a symlink in the middle means
	 * what it means inside the container. */
	char prefix[PATH_MAX];
	size_t len = __builtin_strlen(path);
	if (len >= sizeof prefix)
		return -ENAMETOOLONG;

	step_fd dir = inroot_open(c, "/", 0);
	for (size_t i = 0; dir >= 0 && i < len;) {
		while (path[i] == '/')
			i++;
		size_t start = i;
		while (i < len && path[i] != '/')
			i++;
		if (i == start)
			break;

		__builtin_memcpy(prefix, path, i);
		prefix[i] = '\0';
		bool file = i == len && (flags & INROOT_FILE);
		int next = inroot_open(c, prefix, flags);
		if (next == -ENOENT) {
			int r = make_one(dir, prefix + start, file);
			if (r < 0)
				return r;
			next = inroot_open(c, prefix, flags);
		}
		leave_fd(&dir);
		dir = next;
	}
	return take_fd(&dir);
}

int inroot_parent(const struct child *c, const char *path, const char **ret_name)
{
	int found = inroot_open_parent(c, path, 0, ret_name);
	if (found != -ENOENT)
		return found;

	char dir[PATH_MAX];
	size_t cut = (size_t)(*ret_name - path);
	__builtin_memcpy(dir, path, cut);
	dir[cut] = '\0';
	return inroot_make(c, cut > 1 ? dir : "/", 0);
}
