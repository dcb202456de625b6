/*
 * What reaches into real containers: processes with other users and terminals, input, streams,
 * conditions of waiting, names, lists.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "caisson-image.h"
#include "contract.h"

static int code_of(struct csn_rt *rt, const struct csn_container_id *id)
{
	struct csn_error err;
	int code = -1;
	OK(csn_rt_wait_container(rt, id, 20000, &code, &err));
	return code;
}

/* ---- exec ------------------------------------------------------------------------------------ */

START_TEST(exec_as_somebody_else)
{
	static const char *const argv[] = { "sh", "-c", "id -u; id -g; pwd; echo $A; exit 4",
					    NULL };
	static const char *const env[] = { "A=b c", NULL };
	struct csn_container_id id;
	struct csn_rt *rt = started("execopts", "sleep 60", &id);
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	struct csn_exec_result r = CSN_EXEC_RESULT_INIT;
	struct csn_error err;
	o.command = argv;
	o.env = env;
	o.user = "12:34";
	o.working_dir = "/tmp";
	OK(csn_rt_exec_with_opts(rt, &id, &o, 20000, &r, &err));
	ck_assert_str_eq(r.out, "12\n34\n/tmp\nb c\n");
	ck_assert_int_eq(r.exit_code, 4);
	csn_exec_result_done(&r);
	o.user = "nobody-of-that-name";
	FAILS(csn_rt_exec_with_opts(rt, &id, &o, 20000, &r, &err), CSN_ERROR_INVALID_SPEC);
	ck_assert_ptr_nonnull(strstr(err.text, "nobody-of-that-name"));
	done(rt, &id);
}
END_TEST

/* Reads until text has come, or the exit; what came is in buf. The exit code, or -1. */
static int read_until(struct csn_exec_stream *stream, const char *text, char *buf, size_t size)
{
	struct csn_exec_event e = CSN_EXEC_EVENT_INIT;
	struct csn_error err;
	size_t at = strlen(buf);
	while (!text || !strstr(buf, text)) {
		int r = csn_exec_stream_next(stream, 20000, &e, &err);
		ck_assert_msg(r == 1, "%d %s; so far: %s", r, r < 0 ? err.text : "", buf);
		if (e.kind == CSN_EXEC_EXIT)
			return e.exit_code;
		ck_assert_uint_lt(at + e.length, size);
		memcpy(buf + at, e.bytes, e.length);
		buf[at += e.length] = '\0';
	}
	return -1;
}

static void say(struct csn_exec_stream *stream, const char *text)
{
	struct csn_error err;
	int n = csn_exec_stream_write(stream, text, strlen(text), 20000, &err);
	ck_assert_msg(n == (int)strlen(text), "%d: %s", n, n < 0 ? err.text : "");
}

START_TEST(exec_with_a_terminal)
{
	static const char *const argv[] = {
		"sh", "-c",
		"test -t 0 && test -t 1 && echo is a terminal; read x; echo got $x; "
		"read x; stty size; trap 'echo stopped; exit 5' INT; echo ready; "
		"while :; do sleep 0.1; done",
		NULL
	};
	struct csn_container_id id;
	struct csn_rt *rt = started("pty", "sleep 60", &id);
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	struct csn_exec_stream *stream = NULL;
	struct csn_error err;
	char buf[4096] = "";
	o.command = argv;
	o.tty = true;
	OK(csn_rt_exec_pty(rt, &id, &o, &stream, &err));
	ck_assert_int_ge(csn_exec_stream_fd(stream), 0);
	(void)read_until(stream, "is a terminal\r\n", buf, sizeof buf);
	say(stream, "hello\n");
	(void)read_until(stream, "got hello", buf, sizeof buf);
	OK(csn_exec_stream_resize(stream, 33, 99, &err));
	say(stream, "\n");
	(void)read_until(stream, "33 99", buf, sizeof buf);
	(void)read_until(stream, "ready", buf, sizeof buf);
	say(stream, "\003"); /* it is the controlling terminal: Ctrl-C is a signal */
	ck_assert_int_eq(read_until(stream, NULL, buf, sizeof buf), 5);
	ck_assert_ptr_nonnull(strstr(buf, "stopped"));
	csn_exec_stream_close(stream);
	done(rt, &id);
}
END_TEST

START_TEST(exec_with_input)
{
	static const char *const argv[] = { "sh", "-c", "cat; echo end >&2; exit 3", NULL };
	struct csn_container_id id;
	struct csn_rt *rt = started("input", "sleep 60", &id);
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	struct csn_exec_stream *stream = NULL;
	struct csn_exec_event e = CSN_EXEC_EVENT_INIT;
	struct csn_error err;
	char out[16] = "", errors[16] = "";
	int code = -1;
	o.command = argv;
	o.stdin_open = true;
	OK(csn_rt_exec_pty(rt, &id, &o, &stream, &err));
	OK(csn_exec_stream_resize(stream, 3, 4, &err)); /* there is no terminal: nothing */
	say(stream, "a\001b\n");
	OK(csn_exec_stream_close_stdin(stream, 20000, &err));
	while (csn_exec_stream_next(stream, 20000, &e, &err) == 1) {
		if (e.kind == CSN_EXEC_EXIT)
			code = e.exit_code;
		else
			strncat(e.kind == CSN_EXEC_STDERR ? errors : out, e.bytes, e.length);
	}
	ck_assert_int_eq(code, 3);
	ck_assert_str_eq(out, "a\001b\n");
	ck_assert_str_eq(errors, "end\n");
	csn_exec_stream_close(stream);

	/* Without any it has none. */
	o.stdin_open = false;
	OK(csn_rt_exec_pty(rt, &id, &o, &stream, &err));
	ck_assert_int_eq(csn_exec_stream_write(stream, "x", 1, 1000, &err), -EPIPE);
	csn_exec_stream_close(stream);
	done(rt, &id);
}
END_TEST

/* A process that does not take its input ends with its stream all the same. */
START_TEST(exec_that_takes_no_input_ends_with_its_stream)
{
	static const char *const argv[] = { "sleep", "58", NULL };
	static const char *const look[] = { "sh", "-c", "ps | grep -c '[s]leep 58'", NULL };
	static char bytes[65536];
	struct csn_container_id id;
	struct csn_rt *rt = started("full", "sleep 60", &id);
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	struct csn_exec_stream *stream = NULL;
	struct csn_exec_result r = CSN_EXEC_RESULT_INIT;
	struct csn_error err;
	bool gone = false;
	int n = 1;
	o.command = argv;
	o.stdin_open = true;
	OK(csn_rt_exec_pty(rt, &id, &o, &stream, &err));
	for (int i = 0; i < 100 && n > 0; i++)
		n = csn_exec_stream_write(stream, bytes, sizeof bytes, 200, &err);
	ck_assert_int_eq(n, -EAGAIN);
	csn_exec_stream_close(stream);
	for (int i = 0; i < 100 && !gone; i++) {
		OK(csn_rt_exec(rt, &id, look, 20000, &r, &err));
		gone = r.out[0] == '0';
		csn_exec_result_done(&r);
	}
	ck_assert(gone);
	done(rt, &id);
}
END_TEST

/* ---- the container's own input --------------------------------------------------------------- */

START_TEST(input_of_the_container)
{
	static const char format[] =
		"{\"network_mode\": \"none\", \"image\": {\"name\": \"%s\"}, \"stdin_open\": true,"
		" \"command\": {\"args\": [\"sh\", \"-c\", \"cat; exit 6\"]}}";
	struct csn_rt *rt = subject_open();
	struct csn_container_id id = subject_id("stdin", 1), other;
	struct csn_log_entries *entries = NULL;
	struct csn_service *s = NULL;
	struct csn_error err;
	char text[300];
	int n = snprintf(text, sizeof text, format, subject->image);
	OK(csn_service_parse(text, (size_t)n, CSN_FORMAT_JSON, NULL, &s, &err));
	OK(csn_rt_create_container(rt, &id, s, &err));
	csn_service_free(s);
	FAILS(csn_rt_write_stdin(rt, &id, "x", 1, 1000, &err), CSN_ERROR_INVALID_SPEC);
	OK(csn_rt_start_container(rt, &id, &err));
	OK(csn_rt_write_stdin(rt, &id, "one\n", 4, 20000, &err));
	OK(csn_rt_write_stdin(rt, &id, "two\n", 4, 20000, &err));
	OK(csn_rt_close_stdin(rt, &id, &err));
	ck_assert_int_eq(code_of(rt, &id), 6);
	OK(csn_rt_get_logs(rt, &id, &entries, &err));
	ck_assert_uint_eq(csn_log_entries_count(entries), 2);
	ck_assert_int_eq(memcmp(csn_log_entries_get(entries, 1)->message, "two", 3), 0);
	csn_log_entries_free(entries);
	other = subject_id("nobody", 1);
	FAILS(csn_rt_write_stdin(rt, &other, "x", 1, 1000, &err), CSN_ERROR_NOT_FOUND);
	done(rt, &id);
}
END_TEST

/* ---- waiting --------------------------------------------------------------------------------- */

START_TEST(waiting_for_the_next_end)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("next", "[ -e /mark ] && exit 5; touch /mark; exit 2", &id);
	struct csn_wait_outcome o = CSN_WAIT_OUTCOME_INIT;
	struct csn_error err;
	ck_assert_int_eq(code_of(rt, &id), 2);
	OK(csn_rt_wait_outcome_with_condition(rt, &id, CSN_WAIT_NOT_RUNNING, 1000, &o, &err));
	ck_assert_int_eq(o.exit_code, 2);
	/* What has ended does not count. */
	FAILS(csn_rt_wait_outcome_with_condition(rt, &id, CSN_WAIT_NEXT_EXIT, 200, &o, &err),
	      CSN_ERROR_TIMEOUT);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct csn_rt *mine = subject_open();
		int r = csn_rt_wait_outcome_with_condition(mine, &id, CSN_WAIT_NEXT_EXIT, 20000, &o,
							   &err);
		_exit(r < 0 ? 100 : o.exit_code);
	}
	(void)poll(NULL, 0, 300);
	OK(csn_rt_start_container(rt, &id, &err));
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), 5);
	done(rt, &id);
}
END_TEST

START_TEST(waiting_for_the_removal)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("removed", "exit 8", &id);
	struct csn_wait_outcome o = CSN_WAIT_OUTCOME_INIT;
	struct csn_error err;
	ck_assert_int_eq(code_of(rt, &id), 8);
	FAILS(csn_rt_wait_outcome_with_condition(rt, &id, CSN_WAIT_REMOVED, 200, &o, &err),
	      CSN_ERROR_TIMEOUT);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct csn_rt *mine = subject_open();
		int r = csn_rt_wait_outcome_with_condition(mine, &id, CSN_WAIT_REMOVED, 20000, &o,
							   &err);
		_exit(r < 0 ? 100 : o.exit_code);
	}
	(void)poll(NULL, 0, 300);
	OK(csn_rt_remove_container(rt, &id, &err));
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), 8);
	csn_rt_close(rt);
}
END_TEST

/* ---- streams --------------------------------------------------------------------------------- */

static struct csn_log_stream *logs_of(struct csn_rt *rt, const struct csn_container_id *id,
				      bool follow, int64_t tail, int64_t since, int64_t until)
{
	struct csn_logs_stream_options o = CSN_LOGS_STREAM_OPTIONS_INIT;
	struct csn_log_stream *stream = NULL;
	struct csn_error err;
	o.follow = follow;
	o.tail = tail;
	o.since_ns = since;
	o.until_ns = until;
	o.timestamps = true;
	OK(csn_rt_logs_stream(rt, id, &o, &stream, &err));
	return stream;
}

/* All that a stream says until its end, and the time of its last line. */
static void read_logs(struct csn_log_stream *stream, char *buf, size_t size, int64_t *ret_last)
{
	struct csn_log_chunk c = CSN_LOG_CHUNK_INIT;
	struct csn_error err;
	int r;
	buf[0] = '\0';
	while ((r = csn_log_stream_next(stream, 20000, &c, &err)) == 1) {
		ck_assert_uint_lt(strlen(buf) + c.length, size);
		strncat(buf, c.bytes, c.length);
		ck_assert_int_gt(c.timestamp_ns, 0);
		if (ret_last)
			*ret_last = c.timestamp_ns;
	}
	ck_assert_msg(r == 0, "%s", err.text);
	csn_log_stream_close(stream);
}

START_TEST(logs_that_are_followed_end_with_the_container)
{
	struct csn_container_id id;
	struct csn_rt *rt = started(
		"follow", "echo one; sleep 0.4; echo two >&2; sleep 0.1; printf three", &id);
	struct csn_log_chunk c = CSN_LOG_CHUNK_INIT;
	struct csn_log_stream *stream = logs_of(rt, &id, true, -1, 0, 0);
	struct csn_error err;
	char buf[200];
	int64_t first, last;

	struct pollfd p = { csn_log_stream_fd(stream), POLLIN, 0 };
	int r;
	while ((r = csn_log_stream_next(stream, 0, &c, &err)) == -EAGAIN)
		ck_assert_int_eq(poll(&p, 1, 20000), 1);
	ck_assert_int_eq(r, 1);
	ck_assert_uint_eq(c.length, 4);
	ck_assert_int_eq(memcmp(c.bytes, "one\n", 4), 0);
	first = c.timestamp_ns;
	read_logs(stream, buf, sizeof buf, &last);
	ck_assert_str_eq(buf, "two\nthree"); /* as it was written: no newline at the end */

	read_logs(logs_of(rt, &id, false, 2, 0, 0), buf, sizeof buf, NULL);
	ck_assert_str_eq(buf, "two\nthree");
	read_logs(logs_of(rt, &id, false, -1, first + 1, 0), buf, sizeof buf, NULL);
	ck_assert_str_eq(buf, "two\nthree");
	read_logs(logs_of(rt, &id, false, -1, 0, first), buf, sizeof buf, NULL);
	ck_assert_str_eq(buf, "one\n");
	read_logs(logs_of(rt, &id, false, 0, 0, 0), buf, sizeof buf, NULL);
	ck_assert_str_eq(buf, "");
	done(rt, &id);
}
END_TEST

START_TEST(logs_until_a_time_end_then)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("until", "echo here; sleep 60", &id);
	struct csn_logs_stream_options o = CSN_LOGS_STREAM_OPTIONS_INIT;
	struct csn_log_stream *stream = NULL;
	struct csn_error err;
	struct timespec now;
	char buf[100];
	(void)clock_gettime(CLOCK_REALTIME, &now);
	o.follow = o.timestamps = o.want_stdout = true;
	o.until_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + 700000000;
	OK(csn_rt_logs_stream(rt, &id, &o, &stream, &err));
	read_logs(stream, buf, sizeof buf, NULL); /* it runs on */
	ck_assert_str_eq(buf, "here\n");
	done(rt, &id);
}
END_TEST

START_TEST(statistics_stream_until_the_end)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("samples", "while :; do :; done", &id);
	struct csn_stats_sample a = CSN_STATS_SAMPLE_INIT, b = CSN_STATS_SAMPLE_INIT;
	struct csn_sample_stream *stream = NULL;
	struct csn_error err;
	int r;
	OK(csn_rt_stats_stream(rt, &id, 100, &stream, &err));
	struct pollfd p = { csn_sample_stream_fd(stream), POLLIN, 0 };
	ck_assert_int_eq(poll(&p, 1, 20000), 1);
	ck_assert_int_eq(csn_sample_stream_next(stream, 0, &a, &err), 1);
	ck_assert_int_eq(csn_sample_stream_next(stream, 0, &b, &err), -EAGAIN);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(csn_sample_stream_next(stream, 20000, &b, &err), 1);
	ck_assert_uint_gt(b.cpu_total_ns, a.cpu_total_ns);
	ck_assert_uint_gt(b.cpu_system_ns, a.cpu_system_ns);
	ck_assert_int_gt(b.timestamp_ns, a.timestamp_ns);
	ck_assert_uint_ge(b.online_cpus, 1);
	OK(csn_rt_kill_container(rt, &id, NULL, &err));
	while ((r = csn_sample_stream_next(stream, 20000, &b, &err)) == 1)
		;
	ck_assert_int_eq(r, 0);
	csn_sample_stream_close(stream);
	FAILS(csn_rt_stats_stream(rt, &id, 0, &stream, &err), CSN_ERROR_INVALID_SPEC);
	done(rt, &id);
}
END_TEST

/* ---- names and lists ------------------------------------------------------------------------- */

START_TEST(another_name_and_the_same_id)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("named", "sleep 60", &id);
	struct csn_service *s = subject_service("exit 0");
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	struct csn_error err;
	char full[CSN_ID_SIZE], again[CSN_ID_SIZE];
	OK(csn_container_resolve(csn_rt_engine(rt), "named-rep-1", full, &err));
	FAILS(csn_rt_rename_container(rt, &id, "a/b", &err), CSN_ERROR_INVALID_SPEC);
	FAILS(csn_rt_rename_container(rt, &id, "  ", &err), CSN_ERROR_INVALID_SPEC);
	OK(csn_rt_rename_container(rt, &id, " other.name ", &err));
	OK(csn_container_resolve(csn_rt_engine(rt), "other.name", again, &err));
	ck_assert_str_eq(full, again);
	/* And once more; the name in between is free, the first one is not. */
	OK(csn_rt_rename_container(rt, &id, "third", &err));
	ck_assert_int_eq(csn_container_resolve(csn_rt_engine(rt), "other.name", again, &err),
			 -ENOENT);
	struct csn_container_id other = subject_id("named", 2);
	OK(csn_rt_create_container(rt, &other, s, &err));
	FAILS(csn_rt_rename_container(rt, &other, "third", &err), CSN_ERROR_INVALID_SPEC);
	FAILS(csn_rt_rename_container(rt, &other, "named-rep-1", &err), CSN_ERROR_INVALID_SPEC);
	OK(csn_rt_remove_container(rt, &other, &err));
	/* By its id it is what it was: also for whoever makes it anew. */
	OK(csn_rt_container_state(rt, &id, &state, &err));
	ck_assert_int_eq(state.state, CSN_STATE_RUNNING);
	OK(csn_rt_create_container(rt, &id, s, &err));
	ck_assert_int_eq(csn_container_resolve(csn_rt_engine(rt), "third", again, &err), -ENOENT);
	csn_service_free(s);
	done(rt, &id);
}
END_TEST

static bool lists(struct csn_rt *rt, const char *label)
{
	struct csn_container_summaries *list = NULL;
	struct csn_error err;
	bool found = false;
	OK(csn_rt_list_containers(rt, &list, &err));
	for (size_t i = 0; i < csn_container_summaries_count(list); i++) {
		const struct csn_container_summary *s = csn_container_summaries_get(list, i);
		ck_assert_uint_eq(strlen(s->runtime_id), 64);
		found |= s->container_id_label && strcmp(s->container_id_label, label) == 0;
	}
	csn_container_summaries_free(list);
	return found;
}

START_TEST(lists_details_and_pruning)
{
	struct csn_container_id id, still;
	struct csn_rt *rt = started("listed", "exit 9", &id), *other;
	struct csn_container_details *d = NULL;
	struct csn_texts *deleted = NULL;
	struct csn_ports *ports = NULL;
	struct csn_error err;
	uint64_t bytes = 0;
	other = started("lives", "sleep 60", &still);
	ck_assert_int_eq(code_of(rt, &id), 9);
	ck_assert(lists(rt, "listed-rep-1") && lists(rt, "lives-rep-1"));

	OK(csn_rt_inspect_detailed(rt, &id, &d, &err));
	ck_assert(d->has_exit_code && d->exit_code == 9 && !d->ipv4 && d->networks_count == 0);
	csn_container_details_free(d);
	OK(csn_rt_inspect_detailed(rt, &still, &d, &err));
	ck_assert(!d->has_exit_code);
	csn_container_details_free(d);
	OK(csn_rt_port_mappings_container(rt, &still, &ports, &err));
	ck_assert_uint_eq(csn_ports_count(ports), 0);
	csn_ports_free(ports);

	OK(csn_rt_prune_containers(rt, &deleted, &bytes, &err));
	ck_assert_uint_eq(csn_texts_count(deleted), 1);
	ck_assert_uint_gt(bytes, 0);
	csn_texts_free(deleted);
	ck_assert(!lists(rt, "listed-rep-1") && lists(rt, "lives-rep-1"));
	csn_rt_close(rt);
	done(other, &still);
}
END_TEST

START_TEST(ports_as_they_are_asked_for)
{
	static const char format[] =
		"{\"image\": {\"name\": \"%s\"}, \"port_mappings\": [{\"host_port\": 18080, "
		"\"container_port\": 80, \"host_ip\": \"127.0.0.1\"}, {\"container_port\": 53, "
		"\"protocol\": \"udp\"}]}";
	struct csn_rt *rt = subject_open();
	struct csn_container_id id = subject_id("ports", 1);
	struct csn_container_details *d = NULL;
	struct csn_ports *ports = NULL;
	struct csn_service *s = NULL;
	struct csn_error err;
	char text[400];
	int n = snprintf(text, sizeof text, format, subject->image);
	OK(csn_service_parse(text, (size_t)n, CSN_FORMAT_JSON, NULL, &s, &err));
	OK(csn_rt_create_container(rt, &id, s, &err));
	csn_service_free(s);
	OK(csn_rt_port_mappings_container(rt, &id, &ports, &err));
	ck_assert_uint_eq(csn_ports_count(ports), 2);
	const struct csn_port_mapping *p = csn_ports_get(ports, 0);
	ck_assert(p->container_port == 80 && p->host_port == 18080);
	ck_assert_str_eq(p->host_ip, "127.0.0.1");
	ck_assert_str_eq(csn_ports_get(ports, 1)->protocol, "udp");
	csn_ports_free(ports);
	OK(csn_rt_inspect_detailed(rt, &id, &d, &err));
	ck_assert_uint_eq(d->ports_count, 2);
	ck_assert_uint_eq(d->networks_count, 1);
	ck_assert_str_eq(d->networks[0].network, "bridge");
	ck_assert_ptr_null(d->networks[0].ipv4);
	csn_container_details_free(d);
	done(rt, &id);
}
END_TEST

START_TEST(limits_that_change)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("limits", "sleep 60", &id);
	const int64_t kernel = 1 << 20, period = 1000, shares = 1;
	struct csn_resource_update u = CSN_RESOURCE_UPDATE_INIT;
	struct csn_texts *warnings = NULL;
	struct csn_error err;
	OK(csn_rt_update_container_resources(rt, &id, &u, &warnings, &err));
	ck_assert_uint_eq(csn_texts_count(warnings), 0);
	csn_texts_free(warnings);
	u.kernel_memory = &kernel;
	u.cpu_realtime_period = &period;
	OK(csn_rt_update_container_resources(rt, &id, &u, &warnings, &err));
	ck_assert_uint_eq(csn_texts_count(warnings), 2);
	ck_assert_str_eq(csn_texts_get(warnings, 0),
			 "KernelMemory has no cgroup v2 equivalent and was not applied");
	ck_assert_str_eq(
		csn_texts_get(warnings, 1),
		"CpuRealtimePeriod/CpuRealtimeRuntime are not supported on cgroup v2; ignored");
	csn_texts_free(warnings);
	u.cpu_shares = &shares;
	FAILS(csn_rt_update_container_resources(rt, &id, &u, &warnings, &err),
	      CSN_ERROR_INVALID_SPEC);
	struct csn_container_id nobody = subject_id("nobody", 1);
	FAILS(csn_rt_update_container_resources(rt, &nobody, &u, &warnings, &err),
	      CSN_ERROR_NOT_FOUND);
	done(rt, &id);
}
END_TEST

/* Its health, when its check has said something that begins with output. */
static struct csn_container_details *checked(struct csn_rt *rt, const struct csn_container_id *id,
					     const char *output)
{
	for (int i = 0; i < 400; i++) {
		struct csn_container_details *d = NULL;
		struct csn_error err;
		OK(csn_rt_inspect_detailed(rt, id, &d, &err));
		if (d->health && d->health->last_output &&
		    strncmp(d->health->last_output, output, strlen(output)) == 0)
			return d;
		csn_container_details_free(d);
		(void)usleep(50000);
	}
	ck_abort_msg("no check has said \"%s\"", output);
}

START_TEST(health_in_its_details)
{
	static const char format[] =
		"{\"network_mode\": \"none\", \"image\": {\"name\": \"%s\"}, \"command\": "
		"{\"args\": [\"sh\", \"-c\", \"sleep 60\"]}, \"health\": {\"interval\": \"100ms\", "
		"\"start_grace\": \"0s\", "
		"\"retries\": 2, \"check\": {\"type\": \"command\", \"command\": \"cat /well; "
		"test -e /well\"}}}";
	static const char *const heal[] = { "sh", "-c", "echo fine >/well", NULL };
	struct csn_rt *rt = subject_open();
	struct csn_container_id id = subject_id("health", 1);
	struct csn_container_details *d = NULL;
	struct csn_exec_result done_well = CSN_EXEC_RESULT_INIT;
	struct csn_service *s = NULL;
	struct csn_error err;
	char text[500];
	int n = snprintf(text, sizeof text, format, subject->image);
	OK(csn_service_parse(text, (size_t)n, CSN_FORMAT_JSON, NULL, &s, &err));
	OK(csn_rt_create_container(rt, &id, s, &err));
	csn_service_free(s);
	OK(csn_rt_inspect_detailed(rt, &id, &d, &err));
	ck_assert_ptr_null(d->health); /* not started */
	csn_container_details_free(d);
	OK(csn_rt_start_container(rt, &id, &err));

	d = checked(rt, &id, "cat: ");
	ck_assert(d->health->has_failing_streak && d->health->failing_streak >= 1);
	ck_assert_str_eq(d->health->status,
			 d->health->failing_streak < 2 ? "starting" : "unhealthy");
	csn_container_details_free(d);
	OK(csn_rt_exec(rt, &id, heal, 20000, &done_well, &err));
	csn_exec_result_done(&done_well);
	d = checked(rt, &id, "fine");
	ck_assert_str_eq(d->health->status, "healthy");
	ck_assert(d->health->has_failing_streak && d->health->failing_streak == 0);
	csn_container_details_free(d);
	done(rt, &id);
}
END_TEST

static int ask_restart(struct csn_rt *rt, const struct csn_container_id *id, const char *policy,
		       const int64_t *count, const int64_t *shares, struct csn_error *err)
{
	struct csn_resource_update u = CSN_RESOURCE_UPDATE_INIT;
	struct csn_texts *warnings = NULL;
	u.restart_policy = policy;
	u.restart_maximum_retry_count = count;
	u.cpu_shares = shares;
	int r = csn_rt_update_container_resources(rt, id, &u, &warnings, err);
	csn_texts_free(warnings);
	return r;
}

/* Each run of it is a line of its log. */
static size_t runs_of(struct csn_rt *rt, const struct csn_container_id *id)
{
	struct csn_log_entries *entries = NULL;
	struct csn_error err;
	OK(csn_rt_get_logs(rt, id, &entries, &err));
	size_t count = csn_log_entries_count(entries);
	csn_log_entries_free(entries);
	return count;
}

START_TEST(restarts_that_change)
{
	const int64_t two = 2, none = 0, negative = -1, bad_shares = 1;
	struct csn_container_id id;
	struct csn_error err;
	struct csn_rt *rt = started("restarts",
				    "echo run; while ! test -e /go; do sleep 0.05; "
				    "done; exit 3",
				    &id);
	FAILS(ask_restart(rt, &id, "sometimes", NULL, NULL, &err), CSN_ERROR_INVALID_SPEC);
	ck_assert_ptr_nonnull(strstr(err.text, "sometimes"));
	FAILS(ask_restart(rt, &id, "always", &two, NULL, &err), CSN_ERROR_INVALID_SPEC);
	FAILS(ask_restart(rt, &id, NULL, &two, NULL, &err), CSN_ERROR_INVALID_SPEC); /* it is no */
	FAILS(ask_restart(rt, &id, "on-failure", &negative, NULL, &err), CSN_ERROR_INVALID_SPEC);
	ck_assert_ptr_nonnull(strstr(err.text, "restart_maximum_retry_count"));
	struct csn_container_id nobody = subject_id("nobody", 1);
	FAILS(ask_restart(rt, &nobody, "always", NULL, NULL, &err), CSN_ERROR_NOT_FOUND);

	OK(ask_restart(rt, &id, "always", &none, NULL, &err));
	OK(ask_restart(rt, &id, "on-failure", NULL, NULL, &err));
	OK(ask_restart(rt, &id, "", &two, NULL, &err)); /* of on-failure */
	FAILS(ask_restart(rt, &id, "no", NULL, &bad_shares, &err), CSN_ERROR_INVALID_SPEC);

	static const char *const go[] = { "touch", "/go", NULL };
	struct csn_exec_result gone = CSN_EXEC_RESULT_INIT;
	OK(csn_rt_exec(rt, &id, go, 20000, &gone, &err));
	csn_exec_result_done(&gone);
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	for (int i = 0; i < 400 && runs_of(rt, &id) < 3; i++)
		(void)usleep(50000);
	for (int i = 0; i < 400 && state.state != CSN_STATE_EXITED; i++) {
		(void)usleep(50000);
		OK(csn_rt_container_state(rt, &id, &state, &err));
	}
	ck_assert_int_eq(state.state, CSN_STATE_EXITED);
	ck_assert_uint_eq(runs_of(rt, &id), 3); /* and two restarts, no more */
	done(rt, &id);
}
END_TEST

/* ---- processes ------------------------------------------------------------------------------- */

static bool has_row(const struct csn_top *top, size_t column, const char *text)
{
	for (size_t r = 0; r < csn_top_rows(top); r++)
		if (strcmp(csn_top_cell(top, r, column), text) == 0)
			return true;
	return false;
}

START_TEST(all_processes_are_listed)
{
	static const char *const columns[] = { "-o", "pid,ppid,user,comm,args=WHAT", NULL };
	static const char *const bad[] = { "-o", "pid,nonsense", NULL };
	struct csn_container_id id;
	struct csn_rt *rt = started("top", "sleep 61 & sleep 62 & echo up; wait", &id);
	struct csn_top *top = NULL;
	struct csn_error err;
	char pid_text[20];
	int pid;
	for (size_t rows = 0; rows < 3;) {
		csn_top_free(top);
		top = NULL;
		OK(csn_rt_top_container(rt, &id, NULL, &top, &err));
		rows = csn_top_rows(top);
	}
	ck_assert_uint_eq(csn_top_columns(top), 8);
	ck_assert_str_eq(csn_top_title(top, 0), "UID");
	ck_assert_str_eq(csn_top_title(top, 7), "CMD");
	csn_top_free(top);
	(void)poll(NULL, 0, 200);
	OK(csn_rt_top_container(rt, &id, columns, &top, &err));
	ck_assert_uint_eq(csn_top_columns(top), 5);
	ck_assert_str_eq(csn_top_title(top, 4), "WHAT");
	OK(csn_rt_get_container_pid(rt, &id, &pid, &err));
	(void)snprintf(pid_text, sizeof pid_text, "%d", pid);
	ck_assert(has_row(top, 0, pid_text));
	ck_assert(has_row(top, 1, pid_text)); /* as the parent of the others */
	ck_assert(has_row(top, 4, "sleep 61") && has_row(top, 4, "sleep 62"));
	csn_top_free(top);
	FAILS(csn_rt_top_container(rt, &id, bad, &top, &err), CSN_ERROR_INVALID_SPEC);
	ck_assert_ptr_nonnull(strstr(err.text, "nonsense"));
	done(rt, &id);
}
END_TEST

/* ---- an agent that dies ---------------------------------------------------------------------- */

/* The agent is killed with streams open; the next one knows all of it. */
START_TEST(another_agent_tells_the_same)
{
	struct csn_container_id ids[3] = { subject_id("after", 1), subject_id("after", 2),
					   subject_id("after", 3) };
	static const char *const commands[] = { "sleep 0.5; exit 7",
						"trap : TERM; kill -TERM $$; sh -c 'kill -TERM $$'",
						"sleep 60" };
	struct csn_wait_outcome o = CSN_WAIT_OUTCOME_INIT;
	struct csn_error err;
	pid_t agent = fork();
	ck_assert_int_ge(agent, 0);
	if (agent == 0) {
		struct csn_rt *mine = subject_open();
		struct csn_log_stream *stream = NULL;
		struct csn_logs_stream_options lo = CSN_LOGS_STREAM_OPTIONS_INIT;
		for (int i = 0; i < 3; i++) {
			struct csn_service *s = subject_service(commands[i]);
			OK(csn_rt_create_container(mine, &ids[i], s, &err));
			OK(csn_rt_start_container(mine, &ids[i], &err));
			csn_service_free(s);
		}
		lo.follow = true;
		OK(csn_rt_logs_stream(mine, &ids[2], &lo, &stream, &err));
		OK(csn_rt_rename_container(mine, &ids[2], "named-by-the-dead", &err));
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(agent, NULL, 0), agent);

	struct csn_rt *rt = subject_open();
	OK(csn_rt_wait_outcome(rt, &ids[0], 20000, &o, &err));
	ck_assert(o.exit_code == 7 && o.reason == CSN_WAIT_EXITED && o.finished_at_ns > 0);
	OK(csn_rt_wait_outcome(rt, &ids[1], 20000, &o, &err));
	ck_assert_int_eq(o.exit_code, 143);
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	OK(csn_rt_container_state(rt, &ids[2], &state, &err));
	ck_assert_int_eq(state.state, CSN_STATE_RUNNING);
	ck_assert(lists(rt, "after-rep-1") && lists(rt, "after-rep-3"));
	OK(csn_rt_stop_container(rt, &ids[2], 100, &err));
	OK(csn_rt_wait_outcome(rt, &ids[2], 20000, &o, &err));
	ck_assert(o.exit_code == 137 && o.reason == CSN_WAIT_SIGNAL);
	ck_assert_str_eq(o.signal_name, "SIGKILL");
	for (int i = 0; i < 3; i++)
		OK(csn_rt_remove_container(rt, &ids[i], &err));
	csn_rt_close(rt);
}
END_TEST

/* ---- calling the agent back --------------------------------------------------------------------
 */

/* A socket that listens; its path. */
static int listen_at(char path[64])
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	(void)snprintf(path, 64, "/tmp/agent-%d.sock", (int)getpid());
	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	(void)unlink(path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

/* What the container's program was given as name. */
static void env_of(struct csn_rt *rt, const struct csn_container_id *id, const char *name,
		   char ret[1000])
{
	char command[200];
	const char *const argv[] = { "sh", "-c", command, NULL };
	struct csn_exec_result r = CSN_EXEC_RESULT_INIT;
	struct csn_error err;
	(void)snprintf(command, sizeof command,
		       "tr '\\0' '\\n' </proc/1/environ | sed -n 's/^%s=//p' | tr -d '\\n'", name);
	OK(csn_rt_exec(rt, id, argv, 20000, &r, &err));
	(void)snprintf(ret, 1000, "%.*s", (int)r.out_size, r.out ? r.out : "");
	csn_exec_result_done(&r);
}

static void connect_inside(struct csn_rt *rt, const struct csn_container_id *id)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct csn_error err;
	int pid = 0, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	OK(csn_rt_get_container_pid(rt, id, &pid, &err));
	(void)snprintf(at.sun_path, sizeof at.sun_path, "/proc/%d/root/run/agent.sock", pid);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	(void)close(fd);
}

START_TEST(a_container_may_call_its_agent)
{
	char path[64], text[1000], first[1000];
	int sock = listen_at(path);
	struct csn_rt *rt = subject_open();
	struct csn_service *s = subject_service("sleep 60");
	struct csn_container_id id = subject_id("caller", 1);
	struct csn_container_auth_context auth = CSN_CONTAINER_AUTH_CONTEXT_INIT;
	struct csn_rt_options o = CSN_RT_OPTIONS_INIT;
	struct csn_error err;
	auth.api_url = "http://127.0.0.1:1";
	auth.jwt_secret = "secret";
	auth.jwt_secret_size = 6;
	auth.socket_path = path;
	auth.socket_target = "/run/agent.sock";
	auth.env_prefix = "AGENT_";
	o.auth = &auth;
	OK(csn_rt_configure(rt, &o, &err));
	OK(csn_rt_create_container(rt, &id, s, &err));
	OK(csn_rt_start_container(rt, &id, &err));
	env_of(rt, &id, "AGENT_API_URL", text);
	ck_assert_str_eq(text, "http://127.0.0.1:1");
	env_of(rt, &id, "AGENT_SOCKET", text);
	ck_assert_str_eq(text, "/run/agent.sock");
	env_of(rt, &id, "AGENT_TOKEN", first);
	/* {"sub":"container:caller:caller-1", */
	ck_assert_ptr_nonnull(strstr(first, ".eyJzdWIiOiJjb250YWluZXI6Y2FsbGVyOmNhbGxlci0x"));
	connect_inside(rt, &id);

	/* Another second, another token. */
	OK(csn_rt_stop_container(rt, &id, 0, &err));
	(void)usleep(1100000);
	OK(csn_rt_start_container(rt, &id, &err));
	env_of(rt, &id, "AGENT_TOKEN", text);
	ck_assert_uint_gt(strlen(text), 100);
	ck_assert_str_ne(text, first);
	csn_service_free(s);
	(void)unlink(path);
	(void)close(sock);
	done(rt, &id);
}
END_TEST

START_TEST(a_token_stays_out_of_images)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("private", "sleep 60", &id);
	struct csn_runtime *engine = csn_rt_engine(rt);
	static const char *const env[] = { "TOKEN=hush", NULL }, *const bad[] = { "TOKEN", NULL };
	struct csn_rt_commit_options o = CSN_RT_COMMIT_OPTIONS_INIT;
	struct csn_error err;
	char *image = NULL, *json = NULL;
	ck_assert_int_eq(csn_container_set_private_env(engine, "private-rep-1", bad, &err),
			 -EINVAL);
	OK(csn_container_set_private_env(engine, "private-rep-1", env, &err));
	OK(csn_container_inspect(engine, "private-rep-1", &json, &err));
	ck_assert_ptr_nonnull(strstr(json, "TOKEN=hush"));
	csn_free(json);
	o.repo = "private";
	OK(csn_rt_commit_container(rt, &id, &o, &image, &err));
	OK(csn_image_inspect(engine, image, &json, &err));
	ck_assert_ptr_null(strstr(json, "hush"));
	csn_free(json);
	OK(csn_rt_remove_image(rt, "private", true, &err));
	csn_free(image);
	done(rt, &id);
}
END_TEST

TCase *reach_case(void)
{
	TCase *c = tcase_create("reach");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, exec_as_somebody_else);
	tcase_add_test(c, exec_with_a_terminal);
	tcase_add_test(c, exec_with_input);
	tcase_add_test(c, exec_that_takes_no_input_ends_with_its_stream);
	tcase_add_test(c, input_of_the_container);
	tcase_add_test(c, waiting_for_the_next_end);
	tcase_add_test(c, waiting_for_the_removal);
	tcase_add_test(c, logs_that_are_followed_end_with_the_container);
	tcase_add_test(c, logs_until_a_time_end_then);
	tcase_add_test(c, statistics_stream_until_the_end);
	tcase_add_test(c, another_name_and_the_same_id);
	tcase_add_test(c, lists_details_and_pruning);
	tcase_add_test(c, ports_as_they_are_asked_for);
	tcase_add_test(c, health_in_its_details);
	tcase_add_test(c, limits_that_change);
	tcase_add_test(c, restarts_that_change);
	tcase_add_test(c, all_processes_are_listed);
	tcase_add_test(c, a_container_may_call_its_agent);
	tcase_add_test(c, a_token_stays_out_of_images);
	tcase_add_test(c, another_agent_tells_the_same);
	return c;
}
