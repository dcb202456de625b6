# Programs disturbed at their N-th system call: killed there, or the call fails.
#
#	make check-fault			a sample of the calls
#	CSN_FAULT_FULL=1 make check-fault	every call
fault_tests = \
	tests/fault/damaged.sh \
	tests/fault/oci_core.sh
EXTRA_DIST += $(fault_tests) tests/fault/lib.sh

check_PROGRAMS += tests/fault/fault
tests_fault_fault_SOURCES = tests/fault/fault.c

.PHONY: check-fault
check-fault: all tests/fault/fault
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(fault_tests)'
