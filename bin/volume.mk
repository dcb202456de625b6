# caisson-volume: a process of its own, so that nothing else links what HTTP needs.
pkglibexec_PROGRAMS += bin/caisson-volume
bin_caisson_volume_SOURCES = bin/volume.c
bin_caisson_volume_LDFLAGS = $(AM_LDFLAGS) -pthread
bin_caisson_volume_LDADD = lib/volume/libvolume.la lib/image/libimage.la lib/base/libbase.la \
	$(ARCHIVE_LIBS) $(CRYPTO_LIBS) $(CURL_LIBS) $(JANSSON_LIBS) -lz -lzstd $(ISAL_LIBS)
