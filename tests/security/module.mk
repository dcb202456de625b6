# What hostile containers try, row by row of a catalogue.
#
#	make check-security			every row: green
#	tests/security/red [ROW...]		every row on a copy of the sources weakened for it: red
#	BUILD=… tests/security/status		both, into tests/security/STATUS.md
security_tests = \
	tests/security/a_paths.sh \
	tests/security/b_runtime.sh \
	tests/security/c_users.sh \
	tests/security/d_kernel.sh \
	tests/security/i_surface.sh
EXTRA_DIST += $(security_tests) tests/security/lib.sh tests/security/red \
	tests/security/refused-calls.x86_64 tests/security/status tests/security/STATUS.md

# Static, because it runs in a busybox container; so never with a sanitizer.
check_PROGRAMS += tests/security/hostile
tests_security_hostile_SOURCES = tests/security/hostile.c
tests_security_hostile_CFLAGS = -std=gnu17 -O2 -Wall -Wextra -fno-sanitize=all
tests_security_hostile_LDFLAGS = -all-static -fno-sanitize=all

.PHONY: check-security
check-security: all tests/security/hostile
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(security_tests)'
