# unit tests of lib/init
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_init
TESTS += tests/unit/test_init
tests_unit_test_init_SOURCES = tests/unit/test_init.c
tests_unit_test_init_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_init_LDADD = lib/init/libinit.la $(CHECK_LIBS)
endif
