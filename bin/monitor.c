/* caisson-monitor: see lib/monitor/monitor.h for what it reads, writes and says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bin/guard.h"
#include "bin/opts.h"
#include "monitor/supervise.h"

/* The start, which makes the container's first process; a supervisor inherits the view. */
const char guard_words[][GUARD_WORD_MAX] = { "--status-fd" };
const int guard_words_count = COUNT(guard_words);

static const char *root, *run_root, *id;
static int status_fd = -1, attach_fd = -1, reply_fd = -1;
static bool update;

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
	{ 0 },
};

/* Of what the caller left open, only the fds that were named are ours. */
static void close_others(void)
{
	int low = status_fd < attach_fd || attach_fd < 0 ? status_fd : attach_fd;
	int high = status_fd > attach_fd ? status_fd : attach_fd;
	if (low > 3)
		(void)close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		(void)close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	(void)close_range((unsigned)high + 1, ~0U, 0);
}

int main(int argc, char **argv)
{
	struct supervision s = { 0 };
	struct csn_error err;
	bool help;
	int first;

	if (argc > 1 && strcmp(argv[1], "--supervise") == 0)
		return supervision_parse(argc, argv, &s) < 0 ? 1 : monitor_supervise(&s);

	if (opts_parse(options, argc, argv, false, &first, &help, &err) < 0 || help ||
	    first < argc || !run_root || !id || (update ? reply_fd < 3 : !root || status_fd < 3)) {
		fprintf(stderr, "caisson-monitor is started by libcaisson: --root DIR --run-root "
				"DIR --id ID --status-fd N [--attach-fd N], or --update "
				"--run-root DIR --id ID --reply-fd N\n");
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
	return monitor_start(root, run_root, id, status_fd, attach_fd);
}
