/*
 * The directories of a layer while it is being unpacked, seen together with the layers below it.
 *
 * One node per directory that an entry has touched. A node is canonical: its path has no symlinks,
 * in this layer or below. It may exist only below so far; tree_make puts it into the layer, with
 * the attributes it has there. All access to the file system is by single names relative to a
 * node's descriptor and never follows a symlink: nothing here can leave the layer's directory.
 */
#ifndef CSN_IMAGE_TREE_H
#define CSN_IMAGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caisson.h"
#include "image/attrs.h"

#define TREE_DEPTH_MAX 256
#define TREE_PATH_MAX  4096
#define TREE_NAME_MAX  255

struct tree_dir {
	struct tree_dir *parent; /* the root's is itself */
	struct tree_dir *older;	 /* made before this one */
	struct tree_dir *hash_next;
	const char *name;			/* in the same allocation */
	struct tree_dir *used_prev, *used_next; /* among those with an open fd */
	struct attrs attrs;			/* to be set at the end */
	uint32_t hash;
	int fd;
	int depth;
	bool made;	/* it is in the layer's directory */
	bool has_attrs; /* an entry gave them; else those from below */
	bool chmod;	/* attrs changed after mkdir */
	bool opaque;	/* hides everything below */
	bool whiteout;	/* no directory: the name was deleted by this layer */
	bool gone;	/* replaced by something else; descendants are gone with it */
};

/* The lower layers' directories, topmost first. */
struct lower_view {
	const int *dirs;
	size_t count;
};

struct lower_list {
	int *fds;
	size_t count;
};

struct tree {
	struct tree_dir root; /* its name is empty */
	struct tree_dir *newest;
	struct tree_dir **buckets;
	size_t bucket_count, dir_count;
	struct tree_dir *used_first, *used_last;
	size_t used_count;

	/* Gives the layers below; may block until they are there. */
	int (*get_lowers)(void *data, struct lower_view *ret, struct csn_error *err);
	void *data;
	struct lower_view lowers;
	bool has_lowers, has_gone;
	bool dependent; /* what was made depends on what is below */

	const struct tree_dir *cached; /* whose merged lower directories cache holds */
	struct lower_list cache;
};

/* What a name is below this layer. */
struct lower_hit {
	enum { LOWER_NONE, LOWER_DIR, LOWER_OTHER } kind;
	int dir_fd; /* the lower directory that holds it; borrowed, until the next look-up */
	struct stat st;
};

enum tree_walk_mode {
	TREE_CREATE, /* missing directories are made */
	TREE_FIND,   /* missing: *ret is NULL */
};

/* fs_dir is borrowed: an empty directory. */
int tree_init(struct tree *t, int fs_dir, struct csn_error *err);
void tree_done(struct tree *t);

/* Cleans a name from a tar file in place: no leading slash, ".", ".." or double slash; "" is the
 * root. Refuses what is too long or too deep. */
int tree_clean_path(char *path, struct csn_error *err);
/* Finds the directory that a clean path names, following symlinks inside the image. *ret_linked
 * (may be NULL) tells whether there were any. */
int tree_walk(struct tree *t, const char *path, enum tree_walk_mode mode, struct tree_dir **ret,
	      bool *ret_linked, struct csn_error *err);
/* The node of a name: a directory or a whiteout; NULL if neither. */
struct tree_dir *tree_child(struct tree *t, const struct tree_dir *dir, const char *name);
/* A new node; it is in no way on disk yet. */
int tree_add(struct tree *t, struct tree_dir *dir, const char *name, struct tree_dir **ret,
	     struct csn_error *err);
/* Makes sure that the directory is in the layer. */
int tree_make(struct tree *t, struct tree_dir *dir, struct csn_error *err);
/* Its descriptor; valid until some hundred others have been asked for. */
int tree_fd(struct tree *t, struct tree_dir *dir, struct csn_error *err);
/* Forgets a node that is no directory any more. */
void tree_drop(struct tree *t, struct tree_dir *dir);
void tree_set_opaque(struct tree *t, struct tree_dir *dir);
bool tree_is_alive(const struct tree *t, const struct tree_dir *dir);

/* Looks a name up in what lies below (lower.c). */
int lower_lookup(struct tree *t, struct tree_dir *dir, const char *name, struct lower_hit *ret,
		 struct csn_error *err);
void lower_forget(struct tree *t);

#endif
