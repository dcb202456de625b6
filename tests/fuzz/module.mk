# Fuzz targets. Each is replayed over its seeds in `make check`; with --enable-fuzz (clang) it is also
# built as a libFuzzer program:
#
#	tests/fuzz/fuzz_config -max_total_time=600 CORPUS tests/fuzz/config
#
# What it finds goes to tests/fuzz/TARGET/ once it is understood.
check_PROGRAMS += tests/fuzz/replay_config
TESTS += tests/fuzz/config_seeds
EXTRA_DIST += tests/fuzz/config tests/fuzz/config_seeds
FUZZ_CONFIG_LIBS = lib/spec/libspec.la lib/base/libbase.la $(JANSSON_LIBS)

tests_fuzz_replay_config_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_config.c tests/fuzz/fuzz.h
tests_fuzz_replay_config_LDADD = $(FUZZ_CONFIG_LIBS)

if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_config
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_config_LDADD = $(FUZZ_CONFIG_LIBS)
endif

include tests/fuzz/image.mk
