/*
 * update: new limits for a container that exists. What the document does not name stays as it is,
 * and zeros name nothing, as clients send them. All limits change or none does.
 *
 * Rules for devices are not looked at: clients send a "deny all" with every update, which would
 * take a container's devices away.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "host/launch.h"
#include "host/manager.h"
#include "host/plan_build.h"
#include "host/rdt.h"

/* Swap is said together with memory: without a new limit for memory the present one counts. */
static int complete_swap(const struct cgroup *cg, struct spec_resources *r, struct csn_error *err)
{
	uint64_t now = CGROUP_MAX;
	if (!r->memory.swap.set || r->memory.swap.value <= 0 ||
	    (r->memory.limit.set && r->memory.limit.value))
		return 0;
	int read = cgroup_read_u64(cg, "memory.max", &now, err);
	if (read < 0 && read != -ENOENT)
		return read;
	/* Without a limit for memory there is none to add swap to: said where limits are made. */
	if (read == 0 && now <= INT64_MAX)
		r->memory.limit = (struct opt_i64){ .set = true, .value = (int64_t)now };
	return 0;
}

/* Groups that are named by closID are shared: those are whoever's who named them. */
static int change_rdt(const struct container *c, const struct spec_intel_rdt *rdt,
		      char **ret_before, struct csn_error *err)
{
	if (!rdt)
		return 0;
	if (!c->record.rdt_group)
		return fail(err, EOPNOTSUPP,
			    "linux.intelRdt: container \"%s\" has no resctrl group of its own",
			    c->record.id);
	return rdt_change(c->record.rdt_group, rdt, ret_before, err);
}

/* The group's files first: they refuse what cannot be. systemd rounds what it is told, so that they
 * are written again after it. */
static int change_limits(const struct host_context *ctx, const struct container *c,
			 const struct cgroup *cg, const struct cgroup_limits *limits,
			 struct arena *arena, struct csn_error *err)
{
	struct csn_error why;
	TRY(cgroup_update_limits(cg, limits, err));
	if (!c->record.systemd_cgroup)
		return 0;
	if (scope_update(&c->record, limits, arena, &why) < 0)
		host_warn(ctx, "%s: its next reload brings the old limits back", why.text);
	return cgroup_apply_limits(cg, limits, err);
}

int host_update(const struct host_context *ctx, const char *id,
		const struct spec_resources *resources, const struct spec_intel_rdt *rdt,
		struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct spec_resources r = *resources;
	struct cgroup_limits limits = { 0 };
	auto_mem char *before = NULL;

	TRY(container_open(ctx, id, ENTRY_LOCKED, &c, err));
	enum status status = container_status(&c);
	if (status != STATUS_CREATED && status != STATUS_RUNNING && status != STATUS_PAUSED)
		return fail(err, ESRCH, "cannot update container \"%s\": it is %s", id,
			    status_name(status));
	TRY(manager_open(&c, &cg, err));
	TRY(complete_swap(&cg, &r, err));
	TRY(resources_limits(&r, &arena, &limits, err));
	TRY(change_rdt(&c, rdt, &before, err));
	int result = change_limits(ctx, &c, &cg, &limits, &arena, err);
	if (result < 0 && before)
		rdt_restore(c.record.rdt_group, before);
	return within(err, result, "container \"%s\"", id);
}
