# unit tests of spec, and the data cases they read
EXTRA_DIST += tests/spec
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_spec tests/unit/test_spec_fields tests/unit/test_spec_tables
TESTS += tests/unit/test_spec tests/unit/test_spec_fields tests/unit/test_spec_tables
tests_unit_test_spec_SOURCES = tests/unit/test_spec.c tests/unit/alloc_fail.c \
	tests/unit/alloc_fail.h
tests_unit_test_spec_CPPFLAGS = $(AM_CPPFLAGS) -DSRCDIR='"$(abs_srcdir)"'
tests_unit_test_spec_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_spec_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)
tests_unit_test_spec_LDADD = lib/spec/libspec.la lib/base/libbase.la $(CHECK_LIBS) \
	$(JANSSON_LIBS)

tests_unit_test_spec_tables_SOURCES = tests/unit/test_spec_tables.c
tests_unit_test_spec_tables_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_spec_tables_LDADD = lib/spec/libspec.la lib/base/libbase.la $(CHECK_LIBS) \
	$(JANSSON_LIBS)

tests_unit_test_spec_fields_SOURCES = tests/unit/test_spec_fields.c
tests_unit_test_spec_fields_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_spec_fields_LDADD = lib/spec/libspec.la lib/base/libbase.la $(CHECK_LIBS) \
	$(JANSSON_LIBS)
endif
