/* caisson restore: a container from what checkpoint has saved. */
#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "bin/oci/oci.h"

static struct host_criu args = HOST_CRIU_INIT;
static struct host_create create = HOST_CREATE_INIT;
static struct opt_list empty_ns;
static bool detach;

static const struct opt options[] = {
	{ 'b', "bundle", "DIR", "directory that holds config.json (.)", OPT_TEXT, &create.bundle },
	{ 'd', "detach", NULL, "return when the processes run", OPT_FLAG, &detach },
	{ 0, "console-socket", "PATH", "refused: a terminal cannot be restored", OPT_TEXT,
	  &create.console_socket },
	{ 0, "image-path", "DIR", "where the images are (checkpoint)", OPT_TEXT, &args.image_path },
	{ 0, "work-path", "DIR", "where the log goes (--image-path)", OPT_TEXT, &args.work_path },
	{ 0, "tcp-established", NULL, "allow open TCP connections", OPT_FLAG,
	  &args.tcp_established },
	{ 0, "ext-unix-sk", NULL, "allow unix sockets to outside", OPT_FLAG, &args.ext_unix_sk },
	{ 0, "shell-job", NULL, "allow shell jobs", OPT_FLAG, &args.shell_job },
	{ 0, "file-locks", NULL, "allow file locks", OPT_FLAG, &args.file_locks },
	{ 0, "manage-cgroups-mode", "MODE", "soft, full, strict or ignore", OPT_TEXT,
	  &args.manage_cgroups },
	{ 0, "pid-file", "FILE", "write the pid there", OPT_TEXT, &create.pid_file },
	{ 0, "empty-ns", "NAMESPACE", "make a namespace without its contents (network)", OPT_LIST,
	  &empty_ns },
	{ 0, "auto-dedup", NULL, "drop from the images what has been restored", OPT_FLAG,
	  &args.auto_dedup },
	{ 0, "lazy-pages", NULL, "memory is fetched on demand", OPT_FLAG, &args.lazy_pages },
	{ 0, "lsm-profile", "TYPE:NAME", "another profile or label than the saved one", OPT_TEXT,
	  &args.lsm_profile },
	{ 0, "lsm-mount-context", "CONTEXT", "another SELinux label for mounts", OPT_TEXT,
	  &args.lsm_mount_context },
	{ 0, "no-pivot", NULL, NULL, OPT_IGNORED_FLAG, NULL },
	{ 0, "no-subreaper", NULL, NULL, OPT_IGNORED_FLAG, NULL },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int attend(const struct host_process *process)
{
	struct csn_error err;
	int status = 1;
	if (host_attend(process, &status, &err) < 0)
		status = oci_fail(&err, 1);
	if (host_delete(oci_context(), create.id, true, &err) < 0)
		log_line(LOG_LEVEL_WARNING, "%s", err.text);
	return status;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct host_process process = HOST_PROCESS_INIT;
	(void)argc;

	int status = oci_need_root();
	if (status)
		return status;
	create.id = argv[0];
	create.detached = detach;
	if (oci_empty_namespaces(&empty_ns, &args, &err) < 0 ||
	    host_restore(oci_context(), &create, &args, &process, &err) < 0)
		return oci_fail(&err, 1);
	if (!detach)
		status = attend(&process);
	close_fd(&process.pidfd);
	return status;
}

const struct command command_restore = {
	"restore", "CONTAINER", "bring back a container from its checkpoint", 1, 1, get_options, run
};
