/* caisson-image: images and archives out of containers. */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/image.h"

static struct {
	const char *base, *author, *comment, *created_by;
	struct opt_list given, changes, skip;
	int count;
} arg = { .created_by = "caisson commit" };

static char *const *texts(const struct opt_list *l)
{
	return (char *const *)(uintptr_t)l->items;
}

/* As save, the archive goes to the descriptor 0. */
static int run_export(struct image_store *s, char **argv, struct image_list *ret,
		      struct csn_error *err)
{
	const struct image_events events = standard_events();

	(void)ret;
	return image_export(s, image_root(), argv, (size_t)arg.count, STDIN_FILENO, &events, err);
}

static int cmd_export(int argc, char **argv)
{
	arg.count = argc;
	return with_store(run_export, argv);
}

static int run_commit(struct image_store *s, char **argv, struct image_list *ret,
		      struct csn_error *err)
{
	const struct image_commit c = {
		.tree = STDIN_FILENO,
		.base = arg.base,
		.name = argv[0],
		.created_by = arg.created_by,
		.author = arg.author,
		.comment = arg.comment,
		.given = arg.given.items,
		.given_count = arg.given.count,
		.changes = arg.changes.items,
		.changes_count = arg.changes.count,
		.skip = texts(&arg.skip),
		.skip_count = arg.skip.count,
		.events = standard_events(),
	};

	return image_commit(s, &c, ret, err);
}

static int cmd_commit(int argc, char **argv)
{
	(void)argc;
	if (!arg.base) {
		struct csn_error err;
		(void)fail(&err, EINVAL, "commit: --base is missing");
		return line_error(&err);
	}
	int status = with_store(run_commit, argv);
	opt_list_free(&arg.given);
	opt_list_free(&arg.changes);
	opt_list_free(&arg.skip);
	return status;
}

static const struct opt *commit_options(void)
{
	static const struct opt rows[] = {
		{ 0, "base", "DIGEST", "manifest of the image that it was made from", OPT_TEXT,
		  &arg.base },
		{ 0, "author", "TEXT", "who made it", OPT_TEXT, &arg.author },
		{ 0, "comment", "TEXT", "words for the history", OPT_TEXT, &arg.comment },
		{ 0, "created-by", "TEXT", "the command, for the history", OPT_TEXT,
		  &arg.created_by },
		{ 0, "given", "INSTRUCTION", "what the container was given; may be repeated",
		  OPT_LIST, &arg.given },
		{ 0, "change", "INSTRUCTION", "as in a Dockerfile; may be repeated", OPT_LIST,
		  &arg.changes },
		{ 0, "skip", "PATH", "where something was mounted; may be repeated", OPT_LIST,
		  &arg.skip },
		{ 0 },
	};
	return rows;
}

const struct command image_export_command = {
	"export", "LAYER…",   "write the file system of these layers to the descriptor 0", 1, -1,
	NULL,	  cmd_export,
};
const struct command image_commit_command = {
	"commit",	"NAME",	    "make an image of what the descriptor 0 has changed", 1, 1,
	commit_options, cmd_commit,
};
