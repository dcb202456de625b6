/* caisson-monitor: see lib/monitor/monitor.h for what it reads, writes and says. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bin/guard.h"
#include "bin/opts.h"
#include "monitor/supervise.h"

/* The start, which makes the container's first process; a supervisor and who makes health checks
 * inherit the view. */
const char guard_words[][GUARD_WORD_MAX] = { "--status-fd" };
const int guard_words_count = COUNT(guard_words);

static const char *root, *run_root, *id, *state, *network_program, *restarter, *failure;
static int status_fd = -1, attach_fd = -1, process_fd = -1, reply_fd = -1;
static int network_fd = -1, pid_fd = -1, lock_fd = -1, failure_code;
static bool update, exec, has_input;

static const struct opt options[] = {
	{ 0, "root", "DIR", "store and containers", OPT_TEXT, &root },
	{ 0, "run-root", "DIR", "what dies at reboot", OPT_TEXT, &run_root },
	{ 0, "id", "ID", "the container", OPT_TEXT, &id },
	{ 0, "status-fd", "N", "where to say how the start went", OPT_INT, &status_fd },
	{ 0, "attach-fd", "N", "a connection that is attached from the start", OPT_INT,
	  &attach_fd },
	{ 0, "update", NULL, "change limits: a resources object on standard input", OPT_FLAG,
	  &update },
	{ 0, "reply-fd", "N", "where to say how the update went", OPT_INT, &reply_fd },
	{ 0, "exec", NULL, "run one more process", OPT_FLAG, &exec },
	{ 0, "state", "DIR", "exec: where containers are recorded", OPT_TEXT, &state },
	{ 0, "process-fd", "N", "exec: the process object", OPT_INT, &process_fd },
	{ 0, "stdin", NULL, "exec: input stays open", OPT_FLAG, &has_input },
	{ 0, "network-fd", "N", "where the network namespace to join comes from", OPT_INT,
	  &network_fd },
	{ 0, "network-program", "FILE", "what takes its networks back at the end", OPT_TEXT,
	  &network_program },
	{ 0, "restart-program", "FILE", "what starts it again when its policy says so", OPT_TEXT,
	  &restarter },
	{ 0, "pid-fd", "N", "restart: the locked pid file", OPT_INT, &pid_fd },
	{ 0, "lock-fd", "N", "restart: the container's lock", OPT_INT, &lock_fd },
	{ 0, "failure", "TEXT", "restart: what went wrong already", OPT_TEXT, &failure },
	{ 0, "failure-code", "N", "restart: its errno", OPT_INT, &failure_code },
	{ 0 },
};

/* Of what the caller left open, only the fds that were named are ours. */
static void close_others(void)
{
	const int ours[] = { status_fd, attach_fd, process_fd, network_fd, pid_fd, lock_fd };
	for (unsigned from = 3;;) {
		unsigned next = ~0U; /* the lowest of ours from there on */
		for (size_t i = 0; i < COUNT(ours); i++)
			if (ours[i] >= (int)from && (unsigned)ours[i] < next)
				next = (unsigned)ours[i];
		if (next > from)
			(void)close_range(from, next == ~0U ? next : next - 1, 0);
		if (next == ~0U)
			return;
		(void)fcntl((int)next, F_SETFD, FD_CLOEXEC);
		from = next + 1;
	}
}

static bool is_start(void)
{
	return root && run_root && id && status_fd >= 3;
}

static bool is_update(void)
{
	return run_root && id && reply_fd >= 3;
}

static bool is_exec(void)
{
	return exec && state && id && status_fd >= 3 && attach_fd >= 3 && process_fd >= 3;
}

int main(int argc, char **argv)
{
	struct supervision s = { 0 };
	struct rest rest;
	struct csn_error err;
	bool help;
	int first;

	if (argc > 1 && strcmp(argv[1], "--supervise") == 0)
		return supervision_parse(argc, argv, &s) < 0 ? 1 : monitor_supervise(&s);
	if (argc > 1 && strcmp(argv[1], "--health") == 0)
		return supervision_parse(argc, argv, &s) < 0 ? 1 : monitor_health(&s);
	if (argc > 1 && strcmp(argv[1], "--rest") == 0)
		return rest_parse(argc, argv, &rest) < 0 ? 1 : monitor_rest(&rest);

	if (opts_parse(options, argc, argv, false, &first, &help, &err) < 0 || help ||
	    first < argc ||
	    !(update ? is_update()
	      : exec ? is_exec()
		     : is_start())) {
		fprintf(stderr, "caisson-monitor is started by libcaisson: --root DIR --run-root "
				"DIR --id ID --status-fd N [--attach-fd N] [--network-fd N "
				"--network-program FILE], or --exec, or --update\n");
		return 1;
	}
	if (update)
		return monitor_update(run_root, id, reply_fd);
	if (!guard_is_on()) {
		fprintf(stderr, "caisson-monitor: its binary cannot be protected from the "
				"container: its mount cannot be cloned\n");
		return 1;
	}
	close_others();
	if (exec) {
		const struct exec_request req = { .state = state,
						  .id = id,
						  .process_fd = process_fd,
						  .status_fd = status_fd,
						  .attach_fd = attach_fd,
						  .has_input = has_input };
		return monitor_exec(&req);
	}
	struct start_request req = { .root = root,
				     .run_root = run_root,
				     .id = id,
				     .status_fd = status_fd,
				     .attach_fd = attach_fd,
				     .network_fd = network_fd,
				     .network_program = network_program,
				     .restarter = restarter,
				     .pid_fd = pid_fd,
				     .lock_fd = lock_fd,
				     .failure = failure,
				     .failure_code = failure_code };
	return monitor_start(&req);
}
