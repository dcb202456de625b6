/* Starts caisson-unpack for one layer and feeds it (wire.h has the exchange). */
#ifndef CSN_IMAGE_UNPACKER_H
#define CSN_IMAGE_UNPACKER_H

#include "image/stream.h"
#include "image/unpack.h"

struct unpacker_request {
	const char *program;   /* caisson-unpack */
	int fs_dir;	       /* as in struct unpack_options, as are get_lowers and warn */
	struct stream *stream; /* borrowed; read to its end */
	int (*get_lowers)(void *data, struct lower_view *ret, struct csn_error *err);
	void (*warn)(void *data, const char *text);
	int (*check)(void *data, struct csn_error *err); /* a negative result ends it */
	void *data;
};

/* Does what unpack_layer does, in a process that can touch nothing but fs_dir. */
int unpacker_run(const struct unpacker_request *r, struct unpack_result *ret,
		 struct csn_error *err);

#endif
