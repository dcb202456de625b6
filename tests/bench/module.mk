# Benchmarks: built and run by `make bench` only.
EXTRA_PROGRAMS += tests/bench/floor tests/bench/interleave tests/bench/measure tests/bench/sample
tests_bench_floor_SOURCES = tests/bench/floor.c
tests_bench_floor_CFLAGS = $(AM_CFLAGS) -fPIE
tests_bench_floor_LDFLAGS = $(AM_LDFLAGS) $(START_LINK)
tests_bench_interleave_SOURCES = tests/bench/interleave.c
tests_bench_measure_SOURCES = tests/bench/measure.c
tests_bench_sample_SOURCES = tests/bench/sample.c
tests_bench_sample_LDADD = cgroups/libcgroups.la lib/base/libbase.la
CLEANFILES += tests/bench/floor tests/bench/interleave tests/bench/measure tests/bench/sample \
	bench.json bench-exec.json
EXTRA_DIST += tests/bench/idle tests/bench/images tests/bench/run tests/bench/stats

.PHONY: bench bench-stats
bench: bin/caisson tests/bench/floor tests/bench/interleave
	BUILD=$(abs_builddir) $(srcdir)/tests/bench/run
	$(MAKE) $(AM_MAKEFLAGS) bench-stats
	$(MAKE) $(AM_MAKEFLAGS) bench-wait
	$(MAKE) $(AM_MAKEFLAGS) bench-logs

# Statistics: one sample, and a thousand containers once a second.
bench-stats: all tests/bench/sample
	BUILD=$(abs_builddir) $(srcdir)/tests/bench/stats

# Images: csn against podman and containerd; makes a large image first.
.PHONY: bench-images
bench-images: bin/csn bin/caisson-image bin/caisson-unpack tests/bench/measure
	BUILD=$(abs_builddir) $(srcdir)/tests/bench/images

# Networks: one attachment, against netavark and the CNI plugins.
EXTRA_PROGRAMS += tests/bench/netattach
tests_bench_netattach_SOURCES = tests/bench/netattach.c
tests_bench_netattach_LDADD = netns/libnetns.la lib/base/libbase.la $(JANSSON_LIBS)
CLEANFILES += tests/bench/netattach
EXTRA_DIST += tests/bench/net

.PHONY: bench-net
bench-net: tests/bench/netattach
	BUILD=$(abs_builddir) $(srcdir)/tests/bench/net 50 1000

# Logs: a container's output through the monitor, against conmon.
EXTRA_PROGRAMS += tests/bench/tail
tests_bench_tail_SOURCES = tests/bench/tail.c
tests_bench_tail_LDADD = lib/libcaisson.la
CLEANFILES += tests/bench/tail
EXTRA_DIST += tests/bench/logs

.PHONY: bench-logs
bench-logs: all tests/bench/tail
	BUILD=$(abs_builddir) $(srcdir)/tests/bench/logs

# Waiting: how late an end is told, and what it costs to wait for many.
EXTRA_PROGRAMS += tests/bench/last tests/bench/wake
tests_bench_last_SOURCES = tests/bench/last.c
tests_bench_last_LDFLAGS = -all-static
tests_bench_wake_SOURCES = tests/bench/wake.c
tests_bench_wake_CFLAGS = $(AM_CFLAGS) -pthread
tests_bench_wake_LDADD = lib/libcaisson.la
CLEANFILES += tests/bench/last tests/bench/wake
EXTRA_DIST += tests/bench/wait

.PHONY: bench-wait
bench-wait: all tests/bench/last tests/bench/wake
	BUILD=$(abs_builddir) $(srcdir)/tests/bench/wait
