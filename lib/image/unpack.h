/*
 * One layer's tar stream into one directory that overlayfs can use as a lower layer.
 *
 * Everything happens below a directory descriptor; nothing needs to be known of the store, so that
 * this can run in a process that can see nothing else. The working directory must be the calling
 * thread's alone; it may be changed.
 */
#ifndef CSN_IMAGE_UNPACK_H
#define CSN_IMAGE_UNPACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "caisson.h"
#include "image/attrs.h"
#include "image/tree.h"

#define UNPACK_ENTRIES_MAX  1000000
#define UNPACK_REPLACED_MAX 100000 /* entries that take the place of earlier ones */

struct unpack_options {
	int fs_dir; /* borrowed; empty, owned by 0:0, mode 0755 */
	/* The next piece of the tar data, valid until the next call; 0: its verified end. */
	ssize_t (*next)(void *data, const void **ret, struct csn_error *err);
	/* The lower layers' fs directories, topmost first; asked at most once, may block. */
	int (*get_lowers)(void *data, struct lower_view *ret, struct csn_error *err);
	struct warner *warner;
	void *data;
};

/* What the tar file said of the root directory itself. */
struct root_attrs {
	bool set;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
};

struct unpack_result {
	uint64_t entries; /* in the tar file */
	uint64_t size;	  /* of regular files */
	bool dependent;	  /* another set of lower layers might have led to another result */
	bool opaque_root; /* nothing of the lower layers is left (overlayfs cannot say so itself) */
	struct root_attrs root;
};

int unpack_layer(const struct unpack_options *o, struct unpack_result *ret, struct csn_error *err);

/* ---- between unpack.c and writer.c ----------------------------------------------------------- */

struct archive;
struct archive_entry;

struct unpack {
	struct unpack_options options;
	struct tree tree;
	struct archive *archive;
	struct unpack_result result;
	uint64_t replaced;

	/* The last entry's parent: consecutive entries mostly share it. */
	char parent_path[TREE_PATH_MAX + 1];
	struct tree_dir *parent; /* NULL: not known */

	/* The piece of the stream that libarchive has in hand. */
	const unsigned char *piece;
	uint64_t piece_start, piece_end;
	/* Where the stream ended, if that was not at the end of a block; and how much the last
	 * entry had. */
	uint64_t cut_at, last_size;
	struct csn_error stream_error; /* .code: the stream failed, libarchive only says so */
};

/* Words a failure of libarchive, or the stream's failure that led to it. */
int unpack_archive_failed(struct unpack *u, struct csn_error *err);
/* Writes the entry as name in dir, which is in the layer already (writer.c). */
int writer_dir(struct unpack *u, struct tree_dir *dir, const char *name, struct archive_entry *e,
	       struct csn_error *err);
int writer_file(struct unpack *u, struct tree_dir *dir, const char *name, struct archive_entry *e,
		struct csn_error *err);
int writer_link(struct unpack *u, struct tree_dir *dir, const char *name, const char *target,
		struct csn_error *err);
/* Sets what the entries said of the directories. */
int writer_finish_dirs(struct unpack *u, struct csn_error *err);

#endif
