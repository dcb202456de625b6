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
CSN_API size_t csn_top_columns(const struct csn_top *top);
CSN_API size_t csn_top_rows(const struct csn_top *top);
/* Owned by the table. Indexes must be less than the counts. */
CSN_API const char *csn_top_title(const struct csn_top *top, size_t column);
CSN_API const char *csn_top_cell(const struct csn_top *top, size_t row, size_t column);
CSN_API void csn_top_free(struct csn_top *top);
/*
 * All processes of a running container, by their numbers on the host. ps_args (ends with NULL, may
 * be NULL) are those of ps(1) that choose columns: "-ef" (also when there is none), "aux", "-o
 * LIST" of pid, ppid, pgid, sid, uid, gid, user, group, c, stime, tty, time, etime, stat, ni, nlwp,
 * vsz, rss, comm and args, each also as "NAME=TITLE". Users have the names that the container gives
 * them. -EINVAL names what is not known. -ESRCH: not running.
 */
CSN_API int csn_container_top(struct csn_runtime *rt, const char *container,
			      const char *const *ps_args, struct csn_top **ret,
			      struct csn_error *err) CSN_MUST_CHECK;

/* ---- changes ----------------------------------------------------------------------------------
 */

enum csn_change_kind { CSN_CHANGE_MODIFIED = 0, CSN_CHANGE_ADDED = 1, CSN_CHANGE_DELETED = 2 };
struct csn_change {
	const char *path; /* absolute, in the container; any bytes but 0 */
	enum csn_change_kind kind;
};
/* Sorted by path. */
struct csn_changes;
CSN_API size_t csn_changes_count(const struct csn_changes *changes);
/* Owned by the list. index must be less than the count. */
CSN_API const struct csn_change *csn_changes_get(const struct csn_changes *changes, size_t index);
CSN_API void csn_changes_free(struct csn_changes *changes);
/* How the files of a container differ from its image's: those in which something changed, with the
 * directories that they are in. What is in its mounts does not count. */
CSN_API int csn_container_changes(struct csn_runtime *rt, const char *container,
				  struct csn_changes **ret, struct csn_error *err) CSN_MUST_CHECK;

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
/* A file of a container; of a symbolic link itself. -ENOENT also: no such file. */
CSN_API int csn_container_archive_head(struct csn_runtime *rt, const char *container,
				       const char *path, struct csn_path_stat *ret,
				       struct csn_error *err) CSN_MUST_CHECK;
/* Writes a tar archive of a file, or of a directory with all in it, to fd, which may be a pipe. Its
 * entries begin with the last part of the path, or with as where that is not NULL. */
CSN_API int csn_container_archive_get(struct csn_runtime *rt, const char *container,
				      const char *path, const char *as, int fd,
				      struct csn_error *err) CSN_MUST_CHECK;

struct csn_archive_put_options {
	size_t size;
	bool no_overwrite_dir_non_dir; /* a directory does not replace a file, nor a file one:
					* -EEXIST */
	bool copy_uid_gid; /* owners as the archive says; else all belongs to the container's user
			    */
};
#define CSN_ARCHIVE_PUT_OPTIONS_INIT                                                               \
	{                                                                                          \
		sizeof(struct csn_archive_put_options), false, false                               \
	}
/* Unpacks the tar archive (perhaps compressed) that is read from fd into a directory of a
 * container, which must be there: -ENOTDIR for anything else. A failure may leave a part of it. */
CSN_API int csn_container_archive_put(struct csn_runtime *rt, const char *container,
				      const char *path, int fd,
				      const struct csn_archive_put_options *options,
				      struct csn_error *err) CSN_MUST_CHECK;

/* The same of the host, for copies between both. path is absolute. */
CSN_API int csn_host_archive_get(struct csn_runtime *rt, const char *path, const char *as, int fd,
				 struct csn_error *err) CSN_MUST_CHECK;
/* Nothing in the archive leads out of the directory. Files belong to root unless keep_owners. */
CSN_API int csn_host_archive_put(struct csn_runtime *rt, const char *dir, int fd, bool keep_owners,
				 struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
