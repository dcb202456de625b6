# unit tests of lib/volume
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_volume
TESTS += tests/unit/test_volume
tests_unit_test_volume_SOURCES = tests/unit/test_volume.c
tests_unit_test_volume_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_volume_LDADD = lib/volume/libvolume.la lib/image/libimage.la lib/base/libbase.la \
	$(ARCHIVE_LIBS) $(CRYPTO_LIBS) $(CURL_LIBS) $(JANSSON_LIBS) -lz -lzstd $(ISAL_LIBS) \
	$(CHECK_LIBS)
endif
