/* All layers of one image: found in the store or unpacked, several at a time. */
#ifndef CSN_IMAGE_LAYERS_H
#define CSN_IMAGE_LAYERS_H

#include "image/store.h"
#include "image/unpack.h"

/* A blob that is still being fetched. Both calls wait for news a moment only: -EAGAIN. */
struct arrival {
	/* The file, for reading from its beginning. */
	int (*begin)(void *data, struct csn_error *err);
	/* 1: there is more than the `have` first bytes; 0: these are all, and their digest is
	 * right. */
	int (*more)(void *data, uint64_t have, struct csn_error *err);
	void *data;
};

struct layer_input {
	const char *blob; /* its digest; staged or in the store, verified */
	uint64_t blob_size;
	const char *diff_id;	/* NULL: not known yet; then it must be the only layer */
	bool verify_blob;	/* compute the blob's digest, too: it lay in the store */
	struct arrival arrival; /* NULLs: the blob is all there */
};

#define LAYER_NAME_MAX (sizeof "sha256-" + 128)

struct layer_output {
	char name[LAYER_NAME_MAX]; /* below layers/ */
	char diff_id[DIGEST_TEXT_MAX];
	uint64_t size, entries;
	bool opaque_root;
	struct root_attrs root;
};

/* Bottom first. What was unpacked is staged in the session. */
int layers_unpack(struct session *s, const struct layer_input *inputs, size_t count,
		  struct layer_output *ret, struct csn_error *err);

#endif
