/* caisson-image: what is done with images that are in the store. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/image.h"

static int run_tag(struct image_store *s, char **argv, struct image_list *ret,
		   struct csn_error *err)
{
	const struct image_events events = standard_events();

	return image_tag(s, argv[0], argv[1], &events, ret, err);
}

static int cmd_tag(int argc, char **argv)
{
	(void)argc;
	return with_store(run_tag, argv);
}

static int run_verify(struct image_store *s, char **argv, struct image_list *ret,
		      struct csn_error *err)
{
	const struct image_events events = standard_events();

	return image_verify(s, argv[0], &events, ret, err);
}

static int cmd_verify(int argc, char **argv)
{
	(void)argc;
	return with_store(run_verify, argv);
}

static int run_inspect(struct image_store *s, char **argv, struct image_list *ret,
		       struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *document = NULL;

	(void)ret;
	TRY(image_inspect(s, argv[0], &document, err));
	line_open(&o, "document");
	json_put_string(&o, "document", document);
	line_end(&o);
	return 0;
}

static int run_usage(struct image_store *s, char **argv, struct image_list *ret,
		     struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *document = NULL;

	(void)argv, (void)ret;
	TRY(image_usage(s, &document, err));
	line_open(&o, "document");
	json_put_string(&o, "document", document);
	line_end(&o);
	return 0;
}

static int cmd_usage(int argc, char **argv)
{
	(void)argc;
	return with_store(run_usage, argv);
}

static int cmd_inspect(int argc, char **argv)
{
	(void)argc;
	return with_store(run_inspect, argv);
}

/* The archive goes to standard input's descriptor, which whoever started us opened for writing:
 * standard output has the lines. */
static int save_count;

static int run_save(struct image_store *s, char **argv, struct image_list *ret,
		    struct csn_error *err)
{
	const struct image_events events = standard_events();

	return image_save(s, argv, (size_t)save_count, STDIN_FILENO, &events, ret, err);
}

static int cmd_save(int argc, char **argv)
{
	save_count = argc;
	return with_store(run_save, argv);
}

const struct command image_tag_command = {
	"tag", "NAME NEW-NAME", "give an image another name", 2, 2, NULL, cmd_tag,
};
const struct command image_verify_command = {
	"verify", "NAME", "check blobs and unpacked layers", 1, 1, NULL, cmd_verify,
};
const struct command image_inspect_command = {
	"inspect", "NAME", "print what is known of an image", 1, 1, NULL, cmd_inspect,
};
const struct command image_usage_command = {
	"usage", "", "print what takes how much room", 0, 0, NULL, cmd_usage,
};
const struct command image_save_command = {
	"save", "NAME…", "write an archive to the descriptor 0", 1, -1, NULL, cmd_save,
};
