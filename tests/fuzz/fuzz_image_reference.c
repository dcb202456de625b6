/* An image reference out of any bytes: refused, or normalised to something that means the same. */
#include <string.h>

#include "image/ref.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	char once[REF_TEXT_MAX], twice[REF_TEXT_MAX];
	struct csn_error err = { 0 };
	struct image_ref ref;

	MUST(text);
	if (ref_parse(text, &ref, &err) < 0) {
		MUST(err.code > 0 && err.text[0]);
	} else {
		MUST(ref.domain[0] && ref.path[0] && (ref.tag[0] || ref.digest[0]));
		MUST(!ref.digest[0] || digest_is_valid(ref.digest));
		MUST(!strstr(ref.path, "..") && ref.path[0] != '/');
		MUST(strlen(ref.domain) + 1 + strlen(ref.path) <= REF_NAME_MAX);
		ref_format(&ref, once);
		MUST(ref_normalise(once, twice, &err) == 0 && strcmp(once, twice) == 0);
	}
	free(text);
	return 0;
}
