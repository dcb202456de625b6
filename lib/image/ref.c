/*
 * The grammar of image references.
 *
 * The text is taken apart from the right: "@digest", then ":tag" (a colon behind the last slash),
 * then the domain: the part before the first slash, if it looks like a host (has a dot, a colon or
 * an upper-case letter, or is "localhost"). What is left is the path, whose components are checked
 * one by one. No domain means docker.io, where a path of one component lives below "library/".
 */
#include "image/ref.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM  LOWER UPPER DIGITS

static int bad(struct csn_error *err, const char *text, const char *why)
{
	return fail(err, EINVAL, "image name '%.200s': %s", text, why);
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool component_is_valid(const char *s, size_t size)
{
	size_t i = 0;

	for (;;) {
		size_t word = 0;
		while (i + word < size && s[i + word] && strchr(LOWER DIGITS, s[i + word]))
			word++;
		if (word == 0)
			return false;
		i += word;
		if (i == size)
			return true;

		if (s[i] == '-') {
			while (i < size && s[i] == '-')
				i++;
		} else if (s[i] == '_') {
			i += i + 1 < size && s[i + 1] == '_' ? 2 : 1;
		} else if (s[i] == '.') {
			i++;
		} else {
			return false;
		}
	}
}

static bool path_is_valid(const char *path)
{
	while (true) {
		size_t size = strcspn(path, "/");
		if (!component_is_valid(path, size))
			return false;
		if (path[size] == '\0')
			return true;
		path += size + 1;
	}
}

/* A host name, an IPv4 address or an IPv6 address in brackets; then perhaps ":port". */
static bool domain_is_valid(const char *domain)
{
	const char *port;

	if (domain[0] == '[') {
		size_t size = strspn(domain + 1, DIGITS "abcdefABCDEF:.");
		if (size == 0 || domain[1 + size] != ']')
			return false;
		port = domain + size + 2;
	} else {
		size_t size = strcspn(domain, ":");
		for (size_t i = 0; i < size;) {
			size_t label = strcspn(domain + i, ".:");
			if (label == 0 || strspn(domain + i, ALNUM "-") < label ||
			    domain[i] == '-' || domain[i + label - 1] == '-')
				return false;
			i += label;
			if (domain[i] == '.' && ++i == size)
				return false;
		}
		port = domain + size;
	}
	if (*port == '\0')
		return domain[0] != '\0';
	size_t digits = strlen(port + 1);
	return *port == ':' && digits > 0 && digits <= 5 && strspn(port + 1, DIGITS) == digits &&
	       atoi(port + 1) <= 65535;
}

static bool looks_like_domain(const char *first, size_t size)
{
	if (size == strlen("localhost") && strncmp(first, "localhost", size) == 0)
		return true;
	for (size_t i = 0; i < size; i++)
		if (strchr(".:" UPPER, first[i]))
			return true;
	return false;
}

/* Cuts "@digest" and ":tag" off name. */
static int split_suffixes(const char *text, char *name, struct image_ref *ref,
			  struct csn_error *err)
{
	char *at = strchr(name, '@');
	if (at) {
		*at = '\0';
		struct csn_error why;
		int r = digest_check(at + 1, &why);
		if (r < 0)
			return bad(err, text, why.text);
		(void)snprintf(ref->digest, sizeof ref->digest, "%s", at + 1);
	}

	char *slash = strrchr(name, '/');
	char *colon = strchr(slash ? slash : name, ':');
	if (colon) {
		*colon = '\0';
		const char *tag = colon + 1;
		if (strlen(tag) > REF_TAG_MAX)
			return bad(err, text, "the tag is longer than 128 characters");
		if (!*tag || *tag == '.' || *tag == '-' || strspn(tag, ALNUM "_.-") != strlen(tag))
			return bad(err, text,
				   "a tag holds letters, digits, '_', '.' and '-', and starts with "
				   "none of the last two");
		(void)snprintf(ref->tag, sizeof ref->tag, "%s", tag);
	} else if (!at) {
		(void)strcpy(ref->tag, "latest");
	}
	return 0;
}

static int check_name(const char *text, const struct image_ref *ref, struct csn_error *err)
{
	if (!domain_is_valid(ref->domain))
		return bad(err, text, "the part before the first slash is no host name");
	if (strspn(ref->path, DIGITS "abcdef") == 64 && strlen(ref->path) == 64)
		return bad(err, text, "64 hex digits are an image id, not a name");
	if (strpbrk(ref->path, UPPER))
		return bad(err, text, "repository names are lower case");
	if (!path_is_valid(ref->path))
		return bad(err, text,
			   "a name holds lower-case letters and digits with '/', '.', '_', '-' "
			   "between them");
	return 0;
}

int ref_parse(const char *text, struct image_ref *ret, struct csn_error *err)
{
	struct image_ref ref = { 0 };
	char name[REF_TEXT_MAX];

	if (!*text)
		return fail(err, EINVAL, "the image name is empty");
	if (strlen(text) >= sizeof name)
		return bad(err, text, "too long");
	(void)strcpy(name, text);
	TRY(split_suffixes(text, name, &ref, err));

	size_t first = strcspn(name, "/");
	bool has_domain = name[first] == '/' && looks_like_domain(name, first);
	if (strlen(name) > REF_NAME_MAX)
		return bad(err, text, "longer than 255 characters");

	const char *path = has_domain ? name + first + 1 : name;
	if (has_domain)
		(void)snprintf(ref.domain, sizeof ref.domain, "%.*s", (int)first, name);
	if (!has_domain || strcmp(ref.domain, "index.docker.io") == 0)
		(void)strcpy(ref.domain, "docker.io");

	/* Checked before "library/" is put in front: an id must not become a name. */
	(void)snprintf(ref.path, sizeof ref.path, "%s", path);
	TRY(check_name(text, &ref, err));

	bool official = strcmp(ref.domain, "docker.io") == 0 && !strchr(path, '/');
	int n = snprintf(ref.path, sizeof ref.path, "%s%s", official ? "library/" : "", path);
	if ((size_t)n + strlen(ref.domain) + 1 > REF_NAME_MAX)
		return bad(err, text, "longer than 255 characters");
	*ret = ref;
	return 0;
}

void ref_format(const struct image_ref *ref, char ret[REF_TEXT_MAX])
{
	char *out = stpcpy(ret, ref->domain);
	*out++ = '/';
	out = stpcpy(out, ref->path);
	if (ref->tag[0]) {
		*out++ = ':';
		out = stpcpy(out, ref->tag);
	}
	if (ref->digest[0]) {
		*out++ = '@';
		(void)strcpy(out, ref->digest);
	}
}

int ref_normalise(const char *text, char ret[REF_TEXT_MAX], struct csn_error *err)
{
	struct image_ref ref;

	TRY(ref_parse(text, &ref, err));
	ref_format(&ref, ret);
	return 0;
}
