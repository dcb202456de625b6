/*
 * caisson runtime: the command line by which a host agent drives an external runtime. Its verbs are
 * those of the OCI command line with what such an agent needs beside: create has a log for the
 * container's output and leaves somebody who sees its end, state is one line with the exit code,
 * events --stats has its numbers where the agent looks for them. --state-root is --root.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "bin/oci/oci.h"
#include "bin/oci/supervise.h"

/* ---- create ------------------------------------------------------------------------------------
 */

static struct host_create create_args = HOST_CREATE_INIT;
static const char *output;

static const struct opt create_options[] = {
	{ 'b', "bundle", "DIR", "directory that holds config.json (.)", OPT_TEXT,
	  &create_args.bundle },
	{ 0, "log", "FILE", "append the container's output to FILE (it is dropped)", OPT_TEXT,
	  &output },
	{ 0, "pid-file", "FILE", "write the pid there", OPT_TEXT, &create_args.pid_file },
	{ 0 },
};

static const struct opt *get_create_options(void)
{
	return create_options;
}

static int run_create(int argc, char **argv)
{
	struct csn_error err = { 0 };
	(void)argc;
	int status = oci_need_guard();
	if (status)
		return status;
	create_args.id = argv[0];
	return supervised_create(&create_args, output, &err) < 0 ? oci_fail(&err, 1) : 0;
}

static const struct command command_contract_create = {
	"create",	    "CONTAINER", "create a container; start runs its program", 1, 1,
	get_create_options, run_create
};

/* ---- state -------------------------------------------------------------------------------------
 */

/* What of its end is known, as members before the document's last brace. */
static void put_end(struct json_out *o, const struct supervised_end *end)
{
	json_open_object(o, NULL);
	json_put_i64(o, "exitCode", end->known ? end->exit_code : 255);
	json_put_string(o, "exitReason",
			!end->known	 ? "runtime_error"
			: end->signal[0] ? "signal"
					 : "exited");
	if (end->signal[0])
		json_put_string(o, "exitSignal", end->signal);
	if (end->finished_at[0])
		json_put_string(o, "finishedAt", end->finished_at);
	json_close_object(o);
}

/* {a} and {b} as one object. */
static int print_joined(const char *a, const char *b)
{
	bool comma = strcmp(a, "{}") != 0 && strcmp(b, "{}") != 0;
	if (printf("%.*s%s%s\n", (int)strlen(a) - 1, a, comma ? "," : "", b + 1) < 0)
		return 1;
	return fflush(stdout) != 0;
}

static int run_state(int argc, char **argv)
{
	struct csn_error err;
	struct record record AUTO(record_done) = { 0 };
	struct supervised_end end = { 0 };
	struct json_out o = JSON_OUT_COMPACT;
	enum status status;
	auto_mem char *text = NULL, *more = NULL;
	int r = 0;
	(void)argc;

	int need = oci_need_root();
	if (need)
		return need;
	if (host_state(oci_context(), argv[0], &record, &status, &err) < 0 ||
	    state_document(&record, status, true, &text, &err) < 0)
		return oci_fail(&err, 1);
	if (status == STATUS_STOPPED)
		r = supervised_outcome(argv[0], &end, &err);
	if (r < 0)
		return oci_fail(&err, 1);
	if (r == 0)
		return puts(text) < 0 || fflush(stdout) != 0;
	put_end(&o, &end);
	if (json_out_take(&o, &more, &err) < 0)
		return oci_fail(&err, 1);
	return print_joined(text, more);
}

static const struct command command_contract_state = {
	"state", "CONTAINER", "print the state of a container on one line", 1, 1, NULL, run_state
};

/* ---- exec --------------------------------------------------------------------------------------
 */

/* CONTAINER -- COMMAND …: everything behind the dashes is the command's. */
static int run_exec(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--") == 0) {
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	return command_exec.run(argc, argv);
}

static const struct opt *get_exec_options(void)
{
	return command_exec.options();
}

static const struct command command_contract_exec = { "exec",
						      "CONTAINER [--] COMMAND [ARGUMENT…]",
						      "run one more process in a container",
						      2,
						      -1,
						      get_exec_options,
						      run_exec };

/* ---- events ------------------------------------------------------------------------------------
 */

/* runc's event, with what is in "data" also on the outside. */
static int print_event(void *data, const char *json)
{
	static const char stats[] = "{\"type\":\"stats\"", inside[] = "\"data\":{";
	const char *at = strstr(json, inside);
	(void)data;
	if (strncmp(json, stats, sizeof stats - 1) != 0 || !at)
		return puts(json) < 0 || fflush(stdout) != 0;
	/* {…,"data":{…}}: from its brace to before the last one. */
	at += sizeof inside - 2;
	int size = (int)strlen(at) - 1;
	bool comma = size > 2;
	return printf("%.*s%s%.*s\n", (int)strlen(json) - 1, json, comma ? "," : "", size - 1,
		      at + 1) < 0 ||
	       fflush(stdout) != 0;
}

static int run_events(int argc, char **argv)
{
	(void)argc;
	return events_show(argv[0], print_event);
}

static const struct command command_contract_events = {
	"events",	"CONTAINER", "show statistics and OOM events of a container", 1, 1,
	events_options, run_events
};

/* ---- the verbs ---------------------------------------------------------------------------------
 */

const struct command *const contract_commands[] = {
	&command_contract_create,
	&command_delete,
	&command_contract_events,
	&command_contract_exec,
	&command_kill,
	&command_start,
	&command_contract_state,
	NULL,
};

static const char *state_root;

static const struct opt options[] = {
	{ 0, "state-root", "DIR", "directory for the state of containers (that of --root)",
	  OPT_TEXT, &state_root },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	if (state_root && oci_set_root(state_root, &err) < 0)
		return oci_fail(&err, 1);
	return opts_run_command("caisson runtime", contract_commands, argc, argv);
}

const struct command command_runtime = { "runtime",
					 "create|delete|events|exec|kill|start|state …",
					 "be an agent's runtime",
					 1,
					 -1,
					 get_options,
					 run };
