/*
 * Inside of volumes.
 *
 *	<root>/volumes/<name>/
 *	    volume.json		what it is: struct volume_record
 *	    data/		what containers see
 *	    filling/		what is being copied into an empty one; worth nothing
 *	    ready/		all of that: moved into data/ by whoever finds it
 *	    uploads		what a sync to its bucket has sent so far (caisson-volume)
 *	<root>/containers/<id>/volumes/<n>/	data of a container's own volumes
 *
 * A volume is made below <root>/unfinished and comes to be by one rename; it goes the same way. Its
 * directory is locked while it is filled, brought to its bucket or restored.
 */
#ifndef CSN_RUNTIME_VOLUMES_H
#define CSN_RUNTIME_VOLUMES_H

#include "caisson-volume.h"
#include "runtime/runtime.h"

struct volume_s3 {
	bool set;
	char *bucket, *prefix, *endpoint, *region, *addressing;
	char *access_key_id, *secret_access_key, *session_token;
};
struct volume_record {
	char *created;
	struct spec_map labels;
	uint64_t size_bytes; /* 0: no limit */
	bool anonymous;	     /* a container's own that outlived it */
	struct volume_s3 s3;
};

/* ---- one volume (volume_store.c) --------------------------------------------------------------
 */

int volume_check_name(const char *name, struct csn_error *err);
/* <root>/volumes, made where it is missing. */
int volumes_open(const struct csn_runtime *rt, struct csn_error *err);
/* 1: made. 0: it was there. */
int volume_make(struct csn_runtime *rt, const char *name, const struct csn_volume_options *options,
		bool anonymous, struct csn_error *err);
/* The fd of its directory. -ENOENT. */
int volume_open(const struct csn_runtime *rt, const char *name, struct csn_error *err);
int volume_read(int volume, struct volume_record *ret, struct arena *arena, struct csn_error *err);
/*
 * Fills an empty one: fill puts things into the directory that it is given, and gives 1, or 0 for
 * nothing. All of it appears, or nothing. The volume is locked meanwhile.
 */
int volume_fill(int volume, int (*fill)(void *data, int to, struct csn_error *err), void *data,
		struct csn_error *err);
/* After a crash: takes away or completes what was on its way. Nothing when somebody is at work. */
void volume_settle(int volume);
/* The same for all of them (volumes.c). */
int volumes_settle(struct csn_runtime *rt, struct csn_error *err);

/* 1: empty. 0, or -errno. */
int volume_is_empty(int volume);

/* ---- from its bucket (volume_sync.c) ----------------------------------------------------------
 */

/* Fills an empty one that is kept in a bucket with what is there. 0 also when nothing is. */
int volume_fill_from_bucket(struct csn_runtime *rt, int volume, struct csn_error *err);

/* ---- from an image (copyup.c) -----------------------------------------------------------------
 */

/* Copies what the image has in the directory at path, and the directory's own owner, mode, times
 * and attributes. 1; 0: the image has no such directory. */
int image_copy_dir(const struct csn_runtime *rt, const struct spec_strings *layers,
		   const char *path, int to, struct csn_error *err);

/* ---- of a container that is being made (volume_mounts.c) --------------------------------------
 */

struct volume_use {
	const char *name; /* NULL: the container's own */
	size_t index;	  /* among the container's mounts */
	const char *target;
	const struct csn_volume_options *options;
	bool copy; /* filled from the image where it is empty */
};
struct volume_uses {
	struct volume_use *items;
	size_t count;
};
/* Replaces what mounts say of volumes by paths, and adds the image's volumes; makes nothing. The
 * caller holds the lock on containers until the container is made. */
int volumes_decide(struct csn_runtime *rt, const char *id, const struct image_record *image,
		   struct csn_container_options *o, struct volume_uses *ret, struct arena *arena,
		   struct csn_error *err);
/* Makes the named ones that are missing, and the container's own in its directory. */
int volumes_make(struct csn_runtime *rt, int container_dir, const struct image_record *image,
		 const struct volume_uses *uses, struct csn_error *err);
/* Makes anonymous volumes of a container's own. It is locked and not running. */
int volumes_keep(struct csn_runtime *rt, const struct container *c, struct csn_error *err);

/* ---- who uses them (volume_users.c) -----------------------------------------------------------
 */

/* Containers and the volumes that they mount. */
struct volume_users {
	struct arena arena;
	struct volume_user {
		char *volume, *container;
	} * items;
	size_t count, capacity;
};
int volume_users_read(struct csn_runtime *rt, struct volume_users *ret, struct csn_error *err);
void volume_users_done(struct volume_users *users);
/* The users of one volume, in the arena; ends with NULL. */
const char *const *volume_users_of(const struct volume_users *users, const char *volume,
				   struct arena *arena);

#endif
