#!/bin/bash
# config-linux.md: namespaces, devices, network devices, intelRdt, seccomp, paths, personality
# (M-081 to M-092, M-103 to M-118).
. "$(dirname "$0")/lib.sh"

make_bundle "$b"
chmod 755 "$TMPDIR" "$CSN_TEST_DIR" "$b"

# ---- namespaces ---------------------------------------------------------------------------------
make_bundle "$b" args='["sleep", "1000"]'
"$CAISSON" run -d -b "$b" other
pid=$("$CAISSON" state other | json_field pid)
for pair in network:net ipc:ipc uts:uts pid:pid cgroup:cgroup; do
	type=${pair%:*} file=${pair#*:}
	make_bundle "$b" hostname=null args="[\"readlink\", \"/proc/self/ns/$file\"]" masked='[]' readonly_paths='[]' \
		namespaces="{\"type\": \"mount\"}, {\"type\": \"$type\", \"path\": \"/proc/$pid/ns/$file\"}" \
		mounts='{"destination": "/proc", "type": "proc", "source": "proc"}'
	run_container "$b"
	t_is "$output$errors" "$(readlink "/proc/$pid/ns/$file")" "M-082 the process is in the $type namespace of the path"
	wrong=ipc
	[ $type != ipc ] || wrong=uts
	refused "M-081 a path of another type for $type" \
		"linux.namespaces: $type: path \"/proc/$pid/ns/$wrong\" is a namespace of another type" hostname=null \
		namespaces="{\"type\": \"mount\"}, {\"type\": \"$type\", \"path\": \"/proc/$pid/ns/$wrong\"}"
done
"$CAISSON" delete -f other
refused "M-081 a path of no namespace" 'linux.namespaces: ipc: path "/etc/passwd" is no namespace' hostname=null \
	namespaces='{"type": "mount"}, {"type": "ipc", "path": "/etc/passwd"}'
maps='"uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
	"gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}]'
make_bundle "$b" args='["sh", "-c", "for n in pid net mnt ipc uts user cgroup time; do readlink /proc/self/ns/$n; done"]' \
	namespaces="$default_namespaces, {\"type\": \"user\"}, {\"type\": \"time\"}" linux="$maps"
run_container "$b"
t_is "$status:$(grep -c . <<<"$output")" 0:8 "M-083 all eight types can be new"
for n in pid net mnt ipc uts user cgroup time; do
	t_ok "M-083 the $n namespace is new" test -z "$(grep -xF "$(readlink /proc/self/ns/$n)" <<<"$output")"
done
make_bundle "$b" hostname=null namespaces='{"type": "mount"}' \
	args='["sh", "-c", "for n in pid net ipc uts user cgroup time; do readlink /proc/self/ns/$n; done"]'
run_container "$b"
t_is "$output" "$(for n in pid net ipc uts user cgroup time; do readlink /proc/self/ns/$n; done)" \
	"M-083 types that are absent are the runtime's own"
refused "M-084 a relative path" 'config.json: linux.namespaces[2].path: expected an absolute path, not "proc/self/ns/net"' \
	namespaces='{"type": "mount"}, {"type": "uts"}, {"type": "network", "path": "proc/self/ns/net"}'
refused "M-084 a type twice" 'config.json: linux.namespaces[3].type: expected each namespace once, not "ipc" again' \
	namespaces='{"type": "mount"}, {"type": "uts"}, {"type": "ipc"}, {"type": "ipc"}'

# ---- devices ------------------------------------------------------------------------------------
run_script "$b" 'stat -c "%n %F %t:%T %a %u:%g" /dev/char /opt/block /dev/pipe' linux='"devices": [
	{"path": "/dev/char", "type": "c", "major": 10, "minor": 229, "fileMode": 416, "uid": 3, "gid": 4},
	{"path": "/opt/block", "type": "b", "major": 7, "minor": 300, "fileMode": 511},
	{"path": "/dev/pipe", "type": "p", "fileMode": 384, "uid": 5}]'
t_is "$output$errors" "/dev/char character special file a:e5 640 3:4
/opt/block block special file 7:12c 777 0:0
/dev/pipe fifo 0:0 600 5:0" "M-085 listed devices have type, numbers, mode and owner"
run_script "$b" 'stat -c "%F %t:%T" /dev/un /dev/null' linux='"devices": [
	{"path": "/dev/un", "type": "u", "major": 1, "minor": 3}, {"path": "/dev/null", "type": "c", "major": 1, "minor": 5}]'
t_is "$output" $'character special file 1:3\ncharacter special file 1:5' "M-085 u is c; a listed device replaces a default one"
mkdir -p "$b/rootfs/opt"
for made in 'mknod node c 1 5:c, major 1, minor 3' 'mknod node b 1 3:c, major 1, minor 3' 'touch node:c, major 1, minor 3' \
	'mkdir node:c, major 1, minor 3' 'ln -s /dev/null node:c, major 1, minor 3'; do
	rm -rf "$b/rootfs/opt/node"
	(cd "$b/rootfs/opt" && ${made%%:*})
	refused "M-086 a file that does not match (${made%%:*})" 'device: "/opt/node": File exists' \
		linux='"devices": [{"path": "/opt/node", "type": "c", "major": 1, "minor": 3}]'
done
rm -rf "$b/rootfs/opt/node"
mknod "$b/rootfs/opt/node" c 1 3
accepted "M-086 one that matches is fine" linux='"devices": [{"path": "/opt/node", "type": "c", "major": 1, "minor": 3}]'
run_script "$b" 'for d in null zero full random urandom tty; do stat -c "%n %F %t:%T %a" /dev/$d; done'
t_is "$output" "/dev/null character special file 1:3 666
/dev/zero character special file 1:5 666
/dev/full character special file 1:7 666
/dev/random character special file 1:8 666
/dev/urandom character special file 1:9 666
/dev/tty character special file 5:0 666" "M-087 the default devices"
run_script "$b" 'stat -L -c "%t:%T %d" /dev/ptmx; stat -c "%t:%T %d" /dev/pts/ptmx'
t_is "$(sed -n 1p <<<"$output")" "$(sed -n 2p <<<"$output")" "M-088 /dev/ptmx is the container's pts/ptmx"
make_bundle "$b" terminal=true args='["sh", "-c", "stat -c %F /dev/console; echo x >/dev/console; stat -c %t:%T /dev/console /proc/self/fd/0 -L"]'
out=$("$CAISSON" run -b "$b" console </dev/null | tr -d '\r')
t_like "$out" $'^character special file\nx\n' "M-089 /dev/console is there with a terminal, and is the terminal"
run_script "$b" 'test -e /dev/console'
t_is "$status" 1 "M-089 and not without"

# ---- network devices ----------------------------------------------------------------------------
ip link add n0 type veth peer name n1
ip addr add 10.77.0.1/24 dev n0
ip addr add 10.77.0.9/24 dev n0 valid_lft 1000 preferred_lft 1000
ip addr add 169.254.3.3/16 scope link dev n0
ip addr add fd77::1/64 dev n0 nodad
ip link set n0 up
make_bundle "$b" args='["sleep", "1000"]' linux='"netDevices": {"n0": {"name": "in0"}}'
"$CAISSON" run -d -b "$b" net
t_is "$("$CAISSON" exec net ip -o addr show dev in0 | sed -n 's/.*inet6\? \([^ ]*\) .*scope global.*/\1/p')" $'10.77.0.1/24\nfd77::1/64' \
	"M-090 the device is inside with its permanent global addresses"
t_like "$("$CAISSON" exec net ip link show in0)" 'UP' "M-090 and up"
"$CAISSON" kill net KILL
wait_until 10 status_is net stopped
fails "M-092 it is not moved back" 'Device "n0" does not exist.' ip link show n0
"$CAISSON" delete net
wait_until 10 test ! -e /sys/class/net/n1
ip link add n2 type veth peer name n3
ip link add n4 type veth peer name n5
refused "M-091 a name that is taken" 'linux.netDevices: "n4": the namespace has a link "same" already' \
	linux='"netDevices": {"n2": {"name": "same"}, "n4": {"name": "same"}}'
t_ok "M-091 and nothing has moved" test -e /sys/class/net/n2 -a -e /sys/class/net/n4
refused "M-091 a name that the container has" 'linux.netDevices: "n2": the namespace has a link "lo" already' \
	linux='"netDevices": {"n2": {"name": "lo"}}'
run_script "$b" 'ls /sys/class/net' linux='"netDevices": {"n2": {"name": "same%d"}, "n4": {"name": "same%d"}}'
t_is "$(tr '\n' ' ' <<<"$output")" "lo same0 same1 " "M-091 a name with %d"

# ---- intelRdt -----------------------------------------------------------------------------------
if grep -qw resctrl /proc/filesystems; then
	mount -t resctrl resctrl /sys/fs/resctrl 2>/dev/null
fi
if grep -q ' - resctrl ' /proc/self/mountinfo; then
	accepted "M-104 a group of the container" linux='"intelRdt": {}'
	umount /sys/fs/resctrl
else
	for number in 104 105 106 107 108; do
		t_skip "M-$number intelRdt on the real resctrl (its rules: tests/unit/test_rdt)" "this kernel or processor has no resctrl"
	done
fi
refused "M-103 no resctrl is mounted" 'linux.intelRdt: resctrl is not mounted on this host' linux='"intelRdt": {"closID": "x"}'
accepted "M-103 unset: nothing is asked of it"
refused "M-109 memBwSchema" 'config.json: linux.intelRdt.memBwSchema: expected one line that starts with MB:' \
	linux='"intelRdt": {"memBwSchema": "L3:0=f"}'
refused "M-109 memBwSchema of two lines" 'config.json: linux.intelRdt.memBwSchema: expected one line that starts with MB:' \
	linux='"intelRdt": {"memBwSchema": "MB:0=50\nL3:0=f"}'

# ---- seccomp ------------------------------------------------------------------------------------
seccomp() { # MEMBERS: with a default of ALLOW
	printf '"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", %s}' "$1"
}
rule() { # NAMES-JSON ACTION [MORE]
	printf '"syscalls": [{"names": %s, "action": "%s"%s}]' "$1" "$2" "${3:+, $3}"
}
refused "M-110 no names" 'config.json: linux.seccomp.syscalls[0].names: expected at least one name' \
	linux="$(seccomp "$(rule '[]' SCMP_ACT_ERRNO)")"
refused "M-110 an unknown action" 'config.json: linux.seccomp.syscalls[0].action: expected SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_LOG, SCMP_ACT_NOTIFY, SCMP_ACT_TRACE or SCMP_ACT_TRAP, not "SCMP_ACT_X"' \
	linux="$(seccomp "$(rule '["mkdir"]' SCMP_ACT_X)")"
refused "M-110 an unknown default" 'config.json: linux.seccomp.defaultAction: expected SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_LOG, SCMP_ACT_NOTIFY, SCMP_ACT_TRACE or SCMP_ACT_TRAP, not "x"' linux='"seccomp": {"defaultAction": "x"}'
refused "M-110 an unknown architecture" 'config.json: linux.seccomp.architectures[0]: expected SCMP_ARCH_X86, SCMP_ARCH_X86_64, SCMP_ARCH_X32, SCMP_ARCH_ARM, SCMP_ARCH_AARCH64, SCMP_ARCH_MIPS, SCMP_ARCH_MIPS64 or another of its kind, not "SCMP_ARCH_X"' \
	linux="$(seccomp '"architectures": ["SCMP_ARCH_X"]')"
refused "M-110 an unknown flag" 'config.json: linux.seccomp.flags[0]: expected SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW or SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, not "SECCOMP_X"' linux="$(seccomp '"flags": ["SECCOMP_X"]')"
refused "M-110 an unknown operator" 'config.json: linux.seccomp.syscalls[0].args[0].op: expected SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT or SCMP_CMP_MASKED_EQ, not "SCMP_CMP_X"' \
	linux="$(seccomp "$(rule '["mkdir"]' SCMP_ACT_ERRNO '"args": [{"index": 0, "value": 1, "op": "SCMP_CMP_X"}]')")"
for action in ALLOW KILL KILL_PROCESS KILL_THREAD LOG TRAP; do
	refused "M-111 errnoRet with $action" \
		'config.json: linux.seccomp.syscalls[0].action: an errno goes only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE' \
		linux="$(seccomp "$(rule '["mkdir"]' SCMP_ACT_$action '"errnoRet": 1')")"
done
refused "M-111 defaultErrnoRet with ALLOW" \
	'config.json: linux.seccomp.defaultAction: an errno goes only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE' \
	linux="$(seccomp '"defaultErrnoRet": 1')"
run_script "$b" 'mkdir /tmp/d; ln -s a /tmp/l' linux="$(seccomp '"syscalls": [
	{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"},
	{"names": ["symlink", "symlinkat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]')"
t_like "$errors" 'd.: Operation not permitted' "M-112 the errno is EPERM when none is given"
t_like "$errors" 'l: No space left on device' "M-112 and the one that is given"
refused "M-113 listenerMetadata without listenerPath" 'config.json: linux.seccomp.listenerMetadata: needs a listenerPath' \
	linux="$(seccomp '"listenerMetadata": "x"')"

agent() { # starts it; the document comes to $TMPDIR/agent.out
	rm -f "$TMPDIR/agent.sock" "$TMPDIR/agent.out"
	"$BUILD/tests/conformance/agent" "$TMPDIR/agent.sock" "$TMPDIR/agent.out" &
	agent=$!
	wait_until 10 test -S "$TMPDIR/agent.sock"
}
notify="\"listenerPath\": \"$TMPDIR/agent.sock\", \"listenerMetadata\": \"for the agent\", $(rule '["mkdir", "mkdirat"]' SCMP_ACT_NOTIFY)"
agent
run_script "$b" 'mkdir /tmp/asked' linux="$(seccomp "$notify")"
wait $agent
document=$(head -n 1 "$TMPDIR/agent.out")
t_like "$errors" 'Wrong medium type' "M-114 the agent answers calls"
t_like "$(cat "$TMPDIR/agent.out")" $'\nfds 1\nmore 0\nanswered 1' "M-114 one message with one descriptor, then the end"
t_like "$document" '"ociVersion":"1\.[0-9.]*"' "M-116 ociVersion"
t_like "$document" '"fds":\["seccompFd"\]' "M-116 the names of the descriptors"
t_like "$document" '"pid":[1-9][0-9]*,"metadata":"for the agent"' "M-116 the pid, and the metadata"
t_like "$document" '"state":\{"ociVersion":"1[^}]*"id":"'"$id"'","pid":[1-9][0-9]*,"status":"creating","bundle":"'"$b"'"' "M-116 the state"
make_bundle "$b" args='["sleep", "1000"]' linux="$(seccomp "$notify")"
agent
"$CAISSON" run -d -b "$b" asks
wait_until 10 grep -q '^more' "$TMPDIR/agent.out"
mv "$TMPDIR/agent.sock" "$TMPDIR/first.sock"
first=$agent
agent
"$CAISSON" exec asks mkdir /tmp/asked 2>"$TMPDIR/e"
wait $agent
t_like "$(cat "$TMPDIR/e"):$(cat "$TMPDIR/agent.out")" '^mkdir: .*Wrong medium type:.*"state":\{[^}]*"status":"running"' \
	"M-116 the same for exec"
"$CAISSON" delete -f asks
wait $first
rm -f "$TMPDIR/agent.sock"
refused "M-115 a listener that cannot be reached" \
	"linux.seccomp.listenerPath: connect to $TMPDIR/agent.sock: No such file or directory" linux="$(seccomp "$notify")"
accepted "M-115 it is not looked at when nothing notifies" \
	linux="$(seccomp "\"listenerPath\": \"$TMPDIR/agent.sock\", $(rule '["mkdir"]' SCMP_ACT_ERRNO)")"

# ---- paths, personality -------------------------------------------------------------------------
mkdir -p "$b/rootfs/secrets/dir" "$b/rootfs/fixed/dir"
echo secret | tee "$b/rootfs/secrets/file" >"$b/rootfs/secrets/dir/file"
echo fixed >"$b/rootfs/fixed/file"
run_script "$b" 'cat /secrets/file; ls -A /secrets/dir; echo x >/secrets/dir/new; echo x >/fixed/file; echo x >/fixed/dir/new; cat /fixed/file' \
	masked='["/secrets/file", "/secrets/dir", "/not/there"]' readonly_paths='["/fixed", "/nor/this"]'
t_is "$output" fixed "M-117 masked paths cannot be read, read-only ones can"
t_is "$(grep -c 'Read-only file system' <<<"$errors")" 3 "M-117 neither can be written"
refused "M-117 a masked path that is not absolute" 'config.json: linux.maskedPaths[1]: expected an absolute path, not "proc/acpi"' \
	masked='["/proc/kcore", "proc/acpi"]'
refused "M-117 a read-only path that is not absolute" 'config.json: linux.readonlyPaths[0]: expected an absolute path, not "proc"' \
	readonly_paths='["proc"]'
refused "M-118 an unknown personality" 'config.json: linux.personality.domain: expected LINUX or LINUX32, not "BSD"' \
	linux='"personality": {"domain": "BSD"}'
run_script "$b" 'uname -m' linux='"personality": {"domain": "LINUX"}'
t_is "$output" "$(uname -m)" "M-118 a known one"
rm -rf /run/caisson/.cache
