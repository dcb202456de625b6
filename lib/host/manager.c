/*
 * The group of a container by whoever manages groups here. Limits and device rules are in force
 * before the first process of the container exists.
 */
#include "host/manager.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/path.h"
#include "host/plan_build.h"

static bool by_systemd(const struct host_context *ctx)
{
	return ctx->manager == HOST_CGROUP_SYSTEMD && scope_systemd_runs();
}

/* cgroupsPath as a path; in systemd's form where systemd does not run, what it would have made. */
static int plain_path(const struct host_context *ctx, const char *asked, const char *id, char **ret,
		      struct csn_error *err)
{
	if (ctx->manager == HOST_CGROUP_SYSTEMD && (!asked || !strchr(asked, '/'))) {
		struct scope_name name;
		TRY(scope_name(asked, id, &name, err));
		*ret = scope_path(&name);
		return *ret ? 0 : fail(err, ENOMEM, "out of memory");
	}
	int n = asked && *asked ? asprintf(ret, "%s%s", *asked == '/' ? "" : "/", asked)
				: asprintf(ret, "/caisson/%s", id);
	if (n < 0)
		return fail(err, ENOMEM, "out of memory");
	path_clean(*ret);
	return 0;
}

int manager_path(const struct host_context *ctx, const struct spec *spec, const char *id,
		 char **ret, struct csn_error *err)
{
	if (ctx->manager == HOST_CGROUP_NONE) {
		*ret = strdup("");
		return *ret ? 0 : fail(err, ENOMEM, "out of memory");
	}
	return plain_path(ctx, spec ? spec->linux_.cgroups_path : NULL, id, ret, err);
}

static int check_unused(const struct cgroup *cg, const struct record *r, struct csn_error *err)
{
	bool busy = false, frozen = false;
	TRY(cgroup_populated(cg, &busy, err));
	if (busy)
		return fail(err, EBUSY, "linux.cgroupsPath: cgroup \"%s\" is not empty", r->cgroup);
	TRY(cgroup_frozen(cg, &frozen, err));
	if (frozen)
		return fail(err, EBUSY, "linux.cgroupsPath: cgroup \"%s\" is frozen", r->cgroup);
	return 0;
}

static int make_plain(struct record *r, struct cgroup *ret, struct csn_error *err)
{
	unsigned all = ~0U;
	TRY(cgroup_create(r->cgroup, all, ret, &r->cgroup_created, err));
	if (r->cgroup_created)
		return 0;
	TRY(check_unused(ret, r, err));
	return cgroup_clear_devices(ret, err);
}

static int make_scope(const struct spec *spec, struct record *r, const struct cgroup_limits *limits,
		      struct arena *arena, struct scope *scope, struct cgroup *ret,
		      struct csn_error *err)
{
	struct scope_name name;
	TRY(scope_name(spec->linux_.cgroups_path, r->id, &name, err));
	struct scope_request req = {
		.name = &name, .id = r->id, .limits = limits, .annotations = &spec->annotations
	};
	char *path;
	TRY(scope_start(&req, arena, scope, &path, err));
	free(r->cgroup);
	r->cgroup = path;
	r->cgroup_created = r->systemd_cgroup = true;
	return cgroup_open(path, ret, err);
}

/* The caller's own group, for who wants to show the container where it is. */
static int stay(const struct host_context *ctx, const struct spec *spec, struct record *r,
		struct cgroup *ret, struct csn_error *err)
{
	char mount[PATH_MAX], own[PATH_MAX];
	r->cgroup_created = false;
	if (spec->linux_.resources.set)
		host_warn(ctx, "linux.resources: without a cgroup nothing is limited");
	TRY(cgroup_find_mount(mount, sizeof mount, err));
	TRY(cgroup_of(0, own, sizeof own, err));
	if (asprintf(&ret->fs_path, "%s%s", mount, own) < 0) {
		ret->fs_path = NULL;
		return fail(err, ENOMEM, "out of memory");
	}
	return 0;
}

int manager_make(const struct host_context *ctx, const struct spec *spec, struct record *r,
		 struct arena *arena, struct scope *scope, struct cgroup *ret,
		 struct csn_error *err)
{
	struct cgroup_limits limits = { 0 };
	struct cgroup_device_rule *rules = NULL;
	size_t rules_count = 0;

	/* Words about bad resources come before anything is made. */
	TRY(resources_limits(&spec->linux_.resources, arena, &limits, err));
	TRY(resources_devices(spec, arena, &rules, &rules_count, err));
	if (ctx->manager == HOST_CGROUP_NONE)
		return stay(ctx, spec, r, ret, err);
	TRY(by_systemd(ctx) ? make_scope(spec, r, &limits, arena, scope, ret, err)
			    : make_plain(r, ret, err));
	TRY(cgroup_apply_limits(ret, &limits, err));
	return rules_count ? cgroup_set_devices(ret, rules, rules_count, err) : 0;
}

int manager_open(const struct container *c, struct cgroup *ret, struct csn_error *err)
{
	if (!manager_has_group(&c->record))
		return fail(err, EOPNOTSUPP,
			    "container \"%s\" was made without a cgroup of its own", c->record.id);
	return cgroup_open(c->record.cgroup, ret, err);
}

/* systemd removes the group of a scope that has become empty, and must: it learns of the end from
 * the group's own file. Only if it does not, for seconds, do we. */
int manager_remove(const struct record *r, struct csn_error *err)
{
	enum { TRIES = 500, PAUSE_US = 10 * 1000 };
	for (int i = 0; r->systemd_cgroup && i < TRIES; i++) {
		struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
		if (cgroup_open(r->cgroup, &cg, NULL) == -ENOENT)
			return 0;
		(void)usleep(PAUSE_US);
	}
	return cgroup_remove(r->cgroup, err);
}
