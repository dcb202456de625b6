#!/bin/bash
# The OCI core, disturbed at its N-th system call: killed there, or that call fails. Whatever the
# call, `delete --force` leaves the host as it was, and after an error that was told, nothing is
# left to delete. CSN_FAULT_FULL=1 tries every call, else a sample.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
mkdir "$TMPDIR/pids" "$CGROUP2/fault"
make_bundle "$b" args='["sleep", "1000"]' linux='"cgroupsPath": "/fault/deep/box"'
make_bundle "$TMPDIR/short" args='["true"]' linux='"cgroupsPath": "/fault/deep/box"' \
	rootfs="\"$b/rootfs\""
echo '{"terminal": false, "args": ["true"], "cwd": "/", "user": {"uid": 0, "gid": 0}}' >"$TMPDIR/process.json"

# The C library's own first calls are not ours to get right: it may end by a signal there.
startup=$(($(fault_count "$CAISSON" --version) + 6))

remove() {
	timeout 20 "$CAISSON" delete --force x 2>"$TMPDIR/delete.err"
}

# before VERB: what must be there for it. command_of VERB: sets words.
before() {
	case $1 in
	start | delete) "$CAISSON" create -b "$b" x ;;
	exec | kill | pause) "$CAISSON" run -d -b "$b" x ;;
	shared) mkdir -p "$CGROUP2/fault/deep/box" ;;
	esac
}
after() {
	case $1 in
	# Whom nothing recorded, and no group that is ours holds, ends by itself.
	shared) wait_until 2 rmdir "$CGROUP2/fault/deep/box" && rmdir "$CGROUP2/fault/deep" ;;
	esac
}
command_of() {
	words=("$CAISSON")
	case $1 in
	create | shared) words+=(create --pid-file "$TMPDIR/pids/x" -b "$b" x) ;;
	run) words+=(run --pid-file "$TMPDIR/pids/x" -b "$TMPDIR/short" x) ;;
	detached) words+=(run -d --pid-file "$TMPDIR/pids/x" -b "$b" x) ;;
	start) words+=(start x) ;;
	exec) words+=(exec --process "$TMPDIR/process.json" x) ;;
	delete) words+=(delete --force x) ;;
	kill) words+=(kill x KILL) ;;
	pause) words+=(pause x) ;;
	esac
}

# Ends by force what was left, so that one finding does not spoil all that come after it.
scrub() {
	[ ! -e "$CGROUP2/fault/deep/box" ] || echo 1 >"$CGROUP2/fault/deep/box/cgroup.kill"
	sleep 0.2
	rmdir "$CGROUP2"/fault/deep/box "$CGROUP2"/fault/deep 2>/dev/null
	rm -rf /run/caisson/x "$TMPDIR"/pids/.[!.]*
	clean_again || clean=$picture
}

# What is wrong after words ended with a status at call n, in words.
judge() {
	local verb=$1 how=$2 status=$3 n=$4
	case $status in
	124) echo "hangs" ;;
	137 | 255) ;;
	1[3-9]?) [ "$n" -le "$startup" ] || echo "crashes" ;;
	esac
	# An error that create or run told has been undone, without anybody's help. So has run's container,
	# unless it said that it could not.
	if [ "$how" != kill ]; then
		rm -f "$TMPDIR/pids/x"
		case $verb:$status in
		create:1 | detached:1 | run:1 | run:0) clean_again || echo "leaves $(clean_difference)" ;;
		esac
	fi
	# A start that was cut off has happened, or can be asked for again.
	if [ "$verb:$how" = start:kill ]; then
		case $(container_status x) in
		created) "$CAISSON" start x || echo "cannot be started again" ;;
		esac
		[ "$(container_status x)" = running ] || echo "is $(container_status x) after start"
	fi
	remove || echo "delete: $(tail -n 1 "$TMPDIR/delete.err")"
	rm -f "$TMPDIR/pids/x"
	after "$verb"
	clean_again || { echo "still there after delete: $(clean_difference)"; scrub; }
}

"$CAISSON" run -b "$TMPDIR/short" warm
clean_take

# disturb NAME VERB HOW [--child]: every point of a verb, one way.
disturb() {
	local name=$1 verb=$2 how=$3 child=${4-} last n status points=0 bad=0 said
	command_of "$verb"
	before "$verb"
	last=$(fault_count $child "${words[@]}")
	remove
	after "$verb"
	rm -f "$TMPDIR/pids/x"
	for n in $(fault_points "$last"); do
		points=$((points + 1))
		before "$verb"
		"$FAULT" $child "$how" "$n" "${words[@]}" >"$TMPDIR/out" 2>&1 </dev/null
		status=$?
		judge "$verb" "$how" $status "$n" >"$TMPDIR/said"
		[ -s "$TMPDIR/said" ] || continue
		bad=$((bad + 1))
		echo "# $verb, $how at call $n${child:+ of init}, status $status: $(tail -n 1 "$TMPDIR/out")"
		sed 's/^/#   /' "$TMPDIR/said"
	done
	t_is $bad 0 "$name ($points of $last calls)"
}

for verb in create shared start run detached exec delete kill pause; do
	disturb "$verb, killed" $verb kill
done
for error in ENOMEM EPERM EIO; do
	for verb in create shared start run exec delete; do
		disturb "$verb, $error" $verb $error
	done
done
for verb in create run exec; do
	disturb "$verb, its init killed" $verb kill --child
	disturb "$verb, ENOMEM in its init" $verb ENOMEM --child
done

# A group that others live in is refused, and they outlive whatever becomes of the attempt.
mkdir -p "$CGROUP2/fault/deep/box"
sleep 1000 &
foreign=$!
echo $foreign >"$CGROUP2/fault/deep/box/cgroup.procs"
command_of create
last=$(fault_count "${words[@]}")
for n in $(fault_points "$last"); do
	"$FAULT" kill "$n" "${words[@]}" 2>/dev/null
	remove
	kill -0 $foreign || break
done
t_ok "a process that was in the group before us outlives create, killed ($last calls), and delete" kill -0 $foreign
kill $foreign
wait $foreign 2>/dev/null
rmdir "$CGROUP2/fault/deep/box" "$CGROUP2/fault/deep" "$CGROUP2/fault"
