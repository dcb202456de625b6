#!/bin/bash
# The framework of the integration tests itself: assertions that must fail do, leaks are found.
. "$(dirname "$0")/lib.sh"

# Runs assertions in a shell of their own, so that their failure is not ours.
sub() {
	(
		t_number=0
		"$@"
	)
}

t_like "$(sub t_is a b name)" "^not ok 1 - name" "t_is tells a difference"
t_like "$(sub t_is a a name)" "^ok 1 - name$" "t_is accepts equality"
t_like "$(sub t_ok name false)" "^not ok 1 - name" "t_ok tells a failure"
t_like "$(sub t_like abc '^b' name)" "^not ok 1 - name" "t_like tells a mismatch"
t_like "$(sub t_fails_with msg true)" "^not ok 1 - fails: msg" "t_fails_with tells a success"
t_like "$(sub t_fails_with msg sh -c 'echo other >&2; exit 1')" "^not ok 1 " \
	"t_fails_with tells another message"
t_like "$(sub t_fails_with 'say "x"' sh -c \
	'echo "time=\"now\" level=error msg=\"say \\\"x\\\"\"" >&2; exit 1')" "^ok 1 " \
	"t_fails_with reads log lines"

t_is "$(json_array a 'b "c"' 'd\e')" '["a", "b \"c\"", "d\\e"]' "words become JSON"
t_is "$(printf '{\n "id": "x y",\n "pid": 12,\n "status": "running" }' | json_field pid)" 12 \
	"a number is found in JSON"
t_is "$(printf '{ "id": "x y", "pid": 12 }' | json_field id)" "x y" "a string is found in JSON"

# Each kind of leak, made and undone.
snapshot "$TMPDIR/clean"
leak() {
	local kind=$1 make=$2 undo=$3
	eval "$make"
	snapshot "$TMPDIR/dirty"
	t_like "$(snapshot_diff "$TMPDIR/clean" "$TMPDIR/dirty")" "^\\+ $kind: " "a leak of $kind is found"
	eval "$undo"
}
mkdir "$TMPDIR/m"
leak mounts 'mount -t tmpfs none "$TMPDIR/m"' 'umount "$TMPDIR/m"'
leak cgroups 'mkdir "$CGROUP2/leak"' 'rmdir "$CGROUP2/leak"'
leak processes 'sleep 100 & sleeper=$!' 'kill $sleeper; wait $sleeper 2>/dev/null'
leak links 'ip link add leak0 type bridge' 'ip link del leak0'
leak run 'mkdir /run/leak' 'rmdir /run/leak'
if command -v nft >/dev/null; then
	leak nft 'nft add table inet leak' 'nft delete table inet leak'
fi
t_unchanged "undone leaks are gone" "$TMPDIR/clean"

t_is "$(ls -A /run)" $'lock\nmount' "the /run of the host is out of sight"
t_is "$(cut -d : -f 3 /proc/self/cgroup | tail -n 1)" /self "the cgroup tree is that of the test"
