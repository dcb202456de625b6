/* caisson pause: freeze all processes of a container. */
#include "bin/oci/oci.h"

static int run(int argc, char **argv)
{
	struct csn_error err;
	(void)argc;
	int status = oci_need_root();
	if (status)
		return status;
	if (host_pause(oci_context(), argv[0], true, &err) < 0)
		return oci_fail(&err, 1);
	return 0;
}

const struct command command_pause = { "pause", "CONTAINER", "freeze all processes of a container",
				       1,	1,	     NULL,
				       run };
