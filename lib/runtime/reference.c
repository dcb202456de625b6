/*
 * Image references as people write them, brought to the form by which the store knows them. Only
 * the form: what is wrong in it was refused when an image was loaded, so a wrong one is simply not
 * found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/runtime.h"

/* Has the part before the first slash the look of a host? */
static bool is_domain(const char *part, size_t size)
{
	if (size == strlen("localhost") && strncmp(part, "localhost", size) == 0)
		return true;
	for (size_t i = 0; i < size; i++)
		if (part[i] == '.' || part[i] == ':' || (part[i] >= 'A' && part[i] <= 'Z'))
			return true;
	return false;
}

char *reference_normalise(const char *text)
{
	const char *at = strchrnul(text, '@');
	size_t name = (size_t)(at - text);
	size_t first = strcspn(text, "/");
	bool has_domain = first < name && is_domain(text, first);
	const char *domain = "docker.io", *path = text;

	auto_mem char *given = has_domain ? strndup(text, first) : NULL;
	if (has_domain) {
		if (!given)
			return NULL;
		path = text + first + 1;
		if (strcmp(given, "index.docker.io") != 0)
			domain = given;
	}
	size_t path_size = name - (size_t)(path - text);
	const char *slash = memrchr(path, '/', path_size);
	const char *last = slash ? slash + 1 : path;
	bool has_tag = memchr(last, ':', path_size - (size_t)(last - path)) != NULL;
	bool official = !slash && strcmp(domain, "docker.io") == 0;

	char *whole;
	int n = asprintf(&whole, "%s/%s%.*s%s%s", domain, official ? "library/" : "",
			 (int)path_size, path, has_tag || *at ? "" : ":latest", at);
	return n < 0 ? NULL : whole;
}
