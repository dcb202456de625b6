/* index.json of the store: which references it has. Rewritten whole, under the store's lock. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "image/manifest.h"
#include "image/store.h"

#define REF_NAME "org.opencontainers.image.ref.name"

const char index_empty[] =
	"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
	"\"manifests\":[]}";

int index_reset_damaged(struct image_store *s, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct document d;
	auto_mem char *text = NULL;
	size_t size;

	auto_fd lock = store_lock(s, err);
	TRY(lock);
	if (file_read(s->store_dir, "index.json", DOCUMENT_MAX, &text, &size, NULL) == 0 &&
	    document_decode(text, size, "index.json", NULL, &d, &arena, NULL) == 0)
		return 0;
	TRY(file_write_atomic(s->store_dir, "index.json", index_empty, strlen(index_empty), 0600,
			      false, err));
	return 1;
}

static bool is_replaced(const struct index_entry *entries, size_t count, const char *reference)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(entries[i].reference, reference) == 0)
			return true;
	return false;
}

static void put_entry(struct json_out *o, const struct index_entry *e)
{
	json_open_object(o, NULL);
	json_put_string(o, "mediaType", e->media_type);
	json_put_string(o, "digest", e->digest);
	json_put_u64(o, "size", e->size);
	if (e->architecture && e->os) {
		json_open_object(o, "platform");
		json_put_string(o, "architecture", e->architecture);
		json_put_string(o, "os", e->os);
		json_close_object(o);
	}
	json_open_object(o, "annotations");
	json_put_string(o, REF_NAME, e->reference);
	json_close_object(o);
	json_close_object(o);
}

/* What a killed writer left. Nobody else can be writing: the store is locked. */
static void remove_leftovers(struct image_store *s)
{
	int fd = openat(s->store_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strncmp(e->d_name, ".index.json.", strlen(".index.json.")) == 0)
			(void)unlinkat(s->store_dir, e->d_name, 0);
	if (d)
		(void)closedir(d);
}

int index_update(struct image_store *s, const struct index_entry *entries, size_t count,
		 bool (*drop)(void *data, const char *reference), void *data, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	struct document old;
	auto_mem char *text = NULL, *new = NULL;
	size_t size;

	remove_leftovers(s);
	TRY(file_read(s->store_dir, "index.json", DOCUMENT_MAX, &text, &size, err));
	TRY(document_decode(text, size, "the store's index.json", NULL, &old, &arena, err));

	json_open_object(&o, NULL);
	json_put_u64(&o, "schemaVersion", 2);
	json_put_string(&o, "mediaType", MEDIA_OCI_INDEX);
	json_open_array(&o, "manifests");
	for (size_t i = 0; i < old.manifests.count; i++) {
		const struct descriptor *d = &old.manifests.items[i];
		const char *reference = descriptor_annotation(d, REF_NAME);
		if (!reference || is_replaced(entries, count, reference) ||
		    (drop && drop(data, reference)))
			continue;
		const struct index_entry kept = {
			.reference = reference,
			.digest = d->digest,
			.media_type = d->media_type,
			.architecture = d->platform.architecture,
			.os = d->platform.os,
			.size = d->size,
		};
		put_entry(&o, &kept);
	}
	for (size_t i = 0; i < count; i++)
		put_entry(&o, &entries[i]);
	json_close_array(&o);
	json_close_object(&o);
	TRY(json_out_take(&o, &new, err));
	return file_write_atomic(s->store_dir, "index.json", new, strlen(new), 0600, false, err);
}
