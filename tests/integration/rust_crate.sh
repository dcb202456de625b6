#!/bin/bash
# contrib/rust: a crate of safe types, against the mock and real containers. Its declarations are
# compared with the header on the way.
. "$(dirname "$0")/lib.sh"
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
crate=$source/contrib/rust library=$BUILD/lib/.libs
command -v cargo >/dev/null && command -v rustc >/dev/null || t_skip_all "cargo is not installed"
[ -e "$library/libcaisson.so" ] || t_skip_all "libcaisson is not shared"
! grep -q __asan_init "$library/libcaisson.so" || t_skip_all "a program of Rust's cannot load sanitizers"
. "$(dirname "${BASH_SOURCE[0]}")/engine_lib.sh"

export CSN_TEST_ROOT=$world/root CSN_TEST_RUN_ROOT=$world/run CAISSON_LIBEXEC=$BUILD/bin
export CAISSON_LIB_DIR=$library LD_LIBRARY_PATH=$library CAISSON_INCLUDE_DIR=$source/lib
# What was built stays for the next time; nothing is written beside the sources.
export CARGO_TARGET_DIR=$BUILD/contrib/rust/target CARGO_HOME=$TMPDIR/cargo
cd "$crate" || exit 1

export RUSTFLAGS=-Dwarnings
t_ok "it builds, without warnings" cargo test --offline --locked --no-run
t_ok "its declarations are those of the header" cargo test --offline --locked --test abi
t_ok "the tests of its types" cargo test --offline --locked --lib
t_ok "the tests on the mock" cargo test --offline --locked --test mock --test defaults
t_ok "the example of its documentation" cargo test --offline --locked --doc
t_ok "the tests on real containers" cargo test --offline --locked --test native -- --ignored
t_like "$(cat "$TMPDIR/.output")" "[1-9][0-9] passed" "which are all of them"
t_is "$(csn ps -a -q)" "" "and no container is left"
t_is "$(cargo metadata --offline --locked --format-version 1 | grep -o '"resolve":.*' | grep -o '"id":' | wc -l)" 1 \
	"it depends on no other crate"

# tool NAME SUBCOMMAND...: a tool of cargo's that not every machine has.
tool() {
	local name=$1
	shift
	if cargo "$1" --version >/dev/null 2>&1; then
		t_ok "$name" cargo "$@"
	else
		t_skip "$name" "cargo $1 is not installed"
	fi
}
tool "its layout is rustfmt's" fmt --check
tool "clippy has nothing to say" clippy --offline --locked --all-targets
