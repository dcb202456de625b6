# Lints: each is a program that prints what is wrong and where, and fails.
lints =

TESTS += $(lints)
EXTRA_DIST += $(lints)

.PHONY: lint
lint: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(lints)'
