# Integration tests: how to write one is told in lib.sh.
integration_tests = \
	tests/integration/framework_selftest.sh

TESTS += $(integration_tests)
EXTRA_DIST += $(integration_tests) tests/integration/lib.sh tests/integration/run \
	tests/integration/snapshot.sh

.PHONY: check-integration
check-integration: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(integration_tests)'
