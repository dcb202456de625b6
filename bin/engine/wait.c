/* csn wait: until containers have ended; prints how. */
#include <stdio.h>

#include "bin/engine/engine.h"

static const char *format = "table";
static int timeout = -1;

static const struct opt options[] = {
	{ 0, "timeout", "SECONDS", "give up after so long", OPT_INT, &timeout },
	{ 0, "format", "FORMAT", "table (the exit code) or json (a line an object)", OPT_TEXT,
	  &format },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int print_outcome(const struct csn_wait_outcome *o, bool json)
{
	if (!json) {
		printf("%d\n", o->exit_code);
		return 0;
	}
	struct json_out out = JSON_OUT_COMPACT;
	json_open_object(&out, NULL);
	json_put_i64(&out, "exit_code", o->exit_code);
	json_put_string(&out, "reason", csn_wait_reason_name(o->reason));
	json_put_string(&out, "signal", o->signal_name[0] ? o->signal_name : NULL);
	print_json_time(&out, "finished_at", o->finished_at_ns);
	if (o->error[0])
		json_put_string(&out, "error", o->error);
	json_close_object(&out);
	return print_json(&out);
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	int status = 0;
	bool json;

	if (print_format(format, &json) < 0)
		return STATUS_FAILED;
	if (timeout > 2000000)
		return engine_fail_text(STATUS_FAILED, "--timeout: expected at most 2000000");
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	for (int i = 0; i < argc; i++) {
		struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
		if (csn_container_wait(rt, argv[i], timeout < 0 ? -1 : timeout * 1000, &outcome,
				       &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else if (print_outcome(&outcome, json) != 0)
			status = STATUS_FAILED;
		(void)fflush(stdout);
	}
	return status;
}

const struct command command_wait = {
	"wait",	     "CONTAINER…", "wait until containers have ended and print how", 1, -1,
	get_options, run
};
