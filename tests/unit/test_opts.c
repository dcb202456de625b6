/* Command lines: every spelling of an option, options among operands, and what is refused. */
#include <check.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bin/opts.h"

static bool flag, other;
static const char *text;
static int number;
static struct opt_list list;
static const struct opt rows[] = {
	{ 'f', "flag", NULL, "", OPT_FLAG, &flag },
	{ 'o', "other", NULL, "", OPT_FLAG, &other },
	{ 't', "text", "TEXT", "", OPT_TEXT, &text },
	{ 'n', "number", "N", "", OPT_INT, &number },
	{ 'l', "list", "ITEM", "", OPT_LIST, &list },
	{ 0, "ignored", "X", NULL, OPT_IGNORED, NULL },
	{ 0 },
};

static char *argv[16];
static int argc, first;
static bool help;
static struct csn_error err;

/* The words after the program's name, up to NULL. */
static int parse(int mixed, ...)
{
	va_list ap;
	va_start(ap, mixed);
	argc = 1;
	argv[0] = (char[]){ "program" };
	for (char *word; (word = va_arg(ap, char *));)
		argv[argc++] = word;
	argv[argc] = NULL;
	va_end(ap);
	flag = other = false;
	text = NULL;
	number = 0;
	opt_list_free(&list);
	err.text[0] = '\0';
	return opts_parse(rows, argc, argv, mixed, &first, &help, &err);
}

START_TEST(spellings)
{
	ck_assert_int_eq(parse(false, "--text", "a", "--number=7", "-fo", "x", NULL), 0);
	ck_assert_str_eq(text, "a");
	ck_assert_int_eq(number, 7);
	ck_assert(flag && other);
	ck_assert_str_eq(argv[first], "x");
	ck_assert_int_eq(parse(false, "-tb", "-n", "-1", "--flag=false", "-l", "1", "--list=2",
			       "--ignored", "3", NULL),
			 0);
	ck_assert_str_eq(text, "b");
	ck_assert_int_eq(number, -1);
	ck_assert(!flag);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.items[1], "2");
	ck_assert_int_eq(first, argc);
	ck_assert_int_eq(parse(false, "--text=", "-h", NULL), 0);
	ck_assert_str_eq(text, "");
	ck_assert(help);
}
END_TEST

START_TEST(the_first_operand_ends_them)
{
	ck_assert_int_eq(parse(false, "-f", "id", "-o", NULL), 0);
	ck_assert(flag && !other);
	ck_assert_int_eq(first, 2);
	ck_assert_int_eq(parse(false, "--", "-f", NULL), 0);
	ck_assert(!flag);
	ck_assert_str_eq(argv[first], "-f");
	/* A lone dash is an operand. */
	ck_assert_int_eq(parse(false, "-", "-f", NULL), 0);
	ck_assert_str_eq(argv[first], "-");
	ck_assert(!flag);
}
END_TEST

START_TEST(or_does_not)
{
	ck_assert_int_eq(parse(true, "id", "-f", "second", "--text", "a", "third", NULL), 0);
	ck_assert(flag);
	ck_assert_str_eq(text, "a");
	ck_assert_int_eq(argc - first, 3);
	ck_assert_str_eq(argv[first], "id");
	ck_assert_str_eq(argv[first + 1], "second");
	ck_assert_str_eq(argv[first + 2], "third");
	ck_assert_ptr_null(argv[argc]);
	/* What follows "--" is operands, in their places. */
	ck_assert_int_eq(parse(true, "id", "-f", "--", "-o", "last", NULL), 0);
	ck_assert(flag && !other);
	ck_assert_int_eq(argc - first, 3);
	ck_assert_str_eq(argv[first], "id");
	ck_assert_str_eq(argv[first + 1], "-o");
	ck_assert_str_eq(argv[first + 2], "last");
}
END_TEST

static const struct {
	const char *word, *value, *says;
} refusals[] = {
	{ "--nosuch", NULL, "unknown option --nosuch" },
	{ "-x", NULL, "unknown option -x" },
	{ "--flagged", NULL, "unknown option --flagged" },
	{ "--text", NULL, "option --text needs a value" },
	{ "-ft", NULL, "option -t needs a value" },
	{ "--number", "x", "option --number: expected a number, not \"x\"" },
	{ "--number", "99999999999", "option --number: expected a number, not \"99999999999\"" },
	{ "--flag=x", NULL, "option --flag: expected true or false, not \"x\"" },
};
START_TEST(refused)
{
	ck_assert_int_lt(parse(true, refusals[_i].word, refusals[_i].value, NULL), 0);
	ck_assert_str_eq(err.text, refusals[_i].says);
	ck_assert_int_lt(parse(false, "-f", refusals[_i].word, refusals[_i].value, NULL), 0);
	ck_assert_str_eq(err.text, refusals[_i].says);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("opts");
	TCase *all = tcase_create("opts");
	tcase_add_test(all, spellings);
	tcase_add_test(all, the_first_operand_ends_them);
	tcase_add_test(all, or_does_not);
	tcase_add_loop_test(all, refused, 0, sizeof refusals / sizeof refusals[0]);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
