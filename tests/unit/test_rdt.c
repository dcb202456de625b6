/*
 * lib/host/rdt.c against a directory that behaves as resctrl does: a group comes and goes with its
 * files (mkdirat and rmdir are wrapped for that), nothing else is pretended. Hardly any machine
 * that runs tests has the real one.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "host/rdt.h"

static struct csn_error err;
static char root[64];
static bool refuse_monitor;

static void make_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

int __real_mkdirat(int dir, const char *path, mode_t mode);
int __wrap_mkdirat(int dir, const char *path, mode_t mode);

/* What the kernel does at mkdir in resctrl. */
static void populate(const char *group)
{
	char path[256];
	make_file(group, "tasks", "");
	if (strstr(group, "mon_groups"))
		return;
	make_file(group, "schemata", "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n");
	(void)snprintf(path, sizeof path, "%s/mon_groups", group);
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

int __wrap_mkdirat(int dir, const char *path, mode_t mode)
{
	if (refuse_monitor && strstr(path, "mon_groups")) {
		errno = ENOSPC;
		return -1;
	}
	int r = __real_mkdirat(dir, path, mode);
	if (r == 0)
		populate(path);
	return r;
}

static void setup(void)
{
	memset(&err, 0, sizeof err);
	refuse_monitor = false;
	(void)snprintf(root, sizeof root, "/tmp/csn-rdt-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	populate(root);
}

static void teardown(void)
{
	ck_assert_int_eq(remove_tree(AT_FDCWD, root, NULL), 0);
}

static bool exists(const char *name)
{
	char path[256];
	(void)snprintf(path, sizeof path, "%s/%s", root, name);
	return access(path, F_OK) == 0;
}

static void file_is(const char *name, const char *want)
{
	char path[256];
	auto_mem char *text = NULL;
	size_t size;
	(void)snprintf(path, sizeof path, "%s/%s", root, name);
	ck_assert_int_eq(file_read(AT_FDCWD, path, 4096, &text, &size, NULL), 0);
	ck_assert_str_eq(text, want);
}

int __real_rmdir(const char *path);
int __wrap_rmdir(const char *path);

int __wrap_rmdir(const char *path)
{
	char name[256];
	static const char *const files[] = { "tasks", "schemata" };
	for (size_t i = 0; i < COUNT(files); i++) {
		(void)snprintf(name, sizeof name, "%s/%s", path, files[i]);
		(void)unlink(name);
	}
	(void)snprintf(name, sizeof name, "%s/mon_groups", path);
	(void)__real_rmdir(name);
	return __real_rmdir(path);
}

static struct rdt planned(const struct spec_intel_rdt *r)
{
	struct rdt rdt = { 0 };
	ck_assert_msg(rdt_plan(root, r, "box", &rdt, &err) == 0, "%s", err.text);
	return rdt;
}

static int make(const struct rdt *rdt, const struct spec_intel_rdt *r, bool *made)
{
	return rdt_make(rdt, r, made, &err);
}

START_TEST(test_group_of_the_container)
{
	const struct spec_intel_rdt r = { .set = true, .enable_monitoring = true };
	struct rdt rdt AUTO(rdt_done) = planned(&r);
	bool made;
	ck_assert(rdt.own_group);
	ck_assert_msg(make(&rdt, &r, &made) == 0, "%s", err.text);
	ck_assert(made && exists("box/mon_groups/box"));
	file_is("box/schemata", "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n"); /* not written */

	ck_assert_int_eq(rdt_enter(&rdt, 4711, &err), 0);
	file_is("box/tasks", "4711");
	file_is("box/mon_groups/box/tasks", "4711");

	ck_assert_int_eq(rdt_remove(rdt.group, rdt.monitor, &err), 0);
	ck_assert(!exists("box"));
	ck_assert_int_eq(rdt_remove(rdt.group, rdt.monitor, &err), 0); /* once more: no error */
}
END_TEST

/* The kernel takes a line a write; of a plain file the last write at offset 0 stays. */
START_TEST(test_order_of_schemas)
{
	char *more[] = { (char[]){ "L2:0=f" }, NULL };
	const struct spec_intel_rdt r = { .set = true,
					  .clos_id = (char[]){ "gold" },
					  .l3_cache_schema = (char[]){ "L3:0=f0" },
					  .mem_bw_schema = (char[]){ "MB:0=70" },
					  .schemata = { more, 1, true } };
	struct rdt rdt AUTO(rdt_done) = planned(&r);
	bool made;
	ck_assert(!rdt.own_group);
	ck_assert_msg(make(&rdt, &r, &made) == 0, "%s", err.text);
	ck_assert(made);
	/* "L3:0=f0\n" then "MB:0=70\n" then "L2:0=f\n" over it, of 8, 8 and 7 bytes. */
	char path[256], text[16] = "";
	(void)snprintf(path, sizeof path, "%s/gold/schemata", root);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(read(fd, text, 8), 7);
	ck_assert_int_eq(memcmp(text, "L2:0=f\n", 7), 0);
}
END_TEST

START_TEST(test_group_that_is_there)
{
	static const struct {
		const char *l3;
		bool fits;
	} cases[] = {
		{ "L3:0=fffff", true },		{ "L3:0=000FFFFF", true },
		{ "L3:1=fffff;0=fffff", true }, { "L3:0=ffff", false },
		{ "L3:2=fffff", false },	{ "L2:0=fffff", false },
		{ "L3:0=fffff;1=f", false },	{ "nonsense", false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char l3[64];
		(void)snprintf(l3, sizeof l3, "%s", cases[i].l3);
		struct spec_intel_rdt r = { .set = true, .l3_cache_schema = l3 };
		r.clos_id = (char[]){ "/" };
		struct rdt rdt AUTO(rdt_done) = planned(&r);
		bool made = true;
		int e = make(&rdt, &r, &made);
		ck_assert_msg(e == (cases[i].fits ? 0 : -EEXIST), "%s: %d", cases[i].l3, e);
		ck_assert(!made);
	}
	file_is("schemata", "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n");
	ck_assert_str_eq(err.text,
			 "linux.intelRdt: the group \"/\" exists and differs from \"nonsense\"");
}
END_TEST

START_TEST(test_clos_alone_must_exist)
{
	struct spec_intel_rdt r = { .set = true };
	r.clos_id = (char[]){ "silver" };
	struct rdt rdt AUTO(rdt_done) = planned(&r);
	bool made;
	ck_assert_int_eq(make(&rdt, &r, &made), -ENOENT);
	ck_assert_str_eq(err.text, "linux.intelRdt.closID: there is no group \"silver\", and no "
				   "schema to make it with");
	ck_assert(!exists("silver"));

	ck_assert_int_eq(__wrap_mkdirat(AT_FDCWD, rdt.group, 0755), 0);
	ck_assert_int_eq(make(&rdt, &r, &made), 0);
	ck_assert(!made);
	ck_assert_int_eq(rdt_enter(&rdt, 12, &err), 0);
	file_is("silver/tasks", "12");
}
END_TEST

START_TEST(test_monitoring_that_is_refused_undoes_the_group)
{
	const struct spec_intel_rdt r = { .set = true, .enable_monitoring = true };
	struct rdt rdt AUTO(rdt_done) = planned(&r);
	bool made;
	refuse_monitor = true;
	ck_assert_int_eq(make(&rdt, &r, &made), -ENOSPC);
	ck_assert(!made && !exists("box"));
	ck_assert_ptr_nonnull(strstr(err.text, "linux.intelRdt.enableMonitoring: make "));
}
END_TEST

/* A plain file keeps what was written last, over the beginning of what it held. */
START_TEST(test_schemas_change_and_come_back)
{
	char group[128], path[160];
	auto_mem char *before = NULL;
	auto_mem char *text = NULL;
	size_t size;
	char l3[] = "L3:0=f", mb[] = "MB:0=50";
	const struct spec_intel_rdt r = { .l3_cache_schema = l3, .mem_bw_schema = mb };
	(void)snprintf(group, sizeof group, "%s/own", root);
	(void)snprintf(path, sizeof path, "%s/schemata", group);
	ck_assert_int_eq(__wrap_mkdirat(AT_FDCWD, group, 0755), 0);
	ck_assert_int_eq(rdt_change(group, &r, &before, &err), 0);
	ck_assert_str_eq(before, "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n");
	ck_assert_int_eq(file_read(AT_FDCWD, path, 1000, &text, &size, &err), 0);
	ck_assert_int_eq(strncmp(text, "MB:0=50\n", 8), 0);

	rdt_restore(group, before);
	free(text);
	ck_assert_int_eq(file_read(AT_FDCWD, path, 1000, &text, &size, &err), 0);
	ck_assert_int_eq(strncmp(text, "MB:0=100;1=100\n", 15), 0);

	auto_mem char *none = NULL;
	(void)snprintf(group, sizeof group, "%s/gone", root);
	ck_assert_int_eq(rdt_change(group, &r, &none, &err), -ENOENT);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(test_root_is_told_when_missing)
{
	auto_mem char *found = NULL;
	if (access("/sys/fs/resctrl/schemata", F_OK) == 0)
		return; /* the real thing */
	ck_assert_int_eq(rdt_root(&found, &err), -EOPNOTSUPP);
	ck_assert_str_eq(err.text, "linux.intelRdt: resctrl is not mounted on this host");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rdt");
	TCase *t = tcase_create("rdt");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_group_of_the_container);
	tcase_add_test(t, test_order_of_schemas);
	tcase_add_test(t, test_group_that_is_there);
	tcase_add_test(t, test_clos_alone_must_exist);
	tcase_add_test(t, test_monitoring_that_is_refused_undoes_the_group);
	tcase_add_test(t, test_schemas_change_and_come_back);
	tcase_add_test(t, test_root_is_told_when_missing);
	suite_add_tcase(s, t);

	SRunner *runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
