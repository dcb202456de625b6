/* Another name for an image; and what is known of one. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "image/load.h"
#include "image/manage.h"
#include "image/record.h"

static int find_tagged(struct load *l, struct csn_error *err)
{
	return load_stored(l, l->options->name, l->options->file, err);
}

int image_tag(struct image_store *s, const char *name, const char *new_name,
	      const struct image_events *events, struct image_list *ret, struct csn_error *err)
{
	char from[REF_TEXT_MAX], to[REF_TEXT_MAX];

	TRY(ref_normalise(name, from, err));
	TRY(ref_normalise(new_name, to, err));
	if (strchr(to, '@'))
		return fail(err, EINVAL, "name '%.200s': a tag cannot have a digest", new_name);
	const struct image_load o = { .name = from, .file = to, .sync = true, .events = *events };
	int r = load_run(s, &o, find_tagged, ret, err);
	return r == -ENOENT ? fail(err, ENOENT, "no image '%.200s'", name) : r;
}

static int read_stored(struct image_store *s, const char *digest, char **ret, struct csn_error *err)
{
	char path[DIGEST_TEXT_MAX];
	size_t size;

	TRY(digest_check(digest, err));
	store_blob_path(digest, path);
	return file_read(s->blobs_dir, path, DOCUMENT_MAX, ret, &size, err);
}

int image_inspect(struct image_store *s, const char *name, char **ret, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *manifest = NULL, *config = NULL;
	char reference[REF_TEXT_MAX], record[RECORD_NAME_MAX];
	struct image_record r;

	TRY(ref_normalise(name, reference, err));
	TRY(record_name(reference, record, err));
	int e = record_read(s, record, &r, &arena, err);
	if (e == -ENOENT)
		return fail(err, ENOENT, "no image '%.200s'", name);
	TRY(e);
	TRY(read_stored(s, r.digest, &manifest, err));
	TRY(read_stored(s, r.id, &config, err));
	json_open_object(&o, NULL);
	json_put_string(&o, "reference", r.reference);
	json_put_string(&o, "digest", r.digest);
	json_put_string(&o, "id", r.id);
	json_put_u64(&o, "size", r.size);
	json_open_array(&o, "layers");
	for (size_t i = 0; i < r.layers.count; i++)
		json_put_string(&o, NULL, r.layers.items[i]);
	json_close_array(&o);
	json_put_raw(&o, "manifest", manifest);
	json_put_raw(&o, "config", config);
	json_close_object(&o);
	return json_out_take(&o, ret, err);
}
