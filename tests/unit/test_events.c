/*
 * The journal of events, without containers: several writers at once, a file that is replaced under
 * way, readers that begin at different times, and what may stand in it that is no event.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/runtime.h"

static char world[64], run_root[100];
static struct csn_runtime *rt;
static struct csn_error err;

static void open_world(void)
{
	char root[100];
	struct csn_config config = CSN_CONFIG_INIT;
	(void)strcpy(world, "/tmp/test_events.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(world));
	(void)snprintf(root, sizeof root, "%s/root", world);
	(void)snprintf(run_root, sizeof run_root, "%s/run", world);
	config.root = root;
	config.run_root = run_root;
	ck_assert_msg(csn_runtime_open_native(&config, &rt, &err) == 0, "%s", err.text);
}

static void close_world(void)
{
	csn_runtime_close(rt);
	ck_assert_int_eq(remove_tree(AT_FDCWD, world, NULL), 0);
}

static void add(const char *action, const char *name)
{
	const struct journal_event e = { .type = "container", .action = action, .name = name };
	ck_assert_msg(journal_add(run_root, &e, &err) == 0, "%s", err.text);
}

static struct csn_events *open_events(int64_t since, bool follow)
{
	struct csn_events *ev = NULL;
	struct csn_events_options o = CSN_EVENTS_OPTIONS_INIT;
	o.since_ns = since;
	o.no_follow = !follow;
	ck_assert_msg(csn_events_open(rt, &o, &ev, &err) == 0, "%s", err.text);
	return ev;
}

static void next_is(struct csn_events *ev, const char *name)
{
	struct csn_event e = CSN_EVENT_INIT;
	ck_assert_int_eq(csn_events_next(ev, 5000, &e, &err), 1);
	ck_assert_str_eq(e.name, name);
}

START_TEST(from_now_on_or_from_the_beginning)
{
	struct csn_event e = CSN_EVENT_INIT;
	/* Opened before there is any journal. */
	struct csn_events *first = open_events(0, true);
	ck_assert_int_eq(csn_events_next(first, 0, &e, &err), -EAGAIN);
	add("create", "a");
	struct csn_events *second = open_events(0, true);
	add("start", "b");
	next_is(first, "a");
	next_is(first, "b");
	next_is(second, "b");
	ck_assert_int_eq(csn_events_next(second, 10, &e, &err), -EAGAIN);

	struct csn_events *past = open_events(1, false);
	next_is(past, "a");
	next_is(past, "b");
	ck_assert_int_eq(csn_events_next(past, -1, &e, &err), 0);

	/* The fd tells. */
	struct pollfd p = { .fd = csn_events_fd(second), .events = POLLIN };
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	add("die", "c");
	ck_assert_int_eq(poll(&p, 1, 5000), 1);
	next_is(second, "c");
	csn_events_close(first);
	csn_events_close(second);
	csn_events_close(past);
}
END_TEST

START_TEST(what_is_no_event_is_passed_over)
{
	add("create", "a");
	auto_fd dir = open(run_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd fd = openat(dir, "events", O_WRONLY | O_APPEND | O_CLOEXEC);
	static const char junk[] =
		"\n{\n{\"time\":\"x\"}\nnull\n\xff\xfe\n{\"time\":1,\"type\":2}\n";
	ck_assert_int_eq(write_all(fd, junk, sizeof junk - 1), 0);
	/* A line that never ends, longer than any of ours. */
	char block[4096];
	memset(block, 'x', sizeof block);
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(write_all(fd, block, sizeof block), 0);
	ck_assert_int_eq(write_all(fd, "\n", 1), 0);
	add("die", "b");
	struct csn_events *ev = open_events(1, false);
	next_is(ev, "a");
	next_is(ev, "b");
	csn_events_close(ev);
}
END_TEST

START_TEST(a_journal_that_is_no_file_is_refused)
{
	auto_fd dir = open(run_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct journal_event e = { .type = "container", .action = "create" };
	ck_assert_int_eq(symlinkat("/dev/null", dir, "events"), 0);
	ck_assert_int_eq(journal_add(run_root, &e, &err), -ELOOP);
	ck_assert_str_eq(err.text, "open events: Too many levels of symbolic links");
}
END_TEST

/* ---- many at once ---------------------------------------------------------------------------- */

enum { WRITERS = 4, EACH = 2000 };

static void write_many(int writer)
{
	char name[32];
	for (int i = 0; i < EACH; i++) {
		(void)snprintf(name, sizeof name, "%d-%d", writer, i);
		const struct journal_event e = { .type = "container",
						 .action = "start",
						 .id = "0123456789abcdef0123456789abcdef",
						 .name = name,
						 .image = "docker.io/library/image:latest" };
		if (journal_add(run_root, &e, NULL) < 0)
			_exit(1);
	}
	_exit(0);
}

/* Together they fill one file and begin the next: whoever reads along and whoever reads afterwards
 * sees each event once, each writer's in its order, and times that never go back. */
static void read_many(struct csn_events *ev)
{
	int next[WRITERS] = { 0 };
	int64_t last = 0;
	for (int n = 0; n < WRITERS * EACH; n++) {
		struct csn_event e = CSN_EVENT_INIT;
		int writer, i;
		ck_assert_int_eq(csn_events_next(ev, 20000, &e, &err), 1);
		ck_assert_int_eq(sscanf(e.name, "%d-%d", &writer, &i), 2);
		ck_assert_int_eq(i, next[writer]++);
		ck_assert_int_ge(e.time_ns, last);
		last = e.time_ns;
	}
}

START_TEST(many_writers_and_a_new_file)
{
	struct csn_event e = CSN_EVENT_INIT;
	struct stat old;
	struct csn_events *along = open_events(0, true);
	pid_t pids[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0)
			write_many(i);
	}
	read_many(along);
	for (int i = 0; i < WRITERS; i++) {
		int status = -1;
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(csn_events_next(along, 0, &e, &err), -EAGAIN);

	auto_fd dir = open(run_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(fstatat(dir, "events.1", &old, 0), 0);
	ck_assert_int_ge(old.st_size, JOURNAL_MAX);
	struct csn_events *afterwards = open_events(1, false);
	read_many(afterwards);
	ck_assert_int_eq(csn_events_next(afterwards, -1, &e, &err), 0);
	csn_events_close(along);
	csn_events_close(afterwards);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("events");
	TCase *tests = tcase_create("journal");
	tcase_add_checked_fixture(tests, open_world, close_world);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, from_now_on_or_from_the_beginning);
	tcase_add_test(tests, what_is_no_event_is_passed_over);
	tcase_add_test(tests, a_journal_that_is_no_file_is_refused);
	tcase_add_test(tests, many_writers_and_a_new_file);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
