/*
 * The Runtime interface's images, beyond pulling, listing and removing. Part of caisson-runtime.h,
 * which includes it; its conventions hold.
 *
 * Archives go through file descriptors of the caller, which may be pipes: they are written or read
 * to their end, and not closed.
 */
#ifndef CAISSON_RUNTIME_IMAGES_H
#define CAISSON_RUNTIME_IMAGES_H

#include "caisson-registry.h"
#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

struct csn_rt;
struct csn_container_id;

/* ---- progress ---------------------------------------------------------------------------------
 */

enum csn_progress_kind { CSN_PROGRESS_STATUS, CSN_PROGRESS_DONE };
/* Texts are valid until the next call. */
struct csn_progress {
	size_t size;
	enum csn_progress_kind kind;
	/* CSN_PROGRESS_STATUS */
	const char *id;		 /* of the layer or image; NULL: of none */
	const char *status;	 /* "Downloading"; never NULL */
	const char *progress;	 /* a bar in text, or NULL */
	uint64_t current, total; /* bytes; total 0: not known */
	/* CSN_PROGRESS_DONE: what came. Of a pull one reference. */
	const char *const *references; /* ends with NULL */
	const char *digest;	       /* "sha256:…", or NULL */
};
#define CSN_PROGRESS_INIT                                                                          \
	{                                                                                          \
		sizeof(struct csn_progress), CSN_PROGRESS_STATUS, NULL, "", NULL, 0, 0, NULL, NULL \
	}
/* {"kind":"status","id":…,"status":…} (id only where there is one), with "progress", "current" and
 * "total" where they are known; {"kind":"done","references":[…]}, with "digest" likewise.
 * csn_free() it. */
CSN_API int csn_progress_to_json(const struct csn_progress *progress, char **ret_json,
				 struct csn_error *err) CSN_MUST_CHECK;

struct csn_progress_stream;
/* The next event: 1. 0: there are no more; CSN_PROGRESS_DONE came before, exactly once. -EAGAIN:
 * none within timeout_ms (0: do not wait). A failure ends the stream. */
CSN_API int csn_progress_stream_next(struct csn_progress_stream *stream, int timeout_ms,
				     struct csn_progress *ret,
				     struct csn_error *err) CSN_MUST_CHECK;
/* Readable when csn_progress_stream_next may have news. Owned by the stream. */
CSN_API int csn_progress_stream_fd(const struct csn_progress_stream *stream);
/* What is not done yet is given up. */
CSN_API void csn_progress_stream_close(struct csn_progress_stream *stream);

/* csn_rt_pull_image with progress. auth NULL: looked up. Default: the image is pulled, and then
 * comes "Pulling from <image>" and CSN_PROGRESS_DONE. */
CSN_API int csn_rt_pull_image_stream(struct csn_rt *rt, const char *image,
				     const struct csn_registry_options *auth,
				     struct csn_progress_stream **ret,
				     struct csn_error *err) CSN_MUST_CHECK;
/* A mock's next event of a pull of that image, a copy; after the queued ones the stream ends.
 * -EINVAL: no mock. */
CSN_API int csn_rt_mock_queue_progress(struct csn_rt *rt, const char *image,
				       const struct csn_progress *progress,
				       struct csn_error *err) CSN_MUST_CHECK;

/* ---- names ------------------------------------------------------------------------------------
 */

/* Gives source the name target, which must be a whole reference. CSN_ERROR_NOT_FOUND;
 * CSN_ERROR_INVALID_SPEC for empty ones. The same twice: nothing to do. Default:
 * CSN_ERROR_UNSUPPORTED, as for all below. */
CSN_API int csn_rt_tag_image(struct csn_rt *rt, const char *source, const char *target,
			     struct csn_error *err) CSN_MUST_CHECK;
/* Removes images that no container is made from. *ret_bytes: what they took. */
CSN_API int csn_rt_prune_images(struct csn_rt *rt, struct csn_texts **ret_deleted,
				uint64_t *ret_bytes, struct csn_error *err) CSN_MUST_CHECK;

/* ---- facts ------------------------------------------------------------------------------------
 */

/* Texts are NULL where nothing is known; lists end with NULL, and NULL is an empty one. */
struct csn_image_details {
	size_t size;
	const char *id;
	const char *const *repo_tags, *const *repo_digests;
	const char *parent, *comment, *created, *container, *docker_version, *author;
	const char *architecture, *os;
	uint64_t size_bytes; /* with has_size */
	bool has_size;
	const char *const *layers; /* digests of the unpacked layers, the lowest first */
	const char *const *env, *const *cmd, *const *entrypoint;
	const char *working_dir, *user;
	const char *const *labels; /* "key=value", sorted */
};
#define CSN_IMAGE_DETAILS_INIT                                                                     \
	{                                                                                          \
		sizeof(struct csn_image_details), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,  \
			NULL, NULL, NULL, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL       \
	}
CSN_API int csn_rt_inspect_image_native(struct csn_rt *rt, const char *image,
					struct csn_image_details **ret,
					struct csn_error *err) CSN_MUST_CHECK;
CSN_API void csn_image_details_free(struct csn_image_details *details);
/* An object with a member for each, by its name ("size" for size_bytes; "labels" is an object);
 * null and [] for nothing. csn_free() it. */
CSN_API int csn_image_details_to_json(const struct csn_image_details *details, char **ret_json,
				      struct csn_error *err) CSN_MUST_CHECK;
CSN_API int csn_image_details_from_json(const char *json, size_t size,
					struct csn_image_details **ret,
					struct csn_error *err) CSN_MUST_CHECK;

struct csn_image_history_entry {
	const char *id;	 /* of the image, with the newest entry; else "<missing>" */
	int64_t created; /* seconds since 1970 */
	const char *created_by, *comment; /* "" where there is none */
	uint64_t size_bytes;		  /* of the layer as it is stored; 0: the step made none */
	const char *const *tags;	  /* with the newest entry; ends with NULL */
};
/* Newest first. */
struct csn_image_history;
CSN_API size_t csn_image_history_count(const struct csn_image_history *history);
/* Owned by the list. index must be less than the count. */
CSN_API const struct csn_image_history_entry *csn_image_history_get(
	const struct csn_image_history *history, size_t index);
CSN_API void csn_image_history_free(struct csn_image_history *history);
CSN_API int csn_rt_image_history(struct csn_rt *rt, const char *image,
				 struct csn_image_history **ret,
				 struct csn_error *err) CSN_MUST_CHECK;
/* At most limit images of that name in a registry, as a JSON array; csn_free() it. Neither runtime
 * here has it: the protocol of registries knows no search. */
CSN_API int csn_rt_search_images(struct csn_rt *rt, const char *term, uint32_t limit,
				 char **ret_json, struct csn_error *err) CSN_MUST_CHECK;

/* ---- archives ---------------------------------------------------------------------------------
 */

/* One archive of the images, which share their layers in it. images ends with NULL. */
CSN_API int csn_rt_save_images(struct csn_rt *rt, const char *const *images, int fd,
			       struct csn_error *err) CSN_MUST_CHECK;
/* fd may be closed after the call. quiet: CSN_PROGRESS_DONE is the only event. */
CSN_API int csn_rt_load_images(struct csn_rt *rt, int fd, bool quiet,
			       struct csn_progress_stream **ret,
			       struct csn_error *err) CSN_MUST_CHECK;
/* An image of one layer from the tar archive of a root file system. repo is needed
 * (CSN_ERROR_INVALID_SPEC); tag NULL: "latest". *ret_id: "sha256:…"; csn_free() it. */
CSN_API int csn_rt_import_image(struct csn_rt *rt, int fd, const char *repo, const char *tag,
				char **ret_id, struct csn_error *err) CSN_MUST_CHECK;
/* A tar archive of all files of a container. */
CSN_API int csn_rt_export_container_fs(struct csn_rt *rt, const struct csn_container_id *id, int fd,
				       struct csn_error *err) CSN_MUST_CHECK;

struct csn_rt_commit_options {
	size_t size;
	const char *repo, *tag; /* of the new image; repo is needed by the native runtime; tag
				 * NULL: "latest" */
	const char *comment, *author;
	bool pause;	     /* the container, meanwhile */
	const char *changes; /* lines as in a Dockerfile: "CMD …", "ENV …" */
};
#define CSN_RT_COMMIT_OPTIONS_INIT                                                                 \
	{                                                                                          \
		sizeof(struct csn_rt_commit_options), NULL, NULL, NULL, NULL, false, NULL          \
	}
/* A new image of a container's files. *ret_id: "sha256:…"; csn_free() it. */
CSN_API int csn_rt_commit_container(struct csn_rt *rt, const struct csn_container_id *id,
				    const struct csn_rt_commit_options *options, char **ret_id,
				    struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
