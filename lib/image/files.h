/*
 * Files in a directory tree that somebody else may be changing meanwhile: the root of a container,
 * or a directory of the host into which a container's files go. Every path is resolved below the
 * root's descriptor; nothing is followed out of it.
 */
#ifndef CSN_IMAGE_FILES_H
#define CSN_IMAGE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "caisson.h"
#include "image/image.h"

#define FILES_NAME_MAX 256 /* of one part of a path, with its end */

/* The file at path (a link itself, unless the path ends with a slash), opened with O_PATH, and its
 * name: the last part; "" for "…/." and the root. -ENOENT, -ENOTDIR. */
int files_open(int root, const char *path, int *ret_fd, char ret_name[FILES_NAME_MAX],
	       struct csn_error *err);

/* A tar archive of it to fd, whose entries begin with its name, or with as. */
int files_get(int root, const char *path, const char *as, int fd, const struct image_events *events,
	      struct csn_error *err);

struct files_put {
	bool keep_kinds;  /* a directory does not replace a file, nor a file one: -EEXIST */
	bool keep_owners; /* as the archive says; else these */
	uint32_t uid, gid;
};
/* Unpacks the archive from fd into the directory at path. */
int files_put(int root, const char *path, int fd, const struct files_put *o, struct csn_error *err);

/* How upper, an overlay's upper directory, differs from lower: calls tell with each path
 * ("/etc/x") and 'C' (changed), 'A' (added) or 'D' (deleted), sorted. skip: mount points that were
 * made, as struct pack has them. */
int files_changes(int upper, int lower, char *const *skip, size_t skip_count,
		  int (*tell)(void *data, const char *path, char kind), void *data,
		  struct csn_error *err);

#endif
