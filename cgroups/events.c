/*
 * State of a group and how it changes: cgroup.events says populated and frozen, and can be polled
 * (POLLPRI) instead of asked again and again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "cgroups/internal.h"

/* A group that is going away fails its files with either. */
static bool is_gone(int error)
{
	return error == ENOENT || error == ENODEV;
}

static bool event_is_set(const char *text, const char *key)
{
	const char *line = strstr(text, key);
	return line && line[strlen(key)] == ' ' && line[strlen(key) + 1] == '1';
}

static int ask(const struct cgroup *cg, const char *key, bool *ret, struct csn_error *err)
{
	char buf[256];
	ssize_t n = read_value(cg, "cgroup.events", buf, sizeof buf);
	if (n == -ENOENT) {
		*ret = false;
		return 0;
	}
	if (n < 0)
		return fail(err, (int)-n, "cgroup \"%s\": cgroup.events: %s", cg->path,
			    strerror((int)-n));
	*ret = event_is_set(buf, key);
	return 0;
}

int cgroup_populated(const struct cgroup *cg, bool *ret, struct csn_error *err)
{
	return ask(cg, "populated", ret, err);
}

int cgroup_frozen(const struct cgroup *cg, bool *ret, struct csn_error *err)
{
	return ask(cg, "frozen", ret, err);
}

static int64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A group that is gone is neither populated nor frozen; every other failure is one. */
static int fail_events(const struct cgroup *cg, bool wanted, struct csn_error *err)
{
	return !wanted && is_gone(errno)
		       ? 0
		       : fail_errno(err, "cgroup \"%s\": cgroup.events", cg->path);
}

/*
 * Waits until key reads as wanted. The file must have been read before it is polled. The kernel
 * holds notifications back for up to 10 ms and drops those of a group that is removed meanwhile, so
 * no poll is longer than LOOK_AGAIN_MS.
 */
static int wait_for(const struct cgroup *cg, const char *key, bool wanted, int timeout_ms,
		    struct csn_error *err)
{
	enum { LOOK_AGAIN_MS = 200 };
	auto_fd fd = openat(cg->dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int64_t end = now_ms() + timeout_ms;
	if (fd < 0)
		return fail_events(cg, wanted, err);

	for (;;) {
		char buf[256];
		ssize_t n = pread(fd, buf, sizeof buf - 1, 0);
		if (n < 0)
			return fail_events(cg, wanted, err);
		buf[n] = '\0';
		if (event_is_set(buf, key) == wanted)
			return 0;

		int64_t left = timeout_ms < 0 ? LOOK_AGAIN_MS : end - now_ms();
		if (left <= 0)
			return fail(err, ETIMEDOUT, "cgroup \"%s\": %s %s after %d ms", cg->path,
				    wanted ? "not yet" : "still", key, timeout_ms);
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		if (poll(&p, 1, left < LOOK_AGAIN_MS ? (int)left : LOOK_AGAIN_MS) < 0 &&
		    errno != EINTR)
			return fail_errno(err, "cgroup \"%s\": poll", cg->path);
	}
}

int cgroup_wait_empty(const struct cgroup *cg, int timeout_ms, struct csn_error *err)
{
	return wait_for(cg, "populated", false, timeout_ms, err);
}

int cgroup_freeze(const struct cgroup *cg, bool freeze, int timeout_ms, struct csn_error *err)
{
	TRY(cgroup_write(cg, "cgroup.freeze", freeze ? "1" : "0", err));
	int r = wait_for(cg, "frozen", freeze, timeout_ms, err);
	if (r < 0 && freeze)
		(void)cgroup_write(cg, "cgroup.freeze", "0", NULL);
	return r;
}

/* ---- pids and signals ------------------------------------------------------------------------ */

struct pid_list {
	pid_t *items;
	size_t count, capacity;
};

static int add_pid(struct pid_list *list, pid_t pid)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;
		pid_t *grown = realloc(list->items, capacity * sizeof *grown);
		if (!grown)
			return -ENOMEM;
		list->items = grown;
		list->capacity = capacity;
	}
	list->items[list->count++] = pid;
	return 0;
}

static int add_pids(struct pid_list *list, int dir)
{
	int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
	int pid, r = 0;
	if (!f) {
		r = is_gone(errno) ? 0 : -errno;
		close_fd(&fd);
		return r;
	}
	/* A threaded group (EOPNOTSUPP) lists its processes in the group that is its domain. */
	while (r == 0 && fscanf(f, "%d", &pid) == 1)
		r = add_pid(list, pid);
	(void)fclose(f);
	return r;
}

/* Takes fd. Levels that we cannot look into are a failure: nobody may hide from a listing. */
static int add_tree(struct pid_list *list, int fd, int levels)
{
	DIR *d = fdopendir(fd);
	if (!d) {
		close_fd(&fd);
		return -errno;
	}
	int r = levels > 0 ? add_pids(list, fd) : -ELOOP;
	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		int sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			r = add_tree(list, sub, levels - 1);
		else if (!is_gone(errno))
			r = -errno;
	}
	(void)closedir(d);
	return r;
}

int cgroup_pids(const struct cgroup *cg, pid_t **ret, size_t *ret_count, struct csn_error *err)
{
	enum { LEVELS = 256 };
	struct pid_list list = { 0 };
	int top = openat(cg->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = top >= 0 ? add_tree(&list, top, LEVELS) : is_gone(errno) ? 0 : -errno;
	if (r < 0) {
		free(list.items);
		return fail(err, -r, "cgroup \"%s\": list processes: %s", cg->path, strerror(-r));
	}
	*ret = list.items;
	*ret_count = list.count;
	return 0;
}

static bool holds_caller(const struct cgroup *cg)
{
	char own[PATH_MAX];
	size_t length = strlen(cg->path);
	return cgroup_of(0, own, sizeof own, NULL) < 0 ||
	       (strncmp(own, cg->path, length) == 0 && (!own[length] || own[length] == '/'));
}

static int signal_all(const struct cgroup *cg, int sig, struct csn_error *err)
{
	auto_mem pid_t *pids = NULL;
	size_t count = 0;
	TRY(cgroup_pids(cg, &pids, &count, err));

	int r = 0;
	for (size_t i = 0; i < count; i++)
		/* 0 stands for a process that our pid namespace cannot name. One that may not be
		 * signalled must not save the others from it. */
		if (pids[i] > 0 && kill(pids[i], sig) < 0 && errno != ESRCH && r == 0)
			r = fail_errno(err, "signal process %d", (int)pids[i]);
	return r;
}

/* Frozen, nobody forks away from the list, or leaves his pid to another. A group that cannot be
 * frozen in time is signalled all the same; so is one that holds us. */
int cgroup_signal(const struct cgroup *cg, int sig, struct csn_error *err)
{
	enum { FREEZE_TIMEOUT_MS = 1000 };
	bool frozen = false;
	TRY(cgroup_frozen(cg, &frozen, err));
	bool thaw = !frozen && !holds_caller(cg) &&
		    cgroup_freeze(cg, true, FREEZE_TIMEOUT_MS, NULL) == 0;
	int r = signal_all(cg, sig, err);
	if (thaw)
		(void)cgroup_write(cg, "cgroup.freeze", "0", NULL);
	return r;
}

void cgroup_unthrottle(const struct cgroup *cg)
{
	static const struct {
		const char *file, *text;
	} rows[] = { { "cpu.max", "max" }, { "cpu.idle", "0" } };
	for (size_t i = 0; i < COUNT(rows); i++)
		(void)file_write_text(cg->dir, rows[i].file, rows[i].text, NULL);
}

int cgroup_kill(const struct cgroup *cg, struct csn_error *err)
{
	cgroup_unthrottle(cg);
	auto_fd fd = openat(cg->dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) == 1)
		return 0;
	if (!is_gone(errno))
		return fail_errno(err, "cgroup \"%s\": cgroup.kill", cg->path);
	if (fd >= 0)
		return 0;

	/* Before Linux 5.14, or the group is gone: frozen, nothing can fork away from us. */
	bool live = false;
	TRY(cgroup_populated(cg, &live, err));
	if (!live)
		return 0;
	int r = cgroup_freeze(cg, true, 2000, err);
	int killed = signal_all(cg, SIGKILL, err);
	(void)cgroup_write(cg, "cgroup.freeze", "0", NULL);
	return r < 0 ? r : killed;
}
