/*
 * What "docker save" writes: manifest.json lists images, each a config and layer files. The layers
 * are tar files, as they are or compressed, often symlinks to one another. (Since version 25 docker
 * writes an OCI layout around it; then layout.c reads that.)
 *
 * The store keeps such an image as an OCI image with a manifest made here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "image/load.h"
#include "image/tree.h"

struct strings {
	char **items;
	size_t count;
	bool set;
};

struct docker_image {
	char *config;
	struct strings tags, layers;
};

static const struct json_field image_fields[] = {
	{ "Config", decode_string, offsetof(struct docker_image, config), NULL, JSON_REQUIRED },
	{ "RepoTags", decode_strings, offsetof(struct docker_image, tags) },
	{ "Layers", decode_strings, offsetof(struct docker_image, layers) },
	{ 0 }
};

static const struct json_elements images = {
	sizeof(struct docker_image), decode_object, image_fields, 0, 0,
};

/* Stages a file that the manifest names. */
static int stage(struct load *l, char *path, char **ret_digest, uint64_t *ret_size,
		 struct csn_error *err)
{
	char digest[DIGEST_TEXT_MAX];

	TRY(tree_clean_path(path, err));
	TRY(source_stage(&l->source, path, NULL, SIZE_UNKNOWN, digest, ret_size, err));
	*ret_digest = arena_strdup(&l->arena, digest);
	return *ret_digest ? 0 : fail(err, ENOMEM, "out of memory");
}

/* "<64 hex>.json" and "blobs/sha256/<64 hex>" say what the digest must be. */
static int check_config_name(const char *path, const char *digest, struct csn_error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (strspn(name, "0123456789abcdef") != 64 ||
	    (name[64] != '\0' && strcmp(name + 64, ".json") != 0))
		return 0;
	if (strncmp(name, digest_hex(digest), 64) != 0)
		return fail(err, EINVAL, "config '%.200s': its content has the digest %s", path,
			    digest);
	return 0;
}

static int image_references(struct load *l, const struct docker_image *image, const char ***ret,
			    size_t *ret_count, struct csn_error *err)
{
	size_t count = l->options->name || image->tags.count == 0 ? 1 : image->tags.count;

	*ret = arena_array(&l->arena, count, sizeof **ret);
	if (!*ret)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		TRY(load_reference(l, image->tags.count ? image->tags.items[i] : NULL, &(*ret)[i],
				   err));
	*ret_count = count;
	return 0;
}

static int install(struct load *l, const struct docker_image *image, struct csn_error *err)
{
	struct found_image f = { 0 };
	char *config;
	uint64_t config_size;
	const char **references;
	struct descriptor *layers = arena_array(&l->arena, image->layers.count, sizeof *layers);

	if (!layers)
		return fail(err, ENOMEM, "out of memory");
	if (image->layers.count > LAYERS_MAX)
		return fail(err, EINVAL, "manifest.json: Layers: more than %d", LAYERS_MAX);
	TRY(stage(l, image->config, &config, &config_size, err));
	TRY(check_config_name(image->config, config, err));
	for (size_t i = 0; i < image->layers.count; i++) {
		TRY(stage(l, image->layers.items[i], &layers[i].digest, &layers[i].size, err));
		TRY(load_layer_type(l, layers[i].digest, &layers[i].media_type, err));
	}
	TRY(load_make_manifest(l, config, config_size, layers, image->layers.count, &f, err));
	TRY(image_references(l, image, &references, &f.reference_count, err));
	f.references = references;
	return load_install(l, &f, err);
}

int docker_archive_find(struct load *l, struct csn_error *err)
{
	struct {
		struct docker_image *items;
		size_t count;
	} list = { 0 };
	auto_mem char *text = NULL;
	size_t size;

	TRY(source_read(&l->source, "manifest.json", &text, &size, err));
	TRY(json_decode_array(text, size, "manifest.json", &images, &list, &l->arena, err));
	if (list.count == 0)
		return fail(err, EINVAL, "no image: manifest.json lists none");
	if (list.count > 1 && l->options->name)
		return fail(err, EINVAL, "several images; one name cannot be given to all");
	for (size_t i = 0; i < list.count; i++)
		TRY(install(l, &list.items[i], err));
	return 0;
}
