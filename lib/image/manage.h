/* Between the parts that look after what is in the store. */
#ifndef CSN_IMAGE_MANAGE_H
#define CSN_IMAGE_MANAGE_H

#include "base/arena.h"
#include "image/store.h"

/* A marker that this session is not on disk yet (settle.c); session_begin makes it, session_end
 * takes it away unless the session was committed so. */
int settle_mark(struct session *s, struct csn_error *err);
void settle_unmark(struct session *s);
/* The session is about to be committed: its age counts from now. */
int settle_touch(struct session *s, struct csn_error *err);

/* Names that images need: digests, and names of layers. The arena is the caller's. */
struct marks {
	struct arena *arena;
	const char **items;
	size_t count, capacity;
};
/* keep: as image_gc has it. Call marks_done() whatever it returns. */
int marks_make(struct image_store *s, const char *const *keep, size_t keep_count, struct marks *m,
	       struct csn_error *err);
bool marks_have(const struct marks *m, const char *name);
void marks_done(struct marks *m);

/* Reads a stored blob and checks its digest; one that is damaged is removed, if drop says so, so
 * that nobody takes it for what its name says. */
int store_check_blob(struct image_store *s, const char *digest, bool drop, struct csn_error *err);
/* Unpacks the layers that images miss from the blobs; takes away images that have lost theirs. */
int image_restore(struct image_store *s, const struct image_events *events, struct csn_error *err);

#endif
