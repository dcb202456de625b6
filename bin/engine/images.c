/* csn images: what can be run. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "bin/engine/engine.h"
#include "bin/out.h"

static const char *format = "table";
static bool quiet;

static const struct opt options[] = {
	{ 0, "format", "FORMAT", "table or json", OPT_TEXT, &format },
	{ 'q', "quiet", NULL, "print ids only", OPT_FLAG, &quiet },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

/* "2 weeks ago" of an RFC 3339 time; "" when the image has none. */
static void print_age(char *buf, size_t size, const char *created)
{
	struct tm tm = { 0 };
	char duration[40];

	buf[0] = '\0';
	if (!strptime(created, "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	print_duration(duration, sizeof duration, print_now() - (int64_t)timegm(&tm) * 1000000000);
	(void)snprintf(buf, size, "%s ago", duration);
}

static void print_table(const struct csn_images *images)
{
	static const char *const heads[] = { "IMAGE", "ID", "CREATED", "SIZE" };
	struct out_table t = { .columns = COUNT(heads) };
	out_table_row(&t, heads);
	for (size_t i = 0; i < csn_images_count(images); i++) {
		const struct csn_image_info *image = csn_images_get(images, i);
		const char *hex = strchr(image->id, ':');
		char id[16], age[48], size[24];
		(void)snprintf(id, sizeof id, "%.12s", hex ? hex + 1 : image->id);
		print_age(age, sizeof age, image->created);
		print_size(size, sizeof size, image->size_bytes);
		out_table_add(&t, print_reference(image->reference));
		out_table_add(&t, id);
		out_table_add(&t, age);
		out_table_add(&t, size);
	}
	out_table_print(&t);
}

static int print_all(const struct csn_images *images)
{
	struct json_out o = JSON_OUT_INDENT("  ");
	json_open_array(&o, NULL);
	for (size_t i = 0; i < csn_images_count(images); i++)
		print_image_json(&o, csn_images_get(images, i));
	json_close_array(&o);
	return print_json(&o);
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_images *images = NULL;
	int status = 0;
	bool json;
	(void)argc;
	(void)argv;

	if (print_format(format, &json) < 0)
		return STATUS_FAILED;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_image_list(rt, &images, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (quiet)
		for (size_t i = 0; i < csn_images_count(images); i++)
			puts(csn_images_get(images, i)->id);
	else if (json)
		status = print_all(images);
	else
		print_table(images);
	csn_images_free(images);
	return status;
}

const struct command command_images = { "images", NULL, "list images", 0, 0, get_options, run };
