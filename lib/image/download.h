/*
 * Blobs on their way from a registry into the session, several at a time, in order.
 *
 * A blob is written to <root>/downloads/<algorithm>-<hex> by whoever holds the lock on that file,
 * and is linked into the session from the start. A puller that dies leaves it there for the next
 * one, which goes on where it ends; two pullers of one blob fetch it once. The file only grows:
 * what is wrong is unlinked and made anew, since it may be linked elsewhere.
 */
#ifndef CSN_IMAGE_DOWNLOAD_H
#define CSN_IMAGE_DOWNLOAD_H

#include <pthread.h>

#include "image/registry.h"
#include "image/store.h"

#define DOWNLOAD_THREADS 4

enum download_state { DOWNLOAD_WAITING, DOWNLOAD_RUNNING, DOWNLOAD_DONE, DOWNLOAD_FAILED };

struct download {
	struct downloads *all;
	const char *digest;
	uint64_t size;
	char temp[32]; /* in the session's directory */

	/* Under the lock. */
	enum download_state state;
	uint64_t have;
	struct csn_error error;

	/* The fetching thread's own. */
	int fd;
	struct hasher hash;
	uint64_t skip; /* bytes of the answer that are here already */
	uint64_t told;
	bool no_range; /* the registry cannot do it */
	bool resumed;  /* the beginning is from another day */
	int write_error;
};

struct downloads {
	struct session *session;
	struct registry *registry;
	const struct image_events *events;
	struct endpoint *first; /* the endpoint that had the manifest */
	struct download *items;
	size_t count, next;
	bool stop;
	bool spoiled; /* a resumed blob came out wrong: a second attempt may succeed */
	pthread_t threads[DOWNLOAD_THREADS];
	size_t thread_count;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

/* items[].digest and size are set, no digest twice. */
int downloads_start(struct downloads *d, struct session *s, struct registry *r,
		    struct endpoint *first, const struct image_events *events,
		    struct download *items, size_t count, struct csn_error *err);
/* Waits for the last one, and stages all. */
int downloads_finish(struct downloads *d, struct csn_error *err);
/* Ends the threads; what was not finished stays for the next time. Once after downloads_start. */
void downloads_end(struct downloads *d);

/* For struct arrival; data is a struct download. */
int download_open(void *data, struct csn_error *err);
int download_more(void *data, uint64_t have, struct csn_error *err);

/* Removes what is in the store by now, and what nobody has gone on with for a week, or (all)
 * everything that nobody is fetching. */
void downloads_sweep(struct image_store *s, bool all);

#endif
