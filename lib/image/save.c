/*
 * Saving: one tar archive that is both an OCI archive (oci-layout, index.json, blobs) and what
 * "docker load" reads (manifest.json, which names the same blobs). Blobs go in as they are in the
 * store, so digests stay, and each once. Nothing in it depends on the time or the machine.
 */
#include <archive.h>
#include <archive_entry.h>
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
#include "base/json.h"
#include "image/load.h"
#include "image/record.h"

#define PIECE ((size_t)256 << 10)

struct saved_image {
	struct image_record record;
	struct document manifest;
	uint64_t manifest_size;
};

struct save {
	struct image_store *store;
	struct arena arena;
	struct saved_image *images;
	size_t count;
	const char **blobs; /* written */
	size_t blob_count;
	struct archive *archive;
	const struct image_events *events;
};

static int archive_failed(struct save *s, struct csn_error *err)
{
	const char *text = archive_error_string(s->archive);

	return fail(err, EIO, "write the archive: %s", text ? text : "unknown error");
}

static int put_header(struct save *s, const char *path, mode_t type, uint64_t size,
		      struct csn_error *err)
{
	struct archive_entry *e = archive_entry_new();

	if (!e)
		return fail(err, ENOMEM, "out of memory");
	archive_entry_set_pathname(e, path);
	archive_entry_set_filetype(e, type);
	archive_entry_set_perm(e, type == AE_IFDIR ? 0755 : 0644);
	archive_entry_set_size(e, (la_int64_t)size);
	archive_entry_set_mtime(e, 0, 0);
	int r = archive_write_header(s->archive, e);
	archive_entry_free(e);
	return r == ARCHIVE_OK ? 0 : archive_failed(s, err);
}

static int put_text(struct save *s, const char *path, const char *text, struct csn_error *err)
{
	TRY(put_header(s, path, AE_IFREG, strlen(text), err));
	return archive_write_data(s->archive, text, strlen(text)) < 0 ? archive_failed(s, err) : 0;
}

static int put_content(struct save *s, int fd, struct csn_error *err)
{
	auto_mem char *buf = malloc(PIECE);
	ssize_t n;

	if (!buf)
		return fail(err, ENOMEM, "out of memory");
	while ((n = read(fd, buf, PIECE)) > 0) {
		if (archive_write_data(s->archive, buf, (size_t)n) < 0)
			return archive_failed(s, err);
		if (s->events->interrupted && s->events->interrupted(s->events->data))
			return fail(err, EINTR, "interrupted");
	}
	return n < 0 ? fail_errno(err, "read a blob") : 0;
}

static int put_blob(struct save *s, const char *digest, struct csn_error *err)
{
	char path[sizeof "blobs/" + DIGEST_TEXT_MAX] = "blobs/";
	struct stat st;

	for (size_t i = 0; i < s->blob_count; i++)
		if (strcmp(s->blobs[i], digest) == 0)
			return 0;
	TRY(digest_check(digest, err));
	store_blob_path(digest, path + strlen("blobs/"));
	auto_fd fd = openat(s->store->store_dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(err, "blob %s", digest);
	const char **grown = reallocarray(s->blobs, s->blob_count + 1, sizeof *grown);
	if (!grown)
		return fail(err, ENOMEM, "out of memory");
	s->blobs = grown;
	s->blobs[s->blob_count++] = digest;
	TRY(put_header(s, path, AE_IFREG, (uint64_t)st.st_size, err));
	return put_content(s, fd, err);
}

static int read_image(struct save *s, const char *name, struct saved_image *ret,
		      struct csn_error *err)
{
	char reference[REF_TEXT_MAX], record[RECORD_NAME_MAX], path[DIGEST_TEXT_MAX];
	auto_mem char *text = NULL;
	size_t size;

	TRY(ref_normalise(name, reference, err));
	TRY(record_name(reference, record, err));
	int r = record_read(s->store, record, &ret->record, &s->arena, err);
	if (r == -ENOENT)
		return fail(err, ENOENT, "no image '%.200s'", name);
	TRY(r);
	TRY(digest_check(ret->record.digest, err));
	store_blob_path(ret->record.digest, path);
	TRY(file_read(s->store->blobs_dir, path, DOCUMENT_MAX, &text, &size, err));
	ret->manifest_size = size;
	return document_decode(text, size, ret->record.digest, NULL, &ret->manifest, &s->arena,
			       err);
}

static const char *tag_of(const char *reference)
{
	const char *colon = strrchr(reference, ':');

	return colon && !strchr(colon, '/') && !strchr(reference, '@') ? colon + 1 : reference;
}

static int put_index(struct save *s, struct csn_error *err)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *text = NULL;

	json_open_object(&o, NULL);
	json_put_u64(&o, "schemaVersion", 2);
	json_put_string(&o, "mediaType", MEDIA_OCI_INDEX);
	json_open_array(&o, "manifests");
	for (size_t i = 0; i < s->count; i++) {
		const struct saved_image *image = &s->images[i];
		json_open_object(&o, NULL);
		json_put_string(&o, "mediaType",
				image->manifest.media_type ? image->manifest.media_type
							   : MEDIA_OCI_MANIFEST);
		json_put_string(&o, "digest", image->record.digest);
		json_put_u64(&o, "size", image->manifest_size);
		json_open_object(&o, "annotations");
		json_put_string(&o, "io.containerd.image.name", image->record.reference);
		json_put_string(&o, "org.opencontainers.image.ref.name",
				tag_of(image->record.reference));
		json_close_object(&o);
		json_close_object(&o);
	}
	json_close_array(&o);
	json_close_object(&o);
	TRY(json_out_take(&o, &text, err));
	return put_text(s, "index.json", text, err);
}

static void put_path(struct json_out *o, const char *key, const char *digest)
{
	char path[sizeof "blobs/" + DIGEST_TEXT_MAX] = "blobs/";

	store_blob_path(digest, path + strlen("blobs/"));
	json_put_string(o, key, path);
}

static int put_docker_manifest(struct save *s, struct csn_error *err)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *text = NULL;

	json_open_array(&o, NULL);
	for (size_t i = 0; i < s->count; i++) {
		const struct saved_image *image = &s->images[i];
		json_open_object(&o, NULL);
		put_path(&o, "Config", image->manifest.config.digest);
		json_open_array(&o, "RepoTags");
		if (!strchr(image->record.reference, '@'))
			json_put_string(&o, NULL, image->record.reference);
		json_close_array(&o);
		json_open_array(&o, "Layers");
		for (size_t j = 0; j < image->manifest.layers.count; j++)
			put_path(&o, NULL, image->manifest.layers.items[j].digest);
		json_close_array(&o);
		json_close_object(&o);
	}
	json_close_array(&o);
	TRY(json_out_take(&o, &text, err));
	return put_text(s, "manifest.json", text, err);
}

static int put_all(struct save *s, struct csn_error *err)
{
	TRY(put_text(s, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", err));
	TRY(put_index(s, err));
	TRY(put_docker_manifest(s, err));
	for (size_t i = 0; i < s->count; i++) {
		const struct document *m = &s->images[i].manifest;
		TRY(put_blob(s, s->images[i].record.digest, err));
		TRY(put_blob(s, m->config.digest, err));
		for (size_t j = 0; j < m->layers.count; j++)
			TRY(put_blob(s, m->layers.items[j].digest, err));
	}
	return archive_write_close(s->archive) == ARCHIVE_OK ? 0 : archive_failed(s, err);
}

static int save(struct save *s, char *const *names, int fd, struct image_list *ret,
		struct csn_error *err)
{
	s->images = arena_array(&s->arena, s->count, sizeof *s->images);
	s->archive = archive_write_new();
	if (!s->images || !s->archive)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < s->count; i++) {
		TRY(read_image(s, names[i], &s->images[i], err));
		TRY(record_to_list(&s->images[i].record, ret, err));
	}
	if (archive_write_set_format_pax_restricted(s->archive) != ARCHIVE_OK ||
	    archive_write_open_fd(s->archive, fd) != ARCHIVE_OK)
		return archive_failed(s, err);
	return put_all(s, err);
}

int image_save(struct image_store *store, char *const *names, size_t count, int fd,
	       const struct image_events *events, struct image_list *ret, struct csn_error *err)
{
	struct save s = { .store = store, .count = count, .events = events };
	/* A session: nothing of it is swept away meanwhile. */
	AUTO(session_end)
	struct session session = { .dir_fd = -1, .use_fd = -1 };

	TRY(session_begin(store, events, &session, err));
	int r = save(&s, names, fd, ret, err);
	if (s.archive)
		(void)archive_write_free(s.archive);
	free(s.blobs);
	arena_free(&s.arena);
	return r;
}
