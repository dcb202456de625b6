noinst_LTLIBRARIES += lib/base/libbase.la
lib_base_libbase_la_SOURCES = \
	lib/base/arena.c lib/base/arena.h \
	lib/base/cleanup.h \
	lib/base/deadline.c lib/base/deadline.h \
	lib/base/error.c lib/base/error.h \
	lib/base/fdpass.c lib/base/fdpass.h \
	lib/base/file.c lib/base/file.h \
	lib/base/httpurl.c lib/base/httpurl.h \
	lib/base/json.c lib/base/json_edit.c lib/base/json_out.c lib/base/json.h \
	lib/base/log.c lib/base/log.h \
	lib/base/names.c lib/base/names.h \
	lib/base/overlay.c lib/base/overlay.h \
	lib/base/path.c lib/base/path.h \
	lib/base/proc.c lib/base/proc.h \
	lib/base/quantity.c lib/base/quantity.h \
	lib/base/sized.c lib/base/sized.h \
	lib/base/sha256.c lib/base/sha256.h \
	lib/base/size.c lib/base/size.h \
	lib/base/sys.h \
	lib/base/texts.c lib/base/texts.h \
	lib/base/tree_size.c lib/base/tree_size.h \
	lib/base/user.c lib/base/user.h \
	lib/base/utc.c lib/base/utc.h
lib_base_libbase_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

# YAML, for libcaisson alone: the programs of the start path do without libyaml.
noinst_LTLIBRARIES += lib/base/libyamljson.la
lib_base_libyamljson_la_SOURCES = lib/base/yaml.c lib/base/yaml.h
lib_base_libyamljson_la_CFLAGS = $(AM_CFLAGS) $(YAML_CFLAGS)
lib_base_libyamljson_la_LIBADD = $(YAML_LIBS)
