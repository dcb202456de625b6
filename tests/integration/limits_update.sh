#!/bin/bash
# Limits at create and `caisson update`, as far as any host goes: hugetlb where it is offered, the
# core's own files, every refusal. What needs the other controllers is in tests/vm/vm_limits.sh.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
update() { # ID JSON
	printf '%s' "$2" | "$CAISSON" update --resources - "$1"
}
limit() { # ID FILE: what the kernel has
	cat "$CGROUP2/caisson/$1/$2"
}

# ---- create -------------------------------------------------------------------------------------
make_bundle "$b" args='["sleep", "1000"]' resources='{"unified": {"cgroup.max.depth": "3"}}'
t_ok "a container with a limit of the core" "$CAISSON" run --detach --bundle "$b" x
t_is "$(limit x cgroup.max.depth)" 3 "unified: it is there"

# A limit whose controller is not there is an error that says which and what to do; nothing is left.
snapshot "$TMPDIR/before"
missing() { # CONTROLLER FILE RESOURCES
	if has_controller "$1"; then
		t_skip "without $1: $2 is refused" "the host has it"
		return
	fi
	offered=$(cat "$CGROUP2/cgroup.controllers")
	make_bundle "$b" resources="$3"
	t_fails_with "$2: the $1 controller is not available in cgroup \"/caisson/y\" (cgroup2 at $CGROUP2 offers: ${offered:-nothing}); it may be bound to cgroup v1: boot with cgroup_no_v1=$1" \
		"$CAISSON" run -b "$b" y
	t_fails_with "container \"x\": $2: the $1 controller is not available in cgroup \"/caisson/x\" (cgroup2 at $CGROUP2 offers: ${offered:-nothing}); it may be bound to cgroup v1: boot with cgroup_no_v1=$1" \
		update x "$3"
}
missing memory memory.max '{"memory": {"limit": 67108864}}'
missing memory memory.low '{"memory": {"reservation": 67108864}}'
missing memory memory.oom.group '{"unified": {"memory.oom.group": "1"}}'
missing cpu cpu.weight '{"cpu": {"shares": 512}}'
missing cpu cpu.max '{"cpu": {"quota": 20000}}'
missing cpu cpu.idle '{"cpu": {"idle": 1}}'
missing cpuset cpuset.cpus '{"cpu": {"cpus": "0"}}'
missing pids pids.max '{"pids": {"limit": 17}}'
missing io io.max '{"blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1048576}]}}'
missing io io.weight '{"blockIO": {"weight": 100}}'
missing rdma rdma.max '{"rdma": {"mlx5_0": {"hcaHandles": 3}}}'
missing misc misc.max '{"unified": {"misc.max": "res_a 3"}}'
t_unchanged "refused limits leave nothing" "$TMPDIR/before"

# What asks for nothing needs no controller.
make_bundle "$b" resources='{"memory": {"limit": 0, "swap": 0, "kernel": 0, "disableOOMKiller": false},
	"cpu": {"shares": 0, "quota": -1, "period": 100000, "cpus": "", "idle": 0, "burst": 0},
	"pids": {"limit": -1}, "blockIO": {"weight": 0, "leafWeight": 0},
	"unified": {"cgroup.max.descendants": "max"}}'
run_container "$b"
t_is "$status$errors" 0 "zeros and \"no limit\" need no controller"

# ---- hostile keys and paths ---------------------------------------------------------------------
printf 'precious' >"$TMPDIR/precious"
long=$(printf 'x%.0s' {1..4096})
hostile() { # KEY SHOWN-AS
	local shown=${2-$1}
	make_bundle "$b" resources="{\"unified\": {$(json_string "$1"): \"1\"}}"
	t_fails_with "config.json: linux.resources.unified: \"$shown\" is no file of a cgroup (expected a name such as memory.high)" \
		"$CAISSON" run -b "$b" y
	t_fails_with "standard input: linux.resources.unified: \"$shown\" is no file of a cgroup (expected a name such as memory.high)" \
		update x "{\"unified\": {$(json_string "$1"): \"1\"}}"
}
hostile ../cgroup.procs
hostile ../../../../../../../../"$TMPDIR"/precious
hostile "$TMPDIR/precious"
hostile memory.max/../../x
hostile $'memory.max\nx' "memory.max x"
hostile "memory.$long" "memory.${long:0:93}"
for file in procs threads kill freeze type subtree_control; do
	make_bundle "$b" resources="{\"unified\": {\"cgroup.$file\": \"1\"}}"
	t_fails_with "cgroup file \"cgroup.$file\" is not a limit" "$CAISSON" run -b "$b" y
done
cgroups_path() { # PATH MESSAGE
	make_bundle "$b" linux="\"cgroupsPath\": $(json_string "$1")"
	t_fails_with "config.json: linux.cgroupsPath: $2" "$CAISSON" run -b "$b" y
}
cgroups_path /a/../../b '"/a/../../b": ".." is not allowed'
cgroups_path ../b '"../b": ".." is not allowed'
cgroups_path $'/a\nb' 'control characters are not allowed'
cgroups_path "/$long" 'too long (4097 bytes)'
cgroups_path "/${long:0:256}" 'a part is longer than 255 bytes'
cgroups_path / '"/" names no group'
t_is "$(cat "$TMPDIR/precious")" precious "the host's files are untouched"
t_unchanged "hostile names leave nothing" "$TMPDIR/before"

# ---- update -------------------------------------------------------------------------------------
t_ok "update from standard input" update x '{"unified": {"cgroup.max.depth": "5"}}'
t_is "$(limit x cgroup.max.depth)" 5 "it changed"
echo '{"unified": {"cgroup.max.descendants": "7"}}' >"$TMPDIR/r.json"
t_ok "update from a file" "$CAISSON" update -r "$TMPDIR/r.json" x
t_is "$(limit x cgroup.max.depth):$(limit x cgroup.max.descendants)" 5:7 "what is not named stays"
t_ok "nothing named" update x '{}'
t_ok "no option at all" "$CAISSON" update x
t_ok "devices in an update are not looked at" update x '{"devices": [{"allow": false, "access": "rwm"}]}'
t_ok "and stay usable" "$CAISSON" exec x sh -c 'echo x >/dev/null && head -c 1 /dev/zero >/dev/null'
t_fails_with 'container "x": x.nothing: this kernel has no such file in cgroup "/caisson/x"' \
	update x '{"unified": {"cgroup.max.depth": "9", "x.nothing": "1"}}'
t_is "$(limit x cgroup.max.depth)" 5 "a failed update takes back what it had changed"
if has_controller hugetlb && [ -e "$CGROUP2/caisson/x/hugetlb.2MB.max" ]; then
	t_ok "hugetlb" update x '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
	t_is "$(limit x hugetlb.2MB.max):$(limit x hugetlb.2MB.rsvd.max)" 4194304:4194304 \
		"pages and reservations"
	t_fails_with 'container "x": x.nothing: this kernel has no such file in cgroup "/caisson/x"' \
		update x '{"hugepageLimits": [{"pageSize": "2MB", "limit": 8388608}], "unified": {"x.nothing": "1"}}'
	t_is "$(limit x hugetlb.2MB.max):$(limit x hugetlb.2MB.rsvd.max)" 4194304:4194304 \
		"and taken back together"
	t_fails_with 'container "x": hugetlb.3MB.max: this kernel has no such file in cgroup "/caisson/x"' \
		update x '{"hugepageLimits": [{"pageSize": "3MB", "limit": 4194304}]}'
else
	t_skip "hugetlb" "the controller is not there"
fi
t_ok "pause" "$CAISSON" pause x
t_ok "update while paused" update x '{"unified": {"cgroup.max.depth": "6"}}'
t_is "$(limit x cgroup.max.depth)" 6 "it changed"
t_ok "resume" "$CAISSON" resume x

# ---- update, refused ----------------------------------------------------------------------------
t_fails_with 'standard input: memory.limit: expected an integer from -1 to 9223372036854775807' \
	update x '{"memory": {"limit": "64m"}}'
t_fails_with 'standard input: expected an object' update x '[]'
t_fails_with 'linux.resources.memory.swappiness: not supported by cgroup v2' \
	update x '{"memory": {"swappiness": 60}}'
t_fails_with 'option --memory: expected a size such as 512m, or -1, not "much"' \
	"$CAISSON" update --memory much x
t_fails_with 'option --memory-swap: expected a size such as 512m, or -1, not "-2"' \
	"$CAISSON" update --memory-swap -2 x
t_fails_with 'option --cpu-idle: expected a number from 0 to 1, not "2"' \
	"$CAISSON" update --cpu-idle 2 x
t_fails_with 'option --cpu-share: expected a number of 0 or more, not "-5"' \
	"$CAISSON" update --cpu-share -5 x
t_fails_with 'option --pids-limit: expected a number, not "x"' "$CAISSON" update --pids-limit x x
t_fails_with 'linux.resources.blockIO.weight: expected an integer from 10 to 1000, not 5' \
	"$CAISSON" update --blkio-weight 5 x
t_fails_with 'option --blkio-weight: expected a number from 0 to 1000, not "1001"' \
	"$CAISSON" update --blkio-weight 1001 x
t_fails_with 'linux.resources.memory.kernel: not supported by cgroup v2' \
	"$CAISSON" update --kernel-memory 5m x
t_fails_with 'linux.resources.cpu.realtimePeriod: not supported by cgroup v2' \
	"$CAISSON" update --cpu-rt-period 1000 x
t_fails_with 'linux.intelRdt: container "x" has no resctrl group of its own' \
	"$CAISSON" update --l3-cache-schema L3:0=f x
t_fails_with 'option --mem-bw-schema: expected one line that begins with "MB:"' \
	"$CAISSON" update --mem-bw-schema L3:0=f x
t_fails_with 'linux.resources.memory.swap: needs memory.limit' "$CAISSON" update --memory-swap 5m x
t_like "$("$CAISSON" update --pids-limit 5 -r "$TMPDIR/r.json" x 2>&1)" \
	'option --pids-limit is ignored: --resources is given' "options beside a document"
t_fails_with 'container "nobody" does not exist' "$CAISSON" update --pids-limit 5 nobody
t_like "$("$CAISSON" update -r "$TMPDIR/absent" x 2>&1)" "$TMPDIR/absent" "a file that is not there"
"$CAISSON" kill x KILL
wait_until 10 status_is x stopped
t_fails_with 'cannot update container "x": it is stopped' "$CAISSON" update --pids-limit 5 x
t_ok "the container goes" "$CAISSON" delete x
