/*
 * Volumes as a whole: listed, removed and pruned. Whoever removes takes the lock on containers/
 * alone, and so never meets a container that is just being made.
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
#include "runtime/volumes.h"

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

int csn_volume_create(struct csn_runtime *rt, const char *name,
		      const struct csn_volume_options *options, struct csn_error *err)
{
	int r = volume_make(rt, name, options, false, err);
	return r < 0 ? r : 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Calls fn for each name until it returns a negative value, which is worded. */
static int each_volume(const struct csn_runtime *rt,
		       int (*fn)(void *data, const char *name, struct csn_error *err), void *data,
		       struct csn_error *err)
{
	int fd = volumes_open(rt, err);
	if (fd < 0)
		return fd;
	DIR *d AUTO(close_dir)
	= fdopendir(fd);
	if (!d) {
		close_fd(&fd);
		return fail_errno(err, "open directory volumes");
	}
	for (struct dirent *e; (e = readdir(d));)
		if (volume_check_name(e->d_name, NULL) == 0)
			TRY(fn(data, e->d_name, err));
	return 0;
}

/* ---- lists ------------------------------------------------------------------------------------
 */

struct csn_volumes {
	struct csn_runtime *rt;
	const struct volume_users *users; /* while it is filled */
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

static void free_volumes(struct csn_volumes **volumes)
{
	csn_volumes_free(*volumes);
}

static struct csn_volumes *new_list(struct csn_runtime *rt, const struct volume_users *users)
{
	struct csn_volumes *l = calloc(1, sizeof *l);
	if (l) {
		l->rt = rt;
		l->users = users;
	}
	return l;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static const char *const *list_labels(const struct spec_map *labels, struct arena *arena)
{
	const char **list = arena_array(arena, labels->count + 1, sizeof *list);
	for (size_t i = 0; list && i < labels->count; i++) {
		list[i] =
			arena_printf(arena, "%s=%s", labels->items[i].key, labels->items[i].value);
		if (!list[i])
			return NULL;
	}
	return list;
}

/* A record that cannot be read says nothing: the volume is there all the same. */
static int describe(struct csn_volumes *l, const char *name, struct csn_volume_info *ret,
		    struct csn_error *err)
{
	struct volume_record r = { 0 };
	auto_fd volume = volume_open(l->rt, name, err);
	if (volume < 0)
		return volume;
	(void)volume_read(volume, &r, &l->arena, NULL);
	*ret = (struct csn_volume_info){
		.name = arena_strdup(&l->arena, name),
		.path = arena_printf(&l->arena, "%s/volumes/%s/data", l->rt->root, name),
		.users = volume_users_of(l->users, name, &l->arena),
		.created = or_empty(r.created),
		.labels = list_labels(&r.labels, &l->arena),
		.size_bytes = r.size_bytes,
		.anonymous = r.anonymous,
		.bucket = or_empty(r.s3.bucket),
		.prefix = or_empty(r.s3.prefix),
		.endpoint = or_empty(r.s3.endpoint),
	};
	if (!ret->name || !ret->path || !ret->users || !ret->labels)
		return no_memory(err);
	ret->used_by = or_empty(ret->users[0]);
	return 0;
}

static int add_volume(void *data, const char *name, struct csn_error *err)
{
	struct csn_volumes *l = data;
	struct csn_volume_info info;
	int r = describe(l, name, &info, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 16;
		struct csn_volume_info *grown = reallocarray(l->items, capacity, sizeof *grown);
		if (!grown)
			return no_memory(err);
		l->items = grown;
		l->capacity = capacity;
	}
	l->items[l->count++] = info;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct csn_volume_info *)a)->name,
		      ((const struct csn_volume_info *)b)->name);
}

int csn_volume_list(struct csn_runtime *rt, struct csn_volumes **ret, struct csn_error *err)
{
	struct volume_users users AUTO(volume_users_done) = { 0 };
	TRY(volume_users_read(rt, &users, err));
	struct csn_volumes *l AUTO(free_volumes)
	= new_list(rt, &users);
	if (!l)
		return no_memory(err);
	TRY(each_volume(rt, add_volume, l, err));
	if (l->count)
		qsort(l->items, l->count, sizeof *l->items, by_name);
	*ret = take_ptr(l);
	return 0;
}

int csn_volume_get(struct csn_runtime *rt, const char *name, struct csn_volumes **ret,
		   struct csn_error *err)
{
	struct volume_users users AUTO(volume_users_done) = { 0 };
	auto_fd volume = volume_open(rt, name, err);
	if (volume < 0)
		return volume;
	TRY(volume_users_read(rt, &users, err));
	struct csn_volumes *l AUTO(free_volumes)
	= new_list(rt, &users);
	if (!l)
		return no_memory(err);
	TRY(add_volume(l, name, err));
	if (l->count == 0)
		return fail(err, ENOENT, "volume \"%s\" does not exist", name);
	*ret = take_ptr(l);
	return 0;
}

/* ---- removing ---------------------------------------------------------------------------------
 */

/* One rename, and it does not exist; what a crash leaves is swept. */
static int remove_volume(struct csn_runtime *rt, const char *name, struct csn_error *err)
{
	char id[CSN_ID_SIZE];
	auto_fd volumes = volumes_open(rt, err);
	auto_fd volume = volumes < 0 ? volumes : volume_open(rt, name, err);
	if (volume < 0)
		return volume;
	/* Whoever fills it or brings it to its bucket is waited for; sweepers keep off. */
	auto_fd lock = lock_dir(volume, LOCK_EX, err);
	TRY(lock);
	TRY(make_id(id, err));
	if (renameat(volumes, name, rt->unfinished_dir, id) < 0)
		return fail_errno(err, "volume \"%s\"", name);
	return within(err, remove_tree(rt->unfinished_dir, id, err), "volume \"%s\"", name);
}

static int fail_used(const char *name, const char *const *users, struct csn_error *err)
{
	char text[200] = "";
	size_t count = 0, size = 0;
	while (users[count])
		count++;
	for (size_t i = 0; i < count && i < 8; i++)
		size += (size_t)snprintf(text + size, sizeof text - size, "%s%.12s", i ? ", " : "",
					 users[i]);
	return fail(err, EBUSY, "volume \"%s\" is used by container%s %s%s", name,
		    count > 1 ? "s" : "", text, count > 8 ? " and more" : "");
}

int csn_volume_remove(struct csn_runtime *rt, const char *name, struct csn_error *err)
{
	struct volume_users users AUTO(volume_users_done) = { 0 };
	TRY(volume_check_name(name, err));
	auto_fd lock = lock_dir(rt->containers_dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	TRY(volume_users_read(rt, &users, err));
	const char *const *of = volume_users_of(&users, name, &users.arena);
	if (!of)
		return no_memory(err);
	return of[0] ? fail_used(name, of, err) : remove_volume(rt, name, err);
}

int csn_volume_prune(struct csn_runtime *rt, bool all, struct csn_volumes **ret,
		     struct csn_error *err)
{
	struct csn_volumes *l AUTO(free_volumes)
	= NULL;
	size_t kept = 0;
	auto_fd lock = lock_dir(rt->containers_dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	TRY(csn_volume_list(rt, &l, err));
	for (size_t i = 0; i < l->count; i++) {
		const struct csn_volume_info *v = &l->items[i];
		if (v->used_by[0] || !(all || v->anonymous))
			continue;
		TRY(remove_volume(rt, v->name, err));
		l->items[kept++] = *v;
	}
	l->count = kept;
	if (ret)
		*ret = take_ptr(l);
	return 0;
}

/* ---- after a crash ----------------------------------------------------------------------------
 */

static int settle(void *data, const char *name, struct csn_error *err)
{
	(void)err;
	auto_fd volume = volume_open(data, name, NULL);
	if (volume >= 0)
		volume_settle(volume);
	return 0;
}

int volumes_settle(struct csn_runtime *rt, struct csn_error *err)
{
	return each_volume(rt, settle, rt, err);
}
