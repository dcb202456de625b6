# The image store; only caisson-image links it.
noinst_LTLIBRARIES += lib/image/libimage.la
lib_image_libimage_la_SOURCES = \
	lib/image/acl.c \
	lib/image/attrs.c lib/image/attrs.h \
	lib/image/auth.c \
	lib/image/authfile.c lib/image/authfile.h \
	lib/image/authhelper.c \
	lib/image/challenge.c lib/image/challenge.h \
	lib/image/change.c lib/image/change.h \
	lib/image/choose.c lib/image/choose.h \
	lib/image/commit.c \
	lib/image/compare.c lib/image/compare.h \
	lib/image/codec.h lib/image/codec_gzip.c lib/image/codec_zstd.c \
	lib/image/digest.c lib/image/digest.h \
	lib/image/docker_archive.c \
	lib/image/download.c lib/image/download.h \
	lib/image/endpoint.c lib/image/endpoint.h \
	lib/image/endpoint_conf.c \
	lib/image/export.c \
	lib/image/fetch.c \
	lib/image/files.h lib/image/files_changes.c lib/image/files_open.c lib/image/files_put.c \
	lib/image/http.c lib/image/http.h \
	lib/image/image.h \
	lib/image/import.c \
	lib/image/index.c \
	lib/image/jsontext.c lib/image/jsontext.h \
	lib/image/layers.c lib/image/layers.h \
	lib/image/layout.c \
	lib/image/load.c lib/image/load.h \
	lib/image/login.c \
	lib/image/lower.c \
	lib/image/manage.c lib/image/manage.h \
	lib/image/manifest.c lib/image/manifest.h \
	lib/image/pack.c lib/image/pack.h \
	lib/image/platform.c \
	lib/image/pull.c lib/image/pull.h \
	lib/image/push.c \
	lib/image/record.c lib/image/record.h \
	lib/image/ref.c lib/image/ref.h \
	lib/image/registry.c lib/image/registry.h \
	lib/image/restore.c \
	lib/image/save.c \
	lib/image/settle.c \
	lib/image/source.c lib/image/source.h \
	lib/image/spool.c \
	lib/image/store.c lib/image/store.h \
	lib/image/stream.c lib/image/stream.h \
	lib/image/toml.c lib/image/toml.h \
	lib/image/tag.c \
	lib/image/tree.c lib/image/tree.h \
	lib/image/unpack.c lib/image/unpack.h \
	lib/image/unpacker.c lib/image/unpacker.h \
	lib/image/url.c lib/image/url.h \
	lib/image/usage.c \
	lib/image/verify.c \
	lib/image/wire.h \
	lib/image/whiteout.c lib/image/whiteout.h \
	lib/image/writer.c
lib_image_libimage_la_CFLAGS = $(AM_CFLAGS) $(ARCHIVE_CFLAGS) $(CRYPTO_CFLAGS) $(CURL_CFLAGS) -pthread
