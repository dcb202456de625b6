/*
 * create and run: from a bundle to a container that is ready (create) or runs (run).
 *
 * Order: the id is claimed and the intent written before anything that it names is made; limits
 * are in force before the child exists; the child is born inside its cgroup. Whatever fails, undo
 * goes backwards over what was done.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdpass.h"
#include "base/file.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sys.h"
#include "host/launch.h"
#include "host/manager.h"
#include "host/rdt.h"
#include "host/restore.h"

/* Everything between a request and a container. */
struct creation {
	const struct host_context *ctx;
	const struct host_create *req;
	struct container container;
	struct spec *spec;
	char *bundle, *rootfs; /* absolute, resolved */
	int rootfs_dir;
	struct cgroup cgroup;
	struct scope scope;
	struct rdt rdt;
	bool claimed, cgroup_made, rdt_made, rdt_ready;
	struct moved_device *moved; /* linux.netDevices: those that are in the container */
	size_t moved_count;
	bool hooks_begun; /* poststop hooks are due if it fails now */
	struct built_plan built;
	int gate;
	struct launch launch;
};

/* The absolute path of an open directory, symlinks resolved: the kernel knows it. */
static char *path_of(int dir)
{
	char link[32], path[PATH_MAX];
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
	ssize_t n = readlink(link, path, sizeof path - 1);
	if (n <= 0 || path[0] != '/')
		return NULL;
	path[n] = '\0';
	return strdup(path);
}

static int open_bundle(struct creation *c, struct csn_error *err)
{
	const char *asked = c->req->bundle ? c->req->bundle : ".";
	auto_fd dir = open(asked, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail_errno(err, "bundle \"%s\"", asked);
	c->bundle = path_of(dir);
	if (!c->bundle)
		return fail(err, ENOENT, "bundle \"%s\": its path cannot be found", asked);
	TRY(spec_read_bundle(dir, c->bundle, &c->spec, err));

	c->rootfs_dir = openat(dir, c->spec->root.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->rootfs_dir < 0)
		return fail_errno(err, "config.json: root.path: \"%s\"", c->spec->root.path);
	c->rootfs = path_of(c->rootfs_dir);
	return c->rootfs ? 0
			 : fail(err, ENOENT,
				"config.json: root.path: \"%s\": its path cannot be found",
				c->spec->root.path);
}

/* A terminal must go somewhere, and a socket for it makes no sense without one. */
static int check_terminal(const struct creation *c, bool detached, struct csn_error *err)
{
	if (c->req->console_socket && !c->spec->process.terminal)
		return fail(err, EINVAL,
			    "a console socket is given but config.json: process.terminal is false");
	if (detached && c->spec->process.terminal && !c->req->console_socket)
		return fail(err, EINVAL,
			    "config.json: process.terminal is true: a console socket is needed");
	return 0;
}

static int write_config_copy(const struct creation *c, struct csn_error *err)
{
	auto_fd fd = openat(c->container.entry.dir, "config.json",
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(err, "write config.json of container \"%s\"", c->req->id);
	int r = write_all(fd, c->spec->text, c->spec->text_size);
	return r < 0 ? fail(err, -r, "write config.json of container \"%s\": %s", c->req->id,
			    strerror(-r))
		     : 0;
}

static int copy_annotations(const struct spec_map *from, struct spec_map *to)
{
	to->set = from->set;
	if (!from->count)
		return 0;
	to->items = calloc(from->count, sizeof *to->items);
	if (!to->items)
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++, to->count++) {
		to->items[i].key = strdup(from->items[i].key);
		to->items[i].value = strdup(from->items[i].value);
		if (!to->items[i].key || !to->items[i].value) {
			to->count++;
			return -ENOMEM;
		}
	}
	return 0;
}

/* Which resctrl directories will be ours to remove. One that is there already is not. */
static int intend_rdt(struct creation *c, struct csn_error *err)
{
	const struct spec_intel_rdt *rdt = &c->spec->linux_.intel_rdt;
	struct record *r = &c->container.record;
	auto_mem char *root = NULL;

	if (!rdt->set)
		return 0;
	TRY(rdt_root(&root, err));
	TRY(rdt_plan(root, rdt, c->req->id, &c->rdt, err));
	if (c->rdt.own_group && access(c->rdt.group, F_OK) < 0)
		r->rdt_group = strdup(c->rdt.group);
	if (c->rdt.monitor)
		r->rdt_monitor = strdup(c->rdt.monitor);
	return 0;
}

static int make_rdt(struct creation *c, struct csn_error *err)
{
	const struct spec_intel_rdt *rdt = &c->spec->linux_.intel_rdt;
	if (!rdt->set)
		return 0;
	TRY(rdt_make(&c->rdt, rdt, &c->rdt_made, err));
	c->rdt_ready = true;
	return 0;
}

/* The record in its first form: status creating, all names known, nothing made yet. */
static int write_intent(struct creation *c, struct csn_error *err)
{
	struct record *r = &c->container.record;

	r->id = strdup(c->req->id);
	r->bundle = strdup(c->bundle);
	r->rootfs = strdup(c->rootfs);
	TRY(manager_path(c->ctx, c->spec, c->req->id, &r->cgroup, err));
	if (!r->id || !r->bundle || !r->rootfs ||
	    copy_annotations(&c->spec->annotations, &r->annotations) < 0)
		return fail(err, ENOMEM, "out of memory");
	if (!proc_boot_id()[0])
		return fail(err, EIO, "/proc/sys/kernel/random/boot_id cannot be read");
	(void)snprintf(r->boot_id, sizeof r->boot_id, "%s", proc_boot_id());
	(void)clock_gettime(CLOCK_REALTIME, &r->created);
	r->owner = (uid_t)getauxval(AT_EUID);
	r->has_pid_namespace = c->spec->linux_.namespaces[NS_PID].present &&
			       !c->spec->linux_.namespaces[NS_PID].path;
	for (int kind = 0; kind < HOOK_KINDS; kind++)
		r->has_hooks[kind] = c->spec->hooks[kind].count > 0;
	/* What is there before us is not ours to kill or remove, whenever we end. */
	if (manager_has_group(r))
		TRY(cgroup_missing(r->cgroup, &r->cgroup_created, &r->cgroup_kept, err));
	if (c->ctx->manager == HOST_CGROUP_SYSTEMD)
		r->cgroup_kept = (uint32_t)strlen(r->cgroup); /* slices are systemd's to remove */
	TRY(intend_rdt(c, err));
	return record_write_first(&c->container.entry, r, err);
}

/* The id on the host of a user of the container; false: there is none. */
static bool host_uid(const struct spec_linux *l, uint32_t uid, uid_t *ret)
{
	*ret = uid;
	for (size_t i = 0; i < l->uid_mappings.count; i++) {
		const struct spec_idmap *m = &l->uid_mappings.items[i];
		*ret = m->host_id + (uid - m->container_id);
		if (uid >= m->container_id && uid - m->container_id < m->size)
			return true;
	}
	return !l->namespaces[NS_USER].present;
}

/* A container that sees its group as the root, and writable, is meant to have it (config-linux.md
 * "Cgroup ownership"). */
static int give_cgroup(const struct creation *c, struct csn_error *err)
{
	const struct spec_linux *l = &c->spec->linux_;
	uid_t owner;

	if (!l->namespaces[NS_CGROUP].present || l->namespaces[NS_CGROUP].path ||
	    !host_uid(l, c->spec->process.user.uid, &owner) || owner == c->container.record.owner)
		return 0;
	for (size_t i = 0; i < c->spec->mounts_count; i++) {
		const struct spec_mount *m = &c->spec->mounts[i];
		bool asked = m->source && strcmp(m->source, "cgroup") == 0 &&
			     strcmp(m->destination, "/sys/fs/cgroup") == 0;
		for (size_t o = 0; asked && o < m->options.count; o++)
			asked = strcmp(m->options.items[o], "ro") != 0;
		if (asked)
			return cgroup_delegate(&c->cgroup, owner, err);
	}
	return 0;
}

static int make_cgroup(struct creation *c, struct csn_error *err)
{
	struct record *r = &c->container.record;
	bool intended = r->cgroup_created;
	int made = manager_make(c->ctx, c->spec, r, &c->built.arena, &c->scope, &c->cgroup, err);
	c->cgroup_made = c->cgroup.dir >= 0 && r->cgroup_created;
	TRY(made);
	/* Somebody made, or removed, a group of that name just now. */
	if (r->cgroup_created != intended)
		TRY(record_write(&c->container.entry, r, err));
	TRY(give_cgroup(c, err));
	return c->req->oom ? cgroup_oom_open(&c->cgroup, c->req->oom, err) : 0;
}

static int move_devices(struct creation *c, pid_t pid, struct csn_error *err)
{
	c->moved =
		arena_array(&c->built.arena, c->spec->linux_.net_devices_count, sizeof *c->moved);
	if (!c->moved)
		return fail(err, ENOMEM, "out of memory");
	return netdev_move(c->spec, pid, c->moved, &c->moved_count, err);
}

/* The child has its namespaces and waits. */
static int hooks_before_pivot(void *data, pid_t pid, struct csn_error *err)
{
	struct creation *c = data;
	c->container.record.pid = pid;
	if (c->rdt_ready)
		TRY(rdt_enter(&c->rdt, pid, err));
	TRY(move_devices(c, pid, err));
	c->hooks_begun = true;
	TRY(container_hooks(c->ctx, &c->container, c->spec, HOOK_PRESTART, STATUS_CREATING, false,
			    err));
	return container_hooks(c->ctx, &c->container, c->spec, HOOK_CREATE_RUNTIME, STATUS_CREATING,
			       false, err);
}

static int listener_state(void *data, pid_t pid, char **ret, struct csn_error *err)
{
	struct creation *c = data;
	c->container.record.pid = pid;
	return state_document(&c->container.record, STATUS_CREATING, true, ret, err);
}

static int make_plan(struct creation *c, struct csn_error *err)
{
	struct plan_input in = { .ctx = c->ctx,
				 .req = c->req,
				 .spec = c->spec,
				 .id = c->req->id,
				 .rootfs = c->rootfs,
				 .rootfs_dir = c->rootfs_dir,
				 .bundle = c->bundle,
				 .cgroup_fs = c->cgroup.fs_path,
				 .state_root = c->container.store.dir };
	return plan_build(&in, &c->built, err);
}

static int launch(struct creation *c, struct csn_error *err)
{
	c->launch = (struct launch)LAUNCH_INIT;
	c->launch.ctx = c->ctx;
	c->launch.spec = c->spec;
	c->launch.process = &c->spec->process;
	c->launch.built = &c->built;
	c->launch.cgroup_dir = c->cgroup.dir;
	c->launch.console_socket = c->req->console_socket;
	c->launch.host_hooks = hooks_before_pivot;
	c->launch.state_text = listener_state;
	c->launch.data = c;
	c->built.plan.gate_fd = c->gate;

	TRY(launch_clone(&c->launch, err));
	scope_release(&c->scope);
	close_fd(&c->gate);
	TRY(launch_serve(&c->launch, err));
	return launch_settle(&c->launch, err);
}

int write_pid_file(const char *path, pid_t pid, struct csn_error *err)
{
	char digits[16];
	int n = snprintf(digits, sizeof digits, "%d", (int)pid);
	const char *slash = strrchr(path, '/');
	auto_mem char *dir =
		slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!dir)
		return fail(err, ENOMEM, "out of memory");
	auto_fd dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return fail_errno(err, "pid file \"%s\"", path);
	int r = file_write_unnamed(dir_fd, slash ? slash + 1 : path, digits, (size_t)n, 0644, err);
	return within(err, r, "pid file \"%s\"", path);
}

/* The container exists: tell those who asked, then write it down. The record is last, so that
 * whoever reads "created" finds all the rest. */
static int publish(struct creation *c, struct csn_error *err)
{
	struct record *r = &c->container.record;

	r->pid = c->launch.pid;
	char state;
	if (proc_stat(r->pid, &state, &r->start_time) < 0)
		return fail(err, ESRCH, "the container's init is gone");
	if (c->req->pidfd_socket)
		TRY(forward_pidfd(c->req->pidfd_socket, c->launch.pidfd, err));
	TRY(record_write(&c->container.entry, r, err));
	if (c->req->pid_file)
		TRY(write_pid_file(c->req->pid_file, r->pid, err));
	return 0;
}

static int establish(struct creation *c, bool gate, struct csn_error *err)
{
	const struct host_create *req = c->req;

	TRY(state_check_id(req->id, err));
	TRY(open_bundle(c, err));
	TRY(check_terminal(c, gate || req->detached, err));
	TRY(store_open(c->ctx->root, true, &c->container.store, err));
	TRY(store_add(&c->container.store, req->id, &c->container.entry, err));
	c->claimed = true;
	TRY(write_intent(c, err));
	TRY(write_config_copy(c, err));
	TRY(notify_plan(c->ctx, &c->container, c->spec, err));
	TRY(make_cgroup(c, err));
	TRY(make_rdt(c, err));
	TRY(make_plan(c, err));
	if (gate) {
		c->gate = unix_listen(c->container.entry.dir, "gate", SOCK_SEQPACKET, 0600, err);
		TRY(c->gate);
	} else {
		c->container.record.started = true;
	}
	TRY(launch(c, err));
	TRY(publish(c, err));
	return gate ? launch_recorded(&c->launch, err) : 0;
}

/* Backwards over establish(). The first failure is what the caller hears, so *err stays. */
static void undo(struct creation *c)
{
	bool hooks = c->launch.hook_failed || c->hooks_begun;

	netdev_return(c->spec, c->launch.pid, c->moved, c->moved_count);
	launch_abort(&c->launch);
	if (c->cgroup.dir >= 0 && c->cgroup_made) {
		(void)cgroup_kill(&c->cgroup, NULL);
		(void)cgroup_wait_empty(&c->cgroup, 2000, NULL);
		(void)manager_remove(&c->container.record, NULL);
	}
	if (c->claimed && c->container.record.cgroup_created)
		cgroup_remove_above(c->container.record.cgroup, c->container.record.cgroup_kept);
	if (c->rdt_ready)
		(void)rdt_remove(c->rdt_made ? c->rdt.group : NULL, c->rdt.monitor, NULL);
	if (c->claimed)
		(void)store_remove(&c->container.store, &c->container.entry, NULL);
	if (hooks)
		(void)container_hooks(c->ctx, &c->container, c->spec, HOOK_POSTSTOP, STATUS_STOPPED,
				      true, NULL);
}

static void creation_done(struct creation *c)
{
	launch_done(&c->launch);
	plan_done(&c->built);
	close_fd(&c->gate);
	close_fd(&c->rootfs_dir);
	scope_release(&c->scope);
	cgroup_close(&c->cgroup);
	spec_free(c->spec);
	rdt_done(&c->rdt);
	free(c->bundle);
	free(c->rootfs);
	container_close(&c->container);
}

#define CREATION_INIT(context, request)                                                            \
	{                                                                                          \
		.ctx = (context), .req = (request), .container = CONTAINER_INIT,                   \
		.cgroup = CGROUP_INIT, .scope = SCOPE_INIT, .gate = -1, .rootfs_dir = -1,          \
		.launch = LAUNCH_INIT                                                              \
	}

int host_create(const struct host_context *ctx, const struct host_create *req,
		struct csn_error *err)
{
	struct creation c = CREATION_INIT(ctx, req);

	int r = establish(&c, true, err);
	if (r < 0)
		undo(&c);
	creation_done(&c);
	return r;
}

static int run_program(struct creation *c, struct csn_error *err)
{
	TRY(launch_start(c->ctx, c->launch.sync, &c->launch.hook_failed, err));
	int r = container_hooks(c->ctx, &c->container, c->spec, HOOK_POSTSTART, STATUS_RUNNING,
				false, err);
	c->launch.hook_failed = r < 0;
	return r;
}

int host_run(const struct host_context *ctx, const struct host_create *req,
	     struct host_process *ret, struct csn_error *err)
{
	struct creation c = CREATION_INIT(ctx, req);

	int r = establish(&c, false, err);
	if (r == 0)
		r = notify_bind(ctx, &c.container, ret, err);
	if (r == 0)
		r = run_program(&c, err);
	if (r < 0) {
		close_fd(&ret->notify);
		undo(&c);
	} else {
		ret->pid = c.launch.pid;
		ret->pidfd = take_fd(&c.launch.pidfd);
		if (req->cgroup_dir)
			*req->cgroup_dir = take_fd(&c.cgroup.dir);
		ret->tty_master = take_fd(&c.launch.tty_master);
		if (req->kept)
			*req->kept = container_keep(&c.container);
	}
	creation_done(&c);
	return r;
}

/* ---- restore --------------------------------------------------------------------------------- */

static int restore_into(struct creation *c, const struct host_criu *req, struct csn_error *err)
{
	bool hooks = c->container.record.has_hooks[HOOK_PRESTART] ||
		     c->container.record.has_hooks[HOOK_CREATE_RUNTIME];
	struct restore r = { .req = req,
			     .spec = c->spec,
			     .id = c->req->id,
			     .bundle = c->bundle,
			     .rootfs = c->rootfs,
			     .cgroup = &c->cgroup,
			     .stopped = hooks };
	TRY(restore_processes(&r, &c->built.arena, &c->launch.pid, err));
	scope_release(&c->scope);
	c->launch.pidfd = sys_pidfd_open(c->launch.pid, 0);
	if (c->launch.pidfd < 0)
		return fail_errno(err, "pidfd_open");
	if (!hooks)
		return 0;
	TRY(hooks_before_pivot(c, c->launch.pid, err));
	if (c->cgroup.dir >= 0)
		return cgroup_signal(&c->cgroup, SIGCONT, err);
	return sys_pidfd_send_signal(c->launch.pidfd, SIGCONT, NULL, 0) < 0
		       ? fail_errno(err, "SIGCONT")
		       : 0;
}

static int establish_restored(struct creation *c, const struct host_criu *req,
			      struct csn_error *err)
{
	TRY(state_check_id(c->req->id, err));
	TRY(open_bundle(c, err));
	TRY(check_terminal(c, c->req->detached, err));
	TRY(store_open(c->ctx->root, true, &c->container.store, err));
	TRY(store_add(&c->container.store, c->req->id, &c->container.entry, err));
	c->claimed = true;
	TRY(write_intent(c, err));
	TRY(write_config_copy(c, err));
	TRY(make_cgroup(c, err));
	c->container.record.started = true;
	TRY(restore_into(c, req, err));
	TRY(publish(c, err));
	return container_hooks(c->ctx, &c->container, c->spec, HOOK_POSTSTART, STATUS_RUNNING,
			       false, err);
}

int host_restore(const struct host_context *ctx, const struct host_create *create,
		 const struct host_criu *req, struct host_process *ret, struct csn_error *err)
{
	struct creation c = CREATION_INIT(ctx, create);

	int r = establish_restored(&c, req, err);
	if (r < 0) {
		undo(&c);
	} else {
		ret->pid = c.launch.pid;
		ret->pidfd = take_fd(&c.launch.pidfd);
	}
	creation_done(&c);
	return r;
}
