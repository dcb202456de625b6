noinst_LTLIBRARIES += netns/libnetns.la
netns_libnetns_la_SOURCES = \
	netns/conntrack.c \
	netns/internal.h \
	netns/link.c \
	netns/netns.h \
	netns/nft.c \
	netns/nl.c \
	netns/ns.c \
	netns/route.c
# libmnl's own for-each macros cast const away, which clang tells.
netns_libnetns_la_CFLAGS = $(AM_CFLAGS) -Wno-cast-qual $(LIBMNL_CFLAGS)
netns_libnetns_la_LIBADD = $(LIBMNL_LIBS)

# What caisson itself needs: no library, so that it can be linked statically.
noinst_LTLIBRARIES += netns/libnetmove.la
netns_libnetmove_la_SOURCES = netns/move.c netns/netns.h netns/ns.c
netns_libnetmove_la_CFLAGS = $(AM_CFLAGS) -Wno-cast-qual
