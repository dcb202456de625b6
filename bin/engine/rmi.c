/* csn rmi: image names, and what only they needed. */
#include <stdio.h>

#include "bin/engine/engine.h"

static bool force;

static const struct opt options[] = {
	{ 'f', "force", NULL, "also when containers are made from it", OPT_FLAG, &force },
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
		if (csn_image_remove(rt, argv[i], force, &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else
			puts(argv[i]);
	}
	return status;
}

const struct command command_rmi = { "rmi", "IMAGE…", "remove images", 1, -1, get_options, run };
