/*
 * Writing JSON: an appending buffer. The first failure is remembered and given at the end, so that
 * callers need not check each call. Strings that are no UTF-8 get U+FFFD for what is wrong.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"

static void append(struct json_out *o, const char *bytes, size_t size)
{
	if (o->failed)
		return;
	if (o->capacity - o->size <= size) {
		size_t capacity = o->capacity ? o->capacity : 512;
		while (capacity - o->size <= size)
			capacity *= 2;
		char *grown = realloc(o->text, capacity);
		if (!grown) {
			o->failed = true;
			return;
		}
		o->text = grown;
		o->capacity = capacity;
	}
	memcpy(o->text + o->size, bytes, size);
	o->size += size;
	o->text[o->size] = '\0';
}

static void append_text(struct json_out *o, const char *text)
{
	append(o, text, strlen(text));
}

static void new_line(struct json_out *o)
{
	if (!o->indent)
		return;
	append(o, "\n", 1);
	for (int i = 0; i < o->depth; i++)
		append_text(o, o->indent);
}

/* Length of the valid UTF-8 sequence at s, or 0. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	static const struct {
		unsigned char mask, lead;
		size_t length;
	} forms[] = { { 0x80, 0x00, 1 }, { 0xe0, 0xc0, 2 }, { 0xf0, 0xe0, 3 }, { 0xf8, 0xf0, 4 } };
	for (size_t f = 0; f < COUNT(forms); f++) {
		if ((s[0] & forms[f].mask) != forms[f].lead)
			continue;
		size_t n = forms[f].length;
		if (n > left)
			return 0;
		for (size_t i = 1; i < n; i++)
			if ((s[i] & 0xc0) != 0x80)
				return 0;
		/* Overlong forms, surrogates and what lies beyond U+10FFFF. */
		if ((n == 2 && s[0] < 0xc2) || (n == 3 && s[0] == 0xe0 && s[1] < 0xa0) ||
		    (n == 3 && s[0] == 0xed && s[1] > 0x9f) ||
		    (n == 4 && (s[0] > 0xf4 || (s[0] == 0xf0 && s[1] < 0x90) ||
				(s[0] == 0xf4 && s[1] > 0x8f))))
			return 0;
		return n;
	}
	return 0;
}

static void append_escaped(struct json_out *o, unsigned char c)
{
	static const char *const shorts[128] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
		['\n'] = "\\n", ['\r'] = "\\r",	 ['\t'] = "\\t"
	};
	char buf[8];
	if (c < 128 && shorts[c]) {
		append_text(o, shorts[c]);
	} else {
		(void)snprintf(buf, sizeof buf, "\\u%04x", c);
		append_text(o, buf);
	}
}

static void append_string(struct json_out *o, const char *bytes, size_t size)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t plain = 0; /* start of the run that needs no change */

	append(o, "\"", 1);
	for (size_t i = 0; i < size;) {
		size_t n = utf8_length(s + i, size - i);
		bool escape =
			n == 1 && (s[i] < 0x20 || s[i] == '"' || s[i] == '\\' || s[i] == 0x7f);
		if (n && !escape) {
			i += n;
			continue;
		}
		append(o, bytes + plain, i - plain);
		if (n)
			append_escaped(o, s[i]);
		else
			append_text(o, "\xef\xbf\xbd");
		plain = ++i;
	}
	append(o, bytes + plain, size - plain);
	append(o, "\"", 1);
}

static void begin(struct json_out *o, const char *key)
{
	if (o->comma)
		append(o, ",", 1);
	if (o->depth)
		new_line(o);
	if (key) {
		append_string(o, key, strlen(key));
		append_text(o, o->indent ? ": " : ":");
	}
	o->comma = true;
}

static void open_with(struct json_out *o, const char *key, const char *bracket)
{
	begin(o, key);
	append_text(o, bracket);
	o->depth++;
	o->comma = false;
}

static void close_with(struct json_out *o, const char *bracket)
{
	bool filled = o->comma;
	o->depth--;
	if (filled)
		new_line(o);
	append_text(o, bracket);
	o->comma = true;
}

void json_open_object(struct json_out *o, const char *key)
{
	open_with(o, key, "{");
}

void json_close_object(struct json_out *o)
{
	close_with(o, "}");
}

void json_open_array(struct json_out *o, const char *key)
{
	open_with(o, key, "[");
}

void json_close_array(struct json_out *o)
{
	close_with(o, "]");
}

void json_put_bytes(struct json_out *o, const char *key, const char *bytes, size_t size)
{
	begin(o, key);
	append_string(o, bytes, size);
}

void json_put_string(struct json_out *o, const char *key, const char *value)
{
	if (value)
		json_put_bytes(o, key, value, strlen(value));
	else
		json_put_null(o, key);
}

void json_put_raw(struct json_out *o, const char *key, const char *json)
{
	begin(o, key);
	append_text(o, json);
}

void json_put_i64(struct json_out *o, const char *key, int64_t value)
{
	char buf[24];
	(void)snprintf(buf, sizeof buf, "%" PRId64, value);
	json_put_raw(o, key, buf);
}

void json_put_u64(struct json_out *o, const char *key, uint64_t value)
{
	char buf[24];
	(void)snprintf(buf, sizeof buf, "%" PRIu64, value);
	json_put_raw(o, key, buf);
}

void json_put_double(struct json_out *o, const char *key, double value)
{
	char buf[40];
	if (!isfinite(value)) {
		json_put_null(o, key);
		return;
	}
	(void)snprintf(buf, sizeof buf, "%.6g", value);
	/* A program that uses the library may have set a locale with another decimal point. */
	char *comma = strchr(buf, ',');
	if (comma)
		*comma = '.';
	json_put_raw(o, key, buf);
}

void json_put_bool(struct json_out *o, const char *key, bool value)
{
	json_put_raw(o, key, value ? "true" : "false");
}

void json_put_null(struct json_out *o, const char *key)
{
	json_put_raw(o, key, "null");
}

int json_out_take(struct json_out *o, char **ret, struct csn_error *err)
{
	if (o->failed || !o->text) {
		json_out_done(o);
		return fail(err, ENOMEM, "out of memory");
	}
	*ret = o->text;
	o->text = NULL;
	json_out_done(o);
	return 0;
}

void json_out_done(struct json_out *o)
{
	free(o->text);
	*o = (struct json_out){ .indent = o->indent };
}
