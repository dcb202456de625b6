/* What containers say: logs and exec. */
#include <stdlib.h>
#include <string.h>

#include "contract.h"

static bool says(const struct csn_log_entry *e, enum csn_stream stream, const char *text)
{
	return e->stream == stream && e->message_size == strlen(text) &&
	       memcmp(e->message, text, e->message_size) == 0;
}

/* A container that has said two lines and ended. */
static struct csn_rt *talked(struct csn_container_id *ret_id)
{
	struct csn_rt *rt = started(
		"talk", "echo mock log line 1; sleep 0.1; echo mock error line >&2; sleep 0.1",
		ret_id);
	struct csn_error err;
	int code;
	OK(csn_rt_wait_container(rt, ret_id, 10000, &code, &err));
	return rt;
}

START_TEST(logs_come_in_order)
{
	struct csn_container_id id;
	struct csn_rt *rt = talked(&id);
	struct csn_log_entries *entries = NULL;
	struct csn_error err;

	OK(csn_rt_container_logs(rt, &id, 50, &entries, &err));
	ck_assert_uint_eq(csn_log_entries_count(entries), 2);
	ck_assert(says(csn_log_entries_get(entries, 0), CSN_STREAM_STDOUT, "mock log line 1"));
	ck_assert(says(csn_log_entries_get(entries, 1), CSN_STREAM_STDERR, "mock error line"));
	csn_log_entries_free(entries);

	OK(csn_rt_container_logs(rt, &id, 1, &entries, &err));
	ck_assert_uint_eq(csn_log_entries_count(entries), 1);
	ck_assert(says(csn_log_entries_get(entries, 0), CSN_STREAM_STDERR, "mock error line"));
	csn_log_entries_free(entries);

	/* 0 is all of them; the mock takes it literally. */
	OK(csn_rt_container_logs(rt, &id, 0, &entries, &err));
	ck_assert_uint_eq(csn_log_entries_count(entries), subject->is_real ? 2 : 0);
	csn_log_entries_free(entries);
	done(rt, &id);
}
END_TEST

START_TEST(all_logs)
{
	struct csn_container_id id;
	struct csn_rt *rt = talked(&id);
	struct csn_log_entries *entries = NULL;
	struct csn_error err;

	OK(csn_rt_get_logs(rt, &id, &entries, &err));
	const struct csn_log_entry *first = csn_log_entries_get(entries, 0);
	ck_assert_int_eq(first->source, CSN_LOG_CONTAINER);
	ck_assert_str_eq(first->source_id, "talk-rep-1");
	if (!subject->is_real) {
		ck_assert_uint_eq(csn_log_entries_count(entries), 3);
		ck_assert(says(first, CSN_STREAM_STDOUT, "[talk-rep-1] Container started"));
		ck_assert(says(csn_log_entries_get(entries, 2), CSN_STREAM_STDOUT,
			       "[talk-rep-1] Command completed successfully"));
	}
	csn_log_entries_free(entries);
	done(rt, &id);
}
END_TEST

START_TEST(log_entry_as_json)
{
	const struct csn_log_entry e = { .timestamp_ns = 1000000001,
					 .stream = CSN_STREAM_STDERR,
					 .message = "a \"b\" \xff",
					 .message_size = 7,
					 .source = CSN_LOG_CONTAINER,
					 .source_id = "web-rep-1",
					 .service = "web" };
	struct csn_error err;
	char *json = NULL;
	OK(csn_log_entry_to_json(&e, &json, &err));
	ck_assert_str_eq(json,
			 "{\"timestamp\":\"1970-01-01T00:00:01.000000001Z\",\"stream\":\"stderr\","
			 "\"message\":\"a \\\"b\\\" \xef\xbf\xbd\",\"source\":{\"type\":"
			 "\"container\",\"id\":\"web-rep-1\"},\"service\":\"web\"}");
	csn_free(json);
}
END_TEST

/* ---- exec ------------------------------------------------------------------------------------ */

/* A container that runs until it is removed. */
static struct csn_rt *running(struct csn_container_id *ret_id)
{
	struct csn_rt *rt = subject_open();
	struct csn_service *s = subject_service("sleep 60");
	struct csn_error err;
	*ret_id = subject_id("exec", 1);
	OK(csn_rt_create_container(rt, ret_id, s, &err));
	OK(csn_rt_start_container(rt, ret_id, &err));
	csn_service_free(s);
	return rt;
}

START_TEST(exec_is_buffered)
{
	static const char *const argv[] = { "echo", "hello", "world", NULL };
	struct csn_container_id id;
	struct csn_rt *rt = running(&id);
	struct csn_exec_result result = CSN_EXEC_RESULT_INIT;
	struct csn_error err;

	OK(csn_rt_exec(rt, &id, argv, 10000, &result, &err));
	ck_assert_int_eq(result.exit_code, 0);
	ck_assert_str_eq(result.out, subject->is_real ? "hello world\n" : "echo hello world");
	ck_assert_uint_eq(result.out_size, strlen(result.out));
	ck_assert_str_eq(result.err, "");
	csn_exec_result_done(&result);
	done(rt, &id);
}
END_TEST

START_TEST(exec_needs_a_command)
{
	static const char *const nothing[] = { NULL };
	struct csn_container_id id;
	struct csn_rt *rt = running(&id);
	struct csn_exec_result result = CSN_EXEC_RESULT_INIT;
	struct csn_exec_stream *stream = NULL;
	struct csn_error err;

	FAILS(csn_rt_exec(rt, &id, nothing, 1000, &result, &err), CSN_ERROR_INVALID_SPEC);
	ck_assert_str_eq(err.text, "Invalid spec: exec command cannot be empty");
	FAILS(csn_rt_exec_stream(rt, &id, nothing, &stream, &err), CSN_ERROR_INVALID_SPEC);
	done(rt, &id);
}
END_TEST

START_TEST(exec_streams_and_ends_once)
{
	static const char *const argv[] = { "echo", "hello", NULL };
	struct csn_container_id id;
	struct csn_rt *rt = running(&id);
	struct csn_exec_event e = CSN_EXEC_EVENT_INIT;
	struct csn_exec_stream *stream = NULL;
	struct csn_error err;
	char out[100];
	size_t size = 0;
	int exits = 0, r;

	OK(csn_rt_exec_stream(rt, &id, argv, &stream, &err));
	ck_assert_int_ge(csn_exec_stream_fd(stream), 0);
	while ((r = csn_exec_stream_next(stream, 10000, &e, &err)) == 1) {
		ck_assert_int_eq(exits, 0); /* nothing comes behind the exit */
		if (e.kind == CSN_EXEC_EXIT) {
			exits++;
			ck_assert_int_eq(e.exit_code, 0);
			continue;
		}
		ck_assert_int_eq(e.kind, CSN_EXEC_STDOUT);
		ck_assert_uint_gt(e.length, 0);
		ck_assert_uint_le(size + e.length, sizeof out);
		memcpy(out + size, e.bytes, e.length);
		size += e.length;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(exits, 1);
	const char *want = subject->is_real ? "hello\n" : "echo hello";
	ck_assert_uint_eq(size, strlen(want));
	ck_assert_int_eq(memcmp(out, want, size), 0);
	csn_exec_stream_close(stream);
	done(rt, &id);
}
END_TEST

TCase *output_case(void)
{
	TCase *c = tcase_create("output");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, logs_come_in_order);
	tcase_add_test(c, all_logs);
	tcase_add_test(c, log_entry_as_json);
	tcase_add_test(c, exec_is_buffered);
	tcase_add_test(c, exec_needs_a_command);
	tcase_add_test(c, exec_streams_and_ends_once);
	return c;
}
