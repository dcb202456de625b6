#!/bin/bash
# config-linux.md: the cgroup, its limits, its owner (M-093 to M-102).
. "$(dirname "$0")/lib.sh"

make_bundle "$b"

# ---- path ---------------------------------------------------------------------------------------
for _ in first second; do
	make_bundle "$b" args='["sleep", "1000"]' linux='"cgroupsPath": "/csn-a/csn-b"'
	"$CAISSON" run -d -b "$b" path
	pid=$("$CAISSON" state path | json_field pid)
	t_ok "M-093 an absolute path is below the mount, each time" grep -qx "$pid" "$CGROUP2/csn-a/csn-b/cgroup.procs"
	"$CAISSON" delete -f path
done
make_bundle "$b" args='["sleep", "1000"]' linux='"cgroupsPath": "csn-relative/x"'
"$CAISSON" run -d -b "$b" path
relative=$(sed -n 's/^0:://p' "/proc/$("$CAISSON" state path | json_field pid)/cgroup")
"$CAISSON" delete -f path
"$CAISSON" run -d -b "$b" path2
t_is "$(sed -n 's/^0:://p' "/proc/$("$CAISSON" state path2 | json_field pid)/cgroup")" "$relative" \
	"M-093 the same relative path gives the same place"
"$CAISSON" delete -f path2
refused "M-094 a path that leads back" 'config.json: linux.cgroupsPath: "/a/../../b": ".." is not allowed' \
	linux='"cgroupsPath": "/a/../../b"'

mkdir -p "$CGROUP2/csn-busy"
sleep 1000 &
sleeper=$!
echo $sleeper >"$CGROUP2/csn-busy/cgroup.procs"
refused "M-094 a group that holds processes" 'linux.cgroupsPath: cgroup "/csn-busy" is not empty' linux='"cgroupsPath": "/csn-busy"'
t_ok "M-094 they are left alone" kill -0 $sleeper
kill $sleeper
wait $sleeper 2>/dev/null
echo 1 >"$CGROUP2/csn-busy/cgroup.freeze"
refused "M-094 a group that is frozen" 'linux.cgroupsPath: cgroup "/csn-busy" is frozen' linux='"cgroupsPath": "/csn-busy"'
rmdir "$CGROUP2/csn-busy"
refused "M-094 the root" 'config.json: linux.cgroupsPath: "/" names no group' linux='"cgroupsPath": "/"'
long=$(printf '%0300d' 0)
refused "M-094 a path that no group can have" 'config.json: linux.cgroupsPath: a part is longer than 255 bytes' \
	linux="\"cgroupsPath\": \"/$long\""

# ---- devices ------------------------------------------------------------------------------------
try='head -c 1 /dev/zero | wc -c; head -c 1 /dev/urandom | wc -c; head -c 1 /dev/full | wc -c'
rules() { # RULE...
	local IFS=,
	printf '{"devices": [%s]}' "$*"
}
deny_all='{"allow": false, "access": "rwm"}'
own='{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5}, {"path": "/dev/other", "type": "c", "major": 10, "minor": 229}'
open_other='(: </dev/other) 2>&1 | grep -o "not permitted"'
run_script "$b" "$open_other" linux="\"devices\": [$own]" resources="$(rules "$deny_all")"
if [ "$output" != "not permitted" ] && grep -q 'device' <<<"$errors"; then
	t_skip "M-095 device rules apply in order" "the kernel takes no device program here: $errors"
else
	t_is "$output" "not permitted" "M-095 a rule that denies everything"
	allow='{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rwm"}'
	deny='{"allow": false, "type": "c", "major": 10, "minor": 229, "access": "rw"}'
	run_script "$b" "$open_other" linux="\"devices\": [$own]" resources="$(rules "$deny_all" "$allow")"
	t_is "$output" "" "M-095 a later rule allows"
	run_script "$b" "$open_other" linux="\"devices\": [$own]" resources="$(rules "$deny_all" "$allow" "$deny")"
	t_is "$output" "not permitted" "M-095 and a later one denies again"
	run_script "$b" "$open_other" linux="\"devices\": [$own]" resources="$(rules "$allow" "${deny_all/rwm/rw}")"
	t_is "$output" "not permitted" "M-095 the last that fits decides"
	refused "M-095 what may not be made" 'device: "/dev/mine": Operation not permitted' linux="\"devices\": [$own]" \
		resources="$(rules "$allow" "$deny_all")"
	run_script "$b" "$try" linux="\"devices\": [$own]" resources="$(rules "$deny_all")"
	t_is "$output" $'1\n1\n1' "M-095 the default devices always work"
fi

# ---- limits -------------------------------------------------------------------------------------
update() { # JSON
	printf '%s' "$1" | "$CAISSON" update --resources - limits
}
if has_controller memory; then
	make_bundle "$b" args='["sh", "-c", "head -c 20000000 /dev/zero >/tmp/fill; echo ready >/tmp/ready; sleep 1000"]' \
		more_mounts='{"destination": "/tmp", "type": "tmpfs", "source": "x"}' resources='{"memory": {"limit": 268435456}}'
	"$CAISSON" run -d -b "$b" limits
	wait_until 100 "$CAISSON" exec limits test -e /tmp/ready
	update '{"memory": {"limit": 8388608, "checkBeforeUpdate": true}}' 2>"$TMPDIR/e"
	t_like "$?:$(error_text "$(cat "$TMPDIR/e")")" '^1:.*memory' "M-096 checkBeforeUpdate: a limit below what is used is refused"
	t_is "$(cat "$CGROUP2/caisson/limits/memory.max")" 268435456 "M-096 and the old one stays"
	"$CAISSON" delete -f limits
else
	t_skip "M-096 checkBeforeUpdate" "the memory controller is not on cgroup2 here"
fi
if has_controller cpu; then
	make_bundle "$b" resources='{"cpu": {"quota": 20000, "period": 100000, "burst": 30000}}'
	t_like "$("$CAISSON" create -b "$b" burst 2>&1)" 'Invalid argument.*cpu.max.burst no more than the quota' "M-097 a burst above the quota is refused"
	t_is "$("$CAISSON" list -q)" "" "M-097 nothing stays"
	accepted "M-097 one below it is not" resources='{"cpu": {"quota": 20000, "period": 100000, "burst": 10000}}'
else
	t_skip "M-097 burst" "the cpu controller is not on cgroup2 here"
fi
refused "M-098 rdma without either number" 'linux.resources.rdma.mlx5: hcaHandles or hcaObjects is needed' resources='{"rdma": {"mlx5": {}}}'
refused "M-098 weightDevice without either weight" 'linux.resources.blockIO.weightDevice[0].weight: is needed' \
	resources='{"blockIO": {"weightDevice": [{"major": 8, "minor": 0}]}}'

make_bundle "$b" args='["sleep", "1000"]' resources='{"unified": {"cgroup.max.descendants": "7", "cgroup.max.depth": "3"}}'
"$CAISSON" run -d -b "$b" unified
t_is "$(cat "$CGROUP2/caisson/unified/cgroup.max.descendants" "$CGROUP2/caisson/unified/cgroup.max.depth")" $'7\n3' \
	"M-099 unified keys are written, also those that the runtime does not know"
"$CAISSON" delete -f unified
make_bundle "$b" resources='{"unified": {"nosuch.max": "1"}}'
t_like "$("$CAISSON" create -b "$b" x 2>&1)" 'nosuch.max' "M-100 a key of a controller that is not there"
t_is "$("$CAISSON" list -q)" "" "M-100 nothing stays"
if has_controller pids; then
	make_bundle "$b" args='["sleep", "1000"]' linux='"cgroupsPath": "/csn-deep/er/est"' resources='{"unified": {"pids.max": "17"}}'
	"$CAISSON" run -d -b "$b" deep
	t_is "$(cat "$CGROUP2/csn-deep/er/est/pids.max")" 17 "M-100 controllers that are needed are enabled level by level"
	"$CAISSON" delete -f deep
elif has_controller hugetlb; then
	make_bundle "$b" args='["sleep", "1000"]' linux='"cgroupsPath": "/csn-deep/er/est"' resources='{"unified": {"hugetlb.2MB.max": "4194304"}}'
	"$CAISSON" run -d -b "$b" deep
	t_is "$(cat "$CGROUP2/csn-deep/er/est/hugetlb.2MB.max")" 4194304 "M-100 controllers that are needed are enabled level by level"
	"$CAISSON" delete -f deep
fi
for pair in 'memory.kernel:{"memory": {"kernel": 1000000}}' 'memory.kernelTCP:{"memory": {"kernelTCP": 1000000}}' \
	'memory.swappiness:{"memory": {"swappiness": 10}}' 'memory.disableOOMKiller:{"memory": {"disableOOMKiller": true}}' \
	'cpu.realtimeRuntime:{"cpu": {"realtimeRuntime": 1000}}' 'cpu.realtimePeriod:{"cpu": {"realtimePeriod": 1000}}' \
	'blockIO.leafWeight:{"blockIO": {"leafWeight": 100}}' 'network.classID:{"network": {"classID": 5}}' \
	'network.priorities:{"network": {"priorities": [{"name": "lo", "priority": 1}]}}'; do
	refused "M-101 ${pair%%:*}" "linux.resources.${pair%%:*}: not supported by cgroup v2" resources="${pair#*:}"
done

# ---- owner --------------------------------------------------------------------------------------
writable=${default_mounts/'"relatime", "ro"'/'"relatime"'}
maps='"uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
	"gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}]'
userns="$default_namespaces, {\"type\": \"user\"}"
chmod 755 "$TMPDIR" "$CSN_TEST_DIR" "$b"
owner() { # FILE of the group of "owned"
	stat -c %u:%g "$CGROUP2/caisson/owned/$1"
}
own_group() { # NAME=JSON...: runs "owned"
	make_bundle "$b" args='["sleep", "1000"]' "$@"
	"$CAISSON" run -d -b "$b" owned
}
own_group namespaces="$userns" linux="$maps" mounts="$writable"
t_is "$(owner .) $(owner cgroup.procs) $(owner cgroup.threads) $(owner cgroup.subtree_control)" "100000:0 100000:0 100000:0 100000:0" \
	"M-102 a writable cgroup mount: the group is the user's"
t_is "$(owner cgroup.freeze) $(owner cgroup.max.depth)" "0:0 0:0" "M-102 but not its limits"
t_is "$("$CAISSON" exec owned sh -c 'cd /sys/fs/cgroup && mkdir sub && echo $$ >sub/cgroup.procs && grep -c . sub/cgroup.procs')" 1 \
	"M-102 the container can use it"
"$CAISSON" delete -f owned
own_group namespaces="$userns" linux="$maps"
t_is "$(owner .)" 0:0 "M-102 a read-only one: it stays the runtime's"
"$CAISSON" delete -f owned
own_group namespaces="${userns/, \{\"type\": \"cgroup\"\}/}" linux="$maps" mounts="$writable"
t_is "$(owner .)" 0:0 "M-102 without a cgroup namespace too"
"$CAISSON" delete -f owned
if [ -e /sys/kernel/cgroup/delegate ]; then
	mount -t tmpfs none /sys/kernel/cgroup
	own_group mounts="$writable" user='{"uid": 7, "gid": 7}'
	t_is "$(owner cgroup.procs) $(owner cgroup.subtree_control)" "7:0 7:0" "M-102 no delegate file: three files are known"
	"$CAISSON" delete -f owned
	printf 'cgroup.procs\nnot.there\n' >/sys/kernel/cgroup/delegate
	own_group mounts="$writable" user='{"uid": 7, "gid": 7}'
	t_is "$(owner cgroup.procs) $(owner cgroup.subtree_control)" "7:0 0:0" "M-102 files that are listed and not there are no failure"
	"$CAISSON" delete -f owned
	umount /sys/kernel/cgroup
fi
# Levels above a group that a path has asked for stay: they are not the container's.
find "$CGROUP2" -mindepth 1 -maxdepth 3 -depth -type d -name '*' -path '*csn-*' -exec rmdir {} + 2>/dev/null
rmdir "$CGROUP2"/csn-* 2>/dev/null
:
