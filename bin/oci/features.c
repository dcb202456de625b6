/* caisson features: what this build knows, as JSON. */
#include <stdio.h>

#include "base/cleanup.h"
#include "bin/oci/oci.h"

static int run(int argc, char **argv)
{
	struct csn_error err;
	auto_mem char *text = NULL;
	(void)argc;
	(void)argv;
	if (spec_features(&text, &err) < 0)
		return oci_fail(&err, 1);
	puts(text);
	return 0;
}

const struct command command_features = {
	"features", NULL, "print what this build supports as JSON", 0, 0, NULL, run
};
