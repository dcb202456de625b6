/*
 * Decompression and digests in one pass over a blob.
 *
 * The digest of the blob covers every byte of the file, the diff_id every byte that comes out.
 *
 * Bounds: 64 GiB out, no more than 1000 times the input once 100 MiB are out, 128 MiB of zstd
 * window.
 */
#include "image/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/codec.h"

#define BUFFER_SIZE  ((size_t)256 << 10)
#define SNIFF_SIZE   8 /* of the longest magic number, and more */
#define PRODUCED_MAX ((uint64_t)64 << 30)
#define RATIO_MAX    1000
#define RATIO_FROM   ((uint64_t)100 << 20)
#define TICK_STEP    ((uint64_t)1 << 20)

struct stream {
	struct stream_options options;
	const struct codec *codec; /* NULL: not compressed */
	void *codec_state;

	unsigned char *in, *out; /* out: of stream_next, made when it is first called */
	size_t in_size, in_used;
	bool in_end;
	bool inside, ended; /* see codec.h */
	bool one_hash;	    /* not compressed: the blob's digest is the content's */

	uint64_t consumed, produced, ticked;
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

static int tick(struct stream *s, struct csn_error *err)
{
	if (!s->options.tick || (!s->in_end && s->consumed - s->ticked < TICK_STEP))
		return 0;
	s->ticked = s->consumed;
	return s->options.tick(s->options.data, s->consumed, err);
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
	if (s->options.hash_blob && !s->one_hash)
		TRY(hasher_update(&s->blob_hash, s->in, size, err));
	return tick(s, err);
}

static int find_codec(struct stream *s, struct csn_error *err)
{
	static const struct {
		const struct codec *codec, *portable;
		const char *refused;
	} rows[] = {
		[COMPRESSION_NONE] = { NULL, NULL, NULL },
		[COMPRESSION_GZIP] = { &codec_gzip, &codec_gzip_zlib, NULL },
		[COMPRESSION_ZSTD] = { &codec_zstd, &codec_zstd, NULL },
		[COMPRESSION_XZ] = { NULL, NULL, "xz" },
		[COMPRESSION_BZIP2] = { NULL, NULL, "bzip2" },
	};
	enum compression c = compression_sniff(s->in, s->in_size);

	if (rows[c].refused)
		return fail(err, EINVAL, "layers compressed with %s are not supported",
			    rows[c].refused);
	const struct codec *codec = s->options.portable ? rows[c].portable : rows[c].codec;
	if (codec)
		TRY(codec->start(&s->codec_state, err));
	s->codec = codec;
	return 0;
}

static int start(struct stream *s, struct csn_error *err)
{
	const struct stream_options *o = &s->options;

	s->in = malloc(BUFFER_SIZE);
	if (!s->in)
		return fail(err, ENOMEM, "out of memory");
	TRY(hasher_init(&s->plain_hash, o->plain_algorithm, err));
	if (o->hash_blob)
		TRY(hasher_init(&s->blob_hash, o->blob_algorithm, err));
	TRY(fill(s, err));
	TRY(find_codec(s, err));
	/* Not both then: the first piece is in blob_hash, which is not asked for any more. */
	s->one_hash = !s->codec && o->hash_blob && o->blob_algorithm == o->plain_algorithm;
	return 0;
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

static ssize_t read_plain(struct stream *s, void *buf, size_t size, struct csn_error *err)
{
	TRY(fill(s, err));
	size_t n = s->in_size - s->in_used;

	n = n < size ? n : size;
	memcpy(buf, s->in + s->in_used, n);
	s->in_used += n;
	return (ssize_t)n;
}

/* One step of the codec: what it made, perhaps nothing. */
static ssize_t decode(struct stream *s, void *buf, size_t size, struct csn_error *err)
{
	struct codec_io io = { s->in, s->in_size, s->in_used, buf, size, s->inside, s->ended };
	ssize_t n = s->codec->step(s->codec_state, &io, err);

	if (n < 0)
		return n;
	if (n == 0 && io.in_used == s->in_used && s->in_used < s->in_size && io.inside == s->inside)
		return codec_damaged(s->codec->name, "it does not go on", err);
	s->in_used = io.in_used;
	s->inside = io.inside;
	s->ended = io.ended;
	return n;
}

static ssize_t read_decoded(struct stream *s, void *buf, size_t size, struct csn_error *err)
{
	for (;;) {
		TRY(fill(s, err));
		/* A full buffer may have left more inside the decoder: ask it even without input.
		 */
		if (s->in_end && !s->inside)
			return 0;
		ssize_t n = decode(s, buf, size, err);
		if (n != 0)
			return n;
		if (s->in_end && s->inside)
			return fail(err, EINVAL, "the %s data is truncated", s->codec->name);
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

ssize_t stream_read(struct stream *s, void *buf, size_t size, struct csn_error *err)
{
	size_t have = 0;

	/* As much as fits: whoever gets it works in large pieces. */
	while (have < size) {
		unsigned char *at = (unsigned char *)buf + have;
		ssize_t n = s->codec ? read_decoded(s, at, size - have, err)
				     : read_plain(s, at, size - have, err);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	s->produced += have;
	TRY(check_bounds(s, err));
	TRY(hasher_update(&s->plain_hash, buf, have, err));
	return (ssize_t)have;
}

ssize_t stream_next(struct stream *s, const void **ret_data, struct csn_error *err)
{
	if (!s->out)
		s->out = malloc(BUFFER_SIZE);
	if (!s->out)
		return fail(err, ENOMEM, "out of memory");
	*ret_data = s->out;
	return stream_read(s, s->out, BUFFER_SIZE, err);
}

int stream_digests(struct stream *s, char blob[DIGEST_TEXT_MAX], char plain[DIGEST_TEXT_MAX],
		   struct csn_error *err)
{
	TRY(hasher_final(&s->plain_hash, plain, err));
	if (s->one_hash)
		(void)strcpy(blob, plain);
	else if (s->options.hash_blob)
		return hasher_final(&s->blob_hash, blob, err);
	return 0;
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
		s->codec->stop(s->codec_state);
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
