/* csn system df and prune: what takes room on disk, and giving it back. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/engine/engine.h"
#include "bin/out.h"
#include "caisson-volume.h"

/* ---- df -------------------------------------------------------------------------------------- */

static const char *format = "table";
static bool verbose;

static const struct opt *df_options(void)
{
	static const struct opt rows[] = {
		{ 0, "format", "FORMAT", "table or json", OPT_TEXT, &format },
		{ 'v', "verbose", NULL, "one by one", OPT_FLAG, &verbose },
		{ 0 },
	};
	return rows;
}

struct kind {
	const char *name, *key;
	const struct csn_usage_sum *sum;
};
#define KINDS(u)                                                                                   \
	{                                                                                          \
		{ "Images", "images", &(u)->images },                                              \
			{ "Containers", "containers", &(u)->containers },                          \
			{ "Volumes", "volumes", &(u)->volumes },                                   \
			{ "Image blobs", "blobs", &(u)->blobs },                                   \
			{ "Downloads", "downloads", &(u)->downloads },                             \
	}

struct size {
	char text[24];
};

static struct size size_of(uint64_t bytes)
{
	struct size s;
	print_size(s.text, sizeof s.text, bytes);
	return s;
}

static void print_sums(const struct csn_usage *u)
{
	static const char *const heads[] = { "TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE" };
	const struct kind kinds[] = KINDS(u);
	struct out_table t = { .columns = COUNT(heads) };

	out_table_row(&t, heads);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		const struct csn_usage_sum *s = kinds[i].sum;
		char total[24], active[24], reclaimable[48];
		(void)snprintf(total, sizeof total, "%zu", s->total);
		(void)snprintf(active, sizeof active, "%zu", s->active);
		uint64_t percent = s->size_bytes ? s->reclaimable_bytes * 100 / s->size_bytes : 0;
		(void)snprintf(reclaimable, sizeof reclaimable, "%s (%d%%)",
			       size_of(s->reclaimable_bytes).text, (int)percent);
		const char *const cells[] = { kinds[i].name, total, active,
					      size_of(s->size_bytes).text, reclaimable };
		out_table_row(&t, cells);
	}
	out_table_print(&t);
}

static void print_items(const struct csn_usage *u)
{
	static const char *const image_heads[] = { "IMAGE", "SIZE", "SHARED SIZE", "UNIQUE SIZE",
						   "CONTAINERS" };
	static const char *const container_heads[] = { "CONTAINER", "IMAGE", "SIZE", "RUNNING" };
	static const char *const volume_heads[] = { "VOLUME", "SIZE", "USED" };
	struct out_table images = { .columns = COUNT(image_heads) };
	struct out_table containers = { .columns = COUNT(container_heads) };
	struct out_table volumes = { .columns = COUNT(volume_heads) };

	out_table_row(&images, image_heads);
	for (size_t i = 0; i < u->images_count; i++) {
		const struct csn_usage_image *v = &u->image_items[i];
		char count[24];
		(void)snprintf(count, sizeof count, "%zu", v->containers);
		const char *const cells[] = { print_reference(v->reference),
					      size_of(v->size_bytes).text,
					      size_of(v->shared_bytes).text,
					      size_of(v->unique_bytes).text, count };
		out_table_row(&images, cells);
	}
	out_table_row(&containers, container_heads);
	for (size_t i = 0; i < u->containers_count; i++) {
		const struct csn_usage_container *v = &u->container_items[i];
		const char *const cells[] = { v->name, print_reference(v->image),
					      size_of(v->size_bytes).text,
					      v->running ? "yes" : "no" };
		out_table_row(&containers, cells);
	}
	out_table_row(&volumes, volume_heads);
	for (size_t i = 0; i < u->volumes_count; i++) {
		const struct csn_usage_volume *v = &u->volume_items[i];
		const char *const cells[] = { v->name, size_of(v->size_bytes).text,
					      v->used ? "yes" : "no" };
		out_table_row(&volumes, cells);
	}
	out_table_print(&images);
	putchar('\n');
	out_table_print(&containers);
	putchar('\n');
	out_table_print(&volumes);
}

static void put_items(struct json_out *o, const struct csn_usage *u)
{
	json_open_array(o, "image_items");
	for (size_t i = 0; i < u->images_count; i++) {
		const struct csn_usage_image *v = &u->image_items[i];
		json_open_object(o, NULL);
		json_put_string(o, "reference", v->reference);
		json_put_string(o, "id", v->id);
		json_put_u64(o, "size_bytes", v->size_bytes);
		json_put_u64(o, "shared_bytes", v->shared_bytes);
		json_put_u64(o, "unique_bytes", v->unique_bytes);
		json_put_u64(o, "containers", v->containers);
		json_close_object(o);
	}
	json_close_array(o);
	json_open_array(o, "container_items");
	for (size_t i = 0; i < u->containers_count; i++) {
		const struct csn_usage_container *v = &u->container_items[i];
		json_open_object(o, NULL);
		json_put_string(o, "id", v->id);
		json_put_string(o, "name", v->name);
		json_put_string(o, "image", v->image);
		json_put_u64(o, "size_bytes", v->size_bytes);
		json_put_bool(o, "running", v->running);
		json_close_object(o);
	}
	json_close_array(o);
	json_open_array(o, "volume_items");
	for (size_t i = 0; i < u->volumes_count; i++) {
		const struct csn_usage_volume *v = &u->volume_items[i];
		json_open_object(o, NULL);
		json_put_string(o, "name", v->name);
		json_put_u64(o, "size_bytes", v->size_bytes);
		json_put_bool(o, "used", v->used);
		json_close_object(o);
	}
	json_close_array(o);
}

static int print_usage_json(const struct csn_usage *u)
{
	const struct kind kinds[] = KINDS(u);
	struct json_out o = JSON_OUT_INDENT("  ");

	json_open_object(&o, NULL);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		json_open_object(&o, kinds[i].key);
		json_put_u64(&o, "total", kinds[i].sum->total);
		json_put_u64(&o, "active", kinds[i].sum->active);
		json_put_u64(&o, "size_bytes", kinds[i].sum->size_bytes);
		json_put_u64(&o, "reclaimable_bytes", kinds[i].sum->reclaimable_bytes);
		json_close_object(&o);
	}
	if (verbose)
		put_items(&o, u);
	json_close_object(&o);
	return print_json(&o);
}

static int df(int argc, char **argv)
{
	struct csn_usage *u = NULL;
	struct csn_error err;
	int status = 0;
	bool json;

	(void)argc, (void)argv;
	if (print_format(format, &json) < 0)
		return STATUS_FAILED;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_usage_get(rt, &u, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (json)
		status = print_usage_json(u);
	else if (verbose)
		print_items(u);
	else
		print_sums(u);
	csn_usage_free(u);
	return status;
}

const struct command command_df = { "df",	NULL, "what takes how much room on disk", 0, 0,
				    df_options, df };

/* ---- prune ----------------------------------------------------------------------------------- */

static bool all, volumes, force;

static const struct opt *prune_options(void)
{
	static const struct opt rows[] = {
		{ 'a', "all", NULL, "also images that no container is made from", OPT_FLAG, &all },
		{ 'f', "force", NULL, "as it is: nothing is asked", OPT_FLAG, &force },
		{ 0, "volumes", NULL, "also volumes without a name that no container mounts",
		  OPT_FLAG, &volumes },
		{ 0 },
	};
	return rows;
}

static int prune_containers(struct csn_runtime *rt, struct csn_error *err)
{
	struct csn_containers *list = NULL;

	TRY(csn_container_list(rt, true, &list, err));
	for (size_t i = 0; i < csn_containers_count(list); i++) {
		const struct csn_container_info *c = csn_containers_get(list, i);
		bool over = c->state == CSN_STATE_PENDING || c->state == CSN_STATE_EXITED ||
			    c->state == CSN_STATE_FAILED;
		struct csn_error why;
		/* One that was started meanwhile stays. */
		if (over && csn_container_remove(rt, c->id, false, &why) == 0)
			printf("container %s\n", c->name);
	}
	csn_containers_free(list);
	return 0;
}

static int prune_networks(struct csn_runtime *rt, struct csn_error *err)
{
	struct csn_networks *gone = NULL;

	TRY(csn_network_prune(rt, &gone, err));
	for (size_t i = 0; i < csn_networks_count(gone); i++)
		printf("network %s\n", csn_networks_get(gone, i)->name);
	csn_networks_free(gone);
	return 0;
}

static int prune_volumes(struct csn_runtime *rt, struct csn_error *err)
{
	struct csn_volumes *gone = NULL;

	TRY(csn_volume_prune(rt, false, &gone, err));
	for (size_t i = 0; i < csn_volumes_count(gone); i++)
		printf("volume %s\n", csn_volumes_get(gone, i)->name);
	csn_volumes_free(gone);
	return 0;
}

static int prune_images(struct csn_runtime *rt, struct csn_error *err)
{
	struct csn_images *gone = NULL;

	TRY(csn_image_prune(rt, all, &gone, err));
	for (size_t i = 0; i < csn_images_count(gone); i++)
		printf("image %s\n", print_reference(csn_images_get(gone, i)->reference));
	csn_images_free(gone);
	return 0;
}

static int measure(struct csn_runtime *rt, uint64_t *ret, struct csn_error *err)
{
	struct csn_usage *u = NULL;

	TRY(csn_usage_get(rt, &u, err));
	const struct kind kinds[] = KINDS(u);
	*ret = 0;
	for (size_t i = 0; i < COUNT(kinds); i++)
		*ret += kinds[i].sum->size_bytes;
	csn_usage_free(u);
	return 0;
}

static int prune_all(struct csn_runtime *rt, struct csn_error *err)
{
	uint64_t before, after;

	TRY(measure(rt, &before, err));
	TRY(prune_containers(rt, err));
	TRY(prune_networks(rt, err));
	if (volumes)
		TRY(prune_volumes(rt, err));
	TRY(prune_images(rt, err));
	TRY(measure(rt, &after, err));
	printf("Reclaimed: %s\n", size_of(before > after ? before - after : 0).text);
	return 0;
}

static int prune(int argc, char **argv)
{
	struct csn_runtime *rt = engine_runtime();
	struct csn_error err;

	(void)argc, (void)argv;
	if (!rt)
		return STATUS_FAILED;
	return prune_all(rt, &err) < 0 ? engine_fail(&err, STATUS_FAILED) : 0;
}

const struct command command_system_prune = { "prune", NULL, "remove what is not in use",
					      0,       0,    prune_options,
					      prune };
