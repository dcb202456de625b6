/*
 * The image store and what may be done with it. Linked into caisson-image only; others read the
 * image records and nothing else of the store.
 *
 *	<root>/store/			a valid OCI image layout: oci-layout, index.json,
 *					blobs/sha256/<hex>; index.json entries carry the annotation
 *					org.opencontainers.image.ref.name = whole normalised
 *reference <root>/layers/sha256-<hex>/	one unpacked layer per diff_id: fs/ (an overlay lower),
 *					layer.json {"diff_id","size","entries"}; renamed into place
 *					when complete, so a name that exists is whole
 *	<root>/layers/chain-<hex>/	the same for a layer whose result depends on the layers
 *below it (it deletes, links to, or leaves undescribed what they have), named by chain id so that
 *it is only shared by images with the same layers below <root>/images/<hex>.json	one record
 *per reference; <hex> = sha256 of the normalised reference. All that `run` needs in one read:
 *	    {"reference":"docker.io/library/x:latest","digest":"sha256:…","id":"sha256:… (config)",
 *	     "size":123,"created":"…","layers":["layers/sha256-…/fs", … bottom first],
 *	     "root":{"mode":493,"uid":0,"gid":0,"mtime":…,"mtime_nsec":…} (absent: 0755 0:0),
 *	     "config":{ the image config document's "config" object
 *},"architecture":"amd64","os":"linux"} size: bytes of the unpacked layers. layers: no entry twice,
 *					none for a layer without content; may be empty. root: what
 *the image says of "/"; overlayfs shows the upper directory's
 *	<root>/downloads/		blobs that are being fetched, or were when it was
 *interrupted
 *	<root>/tmp/			everything unfinished; emptied at start under a lock
 *	<root>/unsynced/<session>	boot id: what that session made may not be on disk yet
 *
 * caisson-image --root ROOT load [--name NAME] [--platform OS/ARCH[/VARIANT]] [--no-sync] FILE|-
 *			    import [--platform …] [--no-sync] FILE|- NAME[:TAG]
 *			    pull [--policy …] [--platform …] … NAME ; push … NAME [DESTINATION]
 *			    login … REGISTRY ; logout … REGISTRY
 *			    tag NAME NEW ; verify NAME ; inspect NAME ; save NAME… (to descriptor 0)
 *			    export LAYER… (a tar file to descriptor 0; layers below ROOT)
 *			    commit --base DIGEST … NAME (descriptor 0: the upper directory)
 *			    list ; remove NAME ; gc [--keep LAYER]…
 * prints JSON lines on standard output: {"type":"progress","layer":…,"bytes":…,"total":…},
 * (pull and push add "action": "download", "unpack", "done", "exists", "upload"),
 * {"type":"warning","warning":"sentence"}, …, and ends with
 * {"type":"result","images":[{"reference":…,"digest":…,"id":…,"size":…,"created":…,
 * "architecture":…,"os":…}]} or {"type":"error","error":"sentence","code":22} and exit status 1.
 * remove takes the name away; gc [--downloads] then frees blobs and layers that no image has, but
 *for those named by --keep ("layers/sha256-…/fs": containers stand on them), and prints the result
 * {"type":"result","images":[],"layers_removed":n,"blobs_removed":n}; with
 * "busy":true nothing was, since somebody is at work: <root>/garbage is for whoever ends last.
 */
#ifndef CSN_IMAGE_IMAGE_H
#define CSN_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caisson.h"

struct image_store;

/* Makes what is missing below root (mode 0700). Not thread-safe. */
int image_store_open(const char *root, struct image_store **ret, struct csn_error *err);
void image_store_close(struct image_store *s);
/* Layers are unpacked by that program (caisson-unpack), confined, and not by this process. Once. */
int image_store_confine(struct image_store *s, const char *unpacker, struct csn_error *err);

/* What is told while it happens, one at a time, perhaps from other threads. All may be NULL. */
struct image_events {
	void (*progress)(void *data, const char *layer, uint64_t bytes, uint64_t total);
	void (*warning)(void *data, const char *text);
	bool (*interrupted)(void *data); /* true ends the work with -EINTR */
	void *data;
	/* The layer is unpacked: just now, or (not fresh) it was already. */
	void (*layer_done)(void *data, const char *layer, bool fresh);
	/* Bytes of a blob that came from a registry, or went to one. */
	void (*transferred)(void *data, const char *blob, uint64_t bytes, uint64_t total);
};

/* Undoes what a power cut did, and forgets what is on disk by now. First thing after opening. */
int image_settle(struct image_store *s, const struct image_events *events, struct csn_error *err);

struct image_load {
	const char *file;     /* a path, or "-" for standard input */
	const char *name;     /* NULL: as the archive says; import needs one */
	const char *platform; /* "linux/arm64/v8"; NULL: the host's */
	bool sync;	      /* whole, or not there, after a power cut */
	struct image_events events;
	/* import: instructions of a Dockerfile for the config, and words for the history */
	const char *const *changes;
	size_t changes_count;
	const char *comment; /* NULL: none */
};

/* A new image out of a container. */
struct image_commit {
	int tree;	  /* its overlay's upper directory */
	const char *base; /* digest of the manifest that it was made from */
	const char *name;
	const char *created_by;
	const char *author, *comment; /* NULL: as it was; none */
	/* Instructions of a Dockerfile: what the container was given, and then the user's. */
	const char *const *given, *const *changes;
	size_t given_count, changes_count;
	char *const *skip; /* what was made to mount on (pack.h) */
	size_t skip_count;
	struct image_events events;
};

/* How to speak to a registry. */
struct image_remote {
	/* The user's own; all NULL: looked up for the registry. */
	const char *username, *password, *identity_token;
	bool anonymous;	      /* look nothing up */
	const char *authfile; /* look there only; NULL: the usual places */
	const char *cert_dir; /* NULL: the usual places */
	bool insecure;	      /* no certificate is needed, and plain http will do */
	bool secure;	      /* never, whatever the configuration says */
	int stall_seconds;    /* give up when nothing comes for so long; 0: 30 */
	int pause_ms;	      /* before the second try, then twice that; 0: 500 */
};

enum image_policy {
	IMAGE_IF_NOT_PRESENT, /* one that is here is taken, and nobody asked */
	IMAGE_ALWAYS,	      /* the registry is asked; what has changed is fetched */
	IMAGE_NEWER,	      /* the same, but without an answer the one that is here will do */
	IMAGE_NEVER,	      /* the one that is here, or -ENOENT */
};

struct image_pull {
	const char *name;
	const char *platform; /* NULL: the host's */
	enum image_policy policy;
	bool sync;
	struct image_remote remote;
	struct image_events events;
};

struct image_push {
	const char *name;
	const char *destination; /* NULL: its own name */
	struct image_remote remote;
	struct image_events events;
};

struct image_info {
	char *reference, *digest, *id, *created, *architecture, *os; /* created may be NULL */
	uint64_t size;
};

struct image_list {
	struct image_info *items;
	size_t count;
};

/* An OCI layout (directory or archive) or a docker-archive; archives perhaps compressed. */
int image_load(struct image_store *s, const struct image_load *l, struct image_list *ret,
	       struct csn_error *err);
/* The tar file of a root file system becomes an image of one layer. */
int image_import(struct image_store *s, const struct image_load *l, struct image_list *ret,
		 struct csn_error *err);
/* Sorted by reference. */
int image_list(struct image_store *s, struct image_list *ret, struct csn_error *err);
/* -ENOENT: no image of that name. *ret: what it was. */
int image_remove(struct image_store *s, const char *name, struct image_list *ret,
		 struct csn_error *err);
/* There is something to free; what was at work when it came to be frees it at the end. */
#define IMAGE_GARBAGE "garbage"

/* Frees what no image record names; keep: entries of "layers" in records. 1: somebody is at work in
 * the store, and <root>/garbage is there for whoever ends last. */
int image_gc(struct image_store *s, const char *const *keep, size_t keep_count, size_t *ret_layers,
	     size_t *ret_blobs, struct csn_error *err);
/* Removes what is left of downloads that nobody goes on with. */
void image_drop_downloads(struct image_store *s);
/* A JSON object: "layers" ("name", "size_bytes", "needed"), and "blobs", "unneeded_blobs",
 * "downloads" with "count" and "size_bytes". malloc'd. */
int image_usage(struct image_store *s, char **ret, struct csn_error *err);
/* One image gets another name. */
int image_tag(struct image_store *s, const char *name, const char *new_name,
	      const struct image_events *events, struct image_list *ret, struct csn_error *err);
/* Checks its blobs, and its layers by unpacking them once more. -EUCLEAN: the first difference. */
int image_verify(struct image_store *s, const char *name, const struct image_events *events,
		 struct image_list *ret, struct csn_error *err);
/* A JSON object: the record's members, and "manifest" and "config" as they are. malloc'd. */
int image_inspect(struct image_store *s, const char *name, char **ret, struct csn_error *err);
/* Writes an archive that is an OCI archive and a docker-archive. */
int image_save(struct image_store *s, char *const *names, size_t count, int fd,
	       const struct image_events *events, struct image_list *ret, struct csn_error *err);
/* Writes the file system of these layers (below root, bottom first) as a tar file. */
int image_export(struct image_store *s, const char *root, char *const *layers, size_t count, int fd,
		 const struct image_events *events, struct csn_error *err);
/* -ENOENT: the store does not have the base any more. */
int image_commit(struct image_store *s, const struct image_commit *c, struct image_list *ret,
		 struct csn_error *err);
void image_list_done(struct image_list *l);

/* The image of a registry; *ret has one. */
int image_pull(struct image_store *s, const struct image_pull *p, struct image_list *ret,
	       struct csn_error *err);
/* An image of the store to a registry, byte for byte. *ret has one, by the destination's name. */
int image_push(struct image_store *s, const struct image_push *p, struct image_list *ret,
	       struct csn_error *err);
/* Checks the credentials in remote with the registry and keeps them; *ret_where is malloc'd: where.
 */
int image_login(const struct image_remote *remote, const char *registry,
		const struct image_events *events, char **ret_where, struct csn_error *err);
/* -ENOENT: there were none. */
int image_logout(const char *authfile, const char *registry, char **ret_where,
		 struct csn_error *err);

#endif
