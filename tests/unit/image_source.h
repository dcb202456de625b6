/* OCI layouts for tests, blob by blob, with one flaw each. */
#ifndef CSN_TESTS_IMAGE_SOURCE_H
#define CSN_TESTS_IMAGE_SOURCE_H

#include <stddef.h>

#include "image/digest.h"

#define OTHER	      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LAYER_TYPE    "application/vnd.oci.image.layer.v1.tar"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define INDEX_TYPE    "application/vnd.oci.image.index.v1+json"

enum flaw {
	FLAWLESS,
	LAYER_LIES,
	LAYER_SHORT,
	LAYER_MISSING,
	LAYER_TYPE_BAD,
	LAYER_NO_TAR,
	DIFF_ID_LIES,
	DIFF_IDS_FEW,
	ROOTFS_TYPE,
	CONFIG_LIES,
	CONFIG_NO_JSON,
	MANIFEST_LIES,
	MANIFEST_BOTH,
	MANIFEST_OLD,
	MANIFEST_DIGEST,
	ARTIFACT,
	OTHER_PLATFORM,
	INDEX_EMPTY,
	INDEX_NO_JSON,
	INDEX_ATTESTATION,
};

struct blob {
	char digest[DIGEST_TEXT_MAX];
	size_t size;
};

/* The directory that is made, and what is in it. */
extern char source[80];
extern struct blob layers[2], config, manifest;

void make_source(enum flaw flaw);
void make_layers(enum flaw flaw);
void make_config(enum flaw flaw);
void write_source(const char *path, const void *data, size_t size);
struct blob put_blob(const void *data, size_t size);
/* index.json with these entries. */
void put_index(const char *entries);
/* The manifest as an entry of an index, with a platform and annotations as JSON, or NULL. Valid
 * until the next call. */
const char *index_entry(const char *platform, const char *annotations);

#endif
