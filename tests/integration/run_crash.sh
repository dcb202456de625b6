#!/bin/bash
# The runtime is killed at random moments: what it left can be deleted, and then nothing is left.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
make_bundle "$b" args='["sleep", "1000"]' linux='"cgroupsPath": "/crash/box"'
mkdir "$CGROUP2/crash"
"$CAISSON" run -d -b "$b" warm && "$CAISSON" delete -f warm
snapshot "$TMPDIR/clean"

# How long an undisturbed create takes says where to aim.
begin=${EPOCHREALTIME/./}
"$CAISSON" create -b "$b" aim
took=$((${EPOCHREALTIME/./} - begin))
"$CAISSON" delete -f aim

rounds=${CSN_CRASH_ROUNDS:-60}
created=0 stuck=0 broken=0
for ((i = 0; i < rounds; i++)); do
	verb=create
	[ $((i % 3)) != 0 ] || verb='run -d'
	delay=$((1 + took * i / rounds))
	timeout -s KILL "$(printf '0.%06d' $delay)" "$CAISSON" $verb -b "$b" "crash$i" 2>/dev/null
	[ -z "$(container_status "crash$i")" ] || created=$((created + 1))
	timeout 20 "$CAISSON" delete --force "crash$i" 2>"$TMPDIR/e" || {
		stuck=$((stuck + 1))
		echo "# delete after $delay us: $(cat "$TMPDIR/e")"
	}
	# The same id and group serve again at once.
	timeout 20 "$CAISSON" run -d -b "$b" "crash$i" 2>"$TMPDIR/e" || {
		broken=$((broken + 1))
		echo "# run again after $delay us: $(cat "$TMPDIR/e")"
	}
	"$CAISSON" delete --force "crash$i" 2>/dev/null
done
echo "# $rounds rounds within $took us, $created had a state"
t_is $stuck 0 "delete --force cleans up after a runtime that was killed"
t_is $broken 0 "the id can be used again"
t_is "$("$CAISSON" list -q)" "" "nothing is listed"
t_unchanged "nothing is left" "$TMPDIR/clean"

# delete itself is killed, too.
stuck=0
for ((i = 0; i < rounds / 3; i++)); do
	"$CAISSON" run -d -b "$b" "del$i"
	timeout -s KILL "$(printf '0.%06d' $((1 + took * i * 3 / rounds)))" \
		"$CAISSON" delete --force "del$i" 2>/dev/null
	timeout 20 "$CAISSON" delete --force "del$i" 2>"$TMPDIR/e" || {
		stuck=$((stuck + 1))
		echo "# second delete: $(cat "$TMPDIR/e")"
	}
done
t_is $stuck 0 "a second delete finishes what a killed one began"
t_is "$("$CAISSON" list -q)" "" "nothing is listed after killed deletes"
t_unchanged "nothing is left after killed deletes" "$TMPDIR/clean"

# An attached run is killed while the program runs: the container can still be found and removed.
"$CAISSON" run -b "$b" attached &
victim=$!
wait_until 10 status_is attached running
kill -KILL $victim
wait $victim 2>/dev/null
t_is "$(container_status attached)" running "the program survives the runtime"
t_ok "and can be deleted" "$CAISSON" delete --force attached
rmdir "$CGROUP2/crash"
