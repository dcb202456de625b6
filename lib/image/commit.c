/*
 * Committing: what a container changed becomes a layer on top of its image's, and with it a new
 * image. The layer is packed, hashed and compressed in one pass; the config is the image's own text
 * with the members changed that must be, so that nothing in it is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "image/change.h"
#include "image/jsontext.h"
#include "image/load.h"
#include "image/pack.h"

#define LEVEL	   4 /* of zlib: a tenth larger than 6 in half the time */
#define PIECE	   ((size_t)128 << 10)
#define GZIP_FRAME (15 + 16)

/* load_run() hands the options through: they begin what belongs to them. */
struct committing {
	struct image_load load;
	const struct image_commit *c;
};

/* ---- the layer ------------------------------------------------------------------------------- */

/* Tar in; hashed, compressed, hashed and written. */
struct sink {
	int fd;
	struct hasher tar, blob;
	z_stream z;
	uint64_t size;
	unsigned char out[PIECE];
};

static int deflate_some(struct sink *k, int flush, struct csn_error *err)
{
	int r;

	do {
		k->z.next_out = k->out;
		k->z.avail_out = sizeof k->out;
		r = deflate(&k->z, flush);
		if (r == Z_STREAM_ERROR)
			return fail(err, EIO, "compress the layer");
		size_t n = sizeof k->out - k->z.avail_out;
		TRY(hasher_update(&k->blob, k->out, n, err));
		int w = write_all(k->fd, k->out, n);
		if (w < 0)
			return fail(err, -w, "write to the image store: %s", strerror(-w));
		k->size += n;
	} while (k->z.avail_out == 0);
	return 0;
}

static int take_tar(void *data, const void *bytes, size_t size, struct csn_error *err)
{
	struct sink *k = data;

	TRY(hasher_update(&k->tar, bytes, size, err));
	k->z.next_in = (unsigned char *)(uintptr_t)bytes;
	k->z.avail_in = (unsigned)size;
	return deflate_some(k, Z_NO_FLUSH, err);
}

static int fill(struct sink *k, struct load *l, const struct image_commit *c, struct csn_error *err)
{
	const struct pack p = {
		.layer = true,
		.skip = c->skip,
		.skip_count = c->skip_count,
		.events = &l->options->events,
		.write = take_tar,
		.data = k,
	};

	TRY(hasher_init(&k->tar, DIGEST_SHA256, err));
	TRY(hasher_init(&k->blob, DIGEST_SHA256, err));
	TRY(pack_tree(c->tree, &p, err));
	k->z.avail_in = 0;
	return deflate_some(k, Z_FINISH, err);
}

static int make_layer(struct load *l, const struct image_commit *c, struct descriptor *ret,
		      const char **ret_diff_id, struct csn_error *err)
{
	static char type[] = MEDIA_OCI_LAYER "+gzip";
	char temp[32], blob[DIGEST_TEXT_MAX], tar[DIGEST_TEXT_MAX];
	auto_mem struct sink *k = calloc(1, sizeof *k);

	auto_fd fd = session_temp_file(&l->session, temp, err);
	TRY(fd);
	if (!k || deflateInit2(&k->z, LEVEL, Z_DEFLATED, GZIP_FRAME, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return fail(err, ENOMEM, "out of memory");
	k->fd = fd;
	int r = fill(k, l, c, err);
	(void)deflateEnd(&k->z);
	if (r == 0)
		r = hasher_final(&k->tar, tar, err);
	if (r == 0)
		r = hasher_final(&k->blob, blob, err);
	hasher_done(&k->tar);
	hasher_done(&k->blob);
	TRY(r);
	TRY(session_stage(&l->session, STAGED_BLOB, temp, blob, err));
	ret->digest = arena_strdup(&l->arena, blob);
	*ret_diff_id = arena_strdup(&l->arena, tar);
	ret->media_type = type;
	ret->size = k->size;
	return ret->digest && *ret_diff_id ? 0 : fail(err, ENOMEM, "out of memory");
}

/* ---- the config ------------------------------------------------------------------------------ */

struct step {
	bool empty_layer;
};

struct steps {
	struct step *items;
	size_t count;
};

/* How many of the image's steps made a layer. */
static int count_steps(const char *text, size_t *ret, struct arena *arena, struct csn_error *err)
{
	static const struct json_field step_fields[] = {
		{ "empty_layer", decode_bool, offsetof(struct step, empty_layer) }, { 0 }
	};
	static const struct json_elements elements = { .element_size = sizeof(struct step),
						       .decode = decode_object,
						       .detail = step_fields };
	static const struct json_field fields[] = { { "history", decode_array, 0, &elements },
						    { 0 } };
	struct steps steps = { 0 };

	TRY(json_decode(text, strlen(text), "config", fields, &steps, arena, err));
	*ret = 0;
	for (size_t i = 0; i < steps.count; i++)
		*ret += !steps.items[i].empty_layer;
	return 0;
}

/* The image's steps and this one. An image that does not tell its history gets steps without
 * words, so that layers and steps go together. */
static int write_history(struct json_out *o, const char *text, size_t layers, const char *created,
			 const struct image_commit *c, struct arena *arena, struct csn_error *err)
{
	size_t start, size, steps;

	TRY(count_steps(text, &steps, arena, err));
	json_open_array(o, NULL);
	if (json_member_text(text, strlen(text), "history", &start, &size) && size > 2 &&
	    strspn(text + start + 1, " \t\r\n") < size - 2) {
		char *inside = arena_printf(arena, "%.*s", (int)size - 2, text + start + 1);
		if (!inside)
			return fail(err, ENOMEM, "out of memory");
		json_put_raw(o, NULL, inside);
	}
	for (; steps < layers; steps++) {
		json_open_object(o, NULL);
		json_close_object(o);
	}
	json_open_object(o, NULL);
	json_put_string(o, "created", created);
	json_put_string(o, "created_by", c->created_by);
	if (c->author)
		json_put_string(o, "author", c->author);
	if (c->comment)
		json_put_string(o, "comment", c->comment);
	json_close_object(o);
	json_close_array(o);
	return 0;
}

static void write_rootfs(struct json_out *o, const struct image_config *base, const char *diff_id)
{
	json_open_object(o, NULL);
	json_put_string(o, "type", "layers");
	json_open_array(o, "diff_ids");
	for (size_t i = 0; i < base->rootfs.diff_ids.count; i++)
		json_put_string(o, NULL, base->rootfs.diff_ids.items[i]);
	json_put_string(o, NULL, diff_id);
	json_close_array(o);
	json_close_object(o);
}

struct member {
	const char *name;
	struct json_out value;
};

static void members_done(struct member (*m)[5])
{
	for (size_t i = 0; i < COUNT(*m); i++)
		json_out_done(&(*m)[i].value);
}

static int make_config(struct load *l, const struct image_commit *c, const char *text,
		       const struct image_config *base, const char *diff_id,
		       const char **ret_digest, uint64_t *ret_size, struct csn_error *err)
{
	struct member m[5] AUTO(members_done)
	= {
		{ "created", JSON_OUT_COMPACT }, { "author", JSON_OUT_COMPACT },
		{ "config", JSON_OUT_COMPACT },	 { "rootfs", JSON_OUT_COMPACT },
		{ "history", JSON_OUT_COMPACT },
	};
	char created[32], digest[DIGEST_TEXT_MAX];
	const char *config = base->config;

	TRY(load_creation_time(created, err));
	TRY(config_change(&config, c->given, c->given_count, &l->arena, err));
	TRY(config_change(&config, c->changes, c->changes_count, &l->arena, err));
	json_put_string(&m[0].value, NULL, created);
	if (c->author)
		json_put_string(&m[1].value, NULL, c->author);
	json_put_raw(&m[2].value, NULL, config);
	write_rootfs(&m[3].value, base, diff_id);
	TRY(write_history(&m[4].value, text, base->rootfs.diff_ids.count, created, c, &l->arena,
			  err));
	for (size_t i = 0; i < COUNT(m); i++) {
		auto_mem char *value = NULL, *changed = NULL;
		if (m[i].value.size == 0)
			continue;
		TRY(json_out_take(&m[i].value, &value, err));
		TRY(json_member_set(text, strlen(text), m[i].name, value, &changed, err));
		text = arena_strdup(&l->arena, changed);
		if (!text)
			return fail(err, ENOMEM, "out of memory");
	}
	TRY(session_put_blob(&l->session, text, strlen(text), digest, err));
	*ret_size = strlen(text);
	*ret_digest = arena_strdup(&l->arena, digest);
	return *ret_digest ? 0 : fail(err, ENOMEM, "out of memory");
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int read_base(struct load *l, const char *digest, struct document *ret,
		     struct image_config *ret_config, const char **ret_text, struct csn_error *err)
{
	auto_mem char *manifest = NULL, *config = NULL;
	size_t size;

	TRY(digest_check(digest, err));
	int r = session_read_blob(&l->session, digest, &manifest, &size, err);
	if (r == -ENOENT)
		return fail(err, ENOENT, "the image that it was made from is no longer here");
	TRY(r);
	TRY(document_decode(manifest, size, digest, NULL, ret, &l->arena, err));
	TRY(session_read_blob(&l->session, ret->config.digest, &config, &size, err));
	TRY(image_config_decode(config, size, ret->config.digest, ret_config, &l->arena, err));
	*ret_text = arena_strdup(&l->arena, config);
	return *ret_text ? 0 : fail(err, ENOMEM, "out of memory");
}

static int find(struct load *l, struct csn_error *err)
{
	const struct image_commit *c = ((const struct committing *)l->options)->c;
	struct document base;
	struct image_config config;
	const char *reference, *text = NULL, *diff_id = NULL, *id = NULL;
	uint64_t config_size = 0;

	TRY(load_reference(l, NULL, &reference, err));
	TRY(read_base(l, c->base, &base, &config, &text, err));
	size_t count = base.layers.count;
	struct descriptor *layers = arena_array(&l->arena, count + 1, sizeof *layers);
	if (!layers)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		layers[i] = base.layers.items[i];
		/* It may have been another kind of manifest. */
		TRY(load_layer_type(l, layers[i].digest, &layers[i].media_type, err));
	}
	TRY(make_layer(l, c, &layers[count], &diff_id, err));
	TRY(make_config(l, c, text, &config, diff_id, &id, &config_size, err));
	struct found_image f = { .references = &reference, .reference_count = 1 };
	TRY(load_make_manifest(l, id, config_size, layers, count + 1, &f, err));
	return load_install(l, &f, err);
}

int image_commit(struct image_store *s, const struct image_commit *c, struct image_list *ret,
		 struct csn_error *err)
{
	const struct committing with = {
		.load = { .name = c->name, .file = "-", .sync = true, .events = c->events },
		.c = c,
	};

	return load_run(s, &with.load, find, ret, err);
}
