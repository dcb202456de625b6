noinst_LTLIBRARIES += cgroups/libcgroups.la
cgroups_libcgroups_la_SOURCES = \
	cgroups/batch.c \
	cgroups/cgroup.c cgroups/cgroups.h \
	cgroups/delegate.c \
	cgroups/devices.c cgroups/devices.h \
	cgroups/events.c \
	cgroups/internal.h \
	cgroups/limits.c \
	cgroups/mount.c \
	cgroups/oom.c \
	cgroups/remove.c \
	cgroups/values.c
