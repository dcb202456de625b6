# A crate over libcaisson.so. It is built by cargo in check-rust only, in the build tree.
EXTRA_DIST += \
	contrib/rust/Cargo.lock \
	contrib/rust/Cargo.toml \
	contrib/rust/README.md \
	contrib/rust/build.rs \
	contrib/rust/src/details.rs \
	contrib/rust/src/error.rs \
	contrib/rust/src/exec.rs \
	contrib/rust/src/files.rs \
	contrib/rust/src/id.rs \
	contrib/rust/src/image.rs \
	contrib/rust/src/image_details.rs \
	contrib/rust/src/lib.rs \
	contrib/rust/src/log.rs \
	contrib/rust/src/options.rs \
	contrib/rust/src/outcome.rs \
	contrib/rust/src/progress.rs \
	contrib/rust/src/runtime.rs \
	contrib/rust/src/service.rs \
	contrib/rust/src/state.rs \
	contrib/rust/src/stats.rs \
	contrib/rust/src/stream.rs \
	contrib/rust/src/sys.rs \
	contrib/rust/src/text.rs \
	contrib/rust/tests/abi.rs \
	contrib/rust/tests/defaults.rs \
	contrib/rust/tests/mock.rs \
	contrib/rust/tests/native.rs

.PHONY: check-rust
check-rust: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS=tests/integration/rust_crate.sh

.PHONY: clean-rust
clean-local: clean-rust
clean-rust:
	rm -rf contrib/rust/target
