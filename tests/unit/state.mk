# unit tests of state and of base's files, paths and times
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_state
TESTS += tests/unit/test_state
tests_unit_test_state_SOURCES = tests/unit/test_state.c
tests_unit_test_state_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_state_LDADD = lib/state/libstate.la lib/spec/libspec.la lib/base/libbase.la \
	$(CHECK_LIBS) $(JANSSON_LIBS)
endif
