#!/bin/bash
# checkpoint and restore with the real criu, on a kernel that it knows.
. "$(dirname "$0")/../integration/lib.sh"
command -v criu >/dev/null || t_skip_all "criu is not installed"
criu check >"$TMPDIR/check" 2>&1 || t_skip_all "criu cannot work on this kernel: $(tail -n 1 "$TMPDIR/check")"

b=$TMPDIR/b img=$TMPDIR/img
mkdir "$TMPDIR/data"
count='i=0; while :; do i=$((i + 1)); echo $i >/data/count; sleep 0.05; done'
make_bundle "$b" args="$(json_array sh -c "$count")" \
	more_mounts="{\"destination\": \"/data\", \"type\": \"bind\", \"source\": \"$TMPDIR/data\", \"options\": [\"bind\"]}"
counted() { cat "$TMPDIR/data/count" 2>/dev/null || echo 0; }
counts_beyond() { [ "$(counted)" -gt "$1" ]; }
log_on_failure() { [ -s "$1" ] && grep -h Error "$1" | tail -n 20 | sed 's/^/# /'; }

"$CAISSON" run --detach -b "$b" c </dev/null >/dev/null 2>&1
t_is $? 0 "a container that counts"
t_ok "does so" wait_until 20 counts_beyond 3
t_ok "checkpoint" "$CAISSON" checkpoint --image-path "$img" c || log_on_failure "$img/dump.log"
log_on_failure "$img/dump.log"
t_fails_with 'container "c" does not exist' "$CAISSON" state c
stopped=$(counted)
sleep 0.3
t_is "$(counted)" "$stopped" "it counts no more"
"$CAISSON" restore --detach --image-path "$img" --pid-file "$TMPDIR/pid" -b "$b" c </dev/null >/dev/null
t_is $? 0 "restore"
log_on_failure "$img/restore.log"
t_is "$(container_status c)" running "it runs"
t_ok "and goes on where it was" wait_until 20 counts_beyond "$stopped"
t_is "$("$CAISSON" state c | json_field pid)" "$(cat "$TMPDIR/pid")" "the pid file"
t_is "$("$CAISSON" exec c sh -c 'echo $PPID; hostname')" $'0\nbox' "exec"
t_is "$(tail -n 1 "/proc/$(cat "$TMPDIR/pid")/cgroup")" "0::/caisson/c" "it is in its group"
t_ok "kill" "$CAISSON" kill c KILL
t_ok "stops" wait_until 10 status_is c stopped
t_ok "delete" "$CAISSON" delete c

"$CAISSON" run --detach -b "$b" c </dev/null >/dev/null 2>&1
t_is $? 0 "a container that is left running"
t_ok "checkpoint --leave-running" "$CAISSON" checkpoint --leave-running --image-path "$TMPDIR/img2" c
before=$(counted)
t_ok "counts on" wait_until 20 counts_beyond "$before"
"$CAISSON" delete -f c

# Pipes of the one who starts it are replaced by those of the one who restores it.
make_bundle "$b" args="$(json_array sh -c 'trap "echo bye; exit 7" TERM; echo hello; while :; do sleep 0.05; done')"
("$CAISSON" run -b "$b" c </dev/null 2>&1 | cat >"$TMPDIR/first") &
runner=$!
t_ok "a container in the foreground" wait_until 20 grep -q hello "$TMPDIR/first"
t_ok "checkpoint" "$CAISSON" checkpoint --image-path "$TMPDIR/img3" c
log_on_failure "$TMPDIR/img3/dump.log"
wait $runner
("$CAISSON" restore -b "$b" --image-path "$TMPDIR/img3" c </dev/null 2>&1; echo "code $?") | cat >"$TMPDIR/second" &
runner=$!
t_ok "restore in the foreground" wait_until 20 status_is c running
log_on_failure "$TMPDIR/img3/restore.log"
"$CAISSON" kill c TERM
wait $runner
t_is "$(cat "$TMPDIR/second")" $'bye\ncode 7' "its words and its code arrive"
t_fails_with 'container "c" does not exist' "$CAISSON" state c
rm -f /run/criu.kdat # criu's own notes about the kernel
