/* caisson create: everything but the program. */
#include "bin/oci/oci.h"

static struct host_create args = HOST_CREATE_INIT;

static const struct opt options[] = {
	{ 'b', "bundle", "DIR", "directory that holds config.json (.)", OPT_TEXT, &args.bundle },
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

static int run(int argc, char **argv)
{
	struct csn_error err;
	(void)argc;
	int status = oci_need_guard();
	if (status)
		return status;
	args.id = argv[0];
	return host_create(oci_context(), &args, &err) < 0 ? oci_fail(&err, 1) : 0;
}

const struct command command_create = {
	"create", "CONTAINER", "create a container; start runs its program", 1, 1, get_options, run
};
