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
					 .network = (char[]){ "none" } };
	ck_assert_int_eq(engine_record_write(dir, &r, &err), 0);
	ck_assert_int_eq(engine_record_read(dir, &back, &arena, &err), 0);
	ck_assert_str_eq(back.command[1], "-c");
	ck_assert_uint_eq(back.layers_count, 2);
	ck_assert_str_eq(back.layers[1], "layers/b/fs");
	ck_assert(back.stdin_open && !back.tty && !back.auto_remove);
	ck_assert_int_eq(back.stop_timeout_s, 3);
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
	char *good[] = {
		(char[]){ "m" },	   (char[]){ "--supervise" },
		(char[]){ "/root" },	   (char[]){ "/run" },
		(char[]){ "id" },	   (char[]){ "/caisson/id" },
		(char[]){ "web" },	   (char[]){ "" },
		(char[]){ "auto-remove" }, (char[]){ "42" },
		(char[]){ "12.345" },	   (char[]){ "7,2" },
		(char[]){ "4096,3" },	   (char[]){ "-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,8,9,-1,-1" }
	};
	ck_assert_int_eq(supervision_parse(COUNT(good), good, &s), 0);
	ck_assert_int_eq(s.pid, 42);
	ck_assert(s.auto_remove);
	ck_assert_int_eq(s.started.tv_sec, 12);
	ck_assert_int_eq(s.started.tv_nsec, 345);
	ck_assert_str_eq(s.name, "web");
	ck_assert_uint_eq(s.oom_kills, 7);
	ck_assert_uint_eq(s.oom_group_kills, 2);
	ck_assert_uint_eq(s.log_max_size, 4096);
	ck_assert_uint_eq(s.log_max_files, 3);
	ck_assert_int_eq(s.fds[FD_LOG], -1);
	ck_assert_int_eq(s.fds[FD_CGROUP], 8);
	ck_assert_int_eq(s.fds[FD_OOM], 9);
	ck_assert_int_lt(supervision_parse(COUNT(good) - 1, good, &s), 0);
	good[13] = (char[]){ "1,x" };
	ck_assert_int_lt(supervision_parse(COUNT(good), good, &s), 0);
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
	tcase_add_test(plain, the_starter_holds_back_and_others_are_dropped);
	tcase_add_test(plain, words_of_the_second_image);
	suite_add_tcase(suite, plain);
	TCase *records = tcase_create("records");
	tcase_add_checked_fixture(records, setup, teardown);
	tcase_add_test(records, exit_records_come_back);
	tcase_add_test(records, damaged_exit_records_are_refused);
	tcase_add_test(records, engine_records_come_back);
	suite_add_tcase(suite, records);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
