# caisson-init: the first process of containers that ask for one. Always static, and without what test
# builds add.
pkglibexec_PROGRAMS += bin/caisson-init
bin_caisson_init_SOURCES = bin/init.c
bin_caisson_init_CFLAGS = $(AM_CFLAGS) -Os $(GUARD_CFLAGS)
bin_caisson_init_LDFLAGS = -XCClinker -static -Wl,-z,relro -Wl,-z,noexecstack -Wl,--gc-sections
