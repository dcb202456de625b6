/*
 * Reading an image record: one table per object. The image's config was written by whoever made
 * the image: its members are kept as they are and checked where they are used.
 */
#include <errno.h>

#include "base/json.h"
#include "service/service.h"

/* { "80/tcp": {} }: the names are all that there is. */
struct names {
	struct arena *arena;
	struct spec_map *map;
};

static int add_name(void *data, const char *key, const struct json_node *member)
{
	struct names *n = data;
	(void)member;
	char *name = arena_strdup(n->arena, key);
	if (!name)
		return -ENOMEM;
	n->map->items[n->map->count++].key = name;
	return 0;
}

static int decode_names(struct json_decoder *d, const struct json_node *v,
			const struct json_field *f, void *out)
{
	struct spec_map *map = out;
	struct names n = { d->arena, map };
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	map->items = arena_array(d->arena, node_members(v), sizeof *map->items);
	if (!map->items || node_each_member(v, add_name, &n) < 0)
		return json_out_of_memory(d);
	return 0;
}

static const struct json_field health_fields[] = {
	{ "Test", decode_strings, offsetof(struct image_health, test) },
	{ "Interval", decode_i64, offsetof(struct image_health, interval) },
	{ "Timeout", decode_i64, offsetof(struct image_health, timeout) },
	{ "StartPeriod", decode_i64, offsetof(struct image_health, start_period) },
	{ "StartInterval", decode_i64, offsetof(struct image_health, start_interval) },
	{ "Retries", decode_i64, offsetof(struct image_health, retries) },
	{ 0 }
};

static const struct json_field config_fields[] = {
	{ "User", decode_text, offsetof(struct image_config, user) },
	{ "WorkingDir", decode_text, offsetof(struct image_config, working_dir) },
	{ "StopSignal", decode_text, offsetof(struct image_config, stop_signal) },
	{ "Entrypoint", decode_strings, offsetof(struct image_config, entrypoint) },
	{ "Cmd", decode_strings, offsetof(struct image_config, cmd) },
	{ "Env", decode_strings, offsetof(struct image_config, env) },
	{ "ExposedPorts", decode_names, offsetof(struct image_config, exposed_ports) },
	{ "Volumes", decode_names, offsetof(struct image_config, volumes) },
	{ "Labels", decode_map, offsetof(struct image_config, labels) },
	{ "Shell", decode_strings, offsetof(struct image_config, shell) },
	{ "Healthcheck", decode_set_object, offsetof(struct image_config, health), health_fields },
	{ 0 }
};

static const struct json_field root_fields[] = {
	{ "mode", decode_u32, offsetof(struct image_root, mode), NULL, JSON_REQUIRED },
	{ "uid", decode_u32, offsetof(struct image_root, uid) },
	{ "gid", decode_u32, offsetof(struct image_root, gid) },
	{ "mtime", decode_i64, offsetof(struct image_root, mtime) },
	{ "mtime_nsec", decode_u32, offsetof(struct image_root, mtime_nsec) },
	{ 0 }
};

static const struct json_field record_fields[] = {
	{ "reference", decode_string, offsetof(struct image_record, reference), NULL,
	  JSON_REQUIRED },
	{ "digest", decode_string, offsetof(struct image_record, digest), NULL, JSON_REQUIRED },
	{ "id", decode_string, offsetof(struct image_record, id), NULL, JSON_REQUIRED },
	{ "created", decode_text, offsetof(struct image_record, created) },
	{ "architecture", decode_text, offsetof(struct image_record, architecture) },
	{ "os", decode_text, offsetof(struct image_record, os) },
	{ "size", decode_u64, offsetof(struct image_record, size) },
	{ "layers", decode_strings, offsetof(struct image_record, layers), NULL, JSON_REQUIRED },
	{ "root", decode_set_object, offsetof(struct image_record, root), root_fields },
	{ "config", decode_object, offsetof(struct image_record, config), config_fields },
	{ 0 }
};

int image_record_parse(const char *text, size_t size, const char *name, struct image_record *ret,
		       struct arena *arena, struct csn_error *err)
{
	*ret = (struct image_record){ 0 };
	return json_decode(text, size, name, record_fields, ret, arena, err);
}
