/* Manifests and indexes out of any bytes: one kind of document only, with digests that may become
 * file names. */
#include <string.h>

#include "image/digest.h"
#include "image/manifest.h"
#include "tests/fuzz/fuzz.h"

static void check_all(const struct descriptors *list)
{
	for (size_t i = 0; i < list->count; i++) {
		MUST(digest_is_valid(list->items[i].digest));
		(void)descriptor_annotation(&list->items[i], "org.opencontainers.image.ref.name");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { NULL, MEDIA_OCI_INDEX, MEDIA_OCI_MANIFEST };
	const char *text = (const char *)data;

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct arena arena = { 0 };
		struct csn_error err = { 0 };
		struct document d;
		if (document_decode(text, size, "m", types[i], &d, &arena, &err) < 0) {
			MUST(err.code > 0 && strncmp(err.text, "m: ", 3) == 0);
		} else {
			MUST(d.has_manifests != d.has_layers);
			MUST(!d.has_manifests || !d.config.set);
			MUST(!d.has_layers || digest_is_valid(d.config.digest));
			MUST(i == 0 || d.has_manifests == (i == 1));
			check_all(&d.layers);
			check_all(&d.manifests);
			if (d.has_layers)
				(void)document_check_image(&d, "sha256:x", &err);
		}
		arena_free(&arena);
	}
	return 0;
}
