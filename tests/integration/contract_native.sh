#!/bin/bash
# The contract of the Runtime interface on real containers.
. "$(dirname "$0")/lib.sh"
suite=${CSN_CONTRACT_SUITE:-$BUILD/tests/contract/test_contract} # another one: of a build with other sanitizers
[ -x "$suite" ] || t_skip_all "test_contract is not built"
. "$(dirname "$0")/engine_lib.sh"

export CSN_TEST_ROOT=$world/root CSN_TEST_RUN_ROOT=$world/run CAISSON_LIBEXEC=$BUILD/bin
# Emulated, all of it takes ten times as long.
if [ -n "${CSN_TEST_SLOW-}" ]; then
	export CSN_CONTRACT_BYTES=5000000 CSN_THREAD_OPERATIONS=64 CK_TIMEOUT_MULTIPLIER=5
fi
if { nft add table inet can && nft delete table inet can && ip link add can type bridge && ip link del can; } 2>/dev/null; then
	export CSN_CONTRACT_NETWORK=1 # this sandbox has a network namespace of its own
fi
t_ok "the suite passes on real containers" "$suite" native
t_is "$(csn ps -a -q)" "" "and leaves no container"
