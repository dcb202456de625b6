/*
 * csn: the engine's command line. Global options, the list of commands, the way errors are told;
 * everything else is in the commands and in libcaisson.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/engine/engine.h"
#include "caisson-runtime.h"

static const struct command *const commands[] = { &command_network,
						  &command_system,
						  &command_volume,
						  &command_attach,
						  &command_commit,
						  &command_cp,
						  &command_create,
						  &command_diff,
						  &command_down,
						  &command_events,
						  &command_exec,
						  &command_export,
						  &command_image,
						  &command_images,
						  &command_import,
						  &command_inspect,
						  &command_kill,
						  &command_load,
						  &command_login,
						  &command_logout,
						  &command_logs,
						  &command_pause,
						  &command_port,
						  &command_ps,
						  &command_pull,
						  &command_push,
						  &command_rename,
						  &command_rm,
						  &command_rmi,
						  &command_run,
						  &command_save,
						  &command_start,
						  &command_stats,
						  &command_stop,
						  &command_tag,
						  &command_top,
						  &command_unpause,
						  &command_up,
						  &command_update,
						  &command_wait,
						  NULL };

static struct {
	const char *root, *run_root;
	bool version;
} args = { "/var/lib/caisson", "/run/caisson-engine", false };

static const struct opt globals[] = {
	{ 0, "root", "DIR", "images and containers (/var/lib/caisson)", OPT_TEXT, &args.root },
	{ 0, "run-root", "DIR", "what dies at reboot (/run/caisson-engine)", OPT_TEXT,
	  &args.run_root },
	{ 'v', "version", NULL, "show the version", OPT_FLAG, &args.version },
	{ 0 },
};

static struct csn_runtime *runtime;
static struct csn_rt *services; /* the other interface, over a runtime of its own */

int engine_fail_text(int status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("csn: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return status;
}

int engine_each(int argc, char **argv,
		int (*fn)(struct csn_runtime *rt, const char *container, struct csn_error *err))
{
	struct csn_error err;
	struct csn_runtime *rt = engine_runtime();
	int status = 0;

	if (!rt)
		return STATUS_FAILED;
	for (int i = 0; i < argc; i++) {
		if (fn(rt, argv[i], &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else
			puts(argv[i]);
	}
	return status;
}

int engine_fail(const struct csn_error *err, int status)
{
	return engine_fail_text(status, "%s", err->text);
}

static void close_runtime(void)
{
	csn_runtime_close(runtime);
}

static void close_services(void)
{
	csn_rt_close(services);
}

static bool may_open(void)
{
	if (geteuid() == 0)
		return true;
	(void)engine_fail_text(0, "must run as root (rootless is not supported)");
	return false;
}

struct csn_runtime *engine_runtime(void)
{
	struct csn_error err;
	struct csn_config config = CSN_CONFIG_INIT;

	if (runtime)
		return runtime;
	if (!may_open())
		return NULL;
	config.root = args.root;
	config.run_root = args.run_root;
	if (csn_runtime_open_native(&config, &runtime, &err) < 0) {
		(void)engine_fail(&err, 0);
		return NULL;
	}
	(void)atexit(close_runtime);
	return runtime;
}

struct csn_rt *engine_rt(void)
{
	struct csn_error err;
	struct csn_config config = CSN_CONFIG_INIT;

	if (services)
		return services;
	if (!may_open())
		return NULL;
	config.root = args.root;
	config.run_root = args.run_root;
	if (csn_rt_open_native(&config, &services, &err) < 0) {
		(void)engine_fail(&err, 0);
		return NULL;
	}
	(void)atexit(close_services);
	return services;
}

const char *engine_run_root(void)
{
	return args.run_root;
}

int main(int argc, char **argv)
{
	struct csn_error err;
	bool help;
	int first;

	/* A reader that went away shows as EPIPE where it matters. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (opts_parse(globals, argc, argv, false, &first, &help, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (args.version) {
		printf("csn version %s\n", csn_version());
		return 0;
	}
	if (help || first == argc || strcmp(argv[first], "help") == 0) {
		opts_print_program_help("csn", "Containers from images, without a daemon.", globals,
					commands);
		return help || first < argc ? 0 : STATUS_FAILED;
	}
	int status = opts_run_command("csn", commands, argc - first, argv + first);
	if (fflush(stdout) != 0 && status == 0)
		status = engine_fail_text(STATUS_FAILED, "standard output: %s", strerror(errno));
	return status;
}
