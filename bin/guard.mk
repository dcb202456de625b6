# The guard of our own binary (bin/guard.c), for the programs whose children enter containers.
noinst_LTLIBRARIES += bin/libguard.la
bin_libguard_la_SOURCES = bin/guard.c bin/guard.h
bin_libguard_la_CFLAGS = $(AM_CFLAGS) -fPIE -ffreestanding -fno-stack-protector $(GUARD_CFLAGS)
