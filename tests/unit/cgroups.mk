# unit tests of cgroups: on made-up files, and (as root) on groups of their own in the real cgroup2
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_cgroups tests/unit/test_cgroups_live
TESTS += tests/unit/test_cgroups tests/unit/test_cgroups_live
tests_unit_test_cgroups_SOURCES = tests/unit/test_cgroups.c
tests_unit_test_cgroups_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_cgroups_LDADD = cgroups/libcgroups.la lib/base/libbase.la $(CHECK_LIBS)

tests_unit_test_cgroups_live_SOURCES = tests/unit/test_cgroups_live.c
tests_unit_test_cgroups_live_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_cgroups_live_LDADD = cgroups/libcgroups.la lib/base/libbase.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_stats
TESTS += tests/unit/test_stats
tests_unit_test_stats_SOURCES = tests/unit/test_stats.c
tests_unit_test_stats_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_stats_LDADD = cgroups/libcgroups.la lib/base/libbase.la $(CHECK_LIBS)
endif
