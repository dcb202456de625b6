# Integration tests: how to write one is told in lib.sh.
integration_tests = \
	tests/integration/cli_checkpoint.sh \
	tests/integration/cli_errors.sh \
	tests/integration/engine_health.sh \
	tests/integration/engine_limits.sh \
	tests/integration/contract_native.sh \
	tests/integration/engine_devices.sh \
	tests/integration/engine_events.sh \
	tests/integration/engine_outcomes.sh \
	tests/integration/engine_init.sh \
	tests/integration/engine_inside.sh \
	tests/integration/engine_restart.sh \
	tests/integration/cli_mounts.sh \
	tests/integration/cli_notify.sh \
	tests/integration/cli_state_root.sh \
	tests/integration/cli_systemd.sh \
	tests/integration/cli_traps.sh \
	tests/integration/deploy_up.sh \
	tests/integration/engine_stats.sh \
	tests/integration/engine_security.sh \
	tests/integration/exec.sh \
	tests/integration/engine_logs.sh \
	tests/integration/engine_volumes.sh \
	tests/integration/volume_s3.sh \
	tests/integration/framework_selftest.sh \
	tests/integration/image_commit.sh \
	tests/integration/image_debian.sh \
	tests/integration/image_differential.sh \
	tests/integration/image_hostile.sh \
	tests/integration/image_load.sh \
	tests/integration/image_store.sh \
	tests/integration/image_usage.sh \
	tests/integration/image_verbs.sh \
	tests/integration/limits_update.sh \
	tests/integration/monitor_twice.sh \
	tests/integration/mount_propagation.sh \
	tests/integration/net_names.sh \
	tests/integration/net_networks.sh \
	tests/integration/net_recover.sh \
	tests/integration/net_traffic.sh \
	tests/integration/registry_auth.sh \
	tests/integration/registry_faults.sh \
	tests/integration/registry_pull.sh \
	tests/integration/run_basics.sh \
	tests/integration/run_crash.sh \
	tests/integration/run_filesystem.sh \
	tests/integration/run_hooks.sh \
	tests/integration/run_namespaces.sh \
	tests/integration/run_process.sh \
	tests/integration/rust_crate.sh \
	tests/integration/spec_applied.sh \
	tests/integration/spec_linux.sh

TESTS += $(integration_tests)
EXTRA_DIST += $(integration_tests) \
	tests/integration/agent_volumes.py \
	tests/integration/deploy_lib.sh \
	tests/integration/engine_lib.sh \
	tests/integration/hostile_tars.py \
	tests/integration/lib.sh \
	tests/integration/netlib.sh \
	tests/integration/registry.sh \
	tests/integration/registry_server.py \
	tests/integration/run \
	tests/integration/s3_server.py \
	tests/integration/snapshot.sh \
	tests/integration/volume_image.py

check_PROGRAMS += tests/integration/dgram tests/integration/netprobe tests/integration/recvtty
tests_integration_dgram_SOURCES = tests/integration/dgram.c
tests_integration_netprobe_SOURCES = tests/integration/netprobe.c
# Static whatever the build: neither sanitizers nor counters.
tests_integration_netprobe_CFLAGS = $(AM_CFLAGS) -fno-sanitize=all -fno-profile-arcs -fno-test-coverage
tests_integration_netprobe_LDFLAGS = -all-static
tests_integration_recvtty_SOURCES = tests/integration/recvtty.c
tests_integration_recvtty_LDADD = lib/base/libbase.la $(JANSSON_LIBS)

.PHONY: check-integration
check-integration: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(integration_tests)'
