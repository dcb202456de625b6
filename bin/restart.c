/*
 * caisson-restart: starts a container again in place of its monitor, which waited for that. A
 * program of its own, because what speaks to networks is no part of the monitor, which stays as
 * long as the container does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bin/opts.h"
#include "runtime/restart_here.h"

static const char *root, *run_root, *id;
static int pid_fd = -1;

static const struct opt options[] = {
	{ 0, "root", "DIR", "store and containers", OPT_TEXT, &root },
	{ 0, "run-root", "DIR", "what dies at reboot", OPT_TEXT, &run_root },
	{ 0, "id", "ID", "the container", OPT_TEXT, &id },
	{ 0, "pid-fd", "N", "its locked pid file", OPT_INT, &pid_fd },
	{ 0 },
};

/* Our other programs are beside us: the monitor was started without an environment. */
static void find_programs(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;
	if (!slash || slash == self)
		return;
	*slash = '\0';
	(void)setenv("CAISSON_LIBEXEC", self, 1);
}

int main(int argc, char **argv)
{
	struct csn_error err;
	struct csn_runtime *rt = NULL;
	bool help;
	int first;

	if (opts_parse(options, argc, argv, false, &first, &help, &err) < 0 || help ||
	    first < argc || !root || !run_root || !id || pid_fd < 3) {
		fprintf(stderr, "caisson-restart is started by caisson-monitor: --root DIR "
				"--run-root DIR --id ID --pid-fd N\n");
		return 1;
	}
	find_programs();
	const struct csn_config config = { sizeof config, root, run_root };
	int r = csn_runtime_open_native(&config, &rt, &err);
	if (r == 0)
		r = restart_here(rt, id, pid_fd, &err);
	if (r < 0)
		fprintf(stderr, "caisson-restart: %s\n", err.text);
	csn_runtime_close(rt);
	return r < 0;
}
