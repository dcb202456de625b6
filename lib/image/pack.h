/*
 * Tar archives out of directories: a container's whole file system, or what it changed as a layer.
 *
 * The directories are somebody else's, who may be changing them meanwhile: names are opened one by
 * one and never followed, nothing but regular files and directories is read, and a file that
 * shrinks while it is read ends in zeros. Below the root, file systems in which the kernel tells
 * about itself (/proc, /sys) are empty directories.
 */
#ifndef CSN_IMAGE_PACK_H
#define CSN_IMAGE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

struct pack {
	/* An overlay's upper directory becomes a layer: its whiteouts and opaque directories become
	 * the names that delete. Otherwise what is in the archive is what is seen. */
	bool layer;
	/* Of a layer: places where something was mounted ("/proc"). A file or directory that is
	 * there and empty was made to mount on, and is left out. */
	char *const *skip;
	size_t skip_count;
	const char *name; /* what all names begin with; NULL and "": nothing, the root is "./" */
	const struct image_events *events;
	int (*write)(void *data, const void *bytes, size_t size, struct csn_error *err);
	void *data;
};

/* The same tree gives the same bytes. dir_fd may be opened with O_PATH. */
int pack_tree(int dir_fd, const struct pack *p, struct csn_error *err);

#endif
