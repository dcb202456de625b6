/*
 * What a volume has in it: one entry for each file and directory, in an order in which they can be
 * made again (a directory before what is in it). Contents are named by their SHA-256. Sockets and
 * devices are left out.
 *
 *	manifest.json	{ "version": 1, "root": {…}, "entries": [ {…} ] }
 *
 * A path and a link's target are bytes: those outside of printable ASCII, and "%", are %XX there.
 */
#ifndef CSN_VOLUME_MANIFEST_H
#define CSN_VOLUME_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"

#define MANIFEST_KEY "manifest.json"
#define MANIFEST_MAX (256 << 20)

enum entry_type { ENTRY_DIR, ENTRY_FILE, ENTRY_LINK, ENTRY_FIFO };

struct xattr {
	char *name, *value; /* the value in hexadecimal digits */
};
struct entry {
	char *path; /* as it is on disk; NULL: the volume's own directory */
	int32_t type;
	uint32_t mode, uid, gid;
	int64_t mtime_s;
	uint32_t mtime_ns;
	uint64_t size;	/* files */
	char *sha256;	/* files that are not empty: 64 hex digits */
	char *target;	/* symbolic links */
	char *hardlink; /* path of an entry before this one that is the same file */
	struct {
		struct xattr *items;
		size_t count;
	} xattrs;
};
struct manifest {
	struct entry root;
	struct {
		struct entry *items;
		size_t count;
	} entries;
	size_t capacity;
};

/* Decodes and checks: whoever can write to the bucket must not be able to write elsewhere here. */
int manifest_parse(const char *text, size_t size, struct manifest *ret, struct arena *arena,
		   struct csn_error *err);
/* malloc'd. */
int manifest_print(const struct manifest *m, char **ret, struct csn_error *err);
/* Room for one more; NULL without memory. */
struct entry *manifest_add(struct manifest *m);
/* The items that manifest_add made; those of manifest_parse are the arena's. */
void manifest_done(struct manifest *m);
/* "objects/<sha256>" */
const char *manifest_key(const char *sha256, char ret[80]);

#endif
