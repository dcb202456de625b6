#!/bin/bash
# What the program of a container is: user, groups, capabilities, limits, environment, directory,
# terminal; and the same for exec.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
make_bundle "$b"
status_field() { # FIELD: of /proc/self/status in the container, with make_bundle pieces
	local field=$1
	shift
	make_bundle "$b" args="[\"sed\", \"-n\", \"s/^$field:[ \\\\t]*//p\", \"/proc/self/status\"]" "$@"
	run_container "$b"
	[ -z "$errors" ] || echo "# $errors" >&2
}

# ---- user and groups ----------------------------------------------------------------------------
run_script "$b" 'id -u; id -g; id -G' user='{"uid": 1000, "gid": 1001, "additionalGids": [7, 2000]}'
t_is "$output" $'1000\n1001\n1001 7 2000' "uid, gid and additional groups"
run_script "$b" 'id -G' user='{"uid": 0, "gid": 0}'
t_is "$output" 0 "the caller's groups are not kept"
run_script "$b" 'touch /tmp/x; stat -c %a /tmp/x' user='{"uid": 0, "gid": 0, "umask": 63}'
t_is "$output" 600 "umask"
run_script "$b" 'touch /tmp/y; stat -c %a /tmp/y'
t_is "$output" 644 "without umask it is 022"
run_script "$b" 'stat -c "%u %g" /proc/self/fd/1 >/dev/null && echo still open' \
	user='{"uid": 1000, "gid": 1000}'
t_is "$output" "still open" "standard output can be used by another user"

# ---- capabilities -------------------------------------------------------------------------------
none=0000000000000000
status_field CapEff
t_is "$output" 0000000020000420 "effective capabilities are those of the config"
status_field CapBnd
t_is "$output" 0000000020000420 "the bounding set"
status_field CapInh
t_is "$output" $none "the inheritable set is empty unless asked for"
status_field CapAmb
t_is "$output" $none "the ambient set is empty unless asked for"
all='["CAP_CHOWN", "CAP_KILL"]'
status_field CapAmb user='{"uid": 1000, "gid": 1000}' \
	caps="{\"bounding\": $all, \"effective\": $all, \"permitted\": $all, \"inheritable\": $all,
		\"ambient\": $all}"
t_is "$output" 0000000000000021 "ambient capabilities of another user"
status_field CapEff user='{"uid": 1000, "gid": 1000}'
t_is "$output" $none "another user has none without ambient ones"
status_field CapPrm caps='{}'
t_is "$output" $none "no capabilities at all"
status_field CapBnd caps='{}'
t_is "$output" $none "an empty bounding set"
# The runtime specification wants a warning, not a failure.
run_script "$b" 'echo ran' caps='{"bounding": ["CAP_NOT_THERE"]}'
t_is "$status:$output" "0:ran" "an unknown capability does not stop the container"
t_like "$errors" 'level=warning msg="process.capabilities.bounding: unknown capability ..CAP_NOT_THERE.": left out"' \
	"but is told"

# ---- no_new_privs, rlimits, oom score, nice -----------------------------------------------------
status_field NoNewPrivs
t_is "$output" 1 "no_new_privs"
status_field NoNewPrivs nnp=false
t_is "$output" 0 "no no_new_privs"
run_script "$b" 'ulimit -n; ulimit -Hn; ulimit -c' rlimits='[
	{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]'
t_is "$output" $'100\n200\n0' "rlimits, soft and hard"
run_script "$b" 'ulimit -c; ulimit -v' rlimits='[
	{"type": "RLIMIT_CORE", "soft": 18446744073709551615, "hard": 18446744073709551615}]'
if [ "$(ulimit -Hc)" = unlimited ]; then
	t_is "${output%%$'\n'*}" unlimited "an rlimit of 2^64-1 is unlimited"
else
	t_skip "an rlimit of 2^64-1 is unlimited" "the hard limit here is lower"
fi
run_script "$b" 'cat /proc/self/oom_score_adj' process='"oomScoreAdj": 321'
t_is "$output" 321 "oomScoreAdj"
run_script "$b" 'cut -d " " -f 19 /proc/self/stat' \
	process='"scheduler": {"policy": "SCHED_OTHER", "nice": 5}'
t_is "$output" 5 "scheduler: nice"

# ---- environment, directory, name ---------------------------------------------------------------
run_script "$b" 'echo "$A|$B"; env | wc -l' env='["PATH=/bin", "A=1 2", "B=x=y"]'
t_like "$output" $'^1 2\|x=y\n' "the environment is that of the config"
make_bundle "$b" args='["env"]' env='["PATH=/bin", "ONLY=this"]'
CSN_SECRET=1 run_container "$b"
t_is "$output" $'PATH=/bin\nONLY=this\nHOME=/root' "and nothing of the caller's, but HOME"
make_bundle "$b" args='["env"]' env='["PATH=/bin", "HOME=/here"]'
run_container "$b"
t_is "$output" $'PATH=/bin\nHOME=/here' "HOME is kept when it is given"
make_bundle "$b" args='["sh", "-c", "echo $HOME"]' user='{"uid": 1000, "gid": 1000}'
run_container "$b"
t_is "$output" /home "HOME comes from the image's passwd"
run_script "$b" pwd cwd='"/home"'
t_is "$output" /home "the working directory"
run_script "$b" 'pwd; stat -c %u .' cwd='"/made/for/it"'
t_is "$output" $'/made/for/it\n0' "a missing working directory is made"
run_script "$b" hostname hostname='"some.host"'
t_is "$output" some.host "the host name"
run_script "$b" 'cat /proc/sys/kernel/domainname' top='"domainname": "some.domain"'
t_is "$output" some.domain "the domain name"
make_bundle "$b" cwd='"relative"'
t_fails_with 'config.json: process.cwd: expected an absolute path, not "relative"' \
	"$CAISSON" run -b "$b" cwd

# ---- terminal -----------------------------------------------------------------------------------
recvtty() { # [INPUT]: starts the other end; wait_tty sets $seen to what it saw
	rm -f "$TMPDIR/tty.sock"
	(cd "$TMPDIR" && exec "$HELPERS/recvtty" tty.sock "$@" >tty.out) &
	receiver=$!
	wait_until 10 test -S "$TMPDIR/tty.sock"
}
wait_tty() {
	wait $receiver # of this very shell: never in a subshell
	seen=$(tr -d '\r' <"$TMPDIR/tty.out")
}
make_bundle "$b" terminal=true args='["sh", "-c",
	"tty; test -t 0 && test -t 1 && test -t 2 && echo all; read x; echo got $x; ls -l /dev/console | cut -c 1"]'
recvtty $'typed\n'
t_ok "run with a terminal and a console socket" \
	"$CAISSON" run -d --console-socket "$TMPDIR/tty.sock" -b "$b" t1
wait_tty
wait_until 10 status_is t1 stopped
"$CAISSON" delete t1
t_like "$seen" '/dev/(pts/0|console)' "the terminal is of the container's devpts"
t_like "$seen" 'all' "it is all three streams"
t_like "$seen" 'got typed' "input arrives"
t_like "$seen" $'\nc$' "/dev/console is there"
make_bundle "$b" terminal=true args='["sh", "-c", "sleep 0.3; stty size"]'
recvtty
"$CAISSON" run -d --console-socket "$TMPDIR/tty.sock" -b "$b" t2
wait_tty
t_is "$seen" "40 132" "the size set by the other end is seen"
wait_until 10 status_is t2 stopped
"$CAISSON" delete t2
# At the end of its input script(1) types an end of file into the terminal, which may be echoed: its
# input is a pipe that has no end.
mkfifo "$TMPDIR/endless"
exec 7<>"$TMPDIR/endless"
attached() { # NAME: in a terminal of 50 x 100
	script -qec "stty rows 50 cols 100; '$CAISSON' run -b '$b' $1" /dev/null <&7 | tr -d '\r'
}
make_bundle "$b" terminal=true args='["stty", "size"]'
t_is "$(attached t3)" "50 100" "attached: the size of the caller's terminal"
make_bundle "$b" terminal=true args='["stty", "size"]' \
	process='"consoleSize": {"height": 21, "width": 77}'
t_is "$(attached t3)" "50 100" "which wins over the config's"
exec 7>&-
t_is "$("$CAISSON" run -b "$b" t4 </dev/null | tr -d '\r')" "21 77" \
	"without a terminal of the caller: the config's"
make_bundle "$b" terminal=true
t_fails_with 'config.json: process.terminal is true: a console socket is needed' \
	"$CAISSON" create -b "$b" t4
make_bundle "$b"
t_fails_with 'a console socket is given but config.json: process.terminal is false' \
	"$CAISSON" create --console-socket "$TMPDIR/none.sock" -b "$b" t4
make_bundle "$b" terminal=true
t_like "$("$CAISSON" create --console-socket "$TMPDIR/none.sock" -b "$b" t4 2>&1)" \
	'none\.sock' "a console socket that nobody made is named"
t_is "$("$CAISSON" list -q)" "" "and nothing stays"

# ---- descriptors --------------------------------------------------------------------------------
make_bundle "$b" args='["sh", "-c", "ls /proc/self/fd | tr \"\\n\" \" \"; cat <&3"]'
echo "by descriptor" >"$TMPDIR/fd"
t_is "$("$CAISSON" run --preserve-fds 1 -b "$b" f1 3<"$TMPDIR/fd")" "0 1 2 3 4 by descriptor" \
	"--preserve-fds"
make_bundle "$b" args='["sh", "-c", "ls /proc/self/fd | tr \"\\n\" \" \""]'
t_is "$("$CAISSON" run -b "$b" f2 5<"$TMPDIR/fd" 9<"$TMPDIR/fd")" "0 1 2 3 " \
	"no other descriptor of the caller reaches the program"

# ---- exec ---------------------------------------------------------------------------------------
make_bundle "$b" args='["sleep", "1000"]' user='{"uid": 1000, "gid": 1000}' env='["PATH=/bin", "E=1"]'
"$CAISSON" run -d -b "$b" e1
t_is "$("$CAISSON" exec e1 sh -c 'echo "$(id -u) $E"; pwd')" $'1000 1\n/' "exec as the container is"
t_is "$("$CAISSON" exec --user 5:6 --cwd /tmp -e F=2 e1 sh -c 'echo "$(id -u) $(id -g) $PWD $F"')" \
	"5 6 /tmp 2" "exec with user, directory and environment"
"$CAISSON" exec e1 sh -c 'exit 77'
t_is $? 77 "exec passes on an exit code"
"$CAISSON" exec e1 sh -c 'kill -9 $$'
t_is $? 137 "exec passes on a signal"
"$CAISSON" exec e1 nothing-like-this 2>"$TMPDIR/e"
t_like "$?:$(error_text "$(cat "$TMPDIR/e")")" '^(1|127|255):.*nothing-like-this.*not found' \
	"exec of what is not there"
t_is "$(echo in | "$CAISSON" exec e1 cat)" in "exec has standard input"
pid=$("$CAISSON" state e1 | json_field pid)
for ns in pid net ipc uts mnt cgroup; do
	t_is "$("$CAISSON" exec e1 readlink "/proc/self/ns/$ns")" "$(readlink "/proc/$pid/ns/$ns")" \
		"exec is in the $ns namespace of the container"
done
t_is "$("$CAISSON" exec e1 sed -n 's/^CapBnd:[ \t]*//p' /proc/self/status)" 0000000020000420 \
	"exec has the container's capabilities"
t_is "$("$CAISSON" exec e1 sed -n 's/^NoNewPrivs:[ \t]*//p' /proc/self/status)" 1 "and no_new_privs"
"$CAISSON" exec -d --pid-file "$TMPDIR/exec.pid" e1 sleep 1001
t_ok "exec --detach leaves a process of the container" \
	grep -q /caisson/e1 "/proc/$(cat "$TMPDIR/exec.pid")/cgroup"
printf '{"args": ["sh", "-c", "echo $P; pwd"], "cwd": "/etc", "env": ["PATH=/bin", "P=by file"],
	"user": {"uid": 3, "gid": 3}}' >"$TMPDIR/process.json"
t_is "$("$CAISSON" exec --process "$TMPDIR/process.json" e1)" $'by file\n/etc' "exec --process"
recvtty
"$CAISSON" exec -d -t --console-socket "$TMPDIR/tty.sock" e1 tty
wait_tty
t_like "$seen" '^/dev/pts/' "exec with a terminal"
"$CAISSON" delete -f e1

# ---- programs that cannot be run, told by execve itself -----------------------------------------
for pair in '/etc:"/etc": is a directory: permission denied' '/etc/passwd:"/etc/passwd": permission denied' \
	'/not/there:"/not/there": stat /not/there: no such file or directory' '/tmp/junk:"/tmp/junk": exec format error'; do
	printf 'junk' >"$b/rootfs/tmp/junk"
	chmod 755 "$b/rootfs/tmp/junk"
	make_bundle "$b" args="[\"${pair%%:*}\"]"
	t_fails_with "exec: ${pair#*:}" "$CAISSON" run -b "$b" unable
done
