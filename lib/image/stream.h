/*
 * A layer blob as a stream of tar bytes: reads a file, decompresses it, and computes in the same
 * pass the digest of the blob and of what was inside (the layer's diff_id).
 */
#ifndef CSN_IMAGE_STREAM_H
#define CSN_IMAGE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "caisson.h"
#include "image/digest.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
	COMPRESSION_XZ,	   /* recognised; stream_open refuses it */
	COMPRESSION_BZIP2, /* the same */
};

/* By the magic number; registries and file names lie. */
enum compression compression_sniff(const void *start, size_t size);
/* Of the first bytes of a file. The file offset does not move. */
int compression_of_file(int fd, enum compression *ret, struct csn_error *err);

struct stream_options {
	int fd;		/* borrowed; read from its offset */
	bool hash_blob; /* compute the digest of the compressed bytes, too */
	enum digest_algorithm blob_algorithm;
	enum digest_algorithm plain_algorithm;
	/* Called about once per MiB of input; a negative result ends the stream. */
	int (*tick)(void *data, uint64_t consumed, struct csn_error *err);
	/* Called where the file ends, which may still be growing: 1 when there is more than was
	 * consumed, 0 when this is its end. It may wait. NULL: this is the end. */
	int (*more)(void *data, uint64_t consumed, struct csn_error *err);
	void *data;
	bool portable; /* for tests: decompress without what only some machines have */
};

struct stream;

int stream_open(const struct stream_options *o, struct stream **ret, struct csn_error *err);
/* Fills buf with decompressed data, less only at the end; 0 at the verified end. A blob that is cut
 * short, damaged, or inflates beyond all reason is -EINVAL or -EFBIG. */
ssize_t stream_read(struct stream *s, void *buf, size_t size, struct csn_error *err);
/* The same, without a buffer of the caller's: *ret_data is valid until the next call. */
ssize_t stream_next(struct stream *s, const void **ret_data, struct csn_error *err);
/* After stream_next gave 0. blob is untouched unless hash_blob was set. Once only. */
int stream_digests(struct stream *s, char blob[DIGEST_TEXT_MAX], char plain[DIGEST_TEXT_MAX],
		   struct csn_error *err);
uint64_t stream_consumed(const struct stream *s);
uint64_t stream_produced(const struct stream *s);
void stream_close(struct stream *s);
void stream_closep(struct stream **s);

#endif
