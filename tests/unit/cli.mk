# unit tests of cli
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_opts
TESTS += tests/unit/test_opts

tests_unit_test_opts_SOURCES = tests/unit/test_opts.c bin/opts.c bin/opts.h
tests_unit_test_opts_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_opts_LDADD = lib/base/libbase.la $(CHECK_LIBS) $(JANSSON_LIBS)
endif
