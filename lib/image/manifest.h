/* The JSON documents of images: indexes, manifests, configs, and which of several to take. */
#ifndef CSN_IMAGE_MANIFEST_H
#define CSN_IMAGE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "caisson.h"

#define MEDIA_OCI_INDEX	   "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG   "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER	   "application/vnd.oci.image.layer.v1.tar"

#define CONFIG_SIZE_MAX ((uint64_t)8 << 20)
#define LAYERS_MAX	500 /* overlayfs's bound */

struct platform {
	bool set;
	char *os, *architecture, *variant; /* variant may be NULL */
};

struct descriptor {
	bool set;
	char *media_type; /* may be NULL */
	char *digest;	  /* valid */
	uint64_t size;
	struct platform platform;
	struct {
		struct {
			char *key, *value;
		} * items;
		size_t count;
		bool set;
	} annotations;
};

struct descriptors {
	struct descriptor *items;
	size_t count;
};

/* An index or a manifest. */
struct document {
	uint32_t schema_version;
	char *media_type;
	struct descriptor config;
	struct descriptors layers, manifests;
	bool has_layers, has_manifests;
};

struct image_config {
	char *created, *architecture, *os, *variant; /* all may be NULL */
	struct {
		bool set;
		char *type;
		struct {
			char **items;
			size_t count;
			bool set;
		} diff_ids;
	} rootfs;
	const char
		*config; /* the text of the "config" member, "{}" if there is none; in the arena */
};

enum document_kind { DOCUMENT_INDEX, DOCUMENT_MANIFEST, DOCUMENT_OTHER };

/* By its media type; DOCUMENT_OTHER when it is neither. NULL counts as a manifest. */
enum document_kind media_type_kind(const char *media_type);
bool media_type_is_layer(const char *media_type);
bool media_type_is_config(const char *media_type);

/* Decodes and checks: schema, one kind only, media type as the descriptor says (NULL: not known).
 */
int document_decode(const char *text, size_t size, const char *name, const char *media_type,
		    struct document *ret, struct arena *arena, struct csn_error *err);
int image_config_decode(const char *text, size_t size, const char *name, struct image_config *ret,
			struct arena *arena, struct csn_error *err);
/* Is the manifest of that digest an image's, and not some other artifact's? */
int document_check_image(const struct document *m, const char *digest, struct csn_error *err);
const char *descriptor_annotation(const struct descriptor *d, const char *key);

/* "linux/arm64/v8", or the host's for NULL. Names are normalised (x86_64 → amd64). */
int platform_parse(const char *text, struct platform *ret, struct arena *arena,
		   struct csn_error *err);
/* How well an image for "have" runs on "want": 0 not at all; more is better. */
int platform_rank(const struct platform *want, const struct platform *have);
/* "linux/arm64/v8" */
void platform_format(const struct platform *p, char *buf, size_t size);

#endif
