#!/bin/bash
# D: cgroups, sysctls and what the kernel shows of itself.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
make_bundle "$b"
put_hostile "$b/rootfs"
engine_image
in_engine() { # ARGUMENT...: in a container of the engine, with all its defaults
	timeout 20 "$CSN" --root "$TMPDIR/engine" --run-root "$TMPDIR/engine-run" run --rm hostile "$@" 2>&1
}

refused() { # NAME PIECES...: make_bundle with them does not run, and nothing is made
	local name=$1 before after
	shift
	before=$(find "$CGROUP2" -type d | sort)
	make_bundle "$b" "$@"
	run_container "$b"
	after=$(find "$CGROUP2" -type d | grep -vx "$CGROUP2/caisson" | sort)
	[ "$status" = 1 ] && [ -n "$errors" ] && [ "$after" = "$(grep -vx "$CGROUP2/caisson" <<<"$before")" ] ||
		{ t_fail "$name" "status $status" "$errors" "$output"; return; }
	t_pass "$name"
}

# ---- D1: cgroup mounts -----------------------------------------------------------------------------
try='mkdir /tmp/m
mount -t cgroup -o memory x /tmp/m 2>/dev/null && echo mounted v1
mount -t cgroup2 x /tmp/m 2>/dev/null && echo mounted v2
unshare -Urm mount -t cgroup -o rdma x /tmp/m 2>/dev/null && echo mounted v1 in a user namespace
mkdir /sys/fs/cgroup/mine 2>/dev/null && echo made a group
for f in release_agent notify_on_release cgroup.procs cgroup.subtree_control memory.max; do
	(: >/sys/fs/cgroup/$f) 2>/dev/null && echo opened $f
done
find / -xdev -name release_agent 2>/dev/null
echo end'
t_is "$(in_engine sh -c "$try")" end "D1: engine: no cgroup can be mounted, made or written to"
run_script "$b" "$(grep -v '^unshare' <<<"$try")"
t_is "$output" end "D1: run: neither"

# ---- D2: born in the group ---------------------------------------------------------------------------
make_bundle "$b" args='["sh", "-c", "grep ^0: /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs | head -n 1"]' linux='"cgroupsPath": "/d2/box"'
run_container "$b"
t_is "$output" $'0::/\n1' "D2: run: the container's group is its root"
make_bundle "$b" linux='"cgroupsPath": "/d2/box"'
strace -f -e trace=clone3 -o "$TMPDIR/trace" "$CAISSON" run -b "$b" d2
t_is "$(grep -c 'clone3(.*CLONE_INTO_CGROUP' "$TMPDIR/trace")" 1 "D2: run: init is born in its group"
make_bundle "$b" args='["sleep", "1000"]' linux='"cgroupsPath": "/d2/box"'
"$CAISSON" run -d -b "$b" d2
strace -f -e trace=clone3 -o "$TMPDIR/trace" "$CAISSON" exec d2 true
t_is "$(grep -c 'clone3(.*CLONE_INTO_CGROUP' "$TMPDIR/trace")" 1 "D2: exec: so is what joins"
t_is "$("$CAISSON" exec d2 grep ^0: /proc/self/cgroup)" 0::/ "D2: exec: the group is the root, too"
t_is "$(wc -l <"$CGROUP2/d2/box/cgroup.procs")" 1 "D2: the host sees the container in its group"
"$CAISSON" delete -f d2

# ---- D3: names and values of groups ---------------------------------------------------------------------
for key in '../cgroup.procs' 'memory.max/../../x' 'a\nb' '/memory.max' '..' '' 'cgroup.procs' 'cgroup.kill'; do
	refused "D3: unified: key \"$key\" is refused" resources="{\"unified\": {\"$key\": \"1\"}}"
done
refused "D3: unified: a value with control characters is refused" resources='{"unified": {"hugetlb.2MB.max": "1\u0001"}}'
for path in /d3/../../../../../../../escape ../../escape /../escape//./x; do
	make_bundle "$b" linux="\"cgroupsPath\": \"$path\"" args='["true"]'
	run_container "$b"
	t_ok "D3: cgroupsPath \"$path\" stays below the mount" [ ! -e "$CGROUP2/../escape" ]
done
t_fails_with 'container id is longer than 255 bytes' "$CAISSON" run -b "$b" "$(head -c 256 /dev/zero | tr '\0' x)"
for id in . .. a/b ../x $'a\nb'; do
	"$CAISSON" run -b "$b" "$id" 2>"$TMPDIR/e"
	t_like "$(cat "$TMPDIR/e")" "invalid container id" "D3: id \"${id//$'\n'/\\n}\" is refused"
done
make_bundle "$b" args='["sleep", "1000"]'
"$CAISSON" run -d -b "$b" d3
"$CAISSON" exec --cgroup ../.. d3 true 2>"$TMPDIR/e"
t_like "$(cat "$TMPDIR/e")" '--cgroup' "D3: exec --cgroup does not lead out"
"$CAISSON" delete -f d3

# ---- D4: sysctls -----------------------------------------------------------------------------------------
# What is tried is what is there already: the weakest of runtimes does no harm.
pattern=$(cat /proc/sys/kernel/core_pattern) panic=$(cat /proc/sys/kernel/panic)
while IFS='|' read -r key value; do
	refused "D4: sysctl \"$key\" is refused" linux="\"sysctl\": {\"$key\": \"$value\"}"
done <<END
kernel.core_pattern|$pattern
kernel.panic|$panic
kernel.shm_rmid_forced=1+kernel.core_pattern|$pattern
kernel.shm_rmid_forced|1+kernel.core_pattern=$pattern
net/ipv4/../../kernel/panic|$panic
net.ipv4...kernel.panic|$panic
net.ipv4/../../kernel/panic|$panic
../kernel/panic|$panic
vm.overcommit_memory|$(cat /proc/sys/vm/overcommit_memory)
fs.suid_dumpable|$(cat /proc/sys/fs/suid_dumpable)
user.max_user_namespaces|$(cat /proc/sys/user/max_user_namespaces)
END
refused "D4: sysctl of two lines is refused" linux='"sysctl": {"net.ipv4.ip_forward": "1\n1"}'
make_bundle "$b" namespaces='{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}' linux='"sysctl": {"net.ipv4.ip_forward": "1"}'
run_container "$b"
t_is "$status" 1 "D4: one of the network is refused in the host's network"
t_is "$(cat /proc/sys/kernel/core_pattern) $(cat /proc/sys/kernel/panic)" "$pattern $panic" "D4: the host's values are what they were"

# ---- D5, D6: what /proc and /sys show and take -----------------------------------------------------------
masked='/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi
	/proc/timer_list /proc/timer_stats /sys/firmware /sys/devices/virtual/powercap'
readonly='/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger /sys /sys/fs/cgroup'
look="for p in $(echo $masked)"'; do
	[ -e $p ] || continue
	[ -z "$(ls -A $p 2>/dev/null)" ] || [ -c $p ] || echo "$p shows: $(ls -A $p | head -n 3)"
	[ ! -c $p ] || [ "$(stat -c %t:%T $p)" = 1:3 ] || echo "$p is a device"
	[ -d $p ] || [ -z "$(head -c 10 $p)" ] || echo "$p says something"
	(: >$p/x) 2>/dev/null && echo "$p takes files"
done
for p in '"$readonly"'; do
	[ ! -e $p ] || mount | grep -q " on $p type .*(ro" || echo "$p is writable"
done
for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/fs/binfmt_misc/register /sys/kernel/uevent_helper \
	/proc/sysrq-trigger /proc/sys/kernel/panic /proc/sys/vm/overcommit_memory; do
	[ ! -e $f ] || ! (: >$f) 2>/dev/null || echo "$f can be opened for writing"
done
mount -t binfmt_misc x /mnt 2>/dev/null && echo "mounted binfmt_misc"
mount -o remount,rw /proc/sys 2>/dev/null && echo "remounted"
hostile writable /sys
hostile writable /proc | grep -vE "^/proc/([0-9]+|self|thread-self|pressure)/"
echo end'
# But for its own processes, and a trigger of its own on pressure.
t_is "$(in_engine sh -c "$look")" end "D5, D6: engine: masked, read-only, and nothing of the host's takes a write"
(cd "$b" && rm config.json && "$CAISSON" spec && sed -i 's/"terminal": true/"terminal": false/; s|"sh"$|"sh", "-c", '"$(json_string "$look" | sed 's/[\\&|]/\\&/g')"'|' config.json)
run_container "$b"
t_is "$output" end "D5, D6: the template of \`caisson spec\`: the same"
t_is "$(in_engine sh -c 'ulimit -c; grep -c . /proc/interrupts /proc/timer_list | grep -v ":0"')" 0 "D6: engine: no core dumps"

# ---- D7: devices ---------------------------------------------------------------------------------------------
try='for d in "b 8 0" "c 1 1" "c 1 11" "c 10 200" "c 10 229"; do
	mknod /tmp/node $d 2>/dev/null && (: </tmp/node) 2>/dev/null && echo "opened $d"
	rm -f /tmp/node
done
echo end'
t_is "$(in_engine sh -c "$try")" end "D7: engine: no device of the host can be made and opened"
t_is "$(in_engine sh -c 'mknod /tmp/node c 1 3 2>&1')" "mknod: /tmp/node: Operation not permitted" "D7: engine: nor made at all"
mkdir -p "$TMPDIR/vol"
mknod "$TMPDIR/vol/fuse" c 10 229
if "$CAISSON" run -b "$b" d7 >/dev/null 2>&1; then
	caps='["CAP_MKNOD"]'
	# A tun device is anybody's: it is of the network namespace.
	run_script "$b" "${try/ \"c 10 200\"/}" caps="{\"bounding\": $caps, \"effective\": $caps, \"permitted\": $caps}" \
		resources='{"devices": [{"allow": false, "access": "rwm"}]}'
	t_is "$output" end "D7: run: with CAP_MKNOD the group's device program refuses"
fi
make_bundle "$b" args='["sh", "-c", ": </vol/fuse && echo opened it"]' \
	more_mounts="{\"destination\": \"/vol\", \"type\": \"bind\", \"source\": \"$TMPDIR/vol\", \"options\": [\"bind\", \"nodev\"]}"
run_container "$b"
t_is "$output" "" "D7: run: a device in a nodev volume cannot be opened"

# ---- D8: raw sockets -----------------------------------------------------------------------------------------
t_is "$(in_engine hostile families | grep -cx 17)" 0 "D8: engine: no packet sockets"
t_is "$(in_engine sh -c 'grep CapBnd /proc/self/status | cut -f2')" 00000000800405fb "D8: engine: eleven capabilities, CAP_NET_RAW not among them"
run_script "$b" 'hostile families | grep -cx 17'
t_is "$output" 0 "D8: run: nor without the capability"
