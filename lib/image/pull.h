/* Between the parts of a pull: documents of a registry. */
#ifndef CSN_IMAGE_PULL_H
#define CSN_IMAGE_PULL_H

#include "base/arena.h"
#include "image/manifest.h"
#include "image/registry.h"

#define MANIFEST_MAX ((size_t)4 << 20)

/* A document with its bytes, which are what its digest is of. Strings in the arena. */
struct fetched {
	char *text;
	size_t size;
	char *media_type, *digest;
	struct document document;
};

/*
 * GET manifests/<reference>: a tag, or a digest that the bytes must have. d: the descriptor that
 * named it, whose size and type it must have, or NULL.
 */
int fetch_manifest(struct registry *r, struct endpoint *e, const char *reference,
		   const struct descriptor *d, struct fetched *ret, struct arena *arena,
		   struct csn_error *err);
/* A small blob: a config. *ret is malloc'd. */
int fetch_small_blob(struct registry *r, struct endpoint *e, const struct descriptor *d, char **ret,
		     struct csn_error *err);

#endif
