/* csn rm: containers with their files and logs. */
#include <errno.h>
#include <stdio.h>

#include "bin/engine/engine.h"
#include "caisson-volume.h"

static bool force, volumes;

static const struct opt options[] = {
	{ 'f', "force", NULL, "kill it first if it runs; an unknown one is no error", OPT_FLAG,
	  &force },
	{ 'v', "volumes", NULL, "remove the volumes of its own too", OPT_FLAG, &volumes },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_runtime *rt = engine_runtime();
	int status = 0;

	if (!rt)
		return STATUS_FAILED;
	for (int i = 0; i < argc; i++) {
		int r = volumes ? csn_container_remove(rt, argv[i], force, &err)
				: csn_container_remove_keeping(rt, argv[i], force, &err);
		if (r == -ENOENT && force)
			continue;
		if (r < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else
			puts(argv[i]);
	}
	return status;
}

const struct command command_rm = {
	"rm", "CONTAINER…", "remove containers", 1, -1, get_options, run
};
