/* csn start: containers that were made, or that have ended. */
#include <stdio.h>

#include "bin/engine/engine.h"

static bool attached, interactive;

static const struct opt options[] = {
	{ 'a', "attach", NULL, "stay in the foreground; one container only", OPT_FLAG, &attached },
	{ 'i', "interactive", NULL, "pass standard input on (with --attach)", OPT_FLAG,
	  &interactive },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int start_attached(struct csn_runtime *rt, const char *container)
{
	struct csn_error err;
	struct csn_attach *handle = NULL;
	struct csn_containers *l = NULL;
	char id[CSN_ID_SIZE];

	if (csn_container_resolve(rt, container, id, &err) < 0 ||
	    csn_container_get(rt, id, &l, &err) < 0)
		return engine_fail(&err, STATUS_ENGINE_ERROR);
	bool tty = csn_containers_get(l, 0)->tty;
	csn_containers_free(l);

	attend_prepare();
	if (csn_container_start(rt, id, &handle, &err) < 0)
		return engine_fail(&err, csn_start_exit_code(&err));
	const struct attend a = { .rt = rt,
				  .id = id,
				  .attach = handle,
				  .tty = tty,
				  .input = interactive,
				  .signals = true };
	int status = attend(&a);
	csn_attach_close(handle);
	return status;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_runtime *rt = engine_runtime();
	int status = 0;

	if (!rt)
		return STATUS_FAILED;
	if ((attached || interactive) && argc > 1)
		return engine_fail_text(STATUS_FAILED, "start: --attach goes with one container");
	if (attached || interactive)
		return start_attached(rt, argv[0]);
	for (int i = 0; i < argc; i++) {
		if (csn_container_start(rt, argv[i], NULL, &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else
			puts(argv[i]);
	}
	return status;
}

const struct command command_start = { "start",	    "CONTAINER…", "start containers", 1, -1,
				       get_options, run };
