/* csn stop: the stop signal, some time, then the end. */
#include <stdio.h>

#include "bin/engine/engine.h"

static int timeout = -1;

static const struct opt options[] = {
	{ 't', "time", "SECONDS", "how long to wait before killing (the container's own)", OPT_INT,
	  &timeout },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	int status = 0;

	if (timeout > 2000000)
		return engine_fail_text(STATUS_FAILED, "--time: expected at most 2000000");
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	for (int i = 0; i < argc; i++) {
		if (csn_container_stop(rt, argv[i], timeout < 0 ? -1 : timeout * 1000, &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else
			puts(argv[i]);
	}
	return status;
}

const struct command command_stop = { "stop",	   "CONTAINER…", "stop running containers", 1, -1,
				      get_options, run };
