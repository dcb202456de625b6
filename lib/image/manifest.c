/*
 * Decoding of indexes, manifests and image configs.
 *
 * A document says what it is in two ways, by its media type and by its members. They must agree and
 * be one kind only: a document with both "layers" and "manifests" would be an image to one reader
 * and an index to another, under one digest.
 */
#include "image/manifest.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "image/digest.h"
#include "image/jsontext.h"

static int decode_digest(struct json_decoder *d, const struct json_node *v,
			 const struct json_field *f, void *out)
{
	struct csn_error why;

	TRY(decode_string(d, v, f, out));
	if (digest_check(*(char **)out, &why) < 0)
		return fail(d->err, EINVAL, "%s: %s: %s", d->name, d->path, why.text);
	return 0;
}

/* A second row for the same member: was it there at all? */
static int decode_presence(struct json_decoder *d, const struct json_node *v,
			   const struct json_field *f, void *out)
{
	(void)d, (void)v, (void)f;
	*(bool *)out = true;
	return 0;
}

static const struct json_field platform_fields[] = {
	{ "os", decode_string, offsetof(struct platform, os), NULL, JSON_REQUIRED },
	{ "architecture", decode_string, offsetof(struct platform, architecture), NULL,
	  JSON_REQUIRED },
	{ "variant", decode_text, offsetof(struct platform, variant) },
	{ 0 }
};

static const struct json_field descriptor_fields[] = {
	{ "mediaType", decode_text, offsetof(struct descriptor, media_type) },
	{ "digest", decode_digest, offsetof(struct descriptor, digest), NULL, JSON_REQUIRED },
	{ "size", decode_u64, offsetof(struct descriptor, size), NULL, JSON_REQUIRED, 0,
	  INT64_MAX },
	{ "platform", decode_set_object, offsetof(struct descriptor, platform), platform_fields },
	{ "annotations", decode_map, offsetof(struct descriptor, annotations) },
	{ 0 }
};

static const struct json_elements descriptor_elements = {
	sizeof(struct descriptor), decode_set_object, descriptor_fields, 0, 0,
};

static const struct json_field document_fields[] = {
	{ "schemaVersion", decode_u32, offsetof(struct document, schema_version), NULL,
	  JSON_REQUIRED },
	{ "mediaType", decode_text, offsetof(struct document, media_type) },
	{ "config", decode_set_object, offsetof(struct document, config), descriptor_fields },
	{ "layers", decode_array, offsetof(struct document, layers), &descriptor_elements },
	{ "layers", decode_presence, offsetof(struct document, has_layers) },
	{ "manifests", decode_array, offsetof(struct document, manifests), &descriptor_elements },
	{ "manifests", decode_presence, offsetof(struct document, has_manifests) },
	{ 0 }
};

#define ROOTFS(member)                                                                             \
	(offsetof(struct image_config, rootfs.member) - offsetof(struct image_config, rootfs))

static const struct json_field rootfs_fields[] = {
	{ "type", decode_string, ROOTFS(type), NULL, JSON_REQUIRED },
	{ "diff_ids", decode_strings, ROOTFS(diff_ids), NULL, JSON_REQUIRED },
	{ 0 }
};

static const struct json_field config_fields[] = {
	{ "created", decode_text, offsetof(struct image_config, created) },
	{ "architecture", decode_text, offsetof(struct image_config, architecture) },
	{ "os", decode_text, offsetof(struct image_config, os) },
	{ "variant", decode_text, offsetof(struct image_config, variant) },
	{ "rootfs", decode_set_object, offsetof(struct image_config, rootfs), rootfs_fields,
	  JSON_REQUIRED },
	{ 0 }
};

/* ---- media types ----------------------------------------------------------------------------- */

static const struct {
	const char *media_type;
	enum document_kind kind;
} document_types[] = {
	{ MEDIA_OCI_INDEX, DOCUMENT_INDEX },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", DOCUMENT_INDEX },
	{ MEDIA_OCI_MANIFEST, DOCUMENT_MANIFEST },
	{ "application/vnd.docker.distribution.manifest.v2+json", DOCUMENT_MANIFEST },
};

static const char *const layer_types[] = {
	MEDIA_OCI_LAYER,
	MEDIA_OCI_LAYER "+gzip",
	MEDIA_OCI_LAYER "+zstd",
	"application/vnd.oci.image.layer.nondistributable.v1.tar",
	"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
	"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
	"application/vnd.docker.image.rootfs.diff.tar",
	"application/vnd.docker.image.rootfs.diff.tar.gzip",
	"application/vnd.docker.image.rootfs.diff.tar.zstd",
	"application/vnd.docker.image.rootfs.foreign.diff.tar",
	"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
};

enum document_kind media_type_kind(const char *media_type)
{
	if (!media_type)
		return DOCUMENT_MANIFEST;
	for (size_t i = 0; i < COUNT(document_types); i++)
		if (strcmp(document_types[i].media_type, media_type) == 0)
			return document_types[i].kind;
	return DOCUMENT_OTHER;
}

bool media_type_is_layer(const char *media_type)
{
	for (size_t i = 0; media_type && i < COUNT(layer_types); i++)
		if (strcmp(layer_types[i], media_type) == 0)
			return true;
	return false;
}

bool media_type_is_config(const char *media_type)
{
	return !media_type || strcmp(media_type, MEDIA_OCI_CONFIG) == 0 ||
	       strcmp(media_type, "application/vnd.docker.container.image.v1+json") == 0;
}

/* ---- documents ------------------------------------------------------------------------------- */

static int check_document(const struct document *d, const char *name, const char *media_type,
			  struct csn_error *err)
{
	if (d->schema_version == 1)
		return fail(err, EINVAL, "%s: manifests of schema version 1 are not supported",
			    name);
	if (d->schema_version != 2)
		return fail(err, EINVAL, "%s: schemaVersion: expected 2, not %u", name,
			    d->schema_version);
	if (d->has_manifests && (d->has_layers || d->config.set))
		return fail(err, EINVAL, "%s: has both 'manifests' and '%s'", name,
			    d->has_layers ? "layers" : "config");
	if (d->media_type && media_type && strcmp(d->media_type, media_type) != 0)
		return fail(err, EINVAL,
			    "%s: mediaType: '%.100s', but its descriptor says '%.100s'", name,
			    d->media_type, media_type);

	const char *type = d->media_type ? d->media_type : media_type;
	enum document_kind kind = d->has_manifests ? DOCUMENT_INDEX : DOCUMENT_MANIFEST;
	if (type && media_type_kind(type) != kind)
		return fail(err, EINVAL, "%s: mediaType: '%.100s' does not fit what is inside",
			    name, type);
	if (kind == DOCUMENT_MANIFEST && !d->has_layers)
		return fail(err, EINVAL, "%s: layers: missing", name);
	if (kind == DOCUMENT_MANIFEST && !d->config.set)
		return fail(err, EINVAL, "%s: config: missing", name);
	if (d->layers.count > LAYERS_MAX)
		return fail(err, EINVAL, "%s: layers: %zu, more than %d", name, d->layers.count,
			    LAYERS_MAX);
	return 0;
}

int document_decode(const char *text, size_t size, const char *name, const char *media_type,
		    struct document *ret, struct arena *arena, struct csn_error *err)
{
	*ret = (struct document){ 0 };
	TRY(json_decode(text, size, name, document_fields, ret, arena, err));
	return check_document(ret, name, media_type, err);
}

int document_check_image(const struct document *m, const char *digest, struct csn_error *err)
{
	if (!media_type_is_config(m->config.media_type))
		return fail(err, EINVAL,
			    "manifest %s: is not an image but an artifact of type '%.100s'", digest,
			    m->config.media_type);
	if (m->config.size > CONFIG_SIZE_MAX)
		return fail(err, EFBIG, "config %s: is larger than %llu bytes", m->config.digest,
			    (unsigned long long)CONFIG_SIZE_MAX);
	for (size_t i = 0; i < m->layers.count; i++) {
		const char *type = m->layers.items[i].media_type;
		if (!media_type_is_layer(type))
			return fail(err, EINVAL,
				    "manifest %s: layers[%zu].mediaType: '%.100s' is no layer",
				    digest, i, type ? type : "");
	}
	return 0;
}

int image_config_decode(const char *text, size_t size, const char *name, struct image_config *ret,
			struct arena *arena, struct csn_error *err)
{
	size_t start, length;
	struct csn_error why;

	*ret = (struct image_config){ 0 };
	TRY(json_decode(text, size, name, config_fields, ret, arena, err));
	if (strcmp(ret->rootfs.type, "layers") != 0)
		return fail(err, EINVAL, "%s: rootfs.type: expected 'layers', not '%.100s'", name,
			    ret->rootfs.type);
	for (size_t i = 0; i < ret->rootfs.diff_ids.count; i++)
		if (digest_check(ret->rootfs.diff_ids.items[i], &why) < 0)
			return fail(err, EINVAL, "%s: rootfs.diff_ids[%zu]: %s", name, i, why.text);

	ret->config = "{}";
	if (!json_member_text(text, size, "config", &start, &length) || text[start] != '{')
		return 0;
	ret->config = arena_printf(arena, "%.*s", (int)length, text + start);
	return ret->config ? 0 : fail(err, ENOMEM, "out of memory");
}

const char *descriptor_annotation(const struct descriptor *d, const char *key)
{
	for (size_t i = 0; i < d->annotations.count; i++)
		if (strcmp(d->annotations.items[i].key, key) == 0)
			return d->annotations.items[i].value;
	return NULL;
}
