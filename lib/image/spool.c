/*
 * Reading an archive that holds an image, perhaps from a pipe.
 *
 * The files that say what the others are may come last, so each regular file goes into a temporary
 * file of the session, hashed on the way; blobs are then only renamed. Symlinks and hard links
 * between files are remembered and followed by name (docker's archives share layers that way).
 * The same rule for names as in unpack.c: the "C" locale, bytes as they are.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "image/source.h"
#include "image/tree.h"

#define FILES_MAX 100000
#define TOTAL_MAX ((uint64_t)256 << 30)
#define LINKS_MAX 8
#define READ_SIZE ((size_t)1 << 20)

static void archive_freep(struct archive **a)
{
	if (*a)
		(void)archive_read_free(*a);
}

void spool_done(struct spool *spool)
{
	for (size_t i = 0; i < spool->count; i++) {
		free(spool->files[i].path);
		free(spool->files[i].link);
	}
	free(spool->files);
	*spool = (struct spool){ 0 };
}

/* A link's target relative to the directory of the path that is the link. */
static void resolve_link(const char *path, const char *link, char ret[2 * TREE_PATH_MAX + 2])
{
	const char *slash = strrchr(path, '/');
	size_t dir = slash && link[0] != '/' ? (size_t)(slash - path) + 1 : 0;

	memcpy(ret, path, dir);
	(void)strcpy(ret + dir, link);
}

const struct spool_file *spool_find(const struct spool *spool, const char *path)
{
	char now[2 * TREE_PATH_MAX + 2], next[2 * TREE_PATH_MAX + 2];

	if (strlen(path) > TREE_PATH_MAX)
		return NULL;
	(void)strcpy(now, path);
	for (int links = 0; links <= LINKS_MAX; links++) {
		const struct spool_file *found = NULL;
		for (size_t i = spool->count; i-- > 0 && !found;) /* of two, the last counts */
			if (strcmp(spool->files[i].path, now) == 0)
				found = &spool->files[i];
		if (!found || !found->link)
			return found;
		resolve_link(now, found->link, next);
		if (tree_clean_path(next, NULL) < 0)
			return NULL;
		(void)strcpy(now, next);
	}
	return NULL;
}

static int add_file(struct spool *spool, const char *path, const char *link,
		    struct spool_file **ret, struct csn_error *err)
{
	if (spool->count == FILES_MAX)
		return fail(err, EFBIG, "more than %d files", FILES_MAX);
	if (spool->count == spool->capacity) {
		size_t capacity = spool->capacity ? 2 * spool->capacity : 64;
		struct spool_file *more = realloc(spool->files, capacity * sizeof *more);
		if (!more)
			return fail(err, ENOMEM, "out of memory");
		spool->files = more;
		spool->capacity = capacity;
	}

	struct spool_file *f = &spool->files[spool->count];
	*f = (struct spool_file){ .path = strdup(path), .link = link ? strdup(link) : NULL };
	if (!f->path || (link && !f->link)) {
		free(f->path);
		free(f->link);
		return fail(err, ENOMEM, "out of memory");
	}
	spool->count++;
	*ret = f;
	return 0;
}

/* What libarchive reads from. Its own reader would not come back from a pipe to be interrupted. */
struct input {
	struct session *session;
	int fd;
	unsigned char *buf;
};

static la_ssize_t read_input(struct archive *a, void *data, const void **ret)
{
	struct input *in = data;
	struct csn_error why;

	for (;;) {
		if (session_check(in->session, &why) < 0) {
			archive_set_error(a, why.code, "%s", why.text);
			return -1;
		}
		ssize_t n = read(in->fd, in->buf, READ_SIZE);
		if (n >= 0) {
			*ret = in->buf;
			return n;
		}
		if (errno != EINTR) {
			archive_set_error(a, errno, "%s", strerror(errno));
			return -1;
		}
	}
}

static int archive_failed(struct archive *a, struct csn_error *err)
{
	const char *text = archive_error_string(a);

	if (archive_errno(a) == EINTR)
		return fail(err, EINTR, "interrupted");
	if (text && strstr(text, "Unrecognized archive format"))
		return fail(err, EINVAL, "no image: neither a directory nor a tar file");

	return fail(err, EINVAL, "the archive is truncated or damaged: %s",
		    text ? text : "unknown error");
}

static int copy_data(struct session *s, struct archive *a, int fd, struct spool *spool,
		     struct spool_file *f, enum digest_algorithm algorithm, struct csn_error *err)
{
	AUTO(hasher_done)
	struct hasher h = { 0 };
	const void *data;
	size_t size;
	la_int64_t at;
	int r;

	TRY(hasher_init(&h, algorithm, err));
	while ((r = archive_read_data_block(a, &data, &size, &at)) == ARCHIVE_OK) {
		if ((uint64_t)at != f->size)
			return fail(err, EINVAL, "'%.200s' is a sparse file", f->path);
		TRY(session_check(s, err));
		TRY(hasher_update(&h, data, size, err));
		int w = write_all(fd, data, size);
		if (w < 0) {
			errno = -w;
			return fail_errno(err, "write to the image store");
		}
		f->size += size;
		spool->total += size;
		if (spool->total > TOTAL_MAX)
			return fail(err, EFBIG, "larger than 256 GiB");
	}
	return r == ARCHIVE_EOF ? hasher_final(&h, f->digest, err) : archive_failed(a, err);
}

static int spool_entry(struct session *s, struct archive *a, struct archive_entry *e,
		       struct spool *spool, struct csn_error *err)
{
	const char *given = archive_entry_pathname(e), *link = archive_entry_hardlink(e);
	bool hard = link != NULL;
	char path[TREE_PATH_MAX + 1], target[TREE_PATH_MAX + 2];
	struct spool_file *f;

	if (!given || strlen(given) > TREE_PATH_MAX)
		return fail(err, EINVAL, "an entry with no name, or one that is too long");
	(void)strcpy(path, given);
	TRY(tree_clean_path(path, err));
	if (archive_entry_filetype(e) == AE_IFLNK)
		link = archive_entry_symlink(e);
	if (link) {
		if (strlen(link) > TREE_PATH_MAX)
			return fail(err, EINVAL, "a link that is too long");
		/* A hard link names its target from the top. */
		(void)strcpy(stpcpy(target, hard ? "/" : ""), link);
		return add_file(spool, path, target, &f, err);
	}
	if (archive_entry_filetype(e) != AE_IFREG)
		return 0;

	TRY(add_file(spool, path, NULL, &f, err));
	auto_fd fd = session_temp_file(s, f->temp, err);
	TRY(fd);
	bool sha512 = strncmp(path, "blobs/sha512/", strlen("blobs/sha512/")) == 0;
	return copy_data(s, a, fd, spool, f, sha512 ? DIGEST_SHA512 : DIGEST_SHA256, err);
}

int spool_read(struct session *s, int fd, struct spool *ret, struct csn_error *err)
{
	auto_mem unsigned char *buf = malloc(READ_SIZE);
	struct input in = { s, fd, buf };
	AUTO(archive_freep)
	struct archive *a = archive_read_new();
	AUTO(spool_done)
	struct spool spool = { 0 };
	struct archive_entry *e;

	if (!a || !buf)
		return fail(err, ENOMEM, "out of memory");
	/* Exactly these: others would start programs. */
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_zstd(a);
	(void)archive_read_support_format_tar(a);
	if (archive_read_open(a, &in, NULL, read_input, NULL) != ARCHIVE_OK)
		return archive_failed(a, err);

	for (;;) {
		int r = archive_read_next_header(a, &e);
		const char *text = archive_error_string(a);
		if (r == ARCHIVE_EOF)
			break;
		if (r != ARCHIVE_OK &&
		    !(r == ARCHIVE_WARN && text && strstr(text, "can't be converted")))
			return archive_failed(a, err);
		TRY(spool_entry(s, a, e, &spool, err));
	}
	*ret = spool;
	spool = (struct spool){ 0 };
	return 0;
}
