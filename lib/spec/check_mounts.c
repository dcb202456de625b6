/* Rules of mounts, of id mappings and of the user namespace that they are for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "spec/check.h"

static bool ranges_meet(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

enum { IDMAPS_MAX = 340 }; /* UID_GID_MAP_MAX_EXTENTS of the kernel */

static int check_idmaps(const struct check *c, const char *field, const struct spec_idmaps *maps)
{
	if (maps->count > IDMAPS_MAX)
		return bad(c, "%s: more than %d mappings", field, IDMAPS_MAX);
	for (size_t i = 0; i < maps->count; i++) {
		const struct spec_idmap *m = &maps->items[i];
		if (m->size == 0)
			return bad(c, "%s[%zu].size: expected a size above 0", field, i);
		if ((uint64_t)m->container_id + m->size > UINT32_MAX ||
		    (uint64_t)m->host_id + m->size > UINT32_MAX)
			return bad(c, "%s[%zu]: goes beyond the largest id", field, i);
		for (size_t k = 0; k < i; k++) {
			const struct spec_idmap *o = &maps->items[k];
			if (ranges_meet(m->container_id, m->size, o->container_id, o->size) ||
			    ranges_meet(m->host_id, m->size, o->host_id, o->size))
				return bad(c, "%s[%zu]: overlaps with [%zu]", field, i, k);
		}
	}
	return 0;
}

int check_each_mount(const struct check *c)
{
	char field[64];
	for (size_t i = 0; i < c->spec->mounts_count; i++) {
		const struct spec_mount *m = &c->spec->mounts[i];
		if (!m->destination[0])
			return bad(c, "mounts[%zu].destination: expected a path", i);
		if ((m->uid_mappings.count > 0) != (m->gid_mappings.count > 0))
			return bad(c, "mounts[%zu]: uidMappings and gidMappings go together", i);
		(void)snprintf(field, sizeof field, "mounts[%zu].uidMappings", i);
		TRY(check_idmaps(c, field, &m->uid_mappings));
		(void)snprintf(field, sizeof field, "mounts[%zu].gidMappings", i);
		TRY(check_idmaps(c, field, &m->gid_mappings));
	}
	return 0;
}

int check_mounts(const struct check *c)
{
	TRY(check_each_mount(c));
	if (c->spec->mounts_count && !has_namespace(c, NS_MOUNT))
		return bad(c, "mounts: need a mount namespace in linux.namespaces");
	return 0;
}

static bool idmaps_cover(const struct spec_idmaps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (id >= maps->items[i].container_id &&
		    id - maps->items[i].container_id < maps->items[i].size)
			return true;
	return false;
}

/* Set-up is done as id 0 of the new user namespace, the program runs as process.user. */
static int check_users_mapped(const struct check *c)
{
	const struct spec_linux *l = &c->spec->linux_;
	const struct spec_user *user = &c->spec->process.user;

	if (!idmaps_cover(&l->uid_mappings, 0) || !idmaps_cover(&l->gid_mappings, 0))
		return bad(c, "linux.%s: containerID 0 must be mapped",
			   idmaps_cover(&l->uid_mappings, 0) ? "gidMappings" : "uidMappings");
	if (!idmaps_cover(&l->uid_mappings, user->uid))
		return bad(c, "process.user.uid: %u is not mapped by linux.uidMappings", user->uid);
	if (!idmaps_cover(&l->gid_mappings, user->gid))
		return bad(c, "process.user.gid: %u is not mapped by linux.gidMappings", user->gid);
	return 0;
}

int check_userns(const struct check *c)
{
	const struct spec_linux *l = &c->spec->linux_;
	bool mapped = l->uid_mappings.count || l->gid_mappings.count;
	TRY(check_idmaps(c, "linux.uidMappings", &l->uid_mappings));
	TRY(check_idmaps(c, "linux.gidMappings", &l->gid_mappings));
	if (mapped && !has_namespace(c, NS_USER))
		return bad(c, "linux.uidMappings: need a user namespace in linux.namespaces");
	if (new_namespace(c, NS_USER) && (!l->uid_mappings.count || !l->gid_mappings.count))
		return bad(c, "linux.uidMappings: a new user namespace needs uidMappings and "
			      "gidMappings");
	return new_namespace(c, NS_USER) ? check_users_mapped(c) : 0;
}

int check_time(const struct check *c)
{
	if (c->spec->linux_.time_offsets_count && !new_namespace(c, NS_TIME))
		return bad(c, "linux.timeOffsets: need a new time namespace in linux.namespaces");
	return 0;
}
