/*
 * The threads that fetch blobs.
 *
 * Each takes the next blob: waits for the lock on its file, hashes what is there already, asks for
 * the rest, and is done when the size and the digest are right. Who unpacks the layer meanwhile
 * reads the file behind it (download_open, download_more), beginning when the old part is hashed.
 *
 * A thread holds one file's lock at a time and waits for nothing else while it does, so that two
 * pullers cannot wait for each other.
 */
#include "image/download.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"

#define TRIES	      5
#define TRIES_MAX     100
#define WAIT_MS	      100
#define READ_SIZE     ((size_t)1 << 20)
#define TELL_STEP_MIN ((uint64_t)64 << 10)
#define TELL_STEP_MAX ((uint64_t)4 << 20)
#define KEEP_SECONDS  (7 * 86400)

#define NAME_SIZE (DIGEST_TEXT_MAX + 1)

static void file_name(const char *digest, char ret[NAME_SIZE])
{
	(void)snprintf(ret, NAME_SIZE, "%s", digest);
	*strchr(ret, ':') = '-';
}

/* ---- states ---------------------------------------------------------------------------------- */

static void set_state(struct download *d, enum download_state state)
{
	struct downloads *all = d->all;

	(void)pthread_mutex_lock(&all->lock);
	d->state = state;
	(void)pthread_cond_broadcast(&all->changed);
	(void)pthread_mutex_unlock(&all->lock);
}

static void tell(struct download *d, bool always)
{
	const struct image_events *e = d->all->events;
	uint64_t step = d->size / 100;

	step = step < TELL_STEP_MIN ? TELL_STEP_MIN : step > TELL_STEP_MAX ? TELL_STEP_MAX : step;
	if (!e->transferred || (!always && d->have - d->told < step))
		return;
	d->told = d->have;
	e->transferred(e->data, d->digest, d->have, d->size);
}

static void wait_a_moment(struct downloads *all)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += WAIT_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	(void)pthread_cond_timedwait(&all->changed, &all->lock, &until);
}

/* The consumer's side: a result once the state says something, else -EAGAIN after a moment. */
static int await(struct download *d, uint64_t have, struct csn_error *err)
{
	struct downloads *all = d->all;
	int r = -EAGAIN;

	(void)pthread_mutex_lock(&all->lock);
	for (int round = 0; round < 2 && r == -EAGAIN; round++) {
		if (d->state == DOWNLOAD_FAILED)
			r = fail(err, d->error.code, "%s", d->error.text);
		else if (d->state != DOWNLOAD_WAITING && d->have > have)
			r = 1;
		else if (d->state == DOWNLOAD_DONE)
			r = 0;
		else if (all->stop)
			r = fail(err, ECANCELED, "canceled");
		else if (round == 0)
			wait_a_moment(all);
	}
	(void)pthread_mutex_unlock(&all->lock);
	return r;
}

int download_more(void *data, uint64_t have, struct csn_error *err)
{
	return await(data, have, err);
}

int download_open(void *data, struct csn_error *err)
{
	struct download *d = data;

	TRY(await(d, 0, err));
	int fd = openat(d->all->session->dir_fd, d->temp, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "open the blob %s", d->digest) : fd;
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool same_file(int fd, int dir, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Opens the file and takes its lock, waiting for whoever has it. */
static int open_locked(struct download *d, const char *name, struct csn_error *err)
{
	int dir = d->all->session->store->downloads_dir;

	for (;;) {
		auto_fd fd = openat(dir, name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
				    0600);
		if (fd < 0)
			return fail_errno(err, "open downloads/%s of the image store", name);
		while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK && errno != EINTR)
				return fail_errno(err, "lock downloads/%s", name);
			TRY(http_sleep(d->all->registry->http, WAIT_MS, err));
		}
		/* The one before us may have finished and unlinked it. */
		if (same_file(fd, dir, name))
			return take_fd(&fd);
	}
}

static int hash_file(struct download *d, uint64_t size, struct csn_error *err)
{
	auto_mem char *buf = malloc(READ_SIZE);
	uint64_t at = 0;

	if (!buf)
		return fail(err, ENOMEM, "out of memory");
	while (at < size) {
		ssize_t n = pread(d->fd, buf, READ_SIZE, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_errno(err, "read a download");
		TRY(hasher_update(&d->hash, buf, (size_t)n, err));
		TRY(session_check(d->all->session, err));
		at += (uint64_t)n;
	}
	return 0;
}

static int start_hash(struct download *d, struct csn_error *err)
{
	hasher_done(&d->hash);
	return hasher_init(&d->hash, digest_algorithm(d->digest), err);
}

/* Another puller has brought it into the store meanwhile. */
static bool link_stored(struct download *d)
{
	const struct session *s = d->all->session;
	char path[DIGEST_TEXT_MAX];
	struct stat st;

	store_blob_path(d->digest, path);
	return fstatat(s->store->blobs_dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (uint64_t)st.st_size == d->size &&
	       linkat(s->store->blobs_dir, path, s->dir_fd, d->temp, 0) == 0;
}

/* Begins with what is there: 1 when that is all of it. */
static int open_partial(struct download *d, const char *name, struct csn_error *err)
{
	const struct session *s = d->all->session;
	struct stat st;

	for (;;) {
		close_fd(&d->fd);
		d->fd = open_locked(d, name, err);
		TRY(d->fd);
		if (link_stored(d)) {
			(void)unlinkat(s->store->downloads_dir, name, 0);
			d->have = d->size;
			return 1;
		}
		if (fstat(d->fd, &st) < 0)
			return fail_errno(err, "stat a download");
		uint64_t have = (uint64_t)st.st_size;
		TRY(start_hash(d, err));
		if (have <= d->size) {
			TRY(hash_file(d, have, err));
			d->resumed = have > 0;
			d->have = have;
		}
		if (have < d->size || (have == 0 && d->size == 0))
			break;
		char digest[DIGEST_TEXT_MAX];
		TRY(hasher_final(&d->hash, digest, err));
		if (have == d->size && strcmp(digest, d->digest) == 0)
			break;
		d->have = 0;
		(void)unlinkat(s->store->downloads_dir, name, 0);
	}
	if (linkat(s->store->downloads_dir, name, s->dir_fd, d->temp, 0) < 0)
		return fail_errno(err, "link a download");
	return d->have == d->size && d->size > 0;
}

/* ---- fetching -------------------------------------------------------------------------------- */

/* "bytes 100-199/200" must continue what is here, of a blob of the right size. */
static int check_range(const struct download *d, const char *text, struct csn_error *err)
{
	uint64_t from, to, total;
	char end;
	int n = text ? sscanf(text, "bytes %" SCNu64 "-%" SCNu64 "/%" SCNu64 "%c", &from, &to,
			      &total, &end)
		     : 0;

	if (n < 2)
		return fail(err, EBADMSG, "answered with a part, but does not say which");
	if (from != d->have || to < from || to >= d->size || (n >= 3 && total != d->size))
		return fail(err, EBADMSG, "answered with another part than was asked for: %.60s",
			    text);
	return 0;
}

static int on_begin(void *data, const struct http_response *r, struct csn_error *err)
{
	struct download *d = data;

	d->skip = 0;
	if (r->status == 206)
		return check_range(d, r->content_range, err);
	d->skip = d->have;
	return 0;
}

static int on_receive(void *data, const void *bytes, size_t size, struct csn_error *err)
{
	struct download *d = data;
	const char *p = bytes;

	if (d->skip > 0) {
		size_t drop = size < d->skip ? size : (size_t)d->skip;
		d->skip -= drop;
		p += drop;
		size -= drop;
	}
	if (size > d->size - d->have)
		return fail(err, EINVAL, "is larger than the %" PRIu64 " bytes it should have",
			    d->size);
	if (size == 0)
		return 0;
	TRY(hasher_update(&d->hash, p, size, err));
	int r = write_all(d->fd, p, size);
	if (r < 0) {
		errno = -r;
		d->write_error = r;
		return fail_errno(err, "write to the image store");
	}
	(void)pthread_mutex_lock(&d->all->lock);
	d->have += size;
	(void)pthread_cond_broadcast(&d->all->changed);
	(void)pthread_mutex_unlock(&d->all->lock);
	tell(d, false);
	return 0;
}

static int ask_once(struct download *d, struct endpoint *e, struct http_response *ret,
		    struct csn_error *err)
{
	char path[sizeof "blobs/" + DIGEST_TEXT_MAX], range[64];
	struct registry_call c = {
		.method = "GET",
		.path = path,
		.actions = "pull",
		.body_fd = -1,
		.slow = true,
		.begin = on_begin,
		.receive = on_receive,
		.data = d,
	};

	(void)snprintf(path, sizeof path, "blobs/%s", d->digest);
	if (d->have > 0 && !d->no_range) {
		(void)snprintf(range, sizeof range, "Range: bytes=%" PRIu64 "-", d->have);
		c.headers[0] = range;
	}
	int r = registry_try(d->all->registry, e, &c, ret, err);
	if (r < 0)
		return r;
	if (ret->status == 416 && d->have > 0 && !d->no_range) {
		d->no_range = true; /* once more, from the beginning */
		return fail(err, ECONNRESET, "registry %s: will not send a part", e->host);
	}
	return 0;
}

/* Until all is there, or trying again is of no use. */
static int fetch_from(struct download *d, struct endpoint *e, struct csn_error *err)
{
	int attempt = 0, all = 0;

	for (;;) {
		AUTO(http_response_done)
		struct http_response answer = { 0 };
		uint64_t before = d->have;
		int r = ask_once(d, e, &answer, err);
		if (r == 0 && d->have == d->size && answer.status >= 200 && answer.status <= 299)
			return 0;
		if (r == 0 && (answer.status == 200 || answer.status == 206))
			r = fail(err, ECONNRESET,
				 "registry %s: the answer ended after %" PRIu64 " of %" PRIu64
				 " bytes",
				 e->host, d->have, d->size);
		if (r == -EBADMSG && !d->no_range) {
			d->no_range = true;
			r = -ECONNRESET;
		}
		if (d->have > before)
			attempt = 0;
		attempt++;
		all++;
		if (!registry_may_retry(r, &answer) || attempt >= TRIES || all >= TRIES_MAX)
			return r < 0 ? r : registry_refused(e, "the blob", &answer, err);
		TRY(registry_pause(d->all->registry, attempt, r < 0 ? NULL : &answer, err));
	}
}

/* Would another endpoint do better? */
static bool is_final(const struct download *d, int r)
{
	return r == -EINVAL || r == -EINTR || r == -ECANCELED || r == -ENOMEM || d->write_error < 0;
}

static int fetch(struct download *d, struct csn_error *err)
{
	struct registry *r = d->all->registry;
	int result = fetch_from(d, d->all->first, err);

	for (size_t i = 0; result < 0 && !is_final(d, result) && i < r->endpoint_count; i++)
		if (&r->endpoints[i] != d->all->first)
			result = fetch_from(d, &r->endpoints[i], err);
	return result;
}

/* The digest over everything; a blob that is wrong must not be found by the next puller. */
static int verify(struct download *d, const char *name, struct csn_error *err)
{
	char digest[DIGEST_TEXT_MAX];

	TRY(hasher_final(&d->hash, digest, err));
	if (strcmp(digest, d->digest) == 0)
		return 0;
	(void)unlinkat(d->all->session->store->downloads_dir, name, 0);
	if (d->resumed) {
		(void)pthread_mutex_lock(&d->all->lock);
		d->all->spoiled = true;
		(void)pthread_mutex_unlock(&d->all->lock);
	}
	return fail(err, EINVAL, "its content has the digest %s", digest);
}

static int run(struct download *d, struct csn_error *err)
{
	char name[NAME_SIZE];

	file_name(d->digest, name);
	int complete = open_partial(d, name, err);
	TRY(complete);
	if (complete) {
		tell(d, true);
		return 0;
	}
	if (d->have > 0)
		tell(d, true);
	set_state(d, DOWNLOAD_RUNNING);
	if (d->have < d->size)
		TRY(fetch(d, err));
	TRY(verify(d, name, err));
	tell(d, true);
	return 0;
}

/* ---- threads --------------------------------------------------------------------------------- */

static void *fetch_blobs(void *data)
{
	struct downloads *all = data;

	for (;;) {
		(void)pthread_mutex_lock(&all->lock);
		struct download *d =
			!all->stop && all->next < all->count ? &all->items[all->next++] : NULL;
		(void)pthread_mutex_unlock(&all->lock);
		if (!d)
			return NULL;

		int r = run(d, &d->error);
		close_fd(&d->fd); /* and with it the lock */
		hasher_done(&d->hash);
		set_state(d, r < 0 ? DOWNLOAD_FAILED : DOWNLOAD_DONE);
		if (r < 0) {
			(void)pthread_mutex_lock(&all->lock);
			all->stop = true;
			(void)pthread_mutex_unlock(&all->lock);
			http_cancel(all->registry->http);
		}
	}
}

int downloads_start(struct downloads *d, struct session *s, struct registry *r,
		    struct endpoint *first, const struct image_events *events,
		    struct download *items, size_t count, struct csn_error *err)
{
	*d = (struct downloads){
		.session = s,
		.registry = r,
		.first = first,
		.events = events,
		.items = items,
		.count = count,
	};
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->changed, NULL);
	for (size_t i = 0; i < count; i++) {
		items[i].all = d;
		items[i].fd = -1;
		session_temp_name(s, items[i].temp);
	}
	while (d->thread_count < DOWNLOAD_THREADS && d->thread_count < count) {
		int e = pthread_create(&d->threads[d->thread_count], NULL, fetch_blobs, d);
		if (e && d->thread_count == 0)
			return fail(err, e, "start a thread: %s", strerror(e));
		if (e)
			break;
		d->thread_count++;
	}
	return 0;
}

/* The failure that came first; the others were only stopped by it. */
static int first_failure(const struct downloads *d, struct csn_error *err)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct download *item = &d->items[i];
		if (item->state == DOWNLOAD_FAILED && item->error.code != ECANCELED)
			return fail(err, item->error.code, "layer %s: %s", item->digest,
				    item->error.text);
	}
	for (size_t i = 0; i < d->count; i++)
		if (d->items[i].state != DOWNLOAD_DONE)
			return fail(err, ECANCELED, "canceled");
	return 0;
}

static void join(struct downloads *d)
{
	while (d->thread_count > 0)
		(void)pthread_join(d->threads[--d->thread_count], NULL);
}

int downloads_finish(struct downloads *d, struct csn_error *err)
{
	join(d);
	TRY(first_failure(d, err));
	for (size_t i = 0; i < d->count; i++)
		TRY(session_stage(d->session, STAGED_BLOB, d->items[i].temp, d->items[i].digest,
				  err));
	return 0;
}

void downloads_end(struct downloads *d)
{
	(void)pthread_mutex_lock(&d->lock);
	d->stop = true;
	(void)pthread_mutex_unlock(&d->lock);
	if (d->thread_count > 0)
		http_cancel(d->registry->http);
	join(d);
	(void)pthread_cond_destroy(&d->changed);
	(void)pthread_mutex_destroy(&d->lock);
}

/* ---- leftovers ------------------------------------------------------------------------------- */

static bool is_stored(struct image_store *s, const char *name)
{
	char path[NAME_SIZE];
	char *dash;

	(void)snprintf(path, sizeof path, "%.*s", (int)sizeof path - 1, name);
	dash = strchr(path, '-');
	if (!dash)
		return true; /* not one of ours */
	*dash = '/';
	return faccessat(s->blobs_dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void downloads_sweep(struct image_store *s, bool all)
{
	int fd = openat(s->downloads_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		auto_fd file = openat(s->downloads_dir, e->d_name,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (file < 0 || flock(file, LOCK_EX | LOCK_NB) < 0 || fstat(file, &st) < 0)
			continue;
		if (all || is_stored(s, e->d_name) || st.st_mtime + KEEP_SECONDS < time(NULL))
			(void)unlinkat(s->downloads_dir, e->d_name, 0);
	}
	if (d)
		(void)closedir(d);
	else
		close_fd(&fd);
}
