# For tests of the engine: an image of busybox in a world of its own. Source it after lib.sh.
#
#	. "$(dirname "${BASH_SOURCE[0]}")/engine_lib.sh"
#	csn run box true
contrib=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../contrib" && pwd)
world=$TMPDIR/world
csn() {
	"$CSN" --root "$world/root" --run-root "$world/run" "$@"
}
"$contrib/make-image" "$TMPDIR/box.tar" box:latest &&
	csn load -i "$TMPDIR/box.tar" >"$TMPDIR/.output" 2>&1 || {
	t_fail "an image of busybox is loaded" "$(cat "$TMPDIR/.output")"
	exit 1
}

# csn_bundle CONTAINER: its directory, in which config.json can still be changed before a start.
csn_bundle() {
	csn inspect "$1" | json_field bundle
}

# group_of CONTAINER: the cgroup of its first process.
group_of() {
	sed -n 's/^0:://p' "/proc/$(csn inspect "$1" | json_field pid)/cgroup"
}

# outcome CONTAINER: waits; "reason exit-code signal oom_kills".
outcome() {
	local text
	csn wait "$1" >/dev/null
	text=$(csn inspect "$1" | tr -d '\n')
	[[ $text =~ \"reason\":\ *\"([a-z_]*)\" ]]
	printf '%s ' "${BASH_REMATCH[1]}"
	[[ $text =~ \"exit_code\":\ *([0-9]*) ]]
	printf '%s ' "${BASH_REMATCH[1]}"
	[[ $text =~ \"signal\":\ *\"?([A-Z0-9+a-z-]*) ]]
	printf '%s ' "${BASH_REMATCH[1]}"
	[[ $text =~ \"oom_kills\":\ *([0-9]*) ]]
	printf '%s\n' "${BASH_REMATCH[1]}"
}
