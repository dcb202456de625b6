/* Names, digests, platforms, documents and whiteout names of lib/image: tables, no files. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "image/digest.h"
#include "image/jsontext.h"
#include "image/manifest.h"
#include "image/ref.h"
#include "image/stream.h"
#include "image/tree.h"
#include "image/whiteout.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A16   "aaaaaaaaaaaaaaaa"
#define A256  A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16

/* ---- references ------------------------------------------------------------------------------ */

static const struct {
	const char *given, *normal;
} references[] = {
	{ "debian", "docker.io/library/debian:latest" },
	{ "debian:12", "docker.io/library/debian:12" },
	{ "docker.io/debian:12", "docker.io/library/debian:12" },
	{ "index.docker.io/library/debian", "docker.io/library/debian:latest" },
	{ "me/app", "docker.io/me/app:latest" },
	{ "me/app/part:v1.0_x-y", "docker.io/me/app/part:v1.0_x-y" },
	{ "localhost/app", "localhost/app:latest" },
	{ "localhost:5000/app", "localhost:5000/app:latest" },
	{ "quay.io/a/b:c", "quay.io/a/b:c" },
	{ "host:5000/a", "host:5000/a:latest" },
	{ "host:5000/a:6000", "host:5000/a:6000" },
	{ "Host/a", "Host/a:latest" },
	{ "[::1]:5000/a", "[::1]:5000/a:latest" },
	{ "127.0.0.1/a__b--c.d_e", "127.0.0.1/a__b--c.d_e:latest" },
	{ "debian@sha256:" HEX64, "docker.io/library/debian@sha256:" HEX64 },
	{ "debian:12@sha256:" HEX64, "docker.io/library/debian:12@sha256:" HEX64 },
	{ HEX64 ":x", NULL },
	{ HEX64, NULL },
	{ "", NULL },
	{ "/", NULL },
	{ "/a", NULL },
	{ "a/", NULL },
	{ "a//b", NULL },
	{ "a:", NULL },
	{ ":a", NULL },
	{ "a:-b", NULL },
	{ "a:.b", NULL },
	{ "a:b c", NULL },
	{ "a b", NULL },
	{ "Debian", NULL },
	{ "a/B", NULL },
	{ "a..b", NULL },
	{ "a___b", NULL },
	{ "-a", NULL },
	{ "a-", NULL },
	{ "../a", NULL },
	{ "a/../b", NULL },
	{ "a@sha256:123", NULL },
	{ "a@md5:" HEX64, NULL },
	{ "a@sha256:" HEX64 "0", NULL },
	{ "ho_st:1/a", NULL },
	{ "host:/a", NULL },
	{ "host:x/a", NULL },
	{ ".host/a", NULL },
	{ "host./a", NULL },
	{ A256, NULL },
	{ "a:" A256, NULL },
};

START_TEST(reference)
{
	struct csn_error err = { 0 };
	char text[REF_TEXT_MAX];
	int r = ref_normalise(references[_i].given, text, &err);

	if (references[_i].normal) {
		ck_assert_msg(r == 0, "'%s': %s", references[_i].given, err.text);
		ck_assert_str_eq(text, references[_i].normal);
		char again[REF_TEXT_MAX];
		ck_assert_int_eq(ref_normalise(text, again, &err), 0);
		ck_assert_str_eq(again, text);
	} else {
		ck_assert_msg(r == -EINVAL, "'%s' was accepted", references[_i].given);
		ck_assert_ptr_nonnull(strstr(err.text, "image name"));
	}
}
END_TEST

START_TEST(reference_errors)
{
	static const struct {
		const char *given, *error;
	} cases[] = {
		{ "Debian", "image name 'Debian': repository names are lower case" },
		{ "", "the image name is empty" },
		{ HEX64, "image name '" HEX64 "': 64 hex digits are an image id, not a name" },
		{ "a@sha256:1",
		  "image name 'a@sha256:1': digest 'sha256:1': expected 64 lower-case "
		  "hex digits" },
	};
	struct csn_error err;
	char text[REF_TEXT_MAX];

	ck_assert_int_eq(ref_normalise(cases[_i].given, text, &err), -EINVAL);
	ck_assert_str_eq(err.text, cases[_i].error);
}
END_TEST

/* ---- digests --------------------------------------------------------------------------------- */

START_TEST(digest_values)
{
	char text[DIGEST_TEXT_MAX];

	ck_assert_int_eq(digest_of(DIGEST_SHA256, "abc", 3, text, NULL), 0);
	ck_assert_str_eq(text,
			 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015"
			 "ad");
	ck_assert_int_eq(digest_of(DIGEST_SHA512, "", 0, text, NULL), 0);
	ck_assert_str_eq(text,
			 "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9c"
			 "e47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
	ck_assert(digest_is_valid(text));
	ck_assert_int_eq(digest_algorithm(text), DIGEST_SHA512);
	ck_assert_int_eq(strncmp(digest_hex(text), "cf83", 4), 0);
}
END_TEST

START_TEST(digest_refused)
{
	static const char *const cases[] = {
		"",
		"sha256",
		"sha256:",
		"sha256:../../../../etc/passwd",
		"sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"sha256:" HEX64 "/",
		"sha256:" HEX64 "00",
		"sha512:" HEX64,
		"md5:" HEX64,
		"SHA256:" HEX64,
		" sha256:" HEX64,
	};

	ck_assert(!digest_is_valid(cases[_i]));
	ck_assert_int_eq(digest_check(cases[_i], NULL), -EINVAL);
}
END_TEST

/* ---- whiteouts and paths --------------------------------------------------------------------- */

START_TEST(whiteout_names)
{
	static const struct {
		const char *path;
		int kind; /* -1: refused */
		const char *target;
	} cases[] = {
		{ "a/b", WHITEOUT_NONE, NULL },
		{ "a/wh.b", WHITEOUT_NONE, NULL },
		{ ".wh.b", WHITEOUT_DELETE, "b" },
		{ "a/.wh.b", WHITEOUT_DELETE, "b" },
		{ "a/.wh.b.wh.c", WHITEOUT_DELETE, "b.wh.c" },
		{ "a/.wh....", WHITEOUT_DELETE, "..." },
		{ "a/.wh..wh..opq", WHITEOUT_OPAQUE, NULL },
		{ ".wh..wh..opq", WHITEOUT_OPAQUE, NULL },
		{ ".wh..wh..plnk", WHITEOUT_IGNORE, NULL },
		{ ".wh..wh.aufs/x", WHITEOUT_IGNORE, NULL },
		{ ".wh..wh..opq/x", WHITEOUT_IGNORE, NULL },
		{ ".wh.", -1, NULL },
		{ "a/.wh..", -1, NULL },
		{ "a/.wh...", -1, NULL },
		{ ".wh.a/b", -1, NULL },
	};
	enum whiteout kind;
	const char *target = NULL;
	int r = whiteout_parse(cases[_i].path, &kind, &target, NULL);

	ck_assert_msg((r < 0) == (cases[_i].kind < 0), "%s", cases[_i].path);
	if (r == 0)
		ck_assert_int_eq((int)kind, cases[_i].kind);
	if (cases[_i].target)
		ck_assert_str_eq(target, cases[_i].target);
}
END_TEST

START_TEST(clean_paths)
{
	static const char *const cases[][2] = {
		{ "a", "a" },
		{ "./a", "a" },
		{ "/a", "a" },
		{ "//a//b//", "a/b" },
		{ "a/./b/.", "a/b" },
		{ ".", "" },
		{ "./", "" },
		{ "/", "" },
		{ "", "" },
		{ "..", "" },
		{ "../../a", "a" },
		{ "a/../b", "b" },
		{ "a/b/../../..", "" },
		{ "a/b/../c/", "a/c" },
		{ "...", "..." },
		{ "/../a/..b/c..", "a/..b/c.." },
	};
	char path[64];

	(void)strcpy(path, cases[_i][0]);
	ck_assert_int_eq(tree_clean_path(path, NULL), 0);
	ck_assert_str_eq(path, cases[_i][1]);
}
END_TEST

START_TEST(long_paths)
{
	struct csn_error err;
	char path[8192];

	memset(path, 'a', 256);
	path[256] = '\0';
	ck_assert_int_eq(tree_clean_path(path, &err), -ENAMETOOLONG);
	path[255] = '\0';
	ck_assert_int_eq(tree_clean_path(path, &err), 0);
	for (int i = 0; i < 257; i++)
		(void)strcpy(path + 2 * i, "a/");
	ck_assert_int_eq(tree_clean_path(path, &err), -ENAMETOOLONG);
	ck_assert_str_eq(err.text, "deeper than 256 directories");
	memset(path, '/', 4097);
	path[4097] = '\0';
	ck_assert_int_eq(tree_clean_path(path, &err), -ENAMETOOLONG);
	ck_assert_str_eq(err.text, "longer than 4096 bytes");
}
END_TEST

START_TEST(compressions)
{
	ck_assert_int_eq(compression_sniff("\x1f\x8b\x08\0", 4), COMPRESSION_GZIP);
	ck_assert_int_eq(compression_sniff("\x28\xb5\x2f\xfd", 4), COMPRESSION_ZSTD);
	ck_assert_int_eq(compression_sniff("\x5e\x2a\x4d\x18", 4), COMPRESSION_ZSTD);
	ck_assert_int_eq(compression_sniff("\xfd"
					   "7zXZ\0",
					   6),
			 COMPRESSION_XZ);
	ck_assert_int_eq(compression_sniff("BZh9", 4), COMPRESSION_BZIP2);
	ck_assert_int_eq(compression_sniff("\x1f\x8b", 2), COMPRESSION_NONE);
	ck_assert_int_eq(compression_sniff("", 0), COMPRESSION_NONE);
}
END_TEST

/* ---- platforms and documents ----------------------------------------------------------------- */

START_TEST(platforms)
{
	static const struct {
		const char *want, *have;
		bool fits;
	} cases[] = {
		{ "linux/amd64", "linux/amd64", true },
		{ "linux/x86_64", "linux/amd64", true },
		{ "linux/amd64", "linux/amd64/v1", true },
		{ "linux/amd64", "linux/amd64/v3", false },
		{ "linux/amd64", "linux/arm64", false },
		{ "linux/amd64", "windows/amd64", false },
		{ "linux/aarch64", "linux/arm64/v8", true },
		{ "linux/arm64/v8", "linux/arm64", true },
		{ "linux/arm/v7", "linux/arm/v6", true },
		{ "linux/arm/v6", "linux/arm/v7", false },
		{ "linux/armhf", "linux/arm/v7", true },
		{ "linux/riscv64", "linux/riscv64", true },
	};
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct platform want, have;

	ck_assert_int_eq(platform_parse(cases[_i].want, &want, &arena, NULL), 0);
	ck_assert_int_eq(platform_parse(cases[_i].have, &have, &arena, NULL), 0);
	ck_assert_int_eq(platform_rank(&want, &have) > 0, cases[_i].fits);
}
END_TEST

START_TEST(platforms_ranked)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct platform want, better, worse;

	ck_assert_int_eq(platform_parse("linux/arm/v7", &want, &arena, NULL), 0);
	ck_assert_int_eq(platform_parse("linux/arm/v7", &better, &arena, NULL), 0);
	ck_assert_int_eq(platform_parse("linux/arm/v5", &worse, &arena, NULL), 0);
	ck_assert_int_gt(platform_rank(&want, &better), platform_rank(&want, &worse));
	ck_assert_int_eq(platform_parse("linux", &want, &arena, NULL), -EINVAL);
	ck_assert_int_eq(platform_parse("linux/", &want, &arena, NULL), -EINVAL);
	ck_assert_int_eq(platform_parse("linux/a/b/c", &want, &arena, NULL), -EINVAL);
	ck_assert_int_eq(platform_parse(NULL, &want, &arena, NULL), 0);
}
END_TEST

START_TEST(member_texts)
{
	static const struct {
		const char *json, *value; /* of "config" */
	} cases[] = {
		{ "{\"config\":{\"a\":1}}", "{\"a\":1}" },
		{ " { \"x\" : [ {\"config\":1} , \"}\" ] , \"config\" : { \"y\" : \"\\\"}\" } }",
		  "{ \"y\" : \"\\\"}\" }" },
		{ "{\"configs\":1,\"config\":{}}", "{}" },
		{ "{\"a\":\"config\",\"b\":null,\"config\":null}", "null" },
		{ "{\"a\":-1.5e3,\"config\":[1,[2]],\"z\":0}", "[1,[2]]" },
		{ "{\"a\":{\"config\":{}}}", NULL },
		{ "{}", NULL },
		{ "", NULL },
	};
	size_t start, size;
	bool found =
		json_member_text(cases[_i].json, strlen(cases[_i].json), "config", &start, &size);

	ck_assert_int_eq(found, cases[_i].value != NULL);
	if (found) {
		ck_assert_uint_eq(size, strlen(cases[_i].value));
		ck_assert_int_eq(memcmp(cases[_i].json + start, cases[_i].value, size), 0);
	}
}
END_TEST

#define DESCRIPTOR "{\"digest\":\"sha256:" HEX64 "\",\"size\":1}"

START_TEST(documents)
{
	static const struct {
		const char *json, *media_type, *error;
	} cases[] = {
		{ "{\"schemaVersion\":2,\"config\":" DESCRIPTOR ",\"layers\":[]}", NULL, NULL },
		{ "{\"schemaVersion\":2,\"manifests\":[]}", MEDIA_OCI_INDEX, NULL },
		{ "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", NULL,
		  "m: has both 'manifests' and 'layers'" },
		{ "{\"schemaVersion\":2,\"manifests\":[],\"config\":" DESCRIPTOR "}", NULL,
		  "m: has both 'manifests' and 'config'" },
		{ "{\"schemaVersion\":1}", NULL,
		  "m: manifests of schema version 1 are not supported" },
		{ "{\"schemaVersion\":2}", NULL, "m: layers: missing" },
		{ "{\"schemaVersion\":2,\"layers\":[]}", NULL, "m: config: missing" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX
		  "\",\"config\":" DESCRIPTOR ",\"layers\":[]}",
		  NULL, "m: mediaType: '" MEDIA_OCI_INDEX "' does not fit what is inside" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"a/b\",\"config\":" DESCRIPTOR
		  ",\"layers\":[]}",
		  MEDIA_OCI_MANIFEST,
		  "m: mediaType: 'a/b', but its descriptor says '" MEDIA_OCI_MANIFEST "'" },
		{ "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:../x\",\"size\":1}]}",
		  NULL,
		  "m: manifests[0].digest: digest 'sha256:../x': expected 64 lower-case hex "
		  "digits" },
		{ "[]", NULL, "m: expected an object" },
		{ "{\"schemaVersion\":2,", NULL, "m: " },
	};
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct csn_error err = { 0 };
	struct document d;
	const char *json = cases[_i].json;
	int r = document_decode(json, strlen(json), "m", cases[_i].media_type, &d, &arena, &err);

	if (!cases[_i].error) {
		ck_assert_msg(r == 0, "%s", err.text);
		return;
	}
	ck_assert_int_lt(r, 0);
	ck_assert_msg(strncmp(err.text, cases[_i].error, strlen(cases[_i].error)) == 0, "%s",
		      err.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image");
	TCase *tc = tcase_create("tables");

	tcase_add_loop_test(tc, reference, 0, (int)COUNT(references));
	tcase_add_loop_test(tc, reference_errors, 0, 4);
	tcase_add_test(tc, digest_values);
	tcase_add_loop_test(tc, digest_refused, 0, 11);
	tcase_add_loop_test(tc, whiteout_names, 0, 15);
	tcase_add_loop_test(tc, clean_paths, 0, 16);
	tcase_add_test(tc, long_paths);
	tcase_add_test(tc, compressions);
	tcase_add_loop_test(tc, platforms, 0, 12);
	tcase_add_test(tc, platforms_ranked);
	tcase_add_loop_test(tc, member_texts, 0, 8);
	tcase_add_loop_test(tc, documents, 0, 12);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
