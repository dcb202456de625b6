/*
 * Decompression and digests in one pass over a blob.
 *
 * gzip may be several members in a row (pigz, stargz) and may be padded with zeros; zstd may be
 * several frames, some of them skippable (zstd:chunked). Anything else behind the end is refused:
 * two readers must not see two different layers in one blob. The digest of the blob covers every
 * byte of the file, the diff_id every byte that comes out.
 *
 * Bounds: 64 GiB out, no more than 1000 times the input once 100 MiB are out, 128 MiB of zstd
 * window.
 */
#include "image/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/error.h"

#define BUFFER_SIZE	    ((size_t)1 << 20)
#define SNIFF_SIZE	    8 /* of the longest magic number, and more */
#define PRODUCED_MAX	    ((uint64_t)64 << 30)
#define RATIO_MAX	    1000
#define RATIO_FROM	    ((uint64_t)100 << 20)
#define ZSTD_WINDOW_LOG_MAX 27

struct codec {
	const char *name;
	int (*start)(struct stream *s, struct csn_error *err);
	/* Fills s->out from s->in; gives the number of bytes made. */
	ssize_t (*step)(struct stream *s, struct csn_error *err);
	void (*stop)(struct stream *s);
};

struct stream {
	struct stream_options options;
	const struct codec *codec; /* NULL: not compressed */
	z_stream gzip;
	ZSTD_DCtx *zstd;

	unsigned char *in, *out;
	size_t in_size, in_used;
	bool in_end;
	bool inside; /* a gzip member or zstd frame has begun and not ended */
	bool ended;  /* nothing but padding may follow */

	uint64_t consumed, produced;
	struct hasher blob_hash, plain_hash;
};

enum compression compression_sniff(const void *start, size_t size)
{
	static const struct {
		enum compression compression;
		const char *magic;
		size_t size;
	} magics[] = {
		{ COMPRESSION_GZIP, "\x1f\x8b\x08", 3 },
		{ COMPRESSION_ZSTD, "\x28\xb5\x2f\xfd", 4 },
		{ COMPRESSION_XZ,
		  "\xfd"
		  "7zXZ\0",
		  6 },
		{ COMPRESSION_BZIP2, "BZh", 3 },
	};

	for (size_t i = 0; i < COUNT(magics); i++)
		if (size >= magics[i].size && memcmp(start, magics[i].magic, magics[i].size) == 0)
			return magics[i].compression;
	/* A zstd file may open with a skippable frame: 0x184D2A50 to 0x184D2A5F, little endian. */
	const unsigned char *b = start;
	if (size >= 4 && (b[0] & 0xf0) == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18)
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

int compression_of_file(int fd, enum compression *ret, struct csn_error *err)
{
	unsigned char start[8];
	ssize_t n = pread(fd, start, sizeof start, 0);

	if (n < 0)
		return fail_errno(err, "read");
	*ret = compression_sniff(start, (size_t)n);
	return 0;
}

/* Reads what is there behind the `have` bytes of the buffer; 0 only at the end. */
static ssize_t read_some(struct stream *s, size_t have, struct csn_error *err)
{
	for (;;) {
		ssize_t n = read(s->options.fd, s->in + have, BUFFER_SIZE - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "read");
		if (n > 0 || !s->options.more)
			return n;
		int r = s->options.more(s->options.data, s->consumed + have, err);
		if (r <= 0)
			return r;
	}
}

/* Reads more input when all of the last was used; at the start enough to see what it is. */
static int fill(struct stream *s, struct csn_error *err)
{
	size_t enough = s->consumed ? 1 : SNIFF_SIZE, size = 0;
	ssize_t n = 1;

	if (s->in_used < s->in_size || s->in_end)
		return 0;
	while (n > 0 && size < enough) {
		n = read_some(s, size, err);
		if (n < 0)
			return (int)n;
		size += (size_t)n;
	}

	s->in_used = 0;
	s->in_size = size;
	s->in_end = size == 0;
	s->consumed += size;
	if (s->options.hash_blob)
		TRY(hasher_update(&s->blob_hash, s->in, size, err));
	return s->options.tick ? s->options.tick(s->options.data, s->consumed, err) : 0;
}

static int truncated(struct stream *s, struct csn_error *err)
{
	return fail(err, EINVAL, "the %s data is truncated", s->codec->name);
}

static int damaged(struct stream *s, const char *why, struct csn_error *err)
{
	return fail(err, EINVAL, "the %s data is damaged: %s", s->codec->name, why);
}

/* ---- gzip ------------------------------------------------------------------------------------ */

static int gzip_start(struct stream *s, struct csn_error *err)
{
	if (inflateInit2(&s->gzip, 15 + 16) != Z_OK)
		return fail(err, ENOMEM, "out of memory");
	return 0;
}

static void gzip_stop(struct stream *s)
{
	(void)inflateEnd(&s->gzip);
}

/* Between members: another one, zeros up to the end, or an error. */
static int gzip_between(struct stream *s, struct csn_error *err)
{
	while (s->in_used < s->in_size && s->in[s->in_used] == 0) {
		s->ended = true;
		s->in_used++;
	}
	if (s->in_used == s->in_size)
		return 0;
	if (s->ended || s->in[s->in_used] != 0x1f)
		return damaged(s, "there is something else behind its end", err);
	if (inflateReset(&s->gzip) != Z_OK)
		return fail(err, EIO, "zlib could not start again");
	s->inside = true;
	return 0;
}

static ssize_t gzip_step(struct stream *s, struct csn_error *err)
{
	if (!s->inside) {
		TRY(gzip_between(s, err));
		if (!s->inside)
			return 0;
	}

	s->gzip.next_in = s->in + s->in_used;
	s->gzip.avail_in = (uInt)(s->in_size - s->in_used);
	s->gzip.next_out = s->out;
	s->gzip.avail_out = BUFFER_SIZE;
	int r = inflate(&s->gzip, Z_NO_FLUSH);
	s->in_used = s->in_size - s->gzip.avail_in;

	if (r == Z_MEM_ERROR)
		return fail(err, ENOMEM, "out of memory");
	if (r == Z_STREAM_END)
		s->inside = false;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return damaged(s, s->gzip.msg ? s->gzip.msg : "zlib refuses it", err);
	return (ssize_t)(BUFFER_SIZE - s->gzip.avail_out);
}

/* ---- zstd ------------------------------------------------------------------------------------ */

static int zstd_start(struct stream *s, struct csn_error *err)
{
	s->zstd = ZSTD_createDCtx();
	if (!s->zstd)
		return fail(err, ENOMEM, "out of memory");
	(void)ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	return 0;
}

static void zstd_stop(struct stream *s)
{
	(void)ZSTD_freeDCtx(s->zstd);
}

static ssize_t zstd_step(struct stream *s, struct csn_error *err)
{
	ZSTD_inBuffer in = { s->in, s->in_size, s->in_used };
	ZSTD_outBuffer out = { s->out, BUFFER_SIZE, 0 };

	size_t r = ZSTD_decompressStream(s->zstd, &out, &in);
	if (ZSTD_isError(r))
		return damaged(s, ZSTD_getErrorName(r), err);
	s->in_used = in.pos;
	s->inside = r != 0;
	return (ssize_t)out.pos;
}

static const struct codec gzip_codec = { "gzip", gzip_start, gzip_step, gzip_stop };
static const struct codec zstd_codec = { "zstd", zstd_start, zstd_step, zstd_stop };

/* ---- the stream ------------------------------------------------------------------------------ */

static int start(struct stream *s, struct csn_error *err)
{
	s->in = malloc(BUFFER_SIZE);
	if (!s->in)
		return fail(err, ENOMEM, "out of memory");
	TRY(hasher_init(&s->plain_hash, s->options.plain_algorithm, err));
	if (s->options.hash_blob)
		TRY(hasher_init(&s->blob_hash, s->options.blob_algorithm, err));
	TRY(fill(s, err));

	switch (compression_sniff(s->in, s->in_size)) {
	case COMPRESSION_NONE:
		return 0;
	case COMPRESSION_GZIP:
		s->codec = &gzip_codec;
		break;
	case COMPRESSION_ZSTD:
		s->codec = &zstd_codec;
		break;
	case COMPRESSION_XZ:
		return fail(err, EINVAL, "layers compressed with xz are not supported");
	case COMPRESSION_BZIP2:
		return fail(err, EINVAL, "layers compressed with bzip2 are not supported");
	}

	s->out = malloc(BUFFER_SIZE);
	if (!s->out) {
		s->codec = NULL;
		return fail(err, ENOMEM, "out of memory");
	}
	int r = s->codec->start(s, err);
	if (r < 0)
		s->codec = NULL;
	return r;
}

int stream_open(const struct stream_options *o, struct stream **ret, struct csn_error *err)
{
	struct stream *s = calloc(1, sizeof *s);
	if (!s)
		return fail(err, ENOMEM, "out of memory");

	s->options = *o;
	int r = start(s, err);
	if (r < 0) {
		stream_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

static ssize_t next_plain(struct stream *s, const void **ret_data, struct csn_error *err)
{
	TRY(fill(s, err));
	size_t size = s->in_size - s->in_used;
	*ret_data = s->in + s->in_used;
	s->in_used = s->in_size;
	return (ssize_t)size;
}

static ssize_t next_decoded(struct stream *s, const void **ret_data, struct csn_error *err)
{
	for (;;) {
		TRY(fill(s, err));
		/* A full buffer may have left more inside the decoder: ask it even without input.
		 */
		ssize_t n = s->in_end && !s->inside ? 0 : s->codec->step(s, err);
		if (n < 0)
			return n;
		if (n > 0) {
			*ret_data = s->out;
			return n;
		}
		if (s->in_end)
			return s->inside ? truncated(s, err) : 0;
	}
}

static int check_bounds(struct stream *s, struct csn_error *err)
{
	if (s->produced > PRODUCED_MAX)
		return fail(err, EFBIG, "the layer is larger than 64 GiB");
	if (s->produced > RATIO_FROM && s->produced / RATIO_MAX > s->consumed)
		return fail(err, EFBIG, "the layer inflates to more than %d times its size",
			    RATIO_MAX);
	return 0;
}

ssize_t stream_next(struct stream *s, const void **ret_data, struct csn_error *err)
{
	ssize_t n = s->codec ? next_decoded(s, ret_data, err) : next_plain(s, ret_data, err);
	if (n <= 0)
		return n;

	s->produced += (uint64_t)n;
	TRY(check_bounds(s, err));
	TRY(hasher_update(&s->plain_hash, *ret_data, (size_t)n, err));
	return n;
}

int stream_digests(struct stream *s, char blob[DIGEST_TEXT_MAX], char plain[DIGEST_TEXT_MAX],
		   struct csn_error *err)
{
	if (s->options.hash_blob)
		TRY(hasher_final(&s->blob_hash, blob, err));
	return hasher_final(&s->plain_hash, plain, err);
}

uint64_t stream_consumed(const struct stream *s)
{
	return s->consumed;
}

uint64_t stream_produced(const struct stream *s)
{
	return s->produced;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->codec)
		s->codec->stop(s);
	hasher_done(&s->blob_hash);
	hasher_done(&s->plain_hash);
	free(s->in);
	free(s->out);
	free(s);
}

void stream_closep(struct stream **s)
{
	stream_close(*s);
	*s = NULL;
}
