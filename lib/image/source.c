/*
 * Files and blobs of a layout, out of a directory or a spooled archive, into the session.
 *
 * A blob is never taken on trust: its size is compared before, its digest after reading. What lies
 * in a directory is copied first and judged by the copy, since the directory may change meanwhile.
 */
#include "image/source.h"

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
#include "base/path.h"

#define COPY_SIZE ((size_t)1 << 20)

int source_open(struct session *s, const char *file, struct source *ret, struct csn_error *err)
{
	struct stat st;
	bool is_stdin = strcmp(file, "-") == 0;

	*ret = (struct source){ .session = s, .name = file, .dir_fd = -1 };
	auto_fd fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			      : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail_errno(err, "open %s", file);
	if (fstat(fd, &st) < 0)
		return fail_errno(err, "stat %s", file);
	if (S_ISDIR(st.st_mode)) {
		ret->dir_fd = take_fd(&fd);
		return 0;
	}
	if (!is_stdin && !S_ISREG(st.st_mode))
		return fail(err, EINVAL, "%s: is neither a file nor a directory", file);
	int r = spool_read(s, fd, &ret->spool, err);
	return r < 0 ? within(err, r, "%s", file) : 0;
}

void source_close(struct source *src)
{
	close_fd(&src->dir_fd);
	spool_done(&src->spool);
}

static int open_file(const struct source *src, const char *path)
{
	if (src->dir_fd >= 0) {
		int fd = open_in_root(src->dir_fd, path, O_RDONLY | O_NONBLOCK, 0);
		if (fd < 0)
			errno = -fd;
		return fd < 0 ? -1 : fd;
	}

	const struct spool_file *f = spool_find(&src->spool, path);
	if (!f) {
		errno = ENOENT;
		return -1;
	}
	return openat(src->session->dir_fd, f->temp, O_RDONLY | O_CLOEXEC);
}

bool source_has(const struct source *src, const char *path)
{
	auto_fd fd = open_file(src, path);

	return fd >= 0;
}

int source_read(const struct source *src, const char *path, char **ret, size_t *ret_size,
		struct csn_error *err)
{
	auto_fd fd = open_file(src, path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(err, "open '%.200s'", path);
	if (!S_ISREG(st.st_mode))
		return fail(err, EINVAL, "'%.200s' is not a file", path);
	if ((uint64_t)st.st_size > DOCUMENT_MAX)
		return fail(err, EFBIG, "'%.200s' is larger than %zu bytes", path, DOCUMENT_MAX);

	auto_mem char *text = malloc((size_t)st.st_size + 1);
	if (!text)
		return fail(err, ENOMEM, "out of memory");
	size_t size = 0;
	while (size < (size_t)st.st_size) {
		ssize_t n = read(fd, text + size, (size_t)st.st_size - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "read '%.200s'", path);
		if (n == 0)
			break;
		size += (size_t)n;
	}
	text[size] = '\0';
	*ret = take_ptr(text);
	*ret_size = size;
	return 0;
}

int copy_to_temp(struct session *s, int fd, enum digest_algorithm algorithm, char ret_temp[32],
		 char ret_digest[DIGEST_TEXT_MAX], uint64_t *ret_size, struct csn_error *err)
{
	AUTO(hasher_done)
	struct hasher h = { 0 };
	auto_mem char *buf = malloc(COPY_SIZE);
	if (!buf)
		return fail(err, ENOMEM, "out of memory");

	auto_fd to = session_temp_file(s, ret_temp, err);
	TRY(to);
	TRY(hasher_init(&h, algorithm, err));
	for (*ret_size = 0;;) {
		ssize_t n = read(fd, buf, COPY_SIZE);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return fail_errno(err, "read");
		else if (n == 0)
			break;
		TRY(session_check(s, err));
		TRY(hasher_update(&h, buf, (size_t)n, err));
		int w = write_all(to, buf, (size_t)n);
		if (w < 0) {
			errno = -w;
			return fail_errno(err, "write to the image store");
		}
		*ret_size += (uint64_t)n;
	}
	return hasher_final(&h, ret_digest, err);
}

static int check_size(uint64_t size, uint64_t expected, struct csn_error *err)
{
	if (expected != SIZE_UNKNOWN && size != expected)
		return fail(err, EINVAL, "is %llu bytes, but should be %llu",
			    (unsigned long long)size, (unsigned long long)expected);
	return 0;
}

/* Copies a file of a directory. */
static int take_from_dir(struct source *src, const char *path, enum digest_algorithm algorithm,
			 uint64_t size, struct spool_file *ret, struct csn_error *err)
{
	struct stat st;
	auto_fd fd = open_file(src, path);

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(err, "open '%.200s'", path);
	if (!S_ISREG(st.st_mode))
		return fail(err, EINVAL, "'%.200s' is not a file", path);
	TRY(check_size((uint64_t)st.st_size, size, err));
	return copy_to_temp(src->session, fd, algorithm, ret->temp, ret->digest, &ret->size, err);
}

/* Finds a file of an archive; it was hashed when it was read, but perhaps the other way. */
static int take_from_spool(struct source *src, const char *path, enum digest_algorithm algorithm,
			   struct spool_file *ret, struct csn_error *err)
{
	const struct spool_file *f = spool_find(&src->spool, path);

	if (!f)
		return fail(err, ENOENT, "'%.200s' is not in the archive", path);
	if (digest_algorithm(f->digest) == algorithm) {
		*ret = *f;
		return 0;
	}
	auto_fd fd = openat(src->session->dir_fd, f->temp, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "open a temporary file");
	return copy_to_temp(src->session, fd, algorithm, ret->temp, ret->digest, &ret->size, err);
}

int source_stage(struct source *src, const char *path, const char *digest, uint64_t size,
		 char ret_digest[DIGEST_TEXT_MAX], uint64_t *ret_size, struct csn_error *err)
{
	enum digest_algorithm algorithm = digest ? digest_algorithm(digest) : DIGEST_SHA256;
	struct spool_file f = { 0 };

	if (src->dir_fd >= 0)
		TRY(take_from_dir(src, path, algorithm, size, &f, err));
	else
		TRY(take_from_spool(src, path, algorithm, &f, err));
	TRY(check_size(f.size, size, err));
	if (digest && strcmp(digest, f.digest) != 0)
		return fail(err, EINVAL, "its content has the digest %s", f.digest);
	if (ret_digest)
		(void)strcpy(ret_digest, f.digest);
	if (ret_size)
		*ret_size = f.size;
	if (session_find(src->session, STAGED_BLOB, f.digest))
		return 0;
	return session_stage(src->session, STAGED_BLOB, f.temp, f.digest, err);
}

int source_stage_blob(struct source *src, const char *digest, uint64_t size, bool *ret_stored,
		      struct csn_error *err)
{
	char path[sizeof "blobs/" + DIGEST_TEXT_MAX] = "blobs/";
	struct stat st;

	*ret_stored = false;
	store_blob_path(digest, path + strlen("blobs/"));
	if (session_find(src->session, STAGED_BLOB, digest) || source_has(src, path)) {
		int r = session_find(src->session, STAGED_BLOB, digest)
				? 0
				: source_stage(src, path, digest, size, NULL, NULL, err);
		return r < 0 ? within(err, r, "blob %s", digest) : 0;
	}
	if (fstatat(src->session->store->blobs_dir, path + strlen("blobs/"), &st,
		    AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return fail(err, ENOENT, "blob %s: is missing", digest);
	int r = check_size((uint64_t)st.st_size, size, err);
	*ret_stored = true;
	return r < 0 ? within(err, r, "blob %s", digest) : 0;
}
