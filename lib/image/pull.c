/*
 * Pulling: what the policy says, the manifest for the platform, then everything at once: blobs come
 * in, and layers are unpacked behind them (download.c, layers.c).
 *
 * Endpoints are tried in order for the manifest; what comes after is asked of the one that had it
 * first. A pull that spoiled itself by going on with a damaged leftover is done again, once.
 */
#include "image/pull.h"

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
#include "image/choose.h"
#include "image/download.h"
#include "image/load.h"
#include "image/record.h"

struct pull {
	struct image_load load; /* what load.c sees; first, so that it can be found again */
	const struct image_pull *options;
	struct image_ref ref;
	char reference[REF_TEXT_MAX];
	struct registry registry;
	struct endpoint *endpoint; /* that had the manifest */
	struct downloads downloads;
	bool downloading;
	struct image_list *local; /* what the store has under that name */
	bool current;		  /* and it is what the registry has */
	pthread_mutex_t events_lock;
};

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* ---- events: one at a time ------------------------------------------------------------------- */

static void on_progress(void *data, const char *layer, uint64_t bytes, uint64_t total)
{
	struct pull *p = data;
	const struct image_events *e = &p->options->events;

	(void)pthread_mutex_lock(&p->events_lock);
	if (e->progress)
		e->progress(e->data, layer, bytes, total);
	(void)pthread_mutex_unlock(&p->events_lock);
}

static void on_warning(void *data, const char *text)
{
	struct pull *p = data;
	const struct image_events *e = &p->options->events;

	(void)pthread_mutex_lock(&p->events_lock);
	if (e->warning)
		e->warning(e->data, text);
	(void)pthread_mutex_unlock(&p->events_lock);
}

static bool on_interrupted(void *data)
{
	struct pull *p = data;
	const struct image_events *e = &p->options->events;

	return e->interrupted && e->interrupted(e->data);
}

static void on_layer_done(void *data, const char *layer, bool fresh)
{
	struct pull *p = data;
	const struct image_events *e = &p->options->events;

	(void)pthread_mutex_lock(&p->events_lock);
	if (e->layer_done)
		e->layer_done(e->data, layer, fresh);
	(void)pthread_mutex_unlock(&p->events_lock);
}

static void on_transferred(void *data, const char *blob, uint64_t bytes, uint64_t total)
{
	struct pull *p = data;
	const struct image_events *e = &p->options->events;

	(void)pthread_mutex_lock(&p->events_lock);
	if (e->transferred)
		e->transferred(e->data, blob, bytes, total);
	(void)pthread_mutex_unlock(&p->events_lock);
}

/* ---- what is here ---------------------------------------------------------------------------- */

/* 1: the store has the image, for the platform that was asked for. */
static int find_local(struct image_store *s, const struct pull *p, struct image_list *ret,
		      struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	char name[RECORD_NAME_MAX];
	struct image_record r;
	struct platform want;

	TRY(record_name(p->reference, name, err));
	int v = record_read(s, name, &r, &arena, err);
	if (v == -ENOENT)
		return 0;
	TRY(v);
	if (p->options->platform) {
		TRY(platform_parse(p->options->platform, &want, &arena, err));
		if (r.os && r.architecture &&
		    (strcmp(r.os, want.os) != 0 || strcmp(r.architecture, want.architecture) != 0))
			return 0;
	}
	TRY(record_to_list(&r, ret, err));
	return 1;
}

/* Nothing of it was lost, by a hand or a bad disk. */
static bool is_whole(struct image_store *s, const struct pull *p)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	char name[RECORD_NAME_MAX], path[DIGEST_TEXT_MAX];
	struct image_record r;

	if (record_name(p->reference, name, NULL) < 0 ||
	    record_read(s, name, &r, &arena, NULL) < 0 || !digest_is_valid(r.digest))
		return false;
	store_blob_path(r.digest, path);
	if (faccessat(s->blobs_dir, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	for (size_t i = 0; i < r.layers.count; i++)
		if (faccessat(s->root_dir, r.layers.items[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return false;
	return true;
}

/* ---- the manifest ---------------------------------------------------------------------------- */

struct nested {
	struct pull *pull;
	struct load *load;
};

static int read_nested(void *data, const struct descriptor *d, struct document *ret,
		       struct csn_error *err)
{
	struct nested *n = data;
	struct fetched f;

	TRY(fetch_manifest(&n->pull->registry, n->pull->endpoint, d->digest, d, &f, &n->load->arena,
			   err));
	*ret = f.document;
	return 0;
}

/* Of an index the image for the platform. */
static int choose_manifest(struct load *l, struct pull *p, const struct document *index,
			   struct fetched *ret, struct csn_error *err)
{
	struct nested nested = { p, l };
	const struct chooser c = { &l->platform, read_nested, &nested };
	struct choice best = { 0 };
	char want[128];

	for (size_t i = 0; i < index->manifests.count; i++)
		TRY(choose_consider(&c, &index->manifests.items[i], &best, err));
	platform_format(&l->platform, want, sizeof want);
	if (best.rank == 0 && best.seen[0])
		return fail(err, ENOENT, "registry %s: %s is there for %s, not for %s",
			    p->endpoint->host, p->reference, best.seen, want);
	if (best.rank == 0)
		return fail(err, ENOENT, "registry %s: %s: the index lists no image",
			    p->endpoint->host, p->reference);
	/* Is that what we have? Then nothing more needs to be fetched. */
	if (p->local->count && strcmp(p->local->items[0].digest, best.manifest.digest) == 0) {
		p->current = true;
		return 0;
	}
	return fetch_manifest(&p->registry, p->endpoint, best.manifest.digest, &best.manifest, ret,
			      &l->arena, err);
}

/* Asks the endpoints in order. When none has it, the last word is the registry's own. */
static int fetch_top(struct load *l, struct pull *p, struct fetched *ret, struct csn_error *err)
{
	const char *reference = p->ref.digest[0] ? p->ref.digest : p->ref.tag;
	int v = 0;

	for (size_t i = 0; i < p->registry.endpoint_count; i++) {
		p->endpoint = &p->registry.endpoints[i];
		v = fetch_manifest(&p->registry, p->endpoint, reference, NULL, ret, &l->arena, err);
		if (v >= 0 || v == -EINTR || v == -ENOMEM)
			break;
	}
	return v;
}

static int find_manifest(struct load *l, struct pull *p, struct fetched *ret, struct csn_error *err)
{
	struct fetched top;
	int v = fetch_top(l, p, &top, err);

	if (v < 0 && v != -EINTR && p->options->policy == IMAGE_NEWER && p->local->count) {
		char text[sizeof err->text];
		(void)snprintf(text, sizeof text, "%.400s; the image that is here is taken",
			       err->text);
		on_warning(p, text);
		p->current = true;
		return 0;
	}
	TRY(v);
	if (top.document.has_manifests)
		return choose_manifest(l, p, &top.document, ret, err);
	p->current = p->local->count && strcmp(p->local->items[0].digest, top.digest) == 0;
	*ret = top;
	return 0;
}

/* ---- blobs ----------------------------------------------------------------------------------- */

/* Stages a document under its digest. */
static int stage_text(struct load *l, const char *text, size_t size, const char *digest,
		      struct csn_error *err)
{
	char temp[32];

	if (session_find(&l->session, STAGED_BLOB, digest))
		return 0;
	auto_fd fd = session_temp_file(&l->session, temp, err);
	TRY(fd);
	int r = write_all(fd, text, size);
	if (r < 0) {
		errno = -r;
		return fail_errno(err, "write a temporary file in the image store");
	}
	return session_stage(&l->session, STAGED_BLOB, temp, digest, err);
}

static bool is_stored(const struct load *l, const struct descriptor *d)
{
	char path[DIGEST_TEXT_MAX];
	struct stat st;

	store_blob_path(d->digest, path);
	return fstatat(l->store->blobs_dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == d->size;
}

/* A config in the store counts only if it is whole. */
static bool config_is_stored(const struct load *l, const struct descriptor *d)
{
	auto_mem char *text = NULL;
	char digest[DIGEST_TEXT_MAX];
	size_t size;

	return is_stored(l, d) &&
	       session_read_blob(&l->session, d->digest, &text, &size, NULL) == 0 &&
	       digest_of(digest_algorithm(d->digest), text, size, digest, NULL) == 0 &&
	       strcmp(digest, d->digest) == 0;
}

static int get_config(struct load *l, struct pull *p, const struct descriptor *d,
		      struct csn_error *err)
{
	auto_mem char *text = NULL;

	if (config_is_stored(l, d))
		return 0;
	TRY(fetch_small_blob(&p->registry, p->endpoint, d, &text, err));
	return stage_text(l, text, d->size, d->digest, err);
}

/* Fills the layers in; those that are missing become downloads, each digest once. */
static int plan_layers(struct load *l, const struct document *m, struct found_image *f,
		       struct download *downloads, size_t *ret_count, struct csn_error *err)
{
	size_t count = 0;

	for (size_t i = 0; i < m->layers.count; i++) {
		const struct descriptor *d = &m->layers.items[i];
		size_t j = 0;
		f->layers[i] = (struct blob_ref){ .digest = d->digest, .size = d->size };
		f->layers[i].stored = is_stored(l, d);
		if (f->layers[i].stored)
			continue;
		while (j < count && strcmp(downloads[j].digest, d->digest) != 0)
			j++;
		if (j == count)
			downloads[count++] =
				(struct download){ .digest = d->digest, .size = d->size };
		else if (downloads[j].size != d->size)
			return fail(err, EINVAL, "layer %s: comes with two sizes", d->digest);
		f->layers[i].arrival =
			(struct arrival){ download_open, download_more, &downloads[j] };
	}
	*ret_count = count;
	return 0;
}

/* The layers come in and are unpacked meanwhile. Of the failures the first counts, not that the
 * others were stopped by it. */
static int bring_in(struct load *l, struct pull *p, const struct fetched *m,
		    const struct found_image *f, struct csn_error *err)
{
	int r = stage_text(l, m->text, m->size, m->digest, err);

	if (r == 0)
		r = get_config(l, p, &m->document.config, err);
	if (r == 0)
		r = load_install(l, f, err);
	if (r < 0 && r != -ECANCELED)
		return r;
	TRY(downloads_finish(&p->downloads, err));
	return r;
}

static int install(struct load *l, struct pull *p, const struct fetched *m, struct csn_error *err)
{
	const char *reference = p->reference;
	const struct document *doc = &m->document;
	size_t count = 0;

	TRY(document_check_image(doc, m->digest, err));
	struct found_image f = {
		.manifest_digest = m->digest,
		.manifest_type = m->media_type,
		.manifest_size = m->size,
		.config_digest = doc->config.digest,
		.layers = arena_array(&l->arena, doc->layers.count + 1, sizeof *f.layers),
		.layer_count = doc->layers.count,
		.references = &reference,
		.reference_count = 1,
	};
	struct download *items = arena_array(&l->arena, doc->layers.count + 1, sizeof *items);
	if (!f.layers || !items)
		return no_memory(err);
	TRY(plan_layers(l, doc, &f, items, &count, err));
	p->downloading = true;
	TRY(downloads_start(&p->downloads, &l->session, &p->registry, p->endpoint, &p->load.events,
			    items, count, err));
	return bring_in(l, p, m, &f, err);
}

static int find(struct load *l, struct csn_error *err)
{
	struct pull *p = (struct pull *)(uintptr_t)l->options;
	struct fetched m = { 0 };

	TRY(find_manifest(l, p, &m, err));
	if (p->current) {
		l->list = *p->local;
		*p->local = (struct image_list){ 0 };
		return 0;
	}
	int r = install(l, p, &m, err);
	/* Before the session ends: its threads write there. */
	if (p->downloading)
		downloads_end(&p->downloads);
	return r;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* One attempt, with connections and tokens of its own. */
static int attempt(struct image_store *s, struct pull *p, struct image_list *ret, bool *ret_spoiled,
		   struct csn_error *err)
{
	p->downloading = false;
	p->current = false;
	int r = registry_open(&p->options->remote, &p->ref, &p->load.events, &p->registry, err);
	if (r == 0)
		r = load_run(s, &p->load, find, ret, err);
	*ret_spoiled = p->downloading && p->downloads.spoiled;
	registry_close(&p->registry);
	return r;
}

int image_pull(struct image_store *s, const struct image_pull *o, struct image_list *ret,
	       struct csn_error *err)
{
	AUTO(image_list_done)
	struct image_list local = { 0 };
	struct pull p = { .options = o, .local = &local };
	bool spoiled = false;

	TRY(ref_parse(o->name, &p.ref, err));
	ref_format(&p.ref, p.reference);
	int have = find_local(s, &p, &local, err);
	TRY(have);
	/* What a digest names does not change. */
	bool settled = o->policy == IMAGE_NEVER || o->policy == IMAGE_IF_NOT_PRESENT ||
		       (o->policy == IMAGE_NEWER && p.ref.digest[0]);
	if (have && settled) {
		*ret = local;
		local = (struct image_list){ 0 };
		return 0;
	}
	if (have && !is_whole(s, &p))
		image_list_done(&local);
	if (o->policy == IMAGE_NEVER)
		return fail(err, ENOENT,
			    "image \"%.300s\" does not exist, and the pull policy is never",
			    o->name);

	p.load = (struct image_load){
		.file = o->name,
		.platform = o->platform,
		.sync = o->sync,
		.events = { .progress = on_progress,
			    .warning = on_warning,
			    .interrupted = on_interrupted,
			    .data = &p,
			    .layer_done = on_layer_done,
			    .transferred = on_transferred },
	};
	(void)pthread_mutex_init(&p.events_lock, NULL);
	downloads_sweep(s, false);
	int r = attempt(s, &p, ret, &spoiled, err);
	if (r < 0 && spoiled)
		r = attempt(s, &p, ret, &spoiled, err);
	downloads_sweep(s, false);
	(void)pthread_mutex_destroy(&p.events_lock);
	return r;
}
