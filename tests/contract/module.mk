# The contract of the Runtime interface, run on the mock here and on real containers by
# tests/integration/contract_native.sh.
EXTRA_DIST += tests/contract/WEAK_POINTS.md
if HAVE_CHECK
check_PROGRAMS += tests/contract/test_contract
TESTS += tests/contract/test_contract
tests_contract_test_contract_SOURCES = \
	tests/contract/contract.h \
	tests/contract/defaults.c \
	tests/contract/inside.c \
	tests/contract/life.c \
	tests/contract/main.c \
	tests/contract/output.c \
	tests/contract/reach.c \
	tests/contract/real.c \
	tests/contract/threads.c \
	tests/contract/types.c
tests_contract_test_contract_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -pthread
tests_contract_test_contract_LDADD = lib/libcaisson.la $(CHECK_LIBS) -lm
endif
