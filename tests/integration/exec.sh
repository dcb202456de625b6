#!/bin/bash
# exec: as right as run. What the process of a container gets, one more gets too; what is asked for
# it alone it gets alone.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
make_bundle "$b"
in_box() { # runs it in "box"; output and errors are together
	"$CAISSON" exec "$@" 2>&1
}
start() { # NAME=JSON...: "box" anew
	"$CAISSON" delete -f box
	make_bundle "$b" args='["sleep", "1000"]' "$@"
	t_ok "a container to exec in" "$CAISSON" run -d -b "$b" box
}
printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1001:user:/home/user:/bin/sh\nbad:x:0x0:0::/:\n' >"$b/rootfs/etc/passwd"
printf 'root:x:0:\nstaff:x:1001:\nextra:x:2000:root,user\nmore:x:2001:user\n' >"$b/rootfs/etc/group"
mkdir -p "$b/rootfs/home/user" "$b/rootfs/work"

# ---- users --------------------------------------------------------------------------------------
start user='{"uid": 7, "gid": 8, "additionalGids": [9]}' cwd='"/work"' env='["PATH=/bin", "A=1"]'
who='echo $(id -u) $(id -g) $(id -G) $HOME $PWD $A'
t_is "$(in_box box sh -c "$who")" "7 8 8 9 / /work 1" "as the container's own process"
t_is "$(in_box --user 5 box sh -c "$who")" "5 0 0 9 / /work 1" "a user by number"
t_is "$(in_box --user 1000:5 box sh -c "$who")" "1000 5 5 9 /home/user /work 1" "and group; HOME is the user's"
t_is "$(in_box --user user box sh -c "$who")" "1000 1001 1001 2000 2001 /home/user /work 1" "a user by name, with the groups of the name"
t_is "$(in_box --user user:extra box sh -c "$who")" "1000 2000 2000 /home/user /work 1" "a name and a group: that group only"
t_is "$(in_box --user root -g 77 -g 78 box sh -c "$who")" "0 0 0 77 78 2000 /root /work 1" "additional groups come on top"
t_is "$(in_box -e HOME=/mine box sh -c 'echo $HOME')" /mine "HOME that is given stays"
for name in nobody bad; do
	t_fails_with "user \"$name\": not in the image's /etc/passwd" "$CAISSON" exec --user $name box true
done
t_fails_with "user \"user:nobody\": group \"nobody\" is not in the image's /etc/group" "$CAISSON" exec --user user:nobody box true
t_fails_with 'user "-1": the user is neither a number from 0 to 4294967294 nor a name' "$CAISSON" exec --user -1 box true
rm "$b/rootfs/etc/passwd"
echo linked:x:2002:0::/: >"$b/rootfs/etc/elsewhere"
ln -s /etc/elsewhere "$b/rootfs/etc/passwd"
t_is "$(in_box --user linked box id -u)" 2002 "the files are looked for inside the container, links too"
rm "$b/rootfs/etc/passwd"
mkfifo "$b/rootfs/etc/passwd"
t_fails_with "user \"root\": not in the image's /etc/passwd" timeout 10 "$CAISSON" exec --user root box true
rm "$b/rootfs/etc/passwd"

# ---- directory, environment, exit codes ---------------------------------------------------------
t_is "$(in_box --cwd /home box pwd)" /home "--cwd"
t_fails_with 'process.cwd: "/not/there": No such file or directory' "$CAISSON" exec --cwd /not/there box true
t_ok "and it is not made" test ! -e "$b/rootfs/not"
t_is "$(in_box -e B=2 -e A=3 box sh -c 'echo $A $B')" "3 2" "--env adds and replaces"
for code in 0 1 42 126 255; do
	in_box box sh -c "exit $code"
	t_is $? $code "exit code $code"
done
in_box box sh -c 'kill -TERM $$'
t_is $? 143 "the end by a signal"
in_box box /not/there >/dev/null
t_is $? 255 "a program that is not there"
in_box -d --pid-file "$TMPDIR/pid" box sleep 1000 >/dev/null
t_is "$(cat "/proc/$(cat "$TMPDIR/pid")/comm")" sleep "--detach and --pid-file"

# ---- what the container has ---------------------------------------------------------------------
caps='{"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]}'
start caps="$caps" nnp=false rlimits='[{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]' \
	user='{"uid": 0, "gid": 0, "umask": 63}' namespaces="$default_namespaces, {\"type\": \"time\"}" \
	process='"oomScoreAdj": 321, "scheduler": {"policy": "SCHED_BATCH", "nice": 4}, "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6}' \
	linux='"timeOffsets": {"boottime": {"secs": 86400000}}, "personality": {"domain": "LINUX32"},
		"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}'
all='sed -n "s/^\(Cap...\|NoNewPrivs\|Seccomp\):[ \t]*//p" /proc/self/status; ulimit -n; ulimit -Hn; umask
	cat /proc/self/oom_score_adj; awk "{ print \$41, \$19 }" /proc/self/stat; busybox ionice -p $$; uname -m
	cut -d . -f 1 /proc/uptime | grep -c "^864....." ; mkdir /tmp/x 2>&1'
got=$(in_box box sh -c "$all")
for pair in caps:1,5p privileges:6,7p limits:8,10p; do
	t_is "$(sed -n "${pair#*:}" <<<"$got")" "$(sed -n "${pair#*:}" <<<"0000000000000000
0000000000000020
0000000000000020
0000000000000020
0000000000000000
0
2
100
200
0077")" "exec has the container's ${pair%:*}"
done
t_is "$(sed -n 11,12p <<<"$got")" $'321\n3 4' "and its OOM score and scheduling"
t_is "$(sed -n 13p <<<"$got")" "best-effort: prio 6" "and its I/O priority"
t_like "$(sed -n 14p <<<"$got")" '^i[0-9]86$' "and its personality"
t_is "$(sed -n 15p <<<"$got")" 1 "and its time namespace"
t_like "$(sed -n 16p <<<"$got")" 'No space left' "and its seccomp filter"
t_is "$(in_box --cap CAP_CHOWN box sed -n 's/^CapEff:[ \t]*//p' /proc/self/status)" 0000000000000021 "--cap adds one"
t_is "$(in_box --no-new-privs box sed -n 's/^NoNewPrivs:[ \t]*//p' /proc/self/status)" 1 "--no-new-privs"
pid=$("$CAISSON" state box | json_field pid)
for ns in pid net ipc uts mnt cgroup time; do
	t_is "$(in_box box readlink "/proc/self/ns/$ns")" "$(readlink "/proc/$pid/ns/$ns")" "exec is in its $ns namespace"
done

# ---- labels, descriptors, terminal --------------------------------------------------------------
if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
	t_like "$(in_box --apparmor no-such-profile box true)" 'process.apparmorProfile: No such file' "an AppArmor profile that is not loaded"
else
	t_fails_with 'process.apparmorProfile: AppArmor is not enabled on this host' "$CAISSON" exec --apparmor some box true
fi
[ -e /sys/fs/selinux/enforce ] ||
	t_fails_with 'process.selinuxLabel: SELinux is not enabled on this host' "$CAISSON" exec --process-label a:b:c:d box true
t_is "$("$CAISSON" exec --preserve-fds 1 box cat /proc/self/fd/3 3<<<kept 7<<<not)" kept "--preserve-fds"
t_is "$("$CAISSON" exec box ls /proc/self/fd 7<<<not | tr '\n' ' ')" "0 1 2 3 " "and no other descriptor"
t_is "$(script -qec "stty rows 31 cols 99; '$CAISSON' exec -t box stty size" /dev/null </dev/null | tr -cd '0-9 ')" "31 99" \
	"--tty has the size of the caller's terminal"
t_is "$(in_box --tty box sh -c 'test -t 0 && test -t 1 && tty' </dev/null | tr -d '\r')" /dev/pts/0 "a terminal of the container"

# ---- states -------------------------------------------------------------------------------------
"$CAISSON" pause box
t_fails_with 'cannot exec in a paused container' "$CAISSON" exec box true
"$CAISSON" exec -d --ignore-paused --pid-file "$TMPDIR/pid" box sleep 1002 &
waiting=$!
sleep 0.3
"$CAISSON" resume box
wait $waiting
t_is $? 0 "--ignore-paused: it starts when the container goes on"
"$CAISSON" kill box KILL
wait_until 10 status_is box stopped
t_fails_with 'cannot exec in a container that is not running' "$CAISSON" exec box true
"$CAISSON" delete box
t_fails_with 'container "box" does not exist' "$CAISSON" exec box true
make_bundle "$b" args='["sleep", "1000"]'
"$CAISSON" create -b "$b" box
t_is "$(in_box box echo early)" early "a created container can be entered before its start"
"$CAISSON" delete -f box
rm -rf /run/caisson/.cache
