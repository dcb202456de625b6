# unit tests of host
if HAVE_CHECK
HOST_TESTS = tests/unit/test_plan tests/unit/test_plan_mounts tests/unit/test_plan_seccomp \
	tests/unit/test_rdt tests/unit/test_resources tests/unit/test_scope
HOST_TEST_LIBS = lib/host/libhost.la lib/init/libinit.la lib/state/libstate.la \
	lib/spec/libspec.la cgroups/libcgroups.la netns/libnetmove.la lib/base/libbase.la \
	$(CHECK_LIBS) $(SECCOMP_LIBS) $(LIBCAP_LIBS) $(JANSSON_LIBS)
check_PROGRAMS += $(HOST_TESTS)
TESTS += $(HOST_TESTS)

tests_unit_test_plan_SOURCES = tests/unit/test_plan.c tests/unit/plan_fixture.c \
	tests/unit/plan_fixture.h
tests_unit_test_plan_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_plan_LDADD = $(HOST_TEST_LIBS)

tests_unit_test_plan_mounts_SOURCES = tests/unit/test_plan_mounts.c tests/unit/plan_fixture.c \
	tests/unit/plan_fixture.h
tests_unit_test_plan_mounts_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_plan_mounts_LDADD = $(HOST_TEST_LIBS)

tests_unit_test_plan_seccomp_SOURCES = tests/unit/test_plan_seccomp.c tests/unit/plan_fixture.c \
	tests/unit/plan_fixture.h
tests_unit_test_plan_seccomp_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_plan_seccomp_LDADD = lib/service/libservice.la $(HOST_TEST_LIBS)

tests_unit_test_rdt_SOURCES = tests/unit/test_rdt.c
tests_unit_test_rdt_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_rdt_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=mkdirat -Wl,--wrap=rmdir
tests_unit_test_rdt_LDADD = $(HOST_TEST_LIBS)

tests_unit_test_resources_SOURCES = tests/unit/test_resources.c
tests_unit_test_resources_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_resources_LDADD = $(HOST_TEST_LIBS)

tests_unit_test_scope_SOURCES = tests/unit/test_scope.c
tests_unit_test_scope_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_scope_LDADD = $(HOST_TEST_LIBS)
endif
