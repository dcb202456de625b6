# Real clients over caisson: podman, Docker, containerd (ctr and CRI). How to write one is told in lib.sh.
clients_tests = \
	tests/clients/buildah.sh \
	tests/clients/containerd.sh \
	tests/clients/cri.sh \
	tests/clients/docker.sh \
	tests/clients/podman.sh

EXTRA_DIST += $(clients_tests) tests/clients/lib.sh tests/clients/cri.py

.PHONY: check-clients
check-clients: all
	CSN_TEST_TIMEOUT=300 $(MAKE) $(AM_MAKEFLAGS) check TESTS='$(clients_tests)'
