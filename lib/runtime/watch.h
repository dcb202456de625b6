/*
 * Watches on the directories of containers, through one inotify instance for all of a runtime. A
 * user may have 128 of these, and closing one takes the kernel more than ten milliseconds: neither
 * is for everybody who waits.
 *
 * One of those who wait reads the instance and tells the others; who that is moves on when it
 * leaves. So a container's news wakes its own waiters and that one.
 */
#ifndef CSN_RUNTIME_WATCH_H
#define CSN_RUNTIME_WATCH_H

#include <pthread.h>
#include <stdbool.h>

struct watches {
	pthread_mutex_t lock;
	int inotify; /* -1 until somebody waits */
	struct watch *first, *leader;
};

/* One who waits; lives where it does. */
struct watch {
	struct watches *all; /* NULL: not begun */
	struct watch *next;
	int wd;
	int news; /* eventfd: something happened, or it is the leader now */
};
#define WATCH_INIT                                                                                 \
	{                                                                                          \
		NULL, NULL, -1, -1                                                                 \
	}

void watches_init(struct watches *all);
void watches_done(struct watches *all);
/* Reads what there is and tells those whom it concerns. */
void watches_tell(struct watches *all);

/* From here on what comes into, goes out of and happens to that directory is told. -errno, also in
 * errno. */
int watch_begin(struct watch *w, struct watches *all, int dir);
void watch_end(struct watch *w);
/* The fd that this one has to poll for all, or -1. Becomes the leader where there is none. */
int watch_leads(struct watch *w);
/* Whether something was told since. */
bool watch_taken(struct watch *w);

#endif
