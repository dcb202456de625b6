/*
 * csn exec: one more process in a running container. The library says what it may do; the OCI
 * runtime starts it, in our place, so that its exit status and signals are ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "bin/engine/engine.h"

static struct opt_list env;
static const char *user, *working_dir;
static bool interactive, tty, detach;

static const struct opt options[] = {
	{ 'e', "env", "NAME=VALUE", "set an environment variable", OPT_LIST, &env },
	{ 'w', "workdir", "DIR", "working directory", OPT_TEXT, &working_dir },
	{ 'u', "user", "USER[:GROUP]", "names or numbers, from the container's passwd", OPT_TEXT,
	  &user },
	{ 'i', "interactive", NULL, "pass standard input on", OPT_FLAG, &interactive },
	{ 't', "tty", NULL, "with a terminal", OPT_FLAG, &tty },
	{ 'd', "detach", NULL, "return when the process runs", OPT_FLAG, &detach },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

/* The OCI runtime is next to us; in a build tree libtool puts us one level below it. */
static int find_runtime(char *ret, size_t size, struct csn_error *err)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n < 0)
		return fail_errno(err, "/proc/self/exe");
	self[n] = '\0';
	for (int level = 0; level < 2; level++) {
		char *slash = strrchr(self, '/');
		if (!slash)
			break;
		*slash = '\0';
		if (snprintf(ret, size, "%s/caisson", self) < (int)size && access(ret, X_OK) == 0)
			return 0;
	}
	return fail(err, ENOENT, "exec: the program caisson is not next to csn");
}

/* The process object as a file that the runtime can open by name and that nobody else sees. */
static int process_file(const char *json, char *ret, size_t size, struct csn_error *err)
{
	int fd = memfd_create("process.json", 0);
	if (fd < 0)
		return fail_errno(err, "exec: memfd");
	int r = write_all(fd, json, strlen(json));
	if (r < 0)
		return fail(err, -r, "exec: memfd: %s", strerror(-r));
	(void)snprintf(ret, size, "/proc/self/fd/%d", fd);
	return 0;
}

static int describe(int argc, char **argv, char **ret_json, char ret_id[CSN_ID_SIZE],
		    struct csn_error *err)
{
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	auto_mem const char **list = calloc(env.count + 1, sizeof *list);
	(void)argc;

	if (!list)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < env.count; i++)
		list[i] = env.items[i];
	o.command = (const char *const *)argv + 1;
	o.env = list;
	o.user = user;
	o.working_dir = working_dir;
	o.tty = tty;
	TRY(csn_container_resolve(engine_runtime(), argv[0], ret_id, err));
	return csn_container_process(engine_runtime(), ret_id, &o, ret_json, err);
}

static int become(const char *id, const char *json, struct csn_error *err)
{
	char runtime[PATH_MAX], file[64];
	auto_mem char *state = path_join(engine_run_root(), "state");

	TRY(find_runtime(runtime, sizeof runtime, err));
	TRY(process_file(json, file, sizeof file, err));
	if (!state)
		return fail(err, ENOMEM, "out of memory");
	if (!interactive && !tty) {
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null < 0 || dup2(null, STDIN_FILENO) < 0)
			return fail_errno(err, "/dev/null");
	}
	(void)signal(SIGPIPE, SIG_DFL);
	execl(runtime, "caisson", "--root", state, "exec", "--process", file,
	      detach ? "--detach" : id, detach ? id : NULL, NULL);
	return fail_errno(err, "exec: run %s", runtime);
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	auto_mem char *json = NULL;
	char id[CSN_ID_SIZE];

	if (!engine_runtime())
		return STATUS_ENGINE_ERROR;
	if (describe(argc, argv, &json, id, &err) < 0 || become(id, json, &err) < 0)
		return engine_fail(&err, STATUS_ENGINE_ERROR);
	return STATUS_ENGINE_ERROR;
}

const struct command command_exec = { "exec",
				      "CONTAINER COMMAND [ARGUMENT…]",
				      "run one more process in a running container",
				      2,
				      -1,
				      get_options,
				      run };
