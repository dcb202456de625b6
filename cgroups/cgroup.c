/*
 * Groups as directories: made, opened, populated. Levels above a group that we make carry the
 * extended attribute trusted.caisson, so that removal (remove.c) knows which empty ancestors are
 * ours to take away, whoever made them and whatever records were lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "cgroups/internal.h"

const struct controller_name controller_names[] = {
	{ "cpu", CGROUP_CPU },	     { "cpuset", CGROUP_CPUSET },   { "io", CGROUP_IO },
	{ "memory", CGROUP_MEMORY }, { "hugetlb", CGROUP_HUGETLB }, { "pids", CGROUP_PIDS },
	{ "rdma", CGROUP_RDMA },     { "misc", CGROUP_MISC },	    { NULL, 0 },
};

static int check_path(const char *path, struct csn_error *err)
{
	if (path[0] != '/' || path[1] == '\0')
		return fail(err, EINVAL, "cgroup path \"%.200s\": expected a path below \"/\"",
			    path);
	/* Room for the mount point in front of it. */
	if (strlen(path) > PATH_MAX - 256)
		return fail(err, ENAMETOOLONG, "cgroup path \"%.64s...\": too long (%zu bytes)",
			    path, strlen(path));
	for (const char *p = path; *p; p++)
		/* The kernel refuses newlines, which would make /proc/PID/cgroup unreadable. */
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return fail(err, EINVAL,
				    "cgroup path \"%.200s\": control characters are not allowed",
				    path);
	for (const char *p = path; *p;) {
		size_t n = strcspn(p + 1, "/");
		if (n == 0 || (n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.'))
			return fail(err, EINVAL,
				    "cgroup path \"%.200s\": empty, \".\" and \"..\" parts are "
				    "not allowed",
				    path);
		if (n > NAME_MAX)
			return fail(err, ENAMETOOLONG,
				    "cgroup path \"%.64s...\": a part is longer than %d bytes",
				    path, NAME_MAX);
		p += n + 1;
	}
	return 0;
}

int cgroup_name(const char *path, struct cgroup *ret, struct csn_error *err)
{
	char mount[PATH_MAX];
	TRY(check_path(path, err));
	TRY(cgroup_find_mount(mount, sizeof mount, err));
	*ret = (struct cgroup)CGROUP_INIT;
	ret->path = strdup(path);
	if (!ret->path || asprintf(&ret->fs_path, "%s%s", mount, path) < 0) {
		ret->fs_path = NULL;
		cgroup_close(ret);
		return fail(err, ENOMEM, "out of memory");
	}
	return 0;
}

void cgroup_close(struct cgroup *cg)
{
	close_fd(&cg->dir);
	free(cg->path);
	free(cg->fs_path);
	*cg = (struct cgroup)CGROUP_INIT;
}

static int open_dir(struct cgroup *cg)
{
	cg->dir = open(cg->fs_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cg->dir < 0 ? -errno : 0;
}

int cgroup_open(const char *path, struct cgroup *ret, struct csn_error *err)
{
	struct cgroup cg = CGROUP_INIT;
	TRY(cgroup_name(path, &cg, err));
	int r = open_dir(&cg);
	if (r < 0) {
		cgroup_close(&cg);
		return fail(err, -r, "cgroup \"%s\": %s", path, strerror(-r));
	}
	*ret = cg;
	return 0;
}

static unsigned parse_controllers(char *text)
{
	unsigned mask = 0;
	char *save = NULL;
	for (char *name = strtok_r(text, " \n", &save); name; name = strtok_r(NULL, " \n", &save))
		for (const struct controller_name *c = controller_names; c->name; c++)
			if (strcmp(c->name, name) == 0)
				mask |= c->bit;
	return mask;
}

/* Controllers that the directory at path offers; none when it cannot be read. */
static unsigned offered_at(const char *dir)
{
	char path[PATH_MAX + 32], buf[256];
	(void)snprintf(path, sizeof path, "%s/cgroup.controllers", dir);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	return parse_controllers(buf);
}

unsigned controllers_of_mount(const struct cgroup *cg)
{
	char path[PATH_MAX];
	size_t mount = strlen(cg->fs_path) - strlen(cg->path);
	(void)snprintf(path, sizeof path, "%.*s", (int)mount, cg->fs_path);
	return offered_at(path);
}

int cgroup_mount_controllers(unsigned *ret, struct csn_error *err)
{
	char mount[PATH_MAX];
	TRY(cgroup_find_mount(mount, sizeof mount, err));
	*ret = offered_at(mount);
	return 0;
}

static size_t print_controllers(char *buf, size_t size, unsigned mask)
{
	size_t at = 0;
	for (const struct controller_name *c = controller_names; c->name; c++)
		if (mask & c->bit)
			at += (size_t)snprintf(buf + at, size - at, "%s+%s", at ? " " : "",
					       c->name);
	return at;
}

/* All in one write; where the kernel refuses that, one by one, for a refused controller must not
 * take the others with it. What is refused shows later, as a limit whose controller is missing. */
static void enable(const char *dir, unsigned wanted)
{
	char path[PATH_MAX + 32], text[128];
	(void)snprintf(path, sizeof path, "%s/cgroup.subtree_control", dir);
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = print_controllers(text, sizeof text, wanted);
	if (fd < 0 || write(fd, text, n) == (ssize_t)n)
		return;
	for (const struct controller_name *c = controller_names; c->name; c++) {
		n = print_controllers(text, sizeof text, wanted & c->bit);
		if (n)
			(void)!write(fd, text, n);
	}
}

/* Turns wanted controllers on in every ancestor of cg, from the mount downwards; when the group
 * has all that the mount offers, there is nothing to do. Turning on what is on changes nothing. */
static void enable_down(const struct cgroup *cg, unsigned wanted)
{
	size_t mount = strlen(cg->fs_path) - strlen(cg->path);
	unsigned have = 0;
	char path[PATH_MAX];
	wanted &= controllers_of_mount(cg);
	if (!wanted || cgroup_controllers(cg, &have, NULL) < 0)
		return;
	wanted &= ~have;
	for (size_t i = mount; wanted && cg->fs_path[i]; i++) {
		if (cg->fs_path[i] != '/')
			continue;
		(void)snprintf(path, sizeof path, "%.*s", (int)i, cg->fs_path);
		enable(path, wanted);
	}
}

/* mkdir -p below the mount, marking each level that is ours. A level may vanish while we go down,
 * because a sibling's removal took an empty parent with it: then we begin again. */
static int make_levels(const struct cgroup *cg, bool *ret_created)
{
	size_t mount = strlen(cg->fs_path) - strlen(cg->path);
	auto_mem char *path = strdup(cg->fs_path);
	if (!path)
		return -ENOMEM;

	for (int tries = 0; tries < 100; tries++) {
		bool vanished = false;
		for (size_t i = mount + 1; !vanished; i++) {
			if (path[i] != '/' && path[i] != '\0')
				continue;
			bool last = path[i] == '\0';
			path[i] = '\0';
			bool made = mkdir(path, 0755) == 0;
			if (!made && errno == ENOENT)
				vanished = true;
			else if (!made && errno != EEXIST)
				return -errno;
			if (made && !last)
				(void)setxattr(path, CGROUP_MARK, "1", 1, 0);
			if (last) {
				*ret_created = made;
				if (!vanished)
					return 0;
			} else {
				path[i] = '/';
			}
		}
	}
	return -ENOENT;
}

/* Makes and opens the group, each once. */
static int make_and_open(struct cgroup *cg, bool *ret_created)
{
	/* The last level alone, when all others are there, is the common case. */
	bool created = mkdir(cg->fs_path, 0755) == 0;
	int r = created ? 0 : -errno;
	if (r == -EEXIST)
		r = 0;
	else if (r == -ENOENT)
		r = make_levels(cg, &created);
	if (r == 0)
		r = open_dir(cg);
	*ret_created = created;
	return r;
}

int cgroup_create(const char *path, unsigned wanted, struct cgroup *ret, bool *ret_created,
		  struct csn_error *err)
{
	struct cgroup cg = CGROUP_INIT;
	bool created = false;
	TRY(cgroup_name(path, &cg, err));

	/* Gone between mkdir and open: somebody removed a group of the same name just then. */
	int r = make_and_open(&cg, &created);
	for (int tries = 0; r == -ENOENT && tries < 10; tries++)
		r = make_and_open(&cg, &created);
	if (r < 0) {
		if (created)
			(void)rmdir(cg.fs_path);
		cgroup_close(&cg);
		return fail(err, -r, "make cgroup \"%s\": %s", path, strerror(-r));
	}
	if (wanted)
		enable_down(&cg, wanted);
	*ret = cg;
	*ret_created = created;
	return 0;
}

int cgroup_of(pid_t pid, char *buf, size_t size, struct csn_error *err)
{
	char path[64];
	auto_mem char *text = NULL;
	size_t length = 0;
	if (pid)
		(void)snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
	else
		(void)snprintf(path, sizeof path, "/proc/self/cgroup");
	TRY(file_read(AT_FDCWD, path, 1 << 20, &text, &length, err));
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, "0::", 3) == 0) {
			int n = snprintf(buf, size, "%s", line + 3);
			return (size_t)n < size
				       ? 0
				       : fail(err, ENAMETOOLONG, "%s: too long a path", path);
		}
	return fail(err, ENOENT, "%s: no cgroup2 entry", path);
}

int cgroup_controllers(const struct cgroup *cg, unsigned *ret, struct csn_error *err)
{
	char buf[256];
	ssize_t n = read_value(cg, "cgroup.controllers", buf, sizeof buf);
	if (n < 0)
		return fail(err, (int)-n, "cgroup \"%s\": cgroup.controllers: %s", cg->path,
			    strerror((int)-n));
	*ret = parse_controllers(buf);
	return 0;
}

int cgroup_attach(const struct cgroup *cg, pid_t pid, struct csn_error *err)
{
	char text[16];
	(void)snprintf(text, sizeof text, "%d", (int)pid);
	return cgroup_write(cg, "cgroup.procs", text, err);
}
