noinst_LTLIBRARIES += lib/init/libinit.la
lib_init_libinit_la_SOURCES = lib/init/init.c lib/init/plan.h lib/init/sync.h
