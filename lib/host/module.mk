noinst_LTLIBRARIES += lib/host/libhost.la
lib_host_libhost_la_SOURCES = \
	lib/host/affinity.c \
	lib/host/attend.c \
	lib/host/container.c \
	lib/host/create.c \
	lib/host/criu.c lib/host/criu.h \
	lib/host/events.c \
	lib/host/exec.c \
	lib/host/forward.c \
	lib/host/hooks.c \
	lib/host/host.h \
	lib/host/idmap.c lib/host/idmap.h \
	lib/host/launch.c lib/host/launch.h \
	lib/host/manager.c lib/host/manager.h \
	lib/host/mounts.c \
	lib/host/netdev.c \
	lib/host/notify.c \
	lib/host/plan.c lib/host/plan_build.h \
	lib/host/plan_caps.c \
	lib/host/plan_devices.c \
	lib/host/plan_hooks.c \
	lib/host/plan_mounts.c \
	lib/host/plan_namespaces.c \
	lib/host/plan_process.c \
	lib/host/plan_seccomp.c \
	lib/host/plan_sysctls.c \
	lib/host/rdt.c lib/host/rdt.h \
	lib/host/report.c \
	lib/host/resources.c \
	lib/host/restore.c lib/host/restore.h \
	lib/host/scope.c \
	lib/host/update.c \
	lib/host/words.c lib/host/words.h
lib_host_libhost_la_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS) $(LIBCAP_CFLAGS)
