/* A scanner that knows where members of a JSON object begin and end, and nothing of their values.
 */
#include "image/jsontext.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"

struct span {
	size_t key, key_size; /* between the quotes */
	size_t value, value_size;
};

/* Behind the string that begins at i. */
static size_t skip_string(const char *text, size_t size, size_t i)
{
	for (i++; i < size && text[i] != '"'; i++)
		if (text[i] == '\\')
			i++;
	return i + 1;
}

/* Behind the value that begins at i. */
static size_t skip_value(const char *text, size_t size, size_t i)
{
	int depth = 0;

	while (i < size) {
		char c = text[i];
		if (c == '"') {
			i = skip_string(text, size, i);
			if (depth == 0)
				return i;
			continue;
		}
		if (depth == 0 && c && strchr(",}] \t\r\n", c))
			return i;
		depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		i++;
		if (depth == 0 && (c == '}' || c == ']'))
			return i;
	}
	return size;
}

/* The next member; *at begins with 0. */
static bool next_member(const char *text, size_t size, size_t *at, struct span *ret)
{
	size_t i = *at;

	while (i < size && text[i] && strchr(" \t\r\n,:{", text[i]))
		i++;
	if (i >= size || text[i] != '"')
		return false;
	ret->key = i + 1;
	i = skip_string(text, size, i);
	ret->key_size = i - ret->key - 1;
	while (i < size && text[i] && strchr(" \t\r\n:", text[i]))
		i++;
	ret->value = i;
	i = skip_value(text, size, i);
	i = i < size ? i : size;
	ret->value_size = i - ret->value;
	*at = i;
	return true;
}

static bool is_named(const char *text, const struct span *s, const char *name)
{
	return s->key_size == strlen(name) && memcmp(text + s->key, name, s->key_size) == 0;
}

bool json_member_text(const char *text, size_t size, const char *name, size_t *ret_start,
		      size_t *ret_size)
{
	struct span s;
	size_t at = 0;

	while (next_member(text, size, &at, &s))
		if (is_named(text, &s, name)) {
			*ret_start = s.value;
			*ret_size = s.value_size;
			return true;
		}
	return false;
}

int json_member_set(const char *text, size_t size, const char *name, const char *value, char **ret,
		    struct csn_error *err)
{
	auto_mem char *out = NULL, *quoted = NULL;
	struct json_out name_text = JSON_OUT_COMPACT;
	const char *comma = "\n\t";
	size_t room, used, at = 0;
	struct span s;

	json_put_string(&name_text, NULL, name);
	TRY(json_out_take(&name_text, &quoted, err));
	room = size + strlen(quoted) + (value ? strlen(value) : 0) + 16;
	/* Every member goes onto a line of its own. */
	while (next_member(text, size, &at, &s))
		room += 8;
	out = malloc(room);
	if (!out)
		return fail(err, ENOMEM, "out of memory");

	used = (size_t)sprintf(out, "{");
	for (at = 0; next_member(text, size, &at, &s);) {
		if (is_named(text, &s, name))
			continue;
		used += (size_t)sprintf(out + used, "%s\"%.*s\": %.*s", comma, (int)s.key_size,
					text + s.key, (int)s.value_size, text + s.value);
		comma = ",\n\t";
	}
	if (value)
		used += (size_t)sprintf(out + used, "%s%s: %s", comma, quoted, value);
	(void)strcpy(out + used, used > 1 ? "\n}" : "}");
	*ret = take_ptr(out);
	return 0;
}
