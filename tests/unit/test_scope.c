/* Names of systemd's scopes: from cgroupsPath, and where systemd puts them. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/manager.h"

static struct csn_error err;

static const struct {
	const char *asked, *slice, *unit, *path;
} good[] = {
	{ NULL, "system.slice", "caisson-id.scope", "/system.slice/caisson-id.scope" },
	{ "", "system.slice", "caisson-id.scope", "/system.slice/caisson-id.scope" },
	{ "machine.slice:libpod:abc", "machine.slice", "libpod-abc.scope",
	  "/machine.slice/libpod-abc.scope" },
	{ "a-b-c.slice:p:n", "a-b-c.slice", "p-n.scope",
	  "/a.slice/a-b.slice/a-b-c.slice/p-n.scope" },
	{ ":p:n", "system.slice", "p-n.scope", "/system.slice/p-n.scope" },
	{ "x.slice::n", "x.slice", "n.scope", "/x.slice/n.scope" },
	{ "x.slice:p:", "x.slice", "p-id.scope", "/x.slice/p-id.scope" },
	{ "-.slice:p:n", "-.slice", "p-n.scope", "/p-n.scope" },
};
START_TEST(names)
{
	struct scope_name name;
	ck_assert_int_eq(scope_name(good[_i].asked, "id", &name, &err), 0);
	ck_assert_str_eq(name.slice, good[_i].slice);
	ck_assert_str_eq(name.unit, good[_i].unit);
	char *path = scope_path(&name);
	ck_assert_str_eq(path, good[_i].path);
	free(path);
}
END_TEST

static const struct {
	const char *asked, *says;
} bad[] = {
	{ "/a/b", "expected slice:prefix:name, not \"/a/b\"" },
	{ "a.slice", "expected slice:prefix:name, not \"a.slice\"" },
	{ "a.slice:b", "expected slice:prefix:name, not \"a.slice:b\"" },
	{ "a.slice:b:c:d", "expected slice:prefix:name, not \"a.slice:b:c:d\"" },
	{ "a.slice:b:../c", "expected slice:prefix:name, not \"a.slice:b:../c\"" },
	{ "a:b:c", "\"a\" is no slice: it must end in \".slice\"" },
	{ ".slice:b:c", "\".slice\" is no slice: it must end in \".slice\"" },
};
START_TEST(refused)
{
	struct scope_name name;
	ck_assert_int_eq(scope_name(bad[_i].asked, "id", &name, &err), -EINVAL);
	ck_assert_str_eq(err.text + strlen("linux.cgroupsPath: "), bad[_i].says);
}
END_TEST

START_TEST(long_names)
{
	struct scope_name name;
	char asked[2048];
	memset(asked, 'x', sizeof asked);
	strcpy(asked + 1000, ".slice:b:c");
	ck_assert_int_eq(scope_name(asked, "id", &name, &err), -ENAMETOOLONG);
	/* Each dash repeats all that is before it. */
	for (size_t i = 0; i < 120; i += 2) {
		asked[i] = 'x';
		asked[i + 1] = '-';
	}
	strcpy(asked + 120, "y.slice:b:c");
	ck_assert_int_eq(scope_name(asked, "id", &name, &err), 0);
	ck_assert_ptr_null(scope_path(&name));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scope");
	TCase *all = tcase_create("scope");
	tcase_add_loop_test(all, names, 0, sizeof good / sizeof good[0]);
	tcase_add_loop_test(all, refused, 0, sizeof bad / sizeof bad[0]);
	tcase_add_test(all, long_names);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
