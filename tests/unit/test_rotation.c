/*
 * The log's writer and its reader together, while files are retired and removed: every byte once
 * and in its order, tails over files, what a crash half-way leaves, a full disk.
 *
 * CSN_TEST_LOG_BYTES: how much goes through the first test (8 MiB).
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "monitor/logfiles.h"
#include "monitor/logs.h"
#include "runtime/logfile.h"
#include "runtime/runtime.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char world[64];
static struct csn_runtime *rt;
static int dir = -1; /* of the container */
static struct log_file file;
static struct log_stream out, err_stream;

static void open_world(void)
{
	char path[300];
	struct csn_config config = CSN_CONFIG_INIT;
	char root[100], run[100];

	(void)snprintf(world, sizeof world, "%s/test_rotation.XXXXXX",
		       getenv("TMPDIR") && strlen(getenv("TMPDIR")) < 40 ? getenv("TMPDIR")
									 : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(world));
	(void)snprintf(root, sizeof root, "%s/root", world);
	(void)snprintf(run, sizeof run, "%s/run", world);
	config.root = root;
	config.run_root = run;
	ck_assert_int_eq(csn_runtime_open_native(&config, &rt, NULL), 0);
	(void)snprintf(path, sizeof path, "%s/containers/" ID, root);
	ck_assert_int_eq(make_dirs(path, 0700, NULL), 0);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
}

static void close_world(void)
{
	(void)close(file.fd);
	(void)close(dir);
	csn_runtime_close(rt);
	ck_assert_int_eq(remove_tree(AT_FDCWD, world, NULL), 0);
}

static void open_log(uint64_t max_size, unsigned max_files)
{
	int fd = openat(dir, LOG_NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	file = (struct log_file){
		.fd = fd, .dir = dir, .max_size = max_size, .max_files = max_files
	};
	log_begin(&file);
	out = (struct log_stream){ .name = "stdout" };
	err_stream = (struct log_stream){ .name = "stderr" };
}

/* ---- what is written --------------------------------------------------------------------------
 */

/* Any bytes; lines of 128 on average, and now and then one of 40000. */
struct generator {
	uint64_t state, count;
};

static unsigned char next_byte(struct generator *g)
{
	g->state = g->state * 6364136223846793005u + 1442695040888963407u;
	unsigned char byte = (unsigned char)(g->state >> 56);
	bool end = ((g->state >> 40) & 127) == 0;
	bool inside = (g->count++ & 0xfffff) < 40000;
	return end && !inside ? '\n' : byte == '\n' ? 'n' : byte;
}

static uint64_t bytes_wanted(void)
{
	const char *text = getenv("CSN_TEST_LOG_BYTES");
	return text ? strtoull(text, NULL, 10) : 8 << 20;
}

static void write_all_of_it(uint64_t bytes)
{
	static char chunk[65536];
	struct generator g[2] = { { 1, 0 }, { 2, 0 } }, sizes = { 3, 0 };
	while (g[0].count + g[1].count < bytes) {
		size_t size = 1 + ((size_t)next_byte(&sizes) * 256 + next_byte(&sizes)) % 65536;
		int which = next_byte(&sizes) & 1;
		for (size_t i = 0; i < size; i++)
			chunk[i] = (char)next_byte(&g[which]);
		log_append(&file, which ? &err_stream : &out, chunk, size);
	}
	ck_assert_uint_eq(file.dropped, 0);
}

static void check_byte(struct generator *g, char byte)
{
	unsigned char want = next_byte(g);
	if ((unsigned char)byte != want)
		ck_abort_msg("byte %llu: 0x%02x, not 0x%02x", (unsigned long long)g->count,
			     (unsigned char)byte, want);
}

/* Reads to the end; how many bytes. */
static uint64_t read_all_of_it(struct csn_logs *logs)
{
	struct generator g[2] = { { 1, 0 }, { 2, 0 } };
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	struct csn_error err;
	int r;
	while ((r = csn_logs_next(logs, 60000, &line, &err)) > 0) {
		struct generator *mine = &g[line.stream == CSN_STREAM_STDERR];
		for (size_t i = 0; i < line.length; i++)
			check_byte(mine, line.text[i]);
		if (!line.partial)
			check_byte(mine, '\n');
	}
	ck_assert_msg(r == 0, "%s", err.text);
	return g[0].count + g[1].count;
}

static struct csn_logs *open_logs(int64_t tail, bool follow)
{
	struct csn_logs_options o = CSN_LOGS_OPTIONS_INIT;
	struct csn_logs *logs = NULL;
	struct csn_error err;
	o.tail = tail;
	o.follow = follow;
	ck_assert_msg(csn_container_logs(rt, ID, &o, &logs, &err) == 0, "%s", err.text);
	return logs;
}

/* A process that holds a monitor's lock and does the work once we say so. */
static pid_t start_monitor(void (*work)(uint64_t), uint64_t bytes, int *ret_go)
{
	char path[200], digits[16], byte;
	int ready[2], go[2];
	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(go), 0);
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
		(void)!read(go[0], &byte, 1);
		work(bytes);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	*ret_go = go[1];
	return pid;
}

static void await(pid_t pid)
{
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(every_byte_once)
{
	uint64_t bytes = bytes_wanted();
	int go;
	open_world();
	open_log(bytes > 100 << 20 ? 10 << 20 : 64 << 10, 1000);
	pid_t pid = start_monitor(write_all_of_it, bytes, &go);
	struct csn_logs *logs = open_logs(-1, true);
	ck_assert_int_eq(write(go, "x", 1), 1);
	ck_assert_uint_ge(read_all_of_it(logs), bytes);
	csn_logs_close(logs);
	await(pid);
	close(go);

	struct log_range range = { .from = 1, .to = UINT64_MAX };
	ck_assert_int_eq(log_files_range(dir, &range), 0);
	ck_assert_uint_gt(range.highest, 50);
	logs = open_logs(-1, false);
	ck_assert_uint_ge(read_all_of_it(logs), bytes);
	csn_logs_close(logs);
	close_world();
}
END_TEST

/* ---- retention --------------------------------------------------------------------------------
 */

static void write_lines(uint64_t count)
{
	char text[64];
	for (uint64_t i = 0; i < count; i++) {
		int n = snprintf(text, sizeof text, "line %llu\n", (unsigned long long)i);
		log_append(&file, &out, text, (size_t)n);
	}
}

/* The lines from the first that is there on, without a gap when all is read at once. */
static uint64_t read_lines(struct csn_logs *logs, bool gaps, uint64_t *ret_first)
{
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	struct csn_error err;
	uint64_t next = 0;
	bool any = false;
	char text[64];
	int r;
	while ((r = csn_logs_next(logs, 60000, &line, &err)) > 0) {
		(void)snprintf(text, sizeof text, "%.*s", (int)line.length, line.text);
		ck_assert_int_eq(strncmp(text, "line ", 5), 0);
		uint64_t number = strtoull(text + 5, NULL, 10);
		if (!any)
			*ret_first = number;
		ck_assert_msg(!any || number == next || (gaps && number > next), "%llu behind %llu",
			      (unsigned long long)number, (unsigned long long)next - 1);
		any = true;
		next = number + 1;
	}
	ck_assert_msg(r == 0, "%s", err.text);
	return next;
}

START_TEST(old_files_go)
{
	enum { LINES = 20000, SIZE = 16 << 10 };
	struct stat st;
	uint64_t first = 0;
	int go;
	char name[LOG_NAME_MAX];
	open_world();
	open_log(SIZE, (unsigned)_i);
	pid_t pid = start_monitor(write_lines, LINES, &go);
	struct csn_logs *logs = open_logs(-1, true);
	ck_assert_int_eq(write(go, "x", 1), 1);
	/* A reader that is behind misses whole files and reads nothing twice. */
	ck_assert_uint_eq(read_lines(logs, true, &first), LINES);
	csn_logs_close(logs);
	await(pid);
	close(go);

	logs = open_logs(-1, false);
	ck_assert_uint_eq(read_lines(logs, false, &first), LINES);
	csn_logs_close(logs);
	ck_assert_uint_gt(first, LINES / 2);
	struct log_range range = { .from = 1, .to = UINT64_MAX };
	ck_assert_int_eq(log_files_range(dir, &range), 0);
	if (_i == 1) {
		ck_assert_uint_eq(range.highest, 0);
	} else {
		ck_assert_uint_eq(range.highest - range.lowest + 2, (unsigned)_i);
		log_file_name(range.lowest, name);
		ck_assert_int_eq(fstatat(dir, name, &st, 0), 0);
		ck_assert_int_le(st.st_size, SIZE);
	}
	ck_assert_int_eq(fstatat(dir, LOG_NEXT, &st, 0), -1);
	close_world();
}
END_TEST

START_TEST(tails_over_files)
{
	enum { LINES = 5000 };
	static const int64_t tails[] = { 0, 1, 50, 777, 4999, 5000, 9999 };
	open_world();
	open_log(16 << 10, 1000);
	write_lines(LINES);
	for (size_t i = 0; i < COUNT(tails); i++) {
		uint64_t first = LINES;
		struct csn_logs *logs = open_logs(tails[i], false);
		uint64_t end = read_lines(logs, false, &first);
		csn_logs_close(logs);
		ck_assert_uint_eq(end, tails[i] ? LINES : 0);
		ck_assert_uint_eq(first, tails[i] > LINES ? 0 : (uint64_t)(LINES - tails[i]));
	}
	close_world();
}
END_TEST

/* Between a read that found the end and the question whether the file is still the last one, more
 * may have been added and the file retired: it is read again before the next one. */
START_TEST(what_came_last_is_read)
{
	struct log_source s;
	bool next = true;
	open_world();
	open_log(0, 5);
	write_lines(10);
	s = (struct log_source)LOG_SOURCE_INIT(dir);
	ck_assert_int_eq(log_source_newest(&s), 0);
	ck_assert_int_eq(log_source_advance(&s, &next), 0);
	write_lines(1);
	ck_assert_int_eq(log_rotate(&file), 0);
	ck_assert_int_eq(log_source_advance(&s, &next), 1);
	ck_assert(!next);
	ck_assert_int_eq(log_source_advance(&s, &next), 1);
	ck_assert(next);
	ck_assert(log_file_is(dir, LOG_NAME, s.fd));
	ck_assert_int_eq(log_source_advance(&s, &next), 0);
	log_source_close(&s);
	close_world();
}
END_TEST

/* ---- crashes and full disks -------------------------------------------------------------------
 */

/* Killed between the two steps: the last file has both its names, and the empty one is there. */
START_TEST(a_crash_half_way)
{
	uint64_t first;
	open_world();
	open_log(16 << 10, 5);
	write_lines(1000);
	struct log_range range = { .from = 1, .to = UINT64_MAX };
	ck_assert_int_eq(log_files_range(dir, &range), 0);
	char name[LOG_NAME_MAX];
	log_file_name(range.highest + 1, name);
	ck_assert_int_eq(linkat(dir, LOG_NAME, dir, name, 0), 0);
	(void)close(openat(dir, LOG_NEXT, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

	struct csn_logs *logs = open_logs(-1, false);
	ck_assert_uint_eq(read_lines(logs, false, &first), 1000);
	csn_logs_close(logs);
	logs = open_logs(900, false);
	ck_assert_uint_eq(read_lines(logs, false, &first), 1000);
	ck_assert_uint_eq(first, 100);
	csn_logs_close(logs);

	ck_assert_int_eq(log_rotate(&file), 0);
	ck_assert_int_eq(log_files_range(dir, &range), 0);
	log_file_name(range.highest, name);
	ck_assert(!log_file_is(dir, name, file.fd));
	logs = open_logs(-1, false);
	ck_assert_uint_eq(read_lines(logs, false, &first), 1000);
	csn_logs_close(logs);
	close_world();
}
END_TEST

/* A limit of the file's size is like a full disk: some of a write fits. */
START_TEST(a_full_disk_drops_and_goes_on)
{
	struct rlimit was, small;
	char text[4096];
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	open_world();
	open_log(0, 1);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 1000;
	memset(text, 'a', sizeof text);
	for (size_t i = 99; i < sizeof text; i += 100)
		text[i] = '\n';
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	log_append(&file, &out, text, sizeof text);
	ck_assert(file.torn);
	ck_assert_uint_gt(file.dropped, 3000);
	auto_mem char *told = NULL;
	size_t size;
	log_end(&file);
	ck_assert_int_eq(file_read(dir, LOG_DROPPED, 100, &told, &size, NULL), 0);
	ck_assert_uint_eq(strtoull(told, NULL, 10), file.dropped);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	log_append(&file, &out, "after\n", 6);

	struct csn_logs *logs = open_logs(1, false);
	ck_assert_int_eq(csn_logs_next(logs, 0, &line, NULL), 1);
	ck_assert_uint_eq(line.length, 5);
	ck_assert_mem_eq(line.text, "after", 5);
	csn_logs_close(logs);
	close_world();
}
END_TEST

/* ---- time -------------------------------------------------------------------------------------
 */

static void put_at(int second, const char *text)
{
	char record[100];
	int n = snprintf(record, sizeof record, "2026-11-24T13:05:%02d.000000000Z stdout F %s\n",
			 second, text);
	ck_assert_int_eq(write_all(file.fd, record, (size_t)n), 0);
}

START_TEST(since_and_until)
{
	struct csn_logs_options o = CSN_LOGS_OPTIONS_INIT;
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	struct csn_logs *logs = NULL;
	struct tm tm = { .tm_year = 126, .tm_mon = 10, .tm_mday = 24, .tm_hour = 13, .tm_min = 5 };
	int64_t minute = (int64_t)timegm(&tm) * 1000000000;
	open_world();
	open_log(0, 1);
	put_at(1, "one");
	put_at(2, "two");
	put_at(3, "three");
	put_at(4, "four");
	o.since_ns = minute + 2 * INT64_C(1000000000);
	o.until_ns = minute + 3 * INT64_C(1000000000);
	ck_assert_int_eq(csn_container_logs(rt, ID, &o, &logs, NULL), 0);
	ck_assert_int_eq(csn_logs_next(logs, 0, &line, NULL), 1);
	ck_assert_mem_eq(line.text, "two", 3);
	ck_assert_int_eq(csn_logs_next(logs, 0, &line, NULL), 1);
	ck_assert_mem_eq(line.text, "three", 5);
	ck_assert_int_eq(csn_logs_next(logs, 0, &line, NULL), 0);
	ck_assert_int_eq(csn_logs_next(logs, 0, &line, NULL), 0);
	csn_logs_close(logs);
	close_world();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rotation");
	TCase *tc = tcase_create("rotation");
	tcase_set_timeout(tc, getenv("CSN_TEST_LOG_BYTES") ? 600 : 60);
	tcase_add_test(tc, every_byte_once);
	tcase_add_loop_test(tc, old_files_go, 1, 4);
	tcase_add_test(tc, tails_over_files);
	tcase_add_test(tc, what_came_last_is_read);
	tcase_add_test(tc, a_crash_half_way);
	tcase_add_test(tc, a_full_disk_drops_and_goes_on);
	tcase_add_test(tc, since_and_until);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
