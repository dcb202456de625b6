/*
 * Opening the store, temporary directories, and the commit.
 *
 * Nothing is ever changed in place. What a load makes lies in tmp/<session>/ until all of it is
 * whole and verified; then, under the store's lock: renames of blobs and layers, the new
 * index.json, and last the image records that make the images exist. A failure half-way moves
 * everything back. Nothing waits for the disk; settle.c looks after power cuts.
 *
 * The lock that tells a living session from a dead one's leftovers is flock on the session's
 * directory; making one and cleaning up exclude each other by a lock on tmp/.
 */
#include "image/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
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
#include "image/manage.h"

static const char layout_text[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
/* ---- locks ----------------------------------------------------------------------------------- */

/* A lock that lives as long as the returned descriptor: a new open file, since flock belongs to
 * that. */
static int lock_dir(int dir_fd, int how, struct csn_error *err)
{
	auto_fd fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "open a directory of the image store");
	int r;
	do
		r = flock(fd, how);
	while (r < 0 && errno == EINTR);
	if (r < 0 && errno == EWOULDBLOCK)
		return fail(err, EBUSY, "the image store is in use");
	return r < 0 ? fail_errno(err, "lock the image store") : take_fd(&fd);
}

int store_lock(struct image_store *s, struct csn_error *err)
{
	return lock_dir(s->store_dir, LOCK_EX, err);
}

int store_lock_use(struct image_store *s, struct csn_error *err)
{
	return lock_dir(s->layers_dir, LOCK_SH, err);
}

int store_lock_unused(struct image_store *s, struct csn_error *err)
{
	return lock_dir(s->layers_dir, LOCK_EX | LOCK_NB, err);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int open_dir(int at, const char *name, struct csn_error *err)
{
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return fail_errno(err, "make the directory %s of the image store", name);
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "open the directory %s of the image store", name) : fd;
}

static int make_file(int at, const char *name, const char *text, struct csn_error *err)
{
	if (faccessat(at, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return file_write_atomic(at, name, text, strlen(text), 0600, false, err);
}

static int open_dirs(struct image_store *s, const char *root, struct csn_error *err)
{
	auto_fd sha256 = -1;
	const struct {
		int *fd, *at;
		const char *name;
	} dirs[] = {
		{ &s->store_dir, &s->root_dir, "store" },
		{ &s->blobs_dir, &s->store_dir, "blobs" },
		{ &sha256, &s->blobs_dir, "sha256" },
		{ &s->layers_dir, &s->root_dir, "layers" },
		{ &s->images_dir, &s->root_dir, "images" },
		{ &s->tmp_dir, &s->root_dir, "tmp" },
		{ &s->downloads_dir, &s->root_dir, "downloads" },
		{ &s->unsynced_dir, &s->root_dir, "unsynced" },
	};

	TRY(make_dirs(root, 0700, err));
	s->root_dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root_dir < 0)
		return fail_errno(err, "open %s", root);
	for (size_t i = 0; i < COUNT(dirs); i++) {
		*dirs[i].fd = open_dir(*dirs[i].at, dirs[i].name, err);
		TRY(*dirs[i].fd);
	}
	/* Locked: an index that another process has filled meanwhile must not be made empty. */
	auto_fd lock = store_lock(s, err);
	TRY(lock);
	TRY(make_file(s->store_dir, "oci-layout", layout_text, err));
	return make_file(s->store_dir, "index.json", index_empty, err);
}

int image_store_open(const char *root, struct image_store **ret, struct csn_error *err)
{
	struct image_store *s = malloc(sizeof *s);
	if (!s)
		return fail(err, ENOMEM, "out of memory");

	*s = (struct image_store){ -1, -1, -1, -1, -1, -1, -1, -1, NULL };
	int r = open_dirs(s, root, err);
	if (r < 0) {
		image_store_close(s);
		return within(err, r, "image store %s", root);
	}
	*ret = s;
	return 0;
}

int image_store_confine(struct image_store *s, const char *unpacker, struct csn_error *err)
{
	s->unpacker = strdup(unpacker);
	return s->unpacker ? 0 : fail(err, ENOMEM, "out of memory");
}

void image_store_close(struct image_store *s)
{
	if (!s)
		return;
	close_fd(&s->downloads_dir);
	close_fd(&s->unsynced_dir);
	close_fd(&s->tmp_dir);
	close_fd(&s->images_dir);
	close_fd(&s->layers_dir);
	close_fd(&s->blobs_dir);
	close_fd(&s->store_dir);
	close_fd(&s->root_dir);
	free(s->unpacker);
	free(s);
}

void store_blob_path(const char *digest, char ret[DIGEST_TEXT_MAX])
{
	(void)snprintf(ret, DIGEST_TEXT_MAX, "%.*s", (int)DIGEST_TEXT_MAX - 1, digest);
	*strchr(ret, ':') = '/';
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Removes what dead sessions have left. Trouble with it is no reason not to work. */
static void sweep(struct image_store *s)
{
	int fd = openat(s->tmp_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp)
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		auto_fd left = openat(s->tmp_dir, e->d_name,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (left >= 0 && flock(left, LOCK_EX | LOCK_NB) < 0)
			continue;
		(void)remove_tree(s->tmp_dir, e->d_name, NULL);
	}
}

int session_begin(struct image_store *s, const struct image_events *events, struct session *ret,
		  struct csn_error *err)
{
	struct timespec now;
	*ret = (struct session){ .store = s, .events = events, .dir_fd = -1, .use_fd = -1 };

	auto_fd use = lock_dir(s->layers_dir, LOCK_SH, err);
	TRY(use);
	auto_fd lock = lock_dir(s->tmp_dir, LOCK_EX, err);
	TRY(lock);
	sweep(s);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(ret->name, sizeof ret->name, "%d-%lld", (int)getpid(),
		       (long long)now.tv_sec * 1000000000 + now.tv_nsec);
	auto_fd fd = open_dir(s->tmp_dir, ret->name, err);
	TRY(fd);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return fail_errno(err, "lock the temporary directory");
	ret->dir_fd = take_fd(&fd);
	ret->use_fd = take_fd(&use);
	return settle_mark(ret, err);
}

void session_end(struct session *s)
{
	if (s->store)
		settle_unmark(s);
	if (s->store && s->dir_fd >= 0)
		(void)remove_tree(s->store->tmp_dir, s->name, NULL);
	close_fd(&s->dir_fd);
	close_fd(&s->use_fd);
	free(s->staged);
	*s = (struct session){ .dir_fd = -1, .use_fd = -1 };
}

void session_temp_name(struct session *s, char ret[32])
{
	(void)snprintf(ret, 32, "%u", ++s->serial);
}

int session_temp_file(struct session *s, char ret_name[32], struct csn_error *err)
{
	session_temp_name(s, ret_name);
	int fd = openat(s->dir_fd, ret_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? fail_errno(err, "make a temporary file in the image store") : fd;
}

int session_stage(struct session *s, enum staged_kind kind, const char *temp, const char *final,
		  struct csn_error *err)
{
	if (s->staged_count == s->staged_capacity) {
		size_t capacity = s->staged_capacity ? 2 * s->staged_capacity : 16;
		struct staged *more = realloc(s->staged, capacity * sizeof *more);
		if (!more)
			return fail(err, ENOMEM, "out of memory");
		s->staged = more;
		s->staged_capacity = capacity;
	}

	struct staged *new = &s->staged[s->staged_count++];
	*new = (struct staged){ .kind = kind };
	(void)snprintf(new->temp, sizeof new->temp, "%s", temp);
	(void)snprintf(new->final, sizeof new->final, "%s", final);
	return 0;
}

const struct staged *session_find(const struct session *s, enum staged_kind kind, const char *final)
{
	for (size_t i = 0; i < s->staged_count; i++)
		if (s->staged[i].kind == kind && strcmp(s->staged[i].final, final) == 0)
			return &s->staged[i];
	return NULL;
}

int session_put_blob(struct session *s, const char *text, size_t size, char ret[DIGEST_TEXT_MAX],
		     struct csn_error *err)
{
	char temp[32];

	TRY(digest_of(DIGEST_SHA256, text, size, ret, err));
	if (session_find(s, STAGED_BLOB, ret))
		return 0;
	auto_fd fd = session_temp_file(s, temp, err);
	TRY(fd);
	int r = write_all(fd, text, size);
	if (r < 0) {
		errno = -r;
		return fail_errno(err, "write a temporary file in the image store");
	}
	return session_stage(s, STAGED_BLOB, temp, ret, err);
}

int session_open_blob(const struct session *s, const char *digest, struct csn_error *err)
{
	char path[DIGEST_TEXT_MAX];
	const struct staged *staged = session_find(s, STAGED_BLOB, digest);

	store_blob_path(digest, path);
	int fd = staged ? openat(s->dir_fd, staged->temp, O_RDONLY | O_CLOEXEC)
			: openat(s->store->blobs_dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "open the blob %s", digest) : fd;
}

int session_read_blob(const struct session *s, const char *digest, char **ret, size_t *ret_size,
		      struct csn_error *err)
{
	char path[DIGEST_TEXT_MAX];
	const struct staged *staged = session_find(s, STAGED_BLOB, digest);

	if (staged)
		return file_read(s->dir_fd, staged->temp, DOCUMENT_MAX, ret, ret_size, err);
	store_blob_path(digest, path);
	return file_read(s->store->blobs_dir, path, DOCUMENT_MAX, ret, ret_size, err);
}

int session_check(const struct session *s, struct csn_error *err)
{
	const struct image_events *e = s->events;

	return e->interrupted && e->interrupted(e->data) ? fail(err, EINTR, "interrupted") : 0;
}

void session_warn(const struct session *s, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	if (!s->events->warning)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	s->events->warning(s->events->data, text);
}

/* ---- commit ---------------------------------------------------------------------------------- */

/* Where a staged thing goes: directory and name. */
static int final_place(const struct session *s, const struct staged *t, char path[200],
		       struct csn_error *err)
{
	struct image_store *store = s->store;

	switch (t->kind) {
	case STAGED_LAYER:
		(void)strcpy(path, t->final);
		return store->layers_dir;
	case STAGED_RECORD:
		(void)strcpy(path, t->final);
		return store->images_dir;
	case STAGED_BLOB:
		break;
	}
	store_blob_path(t->final, path);
	char *slash = strchr(path, '/');
	*slash = '\0';
	if (mkdirat(store->blobs_dir, path, 0700) < 0 && errno != EEXIST)
		return fail_errno(err, "make the directory blobs/%s of the image store", path);
	*slash = '/';
	return store->blobs_dir;
}

static int move(struct session *s, struct staged *t, struct csn_error *err)
{
	char path[200];
	int dir = final_place(s, t, path, err);
	TRY(dir);

	/* A blob or layer that somebody else was quicker with is as good as ours. */
	unsigned int flags = t->kind == STAGED_RECORD ? 0 : RENAME_NOREPLACE;
	int r = renameat2(s->dir_fd, t->temp, dir, path, flags);
	if (r < 0 && errno == EEXIST)
		return 0;
	if (r < 0)
		return fail_errno(err, "move %s into the image store", t->final);
	t->moved = true;
	return 0;
}

static int move_kinds(struct session *s, bool records, struct csn_error *err)
{
	for (size_t i = 0; i < s->staged_count; i++)
		if ((s->staged[i].kind == STAGED_RECORD) == records)
			TRY(move(s, &s->staged[i], err));
	return 0;
}

/* Takes back blobs and layers; session_end removes them. */
static void move_back(struct session *s)
{
	for (size_t i = s->staged_count; i-- > 0;) {
		struct staged *t = &s->staged[i];
		char path[200];
		if (!t->moved || t->kind == STAGED_RECORD)
			continue;
		int dir = final_place(s, t, path, NULL);
		if (dir >= 0)
			(void)renameat2(dir, path, s->dir_fd, t->temp, RENAME_NOREPLACE);
	}
}

static int commit_locked(struct session *s, const struct index_entry *entries, size_t count,
			 struct csn_error *err)
{
	TRY(move_kinds(s, false, err));
	TRY(index_update(s->store, entries, count, NULL, NULL, err));
	return move_kinds(s, true, err);
}

int session_commit(struct session *s, const struct index_entry *entries, size_t count, bool sync,
		   struct csn_error *err)
{
	TRY(session_check(s, err));
	if (s->staged_count == 0 && count == 0)
		return 0;
	if (sync)
		TRY(settle_touch(s, err));

	auto_fd lock = store_lock(s->store, err);
	TRY(lock);
	int r = commit_locked(s, entries, count, err);
	if (r < 0)
		move_back(s);
	else if (sync)
		s->marked = false; /* it stays until all is on disk */
	return r;
}
