/*
 * To the bucket. In this order, so that whoever reads the bucket sees the old volume or the new
 * one: contents that it does not have, the manifest, and then away with what the new manifest does
 * not name. A content is kept under its hash, and is sent from the memory that was hashed: a file
 * that changes meanwhile is sent as one of its states or refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "image/digest.h"
#include "volume/volume.h"

#define UPLOADS	    "uploads"
#define UPLOADS_MAX (64 << 20)
#define CHANGES_MAX 3 /* times that a file may change under our hands */

struct syncing {
	int volume;
	struct s3 *s3;
	struct volume_moved *moved;
	struct hash_set has; /* what the bucket has for certain */
	struct hash_set old; /* what it may have, to be removed unless it is needed */
	int uploads;	     /* UPLOADS, open for appending */
	unsigned char *part; /* of PART_SIZE */
	struct manifest theirs;
	char *theirs_text;
	struct arena arena;
};

static void syncing_done(struct syncing *g)
{
	hash_set_done(&g->has);
	hash_set_done(&g->old);
	close_fd(&g->uploads);
	free(g->part);
	free(g->theirs_text);
	manifest_done(&g->theirs);
	arena_free(&g->arena);
}

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* ---- what is on its way -----------------------------------------------------------------------
 */

#define ASKED "?" /* for the id of an upload that the server has not told yet */

/* One line: a hash alone, or with the id of an upload in parts. It is on disk before the request
 * goes out. */
static int note(struct syncing *g, const char *hash, const char *upload, struct csn_error *err)
{
	char line[1200];
	int n = snprintf(line, sizeof line, "%s%s%s\n", hash, upload ? " " : "",
			 upload ? upload : "");
	if (n < 0 || (size_t)n >= sizeof line)
		return fail(err, EPROTO, UPLOADS ": too long a line");
	int r = write_all(g->uploads, line, (size_t)n);
	return r < 0 ? fail(err, -r, "write " UPLOADS ": %s", strerror(-r)) : 0;
}

static int take_back(struct syncing *g, char *line, struct csn_error *err)
{
	char key[80], *upload = strchr(line, ' ');
	if (upload)
		*upload++ = '\0';
	if (strlen(line) != 64 || strspn(line, "0123456789abcdef") != 64)
		return 0; /* a line that was cut short */
	if (upload)
		TRY(strcmp(upload, ASKED) == 0
			    ? s3_upload_abort_all(g->s3, manifest_key(line, key), err)
			    : s3_upload_abort(g->s3, manifest_key(line, key), upload, err));
	return hash_set_add(&g->old, line) < 0 ? no_memory(err) : 0;
}

/* What an earlier sync that was cut short has left in the bucket. */
static int read_uploads(struct syncing *g, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size;
	int r = file_read(g->volume, UPLOADS, UPLOADS_MAX, &text, &size, err);
	if (r < 0 && r != -ENOENT)
		return r;
	for (char *line = r < 0 ? NULL : text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			break;
		*next++ = '\0';
		TRY(take_back(g, line, err));
	}
	g->uploads = openat(g->volume, UPLOADS,
			    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	return g->uploads < 0 ? fail_errno(err, "open " UPLOADS) : 0;
}

static int read_theirs(struct syncing *g, struct csn_error *err)
{
	size_t size;
	int r = s3_get(g->s3, MANIFEST_KEY, MANIFEST_MAX, &g->theirs_text, &size, err);
	if (r == -ENOENT)
		return 0;
	TRY(r);
	TRY(manifest_parse(g->theirs_text, size, &g->theirs, &g->arena, err));
	for (size_t i = 0; i < g->theirs.entries.count; i++) {
		const char *hash = g->theirs.entries.items[i].sha256;
		if (hash && (hash_set_add(&g->has, hash) < 0 || hash_set_add(&g->old, hash) < 0))
			return no_memory(err);
	}
	return 0;
}

/* ---- contents ---------------------------------------------------------------------------------
 */

/* Up to PART_SIZE bytes from there; less at the end of the file. */
static int read_part(struct syncing *g, int fd, uint64_t from, size_t *ret, struct csn_error *err)
{
	size_t size = 0;
	while (size < PART_SIZE) {
		ssize_t n = pread(fd, g->part + size, PART_SIZE - size, (off_t)(from + size));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "read");
		if (n == 0)
			break;
		size += (size_t)n;
	}
	*ret = size;
	return 0;
}

static int sent(struct syncing *g, const char *hash, uint64_t size, struct csn_error *err)
{
	g->moved->moved++;
	g->moved->bytes += size;
	return hash_set_add(&g->has, hash) < 0 ? no_memory(err) : 0;
}

static int send_small(struct syncing *g, int fd, char ret_hash[65], struct csn_error *err)
{
	char digest[DIGEST_TEXT_MAX], key[80];
	size_t size;
	TRY(read_part(g, fd, 0, &size, err));
	TRY(digest_of(DIGEST_SHA256, g->part, size, digest, err));
	memcpy(ret_hash, digest_hex(digest), 65);
	if (hash_set_has(&g->has, ret_hash))
		return 0;
	TRY(note(g, ret_hash, NULL, err));
	TRY(s3_put(g->s3, manifest_key(ret_hash, key), g->part, size, err));
	return sent(g, ret_hash, size, err);
}

static void close_hasher(struct hasher *h)
{
	hasher_done(h);
}

/* Hashes a file in parts, and sends each when there is an upload. */
static int read_all(struct syncing *g, int fd, struct s3_upload *upload, uint64_t *ret_size,
		    char ret_hash[65], struct csn_error *err)
{
	struct hasher h AUTO(close_hasher) = { 0 };
	char digest[DIGEST_TEXT_MAX];
	uint64_t done = 0;
	TRY(hasher_init(&h, DIGEST_SHA256, err));
	for (;;) {
		size_t size;
		TRY(read_part(g, fd, done, &size, err));
		if (size == 0)
			break;
		TRY(hasher_update(&h, g->part, size, err));
		if (upload)
			TRY(s3_upload_part(upload, g->part, size, err));
		done += size;
	}
	TRY(hasher_final(&h, digest, err));
	memcpy(ret_hash, digest_hex(digest), 65);
	*ret_size = done;
	return 0;
}

static void close_upload(struct s3_upload **u)
{
	s3_upload_close(*u);
}

/* 1: it changed between the two times that it was read. */
static int send_parts(struct syncing *g, int fd, const char *hash, struct csn_error *err)
{
	struct s3_upload *upload AUTO(close_upload)
	= NULL;
	char key[80], now[65];
	uint64_t size;
	TRY(note(g, hash, ASKED, err));
	TRY(s3_upload_begin(g->s3, manifest_key(hash, key), &upload, err));
	TRY(note(g, hash, s3_upload_id(upload), err));
	TRY(read_all(g, fd, upload, &size, now, err));
	if (strcmp(now, hash) != 0)
		return 1;
	TRY(s3_upload_complete(upload, err));
	return sent(g, hash, size, err);
}

static int send_large(struct syncing *g, int fd, char ret_hash[65], struct csn_error *err)
{
	for (int i = 0; i < CHANGES_MAX; i++) {
		uint64_t size;
		TRY(read_all(g, fd, NULL, &size, ret_hash, err));
		if (hash_set_has(&g->has, ret_hash))
			return 0;
		int r = send_parts(g, fd, ret_hash, err);
		if (r <= 0)
			return r;
	}
	return fail(err, EBUSY, "it changes while it is read: stop what writes to it");
}

static int content(void *data, int fd, const char *path, uint64_t size, char ret_hash[65],
		   struct csn_error *err)
{
	struct syncing *g = data;
	int r = size > PART_SIZE ? send_large(g, fd, ret_hash, err)
				 : send_small(g, fd, ret_hash, err);
	return within(err, r, "\"%.300s\" of the volume", path);
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static int remove_old(struct syncing *g, const struct manifest *ours, struct csn_error *err)
{
	struct hash_set needed AUTO(hash_set_done) = { 0 };
	char key[80];
	for (size_t i = 0; i < ours->entries.count; i++)
		if (ours->entries.items[i].sha256 &&
		    hash_set_add(&needed, ours->entries.items[i].sha256) < 0)
			return no_memory(err);
	for (size_t i = 0; i < g->old.capacity; i++) {
		const char *hash = g->old.slots[i].hash;
		if (!hash[0] || hash_set_has(&needed, hash))
			continue;
		TRY(s3_delete(g->s3, manifest_key(hash, key), err));
		g->moved->removed++;
	}
	if (unlinkat(g->volume, UPLOADS, 0) < 0 && errno != ENOENT)
		return fail_errno(err, "remove " UPLOADS);
	return 0;
}

/* A small file may have grown beyond a part while it was looked at: its entry says what was sent.
 */
static int sync_all(struct syncing *g, struct csn_error *err)
{
	struct manifest ours AUTO(manifest_done) = { 0 };
	const struct scan scan = { content, g };
	auto_mem char *text = NULL;
	auto_fd data = openat(g->volume, "data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (data < 0)
		return fail_errno(err, "open directory data");
	TRY(scan_dir(data, &scan, &ours, &g->arena, err));
	g->moved->files = ours.entries.count;
	TRY(manifest_print(&ours, &text, err));
	if (!g->theirs_text || strcmp(text, g->theirs_text) != 0)
		TRY(s3_put(g->s3, MANIFEST_KEY, text, strlen(text), err));
	return remove_old(g, &ours, err);
}

int volume_sync(int volume, struct s3 *s3, struct volume_moved *ret, struct csn_error *err)
{
	struct syncing g AUTO(
		syncing_done) = { .volume = volume, .s3 = s3, .moved = ret, .uploads = -1 };
	g.part = malloc(PART_SIZE);
	if (!g.part)
		return no_memory(err);
	TRY(read_theirs(&g, err));
	TRY(read_uploads(&g, err));
	return sync_all(&g, err);
}
