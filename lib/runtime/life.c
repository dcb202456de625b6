/*
 * Starting, stopping, killing and removing. Nothing polls: the ends of processes are awaited by
 * pidfd. A container whose monitor was killed is handled like any other, but for the words about
 * its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fdpass.h"
#include "base/file.h"
#include "base/json.h"
#include "base/names.h"
#include "base/path.h"
#include "base/sys.h"
#include "cgroups/cgroups.h"
#include "runtime/network.h"
#include "runtime/volumes.h"

#define STATUS_MAX	8192
#define GONE_TIMEOUT_MS 10000 /* from the last kill until all is cleared away */

/* ---- start ------------------------------------------------------------------------------------
 */

struct status_line {
	int32_t pid, code;
	char *error;
};

static const struct json_field status_fields[] = {
	{ "pid", decode_i32, offsetof(struct status_line, pid) },
	{ "code", decode_i32, offsetof(struct status_line, code) },
	{ "error", decode_text, offsetof(struct status_line, error) },
	{ 0 }
};

int monitor_status(int fd, struct csn_error *err)
{
	char text[STATUS_MAX];
	size_t size = 0;
	while (size < sizeof text) {
		ssize_t n = read(fd, text + size, sizeof text - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, MONITOR_PROGRAM ": read its status");
		if (n == 0)
			break;
		size += (size_t)n;
	}
	if (size == 0)
		return fail(err, EIO, MONITOR_PROGRAM " ended before it had started anything");

	struct arena arena AUTO(arena_free) = { 0 };
	struct status_line s = { 0 };
	TRY(json_decode(text, size, MONITOR_PROGRAM, status_fields, &s, &arena, err));
	if (s.error || s.pid <= 0)
		return fail(err, s.code > 0 ? s.code : EIO, "%s",
			    s.error ? s.error : MONITOR_PROGRAM " failed without a word");
	return 0;
}

/* The monitor, as far as it has been started. */
struct start {
	pid_t pid;
	int status_fd;
	int network_fd; /* where its network namespace is handed over; -1: it needs none */
};
static void start_done(struct start *s)
{
	close_fd(&s->status_fd);
	close_fd(&s->network_fd);
}

static int spawn_monitor(struct csn_runtime *rt, const struct container *c, int attach_fd,
			 bool network, struct start *ret, struct csn_error *err)
{
	int fds[2], net[2] = { -1, -1 };
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe");
	ret->status_fd = fds[0];
	auto_fd write_end = fds[1];
	if (network && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, net) < 0)
		return fail_errno(err, "socketpair");
	ret->network_fd = net[0];
	auto_fd theirs = net[1];
	const int extra[] = { write_end, network ? theirs : attach_fd, attach_fd };
	const char *args[20] = { "--root", rt->root, "--run-root",  rt->run_root,
				 "--id",   c->id,    "--status-fd", "3" };
	size_t n = 8;
	auto_mem char *program = path_join(rt->programs, NETWORK_PROGRAM);
	auto_mem char *restart = path_join(rt->programs, RESTART_PROGRAM);
	if (!program || !restart)
		return fail(err, ENOMEM, "out of memory");
	args[n++] = "--restart-program", args[n++] = restart;
	if (network) {
		args[n++] = "--network-fd", args[n++] = "4";
		args[n++] = "--network-program", args[n++] = program;
	}
	if (attach_fd >= 0)
		args[n++] = "--attach-fd", args[n++] = network ? "5" : "4";
	const struct spawn s = { .program = MONITOR_PROGRAM,
				 .args = args,
				 .in_fd = -1,
				 .out_fd = -1,
				 .extra = extra,
				 .extra_count = 1U + network + (attach_fd >= 0),
				 .session = true };
	return spawn_program(rt, &s, &ret->pid, err);
}

/* Attached while the monitor prepares everything else, then handed to it. */
int network_give(struct csn_runtime *rt, const struct container *c, const struct run_network *n,
		 int sock, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record record = { 0 };
	auto_fd ns = -1;
	TRY(engine_record_read(c->dir, &record, &arena, err));
	TRY(network_begin(rt, c, n, record.name, &ns, err));
	int r = send_with_fd(sock, "n", 1, ns);
	/* A monitor that is gone says itself why. */
	return r < 0 && r != -EPIPE ? fail(err, -r, "hand over the network: %s", strerror(-r)) : 0;
}

static int run_monitor(struct csn_runtime *rt, const struct container *c, int attach_fd,
		       struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct start s AUTO(start_done) = { .status_fd = -1, .network_fd = -1 };
	struct run_network n;
	struct csn_error why;
	TRY(run_network_read(c->dir, &n, &arena, err));
	bool network = n.mode != MODE_NONE && n.mode != MODE_HOST;
	TRY(spawn_monitor(rt, c, attach_fd, network, &s, err));
	int given = network ? network_give(rt, c, &n, s.network_fd, &why) : 0;
	close_fd(&s.network_fd); /* without a namespace in it the monitor gives up */
	int r = monitor_status(s.status_fd, err);
	spawn_forget(rt, s.pid);
	if (given < 0)
		r = fail(err, why.code, "%s", why.text);
	if (r < 0 && network)
		(void)network_end(rt, c->id, NULL);
	return r;
}

static int touch(const struct container *c, const char *name, struct csn_error *err)
{
	auto_fd fd = openat(c->dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? fail_errno(err, "container %.12s: write %s", c->id, name) : 0;
}

/* The last run's traces go; its files and its log stay. */
static int prepare(struct csn_runtime *rt, const struct container *c, const struct facts *f,
		   struct csn_error *err)
{
	TRY(facts_settle(rt, c, f, err));
	restart_forget(c);
	TRY(touch(c, "started", err));
	if (unlinkat(c->dir, "exit.json", 0) < 0 && errno != ENOENT)
		return fail_errno(err, "container %.12s: remove exit.json", c->id);
	if (mkdirat(rt->monitor_dir, c->id, 0700) < 0 && errno != EEXIST)
		return fail_errno(err, "container %.12s: make its run directory", c->id);
	return 0;
}

/* Written over the monitor's own, which does not know what a shell would say. */
static void record_failure(struct csn_runtime *rt, const struct container *c,
			   const struct csn_error *why)
{
	struct exit_record end = { .reason = EXIT_RUNTIME_ERROR };
	end.exit_code = csn_start_exit_code(why);
	(void)snprintf(end.error, sizeof end.error, "%.250s", why->text);
	(void)clock_gettime(CLOCK_REALTIME, &end.finished_at);
	(void)exit_record_write(c->dir, &end, NULL);
	event_tell(rt, c, (struct journal_event){ .action = "die", .end = &end });
}

/* Waits until fd (a pidfd) is readable. -ETIMEDOUT. */
static int wait_gone(int fd, int64_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int n = poll(&p, 1, deadline_left(deadline));
		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static bool is_alive(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	return pidfd >= 0 && poll(&p, 1, 0) == 0;
}

/* Before the signal is sent: what it does is told by others, and comes behind it. */
static void tell_kill(struct csn_runtime *rt, const struct container *c, int number)
{
	event_tell(rt, c,
		   (struct journal_event){ .action = "kill", .signal = signal_name(number) });
}

/* One that has just ended is not running, though its monitor has still to clear up. */
static void await_last_end(struct csn_runtime *rt, const struct container *c)
{
	struct facts f AUTO(facts_done) = FACTS_INIT;
	facts_read(rt, c, false, &f);
	if (f.has_exit && f.monitor_fd >= 0 && !f.restarting)
		(void)wait_gone(f.monitor_fd, deadline_in(GONE_TIMEOUT_MS));
}

int csn_container_start(struct csn_runtime *rt, const char *container,
			struct csn_attach **ret_attach, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	TRY(container_find(rt, container, &c, err));
	await_last_end(rt, &c);
	auto_fd lock = lock_dir(c.dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	facts_read(rt, &c, true, &f);
	TRY(restart_cancel(rt, &c, &f, err));
	if (facts_running(&f) || f.monitor_fd >= 0)
		return fail(err, EALREADY, "container \"%s\" is running", container);
	TRY(prepare(rt, &c, &f, err));

	int pair[2] = { -1, -1 };
	if (ret_attach && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno(err, "socketpair");
	auto_fd ours = pair[0];
	auto_fd theirs = pair[1];
	struct csn_attach *attach = NULL;
	if (ret_attach)
		TRY(attach_new(take_fd(&ours), &attach, err));

	struct csn_error why;
	int r = run_monitor(rt, &c, theirs, &why);
	if (r < 0) {
		csn_attach_close(attach);
		record_failure(rt, &c, &why);
		return fail(err, why.code, "%s", why.text);
	}
	if (ret_attach)
		*ret_attach = attach;
	return 0;
}

int csn_start_exit_code(const struct csn_error *err)
{
	return start_exit_code(err);
}

/* ---- stop and kill ----------------------------------------------------------------------------
 */

static int kill_all(struct csn_runtime *rt, const struct container *c, const struct facts *f,
		    struct csn_error *err)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	if (is_alive(f->init_fd))
		tell_kill(rt, c, SIGKILL);
	if (!f->cgroup[0])
		return 0;
	int r = cgroup_open(f->cgroup, &cg, err);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : cgroup_kill(&cg, err);
}

/* After the kill: the monitor records the end and goes; without one we do its work. */
static int await_end(struct csn_runtime *rt, const struct container *c, struct facts *f,
		     struct csn_error *err)
{
	int64_t deadline = deadline_in(GONE_TIMEOUT_MS);
	int r = f->init_fd >= 0 ? wait_gone(f->init_fd, deadline) : 0;
	if (r == 0 && f->monitor_fd >= 0)
		r = wait_gone(f->monitor_fd, deadline);
	if (r < 0)
		return fail(err, -r, "container %.12s: killed, but it does not end: %s", c->id,
			    strerror(-r));
	if (f->monitor_fd >= 0)
		return 0;
	auto_fd lock = lock_dir(c->dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	/* Somebody may have done it, or started it again, before we had the lock. */
	struct facts now AUTO(facts_done) = FACTS_INIT;
	facts_read(rt, c, true, &now);
	facts_see(&now, f->init_fd);
	return now.lost ? facts_settle(rt, c, &now, err) : 0;
}

/* Its stop signal and how long to wait for the effect; a damaged record means the defaults. */
static void stop_settings(const struct container *c, int *ret_signal, int *ret_timeout_ms)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record r = { 0 };
	bool readable = engine_record_read(c->dir, &r, &arena, NULL) == 0;
	int number = readable && r.stop_signal ? signal_number(r.stop_signal) : SIGTERM;
	*ret_signal = number > 0 ? number : SIGTERM;
	if (*ret_timeout_ms >= 0)
		return;
	int64_t seconds = readable ? r.stop_timeout_s : 10;
	*ret_timeout_ms = seconds < 0 ? 0 : seconds > 2000000 ? 2000000000 : (int)seconds * 1000;
}

/* A frozen process takes no signal. */
static void thaw(const struct facts *f)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	if (f->paused && cgroup_open(f->cgroup, &cg, NULL) == 0)
		(void)cgroup_freeze(&cg, false, 1000, NULL);
}

/* Reads the facts of one that is to be stopped. One that is being started is let come to the end of
 * that, whichever; one that waits for its restart ends here: 1. */
static int settle_start(struct csn_runtime *rt, const struct container *c, struct facts *ret,
			struct csn_error *err)
{
	facts_read(rt, c, false, ret);
	if (ret->state != CSN_STATE_INITIALIZING)
		return 0;
	auto_fd lock = lock_dir(c->dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	facts_done(ret);
	facts_read(rt, c, true, ret);
	if (!ret->restarting)
		return 0;
	TRY(restart_cancel(rt, c, ret, err));
	event_tell(rt, c, (struct journal_event){ .action = "stop" });
	return 1;
}

/* A signal that means the end, as Docker has it. */
static bool means_stop(const struct container *c, int number)
{
	int stop_signal, timeout_ms = 0;
	stop_settings(c, &stop_signal, &timeout_ms);
	return number == SIGKILL || number == stop_signal;
}

int csn_container_stop(struct csn_runtime *rt, const char *container, int timeout_ms,
		       struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	int number;
	TRY(container_find(rt, container, &c, err));
	TRY(restart_forbid(rt, &c, err));
	int stopped = settle_start(rt, &c, &f, err);
	if (stopped != 0)
		return stopped < 0 ? stopped : 0;
	if (!facts_running(&f))
		return f.lost ? await_end(rt, &c, &f, err) : 0;

	stop_settings(&c, &number, &timeout_ms);
	TRY(touch(&c, "stopping", err));
	thaw(&f);
	if (timeout_ms > 0 && is_alive(f.init_fd)) {
		tell_kill(rt, &c, number);
		if (sys_pidfd_send_signal(f.init_fd, number, NULL, 0) == 0)
			(void)wait_gone(f.init_fd, deadline_in(timeout_ms));
	}
	int r = kill_all(rt, &c, &f, err);
	if (r == 0)
		r = await_end(rt, &c, &f, err);
	(void)unlinkat(c.dir, "stopping", 0);
	if (r == 0)
		event_tell(rt, &c, (struct journal_event){ .action = "stop" });
	return r;
}

int csn_container_kill(struct csn_runtime *rt, const char *container, const char *signal,
		       struct csn_error *err)
{
	int number = signal ? signal_number(signal) : SIGKILL;
	if (number < 1)
		return fail(err, EINVAL, "unknown signal \"%.100s\"", signal);

	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	TRY(container_find(rt, container, &c, err));
	facts_read(rt, &c, false, &f);
	if ((is_alive(f.init_fd) || f.restarting) && means_stop(&c, number)) {
		facts_done(&f);
		TRY(restart_forbid(rt, &c, err));
		int stopped = settle_start(rt, &c, &f, err);
		if (stopped != 0)
			return stopped < 0 ? stopped : 0;
	}
	if (!is_alive(f.init_fd))
		return fail(err, ESRCH, "container \"%s\" is not running", container);
	tell_kill(rt, &c, number);
	if (sys_pidfd_send_signal(f.init_fd, number, NULL, 0) < 0) {
		if (errno == ESRCH)
			return fail(err, ESRCH, "container \"%s\" is not running", container);
		return fail_errno(err, "container \"%s\": send %s", container, signal_name(number));
	}
	return 0;
}

/* ---- remove -----------------------------------------------------------------------------------
 */

static int remove_files(struct csn_runtime *rt, const struct container *c, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record r = { 0 };
	bool readable = engine_record_read(c->dir, &r, &arena, NULL) == 0;

	/* From here on it does not exist; what a crash leaves is swept. The lock on the directory
	 * moves with it and keeps sweepers off. */
	if (renameat(rt->containers_dir, c->id, rt->unfinished_dir, c->id) < 0)
		return errno == ENOENT ? 0 : fail_errno(err, "remove container %.12s", c->id);
	event_tell(rt, c, (struct journal_event){ .action = "remove" });
	if (readable && r.name) {
		auto_fd names = lock_dir(rt->names_dir, LOCK_EX, err);
		if (names < 0)
			return names;
		name_free(rt, r.name, c->id);
		if (r.first_name)
			name_free(rt, r.first_name, c->id);
	}
	return within(err, remove_tree(rt->unfinished_dir, c->id, err), "container %.12s", c->id);
}

static int remove_container(struct csn_runtime *rt, const char *container, bool force, bool keep,
			    struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	TRY(container_find(rt, container, &c, err));
	auto_fd lock = lock_dir(c.dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	facts_read(rt, &c, true, &f);
	bool active = facts_running(&f) || f.monitor_fd >= 0;
	if (active && (!f.has_exit || f.restarting) && !force)
		return fail(err, EBUSY, "container \"%s\" is %s: stop it first, or force",
			    container, f.restarting ? "restarting" : "running");
	if (active) {
		facts_done(&f);
		TRY(restart_forbid(rt, &c, err));
		facts_read(rt, &c, true, &f);
		TRY(restart_cancel(rt, &c, &f, err));
	}
	if (facts_running(&f))
		TRY(kill_all(rt, &c, &f, err));
	int64_t deadline = deadline_in(GONE_TIMEOUT_MS);
	int r = f.init_fd >= 0 ? wait_gone(f.init_fd, deadline) : 0;
	if (r == 0 && f.monitor_fd >= 0)
		r = wait_gone(f.monitor_fd, deadline);
	if (r < 0)
		return fail(err, -r, "container \"%s\": killed, but it does not end: %s", container,
			    strerror(-r));

	auto_fd held = take_fd(&f.init_fd);
	facts_done(&f);
	facts_read(rt, &c, true, &f);
	facts_see(&f, held);
	TRY(facts_settle(rt, &c, &f, err));
	TRY(network_end(rt, c.id, err));
	if (keep)
		TRY(volumes_keep(rt, &c, err));
	return remove_files(rt, &c, err);
}

int csn_container_remove(struct csn_runtime *rt, const char *container, bool force,
			 struct csn_error *err)
{
	return remove_container(rt, container, force, false, err);
}

int csn_container_remove_keeping(struct csn_runtime *rt, const char *container, bool force,
				 struct csn_error *err)
{
	return remove_container(rt, container, force, true, err);
}
