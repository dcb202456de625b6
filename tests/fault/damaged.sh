#!/bin/bash
# Records that a disk, or an editor, has damaged: the others are still listed, and `delete --force`
# takes the container away with all that it has.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
mkdir "$TMPDIR/pids"
make_bundle "$b" args='["sleep", "1000"]'
make_bundle "$TMPDIR/named" args='["sleep", "1000"]' linux='"cgroupsPath": "/fault/by-name/pod-x.scope"' rootfs="\"$b/rootfs\""
make_bundle "$TMPDIR/other" args='["sleep", "1000"]' linux='"cgroupsPath": "/fault/theirs"' rootfs="\"$b/rootfs\""
"$CAISSON" run -d -b "$b" well
clean_take

# damage HOW: of the record of x.
damage() {
	local file=/run/caisson/x/state.json
	case $1 in
	cut-*) truncate -s "${1#cut-}" $file ;;
	missing) rm $file ;;
	directory) rm $file && mkdir $file ;;
	fifo) rm $file && mkfifo $file ;;
	binary) head -c 400 /dev/urandom >$file ;;
	link) ln -sf /dev/zero $file ;;
	both) rm $file && : >/run/caisson/x/config.json ;;
	esac
}
size=$("$CAISSON" create -b "$b" x && stat -c %s /run/caisson/x/state.json && "$CAISSON" delete x)
bad=0 tries=0
for how in missing directory fifo binary link both $(seq -f 'cut-%g' 0 23 "$size"); do
	for verb in create 'run -d'; do
		"$CAISSON" $verb -b "$b" x
		damage "$how"
		tries=$((tries + 1))
		said=$(timeout 5 "$CAISSON" list -q 2>/dev/null)
		[[ $said = well* ]] || { bad=$((bad + 1)); echo "# $how: list says $said"; }
		timeout 20 "$CAISSON" delete --force x 2>"$TMPDIR/e" || { bad=$((bad + 1)); echo "# $how: $(cat "$TMPDIR/e")"; }
		clean_again || { bad=$((bad + 1)); echo "# $how: $verb left $(clean_difference)"; clean=$picture; }
	done
done
t_is $bad 0 "damaged in $tries ways: listed around, and deleted with all that was there"

# By its own path in the config, if the container's name is in it.
"$CAISSON" run -d -b "$TMPDIR/named" x
damage missing
"$CAISSON" delete --force x 2>"$TMPDIR/e"
t_is "$(error_text "$(sed 's/warning/error/' "$TMPDIR/e")")" 'container "x": its record is damaged: removed by its config' \
	"a group that is named after the container is its own"
t_ok "it is gone" [ ! -e "$CGROUP2/fault/by-name/pod-x.scope" ]
"$CAISSON" run -d -b "$TMPDIR/other" x
damage missing
"$CAISSON" delete --force x 2>"$TMPDIR/e"
t_is "$(error_text "$(sed 's/warning/error/' "$TMPDIR/e")")" \
	'container "x": its record is damaged: removed, but for cgroup "/fault/theirs", which may be another'"'s" \
	"a group that is not is left, and told"
echo 1 >"$CGROUP2/fault/theirs/cgroup.kill"
wait_until 5 rmdir "$CGROUP2/fault/theirs"
rmdir "$CGROUP2/fault"
"$CAISSON" delete --force well

# What the kernel refuses to read for a moment is not damaged: nothing is thrown away.
"$CAISSON" run -d -b "$b" x
strace -o /dev/null -e trace=openat -e inject=openat:error=EMFILE:when=3+ "$CAISSON" delete --force x 2>/dev/null
t_is $? 1 "delete without descriptors fails"
t_is "$(container_status x)" running "and has thrown nothing away"
"$CAISSON" delete --force x
