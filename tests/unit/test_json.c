/*
 * The decoder by tables and the writer: every kind of field with every wrong kind of value, exact
 * messages, integers up to UINT64_MAX, documents cut at every byte, memory that runs out at every
 * allocation, and what the writer makes of bytes that are no text.
 */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "tests/unit/alloc_fail.h"

struct inner {
	bool set;
	int32_t x;
	char *name;
};
struct everything {
	bool b;
	struct {
		bool set, value;
	} opt_b;
	int32_t i32;
	uint32_t u32;
	int64_t i64;
	uint64_t u64;
	struct {
		bool set;
		uint32_t value;
	} opt_u32;
	struct {
		bool set;
		int64_t value;
	} opt_i64;
	struct {
		bool set;
		uint64_t value;
	} opt_u64;
	int64_t narrow;
	char *string, *text, *path;
	struct {
		char **items;
		size_t count;
		bool set;
	} strings;
	struct {
		struct {
			char *key, *value;
		} * items;
		size_t count;
		bool set;
	} map;
	struct inner inner, set_inner;
	struct {
		struct inner *items;
		size_t count;
	} objects;
	struct {
		uint32_t *items;
		size_t count;
	} numbers;
};

#define AT(member) offsetof(struct everything, member)

static const struct json_field inner_fields[] = {
	{ "x", decode_i32, offsetof(struct inner, x), NULL, JSON_REQUIRED, 0, 0 },
	{ "name", decode_string, offsetof(struct inner, name), NULL, JSON_OPTIONAL, 0, 0 },
	{ 0 },
};
static const struct json_elements objects = { .element_size = sizeof(struct inner),
					      .decode = decode_object,
					      .detail = inner_fields };
static const struct json_elements numbers = {
	.element_size = sizeof(uint32_t), .decode = decode_u32, .min = 1, .max = 10
};
static const struct json_field fields[] = {
	{ "b", decode_bool, AT(b), NULL, JSON_OPTIONAL, 0, 0 },
	{ "optB", decode_opt_bool, AT(opt_b), NULL, JSON_OPTIONAL, 0, 0 },
	{ "i32", decode_i32, AT(i32), NULL, JSON_OPTIONAL, 0, 0 },
	{ "u32", decode_u32, AT(u32), NULL, JSON_OPTIONAL, 0, 0 },
	{ "i64", decode_i64, AT(i64), NULL, JSON_OPTIONAL, 0, 0 },
	{ "u64", decode_u64, AT(u64), NULL, JSON_OPTIONAL, 0, 0 },
	{ "optU32", decode_opt_u32, AT(opt_u32), NULL, JSON_OPTIONAL, 0, 0 },
	{ "optI64", decode_opt_i64, AT(opt_i64), NULL, JSON_OPTIONAL, 0, 0 },
	{ "optU64", decode_opt_u64, AT(opt_u64), NULL, JSON_OPTIONAL, 0, 0 },
	{ "narrow", decode_i64, AT(narrow), NULL, JSON_OPTIONAL, -3, 7 },
	{ "string", decode_string, AT(string), NULL, JSON_OPTIONAL, 0, 0 },
	{ "text", decode_text, AT(text), NULL, JSON_OPTIONAL, 0, 0 },
	{ "path", decode_abs_path, AT(path), NULL, JSON_OPTIONAL, 0, 0 },
	{ "strings", decode_strings, AT(strings), NULL, JSON_OPTIONAL, 0, 0 },
	{ "map", decode_map, AT(map), NULL, JSON_OPTIONAL, 0, 0 },
	{ "inner", decode_object, AT(inner), inner_fields, JSON_OPTIONAL, 0, 0 },
	{ "setInner", decode_set_object, AT(set_inner), inner_fields, JSON_OPTIONAL, 0, 0 },
	{ "objects", decode_array, AT(objects), &objects, JSON_OPTIONAL, 0, 0 },
	{ "numbers", decode_array, AT(numbers), &numbers, JSON_OPTIONAL, 0, 0 },
	{ 0 },
};

static struct arena arena;
static struct csn_error err;
static struct everything got;

static void setup(void)
{
	memset(&got, 0, sizeof got);
	memset(&err, 0, sizeof err);
}

static void teardown(void)
{
	alloc_fail_after(-1);
	arena_free(&arena);
}

static int decode_bytes(const char *text, size_t size)
{
	/* In a block of exactly that size, so that a sanitizer sees a step too far. */
	char *copy = malloc(size ? size : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	int r = json_decode(copy, size, "doc", fields, &got, &arena, &err);
	free(copy);
	return r;
}

static int decode(const char *text)
{
	return decode_bytes(text, strlen(text));
}

static void expect_error(const char *text, const char *message)
{
	memset(&got, 0, sizeof got);
	int r = decode(text);
	ck_assert_msg(r == -EINVAL, "%s gave %d", text, r);
	ck_assert_str_eq(err.text, message);
	ck_assert_int_eq(err.code, EINVAL);
	arena_free(&arena);
}

/* ---- values ---------------------------------------------------------------------------------- */

static const char whole[] =
	"{ \"b\": true, \"optB\": false, \"i32\": -2147483648, \"u32\": 4294967295,\n"
	"  \"i64\": -9223372036854775808, \"u64\": 18446744073709551615, \"optU32\": 0,\n"
	"  \"optI64\": 9223372036854775807, \"optU64\": 9223372036854775808, \"narrow\": -3,\n"
	"  \"string\": \"a\\\"\\\\\\u00e9\\n\", \"text\": \"\", \"path\": \"/\",\n"
	"  \"strings\": [\"\", \"x\"], \"map\": {\"k\": \"v\", \"\": \"\"},\n"
	"  \"inner\": {\"x\": 1}, \"setInner\": {\"x\": 2, \"name\": \"n\"},\n"
	"  \"objects\": [{\"x\": 3}, {\"x\": 4}], \"numbers\": [1, 10], \"unknown\": [{}, 1e9] }\n";

START_TEST(every_kind_of_value)
{
	ck_assert_msg(decode(whole) == 0, "%s", err.text);
	ck_assert(got.b && got.opt_b.set && !got.opt_b.value);
	ck_assert_int_eq(got.i32, INT32_MIN);
	ck_assert_uint_eq(got.u32, UINT32_MAX);
	ck_assert(got.i64 == INT64_MIN);
	ck_assert(got.u64 == UINT64_MAX);
	ck_assert(got.opt_u32.set && got.opt_u32.value == 0);
	ck_assert(got.opt_i64.set && got.opt_i64.value == INT64_MAX);
	ck_assert(got.opt_u64.set && got.opt_u64.value == (uint64_t)INT64_MAX + 1);
	ck_assert_int_eq(got.narrow, -3);
	ck_assert_str_eq(got.string, "a\"\\\xc3\xa9\n");
	ck_assert_ptr_null(got.text);
	ck_assert_str_eq(got.path, "/");
	ck_assert(got.strings.set && got.strings.count == 2 && !got.strings.items[2]);
	ck_assert_str_eq(got.strings.items[0], "");
	ck_assert_str_eq(got.strings.items[1], "x");
	ck_assert(got.map.set && got.map.count == 2);
	ck_assert_str_eq(got.map.items[0].key, "k");
	ck_assert_str_eq(got.map.items[0].value, "v");
	ck_assert_str_eq(got.map.items[1].key, "");
	ck_assert(!got.inner.set && got.inner.x == 1 && !got.inner.name);
	ck_assert(got.set_inner.set && got.set_inner.x == 2);
	ck_assert_uint_eq(got.objects.count, 2);
	ck_assert_int_eq(got.objects.items[1].x, 4);
	ck_assert_uint_eq(got.numbers.count, 2);
	ck_assert_uint_eq(got.numbers.items[1], 10);
}
END_TEST

START_TEST(null_is_absent)
{
	ck_assert_int_eq(decode("{\"b\":null,\"u64\":null,\"path\":null,\"strings\":null,"
				"\"map\":null,\"setInner\":null,\"objects\":null,\"optB\":null}"),
			 0);
	ck_assert(!got.strings.set && !got.map.set && !got.set_inner.set && !got.opt_b.set);
	ck_assert_ptr_null(got.path);
	expect_error("{\"inner\":{\"x\":null}}", "doc: inner.x: missing");
	expect_error("{\"objects\":[{\"x\":1},{}]}", "doc: objects[1].x: missing");
}
END_TEST

/* ---- wrong kinds ----------------------------------------------------------------------------- */

#define I64 "an integer from -9223372036854775808 to 9223372036854775807"
#define U64 "an integer from 0 to 18446744073709551615"

static const struct {
	const char *field, *expected;
	const char
		*fits; /* kinds that the field takes: b, i(nteger), s(tring), a(rray), o(bject) */
} kinds[] = {
	{ "b", "true or false", "b" },
	{ "optB", "true or false", "b" },
	{ "i32", "an integer from -2147483648 to 2147483647", "i" },
	{ "u32", "an integer from 0 to 4294967295", "i" },
	{ "i64", I64, "i" },
	{ "u64", U64, "i" },
	{ "optU32", "an integer from 0 to 4294967295", "i" },
	{ "optI64", I64, "i" },
	{ "optU64", U64, "i" },
	{ "narrow", "an integer from -3 to 7", "i" },
	{ "string", "a string", "s" },
	{ "text", "a string", "s" },
	{ "path", "an absolute path", "s" },
	{ "strings", "an array of strings", "a" },
	{ "map", "an object of strings", "o" },
	{ "inner", "an object", "o" },
	{ "setInner", "an object", "o" },
	{ "objects", "an array", "a" },
	{ "numbers", "an array", "a" },
};
static const struct {
	char kind;
	const char *json;
} wrong[] = {
	{ 'b', "true" },
	{ 'b', "false" },
	{ 'i', "1" },
	{ 's', "\"/x\"" },
	{ 's', "\"1\"" },
	{ 'a', "[]" },
	{ 'o', "{}" },
	{ 'f', "1.0" },
	{ 'f', "1e2" },
	{ 'f', "-0.5" },
	{ 'l', "18446744073709551616" },
	{ 'l', "99999999999999999999999999999999999999" },
};

START_TEST(a_wrong_kind_is_named)
{
	for (size_t w = 0; w < COUNT(wrong); w++) {
		if (strchr(kinds[_i].fits, wrong[w].kind))
			continue;
		char text[128], message[160];
		(void)snprintf(text, sizeof text, "{\"%s\": %s}", kinds[_i].field, wrong[w].json);
		(void)snprintf(message, sizeof message, "doc: %s: expected %s", kinds[_i].field,
			       kinds[_i].expected);
		expect_error(text, message);
	}
}
END_TEST

static const struct {
	const char *text, *message;
} refused[] = {
	{ "{\"i32\":2147483648}", "doc: i32: expected an integer from -2147483648 to 2147483647" },
	{ "{\"i32\":-2147483649}", "doc: i32: expected an integer from -2147483648 to 2147483647" },
	{ "{\"u32\":4294967296}", "doc: u32: expected an integer from 0 to 4294967295" },
	{ "{\"u32\":-1}", "doc: u32: expected an integer from 0 to 4294967295" },
	{ "{\"u64\":-1}", "doc: u64: expected " U64 },
	{ "{\"i64\":9223372036854775808}", "doc: i64: expected " I64 },
	{ "{\"i64\":18446744073709551615}", "doc: i64: expected " I64 },
	{ "{\"u64\":18446744073709551616}", "doc: u64: expected " U64 },
	{ "{\"optU32\":18446744073709551615}",
	  "doc: optU32: expected an integer from 0 to 4294967295" },
	{ "{\"narrow\":-4}", "doc: narrow: expected an integer from -3 to 7" },
	{ "{\"narrow\":8}", "doc: narrow: expected an integer from -3 to 7" },
	{ "{\"numbers\":[1,0]}", "doc: numbers[1]: expected an integer from 1 to 10" },
	{ "{\"numbers\":[11]}", "doc: numbers[0]: expected an integer from 1 to 10" },
	{ "{\"numbers\":[null]}", "doc: numbers[0]: expected an integer from 1 to 10" },
	{ "{\"path\":\"x\"}", "doc: path: expected an absolute path, not \"x\"" },
	{ "{\"path\":\"\"}", "doc: path: expected an absolute path, not \"\"" },
	{ "{\"strings\":[\"a\",1]}", "doc: strings[1]: expected a string" },
	{ "{\"strings\":[null]}", "doc: strings[0]: expected a string" },
	{ "{\"map\":{\"a\":\"b\",\"c.d\":1}}", "doc: map.c.d: expected a string" },
	{ "{\"map\":{\"a\":null}}", "doc: map.a: expected a string" },
	{ "{\"inner\":{\"x\":\"1\"}}",
	  "doc: inner.x: expected an integer from -2147483648 to 2147483647" },
	{ "{\"objects\":[{\"x\":1,\"name\":{}}]}", "doc: objects[0].name: expected a string" },
	{ "{\"objects\":[1]}", "doc: objects[0]: expected an object" },
	/* Large integers are marked on the way: never a string, and no string is one of them. */
	{ "{\"string\":18446744073709551615}", "doc: string: expected a string" },
	{ "{\"path\":18446744073709551615}", "doc: path: expected an absolute path" },
	{ "{\"strings\":[18446744073709551615]}", "doc: strings[0]: expected a string" },
	{ "{\"map\":{\"a\":18446744073709551615}}", "doc: map.a: expected a string" },
	{ "{\"b\":18446744073709551615}", "doc: b: expected true or false" },
	{ "{\"u64\":\"18446744073709551615\"}", "doc: u64: expected " U64 },
	{ "{\"u64\":\"\\\\u000018446744073709551615\"}", "doc: u64: expected " U64 },
	{ "{\"u64\":\"\\u000018446744073709551615\"}", "doc: a string contains a NUL character" },
	{ "{\"u64\":\"\\u00001\",\"optU64\":18446744073709551615}",
	  "doc: a string contains a NUL character" },
	{ "{\"string\":\"\\\\\\u0000\"}", "doc: a string contains a NUL character" },
	{ "{\"string\":\"\\\"\\u0000\"}", "doc: a string contains a NUL character" },
	{ "{\"\\u0000\":1}", "doc: a string contains a NUL character" },
	{ "{\"a\":1,\"b\":true,\"a\":2}",
	  "doc: line 1, column 19: duplicate object key near '\"a\"'" },
	{ "[]", "doc: expected an object" },
	{ "", "doc: line 1, column 0: '[' or '{' expected near end of file" },
	{ " ", "doc: line 1, column 1: '[' or '{' expected near end of file" },
	{ "1", "doc: line 1, column 1: '[' or '{' expected near '1'" },
	{ "{\"b\": tru}", "doc: line 1, column 9: invalid token near 'tru'" },
	{ "{} {}", "doc: line 1, column 4: end of file expected near '{'" },
	{ "{\"b\": true,}", "doc: line 1, column 12: string or '}' expected near '}'" },
	{ "{\n\"b\": true\n", "doc: line 3, column 0: '}' expected near end of file" },
	{ "{\"i32\": 01}", "doc: line 1, column 9: invalid token near '0'" },
	{ "{\"i32\": +1}", "doc: line 1, column 9: invalid token near '+'" },
	{ "{\"i32\": -}", "doc: line 1, column 9: invalid token near '-'" },
	{ "{\"i64\": -9223372036854775809}",
	  "doc: line 1, column 28: too big negative integer near '-9223372036854775809'" },
	{ "{'b': true}", "doc: line 1, column 2: string or '}' expected near '''" },
	/* Marks do not move columns, nor let through what is no JSON. */
	{ "{\"u64\":18446744073709551615 x}", "doc: line 1, column 29: '}' expected near 'x'" },
	{ "{\"u64\":18446744073709551615,\n\"optU64\":18446744073709551615 x}",
	  "doc: line 2, column 31: '}' expected near 'x'" },
	{ "{\"u64\":009223372036854775808}", "doc: line 1, column 8: invalid token near '0'" },
	{ "{\"u64\":18446744073709551615\"\"}",
	  "doc: line 1, column 29: '}' expected near '\"\"'" },
	{ "{18446744073709551615:1}", "doc: line 1, column 21: NUL byte in object key not "
				      "supported" },
	{ "18446744073709551615", "doc: line 1, column 20: '[' or '{' expected" },
};

START_TEST(what_is_refused_is_said)
{
	expect_error(refused[_i].text, refused[_i].message);
}
END_TEST

START_TEST(large_integers_are_exact)
{
	static const struct {
		const char *text;
		uint64_t value;
	} rows[] = {
		{ "9223372036854775806", INT64_MAX - 1 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", (uint64_t)INT64_MAX + 1 },
		{ "9999999999999999999", 9999999999999999999U },
		{ "10000000000000000000", 10000000000000000000U },
		{ "18446744073709551614", UINT64_MAX - 1 },
		{ "18446744073709551615", UINT64_MAX },
		{ "0", 0 },
		{ "-0", 0 },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[128];
		(void)snprintf(text, sizeof text, "{\"u64\":%s,\"optU64\":%s}", rows[i].text,
			       rows[i].text);
		ck_assert_msg(decode(text) == 0, "%s: %s", text, err.text);
		ck_assert(got.u64 == rows[i].value && got.opt_u64.value == rows[i].value);
	}
	/* Digits inside strings stay as they are, next to marked ones too. */
	ck_assert_int_eq(decode("{\"u64\":18446744073709551615,\"string\":\"18446744073709551615\","
				"\"18446744073709551615\":[18446744073709551615,"
				"99999999999999999999999]}"),
			 0);
	ck_assert_str_eq(got.string, "18446744073709551615");
}
END_TEST

/* ---- hostile documents ----------------------------------------------------------------------- */

START_TEST(a_document_cut_anywhere_is_refused)
{
	size_t size = sizeof whole - 2; /* without the newline, which may go */
	for (size_t n = 0; n < size; n++) {
		int r = decode_bytes(whole, n);
		ck_assert_msg(r == -EINVAL, "cut at %zu gave %d", n, r);
		ck_assert_msg(strncmp(err.text, "doc: line ", 10) == 0, "cut at %zu: %s", n,
			      err.text);
		arena_free(&arena);
	}
	ck_assert_int_eq(decode_bytes(whole, size), 0);
}
END_TEST

START_TEST(any_byte_anywhere_does_no_harm)
{
	static const unsigned char bytes[] = { 0,   '"', '\\', '9',  '-', 'e',
					       '{', ']', ',',  0x80, 0xff };
	char text[sizeof whole];
	for (size_t at = 0; at < sizeof whole - 1; at++)
		for (size_t b = 0; b < sizeof bytes; b++) {
			memcpy(text, whole, sizeof text);
			text[at] = (char)bytes[b];
			err.text[0] = '\0';
			int r = decode_bytes(text, sizeof text - 1);
			ck_assert_msg(r == 0 || (r == -EINVAL && err.text[0]), "%zu %zu: %d", at, b,
				      r);
			arena_free(&arena);
		}
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
	static const char *const texts[] = {
		"{\"string\":\"\xff\"}",	 "{\"string\":\"\xc0\x80\"}",
		"{\"string\":\"\xed\xa0\x80\"}", "{\"string\":\"\xf4\x90\x80\x80\"}",
		"{\"string\":\"\xc3\"}",	 "{\"\xff\":1}",
		"{\"string\":\"\\ud800\"}",	 "{\"string\":\"\\udc00x\"}",
		"{\"string\":\"\\u12\"}",	 "{\"string\":\"\\x\"}",
		"{\"string\":\"line\nline\"}",	 "\xef\xbb\xbf{}",
	};
	for (size_t i = 0; i < COUNT(texts); i++) {
		ck_assert_msg(decode(texts[i]) == -EINVAL, "%zu", i);
		ck_assert_ptr_nonnull(strstr(err.text, "doc: line "));
	}
	static const char raw[] = "{\"string\":\"a\0b\"}", between[] = "{\"b\":true\0}";
	ck_assert_int_eq(decode_bytes(raw, sizeof raw - 1), -EINVAL);
	ck_assert_str_eq(err.text, "doc: a NUL byte in the text");
	ck_assert_int_eq(decode_bytes(between, sizeof between - 1), -EINVAL);
	ck_assert_int_eq(decode_bytes("{}\0", 3), -EINVAL);
}
END_TEST

static char *repeated(const char *before, const char *part, size_t count, const char *after)
{
	size_t n = strlen(part);
	char *text = malloc(strlen(before) + n * count + strlen(after) + 1);
	ck_assert_ptr_nonnull(text);
	char *p = stpcpy(text, before);
	for (size_t i = 0; i < count; i++)
		p = stpcpy(p, part);
	strcpy(p, after);
	return text;
}

START_TEST(depth_and_number_of_values_are_bounded)
{
	auto_mem char *deep = repeated("{\"x\":", "[", 100000, "");
	ck_assert_int_eq(decode(deep), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "maximum parsing depth reached"));

	auto_mem char *many = repeated("{\"x\":[", "{},", 150000, "{}]}");
	expect_error(many, "doc: more than 262144 values");
	/* Commas inside of strings are not values. */
	auto_mem char *commas = repeated("{\"string\":\"", ",{[", 150000, "\"}");
	ck_assert_msg(decode(commas) == 0, "%s", err.text);
	ck_assert_uint_eq(strlen(got.string), 450000);
}
END_TEST

START_TEST(long_names_are_cut_in_messages_only)
{
	auto_mem char *key = repeated("{\"map\":{\"", "k", 1000, "\":\"v\"},\"numbers\":1}");
	ck_assert_int_eq(decode(key), -EINVAL);
	ck_assert_str_eq(err.text, "doc: numbers: expected an array");
	ck_assert_uint_eq(strlen(got.map.items[0].key), 1000);

	auto_mem char *bad = repeated("{\"map\":{\"", "k", 1000, "\":1}}");
	ck_assert_int_eq(decode(bad), -EINVAL);
	ck_assert_uint_lt(strlen(err.text), 300);
	ck_assert_ptr_nonnull(strstr(err.text, ": expected a string"));
	expect_error("{\"path\":\"a\\nb\\u001b[31m\"}",
		     "doc: path: expected an absolute path, not \"a b [31m\"");
}
END_TEST

/* ---- arrays, by hand ------------------------------------------------------------------------- */

START_TEST(a_document_may_be_an_array)
{
	struct {
		struct inner *items;
		size_t count;
	} list = { 0 };
	static const char two[] = "[{\"x\":1},{\"x\":2}]", not [] = "{}", bad[] = "[{\"x\":1},{}]";

	ck_assert_int_eq(
		json_decode_array(two, sizeof two - 1, "list", &objects, &list, &arena, &err), 0);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_int_eq(list.items[1].x, 2);
	ck_assert_int_eq(
		json_decode_array(not, sizeof not -1, "list", &objects, &list, &arena, &err),
		-EINVAL);
	ck_assert_str_eq(err.text, "list: expected an array");
	ck_assert_int_eq(
		json_decode_array(bad, sizeof bad - 1, "list", &objects, &list, &arena, &err),
		-EINVAL);
	ck_assert_str_eq(err.text, "list: [1].x: missing");
}
END_TEST

static int look_around(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	size_t len = 0;
	(void)d;
	(void)f;
	ck_assert(node_is_object(v) && !node_is_array(v) && !node_is_string(v));
	ck_assert_uint_eq(node_members(v), 4);
	ck_assert_uint_eq(node_count(v), 0);
	const struct json_node *a = node_member(v, "a"), *s = node_member(v, "s");
	ck_assert(node_is_array(a) && node_count(a) == 1 && node_members(a) == 0);
	ck_assert_ptr_nonnull(node_at(a, 0));
	ck_assert_ptr_null(node_at(a, 1));
	ck_assert_str_eq(node_string(s, &len), "xyz");
	ck_assert_uint_eq(len, 3);
	ck_assert_ptr_null(node_member(v, "null"));
	ck_assert_ptr_null(node_member(v, "absent"));
	ck_assert_ptr_null(node_member(s, "a"));
	ck_assert_ptr_null(node_string(node_member(v, "large"), &len));
	ck_assert(!node_is_string(node_member(v, "large")) && !node_is_string(NULL));
	ck_assert(!node_is_object(NULL) && !node_is_array(NULL));
	*(bool *)out = true;
	return 0;
}

START_TEST(looking_around_by_hand)
{
	static const struct json_field custom[] = {
		{ "v", look_around, 0, NULL, JSON_REQUIRED, 0, 0 }, { 0 }
	};
	static const char text[] = "{\"v\":{\"a\":[1],\"s\":\"xyz\",\"null\":null,"
				   "\"large\":18446744073709551615}}";
	bool called = false;
	ck_assert_int_eq(json_decode(text, sizeof text - 1, "doc", custom, &called, &arena, &err),
			 0);
	ck_assert(called);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------------- */

START_TEST(memory_that_runs_out_is_said)
{
	long failures = 0;
	for (long n = 0;; n++) {
		alloc_fail_after(n);
		int r = json_decode(whole, sizeof whole - 1, "doc", fields, &got, &arena, &err);
		long hits = alloc_fail_hits();
		alloc_fail_after(-1);
		arena_free(&arena);
		if (r == 0 && hits == 0)
			break;
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_msg(strncmp(err.text, "doc: ", 5) == 0 &&
				      strstr(err.text, "out of memory"),
			      "allocation %ld: %s", n, err.text);
		failures++;
	}
	ck_assert_int_ge(failures, 2);
}
END_TEST

/* ---- writing --------------------------------------------------------------------------------- */

static void write_sample(struct json_out *o)
{
	json_open_object(o, NULL);
	json_put_string(o, "s", "a\"b\\c\n\t\x01\x7f/\xc3\xa9");
	json_put_string(o, "none", NULL);
	json_put_i64(o, "min", INT64_MIN);
	json_put_u64(o, "max", UINT64_MAX);
	json_put_bool(o, "yes", true);
	json_open_array(o, "empty");
	json_close_array(o);
	json_open_array(o, "list");
	json_put_i64(o, NULL, 1);
	json_open_object(o, NULL);
	json_close_object(o);
	json_put_raw(o, NULL, "[2,3]");
	json_close_array(o);
	json_put_double(o, "half", 0.5);
	json_put_double(o, "nan", NAN);
	json_put_double(o, "inf", -INFINITY);
	json_close_object(o);
}

START_TEST(compact_text)
{
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *text = NULL;
	write_sample(&o);
	ck_assert_int_eq(json_out_take(&o, &text, &err), 0);
	ck_assert_str_eq(text, "{\"s\":\"a\\\"b\\\\c\\n\\t\\u0001\\u007f/\xc3\xa9\",\"none\":null,"
			       "\"min\":-9223372036854775808,\"max\":18446744073709551615,"
			       "\"yes\":true,\"empty\":[],\"list\":[1,{},[2,3]],\"half\":0.5,"
			       "\"nan\":null,\"inf\":null}");
	ck_assert_ptr_null(o.text);
	ck_assert_uint_eq(o.size, 0);
}
END_TEST

START_TEST(indented_text)
{
	struct json_out o = JSON_OUT_INDENT("  ");
	auto_mem char *text = NULL;
	json_open_object(&o, NULL);
	json_put_i64(&o, "a", 1);
	json_open_array(&o, "b");
	json_put_bool(&o, NULL, false);
	json_put_null(&o, NULL);
	json_close_array(&o);
	json_open_object(&o, "c");
	json_close_object(&o);
	json_close_object(&o);
	ck_assert_int_eq(json_out_take(&o, &text, &err), 0);
	ck_assert_str_eq(text, "{\n  \"a\": 1,\n  \"b\": [\n    false,\n    null\n  ],\n"
			       "  \"c\": {}\n}");
}
END_TEST

/* Whatever the bytes, the result is a string that jansson takes; text comes back as it was. */
START_TEST(any_bytes_make_a_string)
{
	unsigned seed = 1;
	for (int round = 0; round < 3000; round++) {
		char bytes[24];
		size_t size = (size_t)rand_r(&seed) % sizeof bytes;
		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)(rand_r(&seed) >> 3);
		struct json_out o = JSON_OUT_COMPACT;
		auto_mem char *text = NULL;
		json_open_array(&o, NULL);
		json_put_bytes(&o, NULL, bytes, size);
		json_close_array(&o);
		ck_assert_int_eq(json_out_take(&o, &text, &err), 0);
		json_error_t why;
		json_t *back = json_loads(text, JSON_ALLOW_NUL, &why);
		ck_assert_msg(back != NULL, "%s: %s", text, why.text);
		json_t *same = json_stringn(bytes, size);
		if (same)
			ck_assert(json_equal(json_array_get(back, 0), same));
		else
			ck_assert_ptr_nonnull(strstr(text, "\xef\xbf\xbd"));
		json_decref(same);
		json_decref(back);
	}
}
END_TEST

START_TEST(wrong_bytes_are_replaced_one_by_one)
{
	static const struct {
		const char *bytes, *text;
	} rows[] = {
		{ "a\xff\xfe"
		  "b",
		  "\"a\xef\xbf\xbd\xef\xbf\xbd"
		  "b\"" },
		{ "\xc3", "\"\xef\xbf\xbd\"" },
		{ "\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80x", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\"" },
		{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json_out o = JSON_OUT_COMPACT;
		auto_mem char *text = NULL;
		json_put_string(&o, NULL, rows[i].bytes);
		ck_assert_int_eq(json_out_take(&o, &text, &err), 0);
		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

START_TEST(the_writer_remembers_that_memory_ran_out)
{
	bool done = false;
	for (long n = 0; !done; n++) {
		struct json_out o = JSON_OUT_INDENT("\t");
		auto_mem char *text = NULL;
		alloc_fail_after(n);
		for (int i = 0; i < 200; i++)
			write_sample(&o);
		int r = json_out_take(&o, &text, &err);
		done = alloc_fail_hits() == 0;
		alloc_fail_after(-1);
		ck_assert_int_eq(r, done ? 0 : -ENOMEM);
		ck_assert(done == (text != NULL));
		ck_assert_ptr_null(o.text);
		ck_assert_int_lt(n, 100);
	}
	struct json_out nothing = JSON_OUT_COMPACT;
	json_out_done(&nothing);
}
END_TEST

START_TEST(one_member_is_replaced)
{
	static const struct {
		const char *text, *a, *b, *value, *want; /* want NULL: there is no such member */
	} cases[] = {
		{ "{\"a\":1}", "a", NULL, "2", "{\"a\":2}" },
		{ " { \"a\" : 1 } ", "a", NULL, "{}", " { \"a\" : {} } " },
		{ "{\"x\":[1,{\"a\":3},\"}\"],\"a\":{\"b\":[1,\"]\\\"\"],\"c\":0},\"d\":4}", "a",
		  "b", "null", "{\"x\":[1,{\"a\":3},\"}\"],\"a\":{\"b\":null,\"c\":0},\"d\":4}" },
		{ "{\"ab\":1,\"b\":2,\"a\":\"b\"}", "a", NULL, "3", "{\"ab\":1,\"b\":2,\"a\":3}" },
		{ "{\"x\\\\\":1,\"a\":true}", "a", NULL, "3", "{\"x\\\\\":1,\"a\":3}" },
		{ "{\"b\":{\"a\":1}}", "a", NULL, "3", NULL },
		{ "{\"a\":[{\"b\":1}]}", "a", "b", "3", NULL },
		{ "{\"a\":\"{}\"}", "a", "b", "3", NULL },
		{ "{}", "a", NULL, "3", NULL },
		{ "[]", "a", NULL, "3", NULL },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *const path[] = { cases[i].a, cases[i].b, NULL };
		auto_mem char *changed = NULL;
		int r = json_replace(cases[i].text, path, cases[i].value, &changed, &err);
		ck_assert_int_eq(r, cases[i].want ? 0 : -ENOENT);
		if (cases[i].want)
			ck_assert_str_eq(changed, cases[i].want);
	}
}
END_TEST

/* It walks what was parsed; still, no text leads it out of the text. */
START_TEST(replacing_in_a_text_cut_anywhere_ends)
{
	static const char text[] = "{\"x\":[1,\"\\\"\"],\"a\":{\"b\":\"c\"}}";
	const char *const path[] = { "a", "b", NULL };
	for (size_t size = 0; size <= strlen(text); size++) {
		auto_mem char *cut = strndup(text, size);
		auto_mem char *changed = NULL;
		(void)!json_replace(cut, path, "1", &changed, &err);
	}
}
END_TEST

/* A sanitizer's malloc has no heap that could be looked through. */
#ifndef __SANITIZE_ADDRESS__
/* Is the text anywhere in memory that malloc gave out? It is put together here, so that it is
 * nowhere else. */
static bool heap_has(const char *first, const char *second)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t a = strlen(first), b = strlen(second);
	char line[512];
	bool found = false;

	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof line, maps)) {
		unsigned long from, to;
		if (!strstr(line, "[heap]") || sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		for (const char *p = (const char *)from; p + a + b <= (const char *)to; p++)
			found |= memcmp(p, first, a) == 0 && memcmp(p + a, second, b) == 0;
	}
	(void)fclose(maps);
	return found;
}

static void parse_secret(void (*done)(struct arena *a), bool *ret_seen)
{
	static const struct json_field secret_fields[] = { { "password", decode_text, 0 }, { 0 } };
	struct arena own = { 0 };
	char *password = NULL, *text = NULL;
	struct csn_error why;

	ck_assert_int_gt(asprintf(&text, "{\"password\": \"%s%s\"}", "open", " sesame"), 0);
	ck_assert_int_eq(json_decode(text, strlen(text), "x", secret_fields, &password, &own, &why),
			 0);
	*ret_seen = heap_has("open", " sesame");
	explicit_bzero(text, strlen(text));
	free(text);
	done(&own);
}

START_TEST(secrets_are_overwritten)
{
	bool seen;

	json_wipe_memory();
	parse_secret(arena_wipe, &seen);
	ck_assert(seen);
	ck_assert(!heap_has("open", " sesame"));
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *reading = tcase_create("reading");
	tcase_add_checked_fixture(reading, setup, teardown);
	tcase_add_test(reading, every_kind_of_value);
	tcase_add_test(reading, null_is_absent);
	tcase_add_loop_test(reading, a_wrong_kind_is_named, 0, (int)COUNT(kinds));
	tcase_add_loop_test(reading, what_is_refused_is_said, 0, (int)COUNT(refused));
	tcase_add_test(reading, large_integers_are_exact);
	tcase_add_test(reading, a_document_cut_anywhere_is_refused);
	tcase_add_test(reading, any_byte_anywhere_does_no_harm);
	tcase_add_test(reading, bytes_that_are_no_text);
	tcase_add_test(reading, depth_and_number_of_values_are_bounded);
	tcase_add_test(reading, long_names_are_cut_in_messages_only);
	tcase_add_test(reading, a_document_may_be_an_array);
	tcase_add_test(reading, looking_around_by_hand);
	tcase_add_test(reading, memory_that_runs_out_is_said);
	suite_add_tcase(suite, reading);

#ifndef __SANITIZE_ADDRESS__
	TCase *secrets = tcase_create("secrets");
	tcase_add_test(secrets, secrets_are_overwritten);
	suite_add_tcase(suite, secrets);
#endif
	TCase *editing = tcase_create("editing");
	tcase_add_checked_fixture(editing, setup, teardown);
	tcase_add_test(editing, one_member_is_replaced);
	tcase_add_test(editing, replacing_in_a_text_cut_anywhere_ends);
	suite_add_tcase(suite, editing);

	TCase *writing = tcase_create("writing");
	tcase_add_checked_fixture(writing, setup, teardown);
	tcase_add_test(writing, compact_text);
	tcase_add_test(writing, indented_text);
	tcase_add_test(writing, any_bytes_make_a_string);
	tcase_add_test(writing, wrong_bytes_are_replaced_one_by_one);
	tcase_add_test(writing, the_writer_remembers_that_memory_ran_out);
	suite_add_tcase(suite, writing);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
