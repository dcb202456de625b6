/* caisson run: create and start in one, then wait (or not, with --detach). */
#include "base/cleanup.h"
#include "base/log.h"
#include "bin/oci/oci.h"

static struct host_create args = HOST_CREATE_INIT;
static bool detach, keep;
static struct container *kept;

static const struct opt options[] = {
	{ 'b', "bundle", "DIR", "directory that holds config.json (.)", OPT_TEXT, &args.bundle },
	{ 'd', "detach", NULL, "return when the program runs", OPT_FLAG, &detach },
	{ 0, "keep", NULL, "do not delete the container at its end", OPT_FLAG, &keep },
	{ 0, "console-socket", "PATH", "AF_UNIX socket that receives the terminal", OPT_TEXT,
	  &args.console_socket },
	{ 0, "pidfd-socket", "PATH", "AF_UNIX socket that receives a pidfd", OPT_TEXT,
	  &args.pidfd_socket },
	{ 0, "pid-file", "FILE", "write the pid there", OPT_TEXT, &args.pid_file },
	{ 0, "no-pivot", NULL, "move the root instead of pivot_root (initramfs)", OPT_FLAG,
	  &args.no_pivot },
	{ 0, "no-new-keyring", NULL, "keep the caller's session keyring", OPT_FLAG,
	  &args.no_new_keyring },
	{ 0, "preserve-fds", "N", "keep N descriptors above standard error open", OPT_INT,
	  &args.preserve_fds },
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

	bool waited = host_attend(process, &status, &err) == 0;
	if (!waited)
		status = oci_fail(&err, 1);
	if (keep)
		return status;
	/* Twice, for the want of memory or of descriptors of a moment; then it is left to others.
	 */
	int r = kept && waited ? host_finish(oci_context(), kept, &err)
			       : host_delete(oci_context(), args.id, true, &err);
	if (r < 0 && host_delete(oci_context(), args.id, true, &err) < 0)
		log_line(LOG_LEVEL_WARNING, "%s", err.text);
	return status;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct host_process process = HOST_PROCESS_INIT;
	(void)argc;

	int status = oci_need_guard();
	if (status)
		return status;
	args.id = argv[0];
	args.detached = detach;
	args.kept = detach || keep ? NULL : &kept;
	if (host_run(oci_context(), &args, &process, &err) < 0)
		return oci_fail(&err, 1);
	if (!detach)
		status = attend(&process);
	else if (host_await_ready(&process, &err) < 0)
		status = oci_fail(&err, 1);
	close_fd(&process.notify);
	return status;
}

const struct command command_run = { "run", "CONTAINER", "create a container and run its program",
				     1,	    1,		 get_options,
				     run };
