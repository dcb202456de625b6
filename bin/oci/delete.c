/* caisson delete: remove what create made. */
#include "bin/oci/oci.h"

static bool force;

static const struct opt options[] = {
	{ 'f', "force", NULL, "kill the container first if it runs; a missing one is no error",
	  OPT_FLAG, &force },
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
	int status = oci_need_root();
	if (status)
		return status;
	return host_delete(oci_context(), argv[0], force, &err) < 0 ? oci_fail(&err, 1) : 0;
}

const struct command command_delete = {
	"delete", "CONTAINER", "remove a stopped or created container", 1, 1, get_options, run
};
