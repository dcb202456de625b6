# Images of real size against umoci and podman. It takes minutes, and a Debian mirror the first time:
# not in `make check`.
EXTRA_DIST += tests/images/check

.PHONY: check-images
check-images: bin/csn bin/caisson-image bin/caisson-unpack bin/caisson-monitor tests/unit/image_treesum
	BUILD=$(abs_builddir) $(srcdir)/tests/images/check
