/* caisson resume: thaw a paused container. */
#include "bin/oci/oci.h"

static int run(int argc, char **argv)
{
	struct csn_error err;
	(void)argc;
	int status = oci_need_root();
	if (status)
		return status;
	if (host_pause(oci_context(), argv[0], false, &err) < 0)
		return oci_fail(&err, 1);
	return 0;
}

const struct command command_resume = { "resume", "CONTAINER", "thaw a paused container", 1, 1,
					NULL,	  run };
