/* registries.conf and hosts.toml out of any bytes. */
#include <string.h>

#include "image/endpoint.h"
#include "tests/fuzz/fuzz.h"

static void check_all(const struct endpoint *e, size_t count)
{
	for (size_t i = 0; i < count; i++)
		MUST(e[i].host && e[i].host[0] && e[i].api && e[i].repository && e[i].name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct arena arena = { 0 };
	struct csn_error err = { 0 };
	struct endpoint *list = NULL;
	struct image_ref ref;
	size_t count = 0;

	MUST(text && ref_parse("r.example:5000/a/b:1", &ref, NULL) == 0);
	size = strlen(text);
	if (endpoints_from_registries_conf(text, size, "f", &ref, &arena, &list, &count, &err) < 0)
		MUST(strncmp(err.text, "f:", 2) == 0);
	else
		check_all(list, count);
	count = 0;
	/* No file is named by such a short path. */
	if (!strstr(text, "ca") && !strstr(text, "client") &&
	    endpoints_from_hosts_toml(text, size, "f", "/nonexistent", &ref, &arena, &list, &count,
				      &err) == 0)
		check_all(list, count);
	arena_free(&arena);
	free(text);
	return 0;
}
