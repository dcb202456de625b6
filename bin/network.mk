# caisson-network: run once when a container with networks has ended.
pkglibexec_PROGRAMS += bin/caisson-network
bin_caisson_network_SOURCES = bin/network.c bin/opts.c bin/opts.h
bin_caisson_network_LDADD = netns/libnetns.la lib/base/libbase.la $(JANSSON_LIBS)
