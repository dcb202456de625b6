/*
 * Where an image comes from: a directory, or an archive that is read once, in whatever order its
 * files come, into the session's directory. Paths inside are clean and relative.
 */
#ifndef CSN_IMAGE_SOURCE_H
#define CSN_IMAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/store.h"

#define SIZE_UNKNOWN UINT64_MAX

struct spool_file {
	char *path;
	char *link; /* a symlink's target or a hard link's, as a path inside the archive */
	char temp[32];
	uint64_t size;
	char digest[DIGEST_TEXT_MAX]; /* sha256; of blobs/sha512/…: sha512 */
};

struct spool {
	struct spool_file *files;
	size_t count, capacity;
	uint64_t total; /* bytes */
};

struct source {
	struct session *session;
	const char *name; /* for messages */
	int dir_fd;	  /* a directory; -1: an archive */
	struct spool spool;
};

/* file: "-" or a path. */
int source_open(struct session *s, const char *file, struct source *ret, struct csn_error *err);
void source_close(struct source *src);

bool source_has(const struct source *src, const char *path);
/* A small document. *ret is malloc'd. */
int source_read(const struct source *src, const char *path, char **ret, size_t *ret_size,
		struct csn_error *err);
/*
 * Stages the file at path as a blob. digest: what it must be, or NULL (sha256 then); size: what it
 * must be, or SIZE_UNKNOWN. ret_digest and ret_size may be NULL.
 */
int source_stage(struct source *src, const char *path, const char *digest, uint64_t size,
		 char ret_digest[DIGEST_TEXT_MAX], uint64_t *ret_size, struct csn_error *err);
/* Stages the blob of that digest. One that is missing in the source may be in the store already:
 * *ret_stored then (it was not read). */
int source_stage_blob(struct source *src, const char *digest, uint64_t size, bool *ret_stored,
		      struct csn_error *err);

/* Copies fd's content into a new temporary file and computes its digest. */
int copy_to_temp(struct session *s, int fd, enum digest_algorithm algorithm, char ret_temp[32],
		 char ret_digest[DIGEST_TEXT_MAX], uint64_t *ret_size, struct csn_error *err);

/* Reads an archive of files (spool.c). */
int spool_read(struct session *s, int fd, struct spool *ret, struct csn_error *err);
void spool_done(struct spool *spool);
/* Follows links; NULL when there is no such file. */
const struct spool_file *spool_find(const struct spool *spool, const char *path);

#endif
