/* How an image was made, out of its config: the steps, and for those that made a layer its size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "caisson-image.h"
#include "runtime/runtime.h"

struct step {
	char *created, *created_by, *author, *comment;
	bool empty_layer;
};

struct layer {
	uint64_t size;
};

struct document {
	struct {
		struct step *items;
		size_t count;
	} steps;
	struct {
		struct layer *items;
		size_t count;
	} layers;
};

static const struct json_field step_fields[] = {
	{ "created", decode_text, offsetof(struct step, created) },
	{ "created_by", decode_text, offsetof(struct step, created_by) },
	{ "author", decode_text, offsetof(struct step, author) },
	{ "comment", decode_text, offsetof(struct step, comment) },
	{ "empty_layer", decode_bool, offsetof(struct step, empty_layer) },
	{ 0 }
};
static const struct json_elements steps = { .element_size = sizeof(struct step),
					    .decode = decode_object,
					    .detail = step_fields };
static const struct json_field config_fields[] = { { "history", decode_array, 0, &steps }, { 0 } };
static const struct json_field layer_fields[] = { { "size", decode_u64, 0 }, { 0 } };
static const struct json_elements layers = { .element_size = sizeof(struct layer),
					     .decode = decode_object,
					     .detail = layer_fields };
static const struct json_field manifest_fields[] = { { "layers", decode_array, 0, &layers },
						     { 0 } };
static const struct json_field document_fields[] = {
	{ "config", decode_object, offsetof(struct document, steps), config_fields },
	{ "manifest", decode_object, offsetof(struct document, layers), manifest_fields },
	{ 0 }
};

struct csn_history {
	struct arena arena;
	struct csn_history_step *items;
	size_t count;
};

size_t csn_history_count(const struct csn_history *history)
{
	return history ? history->count : 0;
}

const struct csn_history_step *csn_history_get(const struct csn_history *history, size_t index)
{
	return index < history->count ? &history->items[index] : NULL;
}

void csn_history_free(struct csn_history *history)
{
	if (!history)
		return;
	arena_free(&history->arena);
	free(history);
}

static void free_history(struct csn_history **h)
{
	csn_history_free(*h);
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

/* The last step first, as everybody shows it. */
static int fill(struct csn_history *h, const struct document *d, struct csn_error *err)
{
	size_t layer = 0;

	h->count = d->steps.count;
	h->items = arena_array(&h->arena, h->count, sizeof *h->items);
	if (!h->items)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < h->count; i++) {
		const struct step *s = &d->steps.items[i];
		struct csn_history_step *out = &h->items[h->count - 1 - i];
		*out = (struct csn_history_step){
			.created = or_empty(s->created),
			.created_by = or_empty(s->created_by),
			.author = or_empty(s->author),
			.comment = or_empty(s->comment),
			.empty_layer = s->empty_layer,
		};
		if (!s->empty_layer && layer < d->layers.count)
			out->size_bytes = d->layers.items[layer++].size;
	}
	return 0;
}

int csn_image_history(struct csn_runtime *rt, const char *image, struct csn_history **ret,
		      struct csn_error *err)
{
	struct csn_history *h AUTO(free_history)
	= calloc(1, sizeof *h);
	struct document d = { 0 };
	auto_mem char *text = NULL;

	if (!h)
		return fail(err, ENOMEM, "out of memory");
	TRY(csn_image_inspect(rt, image, &text, err));
	TRY(json_decode(text, strlen(text), image, document_fields, &d, &h->arena, err));
	TRY(fill(h, &d, err));
	*ret = take_ptr(h);
	return 0;
}
