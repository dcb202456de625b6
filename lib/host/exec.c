/*
 * exec: one more process for a container that runs. It is born in the container's cgroup
 * (CLONE_INTO_CGROUP) and enters all its namespaces with one setns on the pidfd of init; only the
 * pid namespace is entered by us, for our child, before clone3.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sys.h"
#include "base/user.h"
#include "host/launch.h"
#include "host/manager.h"
#include "host/rdt.h"

struct execution {
	const struct host_context *ctx;
	const struct host_exec *req;
	struct container container;
	const struct spec *spec;     /* the container's config */
	struct spec *own_spec;	     /* the same, if we have read it */
	struct spec_process process; /* req->process with the user that was looked up */
	struct cgroup cgroup;
	struct built_plan built;
	int init_pidfd;
	struct launch launch;
};

static int not_running(struct csn_error *err)
{
	return fail(err, ESRCH, "cannot exec in a container that is not running");
}

/* Holds init from here on: whatever is asked of its pid below is asked of this process. */
static int hold_init(struct execution *x, struct csn_error *err)
{
	const struct record *r = &x->container.record;
	if (r->pid == 0 || strcmp(r->boot_id, proc_boot_id()) != 0)
		return not_running(err);
	x->init_pidfd = proc_pidfd(r->pid, r->start_time);
	if (x->init_pidfd < 0 && x->init_pidfd != -ESRCH)
		return fail(err, -x->init_pidfd, "a pidfd of the container's init: %s",
			    strerror(-x->init_pidfd));
	return x->init_pidfd < 0 ? not_running(err) : 0;
}

static int open_cgroup(struct execution *x, struct csn_error *err)
{
	const char *base = x->container.record.cgroup;
	bool frozen = false;

	/* Without a group of its own the container lives in its caller's, and so does this. */
	if (!manager_has_group(&x->container.record) && !x->req->cgroup)
		return 0;
	TRY(manager_open(&x->container, &x->cgroup, err));
	if (!x->req->ignore_paused && cgroup_frozen(&x->cgroup, &frozen, NULL) == 0 && frozen)
		return fail(err, EBUSY, "cannot exec in a paused container");
	if (!x->req->cgroup)
		return 0;

	auto_mem char *path = NULL;
	if (strstr(x->req->cgroup, ".."))
		return fail(err, EINVAL, "--cgroup \"%s\": \"..\" is not allowed", x->req->cgroup);
	if (asprintf(&path, "%s/%s", base, x->req->cgroup) < 0)
		return fail(err, ENOMEM, "out of memory");
	path_clean(path);
	cgroup_close(&x->cgroup);
	return within(err, cgroup_open(path, &x->cgroup, err), "--cgroup \"%s\"", x->req->cgroup);
}

/* A user by name: as the container's own files have it now. */
static int look_up_user(struct execution *x, const struct plan_input *in, struct csn_error *err)
{
	struct spec_user *u = &x->process.user;
	struct arena *arena = &x->built.arena;
	struct resolved_user found = { 0 };

	if (!x->req->user)
		return 0;
	auto_mem char *passwd = plan_read_in_root(in, "etc/passwd");
	auto_mem char *group = plan_read_in_root(in, "etc/group");
	struct user_db db = { .passwd = passwd,
			      .group = group,
			      .passwd_size = passwd ? strlen(passwd) : 0,
			      .group_size = group ? strlen(group) : 0 };
	TRY(user_resolve(x->req->user, &db, &found, arena, err));

	size_t total = found.groups_count + u->additional_gids_count;
	uint32_t *all = arena_array(arena, total, sizeof *all);
	if (!all)
		return fail(err, ENOMEM, "out of memory");
	memcpy(all, found.groups, found.groups_count * sizeof *all);
	if (u->additional_gids_count)
		memcpy(all + found.groups_count, u->additional_gids,
		       u->additional_gids_count * sizeof *all);
	u->uid = found.uid;
	u->gid = found.gid;
	u->additional_gids = all;
	u->additional_gids_count = total;
	return 0;
}

static int make_plan(struct execution *x, struct csn_error *err)
{
	struct host_create as_create = HOST_CREATE_INIT;
	as_create.no_new_keyring = x->req->no_new_keyring;
	as_create.preserve_fds = x->req->preserve_fds;

	/* HOME is looked up in the container's own passwd, through init's root. The number still
	 * meant init when the root was opened if init lives now. */
	char root[64];
	(void)snprintf(root, sizeof root, "/proc/%d/root", (int)x->container.record.pid);
	auto_fd root_dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_dir < 0 || sys_pidfd_send_signal(x->init_pidfd, 0, NULL, 0) < 0)
		return fail(err, ESRCH, "cannot exec in a container that is not running");
	struct plan_input in = { .ctx = x->ctx,
				 .req = &as_create,
				 .spec = x->spec,
				 .id = x->req->id,
				 .rootfs = root,
				 .rootfs_dir = root_dir,
				 .bundle = x->container.record.bundle,
				 .cgroup_fs = x->cgroup.fs_path,
				 .state_root = x->container.store.dir };
	TRY(look_up_user(x, &in, err));
	TRY(plan_build_exec(&in, &x->process, &x->built, err));

	struct plan *p = &x->built.plan;
	p->gate_fd = -1;
	p->join_pidfd = x->init_pidfd;
	for (int kind = 0; kind < NS_KINDS; kind++)
		if (x->spec->linux_.namespaces[kind].present)
			p->join_flags |= spec_namespace_flag((enum spec_namespace_kind)kind);
	if (p->join_flags & CLONE_NEWNS)
		return 0;
	p->exec_root = plan_keep_fd(&x->built, take_fd(&root_dir));
	return p->exec_root < 0 ? fail(err, ENOMEM, "out of memory") : 0;
}

static int listener_state(void *data, pid_t pid, char **ret, struct csn_error *err)
{
	const struct execution *x = data;
	(void)pid; /* the document is the container's; the process is told beside it */
	return state_document(&x->container.record, STATUS_RUNNING, true, ret, err);
}

static int clone_child(struct execution *x, struct csn_error *err)
{
	struct cpus before;

	launch_done(&x->launch);
	x->launch = (struct launch)LAUNCH_INIT;
	x->launch.ctx = x->ctx;
	x->launch.spec = x->spec;
	x->launch.process = &x->process;
	x->launch.built = &x->built;
	x->launch.cgroup_dir = x->cgroup.dir;
	x->launch.console_socket = x->req->console_socket;
	x->launch.state_text = listener_state;
	x->launch.data = x;
	TRY(affinity_initial(&x->process, &before, err));
	int r = launch_clone(&x->launch, err);
	affinity_restore(&x->process, &before);
	return r;
}

/* An init that manages groups itself (systemd) has moved into one below: its own group is no leaf
 * any more and takes no process. Then ours goes where init is. */
static int follow_init(struct execution *x, struct csn_error *err)
{
	const char *base = x->container.record.cgroup;
	size_t len = strlen(base);
	char path[PATH_MAX];

	TRY(cgroup_of(x->container.record.pid, path, sizeof path, err));
	if (strncmp(path, base, len) != 0 || path[len] != '/')
		return fail(err, EBUSY, "cgroup \"%s\" takes no process, and init is not below it",
			    base);
	cgroup_close(&x->cgroup);
	return cgroup_open(path, &x->cgroup, err);
}

static int enter_rdt(const struct execution *x, struct csn_error *err)
{
	const struct spec_intel_rdt *asked = &x->spec->linux_.intel_rdt;
	struct rdt rdt AUTO(rdt_done) = { 0 };
	auto_mem char *root = NULL;

	if (!asked->set)
		return 0;
	TRY(rdt_root(&root, err));
	TRY(rdt_plan(root, asked, x->container.record.id, &rdt, err));
	return rdt_enter(&rdt, x->launch.pid, err);
}

static int start_process(struct execution *x, struct csn_error *err)
{
	int r = clone_child(x, err);
	if (r == -EBUSY && !x->req->cgroup) {
		TRY(follow_init(x, err));
		r = clone_child(x, err);
	}
	TRY(r);
	TRY(enter_rdt(x, err));
	TRY(launch_serve(&x->launch, err));
	TRY(launch_settle(&x->launch, err));
	TRY(affinity_final(&x->process, x->launch.pid, err));
	if (x->req->pidfd_socket)
		TRY(forward_pidfd(x->req->pidfd_socket, x->launch.pidfd, err));
	if (x->req->pid_file)
		TRY(write_pid_file(x->req->pid_file, x->launch.pid, err));
	return launch_start(x->ctx, x->launch.sync, NULL, err);
}

static int execute(struct execution *x, struct csn_error *err)
{
	TRY(container_open(x->ctx, x->req->id, ENTRY_SHARED_NONE, &x->container, err));
	TRY(hold_init(x, err));
	TRY(open_cgroup(x, err));
	x->spec = x->req->config;
	if (!x->spec) {
		TRY(container_config(&x->container, &x->own_spec, err));
		x->spec = x->own_spec;
	}
	TRY(make_plan(x, err));
	return start_process(x, err);
}

int host_exec(const struct host_context *ctx, const struct host_exec *req, struct host_process *ret,
	      struct csn_error *err)
{
	struct execution x = { .ctx = ctx,
			       .req = req,
			       .process = *req->process,
			       .container = CONTAINER_INIT,
			       .cgroup = CGROUP_INIT,
			       .init_pidfd = -1,
			       .launch = LAUNCH_INIT };

	int r = execute(&x, err);
	if (r < 0) {
		launch_abort(&x.launch);
	} else {
		ret->pid = x.launch.pid;
		ret->pidfd = take_fd(&x.launch.pidfd);
		ret->tty_master = take_fd(&x.launch.tty_master);
	}
	launch_done(&x.launch);
	plan_done(&x.built);
	close_fd(&x.init_pidfd);
	cgroup_close(&x.cgroup);
	spec_free(x.own_spec);
	container_close(&x.container);
	return r;
}
