/*
 * The verbs on a container that exists: state, start, kill, pause, delete and their helpers. What
 * a container is doing is computed from facts each time (state.h), never remembered.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdpass.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/sys.h"
#include "host/launch.h"
#include "host/manager.h"
#include "host/rdt.h"

enum { END_TIMEOUT_MS = 10 * 1000, CONFIG_MAX = 16 << 20 };

/* Without its record. */
static int entry_open(const struct host_context *ctx, const char *id, enum entry_lock lock,
		      struct container *ret, struct csn_error *err)
{
	TRY(state_check_id(id, err));
	int r = store_open(ctx->root, false, &ret->store, err);
	if (r == -ENOENT)
		return fail(err, ENOENT, "container \"%s\" does not exist", id);
	TRY(r);
	return store_get(&ret->store, id, lock, &ret->entry, err);
}

int container_open(const struct host_context *ctx, const char *id, enum entry_lock lock,
		   struct container *ret, struct csn_error *err)
{
	TRY(entry_open(ctx, id, lock, ret, err));
	return record_read(&ret->entry, &ret->record, err);
}

void container_close(struct container *c)
{
	record_done(&c->record);
	entry_close(&c->entry);
	store_close(&c->store);
}

struct container *container_keep(struct container *c)
{
	struct container *kept = malloc(sizeof *kept);
	if (!kept)
		return NULL;
	*kept = *c;
	*c = (struct container)CONTAINER_INIT;
	entry_unlock(&kept->entry);
	return kept;
}

enum status container_status(const struct container *c)
{
	bool frozen = false;
	if (manager_has_group(&c->record) && record_alive(&c->record)) {
		struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
		if (cgroup_open(c->record.cgroup, &cg, NULL) == 0)
			(void)cgroup_frozen(&cg, &frozen, NULL);
	}
	return record_status(&c->entry, &c->record, frozen);
}

int container_config(const struct container *c, struct spec **ret, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	TRY(file_read(c->entry.dir, "config.json", CONFIG_MAX, &text, &size, err));
	return spec_parse(text, size, "config.json", ret, err);
}

int container_hooks(const struct host_context *ctx, const struct container *c,
		    const struct spec *spec, enum spec_hook_kind kind, enum status status,
		    bool keep_going, struct csn_error *err)
{
	if (!c->record.has_hooks[kind])
		return 0;

	struct spec *own = NULL;
	if (!spec) {
		TRY(container_config(c, &own, err));
		spec = own;
	}
	auto_mem char *state = NULL;
	int r = state_document(&c->record, status, true, &state, err);
	if (r == 0)
		r = hooks_run(ctx, kind, &spec->hooks[kind], c->record.bundle, state, keep_going,
			      err);
	spec_free(own);
	return r;
}

int host_config(const struct host_context *ctx, const char *id, struct spec **ret,
		struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	TRY(entry_open(ctx, id, ENTRY_SHARED_NONE, &c, err));
	return container_config(&c, ret, err);
}

int host_state(const struct host_context *ctx, const char *id, struct record *ret,
	       enum status *ret_status, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	TRY(container_open(ctx, id, ENTRY_SHARED_NONE, &c, err));
	*ret_status = container_status(&c);
	*ret = c.record;
	c.record = (struct record){ 0 };
	return 0;
}

static int kill_init(const struct record *r, int sig)
{
	auto_fd pidfd = proc_pidfd(r->pid, r->start_time);
	if (pidfd < 0)
		return pidfd;
	return sys_pidfd_send_signal(pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

/* Every process of the container is gone when this returns 0. */
static int end_all(const struct container *c, struct cgroup *cg, struct csn_error *err)
{
	if (cg->dir >= 0 && c->record.cgroup_created)
		cgroup_unthrottle(cg);
	if (record_alive(&c->record)) {
		auto_fd pidfd = proc_pidfd(c->record.pid, c->record.start_time);
		if (pidfd >= 0 && sys_pidfd_send_signal(pidfd, SIGKILL, NULL, 0) == 0) {
			struct pollfd wait = { .fd = pidfd, .events = POLLIN };
			while (poll(&wait, 1, END_TIMEOUT_MS) < 0 && errno == EINTR)
				;
		}
	}
	/* A group that we did not make may hold others: only init was ours to kill. */
	if (cg->dir < 0 || !c->record.cgroup_created)
		return 0;
	TRY(cgroup_kill(cg, err));
	return cgroup_wait_empty(cg, END_TIMEOUT_MS, err);
}

static int remove_group(const struct container *c, struct csn_error *err)
{
	/* After an ordinary end nobody is left and one rmdir is all. */
	if (c->record.cgroup_created && !c->record.systemd_cgroup && !record_alive(&c->record) &&
	    cgroup_remove_empty(c->record.cgroup, NULL) == 0)
		return 0;

	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	int r = manager_has_group(&c->record) ? cgroup_open(c->record.cgroup, &cg, err) : 0;
	if (r < 0 && r != -ENOENT)
		return r;
	TRY(end_all(c, &cg, err));
	return c->record.cgroup_created ? manager_remove(&c->record, err) : 0;
}

int container_destroy(const struct host_context *ctx, struct container *c, const struct spec *spec,
		      struct csn_error *err)
{
	struct spec *own = NULL;

	TRY(remove_group(c, err));
	if (c->record.cgroup_created)
		cgroup_remove_above(c->record.cgroup, c->record.cgroup_kept);
	TRY(rdt_remove(c->record.rdt_group, c->record.rdt_monitor, err));

	/* The hooks are in the entry that goes away next. */
	if (!spec && c->record.has_hooks[HOOK_POSTSTOP] && container_config(c, &own, NULL) == 0)
		spec = own;
	int r = store_remove(&c->store, &c->entry, err);
	if (r == 0 && spec)
		r = container_hooks(ctx, c, spec, HOOK_POSTSTOP, STATUS_STOPPED, true, err);
	spec_free(own);
	return r;
}

static int refuse_start(const char *id, enum status status, struct csn_error *err)
{
	if (status == STATUS_STOPPED)
		return fail(err, EINVAL, "cannot start a container that has stopped: \"%s\"", id);
	if (status == STATUS_CREATING)
		return fail(err, EBUSY, "container \"%s\" is still being created", id);
	return fail(err, EBUSY, "cannot start an already running container: \"%s\"", id);
}

static int start(const struct host_context *ctx, const char *id, struct host_process *ret,
		 struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	TRY(container_open(ctx, id, ENTRY_LOCKED, &c, err));
	enum status status = container_status(&c);
	if (status != STATUS_CREATED)
		return refuse_start(id, status, err);

	auto_fd gate = unix_connect_at(c.entry.dir, "gate", SOCK_SEQPACKET, err);
	TRY(gate);
	TRY(notify_bind(ctx, &c, ret, err));
	ret->pid = c.record.pid;
	if (ret->notify >= 0)
		ret->pidfd = proc_pidfd(c.record.pid, c.record.start_time);
	/* The gate stays until the program runs: whoever finds both flag and gate knows that a
	 * start was cut off, and asks the gate (record_status). */
	c.record.started = true;
	TRY(record_write(&c.entry, &c.record, err));
	bool hook_failed = false;
	int r = launch_start(ctx, gate, &hook_failed, err);
	(void)unlinkat(c.entry.dir, "gate", 0);
	if (r == 0 && c.record.has_hooks[HOOK_POSTSTART]) {
		r = container_hooks(ctx, &c, NULL, HOOK_POSTSTART, STATUS_RUNNING, false, err);
		hook_failed = r < 0;
	}
	if (hook_failed)
		(void)container_destroy(ctx, &c, NULL, NULL);
	return r;
}

/* A program that tells when it is ready is waited for; without the lock, for that may take long. */
int host_start(const struct host_context *ctx, const char *id, struct csn_error *err)
{
	struct host_process process = HOST_PROCESS_INIT;
	int r = start(ctx, id, &process, err);
	if (r == 0)
		r = host_await_ready(&process, err);
	close_fd(&process.notify);
	close_fd(&process.pidfd);
	return r;
}

int host_kill(const struct host_context *ctx, const char *id, int sig, bool all,
	      struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	TRY(container_open(ctx, id, ENTRY_SHARED_NONE, &c, err));

	bool alive = record_alive(&c.record);
	if (!alive && !all)
		return fail(err, ESRCH, "container not running");

	/* Without a pid namespace of its own, the death of init ends nobody else. */
	bool group = (all || (sig == SIGKILL && !c.record.has_pid_namespace)) &&
		     manager_has_group(&c.record);
	if (!group) {
		if (!alive)
			return 0;
		int r = kill_init(&c.record, sig);
		return r < 0 ? fail(err, -r, "container not running") : 0;
	}
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	int r = cgroup_open(c.record.cgroup, &cg, err);
	if (r == -ENOENT)
		return alive ? r : 0;
	TRY(r);
	return sig == SIGKILL ? cgroup_kill(&cg, err) : cgroup_signal(&cg, sig, err);
}

int host_pause(const struct host_context *ctx, const char *id, bool pause, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	TRY(container_open(ctx, id, ENTRY_LOCKED, &c, err));

	enum status status = container_status(&c);
	if (pause && status != STATUS_RUNNING && status != STATUS_CREATED)
		return fail(err, EINVAL, "cannot pause container \"%s\": it is %s", id,
			    status_name(status));
	if (!pause && status != STATUS_PAUSED)
		return fail(err, EINVAL, "cannot resume container \"%s\": it is %s", id,
			    status_name(status));
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	TRY(manager_open(&c, &cg, err));
	return cgroup_freeze(&cg, pause, END_TIMEOUT_MS, err);
}

/* Without a group nobody else can be told from its caller's processes. */
static int init_alone(const struct record *r, pid_t **ret, size_t *ret_count, struct csn_error *err)
{
	if (!record_alive(r))
		return 0;
	*ret = malloc(sizeof **ret);
	if (!*ret)
		return fail(err, ENOMEM, "out of memory");
	**ret = r->pid;
	*ret_count = 1;
	return 0;
}

int host_pids(const struct host_context *ctx, const char *id, pid_t **ret, size_t *ret_count,
	      struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	TRY(container_open(ctx, id, ENTRY_SHARED_NONE, &c, err));

	*ret = NULL;
	*ret_count = 0;
	if (!manager_has_group(&c.record))
		return init_alone(&c.record, ret, ret_count, err);
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	int r = cgroup_open(c.record.cgroup, &cg, err);
	if (r == -ENOENT)
		return 0;
	TRY(r);
	return cgroup_pids(&cg, ret, ret_count, err);
}

/* Is the group named after the container ("/caisson/web", "…/crio-web.scope")? Then it is ours even
 * if no record says so. */
static bool named_after(const char *cgroup, const char *id)
{
	const char *last = strrchr(cgroup, '/') + 1, *at = strstr(last, id);
	if (!at || (at > last && !strchr("-:.", at[-1])))
		return false;
	const char *rest = at + strlen(id);
	return *rest == '\0' || strcmp(rest, ".scope") == 0;
}

/* A damaged record is no reason to keep anything for ever: with force the container goes by what
 * its config says. */
static int force_out(const struct host_context *ctx, struct container *c, struct csn_error *err)
{
	struct spec *spec = NULL;

	(void)container_config(c, &spec, NULL);
	int r = manager_path(ctx, spec, c->entry.id, &c->record.cgroup, err);
	spec_free(spec);
	TRY(r);
	c->record.cgroup_kept = (uint32_t)strlen(c->record.cgroup);
	bool none = !manager_has_group(&c->record);
	c->record.cgroup_created = !none && named_after(c->record.cgroup, c->entry.id);
	if (c->record.cgroup_created || none)
		host_warn(ctx, "container \"%s\": its record is damaged: removed by its config",
			  c->entry.id);
	else
		host_warn(
			ctx,
			"container \"%s\": its record is damaged: removed, but for cgroup \"%s\", "
			"which may be another's",
			c->entry.id, c->record.cgroup);
	return container_destroy(ctx, c, NULL, err);
}

int host_delete(const struct host_context *ctx, const char *id, bool force, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	int r = container_open(ctx, id, ENTRY_LOCKED, &c, err);
	if (force && r == -ENOENT)
		return 0;
	if (force && r == -EBADMSG)
		return force_out(ctx, &c, err);
	TRY(r);

	enum status status = force ? STATUS_STOPPED : container_status(&c);
	if (status != STATUS_STOPPED && status != STATUS_CREATED)
		return fail(err, EBUSY,
			    "cannot delete container \"%s\" that is not stopped: it is %s", id,
			    status_name(status));
	return container_destroy(ctx, &c, NULL, err);
}

int host_finish(const struct host_context *ctx, struct container *kept, struct csn_error *err)
{
	int r = entry_relock(&kept->store, &kept->entry);
	if (r == 0) {
		kept->record.pid = 0; /* its number may be another's by now */
		r = container_destroy(ctx, kept, NULL, err);
	} else {
		/* Somebody else has removed it meanwhile. */
		r = r == -ENOENT ? 0 : fail(err, -r, "container \"%s\"", kept->entry.id);
	}
	container_close(kept);
	free(kept);
	return r;
}
