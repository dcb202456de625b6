/*
 * Decompressors of layer blobs behind one interface: input comes in pieces of any size, output goes
 * into a buffer of the caller's. Nothing here reads, hashes or counts; stream.c does.
 */
#ifndef CSN_IMAGE_CODEC_H
#define CSN_IMAGE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "caisson.h"

struct codec_io {
	const unsigned char *in;
	size_t in_size, in_used;
	unsigned char *out;
	size_t out_size;
	bool inside; /* a gzip member or zstd frame has begun and not ended */
	bool ended;  /* nothing but padding may follow */
};

struct codec {
	const char *name; /* "gzip": for messages */
	int (*start)(void **ret_state, struct csn_error *err);
	/* Decompresses until the input is used up, the output full, or a member ended: the number
	 * of bytes made. */
	ssize_t (*step)(void *state, struct codec_io *io, struct csn_error *err);
	void (*stop)(void *state);
};

extern const struct codec codec_gzip;	   /* the fastest there is */
extern const struct codec codec_gzip_zlib; /* the same by zlib, which is everywhere */
extern const struct codec codec_zstd;

int codec_damaged(const char *name, const char *why, struct csn_error *err);

#endif
