/* zstd: several frames, some of them skippable (zstd:chunked); windows of at most 128 MiB. */
#include <errno.h>
#include <zstd.h>

#include "base/error.h"
#include "image/codec.h"

#define WINDOW_LOG_MAX 27

static int start(void **ret_state, struct csn_error *err)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();

	if (!z)
		return fail(err, ENOMEM, "out of memory");
	(void)ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	*ret_state = z;
	return 0;
}

static ssize_t step(void *state, struct codec_io *io, struct csn_error *err)
{
	ZSTD_inBuffer in = { io->in, io->in_size, io->in_used };
	ZSTD_outBuffer out = { io->out, io->out_size, 0 };

	size_t r = ZSTD_decompressStream(state, &out, &in);
	if (ZSTD_isError(r))
		return codec_damaged("zstd", ZSTD_getErrorName(r), err);
	io->in_used = in.pos;
	io->inside = r != 0;
	return (ssize_t)out.pos;
}

static void stop(void *state)
{
	(void)ZSTD_freeDCtx(state);
}

const struct codec codec_zstd = { "zstd", start, step, stop };
