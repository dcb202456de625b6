# Tests beyond the unit tests: lints, integration, the virtual machine.
#
#	make check               unit tests, lints, integration (skipped when not root)
#	make lint                the lints alone
#	make check-integration   the integration tests alone
#	make check-security      hostile containers, row by row of tests/security/STATUS.md (root)
#	make check-clients       podman, Docker and others with caisson as their runtime (root)
#	make check-fault         runtimes killed, or failing, at each system call (root)
#	make check-rust          the Rust crate of contrib/rust
#	make check-images        five real images against umoci and podman (root, mmdebstrap)
#	make check-vm            the integration tests under real cgroup v2, in QEMU (root)
TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = $(srcdir)/tests/integration/run
AM_TESTS_ENVIRONMENT = BUILD='$(abs_builddir)'; SRC='$(abs_srcdir)'; CC='$(CC)'; \
	CSN_CFLAGS='$(CSN_CFLAGS)'; CK_DEFAULT_TIMEOUT="$${CK_DEFAULT_TIMEOUT:-60}"; \
	export BUILD SRC CC CSN_CFLAGS CK_DEFAULT_TIMEOUT;

include tests/conformance/module.mk
include tests/fuzz/module.mk
include tests/images/module.mk
include tests/integration/module.mk
include tests/clients/module.mk
include tests/lint/module.mk
include tests/fault/module.mk
include tests/security/module.mk
include tests/vm/module.mk
