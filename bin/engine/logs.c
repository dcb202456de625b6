/* csn logs: what a container wrote, standard output to ours and standard error to ours. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bin/engine/engine.h"

static const char *tail = "all", *format = "table", *since, *until;
static bool follow, timestamps;

static const struct opt options[] = {
	{ 'f', "follow", NULL, "wait for more until the container ends", OPT_FLAG, &follow },
	{ 'n', "tail", "LINES", "only the last so many lines (all)", OPT_TEXT, &tail },
	{ 0, "since", "TIME",
	  "only what was written since then: RFC 3339, seconds since 1970, or \"10m\" ago",
	  OPT_TEXT, &since },
	{ 0, "until", "TIME", "only what was written until then", OPT_TEXT, &until },
	{ 't', "timestamps", NULL, "put the time in front of each line", OPT_FLAG, &timestamps },
	{ 0, "format", "FORMAT", "table (plain text) or json (a line an object)", OPT_TEXT,
	  &format },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

/* "all", or a number of lines. */
static int parse_tail(int64_t *ret)
{
	char *end;
	errno = 0;
	long long n = strtoll(tail, &end, 10);
	if (strcmp(tail, "all") == 0)
		n = -1;
	else if (errno || end == tail || *end || n < 0)
		return engine_fail_text(STATUS_FAILED,
					"--tail: expected a number or \"all\", not \"%s\"", tail);
	*ret = n;
	return 0;
}

static int write_json(const struct csn_log_line *line)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	print_json_time(&o, "time", line->time_ns);
	json_put_string(&o, "stream", line->stream == CSN_STREAM_STDERR ? "stderr" : "stdout");
	json_put_bytes(&o, "text", line->text ? line->text : "", line->length);
	json_put_bool(&o, "partial", line->partial);
	json_close_object(&o);
	return print_json(&o);
}

static int write_line(const struct csn_log_line *line, bool json)
{
	FILE *to = line->stream == CSN_STREAM_STDERR ? stderr : stdout;
	/* Who sends both to one place wants them in their order. */
	if (to == stderr)
		(void)fflush(stdout);
	char when[48];

	if (json)
		return write_json(line);
	if (timestamps) {
		print_time(when, sizeof when, line->time_ns);
		fprintf(to, "%s ", when);
	}
	(void)fwrite(line->text, 1, line->length, to);
	if (!line->partial)
		fputc('\n', to);
	return ferror(to) ? STATUS_FAILED : 0;
}

static int print_lines(struct csn_logs *logs, bool json)
{
	struct csn_error err;
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	int r;

	/* What is there first, then out with it before waiting. */
	while ((r = csn_logs_next(logs, 0, &line, &err)) != 0) {
		if (r == -EAGAIN) {
			if (fflush(stdout) != 0)
				return 0;
			r = csn_logs_next(logs, -1, &line, &err);
			if (r == 0)
				break;
		}
		if (r < 0)
			return engine_fail(&err, STATUS_FAILED);
		/* A reader that went away is no failure of ours. */
		if (write_line(&line, json) != 0)
			return errno == EPIPE ? 0 : STATUS_FAILED;
	}
	return 0;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_logs *logs = NULL;
	struct csn_logs_options o = CSN_LOGS_OPTIONS_INIT;
	bool json;
	(void)argc;

	if (print_format(format, &json) < 0 || parse_tail(&o.tail) != 0 ||
	    when_parse("--since", since, &o.since_ns) || when_parse("--until", until, &o.until_ns))
		return STATUS_FAILED;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	o.follow = follow;
	if (csn_container_logs(rt, argv[0], &o, &logs, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	int status = print_lines(logs, json);
	csn_logs_close(logs);
	return status;
}

const struct command command_logs = { "logs",	   "CONTAINER", "show what a container wrote", 1, 1,
				      get_options, run };
