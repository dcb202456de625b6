/* Indexes may hold indexes: their images count as if they stood in the outer one. */
#include "image/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define NESTED_MAX 8

static bool is_attestation(const struct descriptor *d)
{
	if (descriptor_annotation(d, "vnd.docker.reference.type"))
		return true;
	return d->platform.set && strcmp(d->platform.os, "unknown") == 0;
}

static void note_platform(struct choice *c, const struct platform *p)
{
	char text[128];
	size_t used = strlen(c->seen);

	platform_format(p, text, sizeof text);
	(void)snprintf(c->seen + used, sizeof c->seen - used, "%s%.60s", used ? ", " : "", text);
}

static int consider(const struct chooser *c, const struct descriptor *d, int depth,
		    struct choice *best, struct csn_error *err)
{
	enum document_kind kind = media_type_kind(d->media_type);

	if (kind == DOCUMENT_OTHER || is_attestation(d))
		return 0;
	if (kind == DOCUMENT_INDEX) {
		struct document nested;
		if (depth == NESTED_MAX)
			return fail(err, ELOOP, "indexes in indexes, more than %d deep",
				    NESTED_MAX);
		TRY(c->read(c->data, d, &nested, err));
		for (size_t i = 0; i < nested.manifests.count; i++)
			TRY(consider(c, &nested.manifests.items[i], depth + 1, best, err));
		return 0;
	}

	/* No platform: it may be right; the config will tell. */
	int rank = d->platform.set ? platform_rank(c->platform, &d->platform) : 1;
	if (rank == 0)
		note_platform(best, &d->platform);
	if (rank > 0 && rank == best->rank && strcmp(d->digest, best->manifest.digest) != 0)
		best->equals++;
	if (rank > best->rank) {
		best->rank = rank;
		best->equals = 0;
		best->manifest = *d;
	}
	return 0;
}

int choose_consider(const struct chooser *c, const struct descriptor *d, struct choice *best,
		    struct csn_error *err)
{
	return consider(c, d, 0, best, err);
}
