/*
 * csn exec: one more process in a running container. The library says what it may do, the OCI
 * runtime next to us starts it. Its exit status is ours; 127 and 126 when the program is not found
 * or cannot be run, 125 when something else fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "bin/engine/engine.h"

enum { RUNTIME_ERROR = 255 }; /* what the OCI runtime exits with when it fails */

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
	int fd = memfd_create("process.json", 0); /* inherited */
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

/* The runtime's log: empty unless the process could not be started. JSON lines. */
struct log_line {
	char *msg;
};

static const struct json_field log_fields[] = {
	{ "msg", decode_text, offsetof(struct log_line, msg) }, { 0 }
};

/* What a shell would say of the failure that the log tells; status when it tells none. */
static int failure_status(int log_fd, int status)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct log_line line = { 0 };
	struct csn_error why = { .code = EPERM };
	char text[4096];

	ssize_t n = pread(log_fd, text, sizeof text - 1, 0);
	if (n <= 0)
		return status;
	text[n] = '\0';
	if (json_decode(text, strcspn(text, "\n"), "log", log_fields, &line, &arena, NULL) < 0 ||
	    !line.msg)
		return STATUS_ENGINE_ERROR;
	(void)snprintf(why.text, sizeof why.text, "%s", line.msg);
	if (strstr(line.msg, "not found") || strstr(line.msg, "no such file"))
		why.code = ENOENT;
	return csn_start_exit_code(&why);
}

/* Waits for the runtime and hands it what signals we get: they were blocked before it began. */
static int await_runtime(pid_t pid, const sigset_t *set)
{
	for (;;) {
		int status;
		int number = sigwaitinfo(set, NULL);
		if (number != SIGCHLD && number > 0)
			(void)kill(pid, number);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

static int spawn_runtime(char *const argv[], pid_t *ret_pid, sigset_t *ret_set,
			 struct csn_error *err)
{
	static const int handed_on[] = { SIGCHLD, SIGTERM, SIGHUP,  SIGINT,
					 SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };
	char program[PATH_MAX];
	posix_spawnattr_t attr;
	sigset_t old, pipe_only;

	TRY(find_runtime(program, sizeof program, err));
	(void)signal(SIGCHLD, SIG_DFL);
	sigemptyset(ret_set);
	for (size_t i = 0; i < COUNT(handed_on); i++)
		sigaddset(ret_set, handed_on[i]);
	(void)sigprocmask(SIG_BLOCK, ret_set, &old);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);

	int e = posix_spawnattr_init(&attr);
	if (e)
		return fail(err, e, "exec: %s", strerror(e));
	(void)posix_spawnattr_setsigmask(&attr, &old);
	(void)posix_spawnattr_setsigdefault(&attr, &pipe_only);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	e = posix_spawn(ret_pid, program, NULL, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	return e ? fail(err, e, "exec: run %s: %s", program, strerror(e)) : 0;
}

/* 0 and the exit status, or a failure of ours. */
static int run_process(const char *id, const char *json, int *ret_status, struct csn_error *err)
{
	char file[64], log[64];
	auto_mem char *state = path_join(engine_run_root(), "state");
	auto_fd log_fd = memfd_create("log", 0); /* inherited */

	if (!state || log_fd < 0)
		return fail(err, ENOMEM, "out of memory");
	TRY(process_file(json, file, sizeof file, err));
	(void)snprintf(log, sizeof log, "/proc/self/fd/%d", log_fd);
	if (!interactive && !tty) {
		auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null < 0 || dup2(null, STDIN_FILENO) < 0)
			return fail_errno(err, "/dev/null");
	}
	const char *argv[] = {
		"caisson",	     "--root", state,	    "--log", log,
		"--log-format=json", "exec",   "--process", file,    detach ? "--detach" : id,
		detach ? id : NULL,  NULL
	};
	sigset_t set;
	pid_t pid;
	TRY(spawn_runtime((char *const *)(uintptr_t)argv, &pid, &set, err));
	int status = await_runtime(pid, &set);
	*ret_status = status == RUNTIME_ERROR ? failure_status(log_fd, status) : status;
	return 0;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	auto_mem char *json = NULL;
	char id[CSN_ID_SIZE];

	if (!engine_runtime())
		return STATUS_ENGINE_ERROR;
	int status = 0;
	if (describe(argc, argv, &json, id, &err) < 0 || run_process(id, json, &status, &err) < 0)
		return engine_fail(&err, STATUS_ENGINE_ERROR);
	return status;
}

const struct command command_exec = { "exec",
				      "CONTAINER COMMAND [ARGUMENT…]",
				      "run one more process in a running container",
				      2,
				      -1,
				      get_options,
				      run };
