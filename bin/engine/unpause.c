/* csn unpause: let the processes of paused containers go on. */
#include <stdio.h>

#include "bin/engine/engine.h"

static const struct opt options[] = { { 0 } };

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	return engine_each(argc, argv, csn_container_unpause);
}

const struct command command_unpause = {
	"unpause",   "CONTAINER…", "let the processes of paused containers go on", 1, -1,
	get_options, run
};
