/*
 * caisson-image: work on images, for csn and host agents that start it as a process.
 *
 * It speaks JSON lines on standard output (lib/image/image.h has the format) and ends with a result
 * or an error. It keeps the "C" locale, so that names in archives stay the bytes they are, and has
 * umask 0, since modes come from archives. SIGINT, SIGTERM and SIGHUP end it tidily.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "bin/image.h"

static const char program[] = "caisson-image";

static volatile sig_atomic_t got_signal;

static struct {
	const char *root;
	const char *name;
	const char *platform;
	bool no_sync, no_sandbox, downloads;
	const char *comment;
	struct opt_list keep, changes;
} arg;

/* ---- JSON lines ------------------------------------------------------------------------------ */

/* One write per line, so that a reader never sees half of one. */
void line_end(struct json_out *o)
{
	struct csn_error err;
	auto_mem char *text = NULL;

	json_close_object(o);
	if (json_out_take(o, &text, &err) < 0) {
		log_line(LOG_LEVEL_ERROR, "%s", err.text);
		return;
	}
	size_t size = strlen(text);
	text[size] = '\n'; /* in place of the NUL */
	/* Nobody is there any more to whom it matters. */
	if (write_all(STDOUT_FILENO, text, size + 1) == -EPIPE)
		got_signal = SIGPIPE;
}

void line_open(struct json_out *o, const char *type)
{
	json_open_object(o, NULL);
	json_put_string(o, "type", type);
}

void line_progress(const char *layer, const char *action, uint64_t bytes, uint64_t total)
{
	struct json_out o = JSON_OUT_COMPACT;

	line_open(&o, "progress");
	json_put_string(&o, "layer", layer);
	json_put_u64(&o, "bytes", bytes);
	json_put_u64(&o, "total", total);
	if (action)
		json_put_string(&o, "action", action);
	line_end(&o);
}

static void print_progress(void *data, const char *layer, uint64_t bytes, uint64_t total)
{
	(void)data;
	line_progress(layer, NULL, bytes, total);
}

static void print_warning(void *data, const char *text)
{
	struct json_out o = JSON_OUT_COMPACT;

	(void)data;
	line_open(&o, "warning");
	json_put_string(&o, "warning", text);
	line_end(&o);
}

int line_error(const struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;

	line_open(&o, "error");
	json_put_string(&o, "error", err->text);
	json_put_i64(&o, "code", err->code);
	line_end(&o);
	return 1;
}

static void put_images(struct json_out *o, const struct image_list *list)
{
	json_open_array(o, "images");
	for (size_t i = 0; i < list->count; i++) {
		const struct image_info *info = &list->items[i];
		json_open_object(o, NULL);
		json_put_string(o, "reference", info->reference);
		json_put_string(o, "digest", info->digest);
		json_put_string(o, "id", info->id);
		json_put_u64(o, "size", info->size);
		json_put_string(o, "created", info->created);
		json_put_string(o, "architecture", info->architecture);
		json_put_string(o, "os", info->os);
		json_close_object(o);
	}
	json_close_array(o);
}

static int print_result(const struct image_list *list)
{
	struct json_out o = JSON_OUT_COMPACT;

	line_open(&o, "result");
	put_images(&o, list);
	line_end(&o);
	return 0;
}

/* ---- commands -------------------------------------------------------------------------------- */

static void image_store_closep(struct image_store **s)
{
	image_store_close(*s);
}

static bool interrupted(void *data)
{
	(void)data;
	return got_signal != 0;
}

/* caisson-unpack, beside this program. */
static int use_unpacker(struct image_store *s, struct csn_error *err)
{
	static const char name[] = "caisson-unpack";
	char path[4096 + sizeof name];
	ssize_t n = readlink("/proc/self/exe", path, 4096);

	while (n > 0 && path[n - 1] != '/')
		n--;
	if (n <= 0)
		return fail_errno(err, "find %s", name);
	(void)strcpy(path + n, name);
	return image_store_confine(s, path, err);
}

static int open_store(struct image_store **ret, struct csn_error *err)
{
	if (!arg.root)
		return fail(err, EINVAL, "--root is missing");
	TRY(image_store_open(arg.root, ret, err));
	if (!arg.no_sandbox)
		TRY(use_unpacker(*ret, err));
	const struct image_events events = { print_progress, print_warning, interrupted, NULL };
	return image_settle(*ret, &events, err);
}

struct image_events standard_events(void)
{
	return (struct image_events){ .progress = print_progress,
				      .warning = print_warning,
				      .interrupted = interrupted };
}

static struct image_load load_request(const char *file, const char *name)
{
	return (struct image_load){
		.file = file,
		.name = name,
		.platform = arg.platform,
		.sync = !arg.no_sync,
		.events = standard_events(),
	};
}

const char *image_root(void)
{
	return arg.root;
}

/* Opens the store, runs one operation of it, prints the images that it gives. */
int with_store(int (*run)(struct image_store *s, char **argv, struct image_list *ret,
			  struct csn_error *err),
	       char **argv)
{
	AUTO(image_store_closep)
	struct image_store *s = NULL;
	AUTO(image_list_done)
	struct image_list list = { 0 };
	struct csn_error err = { 0 };

	if (open_store(&s, &err) < 0 || run(s, argv, &list, &err) < 0)
		return line_error(&err);
	return print_result(&list);
}

static int run_load(struct image_store *s, char **argv, struct image_list *ret,
		    struct csn_error *err)
{
	const struct image_load l = load_request(argv[0], arg.name);

	return image_load(s, &l, ret, err);
}

static int cmd_load(int argc, char **argv)
{
	(void)argc;
	return with_store(run_load, argv);
}

static int run_import(struct image_store *s, char **argv, struct image_list *ret,
		      struct csn_error *err)
{
	struct image_load l = load_request(argv[0], argv[1]);

	l.changes = arg.changes.items;
	l.changes_count = arg.changes.count;
	l.comment = arg.comment;
	return image_import(s, &l, ret, err);
}

static int cmd_import(int argc, char **argv)
{
	(void)argc;
	return with_store(run_import, argv);
}

static int run_list(struct image_store *s, char **argv, struct image_list *ret,
		    struct csn_error *err)
{
	(void)argv;
	return image_list(s, ret, err);
}

static int cmd_list(int argc, char **argv)
{
	(void)argc;
	return with_store(run_list, argv);
}

static int run_remove(struct image_store *s, char **argv, struct image_list *ret,
		      struct csn_error *err)
{
	return image_remove(s, argv[0], ret, err);
}

static int cmd_remove(int argc, char **argv)
{
	(void)argc;
	return with_store(run_remove, argv);
}

static int cmd_gc(int argc, char **argv)
{
	AUTO(image_store_closep)
	struct image_store *s = NULL;
	const struct image_list none = { 0 };
	struct json_out o = JSON_OUT_COMPACT;
	struct csn_error err = { 0 };
	size_t layers = 0, blobs = 0;

	(void)argc, (void)argv;
	if (open_store(&s, &err) < 0)
		return line_error(&err);
	if (arg.downloads)
		image_drop_downloads(s);
	int busy = image_gc(s, arg.keep.items, arg.keep.count, &layers, &blobs, &err);
	if (busy < 0)
		return line_error(&err);
	line_open(&o, "result");
	put_images(&o, &none);
	json_put_u64(&o, "layers_removed", layers);
	json_put_u64(&o, "blobs_removed", blobs);
	if (busy)
		json_put_bool(&o, "busy", true);
	line_end(&o);
	return 0;
}

static const struct opt *load_options(void)
{
	static const struct opt rows[] = {
		{ 0, "name", "NAME[:TAG]", "call the image so", OPT_TEXT, &arg.name },
		{ 0, "platform", "OS/ARCH[/VARIANT]", "take the image for this platform", OPT_TEXT,
		  &arg.platform },
		{ 0, "no-sync", NULL, "a power cut may leave half of it", OPT_FLAG, &arg.no_sync },
		{ 0 },
	};
	return rows;
}

static const struct opt *import_options(void)
{
	static const struct opt rows[] = {
		{ 0, "platform", "OS/ARCH[/VARIANT]", "what the image is for", OPT_TEXT,
		  &arg.platform },
		{ 0, "change", "INSTRUCTION", "as in a Dockerfile; may be repeated", OPT_LIST,
		  &arg.changes },
		{ 0, "comment", "TEXT", "words for the history", OPT_TEXT, &arg.comment },
		{ 0, "no-sync", NULL, "a power cut may leave half of it", OPT_FLAG, &arg.no_sync },
		{ 0 },
	};
	return rows;
}

static const struct opt *gc_options(void)
{
	static const struct opt rows[] = {
		{ 0, "keep", "LAYER", "keep this layer (layers/…/fs); may be repeated", OPT_LIST,
		  &arg.keep },
		{ 0, "downloads", NULL, "free parts of downloads, too", OPT_FLAG, &arg.downloads },
		{ 0 },
	};
	return rows;
}

static const struct command load_command = {
	"load", "FILE|-", "load an OCI layout or a docker archive", 1, 1, load_options, cmd_load,
};
static const struct command import_command = {
	"import",	"FILE|- NAME[:TAG]", "make an image of a root file system's tar file", 2, 2,
	import_options, cmd_import,
};
static const struct command list_command = {
	"list", "", "list the images", 0, 0, NULL, cmd_list,
};
static const struct command remove_command = {
	"remove", "NAME", "take an image's name away", 1, 1, NULL, cmd_remove,
};
static const struct command gc_command = {
	"gc", "", "free what no image needs", 0, 0, gc_options, cmd_gc,
};

static const struct command *const commands[] = {
	&image_tag_command,	&image_verify_command, &image_inspect_command,
	&image_usage_command,	&image_save_command,   &image_export_command,
	&image_head_command,	&image_get_command,    &image_put_command,
	&image_changes_command, &image_commit_command, &image_pull_command,
	&image_push_command,	&image_login_command,  &image_logout_command,
	&load_command,		&import_command,       &list_command,
	&remove_command,	&gc_command,	       NULL,
};

/* ---- main ------------------------------------------------------------------------------------ */

static void on_signal(int sig)
{
	got_signal = sig;
}

static void set_up_process(void)
{
	const struct sigaction stop = { .sa_handler = on_signal };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct rlimit files;

	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
	(void)sigaction(SIGHUP, &stop, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)umask(0);
	/* Each layer keeps directories open, and may look into all layers below. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

int main(int argc, char **argv)
{
	static const struct opt globals[] = {
		{ 0, "root", "DIR", "directory of the image store", OPT_TEXT, &arg.root },
		{ 0, "no-sandbox", NULL, "for tests: unpack in this process", OPT_FLAG,
		  &arg.no_sandbox },
		{ 0 },
	};
	struct csn_error err;
	bool help = false;
	int first;

	if (opts_parse(globals, argc, argv, false, &first, &help, &err) < 0)
		return line_error(&err);
	if (help) {
		opts_print_program_help(program, "work on the image store", globals, commands);
		return 0;
	}
	set_up_process();
	int status = opts_run_command(program, commands, argc - first, argv + first);
	opt_list_free(&arg.keep);
	opt_list_free(&arg.changes);
	return status;
}
