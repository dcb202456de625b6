/*
 * libcaisson: what is inside of a container: its processes, its files, what it changed. The
 * conventions are those of caisson.h.
 *
 * A container's files are reached through the root of its first process, with every path resolved
 * there by the kernel (openat2(2), RESOLVE_IN_ROOT), whatever the container does with its links
 * meanwhile; nothing of the container is run or loaded for it. One that does not run has the files
 * of its image and its own, without its mounts, and cannot be started until the call is over.
 */
#ifndef CAISSON_INSIDE_H
#define CAISSON_INSIDE_H

#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- processes --------------------------------------------------------------------------------
 */

/* A table of texts: titles, and a row for each process of the container's cgroup. */
struct csn_top;

/* ---- changes ----------------------------------------------------------------------------------
 */

enum csn_change_kind { CSN_CHANGE_MODIFIED = 0, CSN_CHANGE_ADDED = 1, CSN_CHANGE_DELETED = 2 };
struct csn_change {
	const char *path; /* absolute, in the container; any bytes but 0 */
	enum csn_change_kind kind;
};
/* Sorted by path. */
struct csn_changes;

/* ---- files ------------------------------------------------------------------------------------
 */

struct csn_path_stat {
	size_t size;
	char name[256];	   /* last part of the path; "/" for the root */
	int64_t file_size; /* bytes */
	uint32_t mode;	   /* type and permissions as in stat(2) */
	int64_t mtime_ns;
	char link_target[4096]; /* of a symbolic link; else "" */
};
#define CSN_PATH_STAT_INIT                                                                         \
	{                                                                                          \
		sizeof(struct csn_path_stat), "", 0, 0, 0, ""                                      \
	}

struct csn_archive_put_options {
	size_t size;
	bool no_overwrite_dir_non_dir; /* a directory does not replace a file, nor a file one:
					* -EEXIST */
	bool copy_uid_gid;	       /* owners as the archive says; else all belongs to root */
};
#define CSN_ARCHIVE_PUT_OPTIONS_INIT                                                               \
	{                                                                                          \
		sizeof(struct csn_archive_put_options), false, false                               \
	}

#ifdef __cplusplus
}
#endif

#endif
