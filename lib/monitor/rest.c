/*
 * Between two runs of a container: the monitor waits in a fresh image, as small as it can be, and
 * then becomes the program that makes the networks and starts the container in its place
 * (caisson-restart), which becomes the monitor of the next run. It is one process all the time, so
 * whoever waits by its pidfd is woken by the last end only, and it keeps the lock on its pid file,
 * so that "restarting" is a fact and not a note: when it is killed, the container has ended.
 *
 * Who stops the container meanwhile writes "stopped" and, under the container's lock, kills us:
 * nothing that we do here or in caisson-restart before it has that lock needs an end.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "monitor/restart.h"
#include "monitor/supervise.h"

enum { WORDS = 9 };

static int64_t now_in(clockid_t clock, int64_t unit_ns)
{
	struct timespec t;
	(void)clock_gettime(clock, &t);
	return ((int64_t)t.tv_sec * 1000000000 + t.tv_nsec) / unit_ns;
}

int64_t rest_plan(int container_dir, const char *program, struct exit_record *end)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record r = { 0 };
	struct restart_history h;
	if (!program || !program[0] || restart_is_forbidden(container_dir) ||
	    engine_record_read(container_dir, &r, &arena, NULL) < 0 ||
	    r.restart.kind == CSN_RESTART_NO || r.auto_remove)
		return -1;
	restart_history_read(container_dir, &h);
	int64_t delay = restart_decide(&r.restart, end, now_in(CLOCK_REALTIME, 1), &h);
	if (delay < 0)
		return -1;
	/* A full disk does not end what is to run always; but who counts must be able to. */
	if (restart_history_write(container_dir, &h, NULL) < 0 && r.restart.max_restarts)
		return -1;
	end->restarting = true;
	return delay;
}

int rest_exec(const struct rest *r)
{
	char pid_file[12], container[12], delay[24];
	static char *const no_env[] = { NULL };
	(void)snprintf(pid_file, sizeof pid_file, "%d", r->pid_file);
	(void)snprintf(container, sizeof container, "%d", r->container_dir);
	(void)snprintf(delay, sizeof delay, "%" PRId64, r->delay_ms);
	(void)fcntl(r->pid_file, F_SETFD, 0);
	(void)fcntl(r->container_dir, F_SETFD, 0);
	const char *argv[WORDS + 1] = { "caisson-monitor", "--rest", r->root,	r->run_root, r->id,
					r->program,	   pid_file, container, delay };
	(void)execve("/proc/self/exe", (char *const *)(uintptr_t)argv, no_env);
	return monitor_rest(r); /* as large as we are */
}

int rest_parse(int argc, char **argv, struct rest *ret)
{
	if (argc != WORDS)
		return -EINVAL;
	*ret = (struct rest){ .root = argv[2],
			      .run_root = argv[3],
			      .id = argv[4],
			      .program = argv[5],
			      .pid_file = atoi(argv[6]),
			      .container_dir = atoi(argv[7]),
			      .delay_ms = strtoll(argv[8], NULL, 10) };
	return ret->pid_file > 2 && ret->container_dir > 2 ? 0 : -EINVAL;
}

static void sleep_for(int64_t delay_ms)
{
	int64_t end = now_in(CLOCK_MONOTONIC, 1000000) + delay_ms;
	for (;;) {
		int64_t left = end - now_in(CLOCK_MONOTONIC, 1000000);
		if (left <= 0)
			return;
		(void)poll(NULL, 0, left > INT32_MAX ? INT32_MAX : (int)left);
	}
}

/* Our part of the run directories; the lock goes when we end. */
void rest_end(const char *run_root, const char *id)
{
	auto_fd run = open(run_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd monitors =
		run < 0 ? -1 : openat(run, "monitor", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (monitors >= 0)
		(void)remove_tree(monitors, id, NULL);
}

int monitor_rest(const struct rest *r)
{
	char pid_file[12];
	static char *const no_env[] = { NULL };
	(void)snprintf(pid_file, sizeof pid_file, "%d", r->pid_file);
	(void)fcntl(r->container_dir, F_SETFD, FD_CLOEXEC);

	/* Who stopped it before exit.json said that it restarts, waits for our end. */
	if (!restart_is_forbidden(r->container_dir)) {
		sleep_for(r->delay_ms);
		const char *argv[] = { "caisson-restart", "--root", r->root, "--run-root",
				       r->run_root,	  "--id",   r->id,   "--pid-fd",
				       pid_file,	  NULL };
		(void)execve(r->program, (char *const *)(uintptr_t)argv, no_env);
	}
	rest_end(r->run_root, r->id);
	return 0;
}
