# unit tests of base
if HAVE_CHECK
WRAP_ALLOC = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc

check_PROGRAMS += tests/unit/test_json tests/unit/test_names
TESTS += tests/unit/test_json tests/unit/test_names
tests_unit_test_json_SOURCES = tests/unit/test_json.c tests/unit/alloc_fail.c \
	tests/unit/alloc_fail.h
tests_unit_test_json_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_json_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)
tests_unit_test_json_LDADD = lib/base/libbase.la $(CHECK_LIBS) $(JANSSON_LIBS)

tests_unit_test_names_SOURCES = tests/unit/test_names.c
tests_unit_test_names_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LIBCAP_CFLAGS)
tests_unit_test_names_LDADD = lib/base/libbase.la $(CHECK_LIBS) $(LIBCAP_LIBS)
endif
