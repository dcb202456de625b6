#!/bin/bash
# The life of a container: exit codes, create, start, state, kill, pause, delete, list, ps.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
make_bundle "$b"

# ---- exit codes ---------------------------------------------------------------------------------
for code in 0 1 42 126 127 255; do
	run_script "$b" "exit $code"
	t_is "$status:$output:$errors" "$code::" "exit code $code is passed on"
done
make_bundle "$b" args='["sleep", "100"]'
"$CAISSON" run -b "$b" killed &
runner=$!
wait_until 10 status_is killed running
"$CAISSON" kill killed KILL
wait $runner
t_is $? 137 "death by SIGKILL is 137"
# A process that handles nothing, outside of a new pid namespace, dies of any signal.
make_bundle "$b" args='["sleep", "100"]' \
	namespaces='{"type": "mount"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}'
for signal in HUP:1 INT:2 TERM:15 USR1:10; do
	"$CAISSON" run -b "$b" "die-${signal%:*}" &
	runner=$!
	wait_until 10 status_is "die-${signal%:*}" running
	"$CAISSON" kill "die-${signal%:*}" "${signal%:*}"
	wait $runner
	t_is $? $((128 + ${signal#*:})) "death by SIG${signal%:*} is $((128 + ${signal#*:}))"
done
make_bundle "$b" args='["sh", "-c", "trap \"exit 9\" TERM; echo ready; while :; do sleep 0.1; done"]'
"$CAISSON" run -b "$b" fwd >"$TMPDIR/fwd" &
runner=$!
wait_until 10 grep -q ready "$TMPDIR/fwd"
kill -TERM $runner
wait $runner
t_is $? 9 "a signal to an attached run reaches the program"

make_bundle "$b" args='["nothing-like-this"]'
run_container "$b"
t_is "$status" 1 "a program that is not there: run fails as a runtime"
t_like "$(error_text "$errors")" 'exec: "nothing-like-this": executable file not found in \$PATH' \
	"a program that is not there is named"
make_bundle "$b" args='["/etc/passwd"]'
run_container "$b"
t_like "$status:$(error_text "$errors")" '^1:.*exec: "/etc/passwd": permission denied' \
	"a file that is not executable"
make_bundle "$b" args='["/etc"]'
run_container "$b"
t_like "$(error_text "$errors")" 'exec: "/etc": is a directory' "a directory is no program"

run_script "$b" 'echo out; echo err >&2; read x; echo "in: $x"' </dev/null
t_is "$output|$errors" $'out\nin: |err' "the three standard streams are kept apart"
make_bundle "$b" args='["cat"]'
t_is "$(echo "through the pipe" | "$CAISSON" run -b "$b" pipe)" "through the pipe" "standard input"

# ---- create, start, kill, delete ----------------------------------------------------------------
make_bundle "$b" args='["sh", "-c", "echo started; exec sleep 1000"]' \
	top='"annotations": {"org.example.key": "value \"x\""}'
t_ok "create" "$CAISSON" create -b "$b" --pid-file "$TMPDIR/pid" c1
state=$("$CAISSON" state c1)
t_is "$(json_field id <<<"$state")" c1 "state: id"
t_is "$(json_field status <<<"$state")" created "state: created"
t_is "$(json_field pid <<<"$state")" "$(cat "$TMPDIR/pid")" "state and pid file agree"
t_is "$(json_field bundle <<<"$state")" "$b" "state: bundle"
t_like "$state" '"org.example.key": "value \\"x\\""' "state: annotations"
t_like "$(json_field ociVersion <<<"$state")" '^1\.[0-9]+\.[0-9]+$' "state: version"
pid=$(cat "$TMPDIR/pid")
# It runs from a view of the runtime's binary that no mount namespace has, whose path is "/".
t_is "$(readlink "/proc/$pid/exe"):$(cat "/proc/$pid/comm")" "/:caisson" \
	"before start there is no program of the user"
t_fails_with 'container with id "c1" already exists' "$CAISSON" create -b "$b" c1
t_ok "start" "$CAISSON" start c1
t_is "$(container_status c1)" running "state: running"
t_like "$(readlink "/proc/$pid/exe")" 'busybox$' "after start the same process is the program"
t_like "$("$CAISSON" delete c1 2>&1)" 'c1.*running' "a running one is not deleted without --force"
t_is "$(container_status c1)" running "and still runs"
t_fails_with 'cannot start an already running container: "c1"' "$CAISSON" start c1
t_like "$("$CAISSON" list)" "c1 +$pid +running +$b" "list shows it"
t_is "$("$CAISSON" list -q)" c1 "list -q shows ids"
t_like "$("$CAISSON" list -f json)" '^\[\{.*"id":"c1".*\}\]$' "list as JSON"
t_is "$("$CAISSON" ps --format json c1)" "[$pid]" "ps as JSON"
t_like "$("$CAISSON" ps c1)" "sleep 1000" "ps as a table"

cgroup=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
t_is "$cgroup" /caisson/c1 "without cgroupsPath the group is /caisson/ID"
t_ok "pause" "$CAISSON" pause c1
t_is "$(container_status c1)" paused "state: paused"
t_like "$(cat "$CGROUP2/caisson/c1/cgroup.events")" "frozen 1" "the group is frozen"
t_fails_with 'cannot exec in a paused container' "$CAISSON" exec c1 true
t_ok "resume" "$CAISSON" resume c1
t_is "$(container_status c1)" running "state: running again"
t_ok "kill with a number" "$CAISSON" kill c1 9
t_ok "the container stops" wait_until 10 status_is c1 stopped
t_fails_with 'container not running' "$CAISSON" kill c1 TERM
t_fails_with 'cannot start a container that has stopped: "c1"' "$CAISSON" start c1
t_fails_with 'cannot exec in a container that is not running' "$CAISSON" exec c1 true
t_ok "delete" "$CAISSON" delete c1
t_fails_with 'container "c1" does not exist' "$CAISSON" state c1
t_fails_with 'container "c1" does not exist' "$CAISSON" delete c1
t_ok "delete --force of nothing is a success" "$CAISSON" delete --force c1
t_ok "the group is gone" test ! -e "$CGROUP2/caisson/c1"

t_ok "create another" "$CAISSON" create -b "$b" c2
t_ok "delete --force of a created one" "$CAISSON" delete --force c2
t_ok "run --detach" "$CAISSON" run --detach -b "$b" c3
t_is "$(container_status c3)" running "a detached one runs"
t_ok "delete --force of a running one" "$CAISSON" delete --force c3

make_bundle "$b" args='["true"]' linux='"cgroupsPath": "/deep/er/group"'
t_ok "run with cgroupsPath" "$CAISSON" run -b "$b" c4
t_ok "its group is gone afterwards" test ! -e "$CGROUP2/deep/er/group"
rmdir "$CGROUP2/deep/er" "$CGROUP2/deep" 2>/dev/null

# kill --all reaches children that outlive the program where no pid namespace ends them.
make_bundle "$b" args='["sh", "-c", "sleep 1000 & sleep 1001 & wait"]' \
	hostname=null namespaces='{"type": "mount"}'
"$CAISSON" run -d -b "$b" c5
pid=$("$CAISSON" state c5 | json_field pid)
wait_until 10 eval 'test "$("$CAISSON" ps --format json c5 | tr -cd , | wc -c)" = 2'
t_ok "kill --all" "$CAISSON" kill --all c5 KILL
t_ok "all are gone" wait_until 10 status_is c5 stopped
t_ok "delete after kill --all" "$CAISSON" delete c5
"$CAISSON" run -d -b "$b" c6
"$CAISSON" kill c6 KILL
wait_until 10 status_is c6 stopped
t_ok "delete kills what the program left" "$CAISSON" delete c6

# ---- roots, ids ---------------------------------------------------------------------------------
make_bundle "$b" args='["sleep", "1000"]'
t_ok "another --root" "$CAISSON" --root "$TMPDIR/root" run -d -b "$b" r1
t_fails_with 'container "r1" does not exist' "$CAISSON" state r1
t_is "$("$CAISSON" --root "$TMPDIR/root" list -q)" r1 "worlds are apart"
t_ok "delete there" "$CAISSON" --root "$TMPDIR/root" delete -f r1
(cd "$b" && t_ok "the bundle is the working directory" "$CAISSON" run -d here)
t_number=$((t_number + 1))
t_ok "delete it" "$CAISSON" delete -f here
long=$(printf 'a%.0s' {1..300})
for id in '' .. . a/b 'a b' "$long"; do
	make_bundle "$b"
	"$CAISSON" run -b "$b" "$id" 2>"$TMPDIR/e"
	t_like "$?:$(error_text "$(cat "$TMPDIR/e")")" '^1:.*id' "a bad id is refused: \"${id:0:10}\""
done
t_is "$("$CAISSON" list -q)" "" "nothing is left in the list"
