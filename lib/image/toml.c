/*
 * A strict reader of TOML.
 *
 * One pass with a cursor; a line at a time, since that is what TOML's grammar is made of. Keys that
 * are defined twice, tables opened twice, and adding to what was written inline are errors, as the
 * specification has it: a configuration that two programs read differently is worse than none.
 */
#include "image/toml.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define DEPTH_MAX 32

struct parser {
	const char *p, *name;
	int line, depth;
	struct arena *arena;
	struct csn_error *err;
};

static int bad(const struct parser *t, const char *why)
{
	return fail(t->err, EINVAL, "%s:%d: %s", t->name, t->line, why);
}

static int no_memory(const struct parser *t)
{
	return fail(t->err, ENOMEM, "out of memory");
}

static void skip_blank(struct parser *t)
{
	t->p += strspn(t->p, " \t");
}

static void skip_comment(struct parser *t)
{
	skip_blank(t);
	if (*t->p == '#')
		t->p += strcspn(t->p, "\n");
}

/* The end of the line, after a value or a header. */
static int end_line(struct parser *t)
{
	skip_comment(t);
	if (*t->p == '\r')
		t->p++;
	if (*t->p == '\0')
		return 0;
	if (*t->p != '\n')
		return bad(t, "expected the end of the line");
	t->p++;
	t->line++;
	return 0;
}

/* Blanks, comments and line ends: inside arrays and between lines. */
static void skip_lines(struct parser *t)
{
	for (;;) {
		skip_comment(t);
		if (*t->p == '\n')
			t->line++;
		else if (*t->p != '\r')
			return;
		t->p++;
	}
}

/* ---- strings --------------------------------------------------------------------------------- */

static int put_utf8(const struct parser *t, unsigned long c, char **out)
{
	char *o = *out;

	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return bad(t, "no such character");
	if (c < 0x80) {
		*o++ = (char)c;
	} else if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*o++ = (char)(0xe0 | c >> 12);
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	} else {
		*o++ = (char)(0xf0 | c >> 18);
		*o++ = (char)(0x80 | (c >> 12 & 0x3f));
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	}
	*out = o;
	return 0;
}

/* Behind a backslash. */
static int escape(struct parser *t, bool multi, char **out)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	const char *found = *t->p ? strchr(names, *t->p) : NULL;

	if (found) {
		*(*out)++ = values[found - names];
		t->p++;
		return 0;
	}
	if (*t->p == 'u' || *t->p == 'U') {
		size_t digits = *t->p == 'u' ? 4 : 8;
		char hex[9] = "";
		for (size_t i = 0; i < digits && isxdigit((unsigned char)t->p[1 + i]); i++)
			hex[i] = t->p[1 + i];
		if (strlen(hex) != digits)
			return bad(t, "\\u needs 4 hex digits, \\U needs 8");
		t->p += 1 + digits;
		return put_utf8(t, strtoul(hex, NULL, 16), out);
	}
	/* A backslash at the end of a line takes the white space that follows with it. */
	size_t blank = strspn(t->p, " \t\r");
	if (!multi || t->p[blank] != '\n')
		return bad(t, "no such escape");
	for (; *t->p && strchr(" \t\r\n", *t->p); t->p++)
		t->line += *t->p == '\n';
	return 0;
}

/* How long the text is at most: escapes only make it shorter. */
static size_t bound(const char *p, const char *close)
{
	const char *end = p;

	while (*end && strncmp(end, close, strlen(close)) != 0)
		end += *end == '\\' && *close == '"' && end[1] ? 2 : 1;
	return (size_t)(end - p);
}

/* All four kinds; the cursor is on the opening quote. */
static int string(struct parser *t, char **ret)
{
	char quote = *t->p;
	bool multi = t->p[1] == quote && t->p[2] == quote;
	const char *close = multi ? (quote == '"' ? "\"\"\"" : "'''") : quote == '"' ? "\"" : "'";
	size_t close_size = strlen(close);

	t->p += close_size;
	char *out = *ret = arena_alloc(t->arena, bound(t->p, close) + 3);
	if (!out)
		return no_memory(t);
	if (multi && *t->p == '\r')
		t->p++;
	if (multi && *t->p == '\n') {
		t->p++;
		t->line++;
	}
	while (strncmp(t->p, close, close_size) != 0) {
		unsigned char c = (unsigned char)*t->p;
		if (c == '\0' || (c == '\n' && !multi))
			return bad(t, "a text does not end");
		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
			return bad(t, "a control character");
		t->p++;
		if (c == '\\' && quote == '"') {
			TRY(escape(t, multi, &out));
			continue;
		}
		t->line += c == '\n';
		*out++ = (char)c;
	}
	t->p += close_size;
	/* Up to two more quotes may stand in front of the three that close. */
	for (int i = 0; multi && i < 2 && *t->p == quote; i++)
		*out++ = *t->p++;
	return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

const struct toml *toml_get(const struct toml *table, const char *key)
{
	if (!table || table->kind != TOML_TABLE)
		return NULL;
	for (const struct toml *m = table->first; m; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

static struct toml *append(struct parser *t, struct toml *to, enum toml_kind kind, char *key)
{
	struct toml **last = &to->first;
	struct toml *new = arena_alloc(t->arena, sizeof *new);

	if (!new)
		return NULL;
	new->kind = kind;
	new->key = key;
	new->line = t->line;
	while (*last)
		last = &(*last)->next;
	*last = new;
	return new;
}

static struct toml *find(struct toml *table, const char *key)
{
	for (struct toml *m = table->first; m; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

static int one_key(struct parser *t, char **ret)
{
	if (*t->p == '"' || *t->p == '\'') {
		if (t->p[1] == *t->p && t->p[2] == *t->p)
			return bad(t, "a key cannot be a text of several lines");
		return string(t, ret);
	}
	const char *start = t->p;
	while (isalnum((unsigned char)*t->p) || *t->p == '-' || *t->p == '_')
		t->p++;
	if (t->p == start)
		return bad(t, "expected a key");
	*ret = arena_printf(t->arena, "%.*s", (int)(t->p - start), start);
	return *ret ? 0 : no_memory(t);
}

/* The table that a part of a dotted key names, made when it is missing. */
static int descend(struct parser *t, struct toml **at, char *key, bool header)
{
	struct toml *m = find(*at, key);

	if (!m) {
		m = append(t, *at, TOML_TABLE, key);
		if (!m)
			return no_memory(t);
		m->defined = !header;
	}
	if (header && m->kind == TOML_ARRAY && m->of_tables) {
		m = m->first;
		while (m->next)
			m = m->next;
	}
	if (m->kind != TOML_TABLE || m->closed)
		return bad(t, "a key that has a value already cannot be a table");
	*at = m;
	return 0;
}

/* Reads a dotted key; *at becomes the table of its last part. */
static int dotted_key(struct parser *t, struct toml **at, char **ret_last, bool header)
{
	char *key = NULL;

	for (;;) {
		skip_blank(t);
		TRY(one_key(t, &key));
		skip_blank(t);
		if (*t->p != '.')
			break;
		t->p++;
		TRY(descend(t, at, key, header));
	}
	*ret_last = key;
	return 0;
}

/* ---- values ---------------------------------------------------------------------------------- */

static int value(struct parser *t, struct toml *v);

static int key_value(struct parser *t, struct toml *table)
{
	char *key;

	TRY(dotted_key(t, &table, &key, false));
	if (*t->p != '=')
		return bad(t, "expected '=' behind a key");
	t->p++;
	skip_blank(t);
	if (find(table, key))
		return bad(t, "a key comes twice");
	struct toml *v = append(t, table, TOML_STRING, key);
	return v ? value(t, v) : no_memory(t);
}

static int array(struct parser *t, struct toml *v)
{
	v->kind = TOML_ARRAY;
	v->closed = true;
	for (t->p++;;) {
		skip_lines(t);
		if (*t->p == ']')
			break;
		struct toml *item = append(t, v, TOML_STRING, NULL);
		if (!item)
			return no_memory(t);
		TRY(value(t, item));
		skip_lines(t);
		if (*t->p == ',')
			t->p++;
		else if (*t->p != ']')
			return bad(t, "expected ',' or ']' in an array");
	}
	t->p++;
	return 0;
}

static int inline_table(struct parser *t, struct toml *v)
{
	v->kind = TOML_TABLE;
	t->p++;
	skip_blank(t);
	while (*t->p != '}') {
		TRY(key_value(t, v));
		skip_blank(t);
		if (*t->p == ',') {
			t->p++;
			skip_blank(t);
			if (*t->p == '}')
				return bad(t, "expected a key behind ','");
		} else if (*t->p != '}') {
			return bad(t, "expected ',' or '}' in an inline table");
		}
	}
	t->p++;
	v->closed = true;
	return 0;
}

static int scalar(struct parser *t, struct toml *v)
{
	size_t size = strcspn(t->p, " \t\r\n,]}#");
	char digits[32];
	size_t used = 0;
	char *end;

	if ((size == 4 && strncmp(t->p, "true", 4) == 0) ||
	    (size == 5 && strncmp(t->p, "false", 5) == 0)) {
		v->kind = TOML_BOOL;
		v->boolean = size == 4;
		t->p += size;
		return 0;
	}
	for (size_t i = 0; i < size && used + 1 < sizeof digits; i++)
		if (t->p[i] != '_')
			digits[used++] = t->p[i];
	digits[used] = '\0';
	errno = 0;
	v->kind = TOML_INTEGER;
	v->integer = strtoll(digits, &end, 10);
	if (used == 0 || *end || errno)
		return bad(t, "expected a text in quotes, true, false, a whole number, '[' or '{'");
	t->p += size;
	return 0;
}

static int value(struct parser *t, struct toml *v)
{
	int r;

	if (t->depth == DEPTH_MAX)
		return bad(t, "nested too deep");
	t->depth++;
	if (*t->p == '"' || *t->p == '\'')
		r = string(t, &v->string);
	else if (*t->p == '[')
		r = array(t, v);
	else if (*t->p == '{')
		r = inline_table(t, v);
	else
		r = scalar(t, v);
	t->depth--;
	return r;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* [[name]]: one more table of an array. */
static int array_header(struct parser *t, struct toml *at, char *key, struct toml **ret)
{
	struct toml *m = find(at, key);

	if (m && !(m->kind == TOML_ARRAY && m->of_tables))
		return bad(t, "a key that has a value already cannot be an array of tables");
	if (!m)
		m = append(t, at, TOML_ARRAY, key);
	if (!m)
		return no_memory(t);
	m->of_tables = true;
	*ret = append(t, m, TOML_TABLE, NULL);
	return *ret ? 0 : no_memory(t);
}

/* [name] */
static int table_header(struct parser *t, struct toml *at, char *key, struct toml **ret)
{
	struct toml *m = find(at, key);

	if (m && (m->kind != TOML_TABLE || m->defined || m->closed))
		return bad(t, "a table comes twice");
	if (!m)
		m = append(t, at, TOML_TABLE, key);
	if (!m)
		return no_memory(t);
	m->defined = true;
	*ret = m;
	return 0;
}

static int header(struct parser *t, struct toml *root, struct toml **ret)
{
	bool of_tables = t->p[1] == '[';
	struct toml *at = root;
	char *key;

	t->p += of_tables ? 2 : 1;
	TRY(dotted_key(t, &at, &key, true));
	if (strncmp(t->p, of_tables ? "]]" : "]", of_tables ? 2 : 1) != 0)
		return bad(t, "expected ']' behind the name of a table");
	t->p += of_tables ? 2 : 1;
	TRY(of_tables ? array_header(t, at, key, ret) : table_header(t, at, key, ret));
	return end_line(t);
}

int toml_parse(const char *text, size_t size, const char *name, struct arena *arena,
	       struct toml **ret, struct csn_error *err)
{
	struct parser t = { .p = text, .name = name, .line = 1, .arena = arena, .err = err };
	struct toml *root = arena_alloc(arena, sizeof *root), *table = root;

	if (!root)
		return no_memory(&t);
	*root = (struct toml){ .kind = TOML_TABLE, .line = 1, .defined = true };
	if (strlen(text) != size)
		return fail(err, EINVAL, "%s: has a NUL byte", name);
	for (skip_lines(&t); *t.p; skip_lines(&t)) {
		if (*t.p == '[') {
			TRY(header(&t, root, &table));
			continue;
		}
		TRY(key_value(&t, table));
		TRY(end_line(&t));
	}
	*ret = root;
	return 0;
}
