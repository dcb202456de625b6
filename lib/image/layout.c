/*
 * OCI image layouts: index.json → perhaps nested indexes → a manifest per name → blobs.
 *
 * Entries of the same name are one image for several platforms; so are the entries of an index. The
 * one that fits best is taken, of equals the first. Attestations and other things that are no
 * images are passed over. Blobs that no chosen image needs may be missing or wrong; they are not
 * looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/choose.h"
#include "image/load.h"

/* A document's text, verified. It becomes part of the store only when it is staged. */
static int read_blob(struct load *l, const struct descriptor *d, char **ret, size_t *ret_size,
		     struct csn_error *err)
{
	char path[sizeof "blobs/" + DIGEST_TEXT_MAX] = "blobs/", digest[DIGEST_TEXT_MAX];

	store_blob_path(d->digest, path + strlen("blobs/"));
	if (source_has(&l->source, path))
		TRY(source_read(&l->source, path, ret, ret_size, err));
	else
		TRY(session_read_blob(&l->session, d->digest, ret, ret_size, err));
	if (*ret_size != d->size)
		return fail(err, EINVAL, "is %zu bytes, but should be %llu", *ret_size,
			    (unsigned long long)d->size);
	TRY(digest_of(digest_algorithm(d->digest), *ret, *ret_size, digest, err));
	if (strcmp(digest, d->digest) != 0)
		return fail(err, EINVAL, "its content has the digest %s", digest);
	return 0;
}

static int read_document(void *data, const struct descriptor *d, struct document *ret,
			 struct csn_error *err)
{
	struct load *l = data;
	auto_mem char *text = NULL;
	size_t size;
	char name[sizeof "manifest " + DIGEST_TEXT_MAX];

	(void)snprintf(name, sizeof name, "%s %s",
		       media_type_kind(d->media_type) == DOCUMENT_INDEX ? "index" : "manifest",
		       d->digest);
	int r = read_blob(l, d, &text, &size, err);
	if (r < 0)
		return within(err, r, "%s", name);
	return document_decode(text, size, name, d->media_type, ret, &l->arena, err);
}

static int install_manifest(struct load *l, const struct descriptor *d, const char *reference,
			    struct csn_error *err)
{
	struct document m;
	bool stored;

	TRY(read_document(l, d, &m, err));
	TRY(source_stage_blob(&l->source, d->digest, d->size, &stored, err));
	TRY(document_check_image(&m, d->digest, err));
	TRY(source_stage_blob(&l->source, m.config.digest, m.config.size, &stored, err));

	struct found_image f = {
		.manifest_digest = d->digest,
		.manifest_type = d->media_type ? d->media_type : MEDIA_OCI_MANIFEST,
		.manifest_size = d->size,
		.config_digest = m.config.digest,
		.layers = arena_array(&l->arena, m.layers.count, sizeof *f.layers),
		.layer_count = m.layers.count,
		.references = &reference,
		.reference_count = 1,
	};
	if (!f.layers)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < m.layers.count; i++) {
		const struct descriptor *layer = &m.layers.items[i];
		TRY(source_stage_blob(&l->source, layer->digest, layer->size, &stored, err));
		f.layers[i] = (struct blob_ref){ layer->digest, layer->size, stored, { 0 } };
	}
	return load_install(l, &f, err);
}

/* The name that a layout gives an entry: buildkit and containerd say the whole one, others put it,
 * or a tag only, into the annotation of the OCI spec. */
static const char *given_name(const struct descriptor *d)
{
	const char *name = descriptor_annotation(d, "io.containerd.image.name");

	return name ? name : descriptor_annotation(d, "org.opencontainers.image.ref.name");
}

static bool same_name(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* All entries of one name; of any, when the user gives the name. */
static int install_name(struct load *l, const struct descriptors *all, const char *name,
			struct csn_error *err)
{
	bool any = l->options->name != NULL;
	struct chooser choose = { &l->platform, read_document, l };
	struct choice best = { 0 };
	const char *reference;
	char want[128];

	for (size_t i = 0; i < all->count; i++)
		if (any || same_name(given_name(&all->items[i]), name))
			TRY(choose_consider(&choose, &all->items[i], &best, err));
	platform_format(&l->platform, want, sizeof want);
	if (best.rank == 0 && best.seen[0])
		return fail(err, ENOENT, "image %.200s%sis there for %s, not for %s",
			    name ? name : "", name ? " " : "", best.seen, want);
	if (best.rank == 0)
		return 0; /* something else than images */
	if (any && best.equals > 0)
		return fail(err, EINVAL, "several images; one name cannot be given to all");
	if (!name && best.equals > 0)
		return fail(err, EINVAL, "has %zu images without a name", best.equals + 1);
	TRY(load_reference(l, name, &reference, err));
	return install_manifest(l, &best.manifest, reference, err);
}

int layout_find(struct load *l, struct csn_error *err)
{
	struct document index;
	auto_mem char *text = NULL;
	size_t size;

	TRY(source_read(&l->source, "index.json", &text, &size, err));
	TRY(document_decode(text, size, "index.json", NULL, &index, &l->arena, err));
	if (!index.has_manifests)
		return fail(err, EINVAL, "index.json: manifests: missing");

	for (size_t i = 0; i < index.manifests.count; i++) {
		const char *name = given_name(&index.manifests.items[i]);
		bool again = false;
		for (size_t j = 0; j < i; j++)
			again |= same_name(given_name(&index.manifests.items[j]), name);
		if (again || (i > 0 && l->options->name))
			continue;
		TRY(install_name(l, &index.manifests, name, err));
	}
	if (l->entry_count == 0)
		return fail(err, EINVAL, "no image: index.json lists none");
	return 0;
}
