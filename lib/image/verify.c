/*
 * Verifying images: each blob is hashed, and each layer unpacked once more, next to the one that is
 * used, and both compared. A byte that changed on disk is found wherever it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/compare.h"
#include "image/load.h"
#include "image/manage.h"
#include "image/record.h"
#include "image/ref.h"

static int compare_layer(struct session *s, const char *name, struct csn_error *err)
{
	const struct staged *staged = session_find(s, STAGED_LAYER, name);
	char path[300];

	if (!staged)
		return fail(err, ENOENT, "layer %s: it was not unpacked", name);
	(void)snprintf(path, sizeof path, "%s/fs", staged->temp);
	auto_fd want = openat(s->dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(path, sizeof path, "%s/fs", name);
	auto_fd got = openat(s->store->layers_dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (want < 0 || got < 0)
		return fail_errno(err, "unpacked layer %s", name);
	int r = compare_trees(want, got, err);
	return r < 0 ? within(err, r, "unpacked layer %s", name) : 0;
}

static int verify_layers(struct session *s, const struct document *m, const struct image_config *c,
			 struct arena *arena, struct csn_error *err)
{
	size_t count = m->layers.count;
	struct layer_input *in = arena_array(arena, count + 1, sizeof *in);
	struct layer_output *out = arena_array(arena, count + 1, sizeof *out);

	if (!in || !out)
		return fail(err, ENOMEM, "out of memory");
	if (c->rootfs.diff_ids.count != count)
		return fail(err, EINVAL, "%zu diff_ids for %zu layers", c->rootfs.diff_ids.count,
			    count);
	for (size_t i = 0; i < count; i++) {
		in[i] = (struct layer_input){ .blob = m->layers.items[i].digest,
					      .blob_size = m->layers.items[i].size,
					      .diff_id = c->rootfs.diff_ids.items[i] };
		TRY(store_check_blob(s->store, in[i].blob, false, err));
	}
	TRY(layers_unpack(s, in, count, out, err));
	for (size_t i = 0; i < count; i++)
		TRY(compare_layer(s, out[i].name, err));
	return 0;
}

static int verify_in(struct session *s, const struct image_record *r, struct arena *arena,
		     struct csn_error *err)
{
	auto_mem char *manifest = NULL, *config = NULL;
	struct document m;
	struct image_config c;
	size_t size;

	TRY(store_check_blob(s->store, r->digest, false, err));
	TRY(session_read_blob(s, r->digest, &manifest, &size, err));
	TRY(document_decode(manifest, size, r->digest, NULL, &m, arena, err));
	TRY(store_check_blob(s->store, m.config.digest, false, err));
	TRY(session_read_blob(s, m.config.digest, &config, &size, err));
	TRY(image_config_decode(config, size, m.config.digest, &c, arena, err));
	return verify_layers(s, &m, &c, arena, err);
}

int image_verify(struct image_store *s, const char *name, const struct image_events *events,
		 struct image_list *ret, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	AUTO(session_end)
	struct session session = { .dir_fd = -1, .use_fd = -1 };
	char reference[REF_TEXT_MAX], record[RECORD_NAME_MAX];
	struct image_record r;

	TRY(ref_normalise(name, reference, err));
	TRY(record_name(reference, record, err));
	int e = record_read(s, record, &r, &arena, err);
	if (e == -ENOENT)
		return fail(err, ENOENT, "no image '%.200s'", name);
	TRY(e);
	TRY(session_begin(s, events, &session, err));
	session.anew = true;
	e = verify_in(&session, &r, &arena, err);
	if (e < 0)
		return within(err, e, "%s", reference);
	return record_to_list(&r, ret, err);
}
