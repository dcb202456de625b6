/* See unpack_harness.h. */
#include "tests/unit/unpack_harness.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

char scratch[64];
int scratch_fd = -1;

void unpack_setup(void)
{
	(void)umask(0);
	(void)strcpy(scratch, "/tmp/test_image.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(scratch_fd, 0);
	ck_assert_int_eq(mkdirat(scratch_fd, "canary", 0755), 0);
	auto_fd fd = openat(scratch_fd, "canary/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(write(fd, "untouched", 9), 9);
}

void unpack_teardown(void)
{
	ck_assert_int_eq(remove_tree(AT_FDCWD, scratch, NULL), 0);
	close_fd(&scratch_fd);
}

int make_dir(const char *name)
{
	if (mkdirat(scratch_fd, name, 0755) < 0)
		abort();
	int fd = openat(scratch_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		abort();
	return fd;
}

struct input {
	struct stream *stream;
	struct lower_view lowers;
};

static int get_lowers(void *data, struct lower_view *ret, struct csn_error *err)
{
	(void)err;
	*ret = ((struct input *)data)->lowers;
	return 0;
}

static ssize_t next(void *data, const void **ret, struct csn_error *err)
{
	return stream_next(((struct input *)data)->stream, ret, err);
}

static void warn(void *data, const char *text)
{
	(void)data, (void)text;
}

static int unpack_fd(int fd, int fs, const struct lower_view *lowers, struct unpack_result *ret,
		     struct csn_error *err)
{
	const struct stream_options so = { .fd = fd };
	AUTO(stream_closep)
	struct stream *stream = NULL;
	struct warner w = { .warn = warn };

	int r = stream_open(&so, &stream, err);
	if (r < 0)
		return r;
	struct input input = { stream, *lowers };
	const struct unpack_options o = {
		.fs_dir = fs,
		.next = next,
		.get_lowers = get_lowers,
		.warner = &w,
		.data = &input,
	};
	return unpack_layer(&o, ret, err);
}

int unpack_tar(const struct tar *t, int fs, const struct lower_view *lowers,
	       struct unpack_result *ret, struct csn_error *err)
{
	auto_fd fd = tar_fd(t);

	return unpack_fd(fd, fs, lowers, ret, err);
}
