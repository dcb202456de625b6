/* csn inspect: everything known of containers, as a JSON array. */
#include <stdio.h>

#include "bin/engine/engine.h"

static const char *format = "json";

static const struct opt options[] = {
	{ 0, "format", "FORMAT", "json", OPT_TEXT, &format },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	int status = 0, count = 0;
	bool json;

	if (print_format(format, &json) < 0)
		return STATUS_FAILED;
	if (!json)
		return engine_fail_text(STATUS_FAILED, "inspect: prints json only");
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	fputs("[", stdout);
	for (int i = 0; i < argc; i++) {
		char *text = NULL;
		if (csn_container_inspect(rt, argv[i], &text, &err) < 0) {
			status = engine_fail(&err, STATUS_FAILED);
			continue;
		}
		printf("%s%s", count++ ? ",\n" : "", text);
		csn_free(text);
	}
	puts("]");
	return status;
}

const struct command command_inspect = {
	"inspect",   "CONTAINER…", "show everything known of containers, as JSON", 1, -1,
	get_options, run
};
