/* An image's config out of any bytes: what is passed on of it is an object again. */
#include <string.h>

#include "base/json.h"
#include "image/digest.h"
#include "image/manifest.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_field none[] = { { 0 } };
	struct arena arena = { 0 };
	struct csn_error err = { 0 };
	struct image_config c;

	if (image_config_decode((const char *)data, size, "c", &c, &arena, &err) < 0) {
		MUST(err.code > 0 && strncmp(err.text, "c: ", 3) == 0);
	} else {
		for (size_t i = 0; i < c.rootfs.diff_ids.count; i++)
			MUST(digest_is_valid(c.rootfs.diff_ids.items[i]));
		MUST(json_decode(c.config, strlen(c.config), "o", none, &c, &arena, &err) == 0);
	}
	arena_free(&arena);
	return 0;
}
