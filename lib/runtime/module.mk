# The engine.
noinst_LTLIBRARIES += lib/runtime/libruntime.la
lib_runtime_libruntime_la_SOURCES = \
	lib/runtime/attach.c \
	lib/runtime/commit.c \
	lib/runtime/container.c \
	lib/runtime/copyup.c \
	lib/runtime/create.c \
	lib/runtime/devices.c \
	lib/runtime/events.c \
	lib/runtime/exec.c \
	lib/runtime/facts.c \
	lib/runtime/health.c \
	lib/runtime/history.c \
	lib/runtime/image_program.c \
	lib/runtime/image_verbs.c \
	lib/runtime/images.c \
	lib/runtime/life.c \
	lib/runtime/inside.c \
	lib/runtime/list.c \
	lib/runtime/logfile.c lib/runtime/logfile.h \
	lib/runtime/logs.c \
	lib/runtime/merged.c lib/runtime/merged.h \
	lib/runtime/names.c \
	lib/runtime/pause.c \
	lib/runtime/ports.c \
	lib/runtime/process.c \
	lib/runtime/prune.c \
	lib/runtime/reference.c \
	lib/runtime/remote.c \
	lib/runtime/rename.c \
	lib/runtime/restart.c \
	lib/runtime/restart_boot.c \
	lib/runtime/restart_here.c lib/runtime/restart_here.h \
	lib/runtime/runtime.c lib/runtime/runtime.h \
	lib/runtime/spawn.c \
	lib/runtime/stats.c \
	lib/runtime/top.c \
	lib/runtime/transfer.c \
	lib/runtime/private_env.c lib/runtime/private_env.h \
	lib/runtime/update.c \
	lib/runtime/usage.c \
	lib/runtime/users.c \
	lib/runtime/volume_mounts.c \
	lib/runtime/volume_store.c \
	lib/runtime/volume_sync.c \
	lib/runtime/volume_users.c \
	lib/runtime/volumes.c lib/runtime/volumes.h \
	lib/runtime/wait.c \
	lib/runtime/watch.c lib/runtime/watch.h
lib_runtime_libruntime_la_LIBADD = \
	lib/service/libservice.la \
	lib/monitor/librecords.la \
	lib/state/libstate.la \
	lib/spec/libspec.la \
	cgroups/libcgroups.la \
	netns/libnetns.la \
	lib/base/libbase.la \
	$(JANSSON_LIBS)

# Networks.
lib_runtime_libruntime_la_SOURCES += \
	lib/runtime/network.c lib/runtime/network.h \
	lib/runtime/network_files.c \
	lib/runtime/network_options.c \
	lib/runtime/network_record.c \
	lib/runtime/networks.c \
	lib/runtime/published.c \
	lib/runtime/recover.c
