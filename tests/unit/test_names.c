/*
 * The tables of names against other tables of the same: glibc's signals, libcap's capabilities.
 * And sizes, which are numbers with names.
 */
#include <check.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>

#include "base/names.h"
#include "base/size.h"

START_TEST(signals_as_the_c_library_names_them)
{
	for (int number = 1; number <= 31; number++) {
		char name[32];
		ck_assert_ptr_nonnull(sigabbrev_np(number));
		(void)snprintf(name, sizeof name, "SIG%s", sigabbrev_np(number));
		if (number != SIGPOLL) /* SIGIO has the other name first */
			ck_assert_str_eq(signal_name(number), name);
		ck_assert_int_eq(signal_number(name), number);
		ck_assert_int_eq(signal_number(name + 3), number);
	}
}
END_TEST

START_TEST(every_signal_reads_back)
{
	for (int number = 1; number <= 64; number++) {
		char digits[8];
		(void)snprintf(digits, sizeof digits, "%d", number);
		ck_assert_int_eq(signal_number(digits), number);
		if (number != 32 && number != 33) /* the C library's own have no names */
			ck_assert_int_eq(signal_number(signal_name(number)), number);
	}
	ck_assert_str_eq(signal_name(34), "SIGRTMIN");
	ck_assert_str_eq(signal_name(37), "SIGRTMIN+3");
	ck_assert_str_eq(signal_name(0), "unknown");
	ck_assert_str_eq(signal_name(65), "unknown");
	ck_assert_str_eq(signal_name(-1), "unknown");
}
END_TEST

START_TEST(signals_as_people_write_them)
{
	static const struct {
		const char *text;
		int number;
	} rows[] = {
		{ "term", 15 },	    { "SigTerm", 15 },	  { "sigkill", 9 },	{ "CLD", 17 },
		{ "IOT", 6 },	    { "poll", 29 },	  { "RTMIN", 34 },	{ "rtmin+3", 37 },
		{ "RTMIN+30", 64 }, { "SIGRTMAX", 64 },	  { "SIGRTMAX-1", 63 }, { "RTMAX-30", 34 },
		{ "RTMIN+31", -1 }, { "RTMAX-31", -1 },	  { "RTMIN-1", -1 },	{ "RTMAX+1", -1 },
		{ "RTMIN+", -1 },   { "RTMIN+1x", -1 },	  { "RTMINUS", -1 },	{ "0", -1 },
		{ "65", -1 },	    { "-9", -1 },	  { "+9", -1 },		{ "9 ", -1 },
		{ " 9", -1 },	    { "0x9", -1 },	  { "4294967305", -1 }, { "", -1 },
		{ "SIG", -1 },	    { "SIGSIGTERM", -1 }, { "SIG9", -1 },	{ "TERMINATE", -1 },
		{ "SIG32", 32 },    { "SIG33", 33 },	  { "SIG34", -1 },	{ "33", 33 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(signal_number(rows[i].text) == rows[i].number, "\"%s\" is %d",
			      rows[i].text, signal_number(rows[i].text));
}
END_TEST

START_TEST(capabilities_as_libcap_names_them)
{
	ck_assert_int_ge(capability_last(), CAP_LAST_CAP);
	for (int cap = 0; cap <= capability_last(); cap++) {
		cap_value_t theirs;
		ck_assert_int_eq(cap_from_name(capability_name(cap), &theirs), 0);
		ck_assert_int_eq(theirs, cap);
		ck_assert_int_eq(capability_number(capability_name(cap)), cap);
		ck_assert_int_eq(capability_number(capability_name(cap) + 4), cap);
	}
	ck_assert_int_eq(capability_number("cap_sys_admin"), CAP_SYS_ADMIN);
	static const char *const unknown[] = { "",	     "CAP_",	      "CAP_SYS",
					       "CAP_CHOWN ", "CAP_CAP_CHOWN", "41" };
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		ck_assert_int_eq(capability_number(unknown[i]), -1);
	ck_assert_ptr_null(capability_name(-1));
	ck_assert_ptr_null(capability_name(capability_last() + 1));
}
END_TEST

START_TEST(every_limit_reads_back)
{
	for (int limit = 0; limit < (int)RLIM_NLIMITS; limit++) {
		ck_assert_ptr_nonnull(rlimit_name(limit));
		ck_assert_int_eq(rlimit_number(rlimit_name(limit)), limit);
	}
	ck_assert_int_eq(rlimit_number("RLIMIT_NOFILE"), RLIMIT_NOFILE);
	ck_assert_int_eq(rlimit_number("rlimit_nofile"), -1);
	ck_assert_int_eq(rlimit_number("NOFILE"), -1);
	ck_assert_int_eq(rlimit_number(""), -1);
	ck_assert_ptr_null(rlimit_name(-1));
	ck_assert_ptr_null(rlimit_name((int)RLIM_NLIMITS));
}
END_TEST

START_TEST(sizes_as_people_write_them)
{
	static const struct {
		const char *text;
		int64_t bytes; /* -1: refused */
	} cases[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "17b", 17 },
		{ "1k", 1024 },
		{ "1K", 1024 },
		{ "512m", INT64_C(512) << 20 },
		{ "512MB", INT64_C(512) << 20 },
		{ "512MiB", INT64_C(512) << 20 },
		{ "512 mib", INT64_C(512) << 20 },
		{ "1.5g", INT64_C(1536) << 20 },
		{ "0.1k", 102 },
		{ "0.000000000000000001p", 0 },
		{ "1.99999999999999999999999k", 2047 },
		{ "2t", INT64_C(2) << 40 },
		{ "8191p", INT64_C(8191) << 50 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", -1 },
		{ "8192p", -1 },
		{ "18446744073709551616", -1 },
		{ "99999999999999999999p", -1 },
		{ "", -1 },
		{ "-1", -1 },
		{ "+1", -1 },
		{ " 1", -1 },
		{ "k", -1 },
		{ ".5k", -1 },
		{ "1.k", -1 },
		{ "1x", -1 },
		{ "1kk", -1 },
		{ "1bb", -1 },
		{ "1ki", -1 },
		{ "1e3", -1 },
		{ "0x10", -1 },
		{ "1 ", 1 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t got = -7;
		bool ok = size_parse(cases[i].text, &got);
		ck_assert_msg(ok == (cases[i].bytes >= 0), "\"%s\"", cases[i].text);
		ck_assert_msg(got == (ok ? cases[i].bytes : -7), "\"%s\": %lld", cases[i].text,
			      (long long)got);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tables = tcase_create("tables");
	tcase_add_test(tables, signals_as_the_c_library_names_them);
	tcase_add_test(tables, every_signal_reads_back);
	tcase_add_test(tables, signals_as_people_write_them);
	tcase_add_test(tables, capabilities_as_libcap_names_them);
	tcase_add_test(tables, every_limit_reads_back);
	tcase_add_test(tables, sizes_as_people_write_them);
	suite_add_tcase(suite, tables);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
