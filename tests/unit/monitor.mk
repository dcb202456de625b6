# unit tests of monitor
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_monitor
TESTS += tests/unit/test_monitor
tests_unit_test_monitor_SOURCES = tests/unit/test_monitor.c
tests_unit_test_monitor_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_monitor_LDADD = lib/monitor/libmonitor.la lib/monitor/librecords.la \
	lib/host/libhost.la lib/init/libinit.la lib/state/libstate.la lib/spec/libspec.la \
	cgroups/libcgroups.la netns/libnetmove.la lib/base/libbase.la $(CHECK_LIBS) $(SECCOMP_LIBS) $(JANSSON_LIBS)

# The log's writer and its reader.
check_PROGRAMS += tests/unit/test_rotation
TESTS += tests/unit/test_rotation
tests_unit_test_rotation_SOURCES = tests/unit/test_rotation.c
tests_unit_test_rotation_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_rotation_LDADD = lib/runtime/libruntime.la lib/monitor/libmonitor.la $(CHECK_LIBS)
endif
