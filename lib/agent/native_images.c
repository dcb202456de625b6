/* The native runtime's images: the engine's, with the interface's words about what is missing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/image_details.h"
#include "agent/native.h"
#include "base/error.h"
#include "base/texts.h"
#include "caisson-image.h"

static void free_images(struct csn_images **images)
{
	csn_images_free(*images);
}

static int missing(const char *image, int r, struct csn_error *err)
{
	return r == -ENOENT ? fail_kind(err, CSN_ERROR_NOT_FOUND, image, "image not found") : r;
}

int native_pull(struct csn_rt *rt, const char *image, enum csn_pull_policy policy,
		const struct csn_registry_options *auth, struct csn_error *err)
{
	struct csn_image_pull_options o = CSN_IMAGE_PULL_OPTIONS_INIT;
	o.policy = policy;
	o.registry = auth;
	return csn_image_pull(engine_of(rt), image, &o, NULL, err);
}

int native_list_images(struct csn_rt *rt, struct csn_images **ret, struct csn_error *err)
{
	return csn_image_list(engine_of(rt), ret, err);
}

int native_remove_image(struct csn_rt *rt, const char *image, bool force, struct csn_error *err)
{
	return missing(image, csn_image_remove(engine_of(rt), image, force, err), err);
}

int native_tag_image(struct csn_rt *rt, const char *source, const char *target,
		     struct csn_error *err)
{
	int r = missing(source, csn_image_tag(engine_of(rt), source, target, err), err);
	return r == -EINVAL ? as_kind(err, r, CSN_ERROR_INVALID_SPEC, "") : r;
}

int native_prune_images(struct csn_rt *rt, struct csn_texts **ret_deleted, uint64_t *ret_bytes,
			struct csn_error *err)
{
	struct csn_images *removed AUTO(free_images)
	= NULL;
	struct csn_texts *deleted AUTO(texts_release)
	= texts_new();
	uint64_t bytes = 0;
	TRY(csn_image_prune(engine_of(rt), true, &removed, err));
	bool ok = deleted != NULL;
	for (size_t i = 0; ok && i < csn_images_count(removed); i++) {
		const struct csn_image_info *image = csn_images_get(removed, i);
		ok = texts_add(deleted, image->reference);
		bytes += image->size_bytes;
	}
	if (!ok)
		return fail(err, ENOMEM, "out of memory");
	*ret_deleted = take_ptr(deleted);
	*ret_bytes = bytes;
	return 0;
}

/* The engine's document about an image, and the names of all. */
static int look(struct csn_rt *rt, const char *image, char **ret_json, struct csn_images **ret_all,
		struct csn_error *err)
{
	TRY(missing(image, csn_image_inspect(engine_of(rt), image, ret_json, err), err));
	return csn_image_list(engine_of(rt), ret_all, err);
}

int native_image_details(struct csn_rt *rt, const char *image, struct csn_image_details **ret,
			 struct csn_error *err)
{
	auto_mem char *json = NULL;
	struct csn_images *all AUTO(free_images)
	= NULL;
	TRY(look(rt, image, &json, &all, err));
	return image_details_of(json, all, ret, err);
}

int native_image_history(struct csn_rt *rt, const char *image, struct csn_image_history **ret,
			 struct csn_error *err)
{
	auto_mem char *json = NULL;
	struct csn_images *all AUTO(free_images)
	= NULL;
	TRY(look(rt, image, &json, &all, err));
	return image_history_of(json, all, ret, err);
}

/* ---- progress ---------------------------------------------------------------------------------
 */

struct transfer {
	struct csn_progress_stream base;
	struct csn_image_transfer *transfer;
	char *image; /* of a pull: the failure is about it; else NULL */
	bool quiet, done;
	const char **references; /* of what came, when it has ended */
};

/* What a kind of news is called where people know it from. */
static const char *status_of(const struct csn_image_progress *p)
{
	static const struct {
		const char *action, *status;
	} rows[] = { { "download", "Downloading" },
		     { "unpack", "Extracting" },
		     { "done", "Pull complete" },
		     { "exists", "Already exists" } };
	if (p->warning)
		return p->warning;
	for (size_t i = 0; p->action && i < COUNT(rows); i++)
		if (strcmp(rows[i].action, p->action) == 0)
			return rows[i].status;
	return "Loading layer";
}

static int give_done(struct transfer *t, struct csn_progress *ret, struct csn_error *err)
{
	const struct csn_images *images = csn_image_transfer_images(t->transfer);
	size_t count = csn_images_count(images);
	t->references = calloc(count + 1, sizeof *t->references);
	if (!t->references)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		t->references[i] = csn_images_get(images, i)->reference;
	t->done = true;
	ret->kind = CSN_PROGRESS_DONE;
	ret->references = t->references;
	ret->digest = count == 1 ? csn_images_get(images, 0)->digest : NULL;
	return 1;
}

static int transfer_next(struct csn_progress_stream *stream, int timeout_ms,
			 struct csn_progress *ret, struct csn_error *err)
{
	struct transfer *t = (struct transfer *)stream;
	struct csn_image_progress p;
	int r;
	if (t->done)
		return 0;
	do {
		p = (struct csn_image_progress){ .size = sizeof p };
		r = csn_image_transfer_next(t->transfer, timeout_ms, &p, err);
	} while (r == 1 && t->quiet);
	if (r == 0)
		return give_done(t, ret, err);
	if (r == -EAGAIN)
		return r;
	if (r < 0) {
		t->done = true;
		return t->image ? as_kind(err, r, CSN_ERROR_PULL_FAILED, t->image) : r;
	}
	ret->id = p.layer;
	ret->status = status_of(&p);
	ret->current = p.bytes;
	ret->total = p.total;
	return 1;
}

static int transfer_fd(const struct csn_progress_stream *stream)
{
	return csn_image_transfer_fd(((const struct transfer *)stream)->transfer);
}

static void transfer_close(struct csn_progress_stream *stream)
{
	struct transfer *t = (struct transfer *)stream;
	csn_image_transfer_close(t->transfer);
	free(t->image);
	free(t->references);
	free(t);
}

static int transfer_stream(struct csn_image_transfer *transfer, const char *image, bool quiet,
			   struct csn_progress_stream **ret, struct csn_error *err)
{
	static const struct progress_stream_operations ops = { transfer_next, transfer_fd,
							       transfer_close };
	struct transfer *t = calloc(1, sizeof *t);
	char *name = image ? strdup(image) : NULL;
	if (!t || (image && !name)) {
		free(t);
		free(name);
		csn_image_transfer_close(transfer);
		return fail(err, ENOMEM, "out of memory");
	}
	*t = (struct transfer){ { &ops }, transfer, name, quiet, false, NULL };
	*ret = &t->base;
	return 0;
}

int native_pull_stream(struct csn_rt *rt, const char *image,
		       const struct csn_registry_options *auth, struct csn_progress_stream **ret,
		       struct csn_error *err)
{
	struct csn_image_pull_options o = CSN_IMAGE_PULL_OPTIONS_INIT;
	struct csn_image_transfer *transfer = NULL;
	o.registry = auth;
	TRY(csn_image_pull_begin(engine_of(rt), image, &o, &transfer, err));
	return transfer_stream(transfer, image, false, ret, err);
}

/* ---- archives ---------------------------------------------------------------------------------
 */

int native_save_images(struct csn_rt *rt, const char *const *images, int fd, struct csn_error *err)
{
	int r = csn_image_save(engine_of(rt), images, fd, err);
	return r == -ENOENT ? as_kind(err, r, CSN_ERROR_NOT_FOUND, images[0]) : r;
}

int native_load_images(struct csn_rt *rt, int fd, bool quiet, struct csn_progress_stream **ret,
		       struct csn_error *err)
{
	struct csn_image_load_options o = CSN_IMAGE_LOAD_OPTIONS_INIT;
	struct csn_image_transfer *transfer = NULL;
	o.fd = fd;
	TRY(csn_image_load_begin(engine_of(rt), &o, &transfer, err));
	return transfer_stream(transfer, NULL, quiet, ret, err);
}

int native_import_image(struct csn_rt *rt, int fd, const char *repo, const char *tag, char **ret_id,
			struct csn_error *err)
{
	struct csn_image_load_options o = CSN_IMAGE_LOAD_OPTIONS_INIT;
	struct csn_images *images AUTO(free_images)
	= NULL;
	char name[600];
	if (!repo || !repo[0])
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "import needs a repository");
	(void)snprintf(name, sizeof name, "%.400s:%.150s", repo, tag && tag[0] ? tag : "latest");
	o.fd = fd;
	o.name = name;
	TRY(csn_image_import(engine_of(rt), &o, &images, err));
	if (csn_images_count(images) != 1)
		return fail(err, EPROTO, "import: no image came");
	*ret_id = strdup(csn_images_get(images, 0)->id);
	return *ret_id ? 0 : fail(err, ENOMEM, "out of memory");
}
