/* The names by which a layer deletes things of the layers below. */
#ifndef CSN_IMAGE_WHITEOUT_H
#define CSN_IMAGE_WHITEOUT_H

#include "caisson.h"

struct tree;

enum whiteout {
	WHITEOUT_NONE,	 /* an ordinary name */
	WHITEOUT_DELETE, /* ".wh.NAME" */
	WHITEOUT_OPAQUE, /* ".wh..wh..opq" */
	WHITEOUT_IGNORE, /* other ".wh..wh.…": a storage driver's own bookkeeping */
};

/* Judges a clean path; *ret_target is NAME for WHITEOUT_DELETE. -EINVAL: ".wh.", ".wh..", and the
 * prefix on a directory of the path. */
int whiteout_parse(const char *path, enum whiteout *ret, const char **ret_target,
		   struct csn_error *err);
/* Puts the recorded deletions and opaque directories onto disk, as overlayfs wants them. Done last,
 * so that it does not matter where in the tar file they stood. */
int whiteout_write(struct tree *t, struct csn_error *err);

#endif
