/*
 * Making images whole again from their blobs: layers that are missing are unpacked once more, the
 * index is written anew if it cannot be read. An image that has lost a blob loses its name, too,
 * with a warning: better none than half of one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "image/load.h"
#include "image/manage.h"
#include "image/record.h"

int store_check_blob(struct image_store *s, const char *digest, bool drop, struct csn_error *err)
{
	char path[DIGEST_TEXT_MAX], got[DIGEST_TEXT_MAX];
	const size_t size = (size_t)256 << 10;
	auto_mem unsigned char *buf = malloc(size);
	AUTO(hasher_done)
	struct hasher h = { 0 };
	ssize_t n;

	TRY(digest_check(digest, err));
	store_blob_path(digest, path);
	auto_fd fd = openat(s->blobs_dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "blob %s", digest);
	if (!buf)
		return fail(err, ENOMEM, "out of memory");
	TRY(hasher_init(&h, digest_algorithm(digest), err));
	while ((n = read(fd, buf, size)) > 0)
		TRY(hasher_update(&h, buf, (size_t)n, err));
	if (n < 0)
		return fail_errno(err, "read blob %s", digest);
	TRY(hasher_final(&h, got, err));
	if (strcmp(got, digest) == 0)
		return 0;
	if (drop)
		(void)unlinkat(s->blobs_dir, path, 0);
	return fail(err, EINVAL, "blob %s: its content has the digest %s", digest, got);
}

int load_stored(struct load *l, const char *stored, const char *reference, struct csn_error *err)
{
	struct image_record r;
	struct document m;
	char name[RECORD_NAME_MAX];
	auto_mem char *text = NULL;
	size_t size;

	TRY(record_name(stored, name, err));
	TRY(record_read(l->store, name, &r, &l->arena, err));
	TRY(store_check_blob(l->store, r.digest, true, err));
	TRY(session_read_blob(&l->session, r.digest, &text, &size, err));
	TRY(document_decode(text, size, r.digest, NULL, &m, &l->arena, err));

	TRY(store_check_blob(l->store, m.config.digest, true, err));
	struct found_image f = {
		.manifest_digest = r.digest,
		.manifest_type = m.media_type ? m.media_type : MEDIA_OCI_MANIFEST,
		.manifest_size = size,
		.config_digest = m.config.digest,
		.layers = arena_array(&l->arena, m.layers.count, sizeof *f.layers),
		.layer_count = m.layers.count,
		.references = &reference,
		.reference_count = 1,
	};
	if (!f.layers)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < m.layers.count; i++)
		f.layers[i] = (struct blob_ref){ .digest = m.layers.items[i].digest,
						 .size = m.layers.items[i].size,
						 .stored = true };
	return load_install(l, &f, err);
}

static int find_stored(struct load *l, struct csn_error *err)
{
	return load_stored(l, l->options->name, l->options->name, err);
}

static bool has_layers(struct image_store *s, const struct image_record *r)
{
	for (size_t i = 0; i < r->layers.count; i++)
		if (faccessat(s->root_dir, r->layers.items[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return false;
	return true;
}

static void warn(const struct image_events *e, const char *what, const char *why)
{
	char text[600];

	if (!e->warning)
		return;
	(void)snprintf(text, sizeof text, "%.250s is lost: %.300s", what, why);
	e->warning(e->data, text);
}

/* Damage of the image is the image's end; trouble of ours (no space, no memory) is not. */
static int lose(struct image_store *s, const char *name, const struct image_events *events,
		const struct csn_error *why, struct csn_error *err)
{
	if (why->code != EINVAL && why->code != ENOENT)
		return fail(err, why->code, "%s", why->text);
	warn(events, name, why->text);
	return unlinkat(s->images_dir, name, 0) < 0 && errno != ENOENT
		       ? fail_errno(err, "remove an image record")
		       : 0;
}

static int restore_one(struct image_store *s, const char *name, bool all,
		       const struct image_events *events, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	AUTO(image_list_done)
	struct image_list list = { 0 };
	struct csn_error why = { 0 };
	struct image_record r;

	int e = record_read(s, name, &r, &arena, &why);
	if (e < 0)
		return lose(s, name, events, &why, err);
	if (!all && has_layers(s, &r))
		return 0;
	const struct image_load o = { .name = r.reference, .sync = true, .events = *events };
	e = load_run(s, &o, find_stored, &list, &why);
	return e < 0 ? lose(s, name, events, &why, err) : 0;
}

int image_restore(struct image_store *s, const struct image_events *events, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	char **names;
	size_t count;

	int sound = index_reset_damaged(s, err);
	TRY(sound);
	TRY(record_names(s, &names, &count, &arena, err));
	for (size_t i = 0; i < count; i++)
		TRY(restore_one(s, names[i], sound > 0, events, err));
	return 0;
}
