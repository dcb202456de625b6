/*
 * One member of a document replaced, every other byte kept. The text must have been parsed before:
 * here it is only walked, by brackets and strings.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

/* Behind the string that begins at s. */
static const char *skip_string(const char *s)
{
	for (s++; *s && *s != '"'; s++)
		s += *s == '\\' && s[1];
	return *s ? s + 1 : s;
}

/* Behind the value that begins at s. */
static const char *skip_value(const char *s)
{
	if (*s == '"')
		return skip_string(s);
	if (*s != '{' && *s != '[')
		return s + strcspn(s, ",]} \t\r\n");
	for (int depth = 0; *s;) {
		if (*s == '"') {
			s = skip_string(s);
			continue;
		}
		depth += (*s == '{' || *s == '[') - (*s == '}' || *s == ']');
		s++;
		if (depth == 0)
			break;
	}
	return s;
}

/* The value of a member of the object at s; NULL: there is none. Keys are compared as written. */
static const char *find_member(const char *s, const char *key)
{
	size_t length = strlen(key);
	if (*s != '{')
		return NULL;
	for (s = skip_blanks(s + 1); *s == '"';) {
		const char *name = s + 1, *end = skip_string(s);
		bool found = (size_t)(end - name) == length + 1 && memcmp(name, key, length) == 0;
		s = skip_blanks(end);
		s = skip_blanks(s + (*s == ':'));
		if (found)
			return s;
		s = skip_blanks(skip_value(s));
		if (*s != ',')
			return NULL;
		s = skip_blanks(s + 1);
	}
	return NULL;
}

int json_replace(const char *text, const char *const path[], const char *value, char **ret,
		 struct csn_error *err)
{
	const char *at = skip_blanks(text);
	for (size_t i = 0; at && path[i]; i++) {
		at = find_member(at, path[i]);
		if (!at)
			return fail(err, ENOENT, "no member \"%s\"", path[i]);
	}
	if (asprintf(ret, "%.*s%s%s", (int)(at - text), text, value, skip_value(at)) < 0) {
		*ret = NULL;
		return fail(err, ENOMEM, "out of memory");
	}
	return 0;
}
