noinst_LTLIBRARIES += lib/host/libhost.la
lib_host_libhost_la_SOURCES = lib/host/container.c lib/host/host.h
lib_host_libhost_la_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS) $(LIBCAP_CFLAGS)
