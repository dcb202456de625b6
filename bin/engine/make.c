/* From the options of create and run to a container. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "bin/engine/health.h"
#include "bin/engine/mounts.h"
#include "bin/engine/remote.h"
#include "bin/engine/security.h"

struct make_args make_args = { .stop_timeout = -1, .pull = "if-not-present" };

/* "NAME" alone: the caller's value; one that the caller does not have is left out. */
static int collect_env(struct arena *arena, const char *const **ret, struct csn_error *err)
{
	const struct opt_list *given = &make_args.env;
	const char **env = arena_array(arena, given->count + 1, sizeof *env);
	size_t count = 0;
	if (!env)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < given->count; i++) {
		const char *entry = given->items[i];
		if (!strchr(entry, '=')) {
			const char *value = getenv(entry);
			if (!value)
				continue;
			entry = arena_printf(arena, "%s=%s", entry, value);
			if (!entry)
				return fail(err, ENOMEM, "out of memory");
		}
		env[count++] = entry;
	}
	*ret = env;
	return 0;
}

/* Where the policy allows it, an image that is here costs no question to anybody. */
static int pull_and_create(const struct csn_container_options *o, char ret_id[CSN_ID_SIZE],
			   struct csn_error *err)
{
	struct csn_image_pull_options pull = CSN_IMAGE_PULL_OPTIONS_INIT;
	struct csn_runtime *rt = engine_runtime();
	struct bars bars;

	TRY(csn_pull_policy_parse(make_args.pull, &pull.policy, err));
	if (pull.policy == CSN_PULL_IF_NOT_PRESENT || pull.policy == CSN_PULL_NEVER) {
		int r = csn_container_create(rt, o, ret_id, err);
		if (r != -ENOENT || pull.policy == CSN_PULL_NEVER)
			return r;
	}
	TRY(bars_open(&bars, err));
	pull.progress = bars_progress;
	pull.progress_data = &bars;
	int r = csn_image_pull(rt, o->image, &pull, NULL, err);
	bars_close(&bars);
	return r < 0 ? r : csn_container_create(rt, o, ret_id, err);
}

int make_container(int argc, char **argv, char ret_id[CSN_ID_SIZE], struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	struct csn_resources resources;
	const char *const entrypoint[] = { make_args.entrypoint, NULL };

	if (make_args.stop_timeout < -1)
		return fail(err, EINVAL, "--stop-timeout: expected 0 or more, not %d",
			    make_args.stop_timeout);
	if (make_args.remove && restart_given())
		return fail(err, EINVAL, "--rm and --restart do not go together");
	TRY(collect_env(&arena, &o.env, err));
	TRY(mounts_collect(&arena, &o, err));
	o.labels = make_args.labels.items;
	o.ulimits = make_args.ulimits.items;
	o.log_options = make_args.log_options.items;
	TRY(limits_collect(&arena, &resources, err));
	struct csn_healthcheck healthcheck;
	const char *health_command[2];
	TRY(health_collect(&healthcheck, health_command, err));
	o.healthcheck = &healthcheck;
	TRY(devices_collect(&arena, &o, err));
	struct csn_security security;
	TRY(security_collect(&security, err));
	o.security = &security;
	struct csn_restart_policy restart = CSN_RESTART_POLICY_INIT;
	TRY(restart_collect(&restart, err));
	o.restart = &restart;
	o.image = argv[0];
	o.command = argc > 1 ? (const char *const *)argv + 1 : NULL;
	o.entrypoint = make_args.entrypoint ? entrypoint : NULL;
	o.name = make_args.name;
	o.working_dir = make_args.working_dir;
	o.user = make_args.user;
	o.hostname = make_args.hostname;
	TRY(make_network(&arena, &o, err));
	o.stop_signal = make_args.stop_signal;
	/* Not given (-1): the default, which the library has as 0; 0: at once. */
	if (make_args.stop_timeout >= 0)
		o.stop_timeout_ms = make_args.stop_timeout ? make_args.stop_timeout * 1000LL : -1;
	o.tty = make_args.tty;
	o.stdin_open = make_args.interactive;
	o.init = make_args.init;
	o.readonly_root = make_args.read_only;
	o.auto_remove = make_args.remove;
	o.resources = &resources;
	o.cgroup_parent = make_args.cgroup_parent;
	o.oom_score_adj = make_args.oom_score_adj;
	return pull_and_create(&o, ret_id, err);
}
