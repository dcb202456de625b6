# caisson-monitor: one per engine container, small because it stays.
pkglibexec_PROGRAMS += bin/caisson-monitor
bin_caisson_monitor_SOURCES = bin/monitor.c bin/opts.c bin/opts.h
bin_caisson_monitor_CFLAGS = $(AM_CFLAGS) -fPIE
bin_caisson_monitor_LDFLAGS = $(AM_LDFLAGS) $(START_LINK) $(GUARD_LDFLAGS)
bin_caisson_monitor_LDADD = bin/libguard.la lib/monitor/libmonitor.la lib/monitor/librecords.la \
	lib/host/libhost.la lib/init/libinit.la lib/state/libstate.la lib/spec/libspec.la \
	cgroups/libcgroups.la netns/libnetmove.la lib/base/libbase.la $(START_LIBS)
