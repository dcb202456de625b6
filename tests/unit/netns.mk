# unit tests of netns/: as root, in network namespaces that the tests make
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_netns
TESTS += tests/unit/test_netns
tests_unit_test_netns_SOURCES = tests/unit/test_netns.c
tests_unit_test_netns_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_netns_LDADD = netns/libnetns.la lib/base/libbase.la $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_network
TESTS += tests/unit/test_network
tests_unit_test_network_SOURCES = tests/unit/test_network.c
tests_unit_test_network_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_network_LDADD = netns/libnetns.la lib/base/libbase.la $(CHECK_LIBS) $(JANSSON_LIBS)
endif
