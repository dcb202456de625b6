/* Writing, reading and listing image records. */
#include "image/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

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
	{ 0 }
};

int record_name(const char *reference, char ret[RECORD_NAME_MAX], struct csn_error *err)
{
	char digest[DIGEST_TEXT_MAX];

	TRY(digest_of(DIGEST_SHA256, reference, strlen(reference), digest, err));
	(void)snprintf(ret, RECORD_NAME_MAX, "%.64s.json", digest_hex(digest));
	return 0;
}

static void put_optional(struct json_out *o, const char *key, const char *value)
{
	if (value)
		json_put_string(o, key, value);
}

static void put_record(struct json_out *o, const struct image_record *r)
{
	json_open_object(o, NULL);
	json_put_string(o, "reference", r->reference);
	json_put_string(o, "digest", r->digest);
	json_put_string(o, "id", r->id);
	json_put_u64(o, "size", r->size);
	put_optional(o, "created", r->created);
	json_open_array(o, "layers");
	for (size_t i = 0; i < r->layers.count; i++)
		json_put_string(o, NULL, r->layers.items[i]);
	json_close_array(o);
	if (r->root.set) {
		json_open_object(o, "root");
		json_put_u64(o, "mode", r->root.mode);
		json_put_u64(o, "uid", r->root.uid);
		json_put_u64(o, "gid", r->root.gid);
		if (r->root.mtime.tv_nsec != UTIME_OMIT) {
			json_put_i64(o, "mtime", r->root.mtime.tv_sec);
			json_put_i64(o, "mtime_nsec", r->root.mtime.tv_nsec);
		}
		json_close_object(o);
	}
	json_put_raw(o, "config", r->config);
	put_optional(o, "architecture", r->architecture);
	put_optional(o, "os", r->os);
	json_close_object(o);
}

int record_stage(struct session *s, const struct image_record *r, struct csn_error *err)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *text = NULL;
	char temp[32], name[RECORD_NAME_MAX];

	put_record(&o, r);
	TRY(json_out_take(&o, &text, err));
	TRY(record_name(r->reference, name, err));
	auto_fd fd = session_temp_file(s, temp, err);
	TRY(fd);
	int w = write_all(fd, text, strlen(text));
	if (w < 0) {
		errno = -w;
		return fail_errno(err, "write an image record");
	}
	return session_stage(s, STAGED_RECORD, temp, name, err);
}

int record_read(struct image_store *s, const char *name, struct image_record *ret,
		struct arena *arena, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size;

	*ret = (struct image_record){ 0 };
	TRY(file_read(s->images_dir, name, DOCUMENT_MAX, &text, &size, err));
	return json_decode(text, size, name, record_fields, ret, arena, err);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static bool is_record_name(const char *name)
{
	return strlen(name) == 64 + strlen(".json") && strspn(name, "0123456789abcdef") == 64 &&
	       strcmp(name + 64, ".json") == 0;
}

int record_names(struct image_store *s, char ***ret, size_t *ret_count, struct arena *arena,
		 struct csn_error *err)
{
	auto_fd fd = openat(s->images_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp)
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	auto_mem char **names = NULL;
	size_t count = 0, capacity = 0;
	struct dirent *e;

	if (!d)
		return fail_errno(err, "read the directory of images");
	(void)take_fd(&fd);
	while ((e = readdir(d))) {
		if (!is_record_name(e->d_name))
			continue;
		if (count == capacity) {
			capacity = capacity ? 2 * capacity : 64;
			char **more = realloc(names, capacity * sizeof *more);
			if (!more)
				return fail(err, ENOMEM, "out of memory");
			names = more;
		}
		names[count] = arena_strdup(arena, e->d_name);
		if (!names[count++])
			return fail(err, ENOMEM, "out of memory");
	}

	*ret = arena_array(arena, count, sizeof(char *));
	if (!*ret)
		return fail(err, ENOMEM, "out of memory");
	if (count)
		memcpy(*ret, names, count * sizeof(char *));
	*ret_count = count;
	return 0;
}

static char *copy_or_null(const char *s, bool *failed)
{
	char *copy = s ? strdup(s) : NULL;

	*failed |= s && !copy;
	return copy;
}

int record_to_list(const struct image_record *r, struct image_list *list, struct csn_error *err)
{
	bool failed = false;
	struct image_info *items = realloc(list->items, (list->count + 1) * sizeof *items);
	if (!items)
		return fail(err, ENOMEM, "out of memory");

	list->items = items;
	items[list->count++] = (struct image_info){
		.reference = copy_or_null(r->reference, &failed),
		.digest = copy_or_null(r->digest, &failed),
		.id = copy_or_null(r->id, &failed),
		.created = copy_or_null(r->created, &failed),
		.architecture = copy_or_null(r->architecture, &failed),
		.os = copy_or_null(r->os, &failed),
		.size = r->size,
	};
	return failed ? fail(err, ENOMEM, "out of memory") : 0;
}

void image_list_done(struct image_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		struct image_info *info = &l->items[i];
		char *texts[] = { info->reference, info->digest,       info->id,
				  info->created,   info->architecture, info->os };
		for (size_t j = 0; j < COUNT(texts); j++)
			free(texts[j]);
	}
	free(l->items);
	*l = (struct image_list){ 0 };
}
