# unit tests of image
image_test_libs = lib/image/libimage.la lib/base/libbase.la $(ARCHIVE_LIBS) $(CRYPTO_LIBS) $(CURL_LIBS) \
	$(JANSSON_LIBS) -lz -lzstd $(ISAL_LIBS) $(CHECK_LIBS)
image_test_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS) $(ARCHIVE_CFLAGS) -pthread

check_PROGRAMS += tests/unit/test_image tests/unit/test_image_unpack tests/unit/test_image_stream \
	tests/unit/test_image_load tests/unit/image_treesum
TESTS += tests/unit/test_image tests/unit/test_image_unpack tests/unit/test_image_stream \
	tests/unit/test_image_load

tests_unit_test_image_SOURCES = tests/unit/test_image.c
tests_unit_test_image_CFLAGS = $(image_test_cflags)
tests_unit_test_image_LDADD = $(image_test_libs)

tests_unit_test_image_unpack_SOURCES = tests/unit/test_image_unpack.c \
	tests/unit/unpack_harness.c tests/unit/unpack_harness.h \
	tests/unit/tar_build.c tests/unit/tar_build.h
tests_unit_test_image_unpack_CFLAGS = $(image_test_cflags)
tests_unit_test_image_unpack_LDADD = $(image_test_libs)

tests_unit_test_image_stream_SOURCES = tests/unit/test_image_stream.c \
	tests/unit/unpack_harness.c tests/unit/unpack_harness.h \
	tests/unit/tar_build.c tests/unit/tar_build.h
tests_unit_test_image_stream_CFLAGS = $(image_test_cflags)
tests_unit_test_image_stream_LDADD = $(image_test_libs)

tests_unit_test_image_load_SOURCES = tests/unit/test_image_load.c \
	tests/unit/image_source.c tests/unit/image_source.h \
	tests/unit/tar_build.c tests/unit/tar_build.h
tests_unit_test_image_load_CFLAGS = $(image_test_cflags)
tests_unit_test_image_load_LDADD = $(image_test_libs)

tests_unit_image_treesum_SOURCES = tests/unit/image_treesum.c
tests_unit_image_treesum_LDADD = $(image_test_libs)

check_PROGRAMS += tests/unit/test_image_sandbox
TESTS += tests/unit/test_image_sandbox
tests_unit_test_image_sandbox_SOURCES = tests/unit/test_image_sandbox.c \
	lib/image/sandbox.c lib/image/sandbox.h \
	tests/unit/unpack_harness.c tests/unit/unpack_harness.h \
	tests/unit/tar_build.c tests/unit/tar_build.h
tests_unit_test_image_sandbox_CFLAGS = $(image_test_cflags) $(SECCOMP_CFLAGS)
tests_unit_test_image_sandbox_LDADD = $(image_test_libs) $(SECCOMP_LIBS)

check_PROGRAMS += tests/unit/test_image_registry
TESTS += tests/unit/test_image_registry
tests_unit_test_image_registry_SOURCES = tests/unit/test_image_registry.c
tests_unit_test_image_registry_CFLAGS = $(image_test_cflags)
tests_unit_test_image_registry_LDADD = $(image_test_libs)
