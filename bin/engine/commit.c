/* csn commit: an image out of a container. */
#include <stdio.h>

#include "bin/engine/engine.h"

static const char *author, *comment;
static struct opt_list changes;
static bool pause_it = true;

static const struct opt options[] = {
	{ 'a', "author", "TEXT", "who made it", OPT_TEXT, &author },
	{ 'c', "change", "INSTRUCTION", "as in a Dockerfile, such as 'CMD [\"sh\"]'", OPT_LIST,
	  &changes },
	{ 'm', "message", "TEXT", "words for the history", OPT_TEXT, &comment },
	{ 'p', "pause", NULL, "pause the container meanwhile (true)", OPT_FLAG, &pause_it },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_commit_options o = CSN_COMMIT_OPTIONS_INIT;
	struct csn_images *images = NULL;
	struct csn_error err;
	struct csn_runtime *rt = engine_runtime();

	(void)argc;
	if (!rt)
		return STATUS_FAILED;
	o.name = argv[1];
	o.author = author;
	o.comment = comment;
	o.changes = changes.items;
	o.pause = pause_it;
	if (csn_container_commit(rt, argv[0], &o, &images, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	for (size_t i = 0; i < csn_images_count(images); i++)
		puts(csn_images_get(images, i)->id);
	csn_images_free(images);
	return 0;
}

const struct command command_commit = { "commit",
					"CONTAINER NAME[:TAG]",
					"make an image of what a container changed",
					2,
					2,
					get_options,
					run };
