/*
 * config.json, a process object and a resources object out of any bytes: decoded or refused with
 * one line of text, never anything else, and refused the same way twice.
 */
#include <errno.h>
#include <string.h>

#include "spec/spec.h"
#include "tests/fuzz/fuzz.h"

typedef int parse_fn(const char *text, size_t size, const char *name, struct spec **ret,
		     struct csn_error *err);

static void check_error(const struct csn_error *err)
{
	static const char name[] = "config.json: ";
	MUST(err->code == EINVAL || err->code == ENOMEM);
	MUST(strncmp(err->text, name, sizeof name - 1) == 0);
	MUST(err->text[sizeof name - 1] != '\0');
	for (const char *p = err->text; *p; p++)
		MUST(*p != '\n');
}

static void parse(parse_fn *fn, const char *text, size_t size)
{
	struct csn_error err = { 0 }, again = { 0 };
	struct spec *s = NULL, *t = NULL;
	int r = fn(text, size, "config.json", &s, &err);

	MUST(r == 0 || r == -EINVAL || r == -ENOMEM);
	MUST((r == 0) == (s != NULL));
	if (r == 0) {
		MUST(s->text_size == size && memcmp(s->text, text, size) == 0);
	} else {
		check_error(&err);
		MUST(fn(text, size, "config.json", &t, &again) == r);
		MUST(strcmp(err.text, again.text) == 0);
	}
	spec_free(s);
	spec_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	parse(spec_parse, text, size);
	parse(spec_parse_process, text, size);
	parse(spec_parse_resources, text, size);
	return 0;
}
