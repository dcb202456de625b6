# caisson, the OCI runtime. Built as bin/caisson; static-pie where the archives are there, because
# its start-up is part of its speed.
bin_PROGRAMS += bin/caisson
bin_caisson_SOURCES = \
	bin/opts.c bin/opts.h bin/out.c bin/out.h \
	bin/oci/checkpoint.c \
	bin/oci/contract.c \
	bin/oci/create.c \
	bin/oci/delete.c \
	bin/oci/events.c \
	bin/oci/exec.c \
	bin/oci/features.c \
	bin/oci/kill.c \
	bin/oci/list.c \
	bin/oci/main.c \
	bin/oci/mounts.c \
	bin/oci/oci.h \
	bin/oci/pause.c \
	bin/oci/ps.c \
	bin/oci/restore.c \
	bin/oci/resume.c \
	bin/oci/run.c \
	bin/oci/spec.c \
	bin/oci/start.c \
	bin/oci/state.c \
	bin/oci/supervise.c bin/oci/supervise.h \
	bin/oci/update.c
bin_caisson_CFLAGS = $(AM_CFLAGS) -fPIE
bin_caisson_LDFLAGS = $(AM_LDFLAGS) $(START_LINK) $(GUARD_LDFLAGS)
bin_caisson_LDADD = bin/libguard.la lib/host/libhost.la lib/init/libinit.la lib/state/libstate.la \
	lib/spec/libspec.la cgroups/libcgroups.la netns/libnetmove.la lib/base/libbase.la $(START_LIBS)
