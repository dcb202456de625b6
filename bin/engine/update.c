/* csn update: limits and restart policies of containers, running or not. */

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "bin/engine/engine.h"

static const struct opt options[] = {
	LIMIT_OPTIONS,
	RESTART_OPTIONS,
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

/* What is not given of it stays. */
static int update_restart(struct csn_runtime *rt, const char *container, struct csn_error *err)
{
	struct csn_containers *l = NULL;
	TRY(csn_container_get(rt, container, &l, err));
	struct csn_restart_policy p = *csn_containers_get(l, 0)->restart;
	csn_containers_free(l);
	TRY(restart_collect(&p, err));
	return csn_container_set_restart(rt, container, &p, err);
}

static int update(struct csn_runtime *rt, const char *container, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_resources r;
	TRY(limits_collect(&arena, &r, err));
	if (restart_given())
		TRY(update_restart(rt, container, err));
	return limits_given() || !restart_given() ? csn_container_update(rt, container, &r, err)
						  : 0;
}

static int run(int argc, char **argv)
{
	return engine_each(argc, argv, update);
}

const struct command command_update = {
	"update", "CONTAINER…", "change limits and restart policies", 1, -1, get_options, run
};
