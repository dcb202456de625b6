/*
 * The few requests of S3 that a volume needs, signed, tried again when that may help. Errors name
 * the bucket and the key. Keys are below the prefix. Source: the Amazon S3 API Reference.
 */
#ifndef CSN_VOLUME_S3_H
#define CSN_VOLUME_S3_H

#include <stddef.h>
#include <stdint.h>

#include "caisson.h"

/* What the caller of the program says; texts may be NULL but for the bucket and the keys. */
struct s3_config {
	char *bucket, *prefix, *endpoint, *region, *addressing;
	char *access_key_id, *secret_access_key, *session_token;
};

struct s3;
int s3_open(const struct s3_config *config, struct s3 **ret, struct csn_error *err);
void s3_close(struct s3 *s3);

int s3_put(struct s3 *s3, const char *key, const void *data, size_t size, struct csn_error *err);
/* Into memory, at most max bytes; malloc'd and NUL-terminated. -ENOENT: no such key. */
int s3_get(struct s3 *s3, const char *key, size_t max, char **ret, size_t *ret_size,
	   struct csn_error *err);
/* To a file, from its beginning; again from the beginning when it is tried again. -ENOENT. */
int s3_get_file(struct s3 *s3, const char *key, int fd, struct csn_error *err);
/* 0 also when there is none. */
int s3_delete(struct s3 *s3, const char *key, struct csn_error *err);

/* A large object in parts, numbered from 1, of 5 MiB or more but for the last. It exists once it is
 * completed. */
struct s3_upload;
int s3_upload_begin(struct s3 *s3, const char *key, struct s3_upload **ret, struct csn_error *err);
int s3_upload_part(struct s3_upload *u, const void *data, size_t size, struct csn_error *err);
int s3_upload_complete(struct s3_upload *u, struct csn_error *err);
const char *s3_upload_id(const struct s3_upload *u);
/* Ends it if it was not completed. NULL: nothing. */
void s3_upload_close(struct s3_upload *u);
/* One of an earlier process; 0 also when there is none. */
int s3_upload_abort(struct s3 *s3, const char *key, const char *id, struct csn_error *err);
/* All that the server knows of for this key: of processes that did not live to learn the id. */
int s3_upload_abort_all(struct s3 *s3, const char *key, struct csn_error *err);

#endif
