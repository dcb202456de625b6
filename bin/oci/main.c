/*
 * caisson: an OCI runtime with runc's command line. Global options, the list of commands, the way
 * errors are told; everything else is in the commands and in lib/host.
 */
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/path.h"
#include "bin/guard.h"
#include "bin/oci/oci.h"
#include "config.h"
#include "spec/spec.h"

static const struct command *const commands[] = {
	&command_checkpoint, &command_create,  &command_delete, &command_events, &command_exec,
	&command_features,   &command_kill,    &command_list,	&command_mounts, &command_pause,
	&command_ps,	     &command_restore, &command_resume, &command_run,	 &command_runtime,
	&command_spec,	     &command_start,   &command_state,	&command_update, NULL,
};

static struct {
	const char *root, *state_root, *log, *log_format, *log_level, *cgroup_manager;
	bool debug, systemd_cgroup, version;
} args;

static const struct opt globals[] = {
	{ 0, "root", "DIR", "directory for the state of containers (/run/caisson)", OPT_TEXT,
	  &args.root },
	{ 0, "state-root", "DIR", "the same, with the commands of runtime", OPT_TEXT,
	  &args.state_root },
	{ 0, "log", "FILE", "append the log to FILE instead of standard error", OPT_TEXT,
	  &args.log },
	{ 0, "log-format", "FORMAT", "text or json", OPT_TEXT, &args.log_format },
	{ 0, "log-level", "LEVEL", "error, warning, info or debug", OPT_TEXT, &args.log_level },
	{ 0, "debug", NULL, "log everything", OPT_FLAG, &args.debug },
	{ 0, "systemd-cgroup", NULL, "cgroupsPath is slice:prefix:name, for systemd", OPT_FLAG,
	  &args.systemd_cgroup },
	{ 0, "cgroup-manager", "NAME", "cgroupfs, systemd or disabled", OPT_TEXT,
	  &args.cgroup_manager },
	{ 0, "rootless", "BOOL", NULL, OPT_IGNORED, NULL },
	{ 0, "criu", "PATH", NULL, OPT_IGNORED,
	  NULL }, /* as runc: it is looked for where programs are */
	{ 'v', "version", NULL, "show the version", OPT_FLAG, &args.version },
	{ 0 },
};

static struct host_context context;

const struct host_context *oci_context(void)
{
	return &context;
}

bool oci_root_was_given(void)
{
	return args.root;
}

int oci_fail_text(int status, const char *fmt, ...)
{
	char text[600];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_line(LOG_LEVEL_ERROR, "%s", text);
	if (log_to_file())
		fprintf(stderr, "%s\n", text);
	return status;
}

int oci_fail(const struct csn_error *err, int status)
{
	return oci_fail_text(status, "%s", err->text);
}

int oci_need_root(void)
{
	return getauxval(AT_EUID) == 0
		       ? 0
		       : oci_fail_text(1, "caisson must run as root (rootless is not supported)");
}

/* What is started guarded: an argument more than the command itself does no harm. */
const char guard_words[][GUARD_WORD_MAX] = { "run", "create", "exec", "restore" };
const int guard_words_count = COUNT(guard_words);

int oci_need_guard(void)
{
	int status = oci_need_root();
	if (status || guard_is_on())
		return status;
	return oci_fail_text(1, "the caisson binary cannot be protected from the container: "
				"its mount cannot be cloned");
}

static void warn(void *data, const char *text)
{
	(void)data;
	log_line(LOG_LEVEL_WARNING, "%s", text);
}

static int print_version(void)
{
	printf("caisson version %s\ncommit: %s\nspec: %s\n", PACKAGE_VERSION, CSN_COMMIT,
	       SPEC_VERSION);
	return 0;
}

static int open_log(struct csn_error *err)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	struct log_config config = { .path = args.log, .level = LOG_LEVEL_WARNING };

	if (args.log_format && strcmp(args.log_format, "json") != 0 &&
	    strcmp(args.log_format, "text") != 0)
		return fail(err, EINVAL, "--log-format: expected text or json, not \"%s\"",
			    args.log_format);
	config.json = args.log_format && strcmp(args.log_format, "json") == 0;
	if (args.log_level) {
		size_t i = 0;
		while (i < COUNT(levels) && strcmp(levels[i], args.log_level) != 0)
			i++;
		if (i == COUNT(levels))
			return fail(err, EINVAL, "--log-level: unknown level \"%s\"",
				    args.log_level);
		config.level = (enum log_level)i;
	}
	if (args.debug)
		config.level = LOG_LEVEL_DEBUG;
	return log_open(&config, err);
}

static int set_manager(struct csn_error *err)
{
	static const char *const names[] = { [HOST_CGROUP_FS] = "cgroupfs",
					     [HOST_CGROUP_SYSTEMD] = "systemd",
					     [HOST_CGROUP_NONE] = "disabled" };
	if (args.cgroup_manager) {
		size_t i = 0;
		while (i < COUNT(names) && strcmp(names[i], args.cgroup_manager) != 0)
			i++;
		if (i == COUNT(names))
			return fail(err, EINVAL,
				    "--cgroup-manager: expected cgroupfs, systemd or disabled, not "
				    "\"%s\"",
				    args.cgroup_manager);
		context.manager = (enum host_cgroup_manager)i;
	}
	if (args.systemd_cgroup)
		context.manager = HOST_CGROUP_SYSTEMD;
	if (context.manager == HOST_CGROUP_SYSTEMD && access("/run/systemd/system", F_OK) < 0)
		log_line(LOG_LEVEL_INFO, "systemd does not run here: groups are made directly");
	return 0;
}

/* Relative roots are made absolute: the record of a container outlives our working directory. */
int oci_set_root(const char *root, struct csn_error *err)
{
	context.root = root;
	if (root[0] == '/')
		return 0;
	auto_mem char *cwd = getcwd(NULL, 0);
	char *joined = cwd ? path_join(cwd, root) : NULL;
	if (!joined)
		return fail(err, ENOMEM, "--root: out of memory");
	path_clean(joined);
	context.root = joined;
	return 0;
}

static int set_context(struct csn_error *err)
{
	const char *notify = getenv("NOTIFY_SOCKET");
	context.warn = warn;
	context.notify_socket = notify && *notify ? notify : NULL;
	TRY(oci_set_root(args.state_root ? args.state_root
			 : args.root	 ? args.root
					 : "/run/caisson",
			 err));
	return set_manager(err);
}

int main(int argc, char **argv)
{
	struct csn_error err;
	bool help;
	int first;

	/* One growth of the heap instead of many: everything here is small and short-lived. */
	(void)mallopt(M_TOP_PAD, 512 * 1024);
	int r = opts_parse(globals, argc, argv, false, &first, &help, &err);
	if (r == 0)
		r = open_log(&err);
	if (r == 0 && args.version)
		return print_version();
	if (r == 0 && (help || first == argc || strcmp(argv[first], "help") == 0)) {
		opts_print_program_help("caisson", "An OCI container runtime.", globals, commands);
		return help || first < argc ? 0 : 1;
	}
	if (r == 0)
		r = set_context(&err);
	if (r < 0)
		return oci_fail(&err, 1);
	return opts_run_command("caisson", args.state_root ? contract_commands : commands,
				argc - first, argv + first);
}
