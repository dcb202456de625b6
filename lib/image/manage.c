/*
 * Listing and removing images, and freeing what no image needs any more.
 *
 * Removing takes away a name only. What it stood for is found by marking: each record names its
 * layers, its manifest and its config, and the manifest its blobs; everything else is swept. Nobody
 * may be loading meanwhile, since a load relies on blobs and layers that it found: then a file is
 * left for whoever is the last to do so, <root>/garbage.
 */
#include <dirent.h>
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
#include "image/manage.h"
#include "image/manifest.h"
#include "image/record.h"
#include "image/ref.h"

static int by_reference(const void *a, const void *b)
{
	return strcmp(((const struct image_info *)a)->reference,
		      ((const struct image_info *)b)->reference);
}

int image_list(struct image_store *s, struct image_list *ret, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	AUTO(image_list_done)
	struct image_list list = { 0 };
	char **names;
	size_t count;

	TRY(record_names(s, &names, &count, &arena, err));
	for (size_t i = 0; i < count; i++) {
		struct image_record r;
		int e = record_read(s, names[i], &r, &arena, err);
		if (e == -ENOENT)
			continue; /* removed meanwhile */
		TRY(e);
		TRY(record_to_list(&r, &list, err));
	}
	if (list.count)
		qsort(list.items, list.count, sizeof *list.items, by_reference);
	*ret = list;
	list = (struct image_list){ 0 };
	return 0;
}

/* A reference of index.json without a record is no image: one half of a removal, or of a load that
 * was killed in the middle of its commit. */
static bool has_no_record(void *data, const char *reference)
{
	const struct image_store *s = data;
	char name[RECORD_NAME_MAX];

	return record_name(reference, name, NULL) == 0 &&
	       faccessat(s->images_dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

int image_remove(struct image_store *s, const char *name, struct image_list *ret,
		 struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	AUTO(image_list_done)
	struct image_list list = { 0 };
	char reference[REF_TEXT_MAX], record[RECORD_NAME_MAX];
	struct image_record r;

	TRY(ref_normalise(name, reference, err));
	TRY(record_name(reference, record, err));
	auto_fd lock = store_lock(s, err);
	TRY(lock);
	int e = record_read(s, record, &r, &arena, err);
	if (e == -ENOENT)
		return fail(err, ENOENT, "no image '%.200s'", name);
	TRY(e);
	TRY(record_to_list(&r, &list, err));
	/* The record first: with it the image is gone for everybody. */
	if (unlinkat(s->images_dir, record, 0) < 0)
		return fail_errno(err, "remove the record of %s", reference);
	TRY(index_update(s, NULL, 0, has_no_record, s, err));
	*ret = list;
	list = (struct image_list){ 0 };
	return 0;
}

/* ---- gc -------------------------------------------------------------------------------------- */

static int mark(struct marks *m, const char *name, struct csn_error *err)
{
	if (m->count == m->capacity) {
		size_t capacity = m->capacity ? 2 * m->capacity : 256;
		const char **more = realloc(m->items, capacity * sizeof *more);
		if (!more)
			return fail(err, ENOMEM, "out of memory");
		m->items = more;
		m->capacity = capacity;
	}
	m->items[m->count] = arena_strdup(m->arena, name);
	return m->items[m->count++] ? 0 : fail(err, ENOMEM, "out of memory");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool marks_have(const struct marks *m, const char *name)
{
	return m->count && bsearch(&name, m->items, m->count, sizeof *m->items, by_text);
}

/* "layers/NAME/fs" → NAME */
static int mark_layer(struct marks *m, const char *path, struct csn_error *err)
{
	char name[256];

	if (sscanf(path, "layers/%255[^/]", name) != 1)
		return fail(err, EINVAL, "layer '%.200s': expected layers/…/fs", path);
	return mark(m, name, err);
}

/* Blobs of a manifest; one that cannot be read marks nothing but itself. */
static int mark_manifest(struct image_store *s, struct marks *m, const char *digest,
			 struct csn_error *err)
{
	char path[DIGEST_TEXT_MAX];
	auto_mem char *text = NULL;
	struct document d;
	size_t size;

	TRY(mark(m, digest, err));
	if (!digest_is_valid(digest))
		return 0;
	store_blob_path(digest, path);
	if (file_read(s->blobs_dir, path, DOCUMENT_MAX, &text, &size, NULL) < 0 ||
	    document_decode(text, size, digest, NULL, &d, m->arena, NULL) < 0)
		return 0;
	if (d.config.set)
		TRY(mark(m, d.config.digest, err));
	for (size_t i = 0; i < d.layers.count; i++)
		TRY(mark(m, d.layers.items[i].digest, err));
	return 0;
}

static int mark_all(struct image_store *s, struct marks *m, struct csn_error *err)
{
	char **names;
	size_t count;

	TRY(record_names(s, &names, &count, m->arena, err));
	for (size_t i = 0; i < count; i++) {
		struct image_record r;
		/* A record that cannot be read must not cost its image the layers. */
		TRY(record_read(s, names[i], &r, m->arena, err));
		TRY(mark_manifest(s, m, r.digest, err));
		TRY(mark(m, r.id, err));
		for (size_t j = 0; j < r.layers.count; j++)
			TRY(mark_layer(m, r.layers.items[j], err));
	}
	return 0;
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Removes the entries of a directory that are not marked as prefix + name. */
static int sweep(int at, const char *dir, const char *prefix, const struct marks *m,
		 size_t *ret_count, struct csn_error *err)
{
	auto_fd fd = openat(at, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : fail_errno(err, "open %s of the image store", dir);
	auto_fd list_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	AUTO(closedirp)
	DIR *d = list_fd < 0 ? NULL : fdopendir(list_fd);
	struct dirent *e;
	char name[300];

	if (!d)
		return fail_errno(err, "read %s of the image store", dir);
	(void)take_fd(&list_fd);
	while ((e = readdir(d))) {
		(void)snprintf(name, sizeof name, "%s%s", prefix, e->d_name);
		if (e->d_name[0] == '.' || marks_have(m, name))
			continue;
		TRY(remove_tree(fd, e->d_name, err));
		++*ret_count;
	}
	return 0;
}

int marks_make(struct image_store *s, const char *const *keep, size_t keep_count, struct marks *m,
	       struct csn_error *err)
{
	for (size_t i = 0; i < keep_count; i++)
		TRY(mark_layer(m, keep[i], err));
	TRY(mark_all(s, m, err));
	if (m->count)
		qsort(m->items, m->count, sizeof *m->items, by_text);
	return 0;
}

void marks_done(struct marks *m)
{
	free(m->items);
}

/* Left before the lock is tried: who holds it then ends after that, and will see it. */
static int leave_garbage(struct image_store *s, struct csn_error *err)
{
	auto_fd fd = openat(s->root_dir, IMAGE_GARBAGE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? fail_errno(err, "make the file %s", IMAGE_GARBAGE) : 0;
}

int image_gc(struct image_store *s, const char *const *keep, size_t keep_count, size_t *ret_layers,
	     size_t *ret_blobs, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct marks m AUTO(marks_done) = { .arena = &arena };
	size_t layers = 0, blobs = 0;

	TRY(leave_garbage(s, err));
	auto_fd unused = store_lock_unused(s, err);
	if (unused == -EBUSY)
		return 1;
	TRY(unused);
	auto_fd lock = store_lock(s, err);
	TRY(lock);
	/* What becomes garbage from here on leaves the file again. */
	(void)unlinkat(s->root_dir, IMAGE_GARBAGE, 0);
	TRY(marks_make(s, keep, keep_count, &m, err));
	TRY(index_update(s, NULL, 0, has_no_record, s, err));
	TRY(sweep(s->root_dir, "layers", "", &m, &layers, err));
	TRY(sweep(s->blobs_dir, "sha256", "sha256:", &m, &blobs, err));
	TRY(sweep(s->blobs_dir, "sha512", "sha512:", &m, &blobs, err));
	*ret_layers = layers;
	*ret_blobs = blobs;
	return 0;
}
