# The Runtime interface of a host agent.
noinst_LTLIBRARIES += lib/agent/libagent.la
lib_agent_libagent_la_SOURCES = \
	lib/agent/agent.h \
	lib/agent/auth.c \
	lib/agent/deployment.c lib/agent/document.h \
	lib/agent/details.c \
	lib/agent/entries.c \
	lib/agent/error.c \
	lib/agent/exec_stream.c \
	lib/agent/id.c \
	lib/agent/image_details.c lib/agent/image_details.h \
	lib/agent/methods.c \
	lib/agent/methods_images.c \
	lib/agent/methods_output.c \
	lib/agent/mock.c lib/agent/mock.h \
	lib/agent/mock_queues.c \
	lib/agent/native.c lib/agent/native.h \
	lib/agent/native_exec.c \
	lib/agent/native_facts.c \
	lib/agent/native_health.c \
	lib/agent/native_images.c \
	lib/agent/native_inside.c \
	lib/agent/native_options.c \
	lib/agent/native_storage.c \
	lib/agent/native_port.c \
	lib/agent/native_streams.c \
	lib/agent/native_update.c \
	lib/agent/progress.c \
	lib/agent/options.c \
	lib/agent/secrets.c \
	lib/agent/service.c \
	lib/agent/signals.c \
	lib/agent/streams.c

# The shared library. Convenience libraries are linked into it whole where needed; only csn_* is
# exported.
lib_LTLIBRARIES += lib/libcaisson.la
lib_libcaisson_la_SOURCES =
lib_libcaisson_la_LIBADD = lib/agent/libagent.la lib/base/libyamljson.la lib/runtime/libruntime.la
lib_libcaisson_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -no-undefined \
	-Wl,--version-script=$(srcdir)/lib/caisson.map
lib_libcaisson_la_DEPENDENCIES = $(lib_libcaisson_la_LIBADD) lib/caisson.map
EXTRA_DIST += lib/caisson.map
