# caisson-image: a process of its own, so that nothing else links what it needs.
pkglibexec_PROGRAMS += bin/caisson-image
bin_caisson_image_SOURCES = bin/image.c bin/image.h bin/image_container.c bin/image_files.c bin/image_local.c bin/image_remote.c bin/opts.c bin/opts.h
bin_caisson_image_LDFLAGS = $(AM_LDFLAGS) -pthread
bin_caisson_image_LDADD = lib/image/libimage.la lib/base/libbase.la \
	$(ARCHIVE_LIBS) $(CRYPTO_LIBS) $(CURL_LIBS) $(JANSSON_LIBS) -lz -lzstd $(ISAL_LIBS)

# caisson-unpack: what caisson-image starts for each layer, confined.
pkglibexec_PROGRAMS += bin/caisson-unpack
bin_caisson_unpack_SOURCES = bin/unpack.c lib/image/sandbox.c lib/image/sandbox.h
bin_caisson_unpack_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
bin_caisson_unpack_LDADD = lib/image/libimage.la lib/base/libbase.la \
	$(ARCHIVE_LIBS) $(SECCOMP_LIBS)
