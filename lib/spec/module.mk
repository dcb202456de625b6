noinst_LTLIBRARIES += lib/spec/libspec.la
lib_spec_libspec_la_SOURCES = lib/spec/spec.c lib/spec/spec.h
