# The image store; only caisson-image links it.
noinst_LTLIBRARIES += lib/image/libimage.la
lib_image_libimage_la_SOURCES = \
	lib/image/acl.c \
	lib/image/attrs.c lib/image/attrs.h \
	lib/image/codec.h lib/image/codec_gzip.c lib/image/codec_zstd.c \
	lib/image/digest.c lib/image/digest.h \
	lib/image/docker_archive.c \
	lib/image/image.h \
	lib/image/import.c \
	lib/image/index.c \
	lib/image/layers.c lib/image/layers.h \
	lib/image/layout.c \
	lib/image/load.c lib/image/load.h \
	lib/image/lower.c \
	lib/image/manage.c \
	lib/image/manifest.c lib/image/manifest.h \
	lib/image/platform.c \
	lib/image/record.c lib/image/record.h \
	lib/image/ref.c lib/image/ref.h \
	lib/image/source.c lib/image/source.h \
	lib/image/spool.c \
	lib/image/store.c lib/image/store.h \
	lib/image/stream.c lib/image/stream.h \
	lib/image/tree.c lib/image/tree.h \
	lib/image/unpack.c lib/image/unpack.h \
	lib/image/unpacker.c lib/image/unpacker.h \
	lib/image/wire.h \
	lib/image/whiteout.c lib/image/whiteout.h \
	lib/image/writer.c
lib_image_libimage_la_CFLAGS = $(AM_CFLAGS) $(ARCHIVE_CFLAGS) $(CRYPTO_CFLAGS) -pthread
