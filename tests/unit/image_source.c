/* See image_source.h. */
#include "tests/unit/image_source.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/unit/tar_build.h"

char source[80];
struct blob layers[2], config, manifest;

void write_source(const char *path, const void *data, size_t size)
{
	char full[400];

	(void)snprintf(full, sizeof full, "%s/%s", source, path);
	auto_fd fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write_all(fd, data, size), 0);
}

struct blob put_blob(const void *data, size_t size)
{
	struct blob b = { .size = size };
	char path[200];

	ck_assert_int_eq(digest_of(DIGEST_SHA256, data, size, b.digest, NULL), 0);
	(void)snprintf(path, sizeof path, "blobs/sha256/%s", digest_hex(b.digest));
	write_source(path, data, size);
	return b;
}

static void spoil(const struct blob *b, const char *with)
{
	char path[200];

	(void)snprintf(path, sizeof path, "blobs/sha256/%s", digest_hex(b->digest));
	write_source(path, with, strlen(with));
}

void make_layers(enum flaw flaw)
{
	static const struct tar_entry entries[2][6] = {
		{ T_DIR("etc"), T_FILE("etc/one", "1"), T_FILE("etc/two", "2"), T_DIR("bin") },
		{ T_DIR("etc"), T_FILE("etc/.wh.one", ""), T_FILE("etc/three", "3") },
	};

	for (int i = 0; i < 2; i++) {
		AUTO(tar_done)
		struct tar t = { 0 };
		tar_make(&t, entries[i]);
		if (flaw == LAYER_NO_TAR && i == 1) {
			t.size = 0;
			for (int j = 0; j < 100; j++)
				tar_append(&t, "no tar", 6);
		}
		layers[i] = put_blob(t.data, t.size);
	}
}

void make_config(enum flaw flaw)
{
	char text[1000], one_more[200];

	(void)snprintf(one_more, sizeof one_more, ",\"%s\"",
		       flaw == DIFF_ID_LIES ? "sha256:" OTHER : layers[1].digest);
	int n = snprintf(
		text, sizeof text,
		"{\"created\":\"2020-01-02T03:04:05Z\",\"architecture\":\"%s\",\"os\":"
		"\"linux\",\"config\":{\"Env\":[\"A=\\u00e9\"],\"Odd\":18446744073709551615},"
		"\"rootfs\":{\"type\":\"%s\",\"diff_ids\":[\"%s\"%s]}}",
		flaw == OTHER_PLATFORM ? "pdp11" : "amd64",
		flaw == ROOTFS_TYPE ? "disks" : "layers", layers[0].digest,
		flaw == DIFF_IDS_FEW ? "" : one_more);
	if (flaw == CONFIG_NO_JSON)
		n = snprintf(text, sizeof text, "{\"architecture\":");
	config = put_blob(text, (size_t)n);
}

static void make_manifest(enum flaw flaw)
{
	char text[2000];
	int n = snprintf(
		text, sizeof text,
		"{\"schemaVersion\":%d,%s\"config\":{\"mediaType\":\"%s\",\"digest\":"
		"\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"%s\",\"digest\":\"%s\","
		"\"size\":%zu},{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}]}",
		flaw == MANIFEST_OLD ? 1 : 2, flaw == MANIFEST_BOTH ? "\"manifests\":[]," : "",
		flaw == ARTIFACT ? "application/vnd.example"
				 : "application/vnd.oci.image.config.v1+json",
		config.digest, config.size, LAYER_TYPE, layers[0].digest, layers[0].size,
		flaw == LAYER_TYPE_BAD ? "text/plain" : LAYER_TYPE,
		flaw == MANIFEST_DIGEST ? "sha256:../../../../etc/passwd" : layers[1].digest,
		layers[1].size + (flaw == LAYER_SHORT));
	manifest = put_blob(text, (size_t)n);
}

void put_index(const char *entries)
{
	char text[4000];
	int n = snprintf(text, sizeof text, "{\"schemaVersion\":2,\"manifests\":[%s]}", entries);

	write_source("index.json", text, (size_t)n);
}

const char *index_entry(const char *platform, const char *annotations)
{
	static char text[1000];

	(void)snprintf(text, sizeof text,
		       "{\"mediaType\":\"" MANIFEST_TYPE
		       "\",\"digest\":\"%s\",\"size\":%zu%s%s%s%s}",
		       manifest.digest, manifest.size, platform ? ",\"platform\":" : "",
		       platform ? platform : "", annotations ? ",\"annotations\":" : "",
		       annotations ? annotations : "");
	return text;
}

static void make_index(enum flaw flaw)
{
	if (flaw == INDEX_EMPTY)
		put_index("");
	else if (flaw == INDEX_NO_JSON)
		write_source("index.json", "{", 1);
	else if (flaw == INDEX_ATTESTATION)
		put_index(index_entry("{\"os\":\"unknown\",\"architecture\":\"unknown\"}", NULL));
	else
		put_index(index_entry(flaw == OTHER_PLATFORM
					      ? "{\"os\":\"linux\",\"architecture\":\"pdp11\"}"
					      : NULL,
				      "{\"org.opencontainers.image.ref.name\":\"test/app:1\"}"));
}

void make_source(enum flaw flaw)
{
	make_layers(flaw);
	make_config(flaw);
	make_manifest(flaw);
	make_index(flaw);
	write_source("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
	if (flaw == LAYER_LIES) {
		AUTO(tar_done)
		struct tar t = { 0 };
		const struct tar_entry evil[] = { T_FILE("evil", "x"), { 0 } };
		char path[200], same[8192] = { 0 };
		tar_make(&t, evil);
		memcpy(same, t.data, t.size);
		(void)snprintf(path, sizeof path, "blobs/sha256/%s", digest_hex(layers[1].digest));
		write_source(path, same, layers[1].size);
	}
	if (flaw == LAYER_MISSING) {
		char path[400];
		(void)snprintf(path, sizeof path, "%s/blobs/sha256/%s", source,
			       digest_hex(layers[1].digest));
		ck_assert_int_eq(unlink(path), 0);
	}
	if (flaw == CONFIG_LIES || flaw == MANIFEST_LIES) {
		const struct blob *b = flaw == CONFIG_LIES ? &config : &manifest;
		char same[2000];
		memset(same, ' ', b->size);
		same[b->size] = '\0';
		spoil(b, same);
	}
}
