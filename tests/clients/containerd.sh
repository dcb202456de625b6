#!/bin/bash
# containerd, through ctr, over caisson.
. "$(dirname "$0")/lib.sh"
need containerd ctr
client_sandbox "$@"
client_groups=(default)

cat >"$TMPDIR/containerd.toml" <<END
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "/run/containerd/containerd.sock"
END
# A plain `runc`, as whoever replaces the program has it: ctr forgets --runc-binary with --uidmap.
mkdir "$TMPDIR/bin"
ln -s "$CLIENT_RUNTIME" "$TMPDIR/bin/runc"
PATH=$TMPDIR/bin:$PATH

start_containerd() {
	start_daemon "$TMPDIR/containerd.log" containerd --config "$TMPDIR/containerd.toml"
	wait_until 30 ctr version
}
start_containerd || give_up containerd "$TMPDIR/containerd.log"

number=0
run() { # [OPTION...] IMAGE PROGRAM...: ctr wants the id after the image
	local options=()
	while [ "$1" != $IMAGE ]; do
		options+=("$1")
		shift
	done
	shift
	ctr run --rm --runc-binary "$CLIENT_RUNTIME" "${options[@]}" $IMAGE r$((++number)) "$@"
}
make_image "$TMPDIR/image.tar"
t_exits 0 "ctr images import" ctr images import "$TMPDIR/image.tar"
ctr images list -q
t_says hello "run" run $IMAGE echo hello
t_exits 42 "an exit code" run $IMAGE sh -c 'exit 42'
t_exits 137 "a program that SIGKILL ends is 137" run $IMAGE sh -c 'sh -c "kill -9 \$\$"; exit $?'
t_exits 1 "a missing program" run $IMAGE /nosuch
t_is "$(grep -c 'no such file or directory' <<<"$errors")" 1 "is told"
t_says "a b" "environment" run --env X='a b' $IMAGE sh -c 'echo "$X"'
t_says /tmp "workdir" run --cwd /tmp $IMAGE pwd
t_says 1 "its first process is 1" run $IMAGE sh -c 'echo $$'

# ---- terminal and standard input ----------------------------------------------------------------
t_shows '/dev/pts/0|/dev/console' "run -t has a terminal" script -qec \
	"ctr run --rm -t --runc-binary $CLIENT_RUNTIME $IMAGE tty1 tty" /dev/null
t_says typed "run reads standard input" sh -c \
	"echo typed | ctr run --rm --runc-binary $CLIENT_RUNTIME $IMAGE in1 head -n 1" # ctr passes on no end of file

# ---- file systems, security ---------------------------------------------------------------------
mkdir "$TMPDIR/vol"
echo outside >"$TMPDIR/vol/file"
t_says outside "a mount is read" run --mount "type=bind,src=$TMPDIR/vol,dst=/v,options=rbind:rw" $IMAGE cat /v/file
t_exits 0 "a mount is written" run --mount "type=bind,src=$TMPDIR/vol,dst=/v,options=rbind:rw" $IMAGE touch /v/new
t_ok "and the host sees it" test -e "$TMPDIR/vol/new"
t_exits 1 "a read-only mount" run --mount "type=bind,src=$TMPDIR/vol,dst=/v,options=rbind:ro" $IMAGE touch /v/x
t_shows 'tmpfs /t tmpfs .*size=1024k' "a tmpfs with a size" run --mount type=tmpfs,dst=/t,options=size=1m $IMAGE grep ' /t ' /proc/mounts
t_exits 1 "a read-only root" run --read-only $IMAGE touch /x
t_says 2 "a seccomp filter" run --seccomp $IMAGE awk '/^Seccomp:/ { print $2 }' /proc/self/status
t_says 1 "no new privileges" run $IMAGE awk '/^NoNewPrivs/ { print $2 }' /proc/self/status
t_says 0 "privileges allowed" run --allow-new-privs $IMAGE awk '/^NoNewPrivs/ { print $2 }' /proc/self/status
t_exits 0 "privileged" run --privileged $IMAGE sh -c 'mkdir -p /mnt && mount -t tmpfs x /mnt'
t_says 0000000000001000 "a capability more" run --cap-add CAP_NET_ADMIN $IMAGE sh -c \
	'a=$(awk "/^CapEff/ { print \$2 }" /proc/self/status); printf "%016x\n" $((0x$a & 0x1000))'
t_exits 0 "network of the host" run --net-host $IMAGE grep -q lo: /proc/net/dev
t_says "0 100000 65536" "a user namespace" run --uidmap 0:100000:65536 --gidmap 0:100000:65536 $IMAGE \
	sh -c 'echo $(cat /proc/self/uid_map)'

# ---- life ---------------------------------------------------------------------------------------
# task COMMAND...: of ctr tasks
task() { ctr tasks "$@"; }
is_task() { task ls | grep -q "^$1 .*$2"; }
t_exits 0 "run --detach" ctr run --detach --runc-binary "$CLIENT_RUNTIME" $IMAGE live sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
t_ok "runs" wait_until 5 is_task live RUNNING
t_says in "exec" task exec --exec-id e1 live echo in
t_exits 5 "exec passes the code" task exec --exec-id e2 live sh -c 'exit 5'
t_exits 1 "exec of a missing program" task exec --exec-id e3 live nosuch
t_is "$(grep -c 'executable file not found' <<<"$errors")" 1 "is told"
t_says 1000 "exec: user" task exec --exec-id e4 --user 1000 live id -u
t_says /tmp "exec: workdir" task exec --exec-id e5 --cwd /tmp live pwd
t_shows '/dev/pts/' "exec -t" script -qec "ctr tasks exec --exec-id e6 -t live tty" /dev/null
t_says piped "exec reads standard input" sh -c "echo piped | ctr tasks exec --exec-id e7 live head -n 1"
t_shows 'PID' "ps" task ps live
t_like "$output" $'\n[0-9]+' "with its processes"
t_shows 'hugetlb|cpu|pids' "metrics" task metrics live
t_exits 0 "pause" task pause live
t_ok "is paused" is_task live PAUSED
t_exits 0 "resume" task resume live
t_ok "is running" is_task live RUNNING
t_exits 0 "kill with a signal that it ignores" task kill -s WINCH live
t_exits 0 "kill" task kill -s TERM live
t_ok "has stopped" wait_until 5 is_task live STOPPED
t_exits 1 "kill of a stopped one" task kill live
t_is "$(grep -c 'not found' <<<"$errors")" 1 "is NotFound to the client"
t_exits 0 "delete" task delete live
t_like "$errors" 'exit code 3"' "gives its code"
t_exits 0 "containers delete" ctr containers delete live
t_exits 0 "kill --all" sh -c "ctr run -d --with-ns pid:/proc/1/ns/pid --runc-binary $CLIENT_RUNTIME $IMAGE all sh -c 'sleep 100 & sleep 100' &&
	ctr tasks kill --all -s KILL all"
t_ok "ends all of it" wait_until 5 is_task all STOPPED
t_exits 0 "delete" task delete all
t_like "$errors" 'exit code 137"' "says SIGKILL"
ctr containers delete all
t_is "$(ctr containers list -q)$(task ls -q)" "" "nothing is left in ctr's lists"
