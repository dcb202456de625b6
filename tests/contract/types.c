/* Types of the interface, which are the same whatever runtime there is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))

/* ---- signals ------------------------------------------------------------------------------------
 */

START_TEST(validate_signal_accepts_known_signals)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "SIGKILL", "SIGKILL" }, { "SIGTERM", "SIGTERM" }, { "SIGINT", "SIGINT" },
		{ "SIGHUP", "SIGHUP" },	  { "SIGUSR1", "SIGUSR1" }, { "SIGUSR2", "SIGUSR2" },
		{ "KILL", "SIGKILL" },	  { "term", "SIGTERM" },    { " INT ", "SIGINT" },
	};
	struct csn_error err;
	const char *name;
	for (size_t i = 0; i < ROWS(rows); i++) {
		OK(csn_validate_signal(rows[i].text, &name, &err));
		ck_assert_str_eq(name, rows[i].name);
	}
}
END_TEST

START_TEST(validate_signal_rejects_unknown_or_empty)
{
	static const char *const texts[] = { "", "   ", "SIGSEGV", "NOPE", "SIGPIPE", "9" };
	struct csn_error err;
	const char *name = "untouched";
	for (size_t i = 0; i < ROWS(texts); i++) {
		FAILS(csn_validate_signal(texts[i], &name, &err), CSN_ERROR_INVALID_SPEC);
		ck_assert_str_eq(name, "untouched");
	}
	FAILS(csn_validate_signal(" ", &name, &err), CSN_ERROR_INVALID_SPEC);
	ck_assert_str_eq(err.text, "Invalid spec: signal must not be empty");
	FAILS(csn_validate_signal("9", &name, &err), CSN_ERROR_INVALID_SPEC);
	ck_assert_str_eq(err.text, "Invalid spec: unsupported signal 'SIG9'; allowed: SIGKILL, "
				   "SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2");
}
END_TEST

START_TEST(signal_name_from_exit_code_known_signals)
{
	static const struct {
		int code;
		const char *name;
	} rows[] = {
		{ 137, "SIGKILL" }, { 143, "SIGTERM" }, { 130, "SIGINT" },  { 129, "SIGHUP" },
		{ 139, "SIGSEGV" }, { 145, "SIGSTOP" }, { 146, "SIGCONT" }, { 140, "SIGUSR2" }
	};
	char buf[24];
	for (size_t i = 0; i < ROWS(rows); i++)
		ck_assert_str_eq(csn_signal_name_from_exit_code(rows[i].code, buf), rows[i].name);
}
END_TEST

START_TEST(signal_name_from_exit_code_handles_unknown_and_normal)
{
	char buf[24];
	ck_assert_ptr_null(csn_signal_name_from_exit_code(0, buf));
	ck_assert_ptr_null(csn_signal_name_from_exit_code(1, buf));
	ck_assert_ptr_null(csn_signal_name_from_exit_code(128, buf));
	ck_assert_str_eq(csn_signal_name_from_exit_code(227, buf), "signal_99");
	ck_assert_str_eq(csn_signal_name_from_exit_code(133, buf), "signal_5");
	ck_assert_str_eq(csn_signal_name_from_exit_code(144, buf), "signal_16");
}
END_TEST

/* ---- reasons and outcomes -------------------------------------------------------------------- */

static const struct {
	enum csn_wait_reason reason;
	const char *name;
} reasons[] = { { CSN_WAIT_EXITED, "exited" },
		{ CSN_WAIT_SIGNAL, "signal" },
		{ CSN_WAIT_OOM_KILLED, "oom_killed" },
		{ CSN_WAIT_RUNTIME_ERROR, "runtime_error" } };

START_TEST(wait_reason_serializes_as_snake_case)
{
	for (size_t i = 0; i < ROWS(reasons); i++)
		ck_assert_str_eq(csn_wait_reason_name(reasons[i].reason), reasons[i].name);
}
END_TEST

START_TEST(wait_reason_deserialize_roundtrip)
{
	struct csn_error err;
	enum csn_wait_reason reason;
	for (size_t i = 0; i < ROWS(reasons); i++) {
		OK(csn_wait_reason_parse(reasons[i].name, &reason, &err));
		ck_assert_int_eq(reason, reasons[i].reason);
	}
	FAILS(csn_wait_reason_parse("Exited", &reason, &err), CSN_ERROR_INVALID_SPEC);
}
END_TEST

START_TEST(wait_outcome_roundtrip)
{
	static const char *const texts[] = {
		"{\"exit_code\":7,\"reason\":\"exited\",\"signal\":null,\"finished_at\":null}",
		"{\"exit_code\":143,\"reason\":\"signal\",\"signal\":\"SIGTERM\","
		"\"finished_at\":\"2026-11-25T17:00:00.123456789Z\"}",
		"{\"exit_code\":137,\"reason\":\"oom_killed\",\"signal\":null,"
		"\"finished_at\":\"1999-12-31T23:59:59.000000001Z\"}",
	};
	struct csn_error err;
	for (size_t i = 0; i < ROWS(texts); i++) {
		struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
		char *back = NULL;
		OK(csn_wait_outcome_from_json(texts[i], strlen(texts[i]), &outcome, &err));
		OK(csn_wait_outcome_to_json(&outcome, &back, &err));
		ck_assert_str_eq(back, texts[i]);
		csn_free(back);
	}
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	const char *text = "{\"exit_code\":1,\"reason\":\"bored\"}";
	FAILS(csn_wait_outcome_from_json(text, strlen(text), &outcome, &err),
	      CSN_ERROR_INVALID_SPEC);
	ck_assert_str_eq(err.text, "Invalid spec: outcome: reason: expected exited, signal, "
				   "oom_killed or runtime_error, not \"bored\"");
}
END_TEST

/* ---- ids ------------------------------------------------------------------------------------- */

START_TEST(parse_display_round_trips_cluster_shape)
{
	struct csn_container_id id = { "web", "primary", 3, 17 }, back;
	char text[CSN_CONTAINER_ID_TEXT];
	struct csn_error err;
	OK(csn_container_id_format(&id, text, &err));
	ck_assert_str_eq(text, "web-primary-3-on-17");
	OK(csn_container_id_parse(text, &back, &err));
	ck_assert_str_eq(back.service, "web");
	ck_assert_str_eq(back.role, "primary");
	ck_assert_uint_eq(back.replica, 3);
	ck_assert_uint_eq(back.node_id, 17);
	ck_assert(!csn_container_id_is_legacy(&back));
}
END_TEST

START_TEST(parse_display_round_trips_legacy_shape)
{
	struct csn_container_id id = subject_id("web", 4294967295u), back;
	char text[CSN_CONTAINER_ID_TEXT];
	struct csn_error err;
	OK(csn_container_id_format(&id, text, &err));
	ck_assert_str_eq(text, "web-rep-4294967295");
	OK(csn_container_id_parse(text, &back, &err));
	ck_assert_str_eq(back.service, "web");
	ck_assert_str_eq(back.role, "default");
	ck_assert_uint_eq(back.replica, 4294967295u);
	ck_assert(csn_container_id_is_legacy(&back));
}
END_TEST

START_TEST(parse_display_handles_hyphenated_service)
{
	static const struct {
		const char *text, *service, *role;
		uint32_t replica;
	} rows[] = {
		{ "my-web-app-rep-2", "my-web-app", "default", 2 },
		{ "my-web-app-read-2-on-9", "my-web-app", "read", 2 },
		{ "a-rep-1-rep-2", "a-rep-1", "default", 2 },
		{ "x-1-on-2-rep-3", "x-1-on-2", "default", 3 },
	};
	struct csn_container_id id;
	struct csn_error err;
	for (size_t i = 0; i < ROWS(rows); i++) {
		OK(csn_container_id_parse(rows[i].text, &id, &err));
		ck_assert_str_eq(id.service, rows[i].service);
		ck_assert_str_eq(id.role, rows[i].role);
		ck_assert_uint_eq(id.replica, rows[i].replica);
	}
}
END_TEST

START_TEST(parse_display_rejects_non_ids)
{
	static const char *const texts[] = {
		"",
		"web",
		"0123456789abcdef",
		"-rep-1",
		"web-rep-",
		"web-rep-x",
		"web-rep-01",
		"web-rep--1",
		"web-rep-4294967296",
		"web-1-on-2",
		"-role-1-on-2",
		"web--1-on-2",
		"web/x-rep-1",
		"../x-rep-1",
		"web-rep-1\n",
		"web-role-1-on-99999999999999999999",
	};
	struct csn_container_id id;
	struct csn_error err;
	for (size_t i = 0; i < ROWS(texts); i++)
		FAILS(csn_container_id_parse(texts[i], &id, &err), CSN_ERROR_INVALID_SPEC);
}
END_TEST

START_TEST(ids_that_cannot_be)
{
	static const char *const services[] = { "", "a/b", "..", "-a", "a-", "a b", "a\n" };
	struct csn_container_id id;
	struct csn_error err;
	char text[CSN_CONTAINER_ID_TEXT], long_name[65];

	for (size_t i = 0; i < ROWS(services); i++)
		FAILS(csn_container_id_make(services[i], 1, &id, &err), CSN_ERROR_INVALID_SPEC);
	memset(long_name, 'a', 64);
	long_name[64] = '\0';
	FAILS(csn_container_id_make(long_name, 1, &id, &err), CSN_ERROR_INVALID_SPEC);
	long_name[63] = '\0';
	OK(csn_container_id_make(long_name, 1, &id, &err));
	/* "a", "b-c" and "a-b", "c" would be one container. */
	const struct csn_container_id two = { "a", "b-c", 1, 2 };
	FAILS(csn_container_id_format(&two, text, &err), CSN_ERROR_INVALID_SPEC);
}
END_TEST

/* ---- percentages ----------------------------------------------------------------------------- */

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

START_TEST(percentages)
{
	struct csn_rt_stats stats = CSN_RT_STATS_INIT, later = CSN_RT_STATS_INIT;
	stats.memory_bytes = 512;
	stats.memory_limit = 1024;
	ck_assert(near(csn_memory_percent(&stats), 50));
	stats.memory_limit = UINT64_MAX;
	ck_assert(near(csn_memory_percent(&stats), 0));
	stats.memory_limit = 0;
	ck_assert(near(csn_memory_percent(&stats), 0));

	later.timestamp_ns = 1000000000;
	later.cpu_usage_usec = 500000;
	ck_assert(near(csn_cpu_percent(&stats, &later, 1), 50));
	ck_assert(near(csn_cpu_percent(&stats, &later, 2), 25));
	ck_assert(near(csn_cpu_percent(&stats, &later, 0), 0));
	ck_assert(near(csn_cpu_percent(&stats, &stats, 1), 0));
	ck_assert(near(csn_cpu_percent(&later, &stats, 1), 0));
	stats.cpu_usage_usec = 600000; /* the counter was reset in between */
	ck_assert(near(csn_cpu_percent(&stats, &later, 1), 0));
}
END_TEST

/* ---- errors ---------------------------------------------------------------------------------- */

START_TEST(errors_have_subject_and_reason)
{
	struct csn_rt *rt = subject_open();
	struct csn_container_id id = subject_id("nobody", 1);
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	struct csn_error err;
	size_t size;

	FAILS(csn_rt_container_state(rt, &id, &state, &err), CSN_ERROR_NOT_FOUND);
	ck_assert_str_eq(err.text, "Container 'nobody-rep-1' not found: container not found");
	ck_assert_int_eq(err.code, 2); /* ENOENT */
	ck_assert_str_eq(csn_error_kind_name(err.kind), "not_found");
	ck_assert_str_eq(csn_error_reason(&err), "container not found");
	const char *who = csn_error_subject(&err, &size);
	ck_assert_uint_eq(size, strlen("nobody-rep-1"));
	ck_assert_int_eq(memcmp(who, "nobody-rep-1", size), 0);
	csn_rt_close(rt);
}
END_TEST

TCase *types_case(void)
{
	TCase *c = tcase_create("types");
	tcase_add_test(c, validate_signal_accepts_known_signals);
	tcase_add_test(c, validate_signal_rejects_unknown_or_empty);
	tcase_add_test(c, signal_name_from_exit_code_known_signals);
	tcase_add_test(c, signal_name_from_exit_code_handles_unknown_and_normal);
	tcase_add_test(c, wait_reason_serializes_as_snake_case);
	tcase_add_test(c, wait_reason_deserialize_roundtrip);
	tcase_add_test(c, wait_outcome_roundtrip);
	tcase_add_test(c, parse_display_round_trips_cluster_shape);
	tcase_add_test(c, parse_display_round_trips_legacy_shape);
	tcase_add_test(c, parse_display_handles_hyphenated_service);
	tcase_add_test(c, parse_display_rejects_non_ids);
	tcase_add_test(c, ids_that_cannot_be);
	tcase_add_test(c, percentages);
	tcase_add_test(c, errors_have_subject_and_reason);
	return c;
}
