# What the fault tests share.
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"

FAULT=$BUILD/tests/fault/fault
# How many points of a command are tried: every one when CSN_FAULT_FULL is set.
FAULT_POINTS=${CSN_FAULT_POINTS:-8}

# fault_points LAST: the numbers of the calls to disturb, spread over 1 … LAST. Which ones moves from
# run to run, so that many short runs see what a full one sees.
fault_points() {
	local last=$1 step=1
	[ -n "${CSN_FAULT_FULL-}" ] || step=$(((last + FAULT_POINTS - 1) / FAULT_POINTS))
	seq $((1 + RANDOM % step)) $step "$last"
}

# fault_count [--child] COMMAND...: how many calls it makes, undisturbed. The count is the last line
# of its standard error.
fault_count() {
	local child=
	[ "$1" != --child ] || { child=--child; shift; }
	# A file: what it leaves running may keep a pipe open.
	"$FAULT" $child count "$@" 2>"$TMPDIR/.count" >/dev/null </dev/null
	tail -n 1 "$TMPDIR/.count"
}

# What a container can leave on this host, as one string, without a process of ours being started.
# Mounts, processes, groups, records; pid files and what was meant to become one.
host_picture() {
	local dirs pids=() dir
	shopt -s nullglob dotglob globstar
	for dir in /proc/[0-9]*; do
		pids+=("${dir#/proc/}")
	done
	dirs=("$CGROUP2"/*/ "$CGROUP2"/*/*/ "$CGROUP2"/*/*/*/ /run/caisson/* "$TMPDIR"/pids/*)
	picture="${pids[*]}"$'\n'"${dirs[*]}"$'\n'"$(</proc/self/mountinfo)"
	shopt -u nullglob dotglob globstar
}

# The host is as it was when `clean` was taken. What was killed a moment ago gets a moment to go.
clean_take() {
	host_picture
	clean=$picture
}
clean_again() {
	local tries
	for tries in 1 2 3 4 5 6 7 8 9 10 11 12; do
		host_picture
		[ "$picture" != "$clean" ] || return 0
		read -r -t 0.0$tries <>"$TMPDIR/.never"
	done
	return 1
}

clean_difference() {
	diff <(printf '%s\n' "$clean" | tr ' ' '\n') <(printf '%s\n' "$picture" | tr ' ' '\n') |
		grep '^[<>]' | tr '\n' ' '
}
mkfifo "$TMPDIR/.never"
