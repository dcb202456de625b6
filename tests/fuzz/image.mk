# Fuzz targets of images and registries.
image_fuzz_libs = lib/image/libimage.la lib/base/libbase.la $(ARCHIVE_LIBS) $(CRYPTO_LIBS) \
	$(CURL_LIBS) $(JANSSON_LIBS) -lz -lzstd $(ISAL_LIBS)

check_PROGRAMS += tests/fuzz/replay_image_reference
tests_fuzz_replay_image_reference_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_image_reference.c tests/fuzz/fuzz.h
tests_fuzz_replay_image_reference_LDADD = $(image_fuzz_libs)
EXTRA_DIST += tests/fuzz/image_reference
if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_image_reference
tests_fuzz_fuzz_image_reference_SOURCES = tests/fuzz/fuzz_image_reference.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_image_reference_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_image_reference_LDADD = $(image_fuzz_libs)
endif

check_PROGRAMS += tests/fuzz/replay_image_manifest
tests_fuzz_replay_image_manifest_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_image_manifest.c tests/fuzz/fuzz.h
tests_fuzz_replay_image_manifest_LDADD = $(image_fuzz_libs)
EXTRA_DIST += tests/fuzz/image_manifest
if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_image_manifest
tests_fuzz_fuzz_image_manifest_SOURCES = tests/fuzz/fuzz_image_manifest.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_image_manifest_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_image_manifest_LDADD = $(image_fuzz_libs)
endif

check_PROGRAMS += tests/fuzz/replay_image_index
tests_fuzz_replay_image_index_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_image_index.c tests/fuzz/fuzz.h
tests_fuzz_replay_image_index_LDADD = $(image_fuzz_libs)
EXTRA_DIST += tests/fuzz/image_index
if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_image_index
tests_fuzz_fuzz_image_index_SOURCES = tests/fuzz/fuzz_image_index.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_image_index_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_image_index_LDADD = $(image_fuzz_libs)
endif

check_PROGRAMS += tests/fuzz/replay_image_config
tests_fuzz_replay_image_config_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_image_config.c tests/fuzz/fuzz.h
tests_fuzz_replay_image_config_LDADD = $(image_fuzz_libs)
EXTRA_DIST += tests/fuzz/image_config
if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_image_config
tests_fuzz_fuzz_image_config_SOURCES = tests/fuzz/fuzz_image_config.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_image_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_image_config_LDADD = $(image_fuzz_libs)
endif

check_PROGRAMS += tests/fuzz/replay_www_authenticate
tests_fuzz_replay_www_authenticate_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_www_authenticate.c tests/fuzz/fuzz.h
tests_fuzz_replay_www_authenticate_LDADD = $(image_fuzz_libs)
EXTRA_DIST += tests/fuzz/www_authenticate
if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_www_authenticate
tests_fuzz_fuzz_www_authenticate_SOURCES = tests/fuzz/fuzz_www_authenticate.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_www_authenticate_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_www_authenticate_LDADD = $(image_fuzz_libs)
endif

check_PROGRAMS += tests/fuzz/replay_registries_conf
tests_fuzz_replay_registries_conf_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_registries_conf.c tests/fuzz/fuzz.h
tests_fuzz_replay_registries_conf_LDADD = $(image_fuzz_libs)
EXTRA_DIST += tests/fuzz/registries_conf
if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_registries_conf
tests_fuzz_fuzz_registries_conf_SOURCES = tests/fuzz/fuzz_registries_conf.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_registries_conf_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_registries_conf_LDADD = $(image_fuzz_libs)
endif

check_PROGRAMS += tests/fuzz/replay_layer
tests_fuzz_replay_layer_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_layer.c tests/fuzz/fuzz.h
tests_fuzz_replay_layer_LDADD = $(image_fuzz_libs)
EXTRA_DIST += tests/fuzz/layer
if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_layer
tests_fuzz_fuzz_layer_SOURCES = tests/fuzz/fuzz_layer.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_layer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_layer_LDADD = $(image_fuzz_libs)
endif

TESTS += tests/fuzz/image_seeds
EXTRA_DIST += tests/fuzz/image_seeds
