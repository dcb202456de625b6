/* csn load: images from an OCI layout, an OCI archive or a docker-archive. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bin/engine/engine.h"

static const char *input, *name, *platform, *format = "table";
static bool quiet;

static const struct opt options[] = {
	{ 'i', "input", "FILE", "archive or directory; -: standard input", OPT_TEXT, &input },
	{ 0, "name", "NAME[:TAG]", "name it this instead of what the archive says", OPT_TEXT,
	  &name },
	{ 0, "platform", "OS/ARCH", "choose this one of several (the host's)", OPT_TEXT,
	  &platform },
	{ 'q', "quiet", NULL, "no progress", OPT_FLAG, &quiet },
	{ 0, "format", "FORMAT", "table or json", OPT_TEXT, &format },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int print_loaded(const struct csn_images *images, bool json)
{
	struct json_out o = JSON_OUT_INDENT("  ");
	if (json)
		json_open_array(&o, NULL);
	for (size_t i = 0; i < csn_images_count(images); i++) {
		if (json)
			print_image_json(&o, csn_images_get(images, i));
		else
			printf("Loaded image: %s\n",
			       print_reference(csn_images_get(images, i)->reference));
	}
	if (!json)
		return 0;
	json_close_array(&o);
	return print_json(&o);
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_images *images = NULL;
	struct csn_image_load_options o = CSN_IMAGE_LOAD_OPTIONS_INIT;
	char last_layer[80] = "";
	bool json;

	if (print_format(format, &json) < 0)
		return STATUS_FAILED;
	if (argc > 0 && input)
		return engine_fail_text(STATUS_FAILED, "load: both --input and a file given");
	const char *file = argc > 0 ? argv[0] : input ? input : "-";
	if (strcmp(file, "-") == 0 && isatty(STDIN_FILENO))
		return engine_fail_text(STATUS_FAILED,
					"load: expected a file, or an archive on standard input");
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;

	o.file = strcmp(file, "-") == 0 ? NULL : file;
	o.fd = STDIN_FILENO;
	o.name = name;
	o.platform = platform;
	o.progress = quiet ? NULL : print_progress;
	o.progress_data = last_layer;
	if (csn_image_load(rt, &o, &images, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	int status = print_loaded(images, json);
	csn_images_free(images);
	return status;
}

const struct command command_load = {
	"load", "[FILE|-]", "load images from an OCI or docker archive", 0, 1, get_options, run
};
