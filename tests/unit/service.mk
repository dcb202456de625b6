# unit tests of lib/service
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_service
TESTS += tests/unit/test_service
tests_unit_test_service_SOURCES = tests/unit/test_service.c
tests_unit_test_service_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_service_LDADD = lib/service/libservice.la lib/spec/libspec.la lib/base/libbase.la \
	$(CHECK_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += tests/unit/test_deployment
TESTS += tests/unit/test_deployment
tests_unit_test_deployment_SOURCES = tests/unit/test_deployment.c
tests_unit_test_deployment_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_deployment_LDADD = lib/agent/libagent.la lib/base/libyamljson.la \
	lib/runtime/libruntime.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_health
TESTS += tests/unit/test_health
tests_unit_test_health_SOURCES = tests/unit/test_health.c
tests_unit_test_health_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_health_LDADD = lib/agent/libagent.la lib/base/libyamljson.la \
	lib/runtime/libruntime.la $(CHECK_LIBS)
endif
