noinst_LTLIBRARIES += cgroups/libcgroups.la
cgroups_libcgroups_la_SOURCES = \
	cgroups/batch.c \
	cgroups/cgroup.c cgroups/cgroups.h \
	cgroups/delegate.c \
	cgroups/columns.c \
	cgroups/devices.c cgroups/devices.h \
	cgroups/events.c \
	cgroups/internal.h \
	cgroups/limits.c \
	cgroups/mount.c \
	cgroups/netdev.c \
	cgroups/oom.c \
	cgroups/parent.c \
	cgroups/parse.c \
	cgroups/remove.c \
	cgroups/sampler.c \
	cgroups/stats.c cgroups/stats.h \
	cgroups/values.c
