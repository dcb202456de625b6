/* Between the parts of a load: what was found, and its way into the store. */
#ifndef CSN_IMAGE_LOAD_H
#define CSN_IMAGE_LOAD_H

#include "base/arena.h"
#include "image/layers.h"
#include "image/manifest.h"
#include "image/ref.h"
#include "image/source.h"
#include "image/store.h"

struct blob_ref {
	const char *digest;
	uint64_t size;
	bool stored; /* it was in the store already */
	struct arrival arrival;
};

/* An image whose blobs are all staged or stored. */
struct found_image {
	const char *manifest_digest, *manifest_type;
	uint64_t manifest_size;
	const char *config_digest;
	struct blob_ref *layers; /* bottom first */
	size_t layer_count;
	const char *const *references; /* normalised */
	size_t reference_count;
};

struct load {
	struct image_store *store;
	const struct image_load *options;
	struct session session;
	struct source source;
	struct arena arena;
	struct platform platform;
	struct index_entry *entries; /* of index.json; strings in the arena */
	size_t entry_count;
	struct image_list list;
};

/* Unpacks, and stages the records. */
int load_install(struct load *l, const struct found_image *f, struct csn_error *err);
/* The reference for an image that its archive names "given" (NULL: not at all), or gives only a
 * tag. */
int load_reference(struct load *l, const char *given, const char **ret, struct csn_error *err);
/* Installs the stored image of that name (again), under the reference. */
int load_stored(struct load *l, const char *name, const char *reference, struct csn_error *err);
/* Begins, runs find, commits; the images are in *ret. */
int load_run(struct image_store *s, const struct image_load *o,
	     int (*find)(struct load *l, struct csn_error *err), struct image_list *ret,
	     struct csn_error *err);
/* Writes a manifest for blobs that came without one, and stages it. */
int load_make_manifest(struct load *l, const char *config_digest, uint64_t config_size,
		       const struct descriptor *layers, size_t count, struct found_image *ret,
		       struct csn_error *err);
/* Now, or SOURCE_DATE_EPOCH for those who want the same image every time. */
int load_creation_time(char ret[32], struct csn_error *err);
/* The media type of a layer blob, by what is in it. */
int load_layer_type(struct load *l, const char *digest, char **ret, struct csn_error *err);

int layout_find(struct load *l, struct csn_error *err);		/* layout.c */
int docker_archive_find(struct load *l, struct csn_error *err); /* docker_archive.c */

#endif
