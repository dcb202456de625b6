/* An index out of any bytes, and what is chosen of it: an image, and the same one every time. */
#include <errno.h>
#include <string.h>

#include "image/choose.h"
#include "image/digest.h"
#include "tests/fuzz/fuzz.h"

/* Every nested index is the outer one: a circle, which must end. */
static int read_same(void *data, const struct descriptor *d, struct document *ret,
		     struct csn_error *err)
{
	int *left = ((int **)data)[1];

	(void)d;
	if (--*left < 0) {
		err->code = ELOOP;
		return -ELOOP;
	}
	*ret = *(struct document *)((void **)data)[0];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char linux_name[] = "linux", arch[] = "arm", variant[] = "v7";
	const struct platform want = { true, linux_name, arch, variant };
	struct arena arena = { 0 };
	struct csn_error err = { 0 };
	struct document d;

	if (document_decode((const char *)data, size, "i", NULL, &d, &arena, &err) == 0 &&
	    d.has_manifests) {
		int left = 1000;
		void *context[] = { &d, &left };
		const struct chooser c = { &want, read_same, context };
		struct choice best = { 0 };
		for (size_t i = 0; i < d.manifests.count && i < 100; i++)
			if (choose_consider(&c, &d.manifests.items[i], &best, &err) < 0)
				break;
		MUST(best.rank == 0 || digest_is_valid(best.manifest.digest));
		MUST(best.rank == 0 ||
		     media_type_kind(best.manifest.media_type) == DOCUMENT_MANIFEST);
	}
	arena_free(&arena);
	return 0;
}
