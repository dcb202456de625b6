/*
 * Devices of the host for a container: a node in its /dev and a rule that lets it be used. A
 * directory stands for all devices below it. Their numbers are those of now: what becomes of the
 * host's node later, the container keeps the device that it was made with.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"
#include "base/path.h"
#include "runtime/runtime.h"

#define DEVICES_MAX 1024
#define DEPTH_MAX   8

/* Nodes and rules as they are found. */
struct finding {
	struct service *s;
	struct spec_device_rule *rules;
	size_t rules_count;
	struct arena *arena;
	struct csn_error *err;
};

static int no_memory(struct finding *f)
{
	return fail(f->err, ENOMEM, "out of memory");
}

static void free_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static int add(struct finding *f, const struct csn_device *d, const struct stat *st, char *path)
{
	struct spec_device *node = &f->s->devices[f->s->devices_count];
	struct spec_device_rule *rule = &f->rules[f->rules_count];
	char *access = arena_printf(f->arena, "%s%s%s", d->read ? "r" : "", d->write ? "w" : "",
				    d->mknod ? "m" : "");
	char *type = arena_strdup(f->arena, S_ISBLK(st->st_mode) ? "b" : "c");
	if (!access || !type)
		return no_memory(f);
	for (size_t i = 0; i < f->s->devices_count; i++)
		if (strcmp(f->s->devices[i].path, path) == 0)
			return fail(f->err, EINVAL, "device \"%.200s\": given twice", path);
	if (f->s->devices_count == DEVICES_MAX)
		return fail(f->err, E2BIG, "more than %d devices", DEVICES_MAX);
	const int64_t number[] = { major(st->st_rdev), minor(st->st_rdev) };
	*node = (struct spec_device){
		.type = type,
		.path = path,
		.major = { true, number[0] },
		.minor = { true, number[1] },
		.file_mode = { true, d->mode ? d->mode & 0777 : st->st_mode & 0777 },
		.uid = { true, d->mode ? 0 : st->st_uid },
		.gid = { true, d->mode ? 0 : st->st_gid },
	};
	*rule = (struct spec_device_rule){
		.allow = true,
		.type = type,
		.major = { true, number[0] },
		.minor = { true, number[1] },
		.access = access,
	};
	f->s->devices_count++;
	f->rules_count++;
	return 0;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

/* All devices below fd, which is closed; path: where it is in the container. What is no device and
 * no directory is left out; links are not followed: what they name has a node of its own. */
static int add_below(struct finding *f, const struct csn_device *d, int fd, const char *path,
		     int depth)
{
	DIR *dir AUTO(free_dir)
	= fdopendir(fd);
	if (!dir) {
		close_fd(&fd);
		return no_memory(f);
	}
	if (depth == DEPTH_MAX)
		return fail(f->err, ELOOP, "device \"%.200s\": too many directories", path);
	for (struct dirent *e; (e = readdir(dir));) {
		struct stat st;
		if (is_dots(e->d_name) ||
		    fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		char *at = arena_printf(f->arena, "%s/%s", path, e->d_name);
		if (!at)
			return no_memory(f);
		if (is_device(&st))
			TRY(add(f, d, &st, at));
		if (!S_ISDIR(st.st_mode))
			continue;
		int below = openat(dirfd(dir), e->d_name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0)
			return fail_errno(f->err, "device \"%.200s\"", at);
		TRY(add_below(f, d, below, at, depth + 1));
	}
	return 0;
}

static int find(struct finding *f, const struct csn_device *d)
{
	struct stat st;
	const char *host = d->host ? d->host : "", *where = d->container ? d->container : host;
	if (host[0] != '/')
		return fail(f->err, EINVAL, "device \"%.200s\": expected an absolute path", host);
	if (where[0] != '/')
		return fail(f->err, EINVAL,
			    "device \"%.200s\": \"%.200s\": expected an absolute path", host,
			    where);
	if (!d->read && !d->write && !d->mknod)
		return fail(f->err, EINVAL,
			    "device \"%.200s\": neither read nor write nor mknod is allowed", host);
	if (stat(host, &st) < 0)
		return fail_errno(f->err, "device \"%.200s\"", host);
	char *path = arena_strdup(f->arena, where);
	if (!path)
		return no_memory(f);
	path_clean(path);
	if (is_device(&st))
		return add(f, d, &st, path);
	int dir = S_ISDIR(st.st_mode) ? open(host, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (dir < 0)
		return fail(f->err, ENODEV, "\"%.200s\" is no device", host);
	size_t before = f->s->devices_count;
	TRY(add_below(f, d, dir, path, 0));
	return f->s->devices_count > before
		       ? 0
		       : fail(f->err, ENODEV, "\"%.200s\" has no device below it", host);
}

int devices_decide(const struct csn_container_options *o, struct service *s, struct arena *arena,
		   struct csn_error *err)
{
	static char every[] = "rwm";
	struct finding f = { .s = s, .arena = arena, .err = err };
	if (!o->devices_count)
		return 0;
	if (o->devices->size < sizeof(struct csn_device))
		return fail(err, EINVAL, "devices: made without CSN_DEVICE_INIT");
	s->devices = arena_array(arena, DEVICES_MAX, sizeof *s->devices);
	f.rules = arena_array(arena, DEVICES_MAX + 1, sizeof *f.rules);
	if (!s->devices || !f.rules)
		return no_memory(&f);
	/* None but the usual ones and those that follow. */
	f.rules[f.rules_count++] = (struct spec_device_rule){ .allow = false, .access = every };
	for (size_t i = 0; i < o->devices_count; i++)
		TRY(find(&f, (const void *)((const char *)o->devices + i * o->devices->size)));
	if (s->resources.devices_count) /* privileged: every device */
		return 0;
	s->resources.devices = f.rules;
	s->resources.devices_count = f.rules_count;
	return 0;
}
