/*
 * Manifests, indexes and configs of a registry: small documents, whole in memory.
 *
 * The digest is computed here from the bytes; what a header says of it is not believed. A document
 * must be what its Content-Type, its own mediaType and the descriptor that named it say, all three.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/pull.h"

static const char accept_manifests[] = "Accept: application/vnd.oci.image.index.v1+json, "
				       "application/vnd.oci.image.manifest.v1+json, "
				       "application/vnd.docker.distribution.manifest.list.v2+json, "
				       "application/vnd.docker.distribution.manifest.v2+json";

/* "application/json; charset=utf-8" without the parameters; NULL when it names no kind of
 * manifest, as that of a plain file server. */
static char *header_type(const char *content_type, struct arena *arena)
{
	char *type = content_type ? arena_printf(arena, "%.*s", (int)strcspn(content_type, "; \t"),
						 content_type)
				  : NULL;

	return type && media_type_kind(type) != DOCUMENT_OTHER ? type : NULL;
}

static int check_bytes(const struct fetched *f, const char *reference, const struct descriptor *d,
		       struct csn_error *err)
{
	const char *digest = d ? d->digest : digest_is_valid(reference) ? reference : NULL;

	if (d && d->size != f->size)
		return fail(err, EINVAL, "is %zu bytes, but should be %llu", f->size,
			    (unsigned long long)d->size);
	if (digest && strcmp(digest, f->digest) != 0)
		return fail(err, EINVAL, "its content has the digest %s", f->digest);
	return 0;
}

static int decode(struct fetched *f, const char *name, const char *content_type,
		  const struct descriptor *d, struct arena *arena, struct csn_error *err)
{
	char *type = header_type(content_type, arena);

	if (content_type && strstr(content_type, "docker.distribution.manifest.v1+"))
		return fail(err, EINVAL, "%s: manifests of schema version 1 are not supported",
			    name);
	if (d && d->media_type && type && strcmp(d->media_type, type) != 0)
		return fail(err, EINVAL,
			    "%s: its Content-Type is '%.100s', but its descriptor says '%.100s'",
			    name, type, d->media_type);
	TRY(document_decode(f->text, f->size, name, d ? d->media_type : NULL, &f->document, arena,
			    err));
	/* Here the document is sound by itself; now against the header. */
	if (type && f->document.media_type && strcmp(type, f->document.media_type) != 0)
		return fail(err, EINVAL,
			    "%s: its Content-Type is '%.100s', but its mediaType '%.100s'", name,
			    type, f->document.media_type);
	const char *known = f->document.media_type ? f->document.media_type
			    : d && d->media_type   ? d->media_type
						   : type;
	enum document_kind kind = f->document.has_manifests ? DOCUMENT_INDEX : DOCUMENT_MANIFEST;
	if (!known)
		known = kind == DOCUMENT_INDEX ? MEDIA_OCI_INDEX : MEDIA_OCI_MANIFEST;
	if (media_type_kind(known) != kind)
		return fail(err, EINVAL,
			    "%s: its Content-Type '%.100s' does not fit what is inside", name,
			    known);
	f->media_type = arena_strdup(arena, known);
	return f->media_type ? 0 : fail(err, ENOMEM, "out of memory");
}

static int take(struct fetched *f, const struct http_response *answer, const char *digest,
		struct arena *arena, struct csn_error *err)
{
	char text[DIGEST_TEXT_MAX];

	f->size = answer->body_size;
	f->text = arena_alloc(arena, f->size + 1);
	if (!f->text)
		return fail(err, ENOMEM, "out of memory");
	if (f->size)
		memcpy(f->text, answer->body, f->size);
	TRY(digest_of(digest ? digest_algorithm(digest) : DIGEST_SHA256, f->text, f->size, text,
		      err));
	f->digest = arena_strdup(arena, text);
	return f->digest ? 0 : fail(err, ENOMEM, "out of memory");
}

int fetch_manifest(struct registry *r, struct endpoint *e, const char *reference,
		   const struct descriptor *d, struct fetched *ret, struct arena *arena,
		   struct csn_error *err)
{
	AUTO(http_response_done)
	struct http_response answer = { 0 };
	char path[sizeof "manifests/" + DIGEST_TEXT_MAX], what[2 * REF_NAME_MAX];
	const struct registry_call c = {
		.method = "GET",
		.path = path,
		.headers = { accept_manifests },
		.actions = "pull",
		.body_fd = -1,
		.max_body = MANIFEST_MAX,
	};

	(void)snprintf(path, sizeof path, "manifests/%s", reference);
	(void)snprintf(what, sizeof what, "%.250s%s%.150s", e->repository,
		       strchr(reference, ':') ? "@" : ":", reference);
	int v = registry_ask(r, e, &c, &answer, err);
	if (v < 0)
		return v;
	if (answer.status != 200)
		return registry_refused(e, what, &answer, err);
	*ret = (struct fetched){ 0 };
	v = take(ret, &answer, digest_is_valid(reference) ? reference : NULL, arena, err);
	if (v == 0)
		v = check_bytes(ret, reference, d, err);
	if (v < 0)
		return within(err, v, "registry %s: %s", e->host, what);
	v = decode(ret, what, answer.content_type, d, arena, err);
	return v < 0 ? within(err, v, "registry %s", e->host) : 0;
}

int fetch_small_blob(struct registry *r, struct endpoint *e, const struct descriptor *d, char **ret,
		     struct csn_error *err)
{
	AUTO(http_response_done)
	struct http_response answer = { 0 };
	char path[sizeof "blobs/" + DIGEST_TEXT_MAX], digest[DIGEST_TEXT_MAX];
	const struct registry_call c = {
		.method = "GET",
		.path = path,
		.actions = "pull",
		.body_fd = -1,
		.max_body = (size_t)d->size + 1,
	};

	(void)snprintf(path, sizeof path, "blobs/%s", d->digest);
	TRY(registry_ask(r, e, &c, &answer, err));
	if (answer.status != 200)
		return registry_refused(e, "the config", &answer, err);
	if (answer.body_size != d->size)
		return fail(err, EINVAL, "registry %s: config %s: is %zu bytes, but should be %llu",
			    e->host, d->digest, answer.body_size, (unsigned long long)d->size);
	TRY(digest_of(digest_algorithm(d->digest), answer.body ? answer.body : "", answer.body_size,
		      digest, err));
	if (strcmp(digest, d->digest) != 0)
		return fail(err, EINVAL, "registry %s: config %s: its content has the digest %s",
			    e->host, d->digest, digest);
	*ret = take_ptr(answer.body);
	if (!*ret)
		*ret = strdup("");
	return *ret ? 0 : fail(err, ENOMEM, "out of memory");
}
