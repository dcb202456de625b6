/*
 * config.json as a whole: read, decode by the tables of fields_*.c, check by the table of check.c.
 */
#include "spec/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "spec/fields.h"

enum { CONFIG_MAX = 16 << 20 };

static const struct json_field root_fields[] = {
	REQUIRED("path", decode_string, struct spec_root, path),
	FIELD("readonly", decode_bool, struct spec_root, readonly),
	FIELDS_END,
};

const struct json_field spec_fields[] = {
	REQUIRED("ociVersion", decode_string, struct spec, oci_version),
	REQUIRED_IN("root", decode_object, struct spec, root, root_fields),
	FIELD("hostname", decode_text, struct spec, hostname),
	FIELD("domainname", decode_text, struct spec, domainname),
	FIELD_IN("process", decode_set_object, struct spec, process, process_fields),
	FIELD_IN("mounts", decode_array, struct spec, mounts, &mount_elements),
	FIELD_IN("hooks", decode_object, struct spec, hooks, hooks_fields),
	FIELD("annotations", decode_map, struct spec, annotations),
	FIELD_IN("linux", decode_set_object, struct spec, linux_, linux_fields),
	FIELDS_END,
};

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

void spec_free(struct spec *s)
{
	if (!s)
		return;
	arena_free(&s->arena);
	free(s);
}

static int decode(const char *text, size_t size, const char *name, const struct json_field *fields,
		  size_t offset, struct spec **ret, struct csn_error *err)
{
	struct spec *s AUTO(free_spec)
	= calloc(1, sizeof *s);
	if (!s)
		return fail(err, ENOMEM, "%s: out of memory", name);
	TRY(json_decode(text, size, name, fields, (char *)s + offset, &s->arena, err));

	/* The copy that create keeps in its state directory. */
	s->text = arena_alloc(&s->arena, size + 1);
	if (!s->text)
		return fail(err, ENOMEM, "%s: out of memory", name);
	memcpy(s->text, text, size);
	s->text_size = size;
	*ret = take_ptr(s);
	return 0;
}

int spec_parse(const char *text, size_t size, const char *name, struct spec **ret,
	       struct csn_error *err)
{
	struct spec *s AUTO(free_spec)
	= NULL;
	TRY(decode(text, size, name, spec_fields, 0, &s, err));
	TRY(spec_check(s, name, err));
	*ret = take_ptr(s);
	return 0;
}

int spec_read_bundle(int dir_fd, const char *bundle, struct spec **ret, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	int r = file_read(dir_fd, "config.json", CONFIG_MAX, &text, &size, err);
	if (r < 0)
		return within(err, r, "bundle \"%s\"", bundle);
	return spec_parse(text, size, "config.json", ret, err);
}

int spec_parse_process(const char *text, size_t size, const char *name, struct spec **ret,
		       struct csn_error *err)
{
	struct spec *s AUTO(free_spec)
	= NULL;
	TRY(decode(text, size, name, process_fields, offsetof(struct spec, process), &s, err));
	s->process.set = true;
	TRY(spec_check_process(s, name, err));
	*ret = take_ptr(s);
	return 0;
}

int spec_parse_resources(const char *text, size_t size, const char *name, struct spec **ret,
			 struct csn_error *err)
{
	struct spec *s AUTO(free_spec)
	= NULL;
	TRY(decode(text, size, name, resources_fields, offsetof(struct spec, linux_.resources), &s,
		   err));
	s->linux_.resources.set = true;
	TRY(spec_check_resources(s, name, err));
	*ret = take_ptr(s);
	return 0;
}

int spec_parse_mounts(const char *text, size_t size, const char *name, struct spec **ret,
		      struct csn_error *err)
{
	static const struct json_field fields[] = {
		REQUIRED_IN("mounts", decode_array, struct spec, mounts, &mount_elements),
		FIELDS_END,
	};
	struct spec *s AUTO(free_spec)
	= NULL;
	/* An array is decoded as the object that it would be in. */
	auto_mem char *whole = NULL;
	size_t at = strspn(text, " \t\r\n");
	if (at < size && text[at] == '[') {
		int n = asprintf(&whole, "{\"mounts\":%.*s}", (int)size, text);
		if (n < 0)
			return fail(err, ENOMEM, "%s: out of memory", name);
		TRY(decode(whole, (size_t)n, name, fields, 0, &s, err));
	} else {
		TRY(decode(text, size, name, fields, 0, &s, err));
	}
	TRY(spec_check_mounts(s, name, err));
	*ret = take_ptr(s);
	return 0;
}

const char *spec_map_get(const struct spec_map *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->items[i].key, key) == 0)
			return map->items[i].value;
	return NULL;
}
