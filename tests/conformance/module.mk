# Conformance with the OCI runtime specification: each requirement with its number.
#
#	make conformance         runs them here and writes tests/conformance/STATUS.md
conformance_tests = \
	tests/conformance/config.sh \
	tests/conformance/features.sh \
	tests/conformance/linux.sh \
	tests/conformance/resources.sh \
	tests/conformance/runtime.sh

TESTS += $(conformance_tests)
EXTRA_DIST += $(conformance_tests) tests/conformance/lib.sh tests/conformance/musts \
	tests/conformance/STATUS.md tests/conformance/status
check_PROGRAMS += tests/conformance/agent
tests_conformance_agent_SOURCES = tests/conformance/agent.c

.PHONY: conformance
conformance: all tests/conformance/agent
	BUILD=$(abs_builddir) $(srcdir)/tests/conformance/status
