/* Signatures: the examples of Amazon S3's documentation ("Signature Calculations for the
 * Authorization Header") and of the suite that AWS publishes for Signature Version 4. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "volume/sigv4.h"
#include "volume/volume.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define S3_HOST                                                                                    \
	{                                                                                          \
		"host", "examplebucket.s3.amazonaws.com"                                           \
	}
#define S3_DATE                                                                                    \
	{                                                                                          \
		"x-amz-date", "20130524T000000Z"                                                   \
	}
#define S3_EMPTY                                                                                   \
	{                                                                                          \
		"x-amz-content-sha256", EMPTY                                                      \
	}
#define PUT_HASH "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

static const struct {
	const char *method, *path, *query, *hash;
	struct sigv4_header headers[6];
	size_t count;
	const char *signature;
} examples[] = {
	{ "GET",
	  "/test.txt",
	  "",
	  EMPTY,
	  { S3_HOST, { "range", "bytes=0-9" }, S3_EMPTY, S3_DATE },
	  4,
	  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
	{ "PUT",
	  "/test%24file.text",
	  "",
	  PUT_HASH,
	  { { "date", "Fri, 24 May 2013 00:00:00 GMT" },
	    S3_HOST,
	    { "x-amz-content-sha256", PUT_HASH },
	    S3_DATE,
	    { "x-amz-storage-class", "REDUCED_REDUNDANCY" } },
	  5,
	  "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
	{ "GET",
	  "/",
	  "lifecycle=",
	  EMPTY,
	  { S3_HOST, S3_EMPTY, S3_DATE },
	  3,
	  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
	{ "GET",
	  "/",
	  "max-keys=2&prefix=J",
	  EMPTY,
	  { S3_HOST, S3_EMPTY, S3_DATE },
	  3,
	  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};

START_TEST(signs_as_s3_documents)
{
	struct arena arena AUTO(arena_free) = { 0 };
	const struct sigv4_request q = { .method = examples[_i].method,
					 .path = examples[_i].path,
					 .query = examples[_i].query,
					 .headers = examples[_i].headers,
					 .headers_count = examples[_i].count,
					 .payload_hash = examples[_i].hash,
					 .time = "20130524T000000Z",
					 .region = "us-east-1",
					 .service = "s3",
					 .key_id = "AKIAIOSFODNN7EXAMPLE",
					 .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
	const char *got = sigv4_authorization(&q, &arena);
	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(strstr(got, "Signature=") + strlen("Signature="), examples[_i].signature);
	ck_assert_ptr_nonnull(strstr(got,
				     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524"
				     "/us-east-1/s3/aws4_request,SignedHeaders="));
}
END_TEST

/* get-vanilla and post-vanilla of the suite. */
START_TEST(signs_as_the_suite)
{
	static const char *const methods[] = { "GET", "POST" };
	static const char *const signatures[] = {
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	};
	static const struct sigv4_header headers[] = { { "host", "example.amazonaws.com" },
						       { "x-amz-date", "20150830T123600Z" } };
	for (size_t i = 0; i < COUNT(methods); i++) {
		struct arena arena AUTO(arena_free) = { 0 };
		const struct sigv4_request q = {
			.method = methods[i],
			.path = "/",
			.query = "",
			.headers = headers,
			.headers_count = 2,
			.payload_hash = EMPTY,
			.time = "20150830T123600Z",
			.region = "us-east-1",
			.service = "service",
			.key_id = "AKIDEXAMPLE",
			.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
		};
		const char *got = sigv4_authorization(&q, &arena);
		ck_assert_str_eq(strstr(got, "Signature=") + strlen("Signature="), signatures[i]);
	}
}
END_TEST

START_TEST(encodes)
{
	struct arena arena AUTO(arena_free) = { 0 };
	ck_assert_str_eq(sigv4_encode("a b/c~d+\xc3\xa9", true, &arena), "a%20b/c~d%2B%C3%A9");
	ck_assert_str_eq(sigv4_encode("a/b=", false, &arena), "a%2Fb%3D");
}
END_TEST

/* ---- the manifest -----------------------------------------------------------------------------
 */

#define META "\"mode\": 420, \"uid\": 1, \"gid\": 2, \"mtime_s\": 3"
#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DOCUMENT(entries)                                                                          \
	"{\"version\": 1, \"root\": {\"type\": \"dir\", " META "}, \"entries\": [" entries "]}"

START_TEST(manifest_round_trip)
{
	static const char text[] = DOCUMENT(
		"{\"path\": \"a%0Ab%25%FF\", \"type\": \"dir\", " META "},"
		"{\"path\": \"f\", \"type\": \"file\", " META ", \"size\": 5, \"sha256\": \"" HASH
		"\", \"xattrs\": [{\"name\": \"user.x\", \"value\": \"00ff\"}]},"
		"{\"path\": \"h\", \"type\": \"file\", " META ", \"size\": 5, \"hardlink\": \"f\"},"
		"{\"path\": \"l\", \"type\": \"link\", " META ", \"target\": \"../%E2%82%AC\"}");
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_error err;
	struct manifest m, again;
	auto_mem char *printed = NULL, *second = NULL;
	ck_assert_int_eq(manifest_parse(text, strlen(text), &m, &arena, &err), 0);
	ck_assert_uint_eq(m.entries.count, 4);
	ck_assert_str_eq(m.entries.items[0].path, "a\nb%\xff");
	ck_assert_str_eq(m.entries.items[3].target, "../\xe2\x82\xac");
	ck_assert_int_eq(manifest_print(&m, &printed, &err), 0);
	ck_assert_int_eq(manifest_parse(printed, strlen(printed), &again, &arena, &err), 0);
	ck_assert_int_eq(manifest_print(&again, &second, &err), 0);
	ck_assert_str_eq(printed, second);
	ck_assert_str_eq(again.entries.items[0].path, "a\nb%\xff");
	ck_assert_str_eq(again.entries.items[1].xattrs.items[0].value, "00ff");
}
END_TEST

static const struct {
	const char *text, *want;
} bad[] = {
#define PATH(p) DOCUMENT("{\"path\": \"" p "\", \"type\": \"dir\", " META "}")
	{ PATH(".."), "manifest.json: entries[0].path: expected a path inside the volume" },
	{ PATH("a/../b"), "manifest.json: entries[0].path: expected a path inside the volume" },
	{ PATH("/etc"), "manifest.json: entries[0].path: expected a path inside the volume" },
	{ PATH("a//b"), "manifest.json: entries[0].path: expected a path inside the volume" },
	{ PATH("a/"), "manifest.json: entries[0].path: expected a path inside the volume" },
	{ PATH("%2E%2E/x"), "manifest.json: entries[0].path: expected a path inside the volume" },
	{ PATH(""), "manifest.json: entries[0].path: expected a path inside the volume" },
	{ PATH("a%00"), "manifest.json: entries[0].path: expected %XX behind each %" },
	{ PATH("a%4"), "manifest.json: entries[0].path: expected %XX behind each %" },
	{ DOCUMENT("{\"path\": \"a\", \"type\": \"char\", " META "}"),
	  "manifest.json: entries[0].type: expected dir, file, link or fifo" },
	{ DOCUMENT("{\"path\": \"a\", \"type\": \"file\", \"size\": 1, " META "}"),
	  "manifest.json: entries[0]: expected a sha256" },
	{ DOCUMENT("{\"path\": \"a\", \"type\": \"file\", \"sha256\": \"../x\", " META "}"),
	  "manifest.json: entries[0].sha256: expected 64 lower-case hex digits" },
	{ "{\"version\": 2, \"root\": {}, \"entries\": []}",
	  "manifest.json: version: expected an integer from 1 to 1" },
};

START_TEST(manifest_refuses)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_error err;
	struct manifest m;
	ck_assert_int_lt(manifest_parse(bad[_i].text, strlen(bad[_i].text), &m, &arena, &err), 0);
	ck_assert_str_eq(err.text, bad[_i].want);
}
END_TEST

START_TEST(hashes_are_found)
{
	struct hash_set set AUTO(hash_set_done) = { 0 };
	char hash[65];
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(hash, sizeof hash, "%064x", i * 7);
		ck_assert(!hash_set_has(&set, hash));
		ck_assert_int_eq(hash_set_add(&set, hash), 0);
		ck_assert_int_eq(hash_set_add(&set, hash), 0);
		ck_assert(hash_set_has(&set, hash));
	}
	ck_assert_uint_eq(set.count, 1000);
	(void)snprintf(hash, sizeof hash, "%064x", 8);
	ck_assert(!hash_set_has(&set, hash));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("volume");
	TCase *t = tcase_create("all");
	tcase_add_loop_test(t, signs_as_s3_documents, 0, COUNT(examples));
	tcase_add_test(t, signs_as_the_suite);
	tcase_add_test(t, encodes);
	tcase_add_test(t, manifest_round_trip);
	tcase_add_loop_test(t, manifest_refuses, 0, COUNT(bad));
	tcase_add_test(t, hashes_are_found);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
