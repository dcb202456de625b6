/* csn image: ls, inspect, history, verify, prune; and tag and save, which have names of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
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

struct step {
	char *created, *created_by, *comment;
	bool empty_layer;
};

struct facts {
	struct {
		struct {
			struct step *items;
			size_t count;
		} history;
	} config;
	struct {
		struct {
			struct layer {
				uint64_t size;
			} * items;
			size_t count;
		} layers;
	} manifest;
};

static const struct json_field step_fields[] = {
	{ "created", decode_text, offsetof(struct step, created) },
	{ "created_by", decode_text, offsetof(struct step, created_by) },
	{ "comment", decode_text, offsetof(struct step, comment) },
	{ "empty_layer", decode_bool, offsetof(struct step, empty_layer) },
	{ 0 }
};
static const struct json_elements steps = { .element_size = sizeof(struct step),
					    .decode = decode_object,
					    .detail = step_fields };
static const struct json_field config_fields[] = { { "history", decode_array, 0, &steps }, { 0 } };
static const struct json_field layer_fields[] = { { "size", decode_u64, 0 }, { 0 } };
static const struct json_elements layers = { .element_size = sizeof(struct layer),
					     .decode = decode_object,
					     .detail = layer_fields };
static const struct json_field manifest_fields[] = { { "layers", decode_array, 0, &layers },
						     { 0 } };
static const struct json_field facts_fields[] = {
	{ "config", decode_object, offsetof(struct facts, config), config_fields },
	{ "manifest", decode_object, offsetof(struct facts, manifest), manifest_fields },
	{ 0 }
};

/* Sizes are those of the layers as stored. The last step first, as everybody shows it. */
static void print_history(const struct facts *f)
{
	static const char *const heads[] = { "CREATED", "CREATED BY", "SIZE", "COMMENT" };
	struct out_table t = { .columns = COUNT(heads) };
	size_t layer = 0, count = f->config.history.count;
	auto_mem uint64_t *sizes = calloc(count + 1, sizeof *sizes);

	for (size_t i = 0; sizes && i < count; i++)
		if (!f->config.history.items[i].empty_layer && layer < f->manifest.layers.count)
			sizes[i] = f->manifest.layers.items[layer++].size;
	for (size_t i = 0; i < COUNT(heads); i++)
		out_table_add(&t, heads[i]);
	for (size_t i = count; sizes && i-- > 0;) {
		const struct step *s = &f->config.history.items[i];
		char size[24];
		print_size(size, sizeof size, sizes[i]);
		out_table_add(&t, s->created ? s->created : "");
		out_table_add(&t, s->created_by ? s->created_by : "");
		out_table_add(&t, size);
		out_table_add(&t, s->comment ? s->comment : "");
	}
	out_table_print(&t);
}

static int run_history(int argc, char **argv)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	auto_mem char *text = NULL;
	struct facts f = { 0 };
	struct csn_error err;
	struct csn_runtime *rt = engine_runtime();

	(void)argc;
	if (!rt)
		return STATUS_FAILED;
	if (csn_image_inspect(rt, argv[0], &text, &err) < 0 ||
	    json_decode(text, strlen(text), argv[0], facts_fields, &f, &arena, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	print_history(&f);
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

/* ---- save ------------------------------------------------------------------------------------ */

static const char *output;

static const struct opt *save_options(void)
{
	static const struct opt rows[] = {
		{ 'o', "output", "FILE", "write there, not to standard output", OPT_TEXT, &output },
		{ 0 },
	};
	return rows;
}

static int run_save(int argc, char **argv)
{
	struct csn_runtime *rt = engine_runtime();
	struct csn_error err;

	(void)argc; /* argv ends with NULL */
	if (!rt)
		return STATUS_FAILED;
	if (!output && isatty(STDOUT_FILENO))
		return engine_fail_text(STATUS_FAILED,
					"save: an archive does not go to a terminal; use --output");
	auto_fd fd = output ? open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
			    : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return engine_fail_text(STATUS_FAILED, "save: open %s: %s",
					output ? output : "standard output", strerror(errno));
	if (csn_image_save(rt, (const char *const *)argv, fd, &err) == 0)
		return 0;
	/* Half an archive is worse than none. */
	if (output)
		(void)unlink(output);
	return engine_fail(&err, STATUS_FAILED);
}

const struct command command_save = { "save",	    "IMAGE…", "write images to an archive", 1, -1,
				      save_options, run_save };
