/* caisson spec: write a config.json to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "bin/oci/oci.h"

static const char *bundle = ".";
static bool rootless;

static const struct opt options[] = {
	{ 'b', "bundle", "DIR", "directory to write config.json to (.)", OPT_TEXT, &bundle },
	{ 0, "rootless", NULL, "with a user namespace", OPT_FLAG, &rootless },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	auto_mem char *text = NULL;
	(void)argc;
	(void)argv;

	if (spec_template(rootless, &text, &err) < 0)
		return oci_fail(&err, 1);
	auto_fd dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return oci_fail_text(1, "bundle \"%s\": %s", bundle, strerror(errno));
	auto_fd fd = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return oci_fail_text(
			1, "bundle \"%s\": config.json exists already: remove it first", bundle);
	if (fd < 0 || write_all(fd, text, strlen(text)) < 0)
		return oci_fail_text(1, "bundle \"%s\": config.json: %s", bundle, strerror(errno));
	return 0;
}

const struct command command_spec = { "spec",	   NULL, "write a config.json to begin with", 0, 0,
				      get_options, run };
