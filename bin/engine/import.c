/* csn import: an image of one layer from the tar archive of a root file system. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bin/engine/engine.h"

static const char *platform, *comment, *format = "table";
static struct opt_list changes;

static const struct opt options[] = {
	{ 'c', "change", "INSTRUCTION", "as in a Dockerfile, such as 'CMD [\"sh\"]'", OPT_LIST,
	  &changes },
	{ 'm', "message", "TEXT", "words for the history", OPT_TEXT, &comment },
	{ 0, "platform", "OS/ARCH", "what it is for (the host's)", OPT_TEXT, &platform },
	{ 0, "format", "FORMAT", "table or json", OPT_TEXT, &format },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_images *images = NULL;
	struct csn_image_load_options o = CSN_IMAGE_LOAD_OPTIONS_INIT;
	bool json;
	(void)argc;

	if (print_format(format, &json) < 0)
		return STATUS_FAILED;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	o.file = strcmp(argv[0], "-") == 0 ? NULL : argv[0];
	o.fd = STDIN_FILENO;
	o.name = argv[1];
	o.platform = platform;
	o.changes = changes.items;
	o.comment = comment;
	if (csn_image_import(rt, &o, &images, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);

	int status = 0;
	struct json_out out = JSON_OUT_INDENT("  ");
	if (json)
		json_open_array(&out, NULL);
	for (size_t i = 0; i < csn_images_count(images); i++) {
		if (json)
			print_image_json(&out, csn_images_get(images, i));
		else
			puts(csn_images_get(images, i)->id);
	}
	if (json) {
		json_close_array(&out);
		status = print_json(&out);
	}
	csn_images_free(images);
	return status;
}

const struct command command_import = { "import",
					"ROOTFS.tar|- NAME[:TAG]",
					"make an image from the tar archive of a root file system",
					2,
					2,
					get_options,
					run };
