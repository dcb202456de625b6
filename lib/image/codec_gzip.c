/*
 * gzip, by isa-l where there is one (2.3 times as fast as zlib), else by zlib.
 *
 * A blob may be several members in a row (pigz, stargz) and may be padded with zeros. Anything else
 * behind the end is refused: two readers must not see two different layers in one blob.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

#include "base/cleanup.h"
#include "base/error.h"
#include "image/codec.h"

int codec_damaged(const char *name, const char *why, struct csn_error *err)
{
	return fail(err, EINVAL, "the %s data is damaged: %s", name, why);
}

/* Before a member: 1 when there is one, 0 when there is nothing but padding (so far). */
static int next_member(struct codec_io *io, struct csn_error *err)
{
	while (io->in_used < io->in_size && io->in[io->in_used] == 0) {
		io->ended = true;
		io->in_used++;
	}
	if (io->in_used == io->in_size)
		return 0;
	if (io->ended || io->in[io->in_used] != 0x1f)
		return codec_damaged("gzip", "there is something else behind its end", err);
	io->inside = true;
	return 1;
}

/* ---- zlib ------------------------------------------------------------------------------------ */

static int zlib_start(void **ret_state, struct csn_error *err)
{
	auto_mem z_stream *z = calloc(1, sizeof *z);

	if (!z || inflateInit2(z, 15 + 16) != Z_OK)
		return fail(err, ENOMEM, "out of memory");
	*ret_state = take_ptr(z);
	return 0;
}

static ssize_t zlib_step(void *state, struct codec_io *io, struct csn_error *err)
{
	z_stream *z = state;

	if (!io->inside) {
		int r = next_member(io, err);
		if (r <= 0)
			return r;
		if (inflateReset(z) != Z_OK)
			return fail(err, EIO, "zlib could not start again");
	}
	z->next_in = (unsigned char *)(uintptr_t)(io->in + io->in_used);
	z->avail_in = (uInt)(io->in_size - io->in_used);
	z->next_out = io->out;
	z->avail_out = (uInt)io->out_size;
	int r = inflate(z, Z_NO_FLUSH);
	io->in_used = io->in_size - z->avail_in;

	if (r == Z_MEM_ERROR)
		return fail(err, ENOMEM, "out of memory");
	if (r == Z_STREAM_END)
		io->inside = false;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return codec_damaged("gzip", z->msg ? z->msg : "zlib refuses it", err);
	return (ssize_t)(io->out_size - z->avail_out);
}

static void zlib_stop(void *state)
{
	(void)inflateEnd(state);
	free(state);
}

const struct codec codec_gzip_zlib = { "gzip", zlib_start, zlib_step, zlib_stop };

/* ---- isa-l ----------------------------------------------------------------------------------- */

#ifdef HAVE_ISAL
#define FLAGS_AT       3    /* in a member's header */
#define RESERVED_FLAGS 0xe0 /* RFC 1952: must be zero */

struct isal {
	struct inflate_state z;
	size_t seen; /* bytes of the member, up to behind its flags */
};

static int isal_start(void **ret_state, struct csn_error *err)
{
	struct isal *s = malloc(sizeof *s);

	if (!s)
		return fail(err, ENOMEM, "out of memory");
	isal_inflate_init(&s->z);
	*ret_state = s;
	return 0;
}

/* isa-l does not look at them, zlib refuses them; both must read the same. */
static bool has_reserved_flags(const struct isal *s, const struct codec_io *io)
{
	if (s->seen > FLAGS_AT || io->in_size - io->in_used <= FLAGS_AT - s->seen)
		return false;
	return io->in[io->in_used + FLAGS_AT - s->seen] & RESERVED_FLAGS;
}

static const char *isal_why(int error)
{
	static const struct {
		int error;
		const char *why;
	} reasons[] = {
		{ ISAL_INVALID_BLOCK, "invalid block" },
		{ ISAL_INVALID_SYMBOL, "invalid symbol" },
		{ ISAL_INVALID_LOOKBACK, "invalid distance too far back" },
		{ ISAL_INVALID_WRAPPER, "incorrect header check" },
		{ ISAL_UNSUPPORTED_METHOD, "unknown compression method" },
		{ ISAL_INCORRECT_CHECKSUM, "incorrect data check" },
	};

	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].error == error)
			return reasons[i].why;
	return "it cannot be inflated";
}

static ssize_t isal_step(void *state, struct codec_io *io, struct csn_error *err)
{
	struct isal *s = state;
	struct inflate_state *z = &s->z;

	if (!io->inside) {
		int r = next_member(io, err);
		if (r <= 0)
			return r;
		isal_inflate_reset(z);
		z->crc_flag = ISAL_GZIP; /* reset cleared it */
		s->seen = 0;
	}
	if (has_reserved_flags(s, io))
		return codec_damaged("gzip", "unknown header flags set", err);
	z->next_in = (unsigned char *)(uintptr_t)(io->in + io->in_used);
	z->avail_in = (uint32_t)(io->in_size - io->in_used);
	z->next_out = io->out;
	z->avail_out = (uint32_t)io->out_size;
	int r = isal_inflate(z);
	if (s->seen <= FLAGS_AT)
		s->seen += io->in_size - io->in_used - z->avail_in;
	io->in_used = io->in_size - z->avail_in;

	if (r < 0)
		return codec_damaged("gzip", isal_why(r), err);
	if (z->block_state == ISAL_BLOCK_FINISH)
		io->inside = false;
	return (ssize_t)(io->out_size - z->avail_out);
}

static void isal_stop(void *state)
{
	free(state);
}

const struct codec codec_gzip = { "gzip", isal_start, isal_step, isal_stop };
#else
const struct codec codec_gzip = { "gzip", zlib_start, zlib_step, zlib_stop };
#endif
