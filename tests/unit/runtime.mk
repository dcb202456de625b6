# unit tests of lib/runtime, and the public header as others see it
check_PROGRAMS += tests/unit/header_c
TESTS += tests/unit/header_c
tests_unit_header_c_SOURCES = tests/unit/header_c.c
tests_unit_header_c_CFLAGS = -std=c99 -pedantic -Wall -Wextra -Werror
tests_unit_header_c_LDADD = lib/libcaisson.la

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_events
TESTS += tests/unit/test_events
tests_unit_test_events_SOURCES = tests/unit/test_events.c
tests_unit_test_events_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_events_LDADD = lib/runtime/libruntime.la $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_runtime tests/unit/test_runtime_streams
TESTS += tests/unit/test_runtime tests/unit/test_runtime_streams
tests_unit_test_runtime_SOURCES = tests/unit/test_runtime.c
tests_unit_test_runtime_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_runtime_LDADD = lib/runtime/libruntime.la $(CHECK_LIBS)
tests_unit_test_runtime_streams_SOURCES = tests/unit/test_runtime_streams.c
tests_unit_test_runtime_streams_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_runtime_streams_LDADD = lib/runtime/libruntime.la $(CHECK_LIBS)
endif
