# librecords: what libcaisson shares with the monitor.
noinst_LTLIBRARIES += lib/monitor/librecords.la lib/monitor/libmonitor.la
lib_monitor_librecords_la_SOURCES = \
	lib/monitor/health_record.c lib/monitor/health.h \
	lib/monitor/journal.c lib/monitor/journal.h \
	lib/monitor/logfiles.c lib/monitor/logfiles.h \
	lib/monitor/records.c lib/monitor/monitor.h \
	lib/monitor/restart.c lib/monitor/restart.h
lib_monitor_libmonitor_la_SOURCES = \
	lib/monitor/attach.c lib/monitor/attach.h \
	lib/monitor/autoremove.c \
	lib/monitor/exec.c \
	lib/monitor/handover.c \
	lib/monitor/health.c \
	lib/monitor/logs.c lib/monitor/logs.h \
	lib/monitor/network.c \
	lib/monitor/probe.h lib/monitor/probe_command.c lib/monitor/probe_net.c \
	lib/monitor/reap.c \
	lib/monitor/rotate.c \
	lib/monitor/rest.c \
	lib/monitor/said.c \
	lib/monitor/start.c \
	lib/monitor/stdio.c lib/monitor/stdio.h \
	lib/monitor/supervise.c lib/monitor/supervise.h \
	lib/monitor/update.c
