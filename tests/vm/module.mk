# The integration tests in a virtual machine, and those that need what only the machine has.
vm_tests = tests/vm/vm_checkpoint.sh tests/vm/vm_podman.sh tests/vm/vm_engine_limits.sh tests/vm/vm_limits.sh tests/vm/vm_limits_effects.sh tests/vm/vm_oom.sh tests/vm/vm_stats.sh

EXTRA_DIST += $(vm_tests) tests/vm/guest tests/vm/image tests/vm/run

.PHONY: check-vm
check-vm: all tests/integration/recvtty tests/conformance/agent
	BUILD='$(abs_builddir)' $(srcdir)/tests/vm/run
