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
/* Frees what no image and no container needs, and parts of downloads that nobody goes on with; with
 * all, images that no container is made from go, too: *ret (may be NULL) lists them. Waits for
 * nobody: while there is work in the store, it is freed at the end of that. */
CSN_API int csn_image_prune(struct csn_runtime *rt, bool all, struct csn_images **ret,
			    struct csn_error *err) CSN_MUST_CHECK;

/* One step of how an image was made; "" where it does not say. */
struct csn_history_step {
	const char *created; /* RFC 3339 */
	const char *created_by, *author, *comment;
	uint64_t size_bytes; /* of its layer, as stored; 0 without one */
	bool empty_layer;    /* it made none */
};

/* The steps, the last one first. NULL has none. */
struct csn_history;
CSN_API int csn_image_history(struct csn_runtime *rt, const char *image, struct csn_history **ret,
			      struct csn_error *err) CSN_MUST_CHECK;
CSN_API size_t csn_history_count(const struct csn_history *history);
/* Owned by the history. index must be less than the count. */
CSN_API const struct csn_history_step *csn_history_get(const struct csn_history *history,
						       size_t index);
CSN_API void csn_history_free(struct csn_history *history);

/* ---- room on disk -----------------------------------------------------------------------------
 */

/* Bytes are those of the disk's blocks, and of layers what their files had when they were unpacked.
 */
struct csn_usage_sum {
	size_t total, active; /* active: in use; of containers those that run */
	uint64_t size_bytes, reclaimable_bytes;
};
struct csn_usage_image {
	const char *reference, *id;
	/* Of its layers; shared with other images, and its own. */
	uint64_t size_bytes, shared_bytes, unique_bytes;
	size_t containers; /* made from it */
};
struct csn_usage_container {
	const char *id, *name, *image;
	uint64_t size_bytes; /* of what it wrote */
	bool running;
};
struct csn_usage_volume {
	const char *name;
	uint64_t size_bytes;
	bool used; /* a container mounts it */
};
struct csn_usage {
	/* Of images: unpacked layers, each counted once; a name more is no image more, and what no
	 * container stands on can be reclaimed. Blobs are what was loaded or pulled, compressed. */
	struct csn_usage_sum images, containers, volumes, blobs, downloads;
	const struct csn_usage_image *image_items; /* by reference */
	size_t images_count;
	const struct csn_usage_container *container_items; /* by name */
	size_t containers_count;
	const struct csn_usage_volume *volume_items; /* by name */
	size_t volumes_count;
};
/* Walks through everything that containers and volumes have. csn_usage_free() it. */
CSN_API int csn_usage_get(struct csn_runtime *rt, struct csn_usage **ret,
			  struct csn_error *err) CSN_MUST_CHECK;
CSN_API void csn_usage_free(struct csn_usage *usage);

/* ---- out of containers ------------------------------------------------------------------------
 */

/*
 * Writes the file system of a container, running or not, to fd as a tar file: its image's layers
 * and its changes together, without what is mounted in it. A failure may leave a part written.
 */
CSN_API int csn_container_export(struct csn_runtime *rt, const char *container, int fd,
				 struct csn_error *err) CSN_MUST_CHECK;

struct csn_commit_options {
	size_t size;
	const char *name;	      /* of the new image; required */
	const char *author, *comment; /* NULL: nothing is said */
	const char *const *changes;   /* instructions of a Dockerfile for the config, such as
				       * "CMD [\"sh\"]" and "ENV A=b"; ends with NULL; NULL: none */
	bool pause;		      /* nothing in it runs while its files are read */
};
#define CSN_COMMIT_OPTIONS_INIT                                                                    \
	{                                                                                          \
		sizeof(struct csn_commit_options), NULL, NULL, NULL, NULL, false                   \
	}

/*
 * Makes an image of a container: its own image and one more layer, with what the container changed.
 * The config is the image's, then what the container was given (command, environment, working
 * directory, user, labels), then the changes. *ret (may be NULL) lists it. -EINVAL: a change that
 * cannot be. -ENOENT also: the image that it was made from is not here any more.
 */
CSN_API int csn_container_commit(struct csn_runtime *rt, const char *container,
				 const struct csn_commit_options *options, struct csn_images **ret,
				 struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
