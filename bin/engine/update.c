/* csn update: limits of containers, running or not. */
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "bin/engine/engine.h"

static const struct opt options[] = {
	LIMIT_OPTIONS,
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_resources r;
	struct csn_runtime *rt = engine_runtime();
	int status = 0;

	if (!rt)
		return STATUS_FAILED;
	if (limits_collect(&arena, &r, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	for (int i = 0; i < argc; i++) {
		if (csn_container_update(rt, argv[i], &r, &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else
			puts(argv[i]);
	}
	return status;
}

const struct command command_update = { "update", "CONTAINER…", "change limits of containers",
					1,	  -1,		get_options,
					run };
