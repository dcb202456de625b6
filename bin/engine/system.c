/* csn system: what concerns all at once. */
#include <stdio.h>

#include "base/cleanup.h"
#include "bin/engine/engine.h"

static const char *format = "table";

static const struct opt recover_options[] = {
	{ 0, "format", "FORMAT", "table or json", OPT_TEXT, &format },
	{ 0 },
};

static const struct opt *get_recover_options(void)
{
	return recover_options;
}

static int recover(int argc, char **argv)
{
	struct csn_recovered done = CSN_RECOVERED_INIT;
	struct csn_error err;
	bool json;
	(void)argc;
	(void)argv;
	if (print_format(format, &json) < 0)
		return STATUS_FAILED;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_recover(rt, &done, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (!json) {
		printf("%zu containers, %zu addresses, %zu ports, %zu links%s\n", done.containers,
		       done.leases, done.ports, done.links, done.rules ? ", packet rules" : "");
		return 0;
	}
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	json_put_u64(&o, "containers", done.containers);
	json_put_u64(&o, "addresses", done.leases);
	json_put_u64(&o, "ports", done.ports);
	json_put_u64(&o, "links", done.links);
	json_put_bool(&o, "rules", done.rules);
	json_close_object(&o);
	return print_json(&o);
}

static const struct command command_recover = {
	"recover",	     NULL,   "take away what a crash left; what runs goes on", 0, 0,
	get_recover_options, recover
};

static void tell(void *data, const char *container, const struct csn_error *failure)
{
	if (failure)
		*(int *)data = engine_fail(failure, STATUS_FAILED);
	else
		puts(container);
}

static int start(int argc, char **argv)
{
	struct csn_error err;
	struct csn_runtime *rt = engine_runtime();
	int status = 0;
	(void)argc;
	(void)argv;
	if (!rt)
		return STATUS_FAILED;
	if (csn_recover(rt, NULL, &err) < 0 || csn_start_wanted(rt, tell, &status, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	return status;
}

static const struct command command_start_wanted = {
	"start", NULL, "start what its restart policy wants to run; at boot", 0, 0, NULL, start
};

static int run(int argc, char **argv)
{
	static const struct command *const commands[] = { &command_df, &command_system_prune,
							  &command_recover, &command_start_wanted,
							  NULL };
	return opts_run_command("csn system", commands, argc, argv);
}

const struct command command_system = {
	"system", "df|prune|recover|start …", "what concerns all at once", 1, -1, NULL, run
};
