/*
 * Where a container's group comes from: cgroupfs (we make it), systemd (it makes a scope for us),
 * or nowhere (the container stays in its caller's). Inside lib/host only.
 */
#ifndef CSN_HOST_MANAGER_H
#define CSN_HOST_MANAGER_H

#include "base/arena.h"
#include "cgroups/cgroups.h"
#include "host/host.h"
#include "host/launch.h"

/* A group that was made for one creation. */
struct scope {
	pid_t pid; /* the placeholder; 0: none */
	int hold;  /* what keeps it alive */
};
#define SCOPE_INIT                                                                                 \
	{                                                                                          \
		.hold = -1                                                                         \
	}

/* manager.c */
/* The path that record.cgroup gets: what cgroupsPath asks for, "" without a group.
 * spec may be NULL, for who has only the id. */
int manager_path(const struct host_context *ctx, const struct spec *spec, const char *id,
		 char **ret, struct csn_error *err);
/* Makes the group of r->cgroup and opens it, limits and device rules in force. Sets
 * r->cgroup_created; with systemd r->cgroup is what it really became. Without a group ret stays
 * closed and only ret->fs_path is set, to the caller's own. */
int manager_make(const struct host_context *ctx, const struct spec *spec, struct record *r,
		 struct arena *arena, struct scope *scope, struct cgroup *ret,
		 struct csn_error *err);
/* Removes a group that is ours and has no process any more. */
int manager_remove(const struct record *r, struct csn_error *err);
/* Opens the group of a container; -EOPNOTSUPP and a sentence when it has none of its own. */
int manager_open(const struct container *c, struct cgroup *ret, struct csn_error *err);
static inline bool manager_has_group(const struct record *r)
{
	return r->cgroup && r->cgroup[0];
}

/* scope.c */
struct scope_name {
	char slice[256], unit[512];
};
struct scope_request {
	const struct scope_name *name;
	const char *id;
	const struct cgroup_limits *limits;
	const struct spec_map *annotations;
};
bool scope_systemd_runs(void);
int scope_name(const char *cgroups_path, const char *id, struct scope_name *ret,
	       struct csn_error *err);
/* Where systemd puts it, malloc'd; NULL: too long or no memory. */
char *scope_path(const struct scope_name *name);
/* The scope exists with a placeholder in it; *ret_path is its group, malloc'd. */
int scope_start(const struct scope_request *req, struct arena *arena, struct scope *ret,
		char **ret_path, struct csn_error *err);
/* Tells systemd the new limits of a scope, which it would otherwise take back when it reloads. */
int scope_update(const struct record *r, const struct cgroup_limits *l, struct arena *arena,
		 struct csn_error *err);
/* The placeholder goes; the scope lives on with whoever else is in it. */
void scope_release(struct scope *s);

#endif
