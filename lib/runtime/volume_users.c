/*
 * Who uses volumes. It is no record of its own: a container that mounts one says so in its config,
 * so nothing can disagree, whatever crashes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "runtime/volumes.h"

struct reading {
	struct csn_runtime *rt;
	struct volume_users *users;
	char *prefix; /* "<root>/volumes/" */
};

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

static int add(struct volume_users *u, const char *name, size_t size, const char *container)
{
	if (u->count == u->capacity) {
		size_t capacity = u->capacity ? 2 * u->capacity : 16;
		struct volume_user *grown = reallocarray(u->items, capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		u->items = grown;
		u->capacity = capacity;
	}
	struct volume_user *user = &u->items[u->count];
	user->volume = arena_printf(&u->arena, "%.*s", (int)size, name);
	user->container = arena_strdup(&u->arena, container);
	if (!user->volume || !user->container)
		return -ENOMEM;
	u->count++;
	return 0;
}

static int look(void *data, const char *id)
{
	struct reading *g = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct spec *spec AUTO(free_spec)
	= NULL;
	size_t size = strlen(g->prefix);
	if (container_open(g->rt, id, &c, NULL) < 0 ||
	    spec_read_bundle(c.dir, c.id, &spec, NULL) < 0)
		return 0; /* one that is going, or that cannot be started any more */
	for (size_t i = 0; i < spec->mounts_count; i++) {
		const char *source = spec->mounts[i].source;
		if (!source || strncmp(source, g->prefix, size) != 0)
			continue;
		TRY(add(g->users, source + size, strcspn(source + size, "/"), c.id));
	}
	return 0;
}

int volume_users_read(struct csn_runtime *rt, struct volume_users *ret, struct csn_error *err)
{
	struct reading g = { .rt = rt, .users = ret };
	struct arena arena AUTO(arena_free) = { 0 };
	g.prefix = arena_printf(&arena, "%s/volumes/", rt->root);
	if (!g.prefix)
		return fail(err, ENOMEM, "out of memory");
	return container_each(rt, look, &g, err);
}

void volume_users_done(struct volume_users *users)
{
	free(users->items);
	arena_free(&users->arena);
}

const char *const *volume_users_of(const struct volume_users *users, const char *volume,
				   struct arena *arena)
{
	size_t count = 0;
	const char **list = arena_array(arena, users->count + 1, sizeof *list);
	for (size_t i = 0; list && i < users->count; i++) {
		const struct volume_user *u = &users->items[i];
		/* One that mounts it twice is one user. */
		if (strcmp(u->volume, volume) != 0 ||
		    (count && strcmp(list[count - 1], u->container) == 0))
			continue;
		list[count++] = arena_strdup(arena, u->container);
		if (!list[count - 1])
			return NULL;
	}
	return list;
}
