/*
 * What takes how much room on disk. Layers and blobs are counted by caisson-image; who needs which
 * layer is said by the records of images and containers; what containers wrote, and volumes, are
 * walked through.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/tree_size.h"
#include "caisson-image.h"
#include "caisson-volume.h"
#include "runtime/runtime.h"

/* ---- the store ------------------------------------------------------------------------------- */

struct layer {
	char *name;
	uint64_t size;
	bool needed;
	size_t images;	   /* that have it */
	bool in_container; /* one stands on it */
};

struct counted {
	uint64_t count, size;
};

struct stored {
	struct {
		struct layer *items;
		size_t count;
	} layers;
	struct counted blobs, unneeded_blobs, downloads;
};

static const struct json_field layer_fields[] = {
	{ "name", decode_string, offsetof(struct layer, name), NULL, JSON_REQUIRED },
	{ "size_bytes", decode_u64, offsetof(struct layer, size) },
	{ "needed", decode_bool, offsetof(struct layer, needed) },
	{ 0 }
};
static const struct json_elements layer_elements = { .element_size = sizeof(struct layer),
						     .decode = decode_object,
						     .detail = layer_fields };
static const struct json_field counted_fields[] = {
	{ "count", decode_u64, offsetof(struct counted, count) },
	{ "size_bytes", decode_u64, offsetof(struct counted, size) },
	{ 0 }
};
static const struct json_field stored_fields[] = {
	{ "layers", decode_array, offsetof(struct stored, layers), &layer_elements },
	{ "blobs", decode_object, offsetof(struct stored, blobs), counted_fields },
	{ "unneeded_blobs", decode_object, offsetof(struct stored, unneeded_blobs),
	  counted_fields },
	{ "downloads", decode_object, offsetof(struct stored, downloads), counted_fields },
	{ 0 }
};

static int read_store(struct csn_runtime *rt, struct stored *ret, struct arena *arena,
		      struct csn_error *err)
{
	const char *const args[] = { "--root", rt->root, "usage", NULL };
	struct image_run run = { 0 };

	int r = image_program(rt, args, -1, &run, err);
	auto_mem char *text = run.document;
	TRY(r);
	if (!text)
		return fail(err, EPROTO, "caisson-image usage: nothing came");
	return json_decode(text, strlen(text), "usage", stored_fields, ret, arena, err);
}

/* ---- putting it together --------------------------------------------------------------------- */

struct usage {
	struct csn_usage is; /* first: what the caller sees */
	struct arena arena;
	struct csn_runtime *rt;
	struct stored stored;
	struct csn_usage_image *images;
	struct image_record *records;
	size_t images_capacity;
	struct csn_usage_container *containers;
	size_t containers_capacity;
	struct csn_usage_volume *volumes;
};

void csn_usage_free(struct csn_usage *usage)
{
	struct usage *u = (struct usage *)usage;

	if (!u)
		return;
	free(u->images);
	free(u->records);
	free(u->containers);
	arena_free(&u->arena);
	free(u);
}

static void free_usage(struct usage **u)
{
	csn_usage_free((struct csn_usage *)*u);
}

/* "layers/NAME/fs" */
static struct layer *find_layer(struct usage *u, const char *path)
{
	const char *name = path + strcspn(path, "/");

	name += *name == '/';
	for (size_t i = 0; i < u->stored.layers.count; i++) {
		struct layer *l = &u->stored.layers.items[i];
		if (strncmp(l->name, name, strlen(l->name)) == 0 && name[strlen(l->name)] == '/')
			return l;
	}
	return NULL;
}

static int add_image(void *data, const struct image_record *r)
{
	struct usage *u = data;
	size_t n = u->is.images_count;
	bool again = false;

	if (n == u->images_capacity) {
		size_t capacity = n ? 2 * n : 16;
		struct csn_usage_image *images = reallocarray(u->images, capacity, sizeof *images);
		u->images = images ? images : u->images;
		struct image_record *records = reallocarray(u->records, capacity, sizeof *records);
		u->records = records ? records : u->records;
		if (!images || !records)
			return -ENOMEM;
		u->images_capacity = capacity;
	}
	/* Several names of one image share everything, and count once. */
	for (size_t i = 0; i < n; i++)
		again |= strcmp(u->images[i].id, r->id) == 0;
	u->is.images.total += !again;
	for (size_t i = 0; !again && i < r->layers.count; i++) {
		struct layer *l = find_layer(u, r->layers.items[i]);
		if (l)
			l->images++;
	}
	u->records[n] = *r;
	u->images[n] = (struct csn_usage_image){ .reference = r->reference, .id = r->id };
	u->is.images_count++;
	return 0;
}

static int add_container(void *data, const char *id)
{
	struct usage *u = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct engine_record r;
	size_t n = u->is.containers_count;

	if (container_open(u->rt, id, &c, NULL) < 0 ||
	    engine_record_read(c.dir, &r, &u->arena, NULL) < 0)
		return 0; /* it is going */
	if (n == u->containers_capacity) {
		size_t capacity = n ? 2 * n : 16;
		struct csn_usage_container *grown =
			reallocarray(u->containers, capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		u->containers = grown;
		u->containers_capacity = capacity;
	}
	facts_read(u->rt, &c, false, &f);
	for (size_t i = 0; i < r.layers_count; i++) {
		struct layer *l = find_layer(u, r.layers[i]);
		if (l)
			l->in_container = true;
	}
	for (size_t i = 0; i < u->is.images_count; i++)
		u->images[i].containers +=
			r.image_digest && strcmp(u->records[i].digest, r.image_digest) == 0;
	u->containers[n] = (struct csn_usage_container){
		.id = arena_strdup(&u->arena, id),
		.name = r.name ? r.name : "",
		.image = r.image ? r.image : "",
		.running = facts_running(&f),
		.size_bytes = tree_size(c.dir, "upper"),
	};
	u->is.containers_count++;
	return u->containers[n].id ? 0 : -ENOMEM;
}

static void sum_images(struct usage *u)
{
	struct csn_usage_sum *s = &u->is.images;

	for (size_t i = 0; i < u->stored.layers.count; i++) {
		const struct layer *l = &u->stored.layers.items[i];
		s->size_bytes += l->size;
		s->reclaimable_bytes += l->in_container ? 0 : l->size;
	}
	for (size_t i = 0; i < u->is.images_count; i++) {
		struct csn_usage_image *image = &u->images[i];
		const struct image_record *r = &u->records[i];
		bool again = false;
		for (size_t j = 0; j < r->layers.count; j++) {
			const struct layer *l = find_layer(u, r->layers.items[j]);
			if (!l)
				continue;
			image->size_bytes += l->size;
			*(l->images > 1 ? &image->shared_bytes : &image->unique_bytes) += l->size;
		}
		for (size_t j = 0; j < i; j++)
			again |= strcmp(u->images[j].id, image->id) == 0;
		s->active += !again && image->containers > 0;
	}
}

static void sum_containers(struct usage *u)
{
	struct csn_usage_sum *s = &u->is.containers;

	for (size_t i = 0; i < u->is.containers_count; i++) {
		const struct csn_usage_container *c = &u->containers[i];
		s->total++;
		s->active += c->running;
		s->size_bytes += c->size_bytes;
		s->reclaimable_bytes += c->running ? 0 : c->size_bytes;
	}
}

static int add_volumes(struct usage *u, struct csn_error *err)
{
	struct csn_volumes *list = NULL;
	struct csn_usage_sum *s = &u->is.volumes;

	TRY(csn_volume_list(u->rt, &list, err));
	size_t count = csn_volumes_count(list);
	u->volumes = arena_array(&u->arena, count, sizeof *u->volumes);
	for (size_t i = 0; u->volumes && i < count; i++) {
		const struct csn_volume_info *v = csn_volumes_get(list, i);
		struct csn_usage_volume *out = &u->volumes[i];
		*out = (struct csn_usage_volume){
			.name = arena_strdup(&u->arena, v->name),
			.used = v->used_by[0] != '\0',
			.size_bytes = tree_size(AT_FDCWD, v->path),
		};
		if (!out->name)
			u->volumes = NULL;
		s->total++;
		s->active += out->used;
		s->size_bytes += out->size_bytes;
		s->reclaimable_bytes += out->used ? 0 : out->size_bytes;
	}
	csn_volumes_free(list);
	u->is.volumes_count = count;
	return u->volumes ? 0 : fail(err, ENOMEM, "out of memory");
}

static int by_reference(const void *a, const void *b)
{
	return strcmp(((const struct csn_usage_image *)a)->reference,
		      ((const struct csn_usage_image *)b)->reference);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct csn_usage_container *)a)->name,
		      ((const struct csn_usage_container *)b)->name);
}

int csn_usage_get(struct csn_runtime *rt, struct csn_usage **ret, struct csn_error *err)
{
	struct usage *u AUTO(free_usage)
	= calloc(1, sizeof *u);

	if (!u)
		return fail(err, ENOMEM, "out of memory");
	u->rt = rt;
	TRY(read_store(rt, &u->stored, &u->arena, err));
	TRY(image_each(rt, &u->arena, add_image, u, err));
	TRY(container_each(rt, add_container, u, err));
	sum_images(u);
	sum_containers(u);
	TRY(add_volumes(u, err));
	u->is.blobs = (struct csn_usage_sum){
		.total = u->stored.blobs.count,
		.active = u->stored.blobs.count - u->stored.unneeded_blobs.count,
		.size_bytes = u->stored.blobs.size,
		.reclaimable_bytes = u->stored.unneeded_blobs.size,
	};
	u->is.downloads = (struct csn_usage_sum){ .total = u->stored.downloads.count,
						  .size_bytes = u->stored.downloads.size,
						  .reclaimable_bytes = u->stored.downloads.size };
	if (u->is.images_count)
		qsort(u->images, u->is.images_count, sizeof *u->images, by_reference);
	if (u->is.containers_count)
		qsort(u->containers, u->is.containers_count, sizeof *u->containers, by_name);
	u->is.image_items = u->images;
	u->is.container_items = u->containers;
	u->is.volume_items = u->volumes;
	*ret = &u->is;
	u = NULL;
	return 0;
}
