/* A volume's directory and its bucket: what caisson-volume does. */
#ifndef CSN_VOLUME_VOLUME_H
#define CSN_VOLUME_VOLUME_H

#include "volume/manifest.h"
#include "volume/s3.h"

#define PART_SIZE (16 << 20) /* larger files go in parts of so much */

/* What was done. */
struct volume_moved {
	uint64_t files;	  /* in the volume */
	uint64_t moved;	  /* contents that were sent or fetched */
	uint64_t bytes;	  /* of those */
	uint64_t removed; /* contents that the bucket had and nobody needs any more */
};

/* Contents that somebody has, by their SHA-256. */
struct hash_set {
	struct hash_slot {
		char hash[65]; /* "": free */
	} * slots;
	size_t count, capacity;
};
bool hash_set_has(const struct hash_set *set, const char *hash);
/* -ENOMEM. */
int hash_set_add(struct hash_set *set, const char *hash);
void hash_set_done(struct hash_set *set);

/*
 * scan.c: the manifest of a directory. content is called for each file that is not empty, with its
 * size; it reads it all, and gives its hash.
 */
struct scan {
	int (*content)(void *data, int fd, const char *path, uint64_t size, char ret_hash[65],
		       struct csn_error *err);
	void *data;
};
int scan_dir(int dir, const struct scan *s, struct manifest *ret, struct arena *arena,
	     struct csn_error *err);

/*
 * sync.c: brings data/ of the volume to the bucket. Contents first, each under its hash, then the
 * manifest, which alone makes them visible; then what it no longer names goes. uploads, beside
 * data/, has what was sent and may be named by no manifest: the next sync clears it away.
 */
int volume_sync(int volume, struct s3 *s3, struct volume_moved *ret, struct csn_error *err);
/* restore.c: makes all that the manifest has in an empty directory. -ENOENT: there is none. */
int volume_restore(int to, struct s3 *s3, struct volume_moved *ret, struct csn_error *err);

#endif
