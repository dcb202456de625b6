/*
 * Compressed layers: several members and frames, cut short, damaged, bombs. Each goes through the
 * whole unpacking, so that the message is the one people see. Needs root, as all unpacking.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/unit/unpack_harness.h"

/* ---- streams --------------------------------------------------------------------------------- */

static void gzip_member(struct tar *out, const void *data, size_t size)
{
	z_stream z = { 0 };
	size_t bound = size + 1000;
	auto_mem unsigned char *buf = malloc(bound);
	auto_mem unsigned char *in = malloc(size + 1);

	memcpy(in, data, size);
	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = in;
	z.avail_in = (uInt)size;
	z.next_out = buf;
	z.avail_out = (uInt)bound;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	tar_append(out, buf, bound - z.avail_out);
	(void)deflateEnd(&z);
}

static void zstd_frame(struct tar *out, const void *data, size_t size)
{
	size_t bound = ZSTD_compressBound(size);
	auto_mem char *buf = malloc(bound);

	size_t n = ZSTD_compress(buf, bound, data, size, 3);
	ck_assert(!ZSTD_isError(n));
	tar_append(out, buf, n);
}

static int unpack_bytes(const struct tar *bytes, const char *dir, struct csn_error *err)
{
	struct unpack_result result;
	const struct lower_view none = { NULL, 0 };
	auto_fd fs = make_dir(dir);

	return unpack_tar(bytes, fs, &none, &result, err);
}

static void simple_tar(struct tar *t)
{
	static const struct tar_entry entries[] = { T_DIR("d"), T_FILE("d/f", "text"), { 0 } };

	tar_make(t, entries);
}

START_TEST(members_and_frames)
{
	AUTO(tar_done)
	struct tar t = { 0 }, gz = { 0 }, zst = { 0 };
	struct csn_error err = { 0 };
	static const char skippable[] = "\x50\x2a\x4d\x18\x03\0\0\0abc", zeros[600];

	simple_tar(&t);
	gzip_member(&gz, t.data, 700);
	gzip_member(&gz, t.data + 700, t.size - 700);
	tar_append(&gz, zeros, sizeof zeros);
	ck_assert_msg(unpack_bytes(&gz, "gz", &err) == 0, "%s", err.text);

	tar_append(&zst, skippable, sizeof skippable - 1);
	zstd_frame(&zst, t.data, 700);
	tar_append(&zst, skippable, sizeof skippable - 1);
	zstd_frame(&zst, t.data + 700, t.size - 700);
	ck_assert_msg(unpack_bytes(&zst, "zst", &err) == 0, "%s", err.text);
}
END_TEST

/* Cut at every place, it is an error, never a crash or half a layer that counts as whole. (A plain
 * tar file cut between entries is found by its digest.) */
START_TEST(truncated)
{
	AUTO(tar_done)
	struct tar t = { 0 }, gz = { 0 }, zst = { 0 };
	const struct tar *const whole[] = { &gz, &zst };
	char dir[32];

	simple_tar(&t);
	gzip_member(&gz, t.data, t.size);
	zstd_frame(&zst, t.data, t.size);
	for (size_t i = 0; i < COUNT(whole); i++)
		for (size_t size = 4; size < whole[i]->size; size++) {
			const struct tar part = { .data = whole[i]->data, .size = size };
			struct csn_error err = { 0 };
			(void)snprintf(dir, sizeof dir, "t%zu-%zu", i, size);
			ck_assert_msg(unpack_bytes(&part, dir, &err) < 0, "%s", dir);
			ck_assert_msg(strstr(err.text, "truncated") != NULL, "%s: %s", dir,
				      err.text);
		}
}
END_TEST

START_TEST(damaged)
{
	AUTO(tar_done)
	struct tar t = { 0 }, gz = { 0 }, two = { 0 }, garbage = { 0 };
	struct csn_error err = { 0 };

	simple_tar(&t);
	gzip_member(&gz, t.data, t.size);
	gz.data[gz.size - 6] ^= 1; /* the checksum */
	ck_assert_int_lt(unpack_bytes(&gz, "crc", &err), 0);
	ck_assert_msg(strcmp(err.text, "the gzip data is damaged: incorrect data check") == 0, "%s",
		      err.text);

	gz.data[gz.size - 6] ^= 1;
	gz.data[3] ^= 0x80; /* a flag that must be zero */
	ck_assert_int_lt(unpack_bytes(&gz, "flags", &err), 0);
	ck_assert_str_eq(err.text, "the gzip data is damaged: unknown header flags set");

	gz.data[3] ^= 0x80;
	tar_append(&gz, "more", 4);
	ck_assert_int_lt(unpack_bytes(&gz, "more", &err), 0);
	ck_assert_str_eq(err.text,
			 "the gzip data is damaged: there is something else behind its end");

	tar_append(&two, t.data, t.size);
	tar_append(&two, t.data, t.size);
	ck_assert_int_lt(unpack_bytes(&two, "two", &err), 0);
	ck_assert_str_eq(err.text, "there is something else behind the end of the tar data");

	for (int i = 0; i < 2000; i++)
		tar_append(&garbage, "garbage\n", 8);
	ck_assert_int_lt(unpack_bytes(&garbage, "garbage", &err), 0);
	ck_assert_str_eq(err.text, "not a tar archive");
}
END_TEST

/* 200 MiB of zeros in 200 KiB: refused long before the disk is full. */
START_TEST(bomb)
{
	AUTO(tar_done)
	struct tar zst = { 0 };
	struct csn_error err = { 0 };
	size_t size = (size_t)200 << 20;
	auto_mem char *data = calloc(1, size);

	ck_assert_ptr_nonnull(data);
	const struct tar_entry e = { '0', "f", NULL, .pax = "size=209715200" };
	AUTO(tar_done)
	struct tar head = { 0 };
	tar_add(&head, &e);
	memcpy(data, head.data, head.size);
	zstd_frame(&zst, data, size);
	ck_assert_int_eq(unpack_bytes(&zst, "bomb", &err), -EFBIG);
	ck_assert_str_eq(err.text,
			 "entry 'f': the layer inflates to more than 1000 times its size");
}
END_TEST

/* A file that grows while it is read, a byte more at a time; or that never gets whole. */
struct growing {
	int fd;
	const char *data;
	size_t size, written;
	bool fails;
};

static int grow(void *data, uint64_t consumed, struct csn_error *err)
{
	struct growing *g = data;

	ck_assert_uint_eq(consumed, g->written);
	if (g->written == g->size && g->fails)
		(void)strcpy(err->text, "the registry hung up");
	if (g->written == g->size)
		return g->fails ? -ECONNRESET : 0;
	ck_assert_int_eq(pwrite(g->fd, g->data + g->written, 1, (off_t)g->written), 1);
	g->written++;
	return 1;
}

START_TEST(growing_file)
{
	AUTO(tar_done)
	struct tar t = { 0 };
	static const char text[] = "what a registry sends bit by bit";
	char got[sizeof text] = "";
	size_t used = 0;
	const void *piece;
	ssize_t n;

	gzip_member(&t, text, sizeof text);
	auto_fd fd = memfd_create("growing", MFD_CLOEXEC);
	struct growing g = { fd, t.data, t.size, 0, _i == 1 };
	const struct stream_options o = { .fd = fd, .more = grow, .data = &g };
	struct csn_error err = { 0 };
	struct stream *s;
	ck_assert_int_eq(stream_open(&o, &s, &err), 0);
	while ((n = stream_next(s, &piece, &err)) > 0) {
		memcpy(got + used, piece, (size_t)n);
		used += (size_t)n;
	}
	if (!g.fails) {
		ck_assert_uint_eq(used, sizeof text);
		ck_assert_str_eq(got, text);
	}
	ck_assert_int_eq((int)n, g.fails ? -ECONNRESET : 0);
	ck_assert_str_eq(err.text, g.fails ? "the registry hung up" : "");
	stream_close(s);
}
END_TEST

/* Hands a blob on in pieces of the given size (0: of all sizes). */
struct pieces {
	int fd;
	const struct tar *blob;
	size_t step, written;
};

static int next_piece(void *data, uint64_t consumed, struct csn_error *err)
{
	struct pieces *p = data;
	size_t left = p->blob->size - p->written;
	size_t n = p->step ? p->step : p->written % 613 + 1;

	(void)consumed, (void)err;
	n = n < left ? n : left;
	if (n == 0)
		return 0;
	ck_assert_int_eq(pwrite(p->fd, p->blob->data + p->written, n, (off_t)p->written),
			 (ssize_t)n);
	p->written += n;
	return 1;
}

static int read_pieces(const struct tar *blob, size_t step, bool portable, struct tar *ret,
		       struct csn_error *err)
{
	auto_fd fd = memfd_create("pieces", MFD_CLOEXEC);
	struct pieces p = { fd, blob, step, 0 };
	const struct stream_options o = {
		.fd = fd, .more = next_piece, .data = &p, .portable = portable
	};
	AUTO(stream_closep)
	struct stream *s = NULL;
	static char buf[100000];
	ssize_t n;

	int r = stream_open(&o, &s, err);
	if (r < 0)
		return r;
	while ((n = stream_read(s, buf, sizeof buf, err)) > 0)
		tar_append(ret, buf, (size_t)n);
	return (int)n;
}

/* Text that compresses, but not to nothing. */
static void make_text(struct tar *t, size_t size)
{
	uint32_t x = 1;

	for (size_t i = 0; i < size; i += 4) {
		x = x * 1664525 + 1013904223;
		tar_append(t, x >> 31 ? "abcd" : (const char *)&x, 4);
	}
}

/* Members and frames end, and headers are cut, at every place of a piece; by either library. */
START_TEST(pieces)
{
	static const size_t steps[] = { 0, 1, 2, 7, 17, 255, 65536 };
	AUTO(tar_done)
	struct tar text = { 0 }, gz = { 0 }, zst = { 0 };
	const bool portable = _i % 2;
	const struct tar *blob = _i < 2 ? &gz : &zst;

	make_text(&text, 200000);
	for (size_t at = 0, n; at < text.size; at += n) {
		n = at / 3 + 1 < text.size - at ? at / 3 + 1 : text.size - at;
		gzip_member(&gz, text.data + at, n);
		zstd_frame(&zst, text.data + at, n);
	}
	for (size_t i = 0; i < COUNT(steps); i++) {
		AUTO(tar_done)
		struct tar got = { 0 };
		struct csn_error err = { 0 };
		ck_assert_msg(read_pieces(blob, steps[i], portable, &got, &err) == 0, "%zu: %s",
			      steps[i], err.text);
		ck_assert_uint_eq(got.size, text.size);
		ck_assert_int_eq(memcmp(got.data, text.data, text.size), 0);
	}
}
END_TEST

/* Either library finds every cut and every changed byte behind the header. */
START_TEST(both_find_damage)
{
	AUTO(tar_done)
	struct tar text = { 0 }, gz = { 0 };

	make_text(&text, 2000);
	gzip_member(&gz, text.data, text.size);
	for (size_t i = 10; i < gz.size; i++) {
		AUTO(tar_done)
		struct tar got = { 0 };
		struct csn_error err = { 0 };
		const struct tar cut = { .data = gz.data, .size = i };
		ck_assert_int_eq(read_pieces(&cut, 64, _i, &got, &err), -EINVAL);
		ck_assert_str_eq(err.text, "the gzip data is truncated");
		gz.data[i] ^= 0x10;
		tar_done(&got);
		/* Some bits say nothing: a code that no symbol uses. */
		int r = read_pieces(&gz, 64, _i, &got, &err);
		ck_assert_msg(r == -EINVAL || (got.size == text.size &&
					       memcmp(got.data, text.data, text.size) == 0),
			      "byte %zu", i);
		gz.data[i] ^= 0x10;
	}
}
END_TEST

/* Any byte of a header changed is an error or another file, never a crash. */
START_TEST(flipped)
{
	AUTO(tar_done)
	struct tar t = { 0 };
	char dir[32];

	simple_tar(&t);
	for (size_t i = 0; i < 1024; i += 7) {
		struct csn_error err = { 0 };
		t.data[i] ^= 0x41;
		(void)snprintf(dir, sizeof dir, "f%zu", i);
		(void)unpack_bytes(&t, dir, &err);
		t.data[i] ^= 0x41;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image stream");
	TCase *tc = tcase_create("stream");

	if (geteuid() != 0) {
		(void)printf("needs root: skipped\n");
		return 77;
	}
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, unpack_setup, unpack_teardown);
	tcase_add_test(tc, members_and_frames);
	tcase_add_test(tc, truncated);
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, bomb);
	tcase_add_test(tc, flipped);
	tcase_add_loop_test(tc, growing_file, 0, 2);
	tcase_add_loop_test(tc, pieces, 0, 4);
	tcase_add_loop_test(tc, both_find_damage, 0, 2);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
