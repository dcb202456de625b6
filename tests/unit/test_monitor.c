/*
 * The monitor's parts without containers: the log format over chunk boundaries, records there and
 * back, attach frames, the words that hand over from the first image to the second.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "monitor/attach.h"
#include "monitor/logs.h"
#include "monitor/restart.h"
#include "monitor/supervise.h"

/* ---- logs ------------------------------------------------------------------------------------ */

/* The whole log without the times, which are checked for their shape only. */
static char *text_of(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *raw = calloc(1, (size_t)size + 1), *out = calloc(1, (size_t)size + 1);
	ck_assert_int_eq(pread(fd, raw, (size_t)size, 0), size);
	for (char *line = raw; *line;) {
		char *end = strchr(line, '\n');
		ck_assert_ptr_nonnull(end);
		ck_assert_int_eq(line[4], '-');
		ck_assert_int_eq(line[19], '.');
		ck_assert_int_eq(line[29], 'Z');
		ck_assert_int_eq(line[30], ' ');
		strncat(out, line + 31, (size_t)(end - line - 31) + 1);
		line = end + 1;
	}
	free(raw);
	return out;
}

START_TEST(lines_over_chunks)
{
	auto_fd fd = memfd_create("log", MFD_CLOEXEC);
	struct log_file log = { .fd = fd };
	struct log_stream out = { .name = "stdout" }, err = { .name = "stderr" };

	log_append(&log, &out, "one\ntw", 6);
	ck_assert(out.partial);
	log_append(&log, &err, "oops\n", 5);
	log_append(&log, &out, "o\n\nthree", 8);
	auto_mem char *text = text_of(fd);
	ck_assert_str_eq(text, "stdout F one\nstdout P tw\nstderr F oops\nstdout F o\nstdout F \n"
			       "stdout P three\n");
	ck_assert(!err.partial);
	ck_assert_uint_eq(log.dropped, 0);
}
END_TEST

START_TEST(long_lines_are_parted_and_nothing_is_lost)
{
	enum { SIZE = 300000 };
	auto_fd fd = memfd_create("log", MFD_CLOEXEC);
	struct log_file log = { .fd = fd };
	struct log_stream out = { .name = "stdout" };
	auto_mem char *bytes = malloc(SIZE);
	for (int i = 0; i < SIZE; i++)
		bytes[i] = (char)('a' + i % 26);
	bytes[SIZE - 1] = '\n';
	log_append(&log, &out, bytes, SIZE);
	ck_assert(!out.partial);

	auto_mem char *text = text_of(fd);
	size_t at = 0;
	for (char *line = text; *line;) {
		char *end = strchr(line, '\n');
		bool last = line[7] == 'F';
		size_t n = (size_t)(end - line) - 9;
		ck_assert_uint_le(n, 16384);
		ck_assert_int_eq(memcmp(line + 9, bytes + at, n), 0);
		at += n;
		line = end + 1;
		ck_assert(last == (*line == '\0'));
	}
	ck_assert_uint_eq(at, SIZE - 1);
}
END_TEST

START_TEST(a_full_disk_is_counted)
{
	auto_fd fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct log_file log = { .fd = fd };
	struct log_stream out = { .name = "stdout" };
	log_append(&log, &out, "lost\n", 5);
	ck_assert_uint_gt(log.dropped, 5);
}
END_TEST

/* ---- records --------------------------------------------------------------------------------- */

static char dir_name[] = "/tmp/csn-test-monitor-XXXXXX";
static int dir = -1;

static void setup(void)
{
	strcpy(dir_name + sizeof dir_name - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir_name));
	dir = open(dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void teardown(void)
{
	(void)unlinkat(dir, "exit.json", 0);
	(void)unlinkat(dir, "container.json", 0);
	(void)unlinkat(dir, "restart.json", 0);
	close_fd(&dir);
	ck_assert_int_eq(rmdir(dir_name), 0); /* no temporary file stays */
}

START_TEST(exit_records_come_back)
{
	struct csn_error err;
	static const enum exit_reason all[] = { EXIT_EXITED, EXIT_SIGNAL, EXIT_OOM_KILLED,
						EXIT_RUNTIME_ERROR };
	for (size_t i = 0; i < COUNT(all); i++) {
		struct exit_record back, r = { .reason = all[i],
					       .exit_code = 137,
					       .signal = all[i] == EXIT_EXITED ? 0 : 9,
					       .core_dumped = true,
					       .restarting = i % 2,
					       .oom_kills = 3,
					       .memory_peak = UINT64_MAX,
					       .started_at = { 1700000000, 5 },
					       .finished_at = { 1700000001, 999999999 },
					       .error = "a \"quoted\" sentence" };
		ck_assert_int_eq(exit_record_write(dir, &r, &err), 0);
		ck_assert_int_eq(exit_record_read(dir, &back, &err), 0);
		ck_assert_int_eq(back.reason, r.reason);
		ck_assert_int_eq(back.signal, r.signal);
		ck_assert_int_eq(back.exit_code, r.exit_code);
		ck_assert(back.core_dumped);
		ck_assert(back.restarting == r.restarting);
		ck_assert_uint_eq(back.memory_peak, r.memory_peak);
		ck_assert_int_eq(back.started_at.tv_sec, r.started_at.tv_sec);
		ck_assert_int_eq(back.finished_at.tv_nsec, r.finished_at.tv_nsec);
		ck_assert_str_eq(back.error, r.error);
	}
}
END_TEST

START_TEST(damaged_exit_records_are_refused)
{
	static const char *const bad[] = { "",
					   "{",
					   "{}",
					   "[]",
					   "{\"exit_code\":0,\"reason\":\"x\"}",
					   "{\"exit_code\":\"0\",\"reason\":\"exited\"}" };
	struct exit_record r;
	struct csn_error err;
	for (size_t i = 0; i < COUNT(bad); i++) {
		auto_fd fd =
			openat(dir, "exit.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		ck_assert_int_eq(write(fd, bad[i], strlen(bad[i])), (ssize_t)strlen(bad[i]));
		ck_assert_int_lt(exit_record_read(dir, &r, &err), 0);
		ck_assert_ptr_nonnull(strstr(err.text, "exit.json"));
	}
}
END_TEST

START_TEST(engine_records_come_back)
{
	struct csn_error err;
	struct arena arena = { 0 };
	char *command[] = { (char[]){ "sh" }, (char[]){ "-c" }, NULL };
	char *layers[] = { (char[]){ "layers/a/fs" }, (char[]){ "layers/b/fs" }, NULL };
	struct engine_record back, r = { .id = (char[]){ "abc" },
					 .name = (char[]){ "n" },
					 .image = (char[]){ "i" },
					 .image_digest = (char[]){ "sha256:0" },
					 .command = command,
					 .command_count = 2,
					 .created = (char[]){ "2026-01-01T00:00:00Z" },
					 .stdin_open = true,
					 .stop_signal = (char[]){ "SIGINT" },
					 .stop_timeout_s = 3,
					 .layers = layers,
					 .layers_count = 2,
					 .cgroup = (char[]){ "/caisson/abc" },
					 .network = (char[]){ "none" },
					 .restart = { CSN_RESTART_ON_FAILURE, 3, 1500 } };
	ck_assert_int_eq(engine_record_write(dir, &r, &err), 0);
	ck_assert_int_eq(engine_record_read(dir, &back, &arena, &err), 0);
	ck_assert_str_eq(back.command[1], "-c");
	ck_assert_uint_eq(back.layers_count, 2);
	ck_assert_str_eq(back.layers[1], "layers/b/fs");
	ck_assert(back.stdin_open && !back.tty && !back.auto_remove);
	ck_assert_int_eq(back.stop_timeout_s, 3);
	ck_assert_int_eq(back.restart.kind, CSN_RESTART_ON_FAILURE);
	ck_assert_uint_eq(back.restart.max_restarts, 3);
	ck_assert_int_eq(back.restart.delay_ms, 1500);
	arena_free(&arena);
}
END_TEST

/* ---- attach ---------------------------------------------------------------------------------- */

START_TEST(frames_in_any_pieces)
{
	static struct attach a;
	int client[2], input[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client), 0);
	ck_assert_int_eq(pipe2(input, O_CLOEXEC | O_NONBLOCK), 0);
	attach_init(&a, input[1], false);
	ck_assert(attach_add(&a, client[0], true));

	/* STDIN "hello", byte by byte, then STDIN_EOF. */
	struct attach_header head = { .type = ATTACH_STDIN, .length = 5 };
	char bytes[sizeof head + 5];
	memcpy(bytes, &head, sizeof head);
	memcpy(bytes + sizeof head, "hello", 5);
	for (size_t i = 0; i < sizeof bytes; i++) {
		ck_assert_int_eq(write(client[1], bytes + i, 1), 1);
		attach_read(&a, &a.clients[0]);
	}
	char got[16] = "";
	ck_assert_int_eq(read(input[0], got, sizeof got), 5);
	ck_assert_str_eq(got, "hello");
	head = (struct attach_header){ .type = ATTACH_STDIN_EOF };
	ck_assert_int_eq(write(client[1], &head, sizeof head), sizeof head);
	attach_read(&a, &a.clients[0]);
	ck_assert_int_eq(read(input[0], got, sizeof got), 0);

	attach_send(&a, ATTACH_STDERR, "x\n", 2);
	struct attach_header out;
	ck_assert_int_eq(read(client[1], &out, sizeof out), sizeof out);
	ck_assert_int_eq(out.type, ATTACH_STDERR);
	ck_assert_uint_eq(out.length, 2);
	ck_assert_int_eq(read(client[1], got, sizeof got), 2);

	attach_end(&a, 7);
	uint32_t status = 0;
	ck_assert_int_eq(read(client[1], &out, sizeof out), sizeof out);
	ck_assert_int_eq(out.type, ATTACH_EXIT);
	ck_assert_int_eq(read(client[1], &status, sizeof status), sizeof status);
	ck_assert_uint_eq(status, 7);
	ck_assert_int_eq(read(client[1], got, 1), 0);
	(void)close(client[1]);
	(void)close(input[0]);
}
END_TEST

/* Input of a client that has hung up counts, though output came before it was read. */
START_TEST(what_was_sent_before_hanging_up_is_read)
{
	static struct attach a;
	int client[2], input[2];
	char text[8];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client), 0);
	ck_assert_int_eq(pipe2(input, O_CLOEXEC), 0);
	attach_init(&a, input[1], false);
	ck_assert(attach_add(&a, client[0], false));
	struct attach_header head = { .type = ATTACH_STDIN, .length = 3 };
	ck_assert_int_eq(write(client[1], &head, sizeof head), sizeof head);
	ck_assert_int_eq(write(client[1], "abc", 3), 3);
	head = (struct attach_header){ .type = ATTACH_STDIN_EOF };
	ck_assert_int_eq(write(client[1], &head, sizeof head), sizeof head);
	(void)close(client[1]);

	attach_send(&a, ATTACH_STDOUT, "x", 1);
	attach_send(&a, ATTACH_STDOUT, "x", 1);
	ck_assert(!attach_blocked(&a));
	for (int i = 0; i < 10 && a.clients[0].fd >= 0; i++)
		attach_read(&a, &a.clients[0]);
	ck_assert_int_eq(a.clients[0].fd, -1);
	ck_assert_int_eq(read(input[0], text, sizeof text), 3);
	ck_assert_int_eq(memcmp(text, "abc", 3), 0);
	ck_assert_int_eq(read(input[0], text, sizeof text), 0); /* and its end */
	(void)close(input[0]);
}
END_TEST

START_TEST(the_starter_holds_back_and_others_are_dropped)
{
	static struct attach a;
	static char block[256 * 1024];
	int starter[2], other[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, starter), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
	attach_init(&a, -1, false);
	ck_assert(attach_add(&a, starter[0], true));
	ck_assert(attach_add(&a, other[0], false));

	int sent = 0;
	while (!attach_blocked(&a) && sent++ < 100)
		attach_send(&a, ATTACH_STDOUT, block, sizeof block);
	ck_assert(attach_blocked(&a));
	ck_assert_int_ge(a.clients[0].fd, 0);

	/* Reading makes room, and nothing of the frame is missing. */
	size_t total = 0;
	while (attach_blocked(&a) || total < (size_t)sent * (sizeof block + 8)) {
		static char sink[65536];
		ssize_t n = recv(starter[1], sink, sizeof sink, MSG_DONTWAIT);
		if (n > 0)
			total += (size_t)n;
		attach_flush(&a, &a.clients[0]);
	}
	ck_assert_uint_eq(total, (size_t)sent * (sizeof block + 8));
	for (int i = 0; i < 20; i++) { /* nobody reads from the other */
		static char sink[4 << 20];
		attach_send(&a, ATTACH_STDOUT, block, sizeof block);
		while (recv(starter[1], sink, sizeof sink, MSG_DONTWAIT) > 0)
			attach_flush(&a, &a.clients[0]);
	}
	ck_assert_int_eq(a.clients[1].fd, -1);
	ck_assert_int_ge(a.clients[0].fd, 0);
	attach_drop(&a.clients[0]);
	(void)close(starter[1]);
	(void)close(other[1]);
}
END_TEST

/* ---- handing over ---------------------------------------------------------------------------- */

START_TEST(words_of_the_second_image)
{
	struct supervision s = { 0 };
	char *good[] = { (char[]){ "m" },
			 (char[]){ "--supervise" },
			 (char[]){ "/root" },
			 (char[]){ "/run" },
			 (char[]){ "id" },
			 (char[]){ "/caisson/id" },
			 (char[]){ "web" },
			 (char[]){ "" },
			 (char[]){ "/libexec/restart" },
			 (char[]){ "auto-remove" },
			 (char[]){ "42" },
			 (char[]){ "12.345" },
			 (char[]){ "7,2" },
			 (char[]){ "4096,3" },
			 (char[]){ "-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,8,9,-1,-1,-1" } };
	ck_assert_int_eq(supervision_parse(COUNT(good), good, &s), 0);
	ck_assert_int_eq(s.pid, 42);
	ck_assert(s.auto_remove);
	ck_assert_int_eq(s.started.tv_sec, 12);
	ck_assert_int_eq(s.started.tv_nsec, 345);
	ck_assert_str_eq(s.name, "web");
	ck_assert_str_eq(s.restarter, "/libexec/restart");
	ck_assert_uint_eq(s.oom_kills, 7);
	ck_assert_uint_eq(s.oom_group_kills, 2);
	ck_assert_uint_eq(s.log_max_size, 4096);
	ck_assert_uint_eq(s.log_max_files, 3);
	ck_assert_int_eq(s.fds[FD_LOG], -1);
	ck_assert_int_eq(s.fds[FD_CGROUP], 8);
	ck_assert_int_eq(s.fds[FD_OOM], 9);
	ck_assert_int_lt(supervision_parse(COUNT(good) - 1, good, &s), 0);
	good[14] = (char[]){ "1,x" };
	ck_assert_int_lt(supervision_parse(COUNT(good), good, &s), 0);
}
END_TEST

/* ---- restarts -------------------------------------------------------------------------------- */

/* An end at finished_s after running for ran_s. */
static int64_t decide(struct restart_history *h, const struct restart_policy *p, int exit_code,
		      int finished_s, int ran_s)
{
	const struct exit_record end = { .exit_code = exit_code,
					 .started_at = { .tv_sec = finished_s - ran_s },
					 .finished_at = { .tv_sec = finished_s } };
	return restart_decide(p, &end, (int64_t)finished_s * 1000000000, h);
}

START_TEST(the_back_off_doubles_up_to_a_minute)
{
	static const int64_t wanted[] = { 100,	0,     200,   400,   800,   1600, 3200,
					  6400, 12800, 25600, 51200, 60000, 60000 };
	const struct restart_policy always = { .kind = CSN_RESTART_ALWAYS };
	struct restart_history h = { 0 };
	ck_assert_int_eq(decide(&h, &always, 0, 1000, 1), wanted[0]);
	/* Far enough apart to be no crash loop. */
	for (int i = 2; i < 13; i++)
		ck_assert_int_eq(decide(&h, &always, 1, 1000 * i, 1), wanted[i]);
	ck_assert_uint_eq(h.count, 12);
	ck_assert_int_eq(decide(&h, &always, 1, 20000, 9), 60000);
	ck_assert_int_eq(decide(&h, &always, 1, 21000, 10), 100);
	ck_assert_int_eq(decide(&h, &always, 1, 22000, 9), 200);
	/* One that never ran has no time to count. */
	const struct exit_record never = { .exit_code = 127, .finished_at = { .tv_sec = 23000 } };
	ck_assert_int_eq(restart_decide(&always, &never, INT64_C(23000) * 1000000000, &h), 400);
}
END_TEST

START_TEST(five_restarts_in_five_minutes_are_a_crash_loop)
{
	const struct restart_policy always = { .kind = CSN_RESTART_ALWAYS, .delay_ms = 50 };
	struct restart_history h = { 0 };
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(decide(&h, &always, 1, 1000 + i, 0), 50);
		ck_assert(!h.crash_loop);
	}
	ck_assert_int_eq(decide(&h, &always, 1, 1299, 0), 30000);
	ck_assert(h.crash_loop);
	ck_assert_int_eq(decide(&h, &always, 1, 1300, 0), 30000);
	/* 1001 is five minutes ago. */
	ck_assert_int_eq(decide(&h, &always, 1, 1600, 0), 50);
	ck_assert(!h.crash_loop);
	/* A clock that was set back: those times tell nothing. */
	ck_assert_int_eq(decide(&h, &always, 1, 500, 0), 50);
	const struct restart_policy patient = { .kind = CSN_RESTART_ALWAYS, .delay_ms = 90000 };
	for (int i = 0; i < 7; i++)
		ck_assert_int_eq(decide(&h, &patient, 1, 5000 + i, 0), 90000);
}
END_TEST

START_TEST(who_is_started_again)
{
	static const struct {
		enum csn_restart_kind kind;
		uint32_t max;
		int exit_code;
		uint32_t restarts;
		bool again;
	} rows[] = {
		{ CSN_RESTART_NO, 0, 1, 0, false },
		{ CSN_RESTART_ALWAYS, 0, 0, 99, true },
		{ CSN_RESTART_UNLESS_STOPPED, 0, 0, 9, true },
		{ CSN_RESTART_ON_FAILURE, 0, 0, 0, false },
		{ CSN_RESTART_ON_FAILURE, 0, 1, 99, true },
		{ CSN_RESTART_ON_FAILURE, 3, 1, 2, true },
		{ CSN_RESTART_ON_FAILURE, 3, 1, 3, false },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct restart_policy p = { rows[i].kind, rows[i].max, 0 };
		ck_assert_msg(restart_wanted(&p, rows[i].exit_code, rows[i].restarts) ==
				      rows[i].again,
			      "row %zu", i);
	}
}
END_TEST

START_TEST(restart_histories_come_back)
{
	struct restart_history h = { .count = 7, .backoff_ms = 800, .crash_loop = true }, back;
	for (int i = 0; i < LOOP_RESTARTS; i++)
		h.recent_ns[i] = INT64_C(1700000000000000000) - i;
	ck_assert_int_eq(restart_history_write(dir, &h, NULL), 0);
	restart_history_read(dir, &back);
	ck_assert_uint_eq(back.count, 7);
	ck_assert_int_eq(back.backoff_ms, 800);
	ck_assert(back.crash_loop);
	ck_assert_mem_eq(back.recent_ns, h.recent_ns, sizeof h.recent_ns);
	/* Damaged, it is as if there were none. */
	auto_fd fd = openat(dir, "restart.json", O_WRONLY | O_TRUNC);
	ck_assert_int_eq(write(fd, "{\"count\": 3,", 12), 12);
	restart_history_read(dir, &back);
	ck_assert_uint_eq(back.count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("monitor");
	TCase *plain = tcase_create("plain");
	tcase_add_test(plain, lines_over_chunks);
	tcase_add_test(plain, long_lines_are_parted_and_nothing_is_lost);
	tcase_add_test(plain, a_full_disk_is_counted);
	tcase_add_test(plain, frames_in_any_pieces);
	tcase_add_test(plain, what_was_sent_before_hanging_up_is_read);
	tcase_add_test(plain, the_starter_holds_back_and_others_are_dropped);
	tcase_add_test(plain, words_of_the_second_image);
	suite_add_tcase(suite, plain);
	TCase *records = tcase_create("records");
	tcase_add_checked_fixture(records, setup, teardown);
	tcase_add_test(records, exit_records_come_back);
	tcase_add_test(records, damaged_exit_records_are_refused);
	tcase_add_test(records, engine_records_come_back);
	suite_add_tcase(suite, records);

	TCase *restarts = tcase_create("restarts");
	tcase_add_checked_fixture(restarts, setup, teardown);
	tcase_add_test(restarts, the_back_off_doubles_up_to_a_minute);
	tcase_add_test(restarts, five_restarts_in_five_minutes_are_a_crash_loop);
	tcase_add_test(restarts, who_is_started_again);
	tcase_add_test(restarts, restart_histories_come_back);
	suite_add_tcase(suite, restarts);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
