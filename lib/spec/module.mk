noinst_LTLIBRARIES += lib/spec/libspec.la
lib_spec_libspec_la_SOURCES = \
	lib/spec/check.c lib/spec/check.h \
	lib/spec/check_mounts.c \
	lib/spec/defaults.h \
	lib/spec/features.c \
	lib/spec/fields.h \
	lib/spec/fields_hooks.c \
	lib/spec/fields_linux.c \
	lib/spec/fields_mounts.c \
	lib/spec/fields_process.c \
	lib/spec/fields_resources.c \
	lib/spec/fields_seccomp.c \
	lib/spec/spec.c lib/spec/spec.h \
	lib/spec/tables.c lib/spec/tables.h \
	lib/spec/template.c
