/*
 * libcaisson: images that are in the store: names, facts, checks, archives. The conventions are
 * those of caisson.h. An image is named by reference, id or the beginning of an id.
 */
#ifndef CAISSON_IMAGE_H
#define CAISSON_IMAGE_H

#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Gives an image another name; what had it before loses it. */
CSN_API int csn_image_tag(struct csn_runtime *rt, const char *image, const char *name,
			  struct csn_error *err) CSN_MUST_CHECK;
/* Checks the digests of all its blobs, and its unpacked layers by unpacking them once more.
 * -EUCLEAN or -EINVAL: the first damage, in words. */
CSN_API int csn_image_verify(struct csn_runtime *rt, const char *image,
			     struct csn_error *err) CSN_MUST_CHECK;
/* *ret: a JSON object with "reference", "digest", "id", "size", "layers", and the image's own
 * "manifest" and "config". free() it. */
CSN_API int csn_image_inspect(struct csn_runtime *rt, const char *image, char **ret,
			      struct csn_error *err) CSN_MUST_CHECK;
/* Writes an archive that is an OCI archive and a docker-archive at once. images ends with NULL. */
CSN_API int csn_image_save(struct csn_runtime *rt, const char *const *images, int fd,
			   struct csn_error *err) CSN_MUST_CHECK;
/* Frees what no image and no container needs; with all, images that no container is made from go,
 * too: *ret (may be NULL) lists them. */
CSN_API int csn_image_prune(struct csn_runtime *rt, bool all, struct csn_images **ret,
			    struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
