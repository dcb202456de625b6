/* Mounting an overlay of directories without putting it anywhere. */
#ifndef CSN_BASE_OVERLAY_H
#define CSN_BASE_OVERLAY_H

#include <stddef.h>

struct overlay {
	const char *root; /* absolute; everything below is relative to it */
	char *const *layers;
	size_t layers_count;	  /* bottom first */
	const char *upper, *work; /* NULL: read-only, of at least two layers */
	/* A directory to mount on for a moment, where Linux has no other way: nobody but the
	 * caller's mount namespace sees it. */
	const char *target;
};

/* The root of a detached tree; or -errno, -E2BIG for more layers than Linux takes. May change the
 * working directory to root. */
int overlay_mount(const struct overlay *o);

#endif
