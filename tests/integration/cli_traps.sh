#!/bin/bash
# What clients of OCI runtimes call, word by word, and what they trip over: spelling of options,
# an empty environment, descriptors that leak in, texts and files that they parse.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
sleeper='["sleep", "100"]'
make_bundle "$b" args="$sleeper"

# ---- podman by way of conmon ---------------------------------------------------------------------
log=$TMPDIR/log.json pid_file=$TMPDIR/pid
conmon() { env -i PATH="$PATH" HOME=/ XDG_RUNTIME_DIR= "$CAISSON" --log-format=json --log "$log" "$@"; }
t_ok "conmon: create" conmon create --bundle "$b" --pid-file "$pid_file" c
t_is "$(wc -l <"$pid_file")" 0 "the pid file has no newline"
t_is "$(cat "/proc/$(cat "$pid_file")/comm")" caisson "and is complete when create returns"
t_is "$(sed 's/.*) //' "/proc/$(cat "$pid_file")/stat" | cut -d' ' -f2)" 1 \
	"the container's parent is the nearest reaper, not the runtime"
t_ok "podman: start, without any environment" env -i "$CAISSON" start c
cat >"$TMPDIR/process.json" <<-END
	{"args": ["sh", "-c", "echo \$X >/tmp/out"], "cwd": "/", "env": ["PATH=/bin", "X=exec"],
	 "user": {"uid": 0, "gid": 0}, "capabilities": {}}
END
t_ok "conmon: exec" conmon exec --pid-file "$TMPDIR/exec-pid" --process "$TMPDIR/process.json" --detach c
t_ok "runs it" wait_until 5 test -s "$b/rootfs/tmp/out"
t_is "$(cat "$b/rootfs/tmp/out")" exec "as the file says"
t_ok "pause, resume" eval 'env -i "$CAISSON" pause c && env -i "$CAISSON" resume c'
t_ok "a signal as a number after the id" env -i "$CAISSON" kill c 9
t_ok "stops it" wait_until 5 status_is c stopped
t_fails_with 'container not running' env -i "$CAISSON" kill c 15
t_ok "delete --force" env -i "$CAISSON" delete --force c
t_ok "and once more" env -i "$CAISSON" delete --force c

# ---- containerd's shim ---------------------------------------------------------------------------
root=$TMPDIR/shim-root
shim() { "$CAISSON" --root "$root" --log "$log" --log-format json "$@" 7</dev/zero; }
t_ok "shim: create" shim create --bundle "$b" --pid-file "$pid_file" c
t_ok "shim: start" shim start c
t_is "$(ls -l "/proc/$(cat "$pid_file")/fd" | grep -c zero)" 0 "a descriptor that the shim leaks is closed"
t_ok "shim: exec" shim exec --process "$TMPDIR/process.json" --detach --pid-file "$TMPDIR/exec-pid" c
t_like "$(shim ps --format json c)" '^\[[0-9,]+\]$' "shim: ps is an array of pids"
t_ok "shim: update from standard input, with the deny-all rule of CRI" shim update --resources - c \
	<<<'{"devices": [{"allow": false, "access": "rwm"}], "cpu": {"shares": 0}, "memory": {"limit": 0}, "pids": null}'
t_ok "which takes no device away" shim exec c sh -c 'echo x >/dev/null'
t_ok "shim: kill --all" shim kill --all c 9
t_ok "stops it" wait_until 5 eval '[ "$(shim state c | json_field status)" = stopped ]'
t_is "$(shim state c | json_field pid)" 0 "the pid of a stopped container is 0"
t_ok "shim: kill --all of a stopped one" shim kill --all c 9
t_ok "shim: delete" shim delete c
t_ok "shim: delete --force of what is gone" shim delete --force c
: >"$log"
shim start nosuch 2>"$TMPDIR/plain"
t_like "$(tail -n 1 "$log")" '^\{"level":"error","msg":"container \\"nosuch\\" does not exist","time":"[^"]+"\}$' \
	"the last line of the log is the error"
t_is "$(cat "$TMPDIR/plain")" 'container "nosuch" does not exist' "also on standard error"
: >"$log"
shim nosuch 2>"$TMPDIR/plain"
t_like "$(head -n 1 "$TMPDIR/plain")" '^unknown command "nosuch"$' "also for a command that there is not"

# ---- Docker, CRI-O, buildah ----------------------------------------------------------------------
version=$("$CAISSON" --version)
t_like "$version" $'^caisson version [0-9.]+\ncommit: [^\n]+\nspec: [0-9.]+' "--version as dockerd parses it"
cat >"$TMPDIR/tty.json" <<-END
	{"args": ["sh", "-c", "tty; stty size"], "cwd": "/", "env": ["PATH=/bin"], "terminal": true,
	 "user": {"uid": 0, "gid": 0}}
END
"$CAISSON" run --detach -b "$b" c
t_is "$("$CAISSON" exec --process "$TMPDIR/tty.json" c </dev/null | tr -d '\r' | head -n 1)" /dev/pts/0 \
	"CRI-O: exec with a terminal and no console socket makes the terminal itself"
t_is "$(echo in | "$CAISSON" exec c cat)" in "CRI-O: exec in the foreground has the caller's streams"
cat >"$TMPDIR/more.json" <<-'END'
	{"args": ["sh", "-c", "echo $X $Y $(id -u) $(pwd)"], "cwd": "/", "env": ["PATH=/bin", "X=file"],
	 "user": {"uid": 0, "gid": 0}}
END
t_is "$("$CAISSON" exec --env Y=more -u 1000 --cwd /tmp --process "$TMPDIR/more.json" c)" "file more 1000 /tmp" \
	"options go before what --process says"
state=$("$CAISSON" state c)
for field in ociVersion id pid status bundle rootfs created owner; do
	t_like "$state" "\"$field\": " "buildah and CRI-O read $field from the state"
done
t_like "$(json_field created <<<"$state")" '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,9})?Z$' "created is RFC 3339"
exec_group=$CGROUP2/caisson/c/sub
mkdir "$exec_group"
t_is "$("$CAISSON" exec --cgroup sub c cat /proc/self/cgroup | tail -n 1)" 0::/sub "exec --cgroup PATH"
t_is "$("$CAISSON" exec --cgroup cpu,memory:sub --cgroup pids:sub c cat /proc/self/cgroup | tail -n 1)" 0::/sub \
	"exec --cgroup CONTROLLERS:PATH"
t_fails_with 'option --cgroup: "sub" and "other": cgroup v2 has one group for all controllers' \
	"$CAISSON" exec --cgroup cpu:sub --cgroup pids:other c true
t_fails_with 'option --cgroup: expected PATH or CONTROLLERS:PATH, not ":sub"' "$CAISSON" exec --cgroup :sub c true
rmdir "$exec_group"
long=()
for i in {1..70}; do long+=(-o "pid=PID"); done
t_is "$("$CAISSON" ps c "${long[@]}" 2>&1 | head -n 1 | wc -w)" 70 "ps hands all its options on"

# ---- spelling ------------------------------------------------------------------------------------
"$CAISSON" delete -f c
t_ok "options may follow the id" "$CAISSON" create c --bundle="$b"
t_ok "delete ID --force" "$CAISSON" delete c --force
t_ok "--option=value and --option value" "$CAISSON" --root="$root" --log-level error run --detach --bundle="$b" c
t_ok "--flag=true" "$CAISSON" --root "$root" delete --force=true c
t_fails_with 'option --force: expected true or false, not "maybe"' "$CAISSON" delete --force=maybe c
t_fails_with 'delete: expected no more than CONTAINER' "$CAISSON" delete c d
"$CAISSON" run --detach -b "$b" c
for signal in WINCH SIGWINCH winch 28; do
	t_ok "kill ID $signal" "$CAISSON" kill c $signal
done
"$CAISSON" delete -f c

# ---- what the caller is must not be seen inside --------------------------------------------------
make_bundle "$b" args='["grep", "SigIgn", "/proc/self/status"]'
t_is "$(trap '' PIPE HUP USR1; "$CAISSON" run -b "$b" c)" $'SigIgn:\t0000000000000000' "ignored signals are not inherited"
run_script "$b" 'ls /proc/self/fd | wc -l'
t_is "$output" 4 "no descriptor but the standard ones (and ls's own)"
make_bundle "$b" args='["sh", "-c", "ls /proc/self/fd | wc -l"]'
t_is "$("$CAISSON" run -b "$b" c 3</dev/null 7</dev/null 9</dev/null)" 4 "whatever the caller leaks"
make_bundle "$b" args='["env"]' env='["PATH=/bin"]'
t_is "$(SECRET=1 "$CAISSON" run -b "$b" c | sort)" $'HOME=/root\nPATH=/bin' "nothing of the caller's environment"
t_is "$(cd / && "$CAISSON" run -b "$b" c 3>&- <&- >"$TMPDIR/.output"; echo $?)" 0 "a closed standard input"

# ---- no CAP_SYS_RESOURCE, as in many a container host --------------------------------------------
less() { setpriv --inh-caps=-sys_resource --bounding-set=-sys_resource "$@"; }
limits='[{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]'
make_bundle "$b" args='["sh", "-c", "ulimit -n; ulimit -Hn"]' user='{"uid": 1000, "gid": 1000}' rlimits="$limits"
t_is "$(less "$CAISSON" run -b "$b" c)" $'100\n200' "rlimits of another user"
make_bundle "$b" args="$sleeper" user='{"uid": 1000, "gid": 1000}' rlimits="$limits"
t_ok "also by create" less "$CAISSON" create -b "$b" c
t_like "$(cat "/proc/$("$CAISSON" state c | json_field pid)/limits")" 'Max open files +100 +200' "are in force"
less "$CAISSON" start c
t_is "$(less "$CAISSON" exec c sh -c 'ulimit -n')" 100 "and by exec"
"$CAISSON" delete -f c
make_bundle "$b" args='["sh", "-c", "ulimit -l"]' rlimits='[{"type": "RLIMIT_MEMLOCK", "soft": 18446744073709551615, "hard": 18446744073709551615}]'
less prlimit --memlock=65536:65536 "$CAISSON" run -b "$b" c >"$TMPDIR/.output" 2>"$TMPDIR/.errors"
t_is "$?:$(cat "$TMPDIR/.output")" 0:64 "a limit that cannot be raised is no failure"
t_like "$(cat "$TMPDIR/.errors")" 'level=warning msg="process.rlimits: RLIMIT_MEMLOCK cannot be raised' "but a warning"
all='["CAP_SYS_RESOURCE", "CAP_KILL"]'
make_bundle "$b" args='["grep", "CapEff", "/proc/self/status"]' caps="{\"bounding\": $all, \"effective\": $all, \"permitted\": $all}"
less "$CAISSON" run -b "$b" c >"$TMPDIR/.output" 2>"$TMPDIR/.errors"
t_like "$?:$(cat "$TMPDIR/.output")" '^0:CapEff:.*0000000000000020$' "a capability that we lack is left out"
t_like "$(cat "$TMPDIR/.errors")" 'level=warning .*CAP_SYS_RESOURCE.* cannot be given' "and named"

# ---- groups --------------------------------------------------------------------------------------
make_bundle "$b" args='["cat", "/proc/self/cgroup"]' namespaces='{"type": "pid"}, {"type": "mount"}, {"type": "uts"}'
own=$(tail -n 1 /proc/self/cgroup)
t_is "$("$CAISSON" --cgroup-manager=disabled run -b "$b" c | tail -n 1)" "$own" "--cgroup-manager disabled: the caller's group"
make_bundle "$b" args="$sleeper"
t_ok "a container without a group" "$CAISSON" --cgroup-manager disabled run --detach --pid-file "$pid_file" -b "$b" c
t_is "$("$CAISSON" ps -f json c)" "[$(cat "$pid_file")]" "ps knows its init"
t_is "$(echo in | "$CAISSON" exec c cat)" in "exec"
t_fails_with 'container "c" was made without a cgroup of its own' "$CAISSON" pause c
t_fails_with 'container "c" was made without a cgroup of its own' "$CAISSON" exec --cgroup sub c true
t_fails_with 'container "c" was made without a cgroup of its own' "$CAISSON" events --stats c
t_ok "kill --all signals no stranger" "$CAISSON" kill --all c TERM
t_ok "delete --force" "$CAISSON" delete --force c
t_fails_with '--cgroup-manager: expected cgroupfs, systemd or disabled, not "x"' "$CAISSON" --cgroup-manager x list

# ---- hooks as Docker uses them -------------------------------------------------------------------
make_bundle "$b" args='["true"]' hooks="{\"prestart\": [{\"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\",
	\"cat >$TMPDIR/state; pid=\$(sed -n 's/.*\\\"pid\\\": *\\\\([0-9]*\\\\).*/\\\\1/p' $TMPDIR/state); readlink /proc/\$pid/ns/net >$TMPDIR/net; readlink /proc/self/ns/net >$TMPDIR/own\"],
	\"env\": [\"PATH=$PATH\"]}]}"
t_ok "a prestart hook" "$CAISSON" run -b "$b" c
t_is "$(cat "$TMPDIR/own")" "$(readlink /proc/self/ns/net)" "runs in the runtime's namespaces"
t_like "$(cat "$TMPDIR/net")" '^net:\[' "with the container's pid in its state"
t_is "$([ "$(cat "$TMPDIR/net")" != "$(cat "$TMPDIR/own")" ] && echo differ)" differ "whose network namespace exists already"
