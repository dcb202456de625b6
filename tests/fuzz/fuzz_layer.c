/*
 * A layer blob, from its first byte to files on disk: decompression, tar entries, their paths,
 * whiteouts, links, attributes. Both gzip libraries must agree. What is unpacked lies in a
 * directory with a canary beside it, which must stay. Files are made as root only; else paths alone
 * are tried.
 *
 * The first byte chooses: 0, a path for the path cleaner; else a layer.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "image/stream.h"
#include "image/tree.h"
#include "image/unpack.h"
#include "image/whiteout.h"
#include "tests/fuzz/fuzz.h"

static void try_path(const uint8_t *data, size_t size)
{
	auto_mem char *path = strndup((const char *)data, size);
	struct csn_error err;
	enum whiteout kind;
	const char *target = NULL;

	MUST(path);
	if (tree_clean_path(path, &err) < 0)
		return;
	MUST(path[0] != '/' && strlen(path) <= TREE_PATH_MAX);
	for (const char *at = path; at; at = strchr(at, '/')) {
		at += *at == '/';
		size_t n = strcspn(at, "/");
		MUST(n > 0 || at == path);
		MUST(n <= TREE_NAME_MAX);
		MUST(!(n == 1 && at[0] == '.') && !(n == 2 && at[0] == '.' && at[1] == '.'));
	}
	auto_mem char *again = strdup(path);
	MUST(again && tree_clean_path(again, &err) == 0 && strcmp(again, path) == 0);
	if (whiteout_parse(path, &kind, &target, &err) == 0 && kind == WHITEOUT_DELETE)
		MUST(*target && !strchr(target, '/') && strcmp(target, ".") != 0 &&
		     strcmp(target, "..") != 0);
}

static ssize_t next(void *data, const void **ret, struct csn_error *err)
{
	return stream_next(data, ret, err);
}

static int no_lowers(void *data, struct lower_view *ret, struct csn_error *err)
{
	(void)data, (void)err;
	*ret = (struct lower_view){ NULL, 0 };
	return 0;
}

static void warn(void *data, const char *text)
{
	(void)data, (void)text;
}

static int open_layer(int fd, bool portable, struct stream **ret)
{
	const struct stream_options o = { .fd = fd, .portable = portable };
	struct csn_error err;

	MUST(lseek(fd, 0, SEEK_SET) == 0);
	return stream_open(&o, ret, &err);
}

/* The digest of what comes out, or "" when it is refused. */
static void digest(int fd, bool portable, char ret[DIGEST_TEXT_MAX])
{
	AUTO(stream_closep)
	struct stream *s = NULL;
	struct csn_error err;
	const void *piece;
	char unused[DIGEST_TEXT_MAX];
	uint64_t total = 0;
	ssize_t n = 1;

	ret[0] = '\0';
	if (open_layer(fd, portable, &s) < 0)
		return;
	while (n > 0 && total < (64 << 20)) {
		n = stream_next(s, &piece, &err);
		total += n > 0 ? (uint64_t)n : 0;
	}
	if (n == 0)
		MUST(stream_digests(s, unused, ret, &err) == 0);
}

static void unpack(int fd)
{
	char dir[] = "/tmp/fuzz-layer.XXXXXX";
	struct csn_error err = { 0 };
	struct unpack_result result;
	struct warner warner = { .warn = warn };
	struct stat before, after;

	MUST(mkdtemp(dir));
	auto_fd base = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(base >= 0 && mkdirat(base, "fs", 0755) == 0 && mkdirat(base, "canary", 0751) == 0);
	MUST(fstatat(base, "canary", &before, 0) == 0);
	auto_fd fs = openat(base, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(stream_closep)
	struct stream *s = NULL;
	const struct unpack_options o = {
		.fs_dir = fs, .next = next, .get_lowers = no_lowers, .warner = &warner
	};
	if (open_layer(fd, false, &s) == 0) {
		struct unpack_options with = o;
		with.data = s;
		int r = unpack_layer(&with, &result, &err);
		MUST(r == 0 || (r < 0 && err.text[0]));
	}
	MUST(fstatat(base, "canary", &after, 0) == 0);
	MUST(memcmp(&before.st_ctim, &after.st_ctim, sizeof before.st_ctim) == 0);
	MUST(remove_tree(AT_FDCWD, dir, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char fast[DIGEST_TEXT_MAX], portable[DIGEST_TEXT_MAX];

	if (size == 0)
		return 0;
	if (data[0] == 0) {
		try_path(data + 1, size - 1);
		return 0;
	}
	auto_fd fd = memfd_create("layer", MFD_CLOEXEC);
	MUST(fd >= 0 && write_all(fd, data, size) == 0);
	digest(fd, false, fast);
	digest(fd, true, portable);
	MUST(strcmp(fast, portable) == 0);
	if (geteuid() == 0) {
		(void)umask(0);
		unpack(fd);
	}
	return 0;
}
