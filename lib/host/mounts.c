/*
 * Mounts of a container that runs. The child of exec does it, without a program: sources are opened
 * here, on the host, and moved into place from inside the container's namespaces.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/proc.h"
#include "host/launch.h"

struct change {
	const struct host_context *ctx;
	struct container container;
	struct spec *spec; /* the container's own, with the mounts of the list */
	struct built_plan built;
	struct launch launch;
	int init_pidfd;
};

static int make_plan(struct change *c, bool remove, struct csn_error *err)
{
	struct host_create as_create = HOST_CREATE_INIT;
	struct plan_input in = { .ctx = c->ctx,
				 .req = &as_create,
				 .spec = c->spec,
				 .id = c->container.record.id,
				 .rootfs_dir = -1,
				 .bundle = c->container.record.bundle,
				 .state_root = c->container.store.dir };
	TRY(plan_build_mounts(&in, remove, &c->built, err));
	struct plan *p = &c->built.plan;
	p->join_pidfd = c->init_pidfd;
	for (int kind = 0; kind < NS_KINDS; kind++)
		if (c->spec->linux_.namespaces[kind].present)
			p->join_flags |= spec_namespace_flag((enum spec_namespace_kind)kind);
	return 0;
}

static int carry_out(struct change *c, struct csn_error *err)
{
	c->launch.ctx = c->ctx;
	c->launch.spec = c->spec;
	c->launch.process = &c->spec->process;
	c->launch.built = &c->built;
	TRY(launch_clone(&c->launch, err));
	return launch_serve(&c->launch, err);
}

static int change(struct change *c, const char *id, const struct spec *list, bool remove,
		  struct csn_error *err)
{
	TRY(container_open(c->ctx, id, ENTRY_LOCKED, &c->container, err));
	enum status status = container_status(&c->container);
	if (status == STATUS_STOPPED || status == STATUS_CREATING)
		return fail(err, ESRCH, "container not running");
	TRY(container_config(&c->container, &c->spec, err));
	if (!c->spec->linux_.namespaces[NS_MOUNT].present)
		return fail(err, EINVAL, "container \"%s\" has no mount namespace of its own", id);
	c->spec->mounts = list->mounts;
	c->spec->mounts_count = list->mounts_count;
	c->init_pidfd = proc_pidfd(c->container.record.pid, c->container.record.start_time);
	if (c->init_pidfd < 0)
		return fail(err, ESRCH, "container not running");
	TRY(make_plan(c, remove, err));
	return carry_out(c, err);
}

int host_mounts(const struct host_context *ctx, const char *id, struct spec *list, bool remove,
		struct csn_error *err)
{
	struct change c = {
		.ctx = ctx, .container = CONTAINER_INIT, .launch = LAUNCH_INIT, .init_pidfd = -1
	};
	int r = change(&c, id, list, remove, err);
	launch_abort(&c.launch); /* it has done its work, or failed; either way it is reaped */
	plan_done(&c.built);
	close_fd(&c.init_pidfd);
	spec_free(c.spec);
	container_close(&c.container);
	return r;
}
