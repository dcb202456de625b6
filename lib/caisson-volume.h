/*
 * Volumes: directories with a name that outlive the containers which use them. struct csn_mount's
 * source is the name of one, which is made where it is missing. The conventions of caisson.h hold.
 */
#ifndef CAISSON_VOLUME_H
#define CAISSON_VOLUME_H

#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- making -----------------------------------------------------------------------------------
 */

/* A bucket that a volume is brought to, and restored from where it is empty. Texts may be NULL but
 * for the bucket. */
struct csn_volume_s3 {
	size_t size;
	const char *bucket;
	const char *prefix;	/* of all keys; "/" is put behind it where it is missing */
	const char *endpoint;	/* "http://127.0.0.1:9000"; NULL: Amazon's of the region */
	const char *region;	/* NULL: $AWS_REGION, $AWS_DEFAULT_REGION or "us-east-1" */
	const char *addressing; /* of the bucket: "path" or "virtual" (in the host's name). NULL:
				 * "path" with an endpoint, else "virtual" */
	/* Kept in the volume's record, which root alone can read. NULL: $AWS_ACCESS_KEY_ID,
	 * $AWS_SECRET_ACCESS_KEY and $AWS_SESSION_TOKEN of whoever syncs. */
	const char *access_key_id, *secret_access_key, *session_token;
};
#define CSN_VOLUME_S3_INIT                                                                         \
	{                                                                                          \
		sizeof(struct csn_volume_s3), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL       \
	}

struct csn_volume_options {
	size_t size;
	const char *const *labels; /* "key=value"; ends with NULL; NULL: none */
	uint64_t size_bytes;	   /* that all files together may take; 0: no limit */
	const struct csn_volume_s3 *s3;
};
#define CSN_VOLUME_OPTIONS_INIT                                                                    \
	{                                                                                          \
		sizeof(struct csn_volume_options), NULL, 0, NULL                                   \
	}

/* 0 also when it is there. options may be NULL. -EINVAL: a name or option that cannot be. -EEXIST:
 * it is there with another size or bucket. */
CSN_API int csn_volume_create(struct csn_runtime *rt, const char *name,
			      const struct csn_volume_options *options,
			      struct csn_error *err) CSN_MUST_CHECK;

/* ---- what is known of them --------------------------------------------------------------------
 */

struct csn_volume_info {
	const char *name;	     /* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 128 */
	const char *path;	     /* of its directory on the host */
	const char *used_by;	     /* id of the first container that mounts it; "" */
	const char *const *users;    /* ids of all of them; ends with NULL */
	const char *created;	     /* RFC 3339, UTC; "": unknown */
	const char *const *labels;   /* "key=value"; ends with NULL */
	uint64_t size_bytes;	     /* its limit; 0: none */
	bool anonymous;		     /* was a container's own, which is removed by now */
	const char *bucket, *prefix; /* of the bucket that it is brought to; "" */
	const char *endpoint;
};

/* A list of volumes, as it was when it was made. */
struct csn_volumes;
CSN_API size_t csn_volumes_count(const struct csn_volumes *volumes);
/* Owned by the list. index must be less than the count. */
CSN_API const struct csn_volume_info *csn_volumes_get(const struct csn_volumes *volumes,
						      size_t index);
CSN_API void csn_volumes_free(struct csn_volumes *volumes);

/* Sorted by name. */
CSN_API int csn_volume_list(struct csn_runtime *rt, struct csn_volumes **ret,
			    struct csn_error *err) CSN_MUST_CHECK;
/* A list of one. -ENOENT. */
CSN_API int csn_volume_get(struct csn_runtime *rt, const char *name, struct csn_volumes **ret,
			   struct csn_error *err) CSN_MUST_CHECK;

/* ---- buckets ----------------------------------------------------------------------------------
 */

/* What was moved between a volume and its bucket. */
struct csn_volume_moved {
	size_t size;
	uint64_t files;	  /* files, directories and links of the volume */
	uint64_t moved;	  /* contents that were sent or fetched */
	uint64_t bytes;	  /* of those */
	uint64_t removed; /* contents of the bucket that nothing needs any more */
};
#define CSN_VOLUME_MOVED_INIT                                                                      \
	{                                                                                          \
		sizeof(struct csn_volume_moved), 0, 0, 0, 0                                        \
	}

/*
 * Brings a volume to its bucket: contents that are not there, then the manifest that names them
 * all, then away with what it does not name. Whoever reads the bucket sees the old volume or the
 * new one. It is one state of the volume when nothing writes to it meanwhile. ret may be NULL.
 * -EINVAL: it is kept in no bucket.
 */
CSN_API int csn_volume_sync(struct csn_runtime *rt, const char *name, struct csn_volume_moved *ret,
			    struct csn_error *err) CSN_MUST_CHECK;
/* The same for the volumes that a container mounts; others are left alone. 0 also without any. */
CSN_API int csn_container_sync_volumes(struct csn_runtime *rt, const char *container,
				       struct csn_error *err) CSN_MUST_CHECK;
/*
 * Replaces the volume's content by its bucket's, as a whole. -ENOENT: the bucket has none. -EBUSY:
 * it is not empty and force is not set, or a container that runs mounts it. An empty one is also
 * restored when a container that mounts it is made.
 */
CSN_API int csn_volume_restore(struct csn_runtime *rt, const char *name, bool force,
			       struct csn_volume_moved *ret, struct csn_error *err) CSN_MUST_CHECK;

/* ---- removing ---------------------------------------------------------------------------------
 */

/* With all that is in it, but not what its bucket has. -ENOENT; -EBUSY: containers, running or not,
 * mount it; the error names them. */
CSN_API int csn_volume_remove(struct csn_runtime *rt, const char *name,
			      struct csn_error *err) CSN_MUST_CHECK;
/* Removes those that no container mounts: the anonymous ones, or all. ret, which may be NULL, gets
 * what they were. */
CSN_API int csn_volume_prune(struct csn_runtime *rt, bool all, struct csn_volumes **ret,
			     struct csn_error *err) CSN_MUST_CHECK;
/* As csn_container_remove, but volumes of the container's own become anonymous ones. */
CSN_API int csn_container_remove_keeping(struct csn_runtime *rt, const char *container, bool force,
					 struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
