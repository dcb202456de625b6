/* Image records: images/<hex>.json, what "run" reads. The format is in image.h. */
#ifndef CSN_IMAGE_RECORD_H
#define CSN_IMAGE_RECORD_H

#include "base/arena.h"
#include "image/store.h"
#include "image/unpack.h"

#define RECORD_NAME_MAX (64 + sizeof ".json")

struct image_record {
	char *reference, *digest, *id;
	char *created, *architecture, *os; /* may be NULL */
	uint64_t size;
	struct {
		char **items; /* "layers/sha256-…/fs", bottom first */
		size_t count;
		bool set;
	} layers;
	struct root_attrs root;
	const char *config; /* JSON text; not read back */
};

/* The name of the record of a normalised reference. */
int record_name(const char *reference, char ret[RECORD_NAME_MAX], struct csn_error *err);
int record_stage(struct session *s, const struct image_record *r, struct csn_error *err);
int record_read(struct image_store *s, const char *name, struct image_record *ret,
		struct arena *arena, struct csn_error *err);
/* The names of all records, sorted by nothing. Strings in the arena. */
int record_names(struct image_store *s, char ***ret, size_t *ret_count, struct arena *arena,
		 struct csn_error *err);
/* Appends a copy to a list. */
int record_to_list(const struct image_record *r, struct image_list *list, struct csn_error *err);

#endif
