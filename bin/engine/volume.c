/* csn volume: directories that outlive containers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/engine/engine.h"
#include "bin/out.h"
#include "caisson-volume.h"

/* ---- ls and inspect ---------------------------------------------------------------------------
 */

static const char *format = "table";
static bool quiet;

static const struct opt list_options[] = {
	{ 0, "format", "FORMAT", "table or json", OPT_TEXT, &format },
	{ 'q', "quiet", NULL, "print names only", OPT_FLAG, &quiet },
	{ 0 },
};

static const struct opt *get_list_options(void)
{
	return list_options;
}

static void print_table(const struct csn_volumes *volumes)
{
	static const char *const heads[] = { "VOLUME", "USED BY", "SIZE", "BUCKET", "PATH" };
	struct out_table t = { .columns = COUNT(heads) };
	out_table_row(&t, heads);
	for (size_t i = 0; i < csn_volumes_count(volumes); i++) {
		const struct csn_volume_info *v = csn_volumes_get(volumes, i);
		char used[40], size[32] = "";
		size_t users = 0;
		while (v->users[users])
			users++;
		if (users > 1)
			(void)snprintf(used, sizeof used, "%zu containers", users);
		else
			(void)snprintf(used, sizeof used, "%.12s", v->used_by);
		if (v->size_bytes)
			print_size(size, sizeof size, v->size_bytes);
		out_table_add(&t, v->name);
		out_table_add(&t, used);
		out_table_add(&t, size);
		out_table_add(&t, v->bucket);
		out_table_add(&t, v->path);
	}
	out_table_print(&t);
}

static void put_labels(struct json_out *o, const char *const *labels)
{
	json_open_object(o, "labels");
	for (; *labels; labels++) {
		auto_mem char *key = strndup(*labels, strcspn(*labels, "="));
		json_put_string(o, key ? key : "", *labels + strcspn(*labels, "=") + 1);
	}
	json_close_object(o);
}

static void put_volume(struct json_out *o, const struct csn_volume_info *v)
{
	json_open_object(o, NULL);
	json_put_string(o, "name", v->name);
	json_put_string(o, "path", v->path);
	json_open_array(o, "used_by");
	for (const char *const *u = v->users; *u; u++)
		json_put_string(o, NULL, *u);
	json_close_array(o);
	json_put_string(o, "created", v->created[0] ? v->created : NULL);
	put_labels(o, v->labels);
	if (v->size_bytes)
		json_put_u64(o, "size_bytes", v->size_bytes);
	else
		json_put_null(o, "size_bytes");
	json_put_bool(o, "anonymous", v->anonymous);
	if (v->bucket[0]) {
		json_open_object(o, "s3");
		json_put_string(o, "bucket", v->bucket);
		json_put_string(o, "prefix", v->prefix[0] ? v->prefix : NULL);
		json_put_string(o, "endpoint", v->endpoint[0] ? v->endpoint : NULL);
		json_close_object(o);
	}
	json_close_object(o);
}

static int print_all(const struct csn_volumes *volumes)
{
	struct json_out o = JSON_OUT_INDENT("  ");
	json_open_array(&o, NULL);
	for (size_t i = 0; i < csn_volumes_count(volumes); i++)
		put_volume(&o, csn_volumes_get(volumes, i));
	json_close_array(&o);
	return print_json(&o);
}

static int list(int argc, char **argv)
{
	struct csn_error err;
	struct csn_volumes *volumes = NULL;
	int status = 0;
	bool json;
	(void)argc;
	(void)argv;

	if (print_format(format, &json) < 0)
		return STATUS_FAILED;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_volume_list(rt, &volumes, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (quiet)
		for (size_t i = 0; i < csn_volumes_count(volumes); i++)
			puts(csn_volumes_get(volumes, i)->name);
	else if (json)
		status = print_all(volumes);
	else
		print_table(volumes);
	csn_volumes_free(volumes);
	return status;
}

static int inspect(int argc, char **argv)
{
	struct json_out o = JSON_OUT_INDENT("  ");
	struct csn_runtime *rt = engine_runtime();
	int status = 0;

	if (!rt)
		return STATUS_FAILED;
	json_open_array(&o, NULL);
	for (int i = 0; i < argc; i++) {
		struct csn_volumes *one = NULL;
		struct csn_error err;
		if (csn_volume_get(rt, argv[i], &one, &err) < 0) {
			status = engine_fail(&err, STATUS_FAILED);
			continue;
		}
		put_volume(&o, csn_volumes_get(one, 0));
		csn_volumes_free(one);
	}
	json_close_array(&o);
	int printed = print_json(&o);
	return status ? status : printed;
}

/* ---- create -----------------------------------------------------------------------------------
 */

static struct opt_list labels;
static struct csn_volume_s3 s3 = CSN_VOLUME_S3_INIT;

static const struct opt create_options[] = {
	{ 'l', "label", "KEY=VALUE", "set a label", OPT_LIST, &labels },
	{ 0, "s3-bucket", "BUCKET", "bring it to this bucket, and restore it from there", OPT_TEXT,
	  &s3.bucket },
	{ 0, "s3-prefix", "PREFIX", "of all keys in the bucket", OPT_TEXT, &s3.prefix },
	{ 0, "s3-endpoint", "URL", "of the S3 server (Amazon's)", OPT_TEXT, &s3.endpoint },
	{ 0, "s3-region", "REGION", "of the bucket ($AWS_REGION)", OPT_TEXT, &s3.region },
	{ 0, "s3-addressing", "STYLE", "path or virtual (path with an endpoint)", OPT_TEXT,
	  &s3.addressing },
	{ 0 },
};

static const struct opt *get_create_options(void)
{
	return create_options;
}

static int read_options(const char **list, struct csn_volume_options *ret, struct csn_error *err)
{
	for (size_t i = 0; i < labels.count; i++)
		list[i] = labels.items[i];
	ret->labels = list;
	if (!s3.bucket && (s3.prefix || s3.endpoint || s3.region || s3.addressing))
		return fail(err, EINVAL, "--s3-bucket: expected with the other --s3 options");
	ret->s3 = s3.bucket ? &s3 : NULL;
	return 0;
}

static int create(int argc, char **argv)
{
	struct csn_volume_options o = CSN_VOLUME_OPTIONS_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	const char **list = arena_array(&arena, labels.count + 1, sizeof *list);
	struct csn_error err;
	int status = 0;

	if (!list)
		return engine_fail_text(STATUS_FAILED, "out of memory");
	if (read_options(list, &o, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	for (int i = 0; i < argc; i++) {
		if (csn_volume_create(rt, argv[i], &o, &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else
			puts(argv[i]);
	}
	return status;
}

/* ---- rm and prune -----------------------------------------------------------------------------
 */

static bool all;

static const struct opt prune_options[] = {
	{ 'a', "all", NULL, "those with a name of their own too", OPT_FLAG, &all },
	{ 0 },
};

static const struct opt *get_prune_options(void)
{
	return prune_options;
}

static int remove_each(int argc, char **argv)
{
	return engine_each(argc, argv, csn_volume_remove);
}

static int prune(int argc, char **argv)
{
	struct csn_error err;
	struct csn_volumes *gone = NULL;
	struct csn_runtime *rt = engine_runtime();
	(void)argc;
	(void)argv;

	if (!rt)
		return STATUS_FAILED;
	if (csn_volume_prune(rt, all, &gone, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	for (size_t i = 0; i < csn_volumes_count(gone); i++)
		puts(csn_volumes_get(gone, i)->name);
	csn_volumes_free(gone);
	return 0;
}

/* ---- sync and restore -------------------------------------------------------------------------
 */

static bool force;

static const struct opt restore_options[] = {
	{ 'f', "force", NULL, "also when something is in it: that goes", OPT_FLAG, &force },
	{ 0 },
};

static const struct opt *get_restore_options(void)
{
	return restore_options;
}

static int sync_one(struct csn_runtime *rt, const char *name, struct csn_error *err)
{
	struct csn_volume_moved moved = CSN_VOLUME_MOVED_INIT;
	char bytes[32];
	TRY(csn_volume_sync(rt, name, &moved, err));
	print_size(bytes, sizeof bytes, moved.bytes);
	printf("%s: %llu entries, %llu sent (%s), %llu removed\n", name,
	       (unsigned long long)moved.files, (unsigned long long)moved.moved, bytes,
	       (unsigned long long)moved.removed);
	return 0;
}

static int restore_one(struct csn_runtime *rt, const char *name, struct csn_error *err)
{
	struct csn_volume_moved moved = CSN_VOLUME_MOVED_INIT;
	char bytes[32];
	TRY(csn_volume_restore(rt, name, force, &moved, err));
	print_size(bytes, sizeof bytes, moved.bytes);
	printf("%s: %llu entries, %llu fetched (%s)\n", name, (unsigned long long)moved.files,
	       (unsigned long long)moved.moved, bytes);
	return 0;
}

static int each(int argc, char **argv,
		int (*fn)(struct csn_runtime *rt, const char *name, struct csn_error *err))
{
	struct csn_error err;
	struct csn_runtime *rt = engine_runtime();
	int status = 0;
	if (!rt)
		return STATUS_FAILED;
	for (int i = 0; i < argc; i++)
		if (fn(rt, argv[i], &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
	return status;
}

static int sync_each(int argc, char **argv)
{
	return each(argc, argv, sync_one);
}

static int restore_each(int argc, char **argv)
{
	return each(argc, argv, restore_one);
}

/* ---- the commands -----------------------------------------------------------------------------
 */

static int run(int argc, char **argv)
{
	static const struct command create_volume = { "create", "VOLUME…", "make volumes",
						      1,	-1,	   get_create_options,
						      create };
	static const struct command inspect_volume = {
		"inspect", "VOLUME…", "print all that is known of volumes", 1, -1, NULL, inspect
	};
	static const struct command list_volumes = { "ls", NULL, "list volumes",
						     0,	   0,	 get_list_options,
						     list };
	static const struct command prune_volumes = {
		"prune", NULL, "remove volumes that nobody mounts", 0, 0, get_prune_options, prune
	};
	static const struct command remove_volumes = {
		"rm", "VOLUME…", "remove volumes that no container mounts", 1, -1, NULL, remove_each
	};
	static const struct command restore_volumes = {
		"restore",   "VOLUME…", "replace volumes by what their buckets have",
		1,	     -1,	get_restore_options,
		restore_each
	};
	static const struct command sync_volumes = {
		"sync", "VOLUME…", "bring volumes to their buckets", 1, -1, NULL, sync_each
	};
	static const struct command *const commands[] = { &create_volume,   &inspect_volume,
							  &list_volumes,    &prune_volumes,
							  &restore_volumes, &remove_volumes,
							  &sync_volumes,    NULL };
	return opts_run_command("csn volume", commands, argc, argv);
}

const struct command command_volume = { "volume",
					"create|inspect|ls|prune|restore|rm|sync",
					"directories that outlive containers",
					1,
					-1,
					NULL,
					run };
