/* csn volume: directories that outlive containers. */
#include <stdio.h>

#include "base/cleanup.h"
#include "bin/engine/engine.h"
#include "bin/out.h"
#include "caisson-volume.h"

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
	static const char *const heads[] = { "VOLUME", "USED BY", "PATH" };
	struct out_table t = { .columns = COUNT(heads) };
	for (size_t i = 0; i < COUNT(heads); i++)
		out_table_add(&t, heads[i]);
	for (size_t i = 0; i < csn_volumes_count(volumes); i++) {
		const struct csn_volume_info *v = csn_volumes_get(volumes, i);
		char id[16];
		(void)snprintf(id, sizeof id, "%.12s", v->used_by);
		out_table_add(&t, v->name);
		out_table_add(&t, id);
		out_table_add(&t, v->path);
	}
	out_table_print(&t);
}

static int print_all(const struct csn_volumes *volumes)
{
	struct json_out o = JSON_OUT_INDENT("  ");
	json_open_array(&o, NULL);
	for (size_t i = 0; i < csn_volumes_count(volumes); i++) {
		const struct csn_volume_info *v = csn_volumes_get(volumes, i);
		json_open_object(&o, NULL);
		json_put_string(&o, "name", v->name);
		json_put_string(&o, "path", v->path);
		json_put_string(&o, "used_by", v->used_by[0] ? v->used_by : NULL);
		json_close_object(&o);
	}
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

static int create(int argc, char **argv)
{
	return engine_each(argc, argv, csn_volume_create);
}

static int remove_each(int argc, char **argv)
{
	return engine_each(argc, argv, csn_volume_remove);
}

static const struct command command_create_volume = { "create", "VOLUME…", "make volumes", 1,
						      -1,	NULL,	   create };
static const struct command command_list_volumes = { "ls", NULL, "list volumes",
						     0,	   0,	 get_list_options,
						     list };
static const struct command command_remove_volume = {
	"rm", "VOLUME…", "remove volumes that no container mounts", 1, -1, NULL, remove_each
};

static int run(int argc, char **argv)
{
	static const struct command *const commands[] = { &command_create_volume,
							  &command_list_volumes,
							  &command_remove_volume, NULL };
	return opts_run_command("csn volume", commands, argc, argv);
}

const struct command command_volume = {
	"volume", "create|ls|rm", "directories that outlive containers", 1, -1, NULL, run
};
