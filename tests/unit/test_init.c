/*
 * The child side's own parts that need no namespaces: paths inside a root, and the step table.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/child.h"

static char base[] = "/tmp/csn-test-init-XXXXXX";
static struct child child;

static void at(char *buf, const char *path)
{
	(void)snprintf(buf, PATH_MAX, "%s/%s", base, path);
}

static void make_dir(const char *path)
{
	char full[PATH_MAX];
	at(full, path);
	ck_assert_int_eq(mkdir(full, 0755), 0);
}

static void make_link(const char *target, const char *path)
{
	char full[PATH_MAX];
	at(full, path);
	ck_assert_int_eq(symlink(target, full), 0);
}

static bool exists(const char *path)
{
	char full[PATH_MAX];
	struct stat st;
	at(full, path);
	return lstat(full, &st) == 0;
}

static void setup(void)
{
	strcpy(base + sizeof base - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	make_dir("root");
	make_dir("canary");
	char full[PATH_MAX];
	at(full, "root");
	memset(&child, 0, sizeof child);
	child.root = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(child.root, 0);
}

static void teardown(void)
{
	char command[PATH_MAX + 16];
	close_fd(&child.root);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", base);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(makes_what_is_missing)
{
	auto_fd fd = inroot_make(&child, "/a/b/c", 0);
	ck_assert_int_ge(fd, 0);
	ck_assert(exists("root/a/b/c"));

	auto_fd file = inroot_make(&child, "/a/x/file", INROOT_FILE);
	struct stat st;
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(fstat(file, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
}
END_TEST

START_TEST(symlinks_mean_what_they_mean_inside)
{
	make_link("/inside", "root/absolute");
	make_link("../../../../canary", "root/relative");
	make_dir("root/inside");

	auto_fd fd = inroot_make(&child, "/absolute/new", 0);
	ck_assert_int_ge(fd, 0);
	ck_assert(exists("root/inside/new"));

	/* ".." stops at the root: the link means <root>/canary, which does not exist. */
	ck_assert_int_lt(inroot_make(&child, "/relative/new", 0), 0);
	ck_assert(!exists("canary/new"));
}
END_TEST

START_TEST(nofollow_refuses_any_symlink)
{
	make_dir("root/real");
	make_link("real", "root/proc");
	ck_assert_int_eq(inroot_make(&child, "/proc", INROOT_NOFOLLOW), -ELOOP);
	ck_assert_int_eq(inroot_make(&child, "/proc/x", INROOT_NOFOLLOW), -ELOOP);
	ck_assert(!exists("root/real/x"));
}
END_TEST

START_TEST(loops_and_files_in_the_way)
{
	make_link("b", "root/a");
	make_link("a", "root/b");
	ck_assert_int_eq(inroot_make(&child, "/a/x", 0), -ELOOP);

	auto_fd file = inroot_make(&child, "/plain", INROOT_FILE);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(inroot_make(&child, "/plain/x", 0), -ENOTDIR);
}
END_TEST

START_TEST(parent_gives_the_last_part)
{
	const char *name = NULL;
	auto_fd fd = inroot_parent(&child, "/dev/net/tun", &name);
	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(name, "tun");
	ck_assert(exists("root/dev/net"));

	auto_fd top = inroot_parent(&child, "/null", &name);
	ck_assert_int_ge(top, 0);
	ck_assert_str_eq(name, "null");
	ck_assert_int_eq(inroot_parent(&child, "/dev/", &name), -EINVAL);
}
END_TEST

START_TEST(every_step_has_a_name)
{
	ck_assert_str_eq(init_step_name(0), "prepare");
	ck_assert_str_eq(init_step_name(100000), "init");
}
END_TEST

START_TEST(report_cuts_long_paths)
{
	char longer[400];
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	ck_assert_int_eq(report_at(&child, SYNC_DETAIL_PATH, 3, longer, -ENOENT), -ENOENT);
	ck_assert_uint_eq(child.report.index, 3);
	ck_assert_uint_eq(strlen(child.report.path), sizeof child.report.path - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("init");
	TCase *paths = tcase_create("paths");
	tcase_add_checked_fixture(paths, setup, teardown);
	tcase_add_test(paths, makes_what_is_missing);
	tcase_add_test(paths, symlinks_mean_what_they_mean_inside);
	tcase_add_test(paths, nofollow_refuses_any_symlink);
	tcase_add_test(paths, loops_and_files_in_the_way);
	tcase_add_test(paths, parent_gives_the_last_part);
	tcase_add_test(paths, report_cuts_long_paths);
	suite_add_tcase(suite, paths);
	TCase *table = tcase_create("table");
	tcase_add_test(table, every_step_has_a_name);
	suite_add_tcase(suite, table);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
