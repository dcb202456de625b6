# unit tests of netns/: as root, in network namespaces that the tests make
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_netns
TESTS += tests/unit/test_netns
tests_unit_test_netns_SOURCES = tests/unit/test_netns.c
tests_unit_test_netns_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_netns_LDADD = netns/libnetns.la lib/base/libbase.la $(CHECK_LIBS)
endif
