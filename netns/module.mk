noinst_LTLIBRARIES += netns/libnetns.la
netns_libnetns_la_SOURCES = \
	netns/addr.c \
	netns/attach.c \
	netns/bridge.c \
	netns/conntrack.c \
	netns/create.c \
	netns/definition.c \
	netns/detach.c \
	netns/dns.c \
	netns/elements.c \
	netns/internal.h \
	netns/ipam.c \
	netns/ledger.c netns/ledger.h \
	netns/link.c \
	netns/names.c \
	netns/network.h \
	netns/netns.h \
	netns/nft.c \
	netns/nl.c \
	netns/ns.c \
	netns/owner.c \
	netns/ports.c \
	netns/recover.c \
	netns/route.c \
	netns/rules.c \
	netns/world.h
# libmnl's own for-each macros cast const away, which clang tells.
netns_libnetns_la_CFLAGS = $(AM_CFLAGS) -Wno-cast-qual $(LIBMNL_CFLAGS)
netns_libnetns_la_LIBADD = $(LIBMNL_LIBS)

# What caisson itself needs: no library, so that it can be linked statically.
noinst_LTLIBRARIES += netns/libnetmove.la
netns_libnetmove_la_SOURCES = netns/move.c netns/netns.h netns/ns.c
netns_libnetmove_la_CFLAGS = $(AM_CFLAGS) -Wno-cast-qual
