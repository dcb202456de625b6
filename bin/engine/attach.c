/* csn attach: the output of a running container from now on, and its standard input. */
#include <stdio.h>

#include "bin/engine/engine.h"

static bool no_stdin;

static const struct opt options[] = {
	{ 0, "no-stdin", NULL, "do not pass standard input on", OPT_FLAG, &no_stdin },
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
	struct csn_attach *handle = NULL;
	struct csn_containers *l = NULL;
	(void)argc;

	if (!rt)
		return STATUS_ENGINE_ERROR;
	if (csn_container_get(rt, argv[0], &l, &err) < 0)
		return engine_fail(&err, STATUS_ENGINE_ERROR);
	attend_prepare();
	if (csn_container_attach(rt, argv[0], &handle, &err) < 0) {
		csn_containers_free(l);
		return engine_fail(&err, STATUS_ENGINE_ERROR);
	}
	const struct csn_container_info *i = csn_containers_get(l, 0);
	const struct attend a = { .rt = rt,
				  .id = i->id,
				  .attach = handle,
				  .tty = i->tty,
				  .input = !no_stdin,
				  .signals = true };
	int status = attend(&a);
	csn_attach_close(handle);
	csn_containers_free(l);
	return status;
}

const struct command command_attach = {
	"attach", "CONTAINER", "connect to a running container's streams", 1, 1, get_options, run
};
