/*
 * Starting: from the engine's record to a running container, then into a fresh image of ourselves.
 *
 * The overlay is made as a detached mount and given to the container as its root: it exists in the
 * container's mount namespace only, and goes with it. What the start needed (JSON, plans, seccomp)
 * is left behind by execve, so that the supervisor is as small as it can be; children, locks and
 * fds stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdpass.h"
#include "base/file.h"
#include "base/json.h"
#include "base/overlay.h"
#include "host/host.h"
#include "monitor/restart.h"
#include "monitor/stdio.h"
#include "monitor/supervise.h"

struct starting {
	const struct start_request *req;
	const char *root, *run_root, *id;
	int root_dir, container_dir, monitor_dir;
	struct arena arena;
	struct engine_record record;
	struct supervision s;
	struct stdio stdio;
	int tree;
	bool locked; /* we are the container's monitor */
};

static int open_dirs(struct starting *st, struct csn_error *err)
{
	char path[300];
	st->root_dir = open(st->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (st->root_dir < 0)
		return fail_errno(err, "%s", st->root);
	(void)snprintf(path, sizeof path, "containers/%s", st->id);
	st->container_dir = openat(st->root_dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st->container_dir < 0)
		return fail_errno(err, "%s/%s", st->root, path);

	auto_fd run = open(st->run_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (run < 0)
		return fail_errno(err, "%s", st->run_root);
	(void)snprintf(path, sizeof path, "monitor/%s", st->id);
	if ((mkdirat(run, "monitor", 0700) < 0 && errno != EEXIST) ||
	    (mkdirat(run, path, 0700) < 0 && errno != EEXIST))
		return fail_errno(err, "%s/%s", st->run_root, path);
	st->monitor_dir = openat(run, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return st->monitor_dir < 0 ? fail_errno(err, "%s/%s", st->run_root, path) : 0;
}

/* ---- overlay --------------------------------------------------------------------------------- */

static int mount_overlay(struct starting *st)
{
	char upper[300], work[300], target[300];
	(void)snprintf(upper, sizeof upper, "containers/%s/upper", st->id);
	(void)snprintf(work, sizeof work, "containers/%s/work", st->id);
	(void)snprintf(target, sizeof target, "containers/%s/rootfs", st->id);
	const struct overlay o = { .root = st->root,
				   .layers = st->record.layers,
				   .layers_count = st->record.layers_count,
				   .upper = upper,
				   .work = work,
				   .target = target };
	return overlay_mount(&o);
}

/* ---- the start ------------------------------------------------------------------------------- */

static int take_lock(struct starting *st, struct csn_error *err)
{
	char digits[16];
	int n = snprintf(digits, sizeof digits, "%d", (int)getpid());
	/* Between two runs we are the same process. */
	if (st->req->pid_fd >= 0) {
		st->s.fds[FD_PID_FILE] = st->req->pid_fd;
		st->locked = true;
		return 0;
	}
	/* Not truncated before it is ours: it may be a living monitor's. */
	int fd = openat(st->monitor_dir, "pid", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(err, "monitor/%s/pid", st->id);
	st->s.fds[FD_PID_FILE] = fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return fail(err, EALREADY, "container %.12s has a monitor already", st->id);
	st->locked = true;
	return ftruncate(fd, 0) < 0 || write_all(fd, digits, (size_t)n) < 0
		       ? fail_errno(err, "monitor/%s/pid", st->id)
		       : 0;
}

static int prepare(struct starting *st, struct csn_error *err)
{
	TRY(open_dirs(st, err));
	TRY(take_lock(st, err));
	TRY(engine_record_read(st->container_dir, &st->record, &st->arena, err));
	if (st->req->failure)
		return fail(err, st->req->failure_code, "%s", st->req->failure);
	st->s.fds[FD_LOG] = openat(st->container_dir, "container.log",
				   O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (st->s.fds[FD_LOG] < 0)
		return fail_errno(err, "container.log");
	(void)unlinkat(st->monitor_dir, "attach.sock", 0);
	st->s.fds[FD_LISTEN] = unix_listen(st->monitor_dir, "attach.sock", SOCK_STREAM, 0600, err);
	TRY(st->s.fds[FD_LISTEN]);
	if (!st->record.tty)
		TRY(stdio_make(&st->stdio, st->record.stdin_open, err));
	stdio_widen(&st->stdio);
	st->tree = mount_overlay(st);
	return st->tree < 0 ? fail(err, -st->tree, "mount the layers of the image: %s",
				   strerror(-st->tree))
			    : 0;
}

static int start(struct starting *st, struct csn_error *err)
{
	char bundle[4096], state[4096];
	struct host_process process = HOST_PROCESS_INIT;
	if (st->req->network_program)
		TRY(st->s.fds[FD_NETWORK] = network_open_program(st->req->network_program, err));
	TRY(prepare(st, err));
	(void)snprintf(bundle, sizeof bundle, "%s/containers/%s", st->root, st->id);
	(void)snprintf(state, sizeof state, "%s/state", st->run_root);

	struct host_context ctx = { .root = state };
	struct host_create req = HOST_CREATE_INIT;
	req.id = st->id;
	req.bundle = bundle;
	req.rootfs_tree = st->tree;
	struct cgroup_oom oom = CGROUP_OOM_INIT;
	req.oom = &oom;
	req.cgroup_dir = &st->s.fds[FD_CGROUP];
	/* Made while we prepared everything else. */
	if (st->req->network_fd >= 0)
		TRY(req.network_ns = network_receive(st->req->network_fd, err));
	if (st->record.init)
		TRY(req.preserve_fds = said_lend(&st->s.fds[FD_SAID], err));
	if (stdio_lend(&st->stdio) < 0)
		return fail_errno(err, "standard streams");
	int r = host_run(&ctx, &req, &process, err);
	if ((stdio_null() < 0 || said_lent() < 0) && r == 0)
		r = fail_errno(err, "standard streams");
	TRY(r);

	(void)clock_gettime(CLOCK_REALTIME, &st->s.started);
	st->s.pid = process.pid;
	st->s.fds[FD_OOM] = oom.fd;
	st->s.fds[FD_FROZEN] =
		openat(st->s.fds[FD_CGROUP], "cgroup.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	st->s.oom_kills = oom.kills;
	st->s.oom_group_kills = oom.group_kills;
	st->s.fds[FD_STDIN] = st->stdio.ours[0];
	st->s.fds[FD_STDOUT] = st->stdio.ours[1];
	st->s.fds[FD_STDERR] = st->stdio.ours[2];
	st->s.fds[FD_INIT] = process.pidfd;
	st->s.fds[FD_CONTAINER] = st->container_dir;
	if (process.tty_master >= 0) {
		(void)fcntl(process.tty_master, F_SETFL, O_NONBLOCK);
		st->s.fds[FD_TTY] = st->s.fds[FD_STDIN] = process.tty_master;
	}
	return 0;
}

/* What is there is another monitor's, unless we are the one. */
static int give_up(struct starting *st, const struct csn_error *err)
{
	struct exit_record end = { .reason = EXIT_RUNTIME_ERROR,
				   .exit_code = start_exit_code(err) };
	if (!st->locked)
		return 1;
	(void)clock_gettime(CLOCK_REALTIME, &end.finished_at);
	(void)snprintf(end.error, sizeof end.error, "%.250s", err->text);
	(void)unlinkat(st->monitor_dir, "attach.sock", 0);
	bool again = st->req->pid_fd >= 0; /* whoever started it by hand hears of it */
	struct rest rest = { st->root,		st->run_root,		st->id, st->req->restarter,
			     st->container_dir, st->s.fds[FD_PID_FILE], -1 };
	if (again)
		rest.delay_ms = rest_plan(st->container_dir, st->req->restarter, &end);
	bool recorded = exit_record_write(st->container_dir, &end, NULL) == 0;
	if (again) {
		supervision_tell(&st->s, "die", &end, 0);
		network_leave(&st->s);
	}
	if (recorded && rest.delay_ms >= 0)
		return rest_exec(&rest);
	rest_end(st->run_root, st->id);
	return 1;
}

/* The starter waits for a process that is gone at once; the monitor is nobody's child. */
static void leave_starter(void)
{
	if (fork() > 0)
		_exit(0);
	(void)setsid();
	(void)!chdir("/");
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE };
	for (size_t i = 0; i < COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	sigset_t none;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void describe(struct starting *st)
{
	st->s.root = st->root;
	st->s.run_root = st->run_root;
	st->s.id = st->id;
	st->s.cgroup = st->record.cgroup;
	st->s.name = st->record.name;
	st->s.image = st->record.image;
	st->s.auto_remove = st->record.auto_remove;
	st->s.log_max_size = st->record.log_max_size;
	st->s.log_max_files = st->record.log_max_files;
	st->s.restarter = st->req->restarter;
}

int monitor_start(struct start_request *req)
{
	struct csn_error err;
	struct starting st = { .req = req,
			       .root = req->root,
			       .run_root = req->run_root,
			       .id = req->id,
			       .root_dir = -1,
			       .container_dir = -1,
			       .monitor_dir = -1,
			       .stdio = STDIO_INIT,
			       .tree = -1 };
	for (int i = 0; i < FD_COUNT; i++)
		st.s.fds[i] = -1;
	if (req->pid_fd < 0)
		leave_starter();
	int r = stdio_null();
	if (r == 0)
		r = said_reserve(req);
	r = r < 0 ? fail(&err, -r, "standard streams: %s", strerror(-r)) : start(&st, &err);
	describe(&st);
	if (r < 0) {
		int status = give_up(&st, &err);
		say_status(req->status_fd, 0, &err);
		return status;
	}
	/* Before the starter knows: its next command's events come after this one. */
	supervision_tell(&st.s, "start", NULL, 0);
	say_status(req->status_fd, st.s.pid, NULL);
	st.s.fds[FD_STARTER] = req->attach_fd;
	health_start(&st.s);
	supervision_exec(&st.s, "--supervise");
	/* Without a second image the first one does the work; it is only larger. */
	return monitor_supervise(&st.s);
}
