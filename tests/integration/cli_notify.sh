#!/bin/bash
# NOTIFY_SOCKET: what the program tells its service manager; LISTEN_FDS: sockets that it is given.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
mkdir -p "$b"
make_busybox_rootfs "$b/rootfs"
cp "$HELPERS/dgram" "$b/rootfs/dgram"
libraries=
for dir in /lib /lib64; do
	[ -d $dir ] || continue
	mkdir -p "$b/rootfs$dir"
	libraries+="${libraries:+, }{\"destination\": \"$dir\", \"type\": \"bind\", \"source\": \"$(readlink -f $dir)\", \"options\": [\"rbind\", \"ro\"]}"
done

# listen COUNT: the service manager's end.
listen() {
	rm -f "$TMPDIR/manager"
	"$HELPERS/dgram" recv "$TMPDIR/manager" "$1" >"$TMPDIR/told" &
	listener=$! messages=$1
	wait_until 5 test -S "$TMPDIR/manager"
}
has_all() { [ "$(grep -c '^--$' "$TMPDIR/told")" = "$messages" ]; }
told() {
	wait_until 5 has_all
	cat "$TMPDIR/told"
}
bundle() { make_bundle "$b" args="$(json_array sh -c "$1")" more_mounts="$libraries" "${@:2}"; }
export NOTIFY_SOCKET=$TMPDIR/manager

# ---- run, attached -------------------------------------------------------------------------------
listen 2
bundle 'echo $NOTIFY_SOCKET; /dgram send "STATUS=warming up"; /dgram send "READY=1
MAINPID=1
NOTIFYACCESS=all
FDSTORE=1
READY=10"'
run_container "$b"
t_is "$status:$output" "0:/run/notify/notify.sock" "the program gets a socket of its own"
t_is "$(told)" $'STATUS=warming up\n--\nREADY=1\n--' "what it says is handed on, but not who is to be listened to"
listen 1
bundle '/dgram send READY=1' user='{"uid": 1000, "gid": 1000}'
run_container "$b"
t_is "$(told)" $'READY=1\n--' "also from another user"
bundle 'mount | grep -o " /run/notify .*"; touch /run/notify/x'
run_container "$b"
t_like "$output" 'ro,nosuid,nodev,noexec' "the directory is read-only"
kill "$listener" 2>/dev/null

# ---- run --detach and start wait for READY -------------------------------------------------------
listen 1
bundle 'sleep 0.3; /dgram send READY=1; sleep 100'
t_ok "run --detach returns when the program is ready" \
	"$CAISSON" run --detach -b "$b" --pid-file "$TMPDIR/pid" c
t_is "$(told)" $'READY=1\nMAINPID='"$(cat "$TMPDIR/pid")"$'\n--' "and says the host's pid of it"
"$CAISSON" delete --force c

listen 1
t_ok "create" "$CAISSON" create -b "$b" --pid-file "$TMPDIR/pid" c
before=$(date +%s%N)
t_ok "start" "$CAISSON" start c
t_is "$((($(date +%s%N) - before) / 1000000 >= 300))" 1 "waits for READY=1"
t_is "$(told)" $'READY=1\nMAINPID='"$(cat "$TMPDIR/pid")"$'\n--' "and says the pid"
"$CAISSON" delete --force c

bundle 'sleep 0.2; exit 3'
t_ok "create" "$CAISSON" create -b "$b" c
t_ok "start of a program that ends without a word returns" timeout 10 "$CAISSON" start c
"$CAISSON" delete --force c
bundle 'sleep 100'
"$CAISSON" create -b "$b" c
"$CAISSON" start c &
starter=$!
t_ok "while start waits" wait_until 5 status_is c running
t_ok "the container can be killed" "$CAISSON" kill c KILL
t_ok "and start returns" wait $starter
t_ok "delete" "$CAISSON" delete c

# ---- who does not want it ------------------------------------------------------------------------
bundle 'echo "$NOTIFY_SOCKET"' env='["PATH=/bin", "NOTIFY_SOCKET=/own"]'
run_container "$b"
t_is "$output" /own "a config that has a socket keeps it"
unset NOTIFY_SOCKET
bundle 'echo "${NOTIFY_SOCKET-none}"; grep -c " /run/notify " /proc/mounts'
run_container "$b"
t_is "$output" $'none\n0' "without NOTIFY_SOCKET there is none"

# ---- LISTEN_FDS ----------------------------------------------------------------------------------
echo one >"$TMPDIR/one"
echo two >"$TMPDIR/two"
echo three >"$TMPDIR/three"
bundle 'cat <&3; cat <&4; echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; ls /proc/self/fd | wc -l'
out=$(bash -c 'export LISTEN_FDS=2 LISTEN_FDNAMES=a:b LISTEN_PID=$$
	exec "$0" run -b "$1" c 3<"$2/one" 4<"$2/two" 5<"$2/three"' "$CAISSON" "$b" "$TMPDIR")
t_is "$out" $'one\ntwo\n2 1 a:b\n6' "sockets of a service manager, with their names, and nothing else"
bundle 'cat <&3; cat <&5; echo $LISTEN_FDS'
out=$(bash -c 'export LISTEN_FDS=2 LISTEN_PID=$$
	exec "$0" run --preserve-fds 1 -b "$1" c 3<"$2/one" 4<"$2/two" 5<"$2/three"' "$CAISSON" "$b" "$TMPDIR")
t_is "$out" $'one\nthree\n2' "--preserve-fds counts after them"
bundle 'echo "${LISTEN_FDS-none}"; ls /proc/self/fd | wc -l'
out=$(LISTEN_FDS=2 LISTEN_PID=1 "$CAISSON" run -b "$b" c 3<"$TMPDIR/one" 4<"$TMPDIR/two")
t_is "$out" $'none\n4' "sockets that are meant for another process are not passed on"
