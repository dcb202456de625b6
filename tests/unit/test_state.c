/* Records, the store and the small files below them. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sha256.h"
#include "base/utc.h"
#include "state/state.h"

static char root[] = "/tmp/csn-test-state-XXXXXX";
static struct csn_error err;

static void setup(void)
{
	strcpy(root + sizeof root - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void)
{
	ck_assert_int_eq(remove_tree(AT_FDCWD, root, &err), 0);
	ck_assert_int_lt(access(root, F_OK), 0);
}

START_TEST(paths_are_cleaned)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "/", "/" },
		{ "//", "/" },
		{ "/a//b/", "/a/b" },
		{ "/a/./b", "/a/b" },
		{ "/a/../b", "/b" },
		{ "/..", "/" },
		{ "/../../a", "/a" },
		{ "/a/b/../..", "/" },
		{ "a/../b", "b" },
		{ "..", ".." },
		{ "../a", "../a" },
		{ "a/..", "." },
		{ "./a", "a" },
		{ "../../x/..", "../.." },
		{ "/a/...", "/a/..." },
		{ "/abc/../abcd", "/abcd" },
		{ "", "." },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[64];
		strcpy(buf, cases[i].in);
		path_clean(buf);
		ck_assert_str_eq(buf, cases[i].out);
	}
}
END_TEST

START_TEST(times_are_utc)
{
	static const struct {
		time_t t;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 951868799, "2000-02-29T23:59:59Z" },	{ 1709164800, "2024-02-29T00:00:00Z" },
		{ 1735689599, "2024-12-31T23:59:59Z" }, { 4107542400, "2100-03-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59Z" },		{ 253402300799, "9999-12-31T23:59:59Z" },
	};
	char buf[UTC_SIZE];
	for (size_t i = 0; i < COUNT(cases); i++) {
		utc_print_seconds(cases[i].t, buf);
		ck_assert_str_eq(buf, cases[i].text);
	}
	/* Every day of some centuries against the C library. */
	for (time_t t = -5000000000; t < 10000000000; t += 86400 * 3 + 3607) {
		struct tm tm;
		char want[32];
		strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
		utc_print_seconds(t, buf);
		ck_assert_str_eq(buf, want);
	}
}
END_TEST

START_TEST(digests_are_right)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sha256 s;
		char hex[65];
		sha256_init(&s);
		for (const char *p = cases[i].in; *p; p++) /* the slowest way in */
			sha256_update(&s, p, 1);
		sha256_hex(&s, hex);
		ck_assert_str_eq(hex, cases[i].out);
	}
}
END_TEST

/* RFC 4231, and the example A.1 of RFC 7515 (its key and signature there are base64url). */
START_TEST(hmac_sha256)
{
	static const unsigned char rfc7515[64] = {
		3,   35,  53, 75,  43,	15, 165, 188, 131, 126, 6,   101, 119, 123, 166, 143,
		90,  179, 40, 230, 240, 84, 201, 40,  169, 15,	132, 178, 210, 80,  46,	 191,
		211, 251, 90, 146, 210, 6,  71,	 239, 150, 138, 180, 195, 119, 98,  61,	 34,
		61,  46,  33, 114, 5,	46, 79,	 8,   192, 205, 154, 245, 103, 208, 128, 163,
	};
	unsigned char b[20], aa[131], dd[50];
	memset(b, 0x0b, sizeof b);
	memset(aa, 0xaa, sizeof aa);
	memset(dd, 0xdd, sizeof dd);
	const struct {
		const void *key;
		size_t key_size;
		const void *data;
		size_t size;
		const char *out;
	} cases[] = {
		{ b, 20, "Hi There", 8,
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ "Jefe", 4, "what do ya want for nothing?", 28,
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ aa, 20, dd, 50,
		  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
		{ aa, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54,
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
		{ rfc7515, 64,
		  "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
		  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
		  "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
		  135, "7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b58055853848d79" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned char sum[32];
		char hex[65];
		sha256_hmac(cases[i].key, cases[i].key_size, cases[i].data, cases[i].size, sum);
		for (size_t j = 0; j < sizeof sum; j++)
			(void)snprintf(hex + 2 * j, 3, "%02x", sum[j]);
		ck_assert_str_eq(hex, cases[i].out);
	}
}
END_TEST

START_TEST(ids_are_checked)
{
	static const char *const good[] = { "a", "A-b_c.d+9", "0" };
	static const char *const bad[] = { "", ".", "..", "a/b", "a b", "a\n", "ä", "a:b", "-\t" };
	char longest[257];
	for (size_t i = 0; i < COUNT(good); i++)
		ck_assert_int_eq(state_check_id(good[i], &err), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_int_eq(state_check_id(bad[i], &err), -EINVAL);
	memset(longest, 'x', sizeof longest - 1);
	longest[256] = '\0';
	ck_assert_int_eq(state_check_id(longest, &err), -EINVAL);
	longest[255] = '\0';
	ck_assert_int_eq(state_check_id(longest, &err), 0);
}
END_TEST

START_TEST(an_id_is_taken_once)
{
	struct store s = STORE_INIT;
	struct entry one = ENTRY_INIT, two = ENTRY_INIT;
	char **ids;
	size_t count;
	ck_assert_int_eq(store_open(root, true, &s, &err), 0);
	ck_assert_int_eq(store_get(&s, "x", ENTRY_LOCKED, &one, &err), -ENOENT);
	ck_assert_str_eq(err.text, "container \"x\" does not exist");
	ck_assert_int_eq(store_add(&s, "x", &one, &err), 0);
	ck_assert_int_eq(store_add(&s, "x", &two, &err), -EEXIST);
	ck_assert_str_eq(err.text, "container with id \"x\" already exists");

	/* Locked while it is open. */
	auto_fd again = openat(s.dir, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_lt(flock(again, LOCK_EX | LOCK_NB), 0);

	ck_assert_int_eq(store_list(&s, &ids, &count, &err), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(ids[0], "x");
	store_list_free(ids, count);
	ck_assert_int_eq(store_remove(&s, &one, &err), 0);
	entry_close(&one);
	ck_assert_int_eq(store_get(&s, "x", ENTRY_SHARED_NONE, &one, &err), -ENOENT);
	store_close(&s);
	ck_assert_int_eq(store_open("/", false, &s, &err), -EINVAL);
	ck_assert_int_eq(store_open("//", true, &s, &err), -EINVAL);
}
END_TEST

static struct record sample(void)
{
	struct record r = { .id = strdup("x"),
			    .bundle = strdup("/b \"q\""),
			    .rootfs = strdup("/b/rootfs"),
			    .cgroup = strdup("/caisson/x"),
			    .cgroup_created = true,
			    .pid = getpid(),
			    .created = { 1700000000, 123456789 },
			    .owner = 1000 };
	char state;
	(void)proc_stat(getpid(), &state, &r.start_time);
	strcpy(r.boot_id, proc_boot_id());
	r.has_hooks[HOOK_POSTSTOP] = true;
	r.annotations.items = calloc(1, sizeof *r.annotations.items);
	r.annotations.items[0].key = strdup("k");
	r.annotations.items[0].value = strdup("");
	r.annotations.count = 1;
	return r;
}

START_TEST(records_come_back)
{
	struct store s = STORE_INIT;
	struct entry e = ENTRY_INIT;
	struct record r = sample(), back = { 0 };
	ck_assert_int_eq(store_open(root, false, &s, &err), 0);
	ck_assert_int_eq(store_add(&s, "x", &e, &err), 0);
	ck_assert_int_eq(record_read(&e, &back, &err), -EBADMSG);
	ck_assert_int_eq(record_write_first(&e, &r, &err), 0);
	ck_assert_int_lt(record_write_first(&e, &r, &err), 0);
	ck_assert_int_eq(record_write(&e, &r, &err), 0);
	ck_assert_int_eq(record_read(&e, &back, &err), 0);
	ck_assert_str_eq(back.bundle, r.bundle);
	ck_assert_uint_eq(back.start_time, r.start_time);
	ck_assert_int_eq(back.created.tv_nsec, r.created.tv_nsec);
	ck_assert(back.has_hooks[HOOK_POSTSTOP] && !back.has_hooks[HOOK_PRESTART]);
	ck_assert_str_eq(back.annotations.items[0].key, "k");
	ck_assert_str_eq(back.annotations.items[0].value, "");
	record_done(&back);

	auto_fd fd = openat(e.dir, "state.json", O_WRONLY | O_TRUNC | O_CLOEXEC);
	ck_assert_int_eq(write(fd, "{\"id\":", 6), 6);
	ck_assert_int_eq(record_read(&e, &back, &err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.text, "container \"x\""));
	record_done(&r);
	entry_close(&e);
	store_close(&s);
}
END_TEST

START_TEST(status_comes_from_facts)
{
	struct store s = STORE_INIT;
	struct entry e = ENTRY_INIT;
	struct record r = sample();
	ck_assert_int_eq(store_open(root, false, &s, &err), 0);
	ck_assert_int_eq(store_add(&s, "x", &e, &err), 0);

	ck_assert_int_eq(record_status(&e, &r, false), STATUS_RUNNING);
	ck_assert_int_eq(record_status(&e, &r, true), STATUS_PAUSED);
	auto_fd gate = openat(e.dir, "gate", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(gate, 0);
	ck_assert_int_eq(record_status(&e, &r, false), STATUS_CREATED);
	r.started = true;
	ck_assert_int_eq(record_status(&e, &r, false), STATUS_RUNNING);
	r.start_time++; /* the pid is somebody else's now */
	ck_assert_int_eq(record_status(&e, &r, false), STATUS_STOPPED);
	r.start_time--;
	r.boot_id[0] ^= 1; /* another boot */
	ck_assert_int_eq(record_status(&e, &r, false), STATUS_STOPPED);
	r.boot_id[0] ^= 1;
	r.pid = 0;
	ck_assert_int_eq(record_status(&e, &r, false), STATUS_CREATING);
	record_done(&r);
	entry_close(&e);
	store_close(&s);
}
END_TEST

START_TEST(the_state_document)
{
	struct record r = sample();
	auto_mem char *text = NULL, *compact = NULL;
	ck_assert_int_eq(state_document(&r, STATUS_STOPPED, false, &text, &err), 0);
	ck_assert_ptr_nonnull(strstr(text, "\n  \"pid\": 0,\n  \"status\": \"stopped\",\n"));
	ck_assert_ptr_nonnull(strstr(text, "\"created\": \"2023-11-14T22:13:20.123456789Z\""));
	ck_assert_int_eq(text[strlen(text) - 1], '}');
	ck_assert_int_eq(state_document(&r, STATUS_STOPPED, true, &compact, &err), 0);
	ck_assert_ptr_null(strstr(compact, "pid"));
	record_done(&r);
}
END_TEST

START_TEST(files_are_read_with_care)
{
	char *text = NULL;
	size_t size = 0;
	auto_fd dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkfifoat(dir, "fifo", 0600), 0);
	ck_assert_int_eq(file_read(dir, "fifo", 100, &text, &size, &err), -EINVAL);
	ck_assert_int_eq(file_read(dir, "missing", 100, &text, &size, &err), -ENOENT);
	ck_assert_int_eq(file_write_atomic(dir, "f", "12345", 5, 0600, true, &err), 0);
	ck_assert_int_eq(file_read(dir, "f", 4, &text, &size, &err), -EFBIG);
	ck_assert_int_eq(file_read(dir, "f", 5, &text, &size, &err), 0);
	ck_assert_str_eq(text, "12345");
	free(text);
	/* Pseudo-files have no size. */
	ck_assert_int_eq(file_read(AT_FDCWD, "/proc/self/status", 1 << 20, &text, &size, &err), 0);
	ck_assert_uint_gt(size, 100);
	free(text);
}
END_TEST

START_TEST(trees_go_without_following_links)
{
	auto_fd dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(dir, "keep", 0755), 0);
	ck_assert_int_eq(mkdirat(dir, "tree", 0755), 0);
	ck_assert_int_eq(mkdirat(dir, "tree/sub", 0755), 0);
	ck_assert_int_eq(symlinkat("../../keep", dir, "tree/sub/link"), 0);
	ck_assert_int_eq(mknodat(dir, "keep/file", S_IFREG | 0600, 0), 0);
	ck_assert_int_eq(remove_tree(dir, "tree", &err), 0);
	ck_assert_int_lt(faccessat(dir, "tree", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(dir, "keep/file", F_OK, 0), 0);
	ck_assert_int_eq(remove_tree(dir, "tree", &err), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state");
	TCase *pure = tcase_create("pure");
	tcase_add_test(pure, paths_are_cleaned);
	tcase_add_test(pure, times_are_utc);
	tcase_add_test(pure, digests_are_right);
	tcase_add_test(pure, hmac_sha256);
	tcase_add_test(pure, ids_are_checked);
	tcase_add_test(pure, the_state_document);
	suite_add_tcase(suite, pure);
	TCase *files = tcase_create("files");
	tcase_add_checked_fixture(files, setup, teardown);
	tcase_add_test(files, an_id_is_taken_once);
	tcase_add_test(files, records_come_back);
	tcase_add_test(files, status_comes_from_facts);
	tcase_add_test(files, files_are_read_with_care);
	tcase_add_test(files, trees_go_without_following_links);
	suite_add_tcase(suite, files);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
