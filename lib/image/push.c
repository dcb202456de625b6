/*
 * Pushing: the blobs that the registry has not got, a few at a time, then the manifest, byte for
 * byte as it is in the store.
 *
 * A blob that another image of ours has from the same registry is asked for by a mount before it is
 * sent. An upload is POST for a place and one PUT of the whole; when it breaks it begins anew with
 * a new place. Layers that must not be distributed stay where they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "image/pull.h"
#include "image/record.h"
#include "image/store.h"
#include "image/url.h"

#define THREADS 4
#define TRIES	5

struct upload {
	const struct descriptor *blob;
	struct push *push;
	uint64_t told;
	const char *from; /* a repository of this registry that has it; or NULL */
	int fd;
	int result;
	struct csn_error error;
};

struct push {
	struct image_store *store;
	const struct image_push *options;
	struct registry registry;
	struct endpoint *endpoint;
	struct arena arena;
	struct image_record record;
	struct document manifest;
	char *text; /* of the manifest */
	size_t size;
	struct upload *uploads;
	size_t count, next;
	bool stop;
	pthread_mutex_t lock; /* next, stop, events */
};

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* ---- what is pushed -------------------------------------------------------------------------- */

static int read_image(struct push *p, const char *reference, struct csn_error *err)
{
	char name[RECORD_NAME_MAX], path[DIGEST_TEXT_MAX], digest[DIGEST_TEXT_MAX];
	auto_mem char *text = NULL;

	TRY(record_name(reference, name, err));
	int r = record_read(p->store, name, &p->record, &p->arena, err);
	if (r == -ENOENT)
		return fail(err, ENOENT, "no image '%.200s'", p->options->name);
	TRY(r);
	TRY(digest_check(p->record.digest, err));
	store_blob_path(p->record.digest, path);
	r = file_read(p->store->blobs_dir, path, DOCUMENT_MAX, &text, &p->size, err);
	if (r < 0)
		return within(err, r, "manifest %s", p->record.digest);
	TRY(digest_of(digest_algorithm(p->record.digest), text, p->size, digest, err));
	if (strcmp(digest, p->record.digest) != 0)
		return fail(err, EINVAL, "manifest %s: its content has the digest %s",
			    p->record.digest, digest);
	p->text = arena_strdup(&p->arena, text);
	if (!p->text)
		return no_memory(err);
	return document_decode(text, p->size, "the manifest", NULL, &p->manifest, &p->arena, err);
}

static bool may_be_distributed(const struct descriptor *d)
{
	return !d->media_type ||
	       (!strstr(d->media_type, "nondistributable") && !strstr(d->media_type, ".foreign."));
}

static bool has_blob(const struct document *m, const char *digest)
{
	if (strcmp(m->config.digest, digest) == 0)
		return true;
	for (size_t i = 0; i < m->layers.count; i++)
		if (strcmp(m->layers.items[i].digest, digest) == 0)
			return true;
	return false;
}

/* What the image `name` of the same registry has in common with ours can be mounted from there. */
static void note_sources(struct push *p, const char *name)
{
	char path[DIGEST_TEXT_MAX];
	auto_mem char *text = NULL;
	struct image_record r;
	struct image_ref ref;
	struct document m;
	size_t size;

	if (record_read(p->store, name, &r, &p->arena, NULL) < 0 || !digest_is_valid(r.digest) ||
	    ref_parse(r.reference, &ref, NULL) < 0 ||
	    strcmp(ref.domain, p->registry.ref.domain) != 0 ||
	    strcmp(ref.path, p->registry.ref.path) == 0)
		return;
	store_blob_path(r.digest, path);
	if (file_read(p->store->blobs_dir, path, DOCUMENT_MAX, &text, &size, NULL) < 0 ||
	    document_decode(text, size, "", NULL, &m, &p->arena, NULL) < 0 || !m.has_layers)
		return;
	for (size_t i = 0; i < p->count; i++)
		if (!p->uploads[i].from && has_blob(&m, p->uploads[i].blob->digest))
			p->uploads[i].from = arena_strdup(&p->arena, ref.path);
}

static int plan(struct push *p, struct csn_error *err)
{
	const struct document *m = &p->manifest;
	char **names;
	size_t count;

	p->uploads = arena_array(&p->arena, m->layers.count + 1, sizeof *p->uploads);
	if (!p->uploads)
		return no_memory(err);
	for (size_t i = 0; i <= m->layers.count; i++) {
		const struct descriptor *d = i < m->layers.count ? &m->layers.items[i] : &m->config;
		size_t j = 0;
		while (j < p->count && strcmp(p->uploads[j].blob->digest, d->digest) != 0)
			j++;
		if (j == p->count && may_be_distributed(d))
			p->uploads[p->count++] = (struct upload){ .blob = d, .push = p, .fd = -1 };
	}
	TRY(record_names(p->store, &names, &count, &p->arena, err));
	for (size_t i = 0; i < count; i++)
		note_sources(p, names[i]);
	return 0;
}

/* ---- one blob -------------------------------------------------------------------------------- */

static void tell(struct upload *u, uint64_t bytes)
{
	struct push *p = u->push;
	const struct image_events *e = &p->options->events;

	u->told = bytes;
	(void)pthread_mutex_lock(&p->lock);
	if (e->transferred)
		e->transferred(e->data, u->blob->digest, bytes, u->blob->size);
	(void)pthread_mutex_unlock(&p->lock);
}

static void on_sent(void *data, uint64_t bytes)
{
	struct upload *u = data;

	if (bytes - u->told >= u->blob->size / 50 + 65536)
		tell(u, bytes);
}

/* 1: it is there. */
static int is_there(struct upload *u, struct csn_error *err)
{
	struct push *p = u->push;
	AUTO(http_response_done)
	struct http_response answer = { 0 };
	char path[sizeof "blobs/" + DIGEST_TEXT_MAX];
	const struct registry_call c = {
		.method = "HEAD", .path = path, .actions = "pull,push", .body_fd = -1
	};

	(void)snprintf(path, sizeof path, "blobs/%s", u->blob->digest);
	TRY(registry_ask(&p->registry, p->endpoint, &c, &answer, err));
	if (answer.status == 200)
		return 1;
	return answer.status == 404 ? 0 : registry_refused(p->endpoint, "the blob", &answer, err);
}

/* Asks for a place; 1: the registry has taken the blob from another repository. */
static int begin_upload(struct upload *u, char **ret_place, struct csn_error *err)
{
	struct push *p = u->push;
	AUTO(http_response_done)
	struct http_response answer = { 0 };
	char query[DIGEST_TEXT_MAX + 3 * REF_NAME_MAX + 32], scope[REF_NAME_MAX + 32];
	struct registry_call c = {
		.method = "POST", .path = "blobs/uploads/", .actions = "pull,push", .body_fd = -1
	};

	if (u->from) {
		auto_mem char *from = url_escape(u->from);
		if (!from)
			return no_memory(err);
		(void)snprintf(query, sizeof query, "mount=%s&from=%s", u->blob->digest, from);
		(void)snprintf(scope, sizeof scope, "repository:%.255s:pull", u->from);
		c.query = query;
		c.more_scope = scope;
	}
	int r = registry_ask(&p->registry, p->endpoint, &c, &answer, err);
	/* Not allowed to read there, perhaps: without the mount it may be. */
	if (u->from && (r == -EACCES || (r == 0 && answer.status >= 400 && answer.status < 500))) {
		u->from = NULL;
		return begin_upload(u, ret_place, err);
	}
	TRY(r);
	if (answer.status == 201 && u->from)
		return 1;
	if (answer.status != 202)
		return registry_refused(p->endpoint, "beginning an upload", &answer, err);
	if (!answer.location)
		return fail(err, EBADMSG, "registry %s: beginning an upload: no Location",
			    p->endpoint->host);
	*ret_place = take_ptr(answer.location);
	return 0;
}

static int send_blob(struct upload *u, const char *place, struct http_response *ret,
		     struct csn_error *err)
{
	struct push *p = u->push;
	char query[DIGEST_TEXT_MAX + 16];
	const struct registry_call c = {
		.method = "PUT",
		.url = place,
		.query = query,
		.headers = { "Content-Type: application/octet-stream" },
		.actions = "pull,push",
		.body_size = u->blob->size,
		.body_fd = u->fd,
		.sent = on_sent,
		.slow = true,
		.data = u,
	};

	(void)snprintf(query, sizeof query, "digest=%s", u->blob->digest);
	u->told = 0;
	return registry_try(&p->registry, p->endpoint, &c, ret, err);
}

static int upload_blob(struct upload *u, struct csn_error *err)
{
	struct push *p = u->push;

	for (int attempt = 1;; attempt++) {
		AUTO(http_response_done)
		struct http_response answer = { 0 };
		auto_mem char *place = NULL;
		int r = begin_upload(u, &place, err);
		if (r != 0)
			return r < 0 ? r : 0;
		r = send_blob(u, place, &answer, err);
		if (r == 0 && answer.status == 201)
			return 0;
		if (!registry_may_retry(r, &answer) || attempt == TRIES)
			return r < 0 ? r
				     : registry_refused(p->endpoint, "the upload", &answer, err);
		TRY(registry_pause(&p->registry, attempt, r < 0 ? NULL : &answer, err));
	}
}

static int push_blob(struct upload *u, struct csn_error *err)
{
	struct push *p = u->push;
	char path[DIGEST_TEXT_MAX];
	struct stat st;
	int r = is_there(u, err);

	if (r == 0) {
		store_blob_path(u->blob->digest, path);
		u->fd = openat(p->store->blobs_dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (u->fd < 0 || fstat(u->fd, &st) < 0)
			return fail_errno(err, "open the blob");
		if ((uint64_t)st.st_size != u->blob->size)
			return fail(err, EINVAL, "is %llu bytes, but should be %llu",
				    (unsigned long long)st.st_size,
				    (unsigned long long)u->blob->size);
		r = upload_blob(u, err);
		close_fd(&u->fd);
	}
	if (r >= 0)
		tell(u, u->blob->size);
	return r;
}

static void *worker(void *data)
{
	struct push *p = data;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop && p->next < p->count) {
		struct upload *u = &p->uploads[p->next++];
		(void)pthread_mutex_unlock(&p->lock);
		u->result = push_blob(u, &u->error);
		if (u->result < 0) {
			(void)within(&u->error, u->result, "blob %s", u->blob->digest);
			http_cancel(p->registry.http);
		}
		(void)pthread_mutex_lock(&p->lock);
		p->stop |= u->result < 0;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int push_blobs(struct push *p, struct csn_error *err)
{
	pthread_t threads[THREADS - 1];
	size_t count = 0;

	while (count < COUNT(threads) && count + 1 < p->count &&
	       pthread_create(&threads[count], NULL, worker, p) == 0)
		count++;
	(void)worker(p);
	while (count > 0)
		(void)pthread_join(threads[--count], NULL);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < p->count; i++) {
			const struct upload *u = &p->uploads[i];
			/* Those that were only stopped by another's failure tell nothing. */
			if (u->result < 0 && (pass == 1 || u->error.code != ECANCELED))
				return fail(err, u->error.code, "%s", u->error.text);
		}
	return 0;
}

/* ---- the manifest ---------------------------------------------------------------------------- */

static int push_manifest(struct push *p, struct csn_error *err)
{
	AUTO(http_response_done)
	struct http_response answer = { 0 };
	const struct image_ref *to = &p->registry.ref;
	char path[sizeof "manifests/" + DIGEST_TEXT_MAX], type[200];
	const struct registry_call c = {
		.method = "PUT",
		.path = path,
		.headers = { type },
		.actions = "pull,push",
		.body = p->text,
		.body_size = p->size,
		.body_fd = -1,
	};

	(void)snprintf(path, sizeof path, "manifests/%s", to->tag[0] ? to->tag : to->digest);
	(void)snprintf(type, sizeof type, "Content-Type: %.150s",
		       p->manifest.media_type ? p->manifest.media_type : MEDIA_OCI_MANIFEST);
	TRY(registry_ask(&p->registry, p->endpoint, &c, &answer, err));
	if (answer.status != 201)
		return registry_refused(p->endpoint, "the manifest", &answer, err);
	if (answer.content_digest && strcmp(answer.content_digest, p->record.digest) != 0)
		return fail(err, EBADMSG,
			    "registry %s: says that the manifest has the digest %.100s, not %s",
			    p->endpoint->host, answer.content_digest, p->record.digest);
	return 0;
}

static int find_endpoint(struct push *p, struct csn_error *err)
{
	for (size_t i = p->registry.endpoint_count; i-- > 0;)
		if (p->registry.endpoints[i].push) {
			p->endpoint = &p->registry.endpoints[i];
			return 0;
		}
	return fail(err, EPERM, "registry %s: the configuration allows no pushing",
		    p->registry.ref.domain);
}

static int run(struct push *p, struct csn_error *err)
{
	TRY(find_endpoint(p, err));
	TRY(plan(p, err));
	TRY(push_blobs(p, err));
	return push_manifest(p, err);
}

/* A destination of a digest only can take nothing but that digest. */
static int check_destination(const struct push *p, const struct image_ref *to,
			     struct csn_error *err)
{
	if (to->digest[0] && strcmp(to->digest, p->record.digest) != 0)
		return fail(err, EINVAL, "the image has the digest %s: it cannot be pushed as %s",
			    p->record.digest, to->digest);
	return 0;
}

static int push_open(struct push *p, struct csn_error *err)
{
	const struct image_push *o = p->options;
	char reference[REF_TEXT_MAX];
	struct image_ref to;

	TRY(ref_normalise(o->name, reference, err));
	TRY(ref_parse(o->destination ? o->destination : o->name, &to, err));
	TRY(read_image(p, reference, err));
	TRY(check_destination(p, &to, err));
	return registry_open(&o->remote, &to, &o->events, &p->registry, err);
}

static int tell_result(struct push *p, struct image_list *ret, struct csn_error *err)
{
	char reference[REF_TEXT_MAX];

	ref_format(&p->registry.ref, reference);
	p->record.reference = reference;
	return record_to_list(&p->record, ret, err);
}

int image_push(struct image_store *s, const struct image_push *o, struct image_list *ret,
	       struct csn_error *err)
{
	struct push p = { .store = s, .options = o };
	/* What is read here must not be freed meanwhile. */
	auto_fd use = store_lock_use(s, err);
	TRY(use);

	(void)pthread_mutex_init(&p.lock, NULL);
	int r = push_open(&p, err);
	if (r == 0) {
		r = run(&p, err);
		if (r == 0)
			r = tell_result(&p, ret, err);
	}
	if (p.registry.options)
		registry_close(&p.registry);
	(void)pthread_mutex_destroy(&p.lock);
	arena_free(&p.arena);
	return r;
}
