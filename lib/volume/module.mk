# Volumes and their buckets: linked by caisson-volume alone.
noinst_LTLIBRARIES += lib/volume/libvolume.la
lib_volume_libvolume_la_SOURCES = \
	lib/volume/hashes.c \
	lib/volume/manifest.c lib/volume/manifest.h \
	lib/volume/restore.c \
	lib/volume/s3.c lib/volume/s3.h \
	lib/volume/scan.c \
	lib/volume/sigv4.c lib/volume/sigv4.h \
	lib/volume/sync.c \
	lib/volume/volume.h
lib_volume_libvolume_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
