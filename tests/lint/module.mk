# Lints: each is a program that prints what is wrong and where, and fails. selftest shows each of
# them a violation.
lints = \
	tests/lint/child-symbols \
	tests/lint/cloexec \
	tests/lint/dist \
	tests/lint/exports \
	tests/lint/format \
	tests/lint/headers \
	tests/lint/layers \
	tests/lint/man \
	tests/lint/selftest \
	tests/lint/size \
	tests/lint/words

TESTS += $(lints)
EXTRA_DIST += $(lints) tests/lint/lib.sh

.PHONY: lint
lint: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(lints)'
