/*
 * Every row of every field table of config.json, found by walking the tables themselves: whatever
 * has the wrong kind, is out of range or is missing, the error names its dotted path and says what
 * was expected. A field that is added is tested the day it is added.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "spec/fields.h"

static struct csn_error err;
static size_t rows, refusals;

/* ---- where a value stands -------------------------------------------------------------------- */

enum place_kind { MEMBER, ELEMENT, KEY };
struct place {
	const struct place *in; /* NULL: the document */
	enum place_kind kind;
	const struct json_field *table, *row; /* MEMBER */
	const char *key;		      /* KEY */
};

static void print_path(const struct place *p, char *buf, size_t size)
{
	if (!p) {
		buf[0] = '\0';
		return;
	}
	print_path(p->in, buf, size);
	size_t at = strlen(buf);
	if (p->kind == ELEMENT)
		(void)snprintf(buf + at, size - at, "[0]");
	else
		(void)snprintf(buf + at, size - at, "%s%s", at ? "." : "",
			       p->kind == KEY ? p->key : p->row->name);
}

/* Which free names a row's object has; NULL: its keys are fields. */
static const char *free_key(const struct json_field *f)
{
	return f->decode == decode_net_devices	  ? "eth0"
	       : f->decode == decode_rdma	  ? "mlx5_0"
	       : f->decode == decode_time_offsets ? "boottime"
						  : NULL;
}

static bool is_object(const struct json_field *f)
{
	return f->decode == decode_object || f->decode == decode_set_object ||
	       f->decode == decode_console_size;
}

static bool is_array(const struct json_field *f)
{
	return f->decode == decode_array || f->decode == decode_idmaps || f->decode == decode_ids ||
	       f->decode == decode_namespaces;
}

/* ---- values ---------------------------------------------------------------------------------- */

static char *valid_value(const struct json_field *f);

/* The required members of a table but for one row, each followed by a comma. */
static char *required(const struct json_field *table, const struct json_field *but)
{
	char *text = strdup("");
	for (const struct json_field *f = table; f->name; f++) {
		if (f == but || f->presence != JSON_REQUIRED)
			continue;
		auto_mem char *before = text, *value = valid_value(f);
		ck_assert_int_gt(asprintf(&text, "%s\"%s\": %s, ", before, f->name, value), 0);
	}
	return text;
}

/* What the decoder of a row takes: enough for it to go on to the next. */
static char *valid_value(const struct json_field *f)
{
	char *text = NULL;
	if (is_object(f)) {
		auto_mem char *members = required(f->detail, NULL);
		size_t n = strlen(members);
		ck_assert_int_gt(asprintf(&text, "{%.*s}", (int)(n ? n - 2 : 0), members), 0);
		return text;
	}
	if (is_array(f) || f->decode == decode_strings)
		return strdup("[]");
	if (f->decode == decode_bool)
		return strdup("true");
	if (f->decode == decode_string || f->decode == decode_abs_path)
		return strdup("\"/x\"");
	ck_assert_int_gt(asprintf(&text, "%lld", (long long)f->min), 0);
	return text;
}

/* The whole document with value at that place. Takes value over. */
static char *document_with(const struct place *p, char *value)
{
	auto_mem char *inner = value;
	char *text = NULL;
	if (!p)
		return take_ptr(inner);
	if (p->kind == ELEMENT) {
		ck_assert_int_gt(asprintf(&text, "[%s]", inner), 0);
	} else if (p->kind == KEY) {
		ck_assert_int_gt(asprintf(&text, "{\"%s\": %s}", p->key, inner), 0);
	} else {
		auto_mem char *others = required(p->table, p->row);
		ck_assert_int_gt(asprintf(&text, "{%s\"%s\": %s}", others, p->row->name, inner), 0);
	}
	return document_with(p->in, text);
}

/* ---- checks ---------------------------------------------------------------------------------- */

/* Gives whether the value was refused, with the path and the word that is due. */
static bool refused(const struct place *p, const char *value, const char *words)
{
	char path[256], start[400];
	auto_mem char *text = document_with(p, strdup(value));
	struct spec *s = NULL;
	int r = spec_parse(text, strlen(text), "config.json", &s, &err);
	spec_free(s);
	if (r == 0)
		return false;
	print_path(p, path, sizeof path);
	(void)snprintf(start, sizeof start, "config.json: %s: %s", path, words);
	if (r == -EINVAL && strncmp(err.text, start, strlen(start)) == 0)
		return true;
	/* The decoder took it. What is inside it lacks something, or a rule does not like the value
	 * or the rest of our document; whoever calls counts the refusals. */
	ck_assert_msg(r == -EINVAL && strcmp(words, "expected ") == 0 &&
			      strncmp(err.text, "config.json: ", 13) == 0,
		      "%s as %s:\n got      %s\n expected %s…", path, value, err.text, start);
	return false;
}

static const char *const kinds[] = { "true", "1.5", "\"text\"", "[]", "{}" };

static void check_kinds(const struct place *p)
{
	size_t count = 0;
	char path[256];
	for (size_t i = 0; i < COUNT(kinds); i++)
		count += refused(p, kinds[i], "expected ");
	print_path(p, path, sizeof path);
	ck_assert_msg(count >= COUNT(kinds) - 1, "%s takes values of %zu kinds", path,
		      COUNT(kinds) - count);
	refusals += count;
}

static bool is_integer(json_decode_fn *decode)
{
	static json_decode_fn *const integers[] = { decode_i32,	   decode_u32,	   decode_i64,
						    decode_u64,	   decode_opt_u32, decode_opt_i64,
						    decode_opt_u64 };
	for (size_t i = 0; i < COUNT(integers); i++)
		if (decode == integers[i])
			return true;
	return false;
}

/* One beyond each end, and what no integer of C can hold. */
static void check_range(const struct place *p, json_decode_fn *decode, int64_t min, uint64_t max)
{
	char text[32];
	if (!is_integer(decode))
		return;
	if (min || max) {
		(void)snprintf(text, sizeof text, "%lld", (long long)min - 1);
		ck_assert(refused(p, text, "expected an integer from "));
		(void)snprintf(text, sizeof text, "%llu", (unsigned long long)max + 1);
		ck_assert(refused(p, text, "expected an integer from "));
	} else if (decode == decode_u32 || decode == decode_opt_u32) {
		ck_assert(refused(p, "-1", "expected an integer from 0 to 4294967295"));
		ck_assert(refused(p, "4294967296", "expected an integer from 0 to 4294967295"));
	} else if (decode == decode_u64 || decode == decode_opt_u64) {
		ck_assert(refused(p, "-1", "expected an integer from 0 to 18446744073709551615"));
	} else if (decode == decode_i64 || decode == decode_opt_i64) {
		ck_assert(refused(p, "9223372036854775808", "expected an integer from -92233"));
	}
	ck_assert(refused(p, "1e3", "expected an integer from "));
}

static void check_elements(const struct place *p, const char *element_wrong)
{
	char path[256], start[400];
	auto_mem char *text = document_with(p, strdup(element_wrong));
	struct spec *s = NULL;
	ck_assert_int_eq(spec_parse(text, strlen(text), "config.json", &s, &err), -EINVAL);
	print_path(p, path, sizeof path);
	(void)snprintf(start, sizeof start, "config.json: %s", path);
	ck_assert_msg(strncmp(err.text, start, strlen(start)) == 0 &&
			      strstr(err.text, ": expected a string"),
		      "%s: %s", path, err.text);
}

static void walk(const struct place *in, const struct json_field *table);

static void walk_array(const struct place *in, const struct json_elements *e)
{
	const struct place p = { .in = in, .kind = ELEMENT };
	check_kinds(&p);
	check_range(&p, e->decode, e->min, e->max);
	if (e->decode == decode_object)
		walk(&p, e->detail);
}

static void walk_row(const struct place *in, const struct json_field *table,
		     const struct json_field *f)
{
	const struct place p = { .in = in, .kind = MEMBER, .table = table, .row = f };
	const struct place key = { .in = &p, .kind = KEY, .key = free_key(f) };

	rows++;
	check_kinds(&p);
	check_range(&p, f->decode, f->min, f->max);
	if (f->presence == JSON_REQUIRED)
		ck_assert(refused(&p, "null", "missing"));
	if (f->decode == decode_strings)
		check_elements(&p, "[1]");
	if (f->decode == decode_map)
		check_elements(&p, "{\"a.b\": 1}");
	if (f->decode == decode_abs_path)
		ck_assert(refused(&p, "\"a/b\"", "expected an absolute path, not \"a/b\""));
	if (is_array(f))
		walk_array(&p, f->detail);
	if (is_object(f))
		walk(&p, f->detail);
	if (key.key) {
		check_kinds(&key);
		walk(&key, f->detail);
	}
}

static void walk(const struct place *in, const struct json_field *table)
{
	ck_assert_ptr_nonnull(table);
	for (const struct json_field *f = table; f->name; f++)
		walk_row(in, table, f);
}

START_TEST(every_row_of_every_table)
{
	walk(NULL, spec_fields);
	ck_assert_uint_ge(rows, 180);
	ck_assert_uint_ge(refusals, 4 * rows);
}
END_TEST

/* The path is bounded; what does not fit is cut, and the rest of the message is whole. */
START_TEST(a_long_path_is_cut)
{
	char key[2000];
	auto_mem char *text = NULL;
	struct spec *s = NULL;
	memset(key, 'k', sizeof key - 1);
	key[sizeof key - 1] = '\0';
	ck_assert_int_gt(asprintf(&text,
				  "{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"x\"}, "
				  "\"annotations\": {\"%s\": 1}}",
				  key),
			 0);
	ck_assert_int_eq(spec_parse(text, strlen(text), "config.json", &s, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "config.json: annotations.kkk"));
	ck_assert_ptr_nonnull(strstr(err.text, "k: expected a string"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spec fields");
	TCase *t = tcase_create("tables");
	tcase_add_test(t, every_row_of_every_table);
	tcase_add_test(t, a_long_path_is_cut);
	suite_add_tcase(s, t);

	SRunner *runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
