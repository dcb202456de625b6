/*
 * The directories of the store, and sessions: everything a load makes is made in a directory of its
 * own below tmp/, and renamed into place by one commit. A session that dies leaves only that
 * directory; the next one removes it, since its lock is free.
 */
#ifndef CSN_IMAGE_STORE_H
#define CSN_IMAGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "image/digest.h"
#include "image/image.h"

#define SESSION_NAME_MAX 48
#define DOCUMENT_MAX	 ((size_t)8 << 20) /* manifests, indexes, configs */

struct image_store {
	int root_dir;
	int store_dir;	   /* the OCI layout */
	int blobs_dir;	   /* store/blobs */
	int layers_dir;	   /* layers */
	int images_dir;	   /* images */
	int tmp_dir;	   /* tmp */
	int downloads_dir; /* downloads: see download.h */
	int unsynced_dir;  /* unsynced: settle.c */
	char *unpacker;	   /* the program that unpacks layers; NULL: this process does */
};

enum staged_kind {
	STAGED_BLOB,   /* final name: its digest */
	STAGED_LAYER,  /* below layers/ */
	STAGED_RECORD, /* below images/ */
};

struct staged {
	enum staged_kind kind;
	char temp[32];	 /* in the session's directory */
	char final[200]; /* by kind */
	bool moved;
};

struct session {
	struct image_store *store;
	const struct image_events *events;
	int dir_fd; /* below tmp/; holds the lock */
	int use_fd; /* a shared lock: what this session found in the store stays there */
	char name[SESSION_NAME_MAX];
	bool marked; /* below unsynced/ */
	bool anew;   /* layers are unpacked even if the store has them (verify.c) */
	struct staged *staged;
	size_t staged_count, staged_capacity;
	unsigned int serial; /* for temporary names */
};

int session_begin(struct image_store *s, const struct image_events *events, struct session *ret,
		  struct csn_error *err);
/* Removes what was not committed. Once after session_begin, whatever that returned. */
void session_end(struct session *s);

/* A temporary name nobody else has. */
void session_temp_name(struct session *s, char ret[32]);
/* A new empty file of that kind of name, open for reading and writing. */
int session_temp_file(struct session *s, char ret_name[32], struct csn_error *err);
/* Says what a temporary file or directory will be. */
int session_stage(struct session *s, enum staged_kind kind, const char *temp, const char *final,
		  struct csn_error *err);
/* NULL when this session has none. Valid until the next session_stage. */
const struct staged *session_find(const struct session *s, enum staged_kind kind,
				  const char *final);
/* Stages a document as a blob. */
int session_put_blob(struct session *s, const char *text, size_t size, char ret[DIGEST_TEXT_MAX],
		     struct csn_error *err);
/* A blob, staged or in the store; -ENOENT (worded) when there is none. For reading. */
int session_open_blob(const struct session *s, const char *digest, struct csn_error *err);
/* The same, whole. *ret is malloc'd. */
int session_read_blob(const struct session *s, const char *digest, char **ret, size_t *ret_size,
		      struct csn_error *err);

struct index_entry {
	const char *reference, *digest, *media_type, *architecture, *os;
	uint64_t size;
};

/* Moves everything into place, all of it or nothing. sync: a power cut must not leave half of it
 * (settle.c has how; nothing waits for the disk). */
int session_commit(struct session *s, const struct index_entry *entries, size_t count, bool sync,
		   struct csn_error *err);

/* -EINTR when the caller wants to stop. */
int session_check(const struct session *s, struct csn_error *err);
void session_warn(const struct session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Exclusive lock of the store for changes of what is in place; closes with the returned fd. */
int store_lock(struct image_store *s, struct csn_error *err);
/* Shared: what is in the store stays there as long as the returned fd is open. */
int store_lock_use(struct image_store *s, struct csn_error *err);
/* -EBUSY while there is a session; none begins before the returned fd is closed. */
int store_lock_unused(struct image_store *s, struct csn_error *err);
/* "sha256:<hex>" → "sha256/<hex>", below blobs_dir. */
void store_blob_path(const char *digest, char ret[DIGEST_TEXT_MAX]);

/* index.json (index.c): puts the entries in, replacing those of the same reference, and takes out
 * those for whose reference drop says so (may be NULL). The store must be locked. */
int index_update(struct image_store *s, const struct index_entry *entries, size_t count,
		 bool (*drop)(void *data, const char *reference), void *data,
		 struct csn_error *err);
/* 1: it could not be read and is empty now. */
int index_reset_damaged(struct image_store *s, struct csn_error *err);
/* index.json without entries. */
extern const char index_empty[];

#endif
