/*
 * Volumes: directories that outlive containers, <root>/volumes/<name>. Who uses one is no record of
 * its own: a container that mounts it says so in its config, so nothing can disagree.
 *
 * A volume comes to be when a container that names it is made, under the lock on containers/ that
 * every creation shares; removing takes that lock alone, and so never meets a container that is
 * just being made. A container's own volumes are <root>/containers/<id>/volumes/<n> and go with it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "caisson-volume.h"
#include "runtime/runtime.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool volume_name_is_valid(const char *name)
{
	size_t n = strlen(name);
	return n >= 1 && n <= 128 && strspn(name, NAME_CHARS "_.-") == n &&
	       strchr(NAME_CHARS, name[0]);
}

static int check_name(const char *name, struct csn_error *err)
{
	if (volume_name_is_valid(name))
		return 0;
	return fail(err, EINVAL,
		    "volume \"%.200s\": expected 1 to 128 of [a-zA-Z0-9_.-], first a letter or "
		    "digit",
		    name);
}

/* <root>/volumes, made where it is missing. */
static int volumes_dir(const struct csn_runtime *rt, struct csn_error *err)
{
	if (mkdirat(rt->root_dir, "volumes", 0711) < 0 && errno != EEXIST)
		return fail_errno(err, "make directory volumes");
	int fd = openat(rt->root_dir, "volumes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "open directory volumes") : fd;
}

static int make_volume(const struct csn_runtime *rt, const char *name, struct csn_error *err)
{
	auto_fd dir = volumes_dir(rt, err);
	if (dir < 0)
		return dir;
	if (mkdirat(dir, name, 0755) == 0)
		return 0;
	return errno == EEXIST ? 0 : fail_errno(err, "volume \"%s\": make its directory", name);
}

int csn_volume_create(struct csn_runtime *rt, const char *name, struct csn_error *err)
{
	TRY(check_name(name, err));
	return make_volume(rt, name, err);
}

/* ---- mounts of a container that is being made ------------------------------------------------ */

/* The host's path of one mount's source; in the arena. */
static int source_path(const struct csn_runtime *rt, const char *id, size_t n,
		       const struct csn_mount *m, const char **ret, struct arena *arena,
		       struct csn_error *err)
{
	if (!m->source) {
		*ret = arena_printf(arena, "%s/containers/%s/volumes/%zu", rt->root, id, n);
	} else if (m->source[0] == '/') {
		if (access(m->source, F_OK) < 0)
			return fail_errno(err, "mount source \"%.300s\"", m->source);
		*ret = m->source;
	} else {
		if (!volume_name_is_valid(m->source))
			return fail(err, EINVAL,
				    "mount source \"%.200s\": expected an absolute path, or the "
				    "name of a volume",
				    m->source);
		*ret = arena_printf(arena, "%s/volumes/%s", rt->root, m->source);
	}
	return *ret ? 0 : fail(err, ENOMEM, "out of memory");
}

int volumes_resolve(struct csn_runtime *rt, const char *id, struct csn_container_options *o,
		    struct arena *arena, struct csn_error *err)
{
	struct csn_mount *mounts = arena_array(arena, o->mounts_count, sizeof *mounts);
	if (!mounts)
		return fail(err, ENOMEM, "out of memory");
	if (o->mounts_count && o->mounts->size < sizeof(struct csn_mount))
		return fail(err, EINVAL, "mounts: made without CSN_MOUNT_INIT");
	for (size_t i = 0; i < o->mounts_count; i++) {
		mounts[i] = *service_mount(o, i);
		mounts[i].size = sizeof *mounts;
		TRY(source_path(rt, id, i, service_mount(o, i), &mounts[i].source, arena, err));
	}
	o->mounts = mounts;
	return 0;
}

static int make_own(int container_dir, size_t n, struct csn_error *err)
{
	char name[40];
	(void)snprintf(name, sizeof name, "volumes/%zu", n);
	if ((mkdirat(container_dir, "volumes", 0711) < 0 && errno != EEXIST) ||
	    mkdirat(container_dir, name, 0755) < 0)
		return fail_errno(err, "make directory %s", name);
	return 0;
}

int volumes_make(struct csn_runtime *rt, int container_dir,
		 const struct csn_container_options *given, struct csn_error *err)
{
	for (size_t i = 0; i < given->mounts_count; i++) {
		const char *source = service_mount(given, i)->source;
		if (!source)
			TRY(make_own(container_dir, i, err));
		else if (source[0] != '/')
			TRY(make_volume(rt, source, err));
	}
	return 0;
}

/* ---- who uses them -----------------------------------------------------------------------------
 */

struct user_search {
	struct csn_runtime *rt;
	char *path; /* of the volume */
	char user[CSN_ID_SIZE];
};

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

static int look_for_user(void *data, const char *id)
{
	struct user_search *search = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct spec *spec AUTO(free_spec)
	= NULL;
	if (container_open(search->rt, id, &c, NULL) < 0 ||
	    spec_read_bundle(c.dir, c.id, &spec, NULL) < 0)
		return 0; /* one that is going, or that cannot be started any more */
	for (size_t i = 0; i < spec->mounts_count; i++)
		if (spec->mounts[i].source && strcmp(spec->mounts[i].source, search->path) == 0)
			memcpy(search->user, c.id, CSN_ID_SIZE);
	return 0;
}

static int find_user(struct csn_runtime *rt, const char *name, struct user_search *ret,
		     struct csn_error *err)
{
	*ret = (struct user_search){ .rt = rt };
	if (asprintf(&ret->path, "%s/volumes/%s", rt->root, name) < 0)
		return fail(err, ENOMEM, "out of memory");
	int r = container_each(rt, look_for_user, ret, err);
	free(ret->path);
	return r;
}

/* The lock on containers is held exclusively. */
static int remove_unused(struct csn_runtime *rt, int dir, const char *name, struct csn_error *err)
{
	struct user_search search;
	TRY(find_user(rt, name, &search, err));
	if (search.user[0])
		return fail(err, EBUSY, "volume \"%s\" is used by container %.12s", name,
			    search.user);
	return within(err, remove_tree(dir, name, err), "volume \"%s\"", name);
}

int csn_volume_remove(struct csn_runtime *rt, const char *name, struct csn_error *err)
{
	TRY(check_name(name, err));
	auto_fd lock = lock_dir(rt->containers_dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	auto_fd dir = volumes_dir(rt, err);
	if (dir < 0)
		return dir;
	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, ENOENT, "volume \"%s\" does not exist", name);
	return remove_unused(rt, dir, name, err);
}

/* ---- lists -------------------------------------------------------------------------------------
 */

struct csn_volumes {
	struct arena arena;
	struct csn_volume_info *items;
	size_t count, capacity;
};

size_t csn_volumes_count(const struct csn_volumes *volumes)
{
	return volumes->count;
}

const struct csn_volume_info *csn_volumes_get(const struct csn_volumes *volumes, size_t index)
{
	return &volumes->items[index];
}

void csn_volumes_free(struct csn_volumes *volumes)
{
	if (!volumes)
		return;
	free(volumes->items);
	arena_free(&volumes->arena);
	free(volumes);
}

static int add_volume(struct csn_runtime *rt, struct csn_volumes *l, const char *name,
		      struct csn_error *err)
{
	struct user_search search;
	TRY(find_user(rt, name, &search, err));
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 16;
		struct csn_volume_info *grown = realloc(l->items, capacity * sizeof *grown);
		if (!grown)
			return fail(err, ENOMEM, "out of memory");
		l->items = grown;
		l->capacity = capacity;
	}
	const struct csn_volume_info info = {
		.name = arena_strdup(&l->arena, name),
		.path = arena_printf(&l->arena, "%s/volumes/%s", rt->root, name),
		.used_by = arena_strdup(&l->arena, search.user),
	};
	if (!info.name || !info.path || !info.used_by)
		return fail(err, ENOMEM, "out of memory");
	l->items[l->count++] = info;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct csn_volume_info *)a)->name,
		      ((const struct csn_volume_info *)b)->name);
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static int fill(struct csn_runtime *rt, struct csn_volumes *l, struct csn_error *err)
{
	int fd = volumes_dir(rt, err);
	if (fd < 0)
		return fd;
	DIR *d AUTO(close_dir)
	= fdopendir(fd);
	if (!d) {
		close_fd(&fd);
		return fail_errno(err, "open directory volumes");
	}
	for (struct dirent *e; (e = readdir(d));)
		if (volume_name_is_valid(e->d_name))
			TRY(add_volume(rt, l, e->d_name, err));
	if (l->count)
		qsort(l->items, l->count, sizeof *l->items, by_name);
	return 0;
}

int csn_volume_list(struct csn_runtime *rt, struct csn_volumes **ret, struct csn_error *err)
{
	struct csn_volumes *l = calloc(1, sizeof *l);
	if (!l)
		return fail(err, ENOMEM, "out of memory");
	int r = fill(rt, l, err);
	if (r < 0) {
		csn_volumes_free(l);
		return r;
	}
	*ret = l;
	return 0;
}
