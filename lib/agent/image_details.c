/*
 * Details of an image, and its history: memory, JSON both ways, and both from what the engine knows
 * of an image (csn_image_inspect).
 */
#include "agent/image_details.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/sized.h"
#include "base/utc.h"

struct image_details *image_details_new(void)
{
	struct image_details *d = calloc(1, sizeof *d);
	if (d)
		d->is = (struct csn_image_details)CSN_IMAGE_DETAILS_INIT;
	return d;
}

void csn_image_details_free(struct csn_image_details *details)
{
	struct image_details *d = (struct image_details *)details; /* its first member */
	if (!d)
		return;
	arena_free(&d->arena);
	free(d);
}

static void free_details(struct image_details **d)
{
	csn_image_details_free(*d ? &(*d)->is : NULL);
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

struct texts {
	char **items;
	size_t count;
	bool set;
};
struct label {
	char *key, *value;
};
struct labels {
	struct label *items;
	size_t count;
	bool set;
};
struct opt_size {
	bool set;
	uint64_t value;
};
struct details_row {
	char *id, *parent, *comment, *created, *container, *docker_version, *author, *architecture,
		*os, *working_dir, *user;
	struct texts repo_tags, repo_digests, layers, env, cmd, entrypoint;
	struct opt_size size;
	struct labels labels;
};

/* One text or list of both the row and the struct. */
#define TEXT(name)                                                                                 \
	{                                                                                          \
#name, offsetof(struct details_row, name),                                         \
			offsetof(struct csn_image_details, name)                                   \
	}
static const struct member {
	const char *name;
	size_t row, is;
} texts[] = { TEXT(id),	       TEXT(parent),	     TEXT(comment), TEXT(created),
	      TEXT(container), TEXT(docker_version), TEXT(author),  TEXT(architecture),
	      TEXT(os),	       TEXT(working_dir),    TEXT(user) },
  lists[] = { TEXT(repo_tags), TEXT(repo_digests), TEXT(layers),
	      TEXT(env),       TEXT(cmd),	   TEXT(entrypoint) };
#undef TEXT

static const void *at(const void *base, size_t offset)
{
	return (const char *)base + offset;
}

static void put_list(struct json_out *o, const char *key, const char *const *list)
{
	json_open_array(o, key);
	for (size_t i = 0; list && list[i]; i++)
		json_put_string(o, NULL, list[i]);
	json_close_array(o);
}

static int put_labels(struct json_out *o, const char *const *labels, struct csn_error *err)
{
	json_open_object(o, "labels");
	for (size_t i = 0; labels && labels[i]; i++) {
		const char *value = strchr(labels[i], '=');
		auto_mem char *key = value ? strndup(labels[i], (size_t)(value - labels[i])) : NULL;
		if (!key)
			return fail(err, value ? ENOMEM : EINVAL, "label \"%.100s\"", labels[i]);
		json_put_string(o, key, value + 1);
	}
	json_close_object(o);
	return 0;
}

static int to_json(const struct csn_image_details *given, char **ret_json, struct csn_error *err)
{
	struct csn_image_details d = CSN_IMAGE_DETAILS_INIT;
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	TRY(take_struct(&d, sizeof d, given, "struct csn_image_details", err));
	json_open_object(&o, NULL);
	for (size_t i = 0; i < COUNT(texts); i++)
		json_put_string(&o, texts[i].name, *(const char *const *)at(&d, texts[i].is));
	for (size_t i = 0; i < COUNT(lists); i++)
		put_list(&o, lists[i].name, *(const char *const *const *)at(&d, lists[i].is));
	if (d.has_size)
		json_put_u64(&o, "size", d.size_bytes);
	else
		json_put_null(&o, "size");
	TRY(put_labels(&o, d.labels, err));
	json_close_object(&o);
	return json_out_take(&o, ret_json, err);
}

int csn_image_details_to_json(const struct csn_image_details *details, char **ret_json,
			      struct csn_error *err)
{
	return as_kind(err, to_json(details, ret_json, err), CSN_ERROR_INTERNAL, "");
}

#define ROW(name, decode) FIELD(#name, decode, struct details_row, name)
static const struct json_field details_fields[] = { ROW(id, decode_text),
						    ROW(parent, decode_text),
						    ROW(comment, decode_text),
						    ROW(created, decode_text),
						    ROW(container, decode_text),
						    ROW(docker_version, decode_text),
						    ROW(author, decode_text),
						    ROW(architecture, decode_text),
						    ROW(os, decode_text),
						    ROW(working_dir, decode_text),
						    ROW(user, decode_text),
						    ROW(repo_tags, decode_strings),
						    ROW(repo_digests, decode_strings),
						    ROW(layers, decode_strings),
						    ROW(env, decode_strings),
						    ROW(cmd, decode_strings),
						    ROW(entrypoint, decode_strings),
						    ROW(size, decode_opt_u64),
						    ROW(labels, decode_map),
						    FIELDS_END };
#undef ROW

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *const *make_labels(const struct labels *l, struct arena *arena)
{
	char **list = arena_array(arena, l->count + 1, sizeof *list);
	for (size_t i = 0; list && i < l->count; i++) {
		list[i] = arena_printf(arena, "%s=%s", l->items[i].key, l->items[i].value);
		if (!list[i])
			return NULL;
	}
	if (list && l->count)
		qsort(list, l->count, sizeof *list, by_text);
	return (const char *const *)list;
}

/* An empty list is NULL, as it was where it came from. */
static const char *const *list_of(const struct texts *t)
{
	return t->count ? (const char *const *)t->items : NULL;
}

static int from_json(const char *json, size_t size, struct csn_image_details **ret,
		     struct csn_error *err)
{
	struct image_details *d AUTO(free_details)
	= image_details_new();
	struct details_row row = { 0 };
	if (!d)
		return fail(err, ENOMEM, "out of memory");
	TRY(json_decode(json, size, "image", details_fields, &row, &d->arena, err));
	for (size_t i = 0; i < COUNT(texts); i++)
		*(const char **)((char *)&d->is + texts[i].is) =
			*(char *const *)at(&row, texts[i].row);
	for (size_t i = 0; i < COUNT(lists); i++)
		*(const char *const **)((char *)&d->is + lists[i].is) =
			list_of(at(&row, lists[i].row));
	d->is.has_size = row.size.set;
	d->is.size_bytes = row.size.value;
	if (row.labels.count) {
		d->is.labels = make_labels(&row.labels, &d->arena);
		if (!d->is.labels)
			return fail(err, ENOMEM, "out of memory");
	}
	struct image_details *mine = take_ptr(d);
	*ret = &mine->is;
	return 0;
}

int csn_image_details_from_json(const char *json, size_t size, struct csn_image_details **ret,
				struct csn_error *err)
{
	return as_kind(err, from_json(json, size, ret, err), CSN_ERROR_INVALID_SPEC, "");
}

/* ---- from the engine's document ---------------------------------------------------------------
 */

struct step {
	char *created, *created_by, *comment;
	bool empty_layer;
};
struct layer {
	uint64_t size;
};
struct document {
	char *reference, *digest, *id;
	struct opt_size size;
	struct {
		struct {
			struct layer *items;
			size_t count;
		} layers;
	} manifest;
	struct {
		char *created, *author, *architecture, *os;
		struct {
			struct texts env, cmd, entrypoint;
			char *working_dir, *user;
			struct labels labels;
		} run;
		struct texts diff_ids;
		struct {
			struct step *items;
			size_t count;
		} history;
	} config;
};

static const struct json_field step_fields[] = {
	FIELD("created", decode_text, struct step, created),
	FIELD("created_by", decode_text, struct step, created_by),
	FIELD("comment", decode_text, struct step, comment),
	FIELD("empty_layer", decode_bool, struct step, empty_layer), FIELDS_END
};
static const struct json_elements step_elements = { .element_size = sizeof(struct step),
						    .decode = decode_object,
						    .detail = step_fields };
static const struct json_field layer_fields[] = { FIELD("size", decode_u64, struct layer, size),
						  FIELDS_END };
static const struct json_elements layer_elements = { .element_size = sizeof(struct layer),
						     .decode = decode_object,
						     .detail = layer_fields };
#define RUN(name, decode, member)                                                                  \
	{                                                                                          \
		name, decode, offsetof(struct document, config.run.member), NULL, 0, 0, 0          \
	}
static const struct json_field run_fields[] = { RUN("Env", decode_strings, env),
						RUN("Cmd", decode_strings, cmd),
						RUN("Entrypoint", decode_strings, entrypoint),
						RUN("WorkingDir", decode_text, working_dir),
						RUN("User", decode_text, user),
						RUN("Labels", decode_map, labels),
						FIELDS_END };
#undef RUN
static const struct json_field rootfs_fields[] = {
	FIELD("diff_ids", decode_strings, struct document, config.diff_ids), FIELDS_END
};
/* Offsets are the document's throughout: "config" and what is in it begin at 0. */
static const struct json_field config_fields[] = {
	FIELD("created", decode_text, struct document, config.created),
	FIELD("author", decode_text, struct document, config.author),
	FIELD("architecture", decode_text, struct document, config.architecture),
	FIELD("os", decode_text, struct document, config.os),
	{ "config", decode_object, 0, run_fields, 0, 0, 0 },
	{ "rootfs", decode_object, 0, rootfs_fields, 0, 0, 0 },
	FIELD_IN("history", decode_array, struct document, config.history, &step_elements),
	FIELDS_END
};
static const struct json_field manifest_fields[] = {
	FIELD_IN("layers", decode_array, struct document, manifest.layers, &layer_elements),
	FIELDS_END
};
static const struct json_field document_fields[] = {
	FIELD("reference", decode_text, struct document, reference),
	FIELD("digest", decode_text, struct document, digest),
	FIELD("id", decode_text, struct document, id),
	FIELD("size", decode_opt_u64, struct document, size),
	{ "manifest", decode_object, 0, manifest_fields, 0, 0, 0 },
	{ "config", decode_object, 0, config_fields, 0, 0, 0 },
	FIELDS_END
};

/* The names that the store has for the image. */
static const char *const *tags_of(const struct csn_images *all, const char *id, struct arena *arena)
{
	size_t count = 0;
	const char **list = arena_array(arena, csn_images_count(all) + 1, sizeof *list);
	for (size_t i = 0; list && i < csn_images_count(all); i++) {
		const struct csn_image_info *image = csn_images_get(all, i);
		if (strcmp(image->id, id) != 0)
			continue;
		list[count] = arena_strdup(arena, image->reference);
		if (!list[count++])
			return NULL;
	}
	return list;
}

/* "host/repository@digest" of each name. */
static const char *const *digests_of(const char *const *tags, const char *digest,
				     struct arena *arena)
{
	size_t count = 0;
	while (tags[count])
		count++;
	const char **list = arena_array(arena, count + 1, sizeof *list);
	for (size_t i = 0; list && i < count; i++) {
		size_t size = strcspn(tags[i], "@");
		const char *slash = strrchr(tags[i], '/');
		const char *colon = strchr(slash ? slash : tags[i], ':');
		if (colon && colon < tags[i] + size)
			size = (size_t)(colon - tags[i]);
		list[i] = arena_printf(arena, "%.*s@%s", (int)size, tags[i], digest);
		if (!list[i])
			return NULL;
	}
	return list;
}

int image_details_of(const char *json, const struct csn_images *all, struct csn_image_details **ret,
		     struct csn_error *err)
{
	struct image_details *d AUTO(free_details)
	= image_details_new();
	struct document doc = { 0 };
	if (!d)
		return fail(err, ENOMEM, "out of memory");
	TRY(json_decode(json, strlen(json), "image", document_fields, &doc, &d->arena, err));
	struct csn_image_details *is = &d->is;
	const char *id = doc.id ? doc.id : "";
	is->id = doc.id;
	is->repo_tags = tags_of(all, id, &d->arena);
	is->repo_digests =
		is->repo_tags ? digests_of(is->repo_tags, doc.digest ? doc.digest : "", &d->arena)
			      : NULL;
	is->labels = make_labels(&doc.config.run.labels, &d->arena);
	if (!is->repo_digests || !is->labels)
		return fail(err, ENOMEM, "out of memory");
	is->created = doc.config.created;
	is->author = doc.config.author;
	is->architecture = doc.config.architecture;
	is->os = doc.config.os;
	is->has_size = doc.size.set;
	is->size_bytes = doc.size.value;
	is->layers = list_of(&doc.config.diff_ids);
	is->env = list_of(&doc.config.run.env);
	is->cmd = list_of(&doc.config.run.cmd);
	is->entrypoint = list_of(&doc.config.run.entrypoint);
	is->working_dir = doc.config.run.working_dir;
	is->user = doc.config.run.user;
	if (doc.config.history.count)
		is->comment = doc.config.history.items[doc.config.history.count - 1].comment;
	struct image_details *mine = take_ptr(d);
	*ret = &mine->is;
	return 0;
}

/* ---- history ----------------------------------------------------------------------------------
 */

struct csn_image_history {
	struct arena arena;
	struct csn_image_history_entry *items;
	size_t count;
};

size_t csn_image_history_count(const struct csn_image_history *history)
{
	return history ? history->count : 0;
}

const struct csn_image_history_entry *csn_image_history_get(const struct csn_image_history *history,
							    size_t index)
{
	return &history->items[index];
}

void csn_image_history_free(struct csn_image_history *history)
{
	if (!history)
		return;
	arena_free(&history->arena);
	free(history);
}

static void free_history(struct csn_image_history **history)
{
	csn_image_history_free(*history);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* Steps and layers go by pairs, but for steps that made none. */
static int fill_history(struct csn_image_history *h, const struct document *doc,
			const struct csn_images *all, struct csn_error *err)
{
	static const char *const none[] = { NULL };
	size_t count = doc->config.history.count, layer = 0;
	h->items = arena_array(&h->arena, count + 1, sizeof *h->items);
	const char *const *tags = tags_of(all, or_empty(doc->id), &h->arena);
	if (!h->items || !tags)
		return fail(err, ENOMEM, "out of memory");
	h->count = count;
	for (size_t i = 0; i < count; i++) {
		const struct step *s = &doc->config.history.items[i];
		bool newest = i + 1 == count;
		struct csn_image_history_entry *e = &h->items[count - 1 - i];
		*e = (struct csn_image_history_entry){
			.id = newest && doc->id ? doc->id : "<missing>",
			.created = s->created ? utc_parse(s->created, strlen(s->created), NULL) /
							1000000000
					      : 0,
			.created_by = or_empty(s->created_by),
			.comment = or_empty(s->comment),
			.tags = newest ? tags : none,
		};
		if (!s->empty_layer && layer < doc->manifest.layers.count)
			e->size_bytes = doc->manifest.layers.items[layer++].size;
	}
	return 0;
}

int image_history_of(const char *json, const struct csn_images *all, struct csn_image_history **ret,
		     struct csn_error *err)
{
	struct csn_image_history *h AUTO(free_history)
	= calloc(1, sizeof *h);
	struct document doc = { 0 };
	if (!h)
		return fail(err, ENOMEM, "out of memory");
	TRY(json_decode(json, strlen(json), "image", document_fields, &doc, &h->arena, err));
	TRY(fill_history(h, &doc, all, err));
	*ret = take_ptr(h);
	return 0;
}
