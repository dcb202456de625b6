/* csn kill: a signal to the first process of containers. */
#include <stdio.h>

#include "bin/engine/engine.h"

static const char *signal_text = "SIGKILL";

static const struct opt options[] = {
	{ 's', "signal", "SIGNAL", "name or number (KILL)", OPT_TEXT, &signal_text },
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
		if (csn_container_kill(rt, argv[i], signal_text, &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else
			puts(argv[i]);
	}
	return status;
}

const struct command command_kill = { "kill", "CONTAINER…", "send a signal to containers",
				      1,      -1,	    get_options,
				      run };
