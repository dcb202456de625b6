/*
 * The restart itself, in the process that was the monitor of the last run and becomes that of the
 * next: its networks are made here, since the monitor's program does not know them; the rest of the
 * start is the monitor's. The container's lock is held until its program runs, as in any start.
 *
 * Whatever fails is handed to the monitor, which records it and decides anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "monitor/restart.h"
#include "runtime/network.h"
#include "runtime/restart_here.h"

struct restarting {
	struct csn_runtime *rt;
	struct container *c;
	int pid_fd, lock, network; /* network: where the monitor gets it; -1: it needs none */
};

/* Still, now that nobody else is at work on it? */
static bool is_due(const struct restarting *r)
{
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record record = { 0 };
	facts_read(r->rt, r->c, true, &f);
	return f.restarting && !restart_is_forbidden(r->c->dir) &&
	       engine_record_read(r->c->dir, &record, &arena, NULL) == 0 &&
	       record.restart.kind != CSN_RESTART_NO;
}

static int make_network(struct restarting *r, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct run_network n;
	int pair[2];
	TRY(run_network_read(r->c->dir, &n, &arena, err));
	if (n.mode == MODE_NONE || n.mode == MODE_HOST)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno(err, "socketpair");
	auto_fd ours = pair[0];
	r->network = pair[1];
	int done = network_give(r->rt, r->c, &n, ours, err);
	if (done < 0)
		(void)network_end(r->rt, r->c->id, NULL);
	return done;
}

static int prepare(struct restarting *r, struct csn_error *err)
{
	TRY(facts_clear(r->rt, r->c, err));
	if (unlinkat(r->c->dir, "exit.json", 0) < 0 && errno != ENOENT)
		return fail_errno(err, "remove exit.json");
	return make_network(r, err);
}

struct words {
	const char *items[32];
	size_t count;
	char numbers[8][12];
	size_t numbers_count;
};

static void add(struct words *w, const char *option, const char *value)
{
	w->items[w->count++] = option;
	w->items[w->count++] = value;
}

/* An fd goes on to the next image. */
static void add_fd(struct words *w, const char *option, int fd)
{
	char *text = w->numbers[w->numbers_count++];
	(void)fcntl(fd, F_SETFD, 0);
	(void)snprintf(text, sizeof w->numbers[0], "%d", fd);
	add(w, option, text);
}

/* Comes back only when it failed. */
static int become_monitor(struct restarting *r, const struct csn_error *failure,
			  struct csn_error *err)
{
	struct csn_runtime *rt = r->rt;
	auto_mem char *monitor = path_join(rt->programs, MONITOR_PROGRAM);
	auto_mem char *network = path_join(rt->programs, NETWORK_PROGRAM);
	auto_mem char *restart = path_join(rt->programs, RESTART_PROGRAM);
	auto_fd nobody = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct words w = { .items = { MONITOR_PROGRAM }, .count = 1 };
	char code[16];
	if (!monitor || !network || !restart)
		return fail(err, ENOMEM, "out of memory");
	if (nobody < 0)
		return fail_errno(err, "/dev/null");
	add(&w, "--root", rt->root);
	add(&w, "--run-root", rt->run_root);
	add(&w, "--id", r->c->id);
	add(&w, "--restart-program", restart);
	add_fd(&w, "--status-fd", nobody);
	add_fd(&w, "--pid-fd", r->pid_fd);
	add_fd(&w, "--lock-fd", r->lock);
	if (r->network >= 0) {
		add_fd(&w, "--network-fd", r->network);
		add(&w, "--network-program", network);
	}
	if (failure) {
		(void)snprintf(code, sizeof code, "%d", failure->code);
		add(&w, "--failure", failure->text);
		add(&w, "--failure-code", code);
	}
	(void)execve(monitor, (char *const *)(uintptr_t)w.items, rt->env);
	return fail_errno(err, "start %s", monitor);
}

/* As the monitor would have, when there is none. */
static void record_failure(const struct restarting *r, const struct csn_error *why)
{
	struct exit_record end = { .reason = EXIT_RUNTIME_ERROR, .exit_code = 125 };
	(void)snprintf(end.error, sizeof end.error, "%.250s", why->text);
	(void)clock_gettime(CLOCK_REALTIME, &end.finished_at);
	(void)exit_record_write(r->c->dir, &end, NULL);
	(void)network_end(r->rt, r->c->id, NULL);
	event_tell(r->rt, r->c, (struct journal_event){ .action = "die", .end = &end });
}

int restart_here(struct csn_runtime *rt, const char *id, int pid_fd, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct csn_error why;
	int r = id_is_valid(id) ? container_open(rt, id, &c, err)
				: fail(err, EINVAL, "\"%.100s\" is no id", id);
	TRY(r);
	auto_fd lock = lock_dir(c.dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	struct restarting here = { rt, &c, pid_fd, lock, -1 };
	if (is_due(&here)) {
		int done = prepare(&here, &why);
		r = become_monitor(&here, done < 0 ? &why : NULL, err);
		record_failure(&here, err);
	}
	(void)remove_tree(rt->monitor_dir, c.id, NULL);
	return r;
}
