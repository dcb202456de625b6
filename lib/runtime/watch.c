/*
 * Watches on directories: see watch.h.
 *
 * Nobody's news is lost: it is in the instance until it is read, under the lock, by which it is in
 * the eventfds of all whom it concerns. The leader does not sleep elsewhere between two polls
 * except to look at its container.
 */
#include "runtime/watch.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	EVENTS = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_DELETE,
};

void watches_init(struct watches *all)
{
	*all = (struct watches){ .inotify = -1 };
	(void)pthread_mutex_init(&all->lock, NULL);
}

void watches_done(struct watches *all)
{
	close_fd(&all->inotify);
	(void)pthread_mutex_destroy(&all->lock);
}

static void tell(struct watch *w)
{
	(void)eventfd_write(w->news, 1);
}

static void tell_those_of(struct watches *all, const struct inotify_event *e)
{
	for (struct watch *w = all->first; w; w = w->next)
		if (w->wd == e->wd || (e->mask & IN_Q_OVERFLOW))
			tell(w);
}

/* Under the lock. */
static void read_all(struct watches *all)
{
	_Alignas(struct inotify_event) char text[4096];
	ssize_t n;
	while ((n = read(all->inotify, text, sizeof text)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(text + at);
			tell_those_of(all, e);
			at += (ssize_t)(sizeof *e + e->len);
		}
}

void watches_tell(struct watches *all)
{
	(void)pthread_mutex_lock(&all->lock);
	read_all(all);
	(void)pthread_mutex_unlock(&all->lock);
}

/* Under the lock. The same directory has the same number, however often it is asked for. */
static int add(struct watch *w, struct watches *all, int dir)
{
	char path[32];
	if (all->inotify < 0)
		all->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (all->inotify < 0)
		return -errno;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
	w->wd = inotify_add_watch(all->inotify, path, EVENTS);
	if (w->wd < 0)
		return -errno;
	w->all = all;
	w->next = all->first;
	all->first = w;
	return 0;
}

int watch_begin(struct watch *w, struct watches *all, int dir)
{
	w->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->news < 0)
		return -errno;
	(void)pthread_mutex_lock(&all->lock);
	int r = add(w, all, dir);
	(void)pthread_mutex_unlock(&all->lock);
	if (r < 0) {
		close_fd(&w->news);
		errno = -r;
	}
	return r;
}

void watch_end(struct watch *w)
{
	struct watches *all = w->all;
	if (!all)
		return;
	(void)pthread_mutex_lock(&all->lock);
	bool shared = false;
	for (struct watch **at = &all->first; *at;) {
		if (*at == w) {
			*at = w->next;
			continue;
		}
		shared = shared || (*at)->wd == w->wd;
		at = &(*at)->next;
	}
	if (!shared)
		(void)inotify_rm_watch(all->inotify, w->wd);
	if (all->leader == w) {
		all->leader = all->first;
		if (all->leader)
			tell(all->leader);
	}
	(void)pthread_mutex_unlock(&all->lock);
	close_fd(&w->news);
	w->all = NULL;
}

int watch_leads(struct watch *w)
{
	(void)pthread_mutex_lock(&w->all->lock);
	if (!w->all->leader)
		w->all->leader = w;
	int fd = w->all->leader == w ? w->all->inotify : -1;
	(void)pthread_mutex_unlock(&w->all->lock);
	return fd;
}

bool watch_taken(struct watch *w)
{
	eventfd_t count;
	return eventfd_read(w->news, &count) == 0;
}
