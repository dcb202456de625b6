/* csn image: ls, inspect, history, verify, prune; and tag, which has a name of its own. */
#include <stdio.h>

#include "base/cleanup.h"
#include "bin/engine/engine.h"
#include "bin/out.h"

/* ---- inspect --------------------------------------------------------------------------------- */

static int run_inspect(int argc, char **argv)
{
	struct csn_runtime *rt = engine_runtime();
	struct csn_error err;
	int status = 0;

	if (!rt)
		return STATUS_FAILED;
	putchar('[');
	for (int i = 0, shown = 0; i < argc; i++) {
		auto_mem char *text = NULL;
		if (csn_image_inspect(rt, argv[i], &text, &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else
			printf("%s\n%s", shown++ ? "," : "", text);
	}
	puts("\n]");
	return status;
}

/* ---- history --------------------------------------------------------------------------------- */

/* Sizes are those of the layers as stored. */
static void print_history(const struct csn_history *history)
{
	static const char *const heads[] = { "CREATED", "CREATED BY", "SIZE", "COMMENT" };
	struct out_table t = { .columns = COUNT(heads) };

	out_table_row(&t, heads);
	for (size_t i = 0; i < csn_history_count(history); i++) {
		const struct csn_history_step *s = csn_history_get(history, i);
		char size[24];
		print_size(size, sizeof size, s->size_bytes);
		out_table_add(&t, s->created);
		out_table_add(&t, s->created_by);
		out_table_add(&t, size);
		out_table_add(&t, s->comment);
	}
	out_table_print(&t);
}

static int run_history(int argc, char **argv)
{
	struct csn_history *history = NULL;
	struct csn_error err;
	struct csn_runtime *rt = engine_runtime();

	(void)argc;
	if (!rt)
		return STATUS_FAILED;
	if (csn_image_history(rt, argv[0], &history, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	print_history(history);
	csn_history_free(history);
	return 0;
}

/* ---- verify ---------------------------------------------------------------------------------- */

static int verify_one(struct csn_runtime *rt, const char *image)
{
	struct csn_error err;

	if (csn_image_verify(rt, image, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	printf("%s: as it should be\n", image);
	return 0;
}

static int run_verify(int argc, char **argv)
{
	struct csn_runtime *rt = engine_runtime();
	struct csn_images *all = NULL;
	struct csn_error err;
	int status = 0;

	if (!rt)
		return STATUS_FAILED;
	for (int i = 0; i < argc; i++)
		status = verify_one(rt, argv[i]) ? STATUS_FAILED : status;
	if (argc > 0)
		return status;
	if (csn_image_list(rt, &all, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	for (size_t i = 0; i < csn_images_count(all); i++)
		status = verify_one(rt, csn_images_get(all, i)->reference) ? STATUS_FAILED : status;
	csn_images_free(all);
	return status;
}

/* ---- prune ----------------------------------------------------------------------------------- */

static bool prune_all;

static const struct opt *prune_options(void)
{
	static const struct opt rows[] = {
		{ 'a', "all", NULL, "also images that no container is made from", OPT_FLAG,
		  &prune_all },
		{ 0 },
	};
	return rows;
}

static int run_prune(int argc, char **argv)
{
	struct csn_runtime *rt = engine_runtime();
	struct csn_images *removed = NULL;
	struct csn_error err;

	(void)argc, (void)argv;
	if (!rt)
		return STATUS_FAILED;
	if (csn_image_prune(rt, prune_all, &removed, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	for (size_t i = 0; i < csn_images_count(removed); i++)
		puts(csn_images_get(removed, i)->reference);
	csn_images_free(removed);
	return 0;
}

/* ---- image ----------------------------------------------------------------------------------- */

static int run_ls(int argc, char **argv)
{
	return command_images.run(argc, argv);
}

static const struct opt *ls_options(void)
{
	return command_images.options();
}

static const struct command ls = { "ls", NULL, "list images", 0, 0, ls_options, run_ls };
static const struct command inspect = { "inspect", "IMAGE…",   "print manifests and configs", 1, -1,
					NULL,	   run_inspect };
static const struct command history = { "history", "IMAGE",    "print how it was built", 1, 1,
					NULL,	   run_history };
static const struct command verify = { "verify",  "[IMAGE…]", "check blobs and unpacked layers",
				       0,	  -1,	      NULL,
				       run_verify };
static const struct command prune = { "prune",	     NULL,     "free what no image needs", 0, 0,
				      prune_options, run_prune };
static const struct command *const subcommands[] = {
	&history, &inspect, &ls, &prune, &verify, NULL
};

static int run_image(int argc, char **argv)
{
	return opts_run_command("csn image", subcommands, argc, argv);
}

const struct command command_image = {
	"image", "history|inspect|ls|prune|verify …", "look after images", 1, -1, NULL, run_image
};

/* ---- tag ------------------------------------------------------------------------------------- */

static int run_tag(int argc, char **argv)
{
	struct csn_runtime *rt = engine_runtime();
	struct csn_error err;
	int status = 0;

	if (!rt)
		return STATUS_FAILED;
	for (int i = 1; i < argc; i++)
		if (csn_image_tag(rt, argv[0], argv[i], &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
	return status;
}

const struct command command_tag = { "tag", "IMAGE NAME…", "give an image another name", 2, -1,
				     NULL,  run_tag };
