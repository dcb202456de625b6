/* csn pause: stop all processes of containers where they are. */
#include <stdio.h>

#include "bin/engine/engine.h"

static const struct opt options[] = { { 0 } };

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	return engine_each(argc, argv, csn_container_pause);
}

const struct command command_pause = {
	"pause",     "CONTAINER…", "stop all processes of containers where they are", 1, -1,
	get_options, run
};
