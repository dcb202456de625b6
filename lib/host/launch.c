/*
 * clone3 and the host's end of the exchange drawn in init/sync.h.
 *
 * Order that matters: a time namespace and a joined pid namespace act on the *children* of the
 * caller, so they are entered just before clone3 and left just after. The child's copy of our end
 * of the socket is closed at once, so that each side sees the other's end.
 */
#include "host/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdpass.h"
#include "base/file.h"
#include "base/names.h"
#include "base/sys.h"

/* Our own namespaces for children, to go back to. */
struct detour {
	int pid_ns, time_ns;
};

static int new_time_namespace(const struct launch *l, struct csn_error *err)
{
	char offsets[256];
	size_t at = 0;

	if (unshare(CLONE_NEWTIME) < 0)
		return fail_errno(err, "linux.namespaces: make a time namespace");
	for (size_t i = 0; i < l->spec->linux_.time_offsets_count; i++) {
		const struct spec_time_offset *o = &l->spec->linux_.time_offsets[i];
		int n = snprintf(offsets + at, sizeof offsets - at, "%s %lld %u\n", o->clock,
				 (long long)o->secs, o->nanosecs);
		if (n < 0 || (size_t)n >= sizeof offsets - at)
			return fail(err, EINVAL, "linux.timeOffsets: too long");
		at += (size_t)n;
	}
	if (at == 0)
		return 0;
	int r = file_write_text(AT_FDCWD, "/proc/self/timens_offsets", offsets, err);
	return within(err, r, "linux.timeOffsets");
}

static int enter_child_namespaces(const struct launch *l, struct detour *back,
				  struct csn_error *err)
{
	const struct plan *p = &l->built->plan;

	if (l->spec->linux_.namespaces[NS_TIME].present && !p->exec_only) {
		back->time_ns = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
		if (back->time_ns < 0)
			return fail_errno(err, "linux.namespaces: time");
		if (!l->spec->linux_.namespaces[NS_TIME].path)
			TRY(new_time_namespace(l, err));
	}
	for (size_t i = 0; i < p->joins_count; i++) {
		const struct plan_join *j = &p->joins[i];
		if (j->flag == CLONE_NEWPID) {
			back->pid_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
			if (back->pid_ns < 0)
				return fail_errno(err, "linux.namespaces: pid");
		}
		if ((j->flag == CLONE_NEWPID || j->flag == CLONE_NEWTIME) &&
		    setns(j->fd, (int)j->flag) < 0)
			return fail_errno(err, "linux.namespaces: join the %s namespace", j->name);
	}
	if ((p->join_flags & CLONE_NEWPID) && p->exec_only) {
		back->pid_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
		if (back->pid_ns < 0 || setns(p->join_pidfd, CLONE_NEWPID) < 0)
			return fail_errno(err, "join the container's pid namespace");
	}
	return 0;
}

static void leave_child_namespaces(struct detour *back)
{
	if (back->pid_ns >= 0)
		(void)setns(back->pid_ns, CLONE_NEWPID);
	if (back->time_ns >= 0)
		(void)setns(back->time_ns, CLONE_NEWTIME);
	close_fd(&back->pid_ns);
	close_fd(&back->time_ns);
}

/* A pid namespace that belongs to a *joined* user namespace can only be made by a process inside
 * the latter: a joiner, whose child is ours all the same (CLONE_PARENT). */
static bool needs_joiner(const struct plan *p)
{
	if (!(p->clone_flags & CLONE_NEWPID))
		return false;
	for (size_t i = 0; i < p->joins_count; i++)
		if (p->joins[i].flag == CLONE_NEWUSER)
			return true;
	return false;
}

static int clone_plain(struct launch *l, int sync_ours, struct csn_error *err)
{
	const struct plan *p = &l->built->plan;
	struct clone_args args = { .flags = p->clone_flags | CLONE_PIDFD,
				   .pidfd = (uintptr_t)&l->pidfd,
				   .exit_signal = SIGCHLD };
	if (l->cgroup_dir >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)l->cgroup_dir;
	}

	pid_t pid = sys_clone3(&args);
	if (pid < 0)
		return fail_errno(err, "clone3");
	if (pid == 0) {
		(void)close(sync_ours);
		init_main(p);
	}
	l->pid = pid;
	return 0;
}

static int clone_by_joiner(struct launch *l, int sync_ours, struct csn_error *err)
{
	struct plan *p = &l->built->plan;
	int report[2];
	if (pipe2(report, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe2");
	auto_fd from = report[0];
	auto_fd to = report[1];

	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
				   .cgroup = (uint64_t)l->cgroup_dir,
				   .exit_signal = SIGCHLD };
	if (l->cgroup_dir < 0)
		args.flags = 0;
	p->user_joined = true;
	pid_t joiner = sys_clone3(&args);
	if (joiner < 0)
		return fail_errno(err, "clone3");
	if (joiner == 0) {
		(void)close(sync_ours);
		init_joiner(p, to);
	}
	close_fd(&to);

	struct joiner_report said = { .error = ECHILD };
	ssize_t n = read(from, &said, sizeof said);
	while (waitpid(joiner, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof said || said.error)
		return fail(err, said.error ? said.error : ECHILD,
			    "linux.namespaces: join the user namespace: %s", strerror(said.error));
	l->pid = said.pid;
	l->pidfd = sys_pidfd_open(said.pid, 0);
	return l->pidfd < 0 ? fail_errno(err, "pidfd_open") : 0;
}

int launch_clone(struct launch *l, struct csn_error *err)
{
	struct plan *p = &l->built->plan;
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno(err, "socketpair");
	l->sync = pair[0];
	auto_fd theirs = pair[1];
	p->sync_fd = theirs;

	struct detour back = { .pid_ns = -1, .time_ns = -1 };
	int r = enter_child_namespaces(l, &back, err);
	if (r == 0)
		r = needs_joiner(p) ? clone_by_joiner(l, pair[0], err)
				    : clone_plain(l, pair[0], err);
	leave_child_namespaces(&back);
	return r;
}

static int say(int sock, enum sync_type type, struct csn_error *err)
{
	struct sync_msg msg = { .type = type };
	if (send(sock, &msg, sizeof msg, MSG_NOSIGNAL) < 0)
		return fail_errno(err, "the container's init is gone");
	return 0;
}

static int serve_terminal(struct launch *l, int fd, struct csn_error *err)
{
	auto_fd master = fd;
	if (!l->console_socket) {
		forward_window_size(master); /* before the program can ask */
		l->tty_master = take_fd(&master);
		return 0;
	}
	return forward_console(l->console_socket, master, err);
}

static int serve_listener(struct launch *l, int fd, struct csn_error *err)
{
	auto_fd listener = fd;
	auto_mem char *state = NULL;
	if (l->state_text)
		TRY(l->state_text(l->data, l->pid, &state, err));
	TRY(forward_listener(l->spec, listener, l->pid, state, err));
	return say(l->sync, SYNC_NOTIFY_DONE, err);
}

static int serve_hooks(struct launch *l, struct csn_error *err)
{
	int r = l->host_hooks ? l->host_hooks(l->data, l->pid, err) : 0;
	return r < 0 ? r : say(l->sync, SYNC_HOOKS_DONE, err);
}

static int serve_maps(struct launch *l, struct csn_error *err)
{
	TRY(idmap_write(l->pid, &l->spec->linux_.uid_mappings, &l->spec->linux_.gid_mappings, err));
	return say(l->sync, SYNC_MAPS_DONE, err);
}

/* What became of a child that said nothing: killed by the OOM killer, a seccomp filter, … */
static int fail_silent_end(const struct launch *l, struct csn_error *err)
{
	siginfo_t info = { 0 };
	if (l->pidfd >= 0 && waitid(P_PIDFD, (id_t)l->pidfd, &info, WEXITED | WNOWAIT) == 0 &&
	    (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED))
		return fail(err, ECHILD, "the container's init was killed by %s during its set-up",
			    signal_name(info.si_status));
	return fail(err, ECHILD, "the container's init ended during its set-up");
}

int launch_serve(struct launch *l, struct csn_error *err)
{
	for (;;) {
		struct sync_msg msg;
		int fd = -1;
		ssize_t n = recv_with_fd(l->sync, &msg, sizeof msg, &fd);
		if (n == 0 || n == -ECONNRESET)
			return fail_silent_end(l, err);
		if (n != sizeof msg)
			return fail(err, EPROTO, "the container's init spoke out of turn");

		switch (msg.type) {
		case SYNC_NEED_MAPS:
			TRY(serve_maps(l, err));
			break;
		case SYNC_NEED_HOOKS:
			TRY(serve_hooks(l, err));
			break;
		case SYNC_TTY:
			TRY(serve_terminal(l, fd, err));
			break;
		case SYNC_NOTIFY:
			TRY(serve_listener(l, fd, err));
			break;
		case SYNC_NEED_LIMITS:
			TRY(launch_settle(l, err));
			TRY(say(l->sync, SYNC_LIMITS_DONE, err));
			break;
		case SYNC_READY:
			return 0;
		case SYNC_REPORT:
			if (msg.detail == SYNC_DETAIL_WARNING) {
				host_warn(l->ctx, "%s", msg.path);
				break;
			}
			l->hook_failed = msg.detail == SYNC_DETAIL_HOOK;
			return report_words(&msg, err);
		default:
			return fail(err, EPROTO, "the container's init spoke out of turn");
		}
	}
}

int launch_recorded(struct launch *l, struct csn_error *err)
{
	return say(l->sync, SYNC_RECORDED, err);
}

int launch_start(const struct host_context *ctx, int sock, bool *ret_hook_failed,
		 struct csn_error *err)
{
	/* READY comes before the last steps: a child that has failed in one of them is gone by now.
	 * Its report is in the socket, perhaps behind an ECONNRESET because it left START unread.
	 */
	int said = say(sock, SYNC_START, err);
	bool unread = said == -EPIPE || said == -ECONNRESET;
	if (said < 0 && !unread)
		return said;
	for (;;) {
		struct sync_msg msg;
		ssize_t n = recv(sock, &msg, sizeof msg, 0);
		if (n < 0 && (errno == EINTR || (errno == ECONNRESET && !unread))) {
			unread |= errno == ECONNRESET;
			continue;
		}
		if (n <= 0 && unread)
			return fail(err, ECHILD, "the container's init ended during its set-up");
		if (n < 0)
			return fail_errno(err, "wait for the container's init");
		if (n == 0)
			return 0; /* execve closed the other end */
		if (n != sizeof msg || msg.type != SYNC_REPORT)
			return fail(err, EPROTO, "the container's init spoke out of turn");
		if (msg.detail == SYNC_DETAIL_WARNING) {
			host_warn(ctx, "%s", msg.path);
			continue;
		}
		if (ret_hook_failed)
			*ret_hook_failed = msg.detail == SYNC_DETAIL_HOOK;
		return report_words(&msg, err);
	}
}

/* Asks for the limit; where we may not raise a hard limit, takes what we may and says so. */
static int set_rlimit(const struct launch *l, const struct spec_rlimit *limit,
		      struct csn_error *err)
{
	int number = rlimit_number(limit->type);
	struct rlimit want = { .rlim_cur = limit->soft, .rlim_max = limit->hard };
	if (prlimit(l->pid, (enum __rlimit_resource)number, &want, NULL) == 0)
		return 0;
	if (errno != EPERM)
		return fail_errno(err, "process.rlimits: %s", limit->type);

	struct rlimit have;
	if (prlimit(l->pid, (enum __rlimit_resource)number, NULL, &have) < 0)
		return fail_errno(err, "process.rlimits: %s", limit->type);
	struct rlimit may = {
		.rlim_cur = want.rlim_cur < have.rlim_max ? want.rlim_cur : have.rlim_max,
		.rlim_max = want.rlim_max < have.rlim_max ? want.rlim_max : have.rlim_max
	};
	if (prlimit(l->pid, (enum __rlimit_resource)number, &may, NULL) < 0)
		return fail_errno(err, "process.rlimits: %s", limit->type);
	host_warn(l->ctx,
		  "process.rlimits: %s cannot be raised to %llu without CAP_SYS_RESOURCE: left at "
		  "%llu",
		  limit->type, (unsigned long long)want.rlim_max, (unsigned long long)may.rlim_max);
	return 0;
}

static int set_oom_score(const struct launch *l, struct csn_error *err)
{
	if (!l->process->oom_score_adj.set)
		return 0;

	char path[64], text[16];
	(void)snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)l->pid);
	(void)snprintf(text, sizeof text, "%d", (int)l->process->oom_score_adj.value);
	int r = file_write_text(AT_FDCWD, path, text, err);
	if (r == -EACCES || r == -EPERM) {
		host_warn(l->ctx,
			  "process.oomScoreAdj: %s is below what may be set without "
			  "CAP_SYS_RESOURCE: left alone",
			  text);
		return 0;
	}
	return within(err, r, "process.oomScoreAdj");
}

int launch_settle(struct launch *l, struct csn_error *err)
{
	if (l->settled)
		return 0;
	l->settled = true;
	TRY(set_oom_score(l, err));
	for (size_t i = 0; i < l->process->rlimits_count; i++)
		TRY(set_rlimit(l, &l->process->rlimits[i], err));
	return 0;
}

void launch_abort(struct launch *l)
{
	if (l->pid > 0) {
		if (l->pidfd >= 0)
			(void)sys_pidfd_send_signal(l->pidfd, SIGKILL, NULL, 0);
		close_fd(&l->sync);
		while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
			;
		l->pid = 0;
	}
	launch_done(l);
}

void launch_done(struct launch *l)
{
	close_fd(&l->pidfd);
	close_fd(&l->sync);
	close_fd(&l->tty_master);
}
