/*
 * Reading JSON by tables of fields. jansson parses; this file is the only one that sees its types.
 *
 * jansson 2.14 refuses integers above INT64_MAX, which the OCI formats allow. One pass over the
 * text before parsing finds such tokens outside strings and turns each into a string that begins
 * with a NUL, which no real string may contain: an escape for NUL is refused in the same pass.
 */
#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/cleanup.h"
#include "base/error.h"

static const json_t *value_of(const struct json_node *v)
{
	return (const json_t *)v;
}

static const struct json_node *wrap(const json_t *j)
{
	return (const struct json_node *)j;
}

/* ---- text → tree ----------------------------------------------------------------------------- */

static const char mark[] = "\"\\u0000"; /* what a large integer becomes: "\u0000123…" */
enum {
	MARK_GROWTH = sizeof mark, /* with the closing quote */
	VALUES_MAX = 1 << 18,	   /* a tree takes up to 250 bytes for the 3 of "{}," */
};

/* End of the string that starts at text[i] == '"': index behind the closing quote, or size. */
static size_t skip_string(const char *text, size_t size, size_t i, bool *ret_nul)
{
	for (i++; i < size && text[i] != '"'; i++) {
		if (text[i] != '\\')
			continue;
		if (size - i > 5 && memcmp(text + i, "\\u0000", 6) == 0)
			*ret_nul = true;
		i++;
	}
	return i < size ? i + 1 : size;
}

static bool is_number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
}

/* A plain integer that does not fit int64_t; signs, fractions and exponents are jansson's. */
static bool is_large_integer(const char *token, size_t len)
{
	static const char max[] = "9223372036854775807";
	size_t digits = sizeof max - 1;
	if (len < digits || token[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++)
		if (token[i] < '0' || token[i] > '9')
			return false;
	return len > digits || memcmp(token, max, digits) > 0;
}

/* One step over the text: a string, a number, or one character of anything else. */
static size_t token_end(const char *text, size_t size, size_t i, bool *ret_large, bool *ret_nul)
{
	size_t end = i + 1;
	*ret_large = false;
	if (text[i] == '"')
		return skip_string(text, size, i, ret_nul);
	if (is_number_char(text[i])) {
		while (end < size && is_number_char(text[end]))
			end++;
		*ret_large = is_large_integer(text + i, end - i);
	}
	return end;
}

/* How many integers to mark; what jansson must not see is refused here. */
static int scan(const char *text, size_t size, const char *name, size_t *ret_large,
		struct csn_error *err)
{
	size_t values = 0;
	bool nul = false, large;

	*ret_large = 0;
	if (memchr(text, '\0', size)) /* jansson passes over some of them */
		return fail(err, EINVAL, "%s: a NUL byte in the text", name);
	for (size_t i = 0, end; i < size; i = end) {
		end = token_end(text, size, i, &large, &nul);
		*ret_large += large;
		values += text[i] == ',' || text[i] == '[' || text[i] == '{';
	}
	if (nul)
		return fail(err, EINVAL, "%s: a string contains a NUL character", name);
	if (values > VALUES_MAX)
		return fail(err, EINVAL, "%s: more than %d values", name, VALUES_MAX);
	return 0;
}

/* A copy with count large integers marked. */
static int mark_large_integers(const char *text, size_t size, size_t count, const char *name,
			       char **ret, size_t *ret_size, struct csn_error *err)
{
	char *copy = malloc(size + count * MARK_GROWTH);
	size_t out = 0;
	bool nul, large;

	if (!copy)
		return fail(err, ENOMEM, "%s: out of memory", name);
	for (size_t i = 0, end; i < size; i = end) {
		end = token_end(text, size, i, &large, &nul);
		if (large) {
			memcpy(copy + out, mark, sizeof mark - 1);
			out += sizeof mark - 1;
		}
		memcpy(copy + out, text + i, end - i);
		out += end - i;
		if (large)
			copy[out++] = '"';
	}
	*ret = copy;
	*ret_size = out;
	return 0;
}

/* jansson's column in the text as the user wrote it: marks before it on its line do not count. */
static int column_without_marks(const char *text, const json_error_t *why)
{
	size_t at = why->position > 0 ? (size_t)why->position : 0;
	int column = why->column;
	for (size_t i = at; text && i > 0 && text[i - 1] != '\n'; i--)
		if (at - i + 1 >= sizeof mark - 1 &&
		    memcmp(text + i - 1, mark, sizeof mark - 1) == 0)
			column -= MARK_GROWTH;
	return column > 0 ? column : 0;
}

/* Keys are hashed with a seed against collisions by design. The kernel gave this process random
 * bytes at birth; jansson by itself would open /dev/urandom. */
static void seed_hashes(void)
{
	uint64_t seed = 0;
	const void *bytes = (const void *)getauxval(AT_RANDOM);
	if (bytes)
		memcpy(&seed, bytes, sizeof seed);
	json_object_seed(seed | 1); /* 0 would mean /dev/urandom; only the first call counts */
}

static int load(const char *text, size_t size, const char *name, json_t **ret,
		struct csn_error *err)
{
	auto_mem char *marked = NULL;
	size_t marked_size = 0, large = 0;
	TRY(scan(text, size, name, &large, err));
	if (large)
		TRY(mark_large_integers(text, size, large, name, &marked, &marked_size, err));

	seed_hashes();
	json_error_t why;
	size_t flags = JSON_REJECT_DUPLICATES | (marked ? JSON_ALLOW_NUL : 0);
	errno = 0;
	json_t *root = marked ? json_loadb(marked, marked_size, flags, &why)
			      : json_loadb(text, size, flags, &why);
	if (!root) {
		/* jansson words most of its allocation failures as syntax errors, or not at all. */
		if (errno == ENOMEM || !why.text[0])
			return fail(err, ENOMEM, "%s: out of memory", name);
		return fail(err, EINVAL, "%s: line %d, column %d: %s", name, why.line,
			    column_without_marks(marked, &why), why.text);
	}
	*ret = root;
	return 0;
}

static void decref(json_t **j)
{
	json_decref(*j);
}

static int decode_root(const char *text, size_t size, struct json_decoder *d,
		       json_decode_fn *decode, const void *detail, void *out)
{
	const struct json_field f = { .name = "", .decode = decode, .detail = detail };
	json_t *root AUTO(decref)
	= NULL;
	TRY(load(text, size, d->name, &root, d->err));
	return decode(d, wrap(root), &f, out);
}

int json_decode(const char *text, size_t size, const char *name, const struct json_field *fields,
		void *out, struct arena *arena, struct csn_error *err)
{
	struct json_decoder d = { .arena = arena, .err = err, .name = name };
	return decode_root(text, size, &d, decode_object, fields, out);
}

int json_decode_strict(const char *text, size_t size, const char *name,
		       const struct json_field *fields, void *out, struct arena *arena,
		       struct csn_error *err)
{
	struct json_decoder d = { .arena = arena, .err = err, .name = name, .strict = true };
	return decode_root(text, size, &d, decode_object, fields, out);
}

int json_decode_value(const char *text, size_t size, const char *name, json_decode_fn *decode,
		      void *out, struct arena *arena, struct csn_error *err)
{
	struct json_decoder d = { .arena = arena, .err = err, .name = name, .strict = true };
	return decode_root(text, size, &d, decode, NULL, out);
}

int json_decode_array(const char *text, size_t size, const char *name,
		      const struct json_elements *array, void *out, struct arena *arena,
		      struct csn_error *err)
{
	struct json_decoder d = { .arena = arena, .err = err, .name = name };
	return decode_root(text, size, &d, decode_array, array, out);
}

static void free_wiped(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void json_wipe_memory(void)
{
	json_set_alloc_funcs(malloc, free_wiped);
}

/* ---- where we are, what is wrong ------------------------------------------------------------- */

int json_expected(struct json_decoder *d, const char *fmt, ...)
{
	char what[256];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return fail(d->err, EINVAL, "%s: %s%sexpected %s", d->name, d->path, d->path[0] ? ": " : "",
		    what);
}

int json_out_of_memory(struct json_decoder *d)
{
	return fail(d->err, ENOMEM, "%s: %s: out of memory", d->name, d->path);
}

static size_t enter_member(struct json_decoder *d, const char *key)
{
	size_t at = strlen(d->path);
	(void)snprintf(d->path + at, sizeof d->path - at, "%s%s", at ? "." : "", key);
	return at;
}

static size_t enter_index(struct json_decoder *d, size_t index)
{
	size_t at = strlen(d->path);
	(void)snprintf(d->path + at, sizeof d->path - at, "[%zu]", index);
	return at;
}

/* ---- looking around -------------------------------------------------------------------------- */

bool node_is_object(const struct json_node *v)
{
	return v && json_is_object(value_of(v));
}

bool node_is_array(const struct json_node *v)
{
	return v && json_is_array(value_of(v));
}

/* A large integer in disguise is no string. */
const char *node_string(const struct json_node *v, size_t *ret_len)
{
	if (!v || !json_is_string(value_of(v)))
		return NULL;
	const char *s = json_string_value(value_of(v));
	size_t len = json_string_length(value_of(v));
	if (len && s[0] == '\0')
		return NULL;
	if (ret_len)
		*ret_len = len;
	return s;
}

bool node_is_string(const struct json_node *v)
{
	return node_string(v, NULL) != NULL;
}

const struct json_node *node_member(const struct json_node *v, const char *name)
{
	const json_t *m = json_object_get(value_of(v), name);
	return m && !json_is_null(m) ? wrap(m) : NULL;
}

size_t node_count(const struct json_node *v)
{
	return node_is_array(v) ? json_array_size(value_of(v)) : 0;
}

size_t node_members(const struct json_node *v)
{
	return node_is_object(v) ? json_object_size(value_of(v)) : 0;
}

const struct json_node *node_at(const struct json_node *v, size_t index)
{
	return wrap(json_array_get(value_of(v), index));
}

/* jansson iterates in insertion order and needs a pointer that is not const for it. */
static json_t *unconst(const struct json_node *v)
{
	return (json_t *)(uintptr_t)v;
}

int node_each_member(const struct json_node *v,
		     int (*fn)(void *data, const char *key, const struct json_node *member),
		     void *data)
{
	json_t *object = unconst(v);
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		int r = fn(data, json_object_iter_key(i), wrap(json_object_iter_value(i)));
		if (r < 0)
			return r;
	}
	return 0;
}

char *node_text(const struct json_node *v)
{
	return json_dumps(value_of(v), JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

/* ---- tables ---------------------------------------------------------------------------------- */

int json_decode_member(struct json_decoder *d, const char *key, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	size_t at = enter_member(d, key);
	int r = f->decode(d, v, f, out);
	if (r == 0)
		d->path[at] = '\0';
	return r;
}

struct known {
	struct json_decoder *d;
	const struct json_field *fields;
};

static int check_known(void *data, const char *key, const struct json_node *member)
{
	const struct known *k = data;
	(void)member;
	for (const struct json_field *f = k->fields; f->name; f++)
		if (strcmp(f->name, key) == 0)
			return 0;
	(void)enter_member(k->d, key);
	return fail(k->d->err, EINVAL, "%s: %s: unknown field", k->d->name, k->d->path);
}

int json_decode_fields(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *fields, void *out)
{
	struct known known = { d, fields };
	if (d->strict)
		TRY(node_each_member(v, check_known, &known));
	for (const struct json_field *f = fields; f->name; f++) {
		const struct json_node *member = node_member(v, f->name);
		if (member) {
			TRY(json_decode_member(d, f->name, member, f, (char *)out + f->offset));
		} else if (f->presence == JSON_REQUIRED) {
			(void)enter_member(d, f->name);
			return fail(d->err, EINVAL, "%s: %s: missing", d->name, d->path);
		}
	}
	return 0;
}

int decode_object(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		  void *out)
{
	if (!node_is_object(v))
		return json_expected(d, "an object");
	return json_decode_fields(d, v, f->detail, out);
}

int decode_set_object(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		      void *out)
{
	TRY(decode_object(d, v, f, out));
	*(bool *)out = true;
	return 0;
}

struct any_array {
	void *items;
	size_t count;
};

int decode_array(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		 void *out)
{
	const struct json_elements *e = f->detail;
	const struct json_field element = {
		.decode = e->decode, .detail = e->detail, .min = e->min, .max = e->max
	};
	struct any_array *array = out;

	if (!node_is_array(v))
		return json_expected(d, "an array");
	size_t count = node_count(v);
	char *items = arena_array(d->arena, count, e->element_size);
	if (!items)
		return json_out_of_memory(d);
	for (size_t i = 0; i < count; i++) {
		size_t at = enter_index(d, i);
		TRY(e->decode(d, node_at(v, i), &element, items + i * e->element_size));
		d->path[at] = '\0';
	}
	array->items = items;
	array->count = count;
	return 0;
}

/* ---- scalars --------------------------------------------------------------------------------- */

int decode_bool(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		void *out)
{
	(void)f;
	if (!json_is_boolean(value_of(v)))
		return json_expected(d, "true or false");
	*(bool *)out = json_is_true(value_of(v));
	return 0;
}

int decode_opt_bool(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		    void *out)
{
	struct {
		bool set, value;
	} *opt = out;
	TRY(decode_bool(d, v, f, &opt->value));
	opt->set = true;
	return 0;
}

/* An integer as sign and size, from either form. */
static bool integer_of(const struct json_node *v, bool *ret_negative, uint64_t *ret)
{
	const json_t *j = value_of(v);
	if (json_is_integer(j)) {
		json_int_t n = json_integer_value(j);
		*ret_negative = n < 0;
		*ret = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
		return true;
	}
	if (json_is_string(j) && json_string_length(j) > 1 && json_string_value(j)[0] == '\0') {
		char *end;
		errno = 0;
		*ret_negative = false;
		*ret = strtoull(json_string_value(j) + 1, &end, 10);
		return errno == 0 && *end == '\0';
	}
	return false;
}

/* The value within [low, high], narrowed further by the field's own range. */
static int decode_signed(struct json_decoder *d, const struct json_node *v,
			 const struct json_field *f, int64_t low, int64_t high, int64_t *ret)
{
	bool negative;
	uint64_t size;

	if (f->min || f->max) {
		low = f->min;
		high = f->max < INT64_MAX ? (int64_t)f->max : INT64_MAX;
	}
	bool fits =
		integer_of(v, &negative, &size) && size <= (uint64_t)INT64_MAX + (negative ? 1 : 0);
	int64_t value = fits ? (negative ? (int64_t)(0 - size) : (int64_t)size) : 0;
	if (!fits || value < low || value > high)
		return json_expected(d, "an integer from %lld to %lld", (long long)low,
				     (long long)high);
	*ret = value;
	return 0;
}

static int decode_unsigned(struct json_decoder *d, const struct json_node *v,
			   const struct json_field *f, uint64_t high, uint64_t *ret)
{
	bool negative;
	uint64_t size, low = 0;

	if (f->min || f->max) {
		low = (uint64_t)f->min;
		high = f->max;
	}
	if (!integer_of(v, &negative, &size) || (negative && size) || size < low || size > high)
		return json_expected(d, "an integer from %llu to %llu", (unsigned long long)low,
				     (unsigned long long)high);
	*ret = size;
	return 0;
}

int decode_i32(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
	       void *out)
{
	int64_t n = 0;
	TRY(decode_signed(d, v, f, INT32_MIN, INT32_MAX, &n));
	*(int32_t *)out = (int32_t)n;
	return 0;
}

int decode_i64(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
	       void *out)
{
	return decode_signed(d, v, f, INT64_MIN, INT64_MAX, out);
}

int decode_u32(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
	       void *out)
{
	uint64_t n = 0;
	TRY(decode_unsigned(d, v, f, UINT32_MAX, &n));
	*(uint32_t *)out = (uint32_t)n;
	return 0;
}

int decode_u64(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
	       void *out)
{
	return decode_unsigned(d, v, f, UINT64_MAX, out);
}

int decode_opt_u32(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		   void *out)
{
	struct {
		bool set;
		uint32_t value;
	} *opt = out;
	TRY(decode_u32(d, v, f, &opt->value));
	opt->set = true;
	return 0;
}

int decode_opt_i64(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		   void *out)
{
	struct {
		bool set;
		int64_t value;
	} *opt = out;
	TRY(decode_i64(d, v, f, &opt->value));
	opt->set = true;
	return 0;
}

int decode_opt_u64(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		   void *out)
{
	struct {
		bool set;
		uint64_t value;
	} *opt = out;
	TRY(decode_u64(d, v, f, &opt->value));
	opt->set = true;
	return 0;
}

int decode_double(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		  void *out)
{
	(void)f;
	if (!json_is_number(value_of(v)))
		return json_expected(d, "a number");
	*(double *)out = json_number_value(value_of(v));
	return 0;
}

/* ---- strings --------------------------------------------------------------------------------- */

int decode_string(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		  void *out)
{
	(void)f;
	const char *s = node_string(v, NULL);
	if (!s)
		return json_expected(d, "a string");
	char *copy = arena_strdup(d->arena, s);
	if (!copy)
		return json_out_of_memory(d);
	*(char **)out = copy;
	return 0;
}

int decode_text(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		void *out)
{
	TRY(decode_string(d, v, f, out));
	if (!**(char **)out)
		*(char **)out = NULL;
	return 0;
}

int decode_abs_path(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		    void *out)
{
	const char *s = node_string(v, NULL);
	if (!s)
		return json_expected(d, "an absolute path");
	if (s[0] != '/')
		return json_expected(d, "an absolute path, not \"%s\"", s);
	return decode_string(d, v, f, out);
}

struct any_strings {
	char **items;
	size_t count;
	bool set;
};

int decode_strings(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		   void *out)
{
	struct any_strings *strings = out;

	if (!node_is_array(v))
		return json_expected(d, "an array of strings");
	size_t count = node_count(v);
	char **items = arena_array(d->arena, count + 1, sizeof *items);
	if (!items)
		return json_out_of_memory(d);
	for (size_t i = 0; i < count; i++) {
		size_t at = enter_index(d, i);
		TRY(decode_string(d, node_at(v, i), f, &items[i]));
		d->path[at] = '\0';
	}
	*strings = (struct any_strings){ items, count, true };
	return 0;
}

struct any_pair {
	char *key, *value;
};
struct any_map {
	struct any_pair *items;
	size_t count;
	bool set;
};
struct map_decoding {
	struct json_decoder *d;
	struct any_map *map;
};

static int add_pair(void *data, const char *key, const struct json_node *member)
{
	struct map_decoding *m = data;
	struct any_pair *pair = &m->map->items[m->map->count++];
	const struct json_field f = { .decode = decode_string };

	pair->key = arena_strdup(m->d->arena, key);
	if (!pair->key)
		return json_out_of_memory(m->d);
	return json_decode_member(m->d, key, member, &f, &pair->value);
}

int decode_map(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
	       void *out)
{
	(void)f;
	struct any_map map = { .set = true };
	struct map_decoding m = { .d = d, .map = &map };

	if (!node_is_object(v))
		return json_expected(d, "an object of strings");
	map.items = arena_array(d->arena, json_object_size(value_of(v)), sizeof *map.items);
	if (!map.items)
		return json_out_of_memory(d);
	TRY(node_each_member(v, add_pair, &m));
	*(struct any_map *)out = map;
	return 0;
}
