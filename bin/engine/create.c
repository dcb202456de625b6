/* csn create: a container that start can start. */
#include <stdio.h>

#include "bin/engine/engine.h"
#include "bin/engine/health.h"
#include "bin/engine/mounts.h"
#include "bin/engine/security.h"

static const struct opt options[] = { MAKE_OPTIONS,    SECURITY_OPTIONS, HEALTH_OPTIONS,
				      NETWORK_OPTIONS, MOUNT_OPTIONS,	 { 0 } };

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	char id[CSN_ID_SIZE];

	if (!engine_runtime())
		return STATUS_FAILED;
	if (make_container(argc, argv, id, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	puts(id);
	return 0;
}

const struct command command_create = { "create",
					"IMAGE [COMMAND [ARGUMENT…]]",
					"make a container without starting it",
					1,
					-1,
					get_options,
					run };
