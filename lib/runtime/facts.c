/*
 * What a container is doing, from facts and not from what somebody once wrote: does its monitor
 * hold the lock on its pid file, is its end recorded, does its first process live.
 *
 * They are looked at in an order in which each answer stays true: a monitor that is seen gone will
 * write no more, so the end that is read after that is all there will be.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/sys.h"
#include "cgroups/cgroups.h"
#include "runtime/network.h"

#define EMPTY_TIMEOUT_MS 10000

const char *facts_lost_text(void)
{
	return "it ended while its monitor was gone: nobody saw how";
}

void facts_done(struct facts *f)
{
	close_fd(&f->monitor_fd);
	close_fd(&f->init_fd);
}

bool facts_running(const struct facts *f)
{
	return f->state == CSN_STATE_RUNNING || f->state == CSN_STATE_STOPPING;
}

/* The pidfd of the monitor, or -1. It names itself in monitor/<id>/pid and keeps that locked. */
static int monitor_pidfd(struct csn_runtime *rt, const char *id)
{
	char path[CSN_ID_SIZE + 8], text[24], again[24];
	(void)snprintf(path, sizeof path, "%s/pid", id);
	auto_fd file = openat(rt->monitor_dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = file < 0 ? -1 : read(file, text, sizeof text - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	long pid = strtol(text, NULL, 10);
	auto_fd fd = pid > 0 ? sys_pidfd_open((pid_t)pid, 0) : -1;
	/* Asked after the process was pinned: whoever holds the lock now is that process. */
	if (fd < 0 || flock(file, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return -1;
	/* A new monitor locks first and writes then: the number may be an old one's. */
	if (pread(file, again, sizeof again, 0) != n || memcmp(again, text, (size_t)n) != 0)
		return -1;
	return take_fd(&fd);
}

/* Is somebody starting, settling or removing it? */
static bool is_locked(const struct container *c)
{
	auto_fd fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static bool has_file(const struct container *c, const char *name)
{
	return faccessat(c->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool cgroup_is_frozen(const char *path)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	bool frozen = false;
	return cgroup_open(path, &cg, NULL) == 0 && cgroup_frozen(&cg, &frozen, NULL) == 0 &&
	       frozen;
}

/* What lib/state knows of its first process. */
static void read_init(struct csn_runtime *rt, const struct container *c, struct facts *f)
{
	struct entry e AUTO(entry_close) = ENTRY_INIT;
	struct record r AUTO(record_done) = { 0 };

	if (store_get(&rt->state, c->id, ENTRY_SHARED_NONE, &e, NULL) < 0)
		return;
	/* The group of every container of the engine, whatever its record says. */
	f->has_record = true;
	(void)snprintf(f->cgroup, sizeof f->cgroup, "/caisson/%s", c->id);
	if (record_read(&e, &r, NULL) < 0)
		return;
	(void)snprintf(f->cgroup, sizeof f->cgroup, "%s", r.cgroup);
	if (!record_alive(&r))
		return;
	int fd = proc_pidfd(r.pid, r.start_time);
	if (fd < 0)
		return;
	f->init_fd = fd;
	f->pid = r.pid;
	f->paused = cgroup_is_frozen(r.cgroup);
}

/* The grid: has an end, has a monitor, has a process, was started. */
static enum csn_state decide(const struct container *c, bool locked, struct facts *f)
{
	if (f->init_fd >= 0 && !f->has_exit)
		return has_file(c, "stopping") ? CSN_STATE_STOPPING : CSN_STATE_RUNNING;
	f->restarting = f->has_exit && f->exit.restarting && f->monitor_fd >= 0;
	if (f->restarting)
		return CSN_STATE_INITIALIZING;
	if (f->has_exit)
		return f->exit.reason == EXIT_RUNTIME_ERROR ? CSN_STATE_FAILED : CSN_STATE_EXITED;
	if (f->monitor_fd >= 0)
		return f->has_record ? CSN_STATE_STOPPING : CSN_STATE_INITIALIZING;
	if (!has_file(c, "started"))
		return CSN_STATE_PENDING;
	if (!locked && is_locked(c))
		return CSN_STATE_INITIALIZING;
	f->lost = true;
	return CSN_STATE_FAILED;
}

void facts_read(struct csn_runtime *rt, const struct container *c, bool locked, struct facts *ret)
{
	struct facts f = FACTS_INIT;
	struct csn_error why;

	f.monitor_fd = monitor_pidfd(rt, c->id);
	int r = exit_record_read(c->dir, &f.exit, &why);
	f.has_exit = r == 0;
	if (r < 0 && r != -ENOENT) { /* damaged: that it ended is known, how is not */
		f.has_exit = true;
		f.exit = (struct exit_record){ .reason = EXIT_RUNTIME_ERROR, .exit_code = 255 };
		(void)snprintf(f.exit.error, sizeof f.exit.error, "%.250s", why.text);
	}
	if (!f.has_exit || f.monitor_fd < 0)
		read_init(rt, c, &f);
	f.state = decide(c, locked, &f);
	if (f.lost) {
		f.exit = (struct exit_record){ .reason = EXIT_RUNTIME_ERROR, .exit_code = 255 };
		(void)snprintf(f.exit.error, sizeof f.exit.error, "%s", facts_lost_text());
	}
	*ret = f;
}

/* Kills what is left in its cgroup and removes the cgroup, having read what it knows of the end. */
static int clear_cgroup(const char *path, struct exit_record *end, struct csn_error *err)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	bool known = false;
	if (!path[0])
		return 0;
	int r = cgroup_open(path, &cg, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	TRY(cgroup_kill(&cg, err));
	TRY(cgroup_wait_empty(&cg, EMPTY_TIMEOUT_MS, err));
	(void)cgroup_oom_kills(&cg, &end->oom_kills, &known, NULL);
	(void)cgroup_read_u64(&cg, "memory.peak", &end->memory_peak, NULL);
	return cgroup_remove(path, err);
}

/* Of an end that nobody saw the kernel still knows some: when it began, whether the OOM killer was
 * at work, how much memory it took. Whether its first process was what the OOM killer ended is not
 * among that, so the reason stays what it is. */
static void word_lost(struct exit_record *end)
{
	end->reason = EXIT_RUNTIME_ERROR;
	end->exit_code = 255;
	if (end->oom_kills)
		(void)snprintf(end->error, sizeof end->error,
			       "%s; the OOM killer had ended %" PRIu64 " of its processes",
			       facts_lost_text(), end->oom_kills);
	else
		(void)snprintf(end->error, sizeof end->error, "%s", facts_lost_text());
	(void)clock_gettime(CLOCK_REALTIME, &end->finished_at);
}

void facts_see(struct facts *f, int pidfd)
{
	int status;
	if (!f->lost || pidfd < 0 || proc_exit_status(pidfd, &status) < 0)
		return;
	bool exited = WIFEXITED(status);
	f->exit = (struct exit_record){
		.reason = exited ? EXIT_EXITED : EXIT_SIGNAL,
		.exit_code = exited ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
		.signal = exited ? 0 : WTERMSIG(status),
		.core_dumped = !exited && WCOREDUMP(status),
	};
	(void)clock_gettime(CLOCK_REALTIME, &f->exit.finished_at);
	f->seen = true;
}

/* The start of its last run, from lib/state's record; then the record goes. */
static int clear_record(struct csn_runtime *rt, const char *id, struct exit_record *end,
			struct csn_error *err)
{
	struct entry e AUTO(entry_close) = ENTRY_INIT;
	struct record r AUTO(record_done) = { 0 };
	if (store_get(&rt->state, id, ENTRY_LOCKED, &e, NULL) < 0)
		return 0;
	if (record_read(&e, &r, NULL) == 0)
		end->started_at = r.created;
	return store_remove(&rt->state, &e, err);
}

int facts_clear(struct csn_runtime *rt, const struct container *c, struct csn_error *err)
{
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct exit_record end = { 0 };
	read_init(rt, c, &f);
	if (f.has_record) {
		TRY(clear_cgroup(f.cgroup, &end, err));
		TRY(clear_record(rt, c->id, &end, err));
	}
	return network_end(rt, c->id, err);
}

int facts_settle(struct csn_runtime *rt, const struct container *c, const struct facts *f,
		 struct csn_error *err)
{
	struct exit_record end = { 0 };
	if (f->seen)
		end = f->exit;
	if (f->has_record) {
		TRY(clear_cgroup(f->cgroup, &end, err));
		TRY(clear_record(rt, c->id, &end, err));
	}
	TRY(network_end(rt, c->id, err));
	(void)remove_tree(rt->monitor_dir, c->id, NULL);
	(void)unlinkat(c->dir, "stopping", 0);
	if (f->has_exit || !has_file(c, "started"))
		return 0;

	if (!f->seen)
		word_lost(&end);
	else if (end.oom_kills)
		end.reason = EXIT_OOM_KILLED;
	TRY(exit_record_write(c->dir, &end, err));
	event_tell(rt, c, (struct journal_event){ .action = "die", .end = &end });
	return 0;
}
