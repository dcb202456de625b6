/* csn rename: another name for a container. */
#include "bin/engine/engine.h"

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_runtime *rt = engine_runtime();
	(void)argc;

	if (!rt)
		return STATUS_FAILED;
	if (csn_container_rename(rt, argv[0], argv[1], false, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	return 0;
}

const struct command command_rename = {
	"rename", "CONTAINER NAME", "give a container another name", 2, 2, NULL, run
};
