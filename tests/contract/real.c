/*
 * What only real containers can show: how they end, what stays, and that nothing is lost or grows.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "contract.h"

static int64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct csn_wait_outcome outcome_of(struct csn_rt *rt, const struct csn_container_id *id)
{
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	struct csn_error err;
	OK(csn_rt_wait_outcome(rt, id, 20000, &outcome, &err));
	return outcome;
}

/* ---- ends ------------------------------------------------------------------------------------ */

START_TEST(an_exit_code_is_told)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("seven", "exit 7", &id);
	struct csn_error err;
	int code = 0;
	OK(csn_rt_wait_container(rt, &id, 20000, &code, &err));
	ck_assert_int_eq(code, 7);
	struct csn_wait_outcome o = outcome_of(rt, &id);
	ck_assert_int_eq(o.exit_code, 7);
	ck_assert_int_eq(o.reason, CSN_WAIT_EXITED);
	ck_assert_str_eq(o.signal_name, "");
	ck_assert_int_gt(o.finished_at_ns, o.started_at_ns);
	done(rt, &id);
}
END_TEST

START_TEST(a_signal_is_told)
{
	/* The first process of a pid namespace only takes signals that it has a handler for, and
	 * SIGKILL. */
	struct csn_container_id id;
	struct csn_rt *rt = started("killed", "sleep 60", &id);
	struct csn_error err;
	OK(csn_rt_kill_container(rt, &id, "KILL", &err));
	struct csn_wait_outcome o = outcome_of(rt, &id);
	ck_assert_int_eq(o.exit_code, 137);
	ck_assert_int_eq(o.reason, CSN_WAIT_SIGNAL);
	ck_assert_str_eq(o.signal_name, "SIGKILL");
	done(rt, &id);
}
END_TEST

START_TEST(the_same_is_told_after_the_agent_died)
{
	struct csn_container_id id = subject_id("orphan", 1);
	struct csn_error err;
	pid_t agent = fork();
	ck_assert_int_ge(agent, 0);
	if (agent == 0) {
		struct csn_container_id mine;
		(void)started("orphan", "sleep 0.5; exit 7", &mine);
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(agent, NULL, 0), agent);

	struct csn_rt *rt = subject_open();
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	OK(csn_rt_container_state(rt, &id, &state, &err));
	ck_assert_int_eq(state.state, CSN_STATE_RUNNING);
	struct csn_wait_outcome o = outcome_of(rt, &id);
	ck_assert_int_eq(o.exit_code, 7);
	ck_assert_int_eq(o.reason, CSN_WAIT_EXITED);
	done(rt, &id);
}
END_TEST

START_TEST(a_missing_program_fails_the_start)
{
	struct csn_rt *rt = subject_open();
	struct csn_container_id id = subject_id("missing", 1);
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	struct csn_service *s = NULL;
	struct csn_error err;
	char text[300];
	int n = snprintf(text, sizeof text,
			 "{\"network_mode\": \"none\", \"image\": {\"name\": \"%s\"}, \"command\": "
			 "{\"args\": [\"/nowhere\"]}}",
			 subject->image);
	OK(csn_service_parse(text, (size_t)n, CSN_FORMAT_JSON, NULL, &s, &err));
	OK(csn_rt_create_container(rt, &id, s, &err));
	FAILS(csn_rt_start_container(rt, &id, &err), CSN_ERROR_START_FAILED);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere"));
	OK(csn_rt_container_state(rt, &id, &state, &err));
	ck_assert_int_eq(state.state, CSN_STATE_FAILED);
	ck_assert_ptr_nonnull(strstr(state.reason, "/nowhere"));
	csn_service_free(s);
	done(rt, &id);
}
END_TEST

START_TEST(waiting_ends_in_time)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("long", "sleep 60", &id);
	struct csn_error err;
	int code;
	FAILS(csn_rt_wait_container(rt, &id, 1000, &code, &err), CSN_ERROR_TIMEOUT);
	ck_assert_str_eq(err.text, "Timeout after 1s");
	FAILS(csn_rt_wait_container(rt, &id, 1050, &code, &err), CSN_ERROR_TIMEOUT);
	ck_assert_str_eq(err.text, "Timeout after 1.05s");
	FAILS(csn_rt_wait_container(rt, &id, 250, &code, &err), CSN_ERROR_TIMEOUT);
	ck_assert_str_eq(err.text, "Timeout after 250ms");
	done(rt, &id);
}
END_TEST

/* ---- life ------------------------------------------------------------------------------------ */

START_TEST(a_second_start_finds_the_files_of_the_first)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("again", "[ -e /mark ] && exit 5; touch /mark", &id);
	struct csn_error err;
	ck_assert_int_eq(outcome_of(rt, &id).exit_code, 0);
	OK(csn_rt_start_container(rt, &id, &err));
	ck_assert_int_eq(outcome_of(rt, &id).exit_code, 5);
	done(rt, &id);
}
END_TEST

START_TEST(stop_sends_the_signal_and_is_in_time)
{
	struct csn_container_id id;
	struct csn_rt *rt = started(
		"stop", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done", &id);
	struct csn_log_entries *entries = NULL;
	struct csn_error err;
	for (size_t n = 0; n == 0;) {
		OK(csn_rt_get_logs(rt, &id, &entries, &err));
		n = csn_log_entries_count(entries);
		csn_log_entries_free(entries);
		(void)poll(NULL, 0, 10);
	}
	OK(csn_rt_stop_container(rt, &id, 20000, &err));
	ck_assert_int_eq(outcome_of(rt, &id).exit_code, 3);

	/* One that does not listen is killed, and is gone when stop returns. */
	OK(csn_rt_remove_container(rt, &id, &err));
	csn_rt_close(rt);
	rt = started("stop", "sleep 60", &id);
	int pid = 0;
	OK(csn_rt_get_container_pid(rt, &id, &pid, &err));
	OK(csn_rt_stop_container(rt, &id, 150, &err));
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_eq(outcome_of(rt, &id).exit_code, 137);
	OK(csn_rt_get_container_pid(rt, &id, &pid, &err));
	ck_assert_int_eq(pid, 0);
	done(rt, &id);
}
END_TEST

START_TEST(paused_is_running)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("pause", "while :; do echo x; sleep 0.02; done", &id);
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	struct csn_log_entries *entries = NULL;
	struct csn_error err;
	size_t counts[2];

	FAILS(csn_rt_unpause_container(rt, &id, &err), CSN_ERROR_INVALID_SPEC);
	OK(csn_rt_pause_container(rt, &id, &err));
	FAILS(csn_rt_pause_container(rt, &id, &err), CSN_ERROR_INVALID_SPEC);
	OK(csn_rt_container_state(rt, &id, &state, &err));
	ck_assert(state.state == CSN_STATE_RUNNING && state.paused);
	for (int i = 0; i < 2; i++) {
		(void)poll(NULL, 0, 200); /* what is in the pipe gets to the log */
		OK(csn_rt_get_logs(rt, &id, &entries, &err));
		counts[i] = csn_log_entries_count(entries);
		csn_log_entries_free(entries);
	}
	ck_assert_uint_eq(counts[0], counts[1]);
	OK(csn_rt_unpause_container(rt, &id, &err));
	OK(csn_rt_container_state(rt, &id, &state, &err));
	ck_assert(state.state == CSN_STATE_RUNNING && !state.paused);

	/* A paused one can be stopped, too. */
	OK(csn_rt_pause_container(rt, &id, &err));
	OK(csn_rt_stop_container(rt, &id, 100, &err));
	ck_assert_int_eq(outcome_of(rt, &id).exit_code, 137);
	FAILS(csn_rt_pause_container(rt, &id, &err), CSN_ERROR_INVALID_SPEC);
	done(rt, &id);
}
END_TEST

START_TEST(what_a_service_asks_for_is_there)
{
	static const char format[] =
		"image: {name: '%s'}\nnetwork_mode: none\n"
		"command: {args: [sh, -c, 'id -u; id -g; pwd; hostname; echo $A $B; ulimit -n; "
		"cat /proc/sys/net/ipv4/ip_default_ttl; grep -c CapEff:.*0000000000000400 "
		"/proc/self/status; touch /x 2>/dev/null || echo read-only; "
		"grep -c \"^tmpfs /t tmpfs .*size=1024k,mode=1700\" /proc/mounts; "
		"grep -c \" /anon \" /proc/mounts; ls /host'], "
		"workdir: /tmp}\n"
		"user: '12:34'\nhostname: box\nenv: {A: b, B: '$E:CONTRACT'}\n"
		"ulimits: {nofile: {soft: 77, hard: 99}}\nsysctls: {net.ipv4.ip_default_ttl: "
		"'42'}\n"
		"cap_drop: [ALL]\ncapabilities: [NET_BIND_SERVICE]\nread_only_root_fs: true\n"
		"storage: [{type: bind, source: /proc/sys/fs, target: /host, readonly: true}, "
		"{type: tmpfs, target: /t, size: 1Mi, mode: 960}, "
		"{type: anonymous, target: /anon}]\n";
	static const char *const want[] = { "12", "34", "/tmp",	     "box", "b value", "77",
					    "42", "0",	"read-only", "1",   "1",       NULL };
	struct csn_rt *rt = subject_open();
	struct csn_container_id id = subject_id("fields", 1);
	struct csn_log_entries *entries = NULL;
	struct csn_service *s = NULL;
	struct csn_error err;
	char text[2000];
	int n = snprintf(text, sizeof text, format, subject->image);

	ck_assert_int_eq(setenv("CONTRACT", "value", 1), 0);
	OK(csn_service_parse(text, (size_t)n, CSN_FORMAT_YAML, NULL, &s, &err));
	OK(csn_rt_create_container(rt, &id, s, &err));
	OK(csn_rt_start_container(rt, &id, &err));
	(void)outcome_of(rt, &id);
	OK(csn_rt_get_logs(rt, &id, &entries, &err));
	for (size_t i = 0; want[i]; i++) {
		ck_assert_uint_gt(csn_log_entries_count(entries), i);
		const struct csn_log_entry *e = csn_log_entries_get(entries, i);
		ck_assert_msg(e->message_size == strlen(want[i]) &&
				      memcmp(e->message, want[i], e->message_size) == 0,
			      "line %zu: got \"%.*s\", wanted \"%s\"", i, (int)e->message_size,
			      e->message, want[i]);
	}
	csn_log_entries_free(entries);
	csn_service_free(s);
	done(rt, &id);
}
END_TEST

/* A service of the image on that network, whose command prints PORT and goes on. */
static struct csn_rt *networked(const char *network, const char *env, struct csn_container_id *id)
{
	static const char format[] = "{\"image\": {\"name\": \"%s\"}, \"network_mode\": \"%s\", "
				     "\"env\": {%s}, \"command\": {\"args\": [\"sh\", \"-c\", "
				     "\"echo port $PORT; exec sleep 1000\"]}}";
	struct csn_rt *rt = subject_open();
	struct csn_service *s = NULL;
	struct csn_error err;
	char text[600];
	*id = subject_id("networked", 1);
	int n = snprintf(text, sizeof text, format, subject->image, network, env);
	OK(csn_service_parse(text, (size_t)n, CSN_FORMAT_JSON, NULL, &s, &err));
	OK(csn_rt_create_container(rt, id, s, &err));
	OK(csn_rt_start_container(rt, id, &err));
	csn_service_free(s);
	return rt;
}

/* The first line of its log, which comes a moment after the start. */
static void first_line(struct csn_rt *rt, const struct csn_container_id *id, char ret[100])
{
	struct csn_error err;
	ret[0] = '\0';
	for (int tries = 0; tries < 1000 && !ret[0]; tries++) {
		struct csn_log_entries *entries = NULL;
		OK(csn_rt_get_logs(rt, id, &entries, &err));
		if (csn_log_entries_count(entries) > 0) {
			const struct csn_log_entry *e = csn_log_entries_get(entries, 0);
			(void)snprintf(ret, 100, "%.*s", (int)e->message_size, e->message);
		}
		csn_log_entries_free(entries);
		(void)poll(NULL, 0, 10);
	}
}

START_TEST(a_port_of_its_own_on_the_hosts_network)
{
	static const struct {
		const char *env;
		bool own;
	} rows[] = { { "", true }, { "\"PORT\": \"8080\"", false } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct csn_container_id id;
		struct csn_rt *rt = networked("host", rows[i].env, &id);
		struct csn_error err;
		char line[100], want[100], ip[46];
		uint16_t port = 1;
		OK(csn_rt_get_container_port_override(rt, &id, &port, &err));
		ck_assert_int_eq(port > 1023, rows[i].own);
		(void)snprintf(want, sizeof want, "port %u", rows[i].own ? port : 8080);
		first_line(rt, &id, line);
		ck_assert_str_eq(line, want);
		OK(csn_rt_get_container_ip(rt, &id, ip, &err));
		ck_assert_str_eq(ip, "");
		done(rt, &id);
	}
}
END_TEST

/* Of the networks that the suite's caller lets it make. */
START_TEST(an_address_while_it_runs)
{
	struct csn_container_id id;
	struct csn_error err;
	char ip[46] = "", again[46] = "?";
	uint16_t port = 1;
	if (!getenv("CSN_CONTRACT_NETWORK"))
		return;
	struct csn_rt *rt = networked("bridge", "", &id);
	OK(csn_rt_get_container_ip(rt, &id, ip, &err));
	ck_assert_int_eq(strncmp(ip, "10.88.0.", 8), 0);
	OK(csn_rt_get_container_port_override(rt, &id, &port, &err));
	ck_assert_uint_eq(port, 0);
	OK(csn_rt_stop_container(rt, &id, 0, &err));
	OK(csn_rt_get_container_ip(rt, &id, again, &err));
	ck_assert_str_eq(again, "");
	done(rt, &id);
}
END_TEST

START_TEST(what_cannot_be_done_is_refused)
{
	struct csn_rt *rt = subject_open();
	struct csn_container_id id = subject_id("refused", 1);
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	struct csn_service *s = NULL;
	struct csn_error err;
	char text[300];
	int n = snprintf(text, sizeof text,
			 "{\"image\": {\"name\": \"%s\"}, \"env\": {\"A\": "
			 "\"$E:NOT_SET_ANYWHERE\"}}",
			 subject->image);
	OK(csn_service_parse(text, (size_t)n, CSN_FORMAT_JSON, NULL, &s, &err));
	FAILS(csn_rt_create_container(rt, &id, s, &err), CSN_ERROR_INVALID_SPEC);
	ck_assert_str_eq(
		err.text,
		"Invalid spec: environment variable resolution failed: environment "
		"variable 'NOT_SET_ANYWHERE' referenced by $E:NOT_SET_ANYWHERE is not set");
	FAILS(csn_rt_container_state(rt, &id, &state, &err), CSN_ERROR_NOT_FOUND);
	csn_service_free(s);

	n = snprintf(text, sizeof text, "{\"image\": {\"name\": \"nobody/has:this\"}}");
	OK(csn_service_parse(text, (size_t)n, CSN_FORMAT_JSON, NULL, &s, &err));
	FAILS(csn_rt_create_container(rt, &id, s, &err), CSN_ERROR_CREATE_FAILED);
	csn_service_free(s);
	csn_rt_close(rt);
}
END_TEST

/* ---- exec ------------------------------------------------------------------------------------ */

START_TEST(exec_tells_code_and_both_streams)
{
	static const char *const argv[] = { "sh", "-c", "printf out; printf err >&2; exit 9",
					    NULL };
	static const char *const killed[] = { "sh", "-c", "kill -TERM $$", NULL };
	static const char *const missing[] = { "/nowhere", NULL };
	struct csn_container_id id;
	struct csn_rt *rt = started("exec", "sleep 60", &id);
	struct csn_exec_result r = CSN_EXEC_RESULT_INIT;
	struct csn_error err;

	OK(csn_rt_exec(rt, &id, argv, 20000, &r, &err));
	ck_assert_int_eq(r.exit_code, 9);
	ck_assert_str_eq(r.out, "out");
	ck_assert_str_eq(r.err, "err");
	csn_exec_result_done(&r);
	OK(csn_rt_exec(rt, &id, killed, 20000, &r, &err));
	ck_assert_int_eq(r.exit_code, 143);
	csn_exec_result_done(&r);
	FAILS(csn_rt_exec(rt, &id, missing, 20000, &r, &err), CSN_ERROR_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere"));
	done(rt, &id);
}
END_TEST

START_TEST(exec_that_takes_too_long_is_killed)
{
	static const char *const argv[] = { "sleep", "59", NULL };
	static const char *const look[] = { "sh", "-c", "ps | grep -c '[s]leep 59'", NULL };
	struct csn_container_id id;
	struct csn_rt *rt = started("slow", "sleep 60", &id);
	struct csn_exec_result r = CSN_EXEC_RESULT_INIT;
	struct csn_error err;
	int64_t before = now_ms();

	FAILS(csn_rt_exec(rt, &id, argv, 300, &r, &err), CSN_ERROR_TIMEOUT);
	ck_assert_int_lt(now_ms() - before, 20000);
	bool gone = false;
	for (int i = 0; i < 200 && !gone; i++) {
		OK(csn_rt_exec(rt, &id, look, 20000, &r, &err));
		gone = r.out[0] == '0';
		csn_exec_result_done(&r);
	}
	ck_assert(gone);
	done(rt, &id);
}
END_TEST

/* The first piece comes while the command waits for its killer. */
START_TEST(exec_streams_while_it_runs)
{
	static const char *const argv[] = { "sh", "-c", "echo first; sleep 50", NULL };
	struct csn_container_id id;
	struct csn_rt *rt = started("stream", "sleep 60", &id);
	struct csn_exec_event e = CSN_EXEC_EVENT_INIT;
	struct csn_exec_stream *stream = NULL;
	struct csn_error err;

	OK(csn_rt_exec_stream(rt, &id, argv, &stream, &err));
	struct pollfd p = { csn_exec_stream_fd(stream), POLLIN, 0 };
	ck_assert_int_eq(poll(&p, 1, 20000), 1);
	ck_assert_int_eq(csn_exec_stream_next(stream, 20000, &e, &err), 1);
	ck_assert_int_eq(e.kind, CSN_EXEC_STDOUT);
	ck_assert_int_eq(memcmp(e.bytes, "first\n", e.length), 0);
	ck_assert_int_eq(csn_exec_stream_next(stream, 50, &e, &err), -11); /* EAGAIN */
	csn_exec_stream_close(stream);
	done(rt, &id);
}
END_TEST

/* 100 MB (or $CSN_CONTRACT_BYTES) read by somebody who is slow at first: every byte, in order, and
 * no memory of ours holds them. */
START_TEST(exec_of_much_output)
{
	const char *asked = getenv("CSN_CONTRACT_BYTES");
	size_t bytes = asked ? strtoul(asked, NULL, 10) : 100000000;
	char command[80];
	const char *const argv[] = { "sh", "-c", command, NULL };
	static const char line[] = "0123456789abcde\n";
	struct csn_container_id id;
	struct csn_rt *rt = started("much", "sleep 60", &id);
	struct csn_exec_event e = CSN_EXEC_EVENT_INIT;
	struct csn_exec_stream *stream = NULL;
	struct csn_error err;
	struct rusage before, after;
	size_t size = 0, wrong = 0;
	int exits = 0;

	(void)snprintf(command, sizeof command, "yes 0123456789abcde | head -c %zu", bytes);
	(void)getrusage(RUSAGE_SELF, &before);
	OK(csn_rt_exec_stream(rt, &id, argv, &stream, &err));
	(void)poll(NULL, 0, 300);
	while (csn_exec_stream_next(stream, 60000, &e, &err) == 1) {
		if (e.kind == CSN_EXEC_EXIT) {
			exits++;
			continue;
		}
		for (size_t i = 0; i < e.length; i++)
			wrong += e.bytes[i] != line[(size + i) % 16];
		size += e.length;
	}
	(void)getrusage(RUSAGE_SELF, &after);
	ck_assert_uint_eq(size, bytes);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_int_eq(exits, 1);
	ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 8 * 1024); /* KiB */
	csn_exec_stream_close(stream);
	done(rt, &id);
}
END_TEST

/* ---- logs ------------------------------------------------------------------------------------ */

START_TEST(logs_hold_any_bytes)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("bytes", "printf 'a\\\\000b\\\\377c\\\\n'; printf last", &id);
	struct csn_log_entries *entries = NULL;
	struct csn_error err;
	(void)outcome_of(rt, &id);
	OK(csn_rt_get_logs(rt, &id, &entries, &err));
	ck_assert_uint_eq(csn_log_entries_count(entries), 2);
	const struct csn_log_entry *e = csn_log_entries_get(entries, 0);
	ck_assert_uint_eq(e->message_size, 5);
	ck_assert_int_eq(memcmp(e->message, "a\0b\377c", 5), 0);
	ck_assert_uint_eq(csn_log_entries_get(entries, 1)->message_size, 4);
	csn_log_entries_free(entries);
	done(rt, &id);
}
END_TEST

TCase *real_case(void)
{
	TCase *c = tcase_create("real");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, an_exit_code_is_told);
	tcase_add_test(c, a_signal_is_told);
	tcase_add_test(c, the_same_is_told_after_the_agent_died);
	tcase_add_test(c, a_missing_program_fails_the_start);
	tcase_add_test(c, waiting_ends_in_time);
	tcase_add_test(c, a_second_start_finds_the_files_of_the_first);
	tcase_add_test(c, stop_sends_the_signal_and_is_in_time);
	tcase_add_test(c, paused_is_running);
	tcase_add_test(c, what_a_service_asks_for_is_there);
	tcase_add_test(c, what_cannot_be_done_is_refused);
	tcase_add_test(c, a_port_of_its_own_on_the_hosts_network);
	tcase_add_test(c, an_address_while_it_runs);
	tcase_add_test(c, exec_tells_code_and_both_streams);
	tcase_add_test(c, exec_that_takes_too_long_is_killed);
	tcase_add_test(c, exec_streams_while_it_runs);
	tcase_add_test(c, exec_of_much_output);
	tcase_add_test(c, logs_hold_any_bytes);
	return c;
}
