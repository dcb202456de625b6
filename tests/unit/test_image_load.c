/*
 * Loading whole images: what is in the store afterwards, what is said of bad ones, and that those
 * leave nothing behind. Sources are made here, blob by blob, with one flaw each.
 * Needs root; without it everything is skipped.
 */
#include <check.h>
#include <dirent.h>
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
#include "image/image.h"
#include "tests/unit/image_source.h"
#include "tests/unit/tar_build.h"

static char scratch[64], root[80];

/* ---- looking --------------------------------------------------------------------------------- */

static void setup(void)
{
	char path[200];

	(void)umask(0);
	(void)strcpy(scratch, "/tmp/test_image_load.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	(void)snprintf(source, sizeof source, "%s/source", scratch);
	(void)snprintf(root, sizeof root, "%s/root", scratch);
	(void)snprintf(path, sizeof path, "%s/blobs/sha256", source);
	ck_assert_int_eq(make_dirs(path, 0755, NULL), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(remove_tree(AT_FDCWD, scratch, NULL), 0);
}

static int count_entries(const char *below)
{
	char path[200];
	struct dirent *e;
	int count = 0;

	(void)snprintf(path, sizeof path, "%s/%s", root, below);
	DIR *d = opendir(path);
	if (!d)
		return 0;
	while ((e = readdir(d)))
		count += e->d_name[0] != '.';
	(void)closedir(d);
	return count;
}

static int load_as(const char *file, const char *name, struct image_list *ret,
		   struct csn_error *err)
{
	const struct image_load l = { .file = file, .name = name, .platform = "linux/amd64" };
	struct image_store *s;
	struct image_list own = { 0 };
	int r = image_store_open(root, &s, err);

	ck_assert_int_eq(r, 0);
	r = image_load(s, &l, ret ? ret : &own, err);
	image_list_done(&own);
	image_store_close(s);
	return r;
}

static void load_ok(const char *file, const char *name, const char *reference)
{
	struct csn_error err = { 0 };
	struct image_list list = { 0 };
	int r = load_as(file, name, &list, &err);

	ck_assert_msg(r == 0, "%s", err.text);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_str_eq(list.items[0].reference, reference);
	image_list_done(&list);
}

static char *read_record(const char *reference)
{
	char digest[DIGEST_TEXT_MAX], path[300], *text;
	size_t size;

	ck_assert_int_eq(digest_of(DIGEST_SHA256, reference, strlen(reference), digest, NULL), 0);
	(void)snprintf(path, sizeof path, "%s/images/%s.json", root, digest_hex(digest));
	ck_assert_int_eq(file_read(AT_FDCWD, path, 100000, &text, &size, NULL), 0);
	return text;
}

static char *layer_tree(const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof path, "%s/layers/%s/fs", root, name);
	auto_fd fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s", path);
	return tree_text(fd);
}

/* ---- bad images ------------------------------------------------------------------------------ */

/* In the text, %L is the second layer's digest, %C the config's, %M the manifest's, %S the source.
 */
static const struct {
	enum flaw flaw;
	const char *error;
} bad[] = {
	{ LAYER_LIES, "%S: blob %L: its content has the digest sha256:" },
	{ LAYER_SHORT, "%S: blob %L: is 3072 bytes, but should be 3073" },
	{ LAYER_MISSING, "%S: blob %L: is missing" },
	{ LAYER_TYPE_BAD, "%S: manifest %M: layers[1].mediaType: 'text/plain' is no layer" },
	{ LAYER_NO_TAR, "%S: layer %L: not a tar archive" },
	{ DIFF_ID_LIES, "%S: layer %L: its diff_id is sha256:" OTHER ", but its content has %L" },
	{ DIFF_IDS_FEW, "%S: config %C: has 1 diff_ids for 2 layers" },
	{ ROOTFS_TYPE, "%S: config %C: rootfs.type: expected 'layers', not 'disks'" },
	{ CONFIG_LIES, "%S: blob %C: its content has the digest sha256:" },
	{ CONFIG_NO_JSON, "%S: config %C: " },
	{ MANIFEST_LIES, "%S: manifest %M: its content has the digest sha256:" },
	{ MANIFEST_BOTH, "%S: manifest %M: has both 'manifests' and 'layers'" },
	{ MANIFEST_OLD, "%S: manifest %M: manifests of schema version 1 are not supported" },
	{ MANIFEST_DIGEST,
	  "%S: manifest %M: layers[1].digest: digest 'sha256:../../../../etc/passwd': expected 64 "
	  "lower-case hex digits" },
	{ ARTIFACT, "%S: manifest %M: is not an image but an artifact of type "
		    "'application/vnd.example'" },
	{ OTHER_PLATFORM, "%S: image test/app:1 is there for linux/pdp11, not for linux/amd64" },
	{ INDEX_EMPTY, "%S: no image: index.json lists none" },
	{ INDEX_NO_JSON, "%S: index.json: " },
	{ INDEX_ATTESTATION, "%S: no image: index.json lists none" },
};

static void expand(const char *pattern, char *out)
{
	for (; *pattern; pattern++) {
		const char *value = NULL;
		if (*pattern == '%')
			value = pattern[1] == 'L'   ? layers[1].digest
				: pattern[1] == 'C' ? config.digest
				: pattern[1] == 'M' ? manifest.digest
						    : source;
		if (value) {
			out = stpcpy(out, value);
			pattern++;
		} else {
			*out++ = *pattern;
		}
	}
	*out = '\0';
}

static void expect_nothing_left(void)
{
	ck_assert_int_eq(count_entries("tmp"), 0);
	ck_assert_int_eq(count_entries("layers"), 0);
	ck_assert_int_eq(count_entries("images"), 0);
	ck_assert_int_eq(count_entries("store/blobs/sha256"), 0);
}

START_TEST(bad_image)
{
	struct csn_error err = { 0 };
	char expected[1000];

	make_source(bad[_i].flaw);
	ck_assert_int_lt(load_as(source, NULL, NULL, &err), 0);
	expand(bad[_i].error, expected);
	ck_assert_msg(strncmp(err.text, expected, strlen(expected)) == 0, "'%s' is not '%s'",
		      err.text, expected);
	expect_nothing_left();
}
END_TEST

START_TEST(no_archive)
{
	static const struct {
		const char *content, *error;
	} cases[] = {
		{ "", "no image: neither a directory nor a tar file" },
		{ "hello\n", "no image: neither a directory nor a tar file" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\3", "the archive is truncated or damaged: " },
	};
	char path[200], expected[300];
	struct csn_error err;

	write_source("file", cases[_i].content, _i == 2 ? 10 : strlen(cases[_i].content));
	(void)snprintf(path, sizeof path, "%s/file", source);
	ck_assert_int_lt(load_as(path, NULL, NULL, &err), 0);
	(void)snprintf(expected, sizeof expected, "%s: %s", path, cases[_i].error);
	ck_assert_msg(strncmp(err.text, expected, strlen(expected)) == 0, "%s", err.text);
	expect_nothing_left();
}
END_TEST

START_TEST(no_image)
{
	char expected[300];
	struct csn_error err;

	ck_assert_int_lt(load_as(source, NULL, NULL, &err), 0);
	(void)snprintf(expected, sizeof expected,
		       "%s: no image: neither index.json nor manifest.json is in it", source);
	ck_assert_str_eq(err.text, expected);
	ck_assert_int_eq(load_as("/no/such/file", NULL, NULL, &err), -ENOENT);
	ck_assert_str_eq(err.text, "open /no/such/file: No such file or directory");
	expect_nothing_left();
}
END_TEST

/* ---- good images ----------------------------------------------------------------------------- */

START_TEST(good_image)
{
	char name[200], expected[1000];

	make_source(FLAWLESS);
	load_ok(source, NULL, "docker.io/test/app:1");
	ck_assert_int_eq(count_entries("tmp"), 0);
	ck_assert_int_eq(count_entries("layers"), 2);
	ck_assert_int_eq(count_entries("images"), 1);
	ck_assert_int_eq(count_entries("store/blobs/sha256"), 4);

	auto_mem char *record = read_record("docker.io/test/app:1");
	(void)snprintf(expected, sizeof expected,
		       "{\"reference\":\"docker.io/test/app:1\",\"digest\":\"%s\",\"id\":\"%s\","
		       "\"size\":3,\"created\":\"2020-01-02T03:04:05Z\",\"layers\":[\"layers/"
		       "sha256-%s/fs\",\"layers/chain-",
		       manifest.digest, config.digest, digest_hex(layers[0].digest));
	ck_assert_msg(strncmp(record, expected, strlen(expected)) == 0, "%s", record);
	ck_assert_ptr_nonnull(strstr(record, "/fs\"],\"config\":{\"Env\":[\"A=\\u00e9\"],\"Odd\":"
					     "18446744073709551615},\"architecture\":\"amd64\","
					     "\"os\":\"linux\"}"));

	(void)snprintf(name, sizeof name, "sha256-%s", digest_hex(layers[0].digest));
	auto_mem char *lower = layer_tree(name);
	ck_assert_str_eq(lower, "d 755 bin\nd 755 etc\nf 644 etc/one=1\nf 644 etc/two=2\n");
	char *chain = strstr(record, "chain-");
	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(chain, "/"), chain);
	auto_mem char *upper = layer_tree(name);
	ck_assert_str_eq(upper, "d 755 etc\nw etc/one\nf 644 etc/three=3\n");
}
END_TEST

/* The store is itself a layout, and one that can be loaded. */
START_TEST(store_is_a_layout)
{
	char store[200], first[80];

	make_source(FLAWLESS);
	load_ok(source, "localhost/a:b", "localhost/a:b");
	(void)snprintf(store, sizeof store, "%s/store", root);
	(void)strcpy(first, root);
	(void)snprintf(root, sizeof root, "%s/root2", scratch);
	load_ok(store, NULL, "localhost/a:b");
	ck_assert_int_eq(count_entries("store/blobs/sha256"), 4);
}
END_TEST

START_TEST(names)
{
	static const struct {
		const char *annotations, *given, *reference;
	} cases[] = {
		{ "{\"org.opencontainers.image.ref.name\":\"a/b:c\"}", NULL, "docker.io/a/b:c" },
		{ "{\"org.opencontainers.image.ref.name\":\"12\"}", NULL,
		  "docker.io/library/source:12" },
		{ "{\"org.opencontainers.image.ref.name\":\"12\",\"io.containerd.image.name\":"
		  "\"q.io/x:y\"}",
		  NULL, "q.io/x:y" },
		{ NULL, NULL, "docker.io/library/source:latest" },
		{ "{\"org.opencontainers.image.ref.name\":\"a/b:c\"}", "d",
		  "docker.io/library/d:latest" },
	};

	make_source(FLAWLESS);
	put_index(index_entry(NULL, cases[_i].annotations));
	load_ok(source, cases[_i].given, cases[_i].reference);
}
END_TEST

/* index.json → index → manifests of several platforms, whose blobs need not all be there. */
START_TEST(nested_index)
{
	char inner[3000], outer[1000];

	make_source(FLAWLESS);
	int n = snprintf(
		inner, sizeof inner,
		"{\"schemaVersion\":2,\"mediaType\":\"" INDEX_TYPE "\",\"manifests\":["
		"{\"mediaType\":\"" MANIFEST_TYPE "\",\"digest\":\"sha256:" OTHER
		"\",\"size\":7,\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}},"
		"%s]}",
		index_entry("{\"os\":\"linux\",\"architecture\":\"amd64\"}", NULL));
	struct blob index = put_blob(inner, (size_t)n);
	(void)snprintf(outer, sizeof outer,
		       "{\"mediaType\":\"" INDEX_TYPE "\",\"digest\":\"%s\",\"size\":%zu,"
		       "\"annotations\":{\"org.opencontainers.image.ref.name\":\"x:1\"}}",
		       index.digest, index.size);
	put_index(outer);
	load_ok(source, NULL, "docker.io/library/x:1");
	ck_assert_int_eq(count_entries("store/blobs/sha256"), 4);
}
END_TEST

/* As an archive: blobs in any order, the index last, through gzip's and zstd's hands elsewhere. */
static void add_file(struct tar *t, const char *path)
{
	char full[400];
	auto_mem char *text = NULL;
	size_t size;

	(void)snprintf(full, sizeof full, "%s/%s", source, path);
	ck_assert_int_eq(file_read(AT_FDCWD, full, 100000, &text, &size, NULL), 0);
	const struct tar_entry e = { '0', path, text, .size = size };
	tar_add(t, &e);
}

static void add_blob(struct tar *t, const struct blob *b)
{
	char path[200];

	(void)snprintf(path, sizeof path, "blobs/sha256/%s", digest_hex(b->digest));
	add_file(t, path);
}

static void add_all(struct tar *t)
{
	add_blob(t, &layers[1]);
	add_blob(t, &manifest);
	add_blob(t, &layers[0]);
	add_blob(t, &config);
	add_file(t, "oci-layout");
	add_file(t, "index.json");
	tar_end(t);
}

START_TEST(archive)
{
	AUTO(tar_done)
	struct tar t = { 0 };
	char path[200];

	make_source(FLAWLESS);
	add_all(&t);
	write_source("archive.tar", t.data, t.size);
	(void)snprintf(path, sizeof path, "%s/archive.tar", source);
	load_ok(path, NULL, "docker.io/test/app:1");
	ck_assert_int_eq(count_entries("store/blobs/sha256"), 4);
	ck_assert_int_eq(count_entries("tmp"), 0);
}
END_TEST

/* Cut anywhere, nothing is loaded and nothing stays. */
START_TEST(archive_truncated)
{
	AUTO(tar_done)
	struct tar t = { 0 };
	char path[200];
	struct csn_error err;

	make_source(FLAWLESS);
	add_all(&t);
	(void)snprintf(path, sizeof path, "%s/archive.tar", source);
	for (size_t size = 256; size < t.size - 2048; size += 768) {
		write_source("archive.tar", t.data, size);
		ck_assert_msg(load_as(path, NULL, NULL, &err) < 0, "%zu", size);
		ck_assert_int_eq(strncmp(err.text, path, strlen(path)), 0);
	}
	expect_nothing_left();
}
END_TEST

START_TEST(docker_archive)
{
	AUTO(tar_done)
	struct tar t = { 0 };
	char path[200], text[1000];
	struct image_list list = { 0 };
	struct csn_error err = { 0 };
	auto_mem char *layer = NULL, *json = NULL;
	size_t layer_size, json_size;

	/* Both layers are the same file, the second by a symlink: as docker does with equal ones.
	 */
	make_layers(FLAWLESS);
	layers[1] = layers[0];
	make_config(FLAWLESS);
	(void)snprintf(path, sizeof path, "%s/blobs/sha256/%s", source,
		       digest_hex(layers[0].digest));
	ck_assert_int_eq(file_read(AT_FDCWD, path, 100000, &layer, &layer_size, NULL), 0);
	(void)snprintf(path, sizeof path, "%s/blobs/sha256/%s", source, digest_hex(config.digest));
	ck_assert_int_eq(file_read(AT_FDCWD, path, 100000, &json, &json_size, NULL), 0);
	(void)snprintf(path, sizeof path, "%s.json", digest_hex(config.digest));
	(void)snprintf(text, sizeof text,
		       "[{\"Config\":\"%s\",\"RepoTags\":[\"app:1\",\"app:2\"],\"Layers\":[\"b/"
		       "layer.tar\",\"a/layer.tar\"]}]",
		       path);
	const struct tar_entry entries[] = {
		{ '0', "manifest.json", text },
		T_DIR("b"),
		T_SYM("b/layer.tar", "../a/layer.tar"),
		T_DIR("a"),
		{ '0', "a/layer.tar", layer, .size = layer_size },
		{ '0', path, json, .size = json_size },
		{ 0 },
	};
	tar_make(&t, entries);
	write_source("docker.tar", t.data, t.size);
	char file[200];
	(void)snprintf(file, sizeof file, "%s/docker.tar", source);

	ck_assert_msg(load_as(file, NULL, &list, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.items[0].reference, "docker.io/library/app:1");
	ck_assert_str_eq(list.items[1].reference, "docker.io/library/app:2");
	ck_assert_str_eq(list.items[0].id, config.digest);
	ck_assert_str_eq(list.items[0].digest, list.items[1].digest);
	image_list_done(&list);
	ck_assert_int_eq(count_entries("layers"), 1);

	/* Overlayfs takes no directory twice. */
	auto_mem char *record = read_record("docker.io/library/app:1");
	char *first = strstr(record, "layers/sha256-");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "layers/sha256-"));
}
END_TEST

/* ---- the store ------------------------------------------------------------------------------- */

START_TEST(remove_and_gc)
{
	struct image_store *s;
	struct image_list list = { 0 };
	struct csn_error err = { 0 };
	size_t gone_layers, gone_blobs;
	char keep[300];

	make_source(FLAWLESS);
	load_ok(source, "a", "docker.io/library/a:latest");
	load_ok(source, "b", "docker.io/library/b:latest");
	ck_assert_int_eq(image_store_open(root, &s, &err), 0);
	ck_assert_int_eq(image_list(s, &list, &err), 0);
	ck_assert_uint_eq(list.count, 2);
	image_list_done(&list);

	ck_assert_int_eq(image_remove(s, "c", &list, &err), -ENOENT);
	ck_assert_str_eq(err.text, "no image 'c'");
	ck_assert_int_eq(image_remove(s, "a", &list, &err), 0);
	ck_assert_str_eq(list.items[0].reference, "docker.io/library/a:latest");
	image_list_done(&list);
	ck_assert_int_eq(image_gc(s, NULL, 0, &gone_layers, &gone_blobs, &err), 0);
	ck_assert_uint_eq(gone_layers + gone_blobs, 0); /* b has them as well */

	ck_assert_int_eq(image_remove(s, "b:latest", &list, &err), 0);
	image_list_done(&list);
	(void)snprintf(keep, sizeof keep, "layers/sha256-%s/fs", digest_hex(layers[0].digest));
	const char *const kept[] = { keep };
	ck_assert_int_eq(image_gc(s, kept, 1, &gone_layers, &gone_blobs, &err), 0);
	ck_assert_uint_eq(gone_layers, 1);
	ck_assert_uint_eq(gone_blobs, 4);
	ck_assert_int_eq(count_entries("layers"), 1);
	ck_assert_int_eq(image_gc(s, NULL, 0, &gone_layers, &gone_blobs, &err), 0);
	ck_assert_uint_eq(gone_layers, 1);
	image_store_close(s);
}
END_TEST

/* A blob in the store that was changed behind our back is noticed before it is used. */
START_TEST(stored_blob_lies)
{
	struct csn_error err = { 0 };
	char path[400], expected[400];

	make_source(FLAWLESS);
	load_ok(source, NULL, "docker.io/test/app:1");
	ck_assert_int_eq(remove_tree(AT_FDCWD, source, NULL), 0);
	(void)snprintf(path, sizeof path, "%s/layers", root);
	ck_assert_int_eq(remove_tree(AT_FDCWD, path, NULL), 0);
	(void)snprintf(path, sizeof path, "%s/store/blobs/sha256/%s", root,
		       digest_hex(layers[0].digest));
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "X", 1, 5), 1);
	(void)close(fd);

	/* The layout without its layers: they are in the store. */
	(void)snprintf(path, sizeof path, "%s/blobs/sha256", source);
	ck_assert_int_eq(make_dirs(path, 0755, NULL), 0);
	make_source(FLAWLESS);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof path, "%s/blobs/sha256/%s", source,
			       digest_hex(layers[i].digest));
		ck_assert_int_eq(unlink(path), 0);
	}
	ck_assert_int_lt(load_as(source, NULL, NULL, &err), 0);
	(void)snprintf(expected, sizeof expected, "%s: layer %s: ", source, layers[0].digest);
	ck_assert_msg(strncmp(err.text, expected, strlen(expected)) == 0, "%s", err.text);
	ck_assert_int_eq(count_entries("layers"), 0);
}
END_TEST

/* What a killed load left goes; what a living one has stays. */
START_TEST(leftovers)
{
	char path[200];

	make_source(FLAWLESS);
	load_ok(source, NULL, "docker.io/test/app:1");
	(void)snprintf(path, sizeof path, "%s/tmp/dead/1/fs", root);
	ck_assert_int_eq(make_dirs(path, 0700, NULL), 0);
	(void)snprintf(path, sizeof path, "%s/tmp/alive", root);
	ck_assert_int_eq(make_dirs(path, 0700, NULL), 0);
	auto_fd fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	load_ok(source, NULL, "docker.io/test/app:1");
	ck_assert_int_eq(count_entries("tmp"), 1);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

static bool yes(void *data)
{
	(void)data;
	return true;
}

START_TEST(interrupted)
{
	const struct image_load l = { .file = source, .events = { .interrupted = yes } };
	struct image_store *s;
	struct image_list list = { 0 };
	struct csn_error err;

	make_source(FLAWLESS);
	ck_assert_int_eq(image_store_open(root, &s, &err), 0);
	ck_assert_int_eq(image_load(s, &l, &list, &err), -EINTR);
	image_store_close(s);
	expect_nothing_left();
}
END_TEST

START_TEST(import)
{
	AUTO(tar_done)
	struct tar t = { 0 };
	char path[200];
	struct image_load l = { .file = path, .name = "rootfs:1", .platform = "linux/arm64" };
	struct image_store *s;
	struct image_list list = { 0 };
	struct csn_error err = { 0 };
	const struct tar_entry entries[] = { { '5', "./", NULL, 0751, 1, 2, .mtime = 99 },
					     T_FILE("./a", "x"),
					     { 0 } };

	tar_make(&t, entries);
	write_source("r.tar", t.data, t.size);
	(void)snprintf(path, sizeof path, "%s/r.tar", source);
	ck_assert_int_eq(image_store_open(root, &s, &err), 0);
	ck_assert_msg(image_import(s, &l, &list, &err) == 0, "%s", err.text);
	ck_assert_str_eq(list.items[0].reference, "docker.io/library/rootfs:1");
	ck_assert_str_eq(list.items[0].architecture, "arm64");
	image_list_done(&list);
	auto_mem char *record = read_record("docker.io/library/rootfs:1");
	ck_assert_ptr_nonnull(strstr(record, "\"root\":{\"mode\":489,\"uid\":1,\"gid\":2,\"mtime\":"
					     "99,\"mtime_nsec\":0}"));

	write_source("r.tar", "", 0);
	ck_assert_int_eq(image_import(s, &l, &list, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "/r.tar: the file is empty"));
	ck_assert_int_eq(count_entries("tmp"), 0);
	image_store_close(s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image load");
	TCase *tc = tcase_create("load");

	if (geteuid() != 0) {
		(void)printf("needs root: skipped\n");
		return 77;
	}
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, bad_image, 0, (int)COUNT(bad));
	tcase_add_loop_test(tc, no_archive, 0, 3);
	tcase_add_test(tc, no_image);
	tcase_add_test(tc, good_image);
	tcase_add_test(tc, store_is_a_layout);
	tcase_add_loop_test(tc, names, 0, 5);
	tcase_add_test(tc, nested_index);
	tcase_add_test(tc, archive);
	tcase_add_test(tc, archive_truncated);
	tcase_add_test(tc, docker_archive);
	tcase_add_test(tc, remove_and_gc);
	tcase_add_test(tc, stored_blob_lies);
	tcase_add_test(tc, leftovers);
	tcase_add_test(tc, interrupted);
	tcase_add_test(tc, import);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
