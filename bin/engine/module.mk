# csn, the engine's command line.
bin_PROGRAMS += bin/csn
bin_csn_SOURCES = \
	bin/opts.c bin/opts.h bin/out.c bin/out.h \
	bin/engine/attach.c \
	bin/engine/attend.c \
	bin/engine/bars.c \
	bin/engine/commit.c \
	bin/engine/cp.c \
	bin/engine/create.c \
	bin/engine/diff.c \
	bin/engine/engine.h \
	bin/engine/events.c \
	bin/engine/exec.c \
	bin/engine/health.c bin/engine/health.h \
	bin/engine/image.c \
	bin/engine/images.c \
	bin/engine/import.c \
	bin/engine/inspect.c \
	bin/engine/kill.c \
	bin/engine/limits.c \
	bin/engine/load.c \
	bin/engine/login.c \
	bin/engine/logs.c \
	bin/engine/main.c \
	bin/engine/make.c \
	bin/engine/mounts.c bin/engine/mounts.h \
	bin/engine/pause.c \
	bin/engine/port.c \
	bin/engine/print.c \
	bin/engine/ps.c \
	bin/engine/pull.c \
	bin/engine/push.c \
	bin/engine/remote.c bin/engine/remote.h \
	bin/engine/restart.c \
	bin/engine/rename.c \
	bin/engine/rm.c \
	bin/engine/rmi.c \
	bin/engine/run.c \
	bin/engine/save.c \
	bin/engine/security.c bin/engine/security.h \
	bin/engine/start.c \
	bin/engine/stats.c \
	bin/engine/stats_print.c \
	bin/engine/stop.c \
	bin/engine/top.c \
	bin/engine/unpause.c \
	bin/engine/update.c \
	bin/engine/volume.c \
	bin/engine/wait.c \
	bin/engine/when.c
bin_csn_LDADD = lib/libcaisson.la lib/base/libyamljson.la lib/base/libbase.la $(JANSSON_LIBS)
dist_man_MANS += bin/man/csn.1

# Networks.
bin_csn_SOURCES += bin/engine/make_network.c bin/engine/network.c bin/engine/system.c bin/engine/system_usage.c

# Deployments.
bin_csn_SOURCES += bin/engine/deploy.c bin/engine/deploy.h bin/engine/deploy_secrets.c bin/engine/down.c bin/engine/up.c \
	bin/engine/up_wait.c
