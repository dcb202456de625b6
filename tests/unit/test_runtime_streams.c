/* lib/runtime: reading logs (joining, tails, following, damage) and the attach stream's frames. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/runtime.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define T  "2026-11-24T13:05:00.123456789Z "

static char world[64];
static struct csn_runtime *rt;
static int log_fd;

/* A container directory with a log: that is all that reading needs. */
static void open_world(void)
{
	char root[100], run[100], dir[300];
	struct csn_config config = CSN_CONFIG_INIT;

	(void)strcpy(world, "/tmp/test_streams.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(world));
	(void)snprintf(root, sizeof root, "%s/root", world);
	(void)snprintf(run, sizeof run, "%s/run", world);
	config.root = root;
	config.run_root = run;
	ck_assert_int_eq(csn_runtime_open_native(&config, &rt, NULL), 0);
	(void)snprintf(dir, sizeof dir, "%s/containers/" ID, root);
	ck_assert_int_eq(make_dirs(dir, 0700, NULL), 0);
	(void)snprintf(dir, sizeof dir, "%s/containers/" ID "/container.log", root);
	log_fd = open(dir, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(log_fd, 0);
}

static void close_world(void)
{
	close(log_fd);
	csn_runtime_close(rt);
	ck_assert_int_eq(remove_tree(AT_FDCWD, world, NULL), 0);
}

static void add(const char *text)
{
	ck_assert_int_eq(write_all(log_fd, text, strlen(text)), 0);
}

/* Everything that is read, as "o:text|e:text~|": ~ marks a line without its end. */
static char *read_all(int64_t tail, bool no_stdout, bool no_stderr)
{
	struct csn_logs_options o = CSN_LOGS_OPTIONS_INIT;
	struct csn_logs *logs = NULL;
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	o.tail = tail;
	o.no_stdout = no_stdout;
	o.no_stderr = no_stderr;
	ck_assert_int_eq(csn_container_logs(rt, ID, &o, &logs, NULL), 0);
	ck_assert_int_eq(csn_logs_fd(logs), -1);
	while (csn_logs_next(logs, -1, &line, NULL) > 0) {
		ck_assert_int_eq(line.time_ns, 1795525500123456789);
		fprintf(f, "%c:", line.stream == CSN_STREAM_STDOUT ? 'o' : 'e');
		(void)fwrite(line.text, 1, line.length, f);
		fprintf(f, "%s|", line.partial ? "~" : "");
	}
	csn_logs_close(logs);
	fclose(f);
	return text;
}

static void assert_log(int64_t tail, const char *want)
{
	char *got = read_all(tail, false, false);
	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(joins_lines)
{
	open_world();
	add(T "stdout F one\n" T "stderr P a"
	      "\n" T "stdout F two\n" T "stderr F b\n" T "stdout F \n" T "stdout P x\n" T
	      "stdout P y\n");
	assert_log(-1, "o:one|o:two|e:ab|o:|o:xy~|");
	char *got = read_all(-1, true, false);
	ck_assert_str_eq(got, "e:ab|");
	free(got);
	got = read_all(-1, false, true);
	ck_assert_str_eq(got, "o:one|o:two|o:|o:xy~|");
	free(got);
	close_world();
}
END_TEST

START_TEST(finds_tails)
{
	open_world();
	assert_log(5, "");
	add(T "stdout F one\n" T "stderr P a\n" T "stdout F two\n" T "stderr F b\n" T
	      "stdout P x\n" T "stdout P y\n");
	assert_log(0, "");
	assert_log(1, "o:xy~|");
	assert_log(2, "e:ab|o:xy~|");
	assert_log(3, "o:two|e:ab|o:xy~|");
	assert_log(4, "o:one|o:two|e:ab|o:xy~|");
	assert_log(99, "o:one|o:two|e:ab|o:xy~|");
	close_world();
}
END_TEST

/* Larger than several windows; one stream's line begins far before the others. */
START_TEST(finds_tails_in_large_files)
{
	char line[200], want[400];
	open_world();
	add(T "stderr P early \n");
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(line, sizeof line, T "stdout F line %06d\n", i);
		add(line);
	}
	add(T "stderr F late\n");
	assert_log(2, "o:line 019999|e:early late|");
	add(T "stdout F end\n");
	(void)snprintf(want, sizeof want, "o:line 019998|o:line 019999|e:early late|o:end|");
	assert_log(4, want);
	char *all = read_all(20002, false, false), *some = read_all(10000, false, false);
	ck_assert_uint_eq(strlen(all),
			  20000 * strlen("o:line 000000|") + strlen("e:early late|o:end|"));
	ck_assert_str_eq(all + strlen(all) - strlen(some), some);
	ck_assert(strncmp(some, "o:line 010002|", 14) == 0);
	free(all);
	free(some);
	close_world();
}
END_TEST

START_TEST(passes_over_damage)
{
	static const char *const junk[] = {
		"",
		"junk\n",
		"\n",
		T "\n",
		T "stdout\n",
		T "stdout X text\n",
		T "stdlog F text\n",
		"2026-99 stdout F text\n",
		T "stdout Ftext\n",
		"\xff\xfe\n",
	};
	open_world();
	for (size_t i = 0; i < COUNT(junk); i++) {
		ck_assert_int_eq(ftruncate(log_fd, 0), 0);
		add(T "stdout F before\n");
		add(junk[i]);
		add(T "stdout F after\n");
		assert_log(-1, "o:before|o:after|");
	}
	/* A hole of NULs, a record that is still being written. */
	ck_assert_int_eq(ftruncate(log_fd, 0), 0);
	static const char nuls[5000] = "";
	add(T "stdout F before\n");
	ck_assert_int_eq(write_all(log_fd, nuls, sizeof nuls), 0);
	add("\n" T "stdout F after\n" T "stdout F unfinis");
	assert_log(-1, "o:before|o:after|");
	/* A record longer than any that is written. */
	char *large = malloc(3 << 20);
	memset(large, 'x', 3 << 20);
	large[(3 << 20) - 1] = '\0';
	add("\n" T "stdout F ");
	add(large);
	add("\n" T "stdout F last\n");
	assert_log(-1, "o:before|o:after|o:unfinis|o:last|");
	free(large);
	close_world();
}
END_TEST

START_TEST(keeps_any_bytes)
{
	open_world();
	struct csn_logs *logs = NULL;
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	char bytes[256];
	size_t n = 0;
	for (int i = 0; i < 256; i++)
		if (i != '\n')
			bytes[n++] = (char)i;
	add(T "stdout F ");
	ck_assert_int_eq(write_all(log_fd, bytes, n), 0);
	add("\n");
	ck_assert_int_eq(csn_container_logs(rt, ID, NULL, &logs, NULL), 0);
	ck_assert_int_eq(csn_logs_next(logs, 0, &line, NULL), 1);
	ck_assert_uint_eq(line.length, n);
	ck_assert_mem_eq(line.text, bytes, n);
	ck_assert_int_eq(csn_logs_next(logs, 0, &line, NULL), 0);
	csn_logs_close(logs);
	csn_logs_close(NULL);
	close_world();
}
END_TEST

/* A line of 3 MiB in pieces of 16 KiB comes in pieces of at least 1 MiB, nothing lost. */
START_TEST(splits_endless_lines)
{
	open_world();
	struct csn_logs *logs = NULL;
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	static char piece[16384 + 1];
	memset(piece, 'x', sizeof piece - 1);
	for (int i = 0; i < 192; i++) {
		add(i < 191 ? T "stdout P " : T "stdout F ");
		add(piece);
		add("\n");
	}
	ck_assert_int_eq(csn_container_logs(rt, ID, NULL, &logs, NULL), 0);
	size_t total = 0;
	int parts = 0;
	while (csn_logs_next(logs, 0, &line, NULL) > 0) {
		total += line.length;
		parts++;
		ck_assert(line.partial == (total < 3 << 20));
		ck_assert_uint_le(line.length, (1 << 20) + 16384);
	}
	ck_assert_uint_eq(total, 3 << 20);
	ck_assert_int_eq(parts, 3);
	csn_logs_close(logs);
	close_world();
}
END_TEST

/* A process that holds the lock of a monitor, writes to the log as told, and ends. */
static pid_t start_monitor(const char *early, const char *late)
{
	char path[200], digits[16];
	int ready[2];
	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)snprintf(path, sizeof path, "%s/run/monitor/" ID, world);
		(void)make_dirs(path, 0700, NULL);
		(void)snprintf(path, sizeof path, "%s/run/monitor/" ID "/pid", world);
		int fd = open(path, O_RDWR | O_CREAT, 0600);
		(void)flock(fd, LOCK_EX);
		int n = snprintf(digits, sizeof digits, "%d", (int)getpid());
		(void)write_all(fd, digits, (size_t)n);
		(void)!write(ready[1], "x", 1);
		usleep(100000);
		(void)write_all(log_fd, early, strlen(early));
		usleep(100000);
		(void)write_all(log_fd, late, strlen(late));
		_exit(0);
	}
	char byte;
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

START_TEST(follows)
{
	struct csn_logs_options o = CSN_LOGS_OPTIONS_INIT;
	struct csn_logs *logs = NULL;
	struct csn_log_line line = CSN_LOG_LINE_INIT;

	open_world();
	add(T "stdout F old\n" T "stdout F one\n");
	pid_t pid = start_monitor(T "stderr F two\n" T "stdout P thr", "ee\n" T "stdout P end\n");
	o.follow = true;
	o.tail = 1;
	ck_assert_int_eq(csn_container_logs(rt, ID, &o, &logs, NULL), 0);
	ck_assert_int_ge(csn_logs_fd(logs), 0);
	ck_assert_int_eq(csn_logs_next(logs, 0, &line, NULL), 1);
	ck_assert_uint_eq(line.length, 3);
	ck_assert_mem_eq(line.text, "one", 3);
	ck_assert_int_eq(csn_logs_next(logs, 0, &line, NULL), -EAGAIN);
	struct pollfd p = { .fd = csn_logs_fd(logs), .events = POLLIN };
	ck_assert_int_eq(poll(&p, 1, 5000), 1);
	ck_assert_int_eq(csn_logs_next(logs, 5000, &line, NULL), 1);
	ck_assert_mem_eq(line.text, "two", 3);
	ck_assert_int_eq(csn_logs_next(logs, 5000, &line, NULL), 1);
	ck_assert_uint_eq(line.length, 8);
	ck_assert_mem_eq(line.text, "threeend", 8);
	ck_assert(line.partial);
	ck_assert_int_eq(csn_logs_next(logs, 5000, &line, NULL), 0);
	csn_logs_close(logs);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);

	/* Nobody writes any more: following ends at once. */
	ck_assert_int_eq(csn_container_logs(rt, ID, &o, &logs, NULL), 0);
	ck_assert_int_eq(csn_logs_next(logs, -1, &line, NULL), 1);
	ck_assert_int_eq(csn_logs_next(logs, -1, &line, NULL), 0);
	csn_logs_close(logs);
	close_world();
}
END_TEST

/* ---- attach -----------------------------------------------------------------------------------
 */

static void send_frame(int fd, uint8_t type, const void *payload, uint32_t size)
{
	const struct attach_header h = { .type = type, .length = size };
	ck_assert_int_eq(write_all(fd, &h, sizeof h), 0);
	ck_assert_int_eq(write_all(fd, payload, size), 0);
}

START_TEST(reads_frames)
{
	struct csn_attach *a = NULL;
	struct csn_attach_event e = CSN_ATTACH_EVENT_INIT;
	uint32_t status = 42;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(attach_new(pair[0], &a, NULL), 0);
	ck_assert_int_eq(csn_attach_read(a, &e, NULL), -EAGAIN);
	/* A header in two pieces, a payload in two. */
	const struct attach_header h = { .type = ATTACH_STDOUT, .length = 6 };
	ck_assert_int_eq(write_all(pair[1], &h, 5), 0);
	ck_assert_int_eq(csn_attach_read(a, &e, NULL), -EAGAIN);
	ck_assert_int_eq(write_all(pair[1], (const char *)&h + 5, 3), 0);
	ck_assert_int_eq(write_all(pair[1], "abc", 3), 0);
	ck_assert_int_eq(csn_attach_read(a, &e, NULL), 1);
	ck_assert_uint_eq(e.length, 3);
	ck_assert_int_eq(csn_attach_read(a, &e, NULL), -EAGAIN);
	ck_assert_int_eq(write_all(pair[1], "def", 3), 0);
	ck_assert_int_eq(csn_attach_read(a, &e, NULL), 1);
	ck_assert_mem_eq(e.bytes, "def", 3);
	ck_assert_int_eq(e.stream, CSN_STREAM_STDOUT);

	/* Unknown kinds and empty frames are passed over. */
	send_frame(pair[1], 77, "xyz", 3);
	send_frame(pair[1], ATTACH_STDOUT, "", 0);
	send_frame(pair[1], ATTACH_STDERR, "err", 3);
	send_frame(pair[1], ATTACH_EXIT, &status, sizeof status);
	close(pair[1]);
	ck_assert_int_eq(csn_attach_read(a, &e, NULL), 1);
	ck_assert_int_eq(e.stream, CSN_STREAM_STDERR);
	ck_assert_mem_eq(e.bytes, "err", 3);
	ck_assert_int_eq(csn_attach_read(a, &e, NULL), 1);
	ck_assert_int_eq(e.kind, CSN_ATTACH_EXIT);
	ck_assert_int_eq(e.exit_code, 42);
	ck_assert_int_eq(csn_attach_read(a, &e, NULL), 0);
	csn_attach_close(a);
	csn_attach_close(NULL);
}
END_TEST

START_TEST(reads_large_frames)
{
	struct csn_attach *a = NULL;
	struct csn_attach_event e = CSN_ATTACH_EVENT_INIT;
	int pair[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char *large = calloc(1, 1 << 20);
		for (int i = 0; i < 20; i++)
			send_frame(pair[1], ATTACH_STDOUT, large, 1 << 20);
		_exit(0);
	}
	close(pair[1]);
	ck_assert_int_eq(attach_new(pair[0], &a, NULL), 0);
	size_t total = 0;
	for (int r; (r = csn_attach_read(a, &e, NULL)) != 0;) {
		struct pollfd p = { .fd = csn_attach_fd(a), .events = POLLIN };
		ck_assert(r == 1 || r == -EAGAIN);
		total += r == 1 ? e.length : 0;
		if (r == -EAGAIN)
			ck_assert_int_eq(poll(&p, 1, 5000), 1);
	}
	ck_assert_uint_eq(total, 20 << 20);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	csn_attach_close(a);
}
END_TEST

/* A monitor that does not read: what was taken stays, and comes out whole later. */
START_TEST(writes_frames)
{
	struct csn_attach *a = NULL;
	static char data[1 << 20], got[1 << 20];
	size_t sent = 0, received = 0;
	int pair[2];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(attach_new(pair[0], &a, NULL), 0);
	bool blocked = false, ended = false;
	while (received < sizeof data) {
		int n = sent < sizeof data
				? csn_attach_write(a, data + sent, sizeof data - sent, NULL)
				: 0;
		blocked |= n == -EAGAIN;
		if (n > 0) {
			ck_assert_int_le(n, 65536);
			sent += (size_t)n;
			continue;
		}
		struct attach_header h;
		ck_assert_int_eq(recv(pair[1], &h, sizeof h, MSG_WAITALL), sizeof h);
		ck_assert_uint_eq(h.type, ATTACH_STDIN);
		/* Its payload may still be in the handle. */
		for (uint32_t left = h.length; left;) {
			(void)!csn_attach_flush(a, NULL);
			ssize_t part = recv(pair[1], got + received, left, 0);
			ck_assert_int_gt(part, 0);
			received += (size_t)part;
			left -= (uint32_t)part;
		}
	}
	ck_assert(blocked && !csn_attach_pending(a));
	ck_assert_mem_eq(data, got, sizeof data);

	struct attach_header h;
	uint16_t size[2];
	ck_assert_int_eq(csn_attach_resize(a, 24, 80, NULL), 0);
	ck_assert_int_eq(csn_attach_resize(a, 70000, 80, NULL), -EINVAL);
	ck_assert_int_eq(csn_attach_close_stdin(a, NULL), 0);
	ck_assert_int_eq(recv(pair[1], &h, sizeof h, MSG_WAITALL), sizeof h);
	ck_assert_uint_eq(h.type, ATTACH_RESIZE);
	ck_assert_int_eq(recv(pair[1], size, sizeof size, MSG_WAITALL), sizeof size);
	ck_assert_uint_eq(size[0], 24);
	ck_assert_uint_eq(size[1], 80);
	ck_assert_int_eq(recv(pair[1], &h, sizeof h, MSG_WAITALL), sizeof h);
	ended = h.type == ATTACH_STDIN_EOF && h.length == 0;
	ck_assert(ended);
	close(pair[1]);
	ck_assert_int_eq(csn_attach_write(a, "x", 1, NULL), -EPIPE);
	csn_attach_close(a);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runtime streams");
	TCase *tc = tcase_create("streams");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, joins_lines);
	tcase_add_test(tc, finds_tails);
	tcase_add_test(tc, finds_tails_in_large_files);
	tcase_add_test(tc, passes_over_damage);
	tcase_add_test(tc, keeps_any_bytes);
	tcase_add_test(tc, splits_endless_lines);
	tcase_add_test(tc, follows);
	tcase_add_test(tc, reads_frames);
	tcase_add_test(tc, reads_large_frames);
	tcase_add_test(tc, writes_frames);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
