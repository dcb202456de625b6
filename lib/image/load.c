/*
 * Loading: what all kinds of sources have in common.
 *
 * The finder of the source's kind stages blobs and hands over each image (load_install); that
 * checks the config against the layers, unpacks what is not unpacked yet, and stages a record per
 * name. One commit at the end makes all of it visible; before that nothing exists but the session's
 * directory.
 */
#include "image/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "image/record.h"
#include "image/stream.h"

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* ---- names ----------------------------------------------------------------------------------- */

/* "dir/Debian 12.oci.tar.gz" → "debian-12" */
static void name_of_file(const char *file, char ret[REF_NAME_MAX + 1])
{
	static const char *const endings[] = { ".gz",  ".tgz", ".zst", ".xz",
					       ".bz2", ".tar", ".oci", ".docker" };
	const char *end = file + strlen(file);
	size_t size = 0;

	while (end > file && end[-1] == '/')
		end--;
	const char *base = end;
	while (base > file && base[-1] != '/')
		base--;
	for (size_t i = 0; i < COUNT(endings); i++) {
		size_t n = strlen(endings[i]);
		if ((size_t)(end - base) > n && strncmp(end - n, endings[i], n) == 0) {
			end -= n;
			i = (size_t)-1; /* again: several endings */
		}
	}
	for (const char *p = base; p < end && size < REF_NAME_MAX; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p;
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (word)
			ret[size++] = c;
		else if (size > 0 && !strchr(".-_", ret[size - 1]))
			ret[size++] = c == '.' || c == '_' ? c : '-';
	}
	while (size > 0 && strchr(".-_", ret[size - 1]))
		size--;
	ret[size] = '\0';
}

int load_reference(struct load *l, const char *given, const char **ret, struct csn_error *err)
{
	char text[REF_TEXT_MAX], name[REF_NAME_MAX + 1];
	const char *full = given;

	if (l->options->name) {
		full = l->options->name;
	} else if (!given || !strpbrk(given, "/:@")) {
		/* A bare word is a tag ("12", "latest"): the image is named after the file. */
		name_of_file(l->options->file, name);
		if (strcmp(l->options->file, "-") == 0 || !name[0])
			return fail(err, EINVAL,
				    "it does not say what its image is called; give a name");
		char joined[REF_TEXT_MAX];
		(void)snprintf(joined, sizeof joined, "%.255s%s%.128s", name, given ? ":" : "",
			       given ? given : "");
		full = arena_strdup(&l->arena, joined);
		if (!full)
			return no_memory(err);
	}
	TRY(ref_normalise(full, text, err));
	*ret = arena_strdup(&l->arena, text);
	return *ret ? 0 : no_memory(err);
}

/* ---- manifests ------------------------------------------------------------------------------- */

int load_layer_type(struct load *l, const char *digest, char **ret, struct csn_error *err)
{
	static const char *const suffixes[] = {
		[COMPRESSION_NONE] = "",
		[COMPRESSION_GZIP] = "+gzip",
		[COMPRESSION_ZSTD] = "+zstd",
	};
	enum compression c;
	auto_fd fd = session_open_blob(&l->session, digest, err);

	TRY(fd);
	TRY(compression_of_file(fd, &c, err));
	if (c >= COUNT(suffixes))
		return fail(err, EINVAL, "layer %s: compressed with neither gzip nor zstd", digest);
	*ret = arena_printf(&l->arena, "%s%s", MEDIA_OCI_LAYER, suffixes[c]);
	return *ret ? 0 : no_memory(err);
}

static void put_descriptor(struct json_out *o, const char *key, const char *media_type,
			   const char *digest, uint64_t size)
{
	json_open_object(o, key);
	json_put_string(o, "mediaType", media_type);
	json_put_string(o, "digest", digest);
	json_put_u64(o, "size", size);
	json_close_object(o);
}

int load_make_manifest(struct load *l, const char *config_digest, uint64_t config_size,
		       const struct descriptor *layers, size_t count, struct found_image *ret,
		       struct csn_error *err)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *text = NULL;
	char digest[DIGEST_TEXT_MAX];

	json_open_object(&o, NULL);
	json_put_u64(&o, "schemaVersion", 2);
	json_put_string(&o, "mediaType", MEDIA_OCI_MANIFEST);
	put_descriptor(&o, "config", MEDIA_OCI_CONFIG, config_digest, config_size);
	json_open_array(&o, "layers");
	for (size_t i = 0; i < count; i++)
		put_descriptor(&o, NULL, layers[i].media_type, layers[i].digest, layers[i].size);
	json_close_array(&o);
	json_close_object(&o);
	TRY(json_out_take(&o, &text, err));
	TRY(session_put_blob(&l->session, text, strlen(text), digest, err));

	ret->layers = arena_array(&l->arena, count, sizeof *ret->layers);
	ret->manifest_digest = arena_strdup(&l->arena, digest);
	if (!ret->layers || !ret->manifest_digest)
		return no_memory(err);
	for (size_t i = 0; i < count; i++)
		ret->layers[i] =
			(struct blob_ref){ layers[i].digest, layers[i].size, false, { 0 } };
	ret->layer_count = count;
	ret->manifest_type = MEDIA_OCI_MANIFEST;
	ret->manifest_size = strlen(text);
	ret->config_digest = config_digest;
	return 0;
}

/* ---- installing ------------------------------------------------------------------------------ */

static int read_config(struct load *l, const struct found_image *f, struct image_config *ret,
		       struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size;
	char name[sizeof "config " + DIGEST_TEXT_MAX];

	(void)snprintf(name, sizeof name, "config %s", f->config_digest);
	TRY(session_read_blob(&l->session, f->config_digest, &text, &size, err));
	TRY(image_config_decode(text, size, name, ret, &l->arena, err));
	if (ret->rootfs.diff_ids.count != f->layer_count)
		return fail(err, EINVAL, "%s: has %zu diff_ids for %zu layers", name,
			    ret->rootfs.diff_ids.count, f->layer_count);

	struct platform have = { true, ret->os, ret->architecture, ret->variant };
	if (ret->os && ret->architecture && !platform_rank(&l->platform, &have)) {
		char want[128], got[128];
		platform_format(&l->platform, want, sizeof want);
		platform_format(&have, got, sizeof got);
		session_warn(&l->session, "the image is for %s, not for %s", got, want);
	}
	return 0;
}

static int unpack_layers(struct load *l, const struct found_image *f, const struct image_config *c,
			 struct layer_output **ret, struct csn_error *err)
{
	struct layer_input *in = arena_array(&l->arena, f->layer_count, sizeof *in);
	struct layer_output *out = arena_array(&l->arena, f->layer_count, sizeof *out);

	if (!in || !out)
		return no_memory(err);
	for (size_t i = 0; i < f->layer_count; i++)
		in[i] = (struct layer_input){
			.blob = f->layers[i].digest,
			.blob_size = f->layers[i].size,
			.diff_id = c->rootfs.diff_ids.items[i],
			.verify_blob = f->layers[i].stored,
			.arrival = f->layers[i].arrival,
		};
	*ret = out;
	return layers_unpack(&l->session, in, f->layer_count, out, err);
}

/* The overlay's lower directories. Overlayfs refuses one that occurs twice; of two, only the upper
 * matters: whatever the lower one could show, the upper has as well. */
static int list_layers(struct load *l, const struct layer_output *out, size_t count,
		       struct image_record *r, struct csn_error *err)
{
	r->layers.items = arena_array(&l->arena, count + 1, sizeof(char *));
	if (!r->layers.items)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		bool again = false;
		r->size += out[i].size;
		if (out[i].root.set)
			r->root = out[i].root;
		if (out[i].opaque_root)
			r->layers.count = 0;
		for (size_t j = i + 1; j < count; j++)
			again |= strcmp(out[i].name, out[j].name) == 0;
		if (again || out[i].entries == 0)
			continue;
		char *path = arena_printf(&l->arena, "layers/%s/fs", out[i].name);
		if (!path)
			return no_memory(err);
		r->layers.items[r->layers.count++] = path;
	}
	return 0;
}

static int add_reference(struct load *l, const struct found_image *f, const struct image_record *r,
			 struct csn_error *err)
{
	size_t i = 0;

	TRY(record_stage(&l->session, r, err));
	while (i < l->entry_count && strcmp(l->entries[i].reference, r->reference) != 0)
		i++;
	if (i == l->entry_count) {
		struct index_entry *more = realloc(l->entries, (i + 1) * sizeof *more);
		if (!more)
			return no_memory(err);
		l->entries = more;
		l->entry_count++;
	}
	l->entries[i] = (struct index_entry){
		.reference = r->reference,
		.digest = f->manifest_digest,
		.media_type = f->manifest_type,
		.architecture = r->architecture,
		.os = r->os,
		.size = f->manifest_size,
	};
	return record_to_list(r, &l->list, err);
}

int load_install(struct load *l, const struct found_image *f, struct csn_error *err)
{
	struct image_config c;
	struct layer_output *out = NULL;

	TRY(read_config(l, f, &c, err));
	TRY(unpack_layers(l, f, &c, &out, err));

	struct image_record r = {
		.created = c.created,
		.architecture = c.architecture,
		.os = c.os,
		.config = c.config,
	};
	r.digest = arena_strdup(&l->arena, f->manifest_digest);
	r.id = arena_strdup(&l->arena, f->config_digest);
	if (!r.digest || !r.id)
		return no_memory(err);
	TRY(list_layers(l, out, f->layer_count, &r, err));
	for (size_t i = 0; i < f->reference_count; i++) {
		r.reference = arena_strdup(&l->arena, f->references[i]);
		if (!r.reference)
			return no_memory(err);
		TRY(add_reference(l, f, &r, err));
	}
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int find_any(struct load *l, struct csn_error *err)
{
	int r;

	TRY(source_open(&l->session, l->options->file, &l->source, err));
	if (source_has(&l->source, "index.json"))
		r = layout_find(l, err);
	else if (source_has(&l->source, "manifest.json"))
		r = docker_archive_find(l, err);
	else
		r = fail(err, EINVAL, "no image: neither index.json nor manifest.json is in it");
	return r < 0 ? within(err, r, "%s", l->options->file) : 0;
}

static int run(struct load *l, int (*find)(struct load *l, struct csn_error *err),
	       struct csn_error *err)
{
	TRY(platform_parse(l->options->platform, &l->platform, &l->arena, err));
	TRY(session_begin(l->store, &l->options->events, &l->session, err));
	TRY(find(l, err));
	return session_commit(&l->session, l->entries, l->entry_count, l->options->sync, err);
}

int load_run(struct image_store *s, const struct image_load *o,
	     int (*find)(struct load *l, struct csn_error *err), struct image_list *ret,
	     struct csn_error *err)
{
	struct load l = {
		.store = s,
		.options = o,
		.session = { .dir_fd = -1, .use_fd = -1 },
		.source = { .dir_fd = -1 },
	};

	int r = run(&l, find, err);
	source_close(&l.source);
	session_end(&l.session);
	free(l.entries);
	if (r == 0) {
		*ret = l.list;
		l.list = (struct image_list){ 0 };
	}
	image_list_done(&l.list);
	arena_free(&l.arena);
	return r;
}

int image_load(struct image_store *s, const struct image_load *l, struct image_list *ret,
	       struct csn_error *err)
{
	return load_run(s, l, find_any, ret, err);
}
