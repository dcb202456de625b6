#!/bin/bash
# Every limit under real controllers: set at create, read back from the kernel's file, changed by
# update, kept when it is not named, taken back when another one is refused.
. "$(dirname "$0")/../integration/lib.sh"

for controller in cpu cpuset io memory pids hugetlb; do
	has_controller $controller || t_skip_all "no $controller controller"
done
b=$TMPDIR/b
disk=$(cat /sys/block/vdb/dev)
read_back() { # FILE: in one line
	local lines
	mapfile -t lines <"$CGROUP2/caisson/x/$1"
	printf '%s' "${lines[*]}"
}
read_all() {
	(cd "$CGROUP2/caisson/x" && grep . $files)
}
update() {
	printf '%s' "$1" | "$CAISSON" update --resources - x
}

# ---- each row: a file, what create leaves in it, what update leaves in it -----------------------
create_json='{
	"memory": {"limit": 134217728, "reservation": 16777216, "swap": 201326592},
	"cpu": {"shares": 512, "quota": 50000, "period": 100000, "burst": 20000, "cpus": "0-1", "mems": "0"},
	"pids": {"limit": 100},
	"blockIO": {"weight": 200, "weightDevice": [{"major": '${disk%:*}', "minor": '${disk#*:}', "weight": 300}],
		"throttleReadBpsDevice": [{"major": '${disk%:*}', "minor": '${disk#*:}', "rate": 1048576}],
		"throttleWriteBpsDevice": [{"major": '${disk%:*}', "minor": '${disk#*:}', "rate": 2097152}],
		"throttleReadIOPSDevice": [{"major": '${disk%:*}', "minor": '${disk#*:}', "rate": 100}],
		"throttleWriteIOPSDevice": [{"major": '${disk%:*}', "minor": '${disk#*:}', "rate": 200}]},
	"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}, {"pageSize": "1GB", "limit": 0}],
	"unified": {"memory.high": "100663296", "memory.min": "4194304", "memory.oom.group": "1",
		"cgroup.max.depth": "4", "pids.max": "90"}}'
update_json='{
	"memory": {"limit": 100663296, "reservation": 8388608, "swap": 100663296},
	"cpu": {"shares": 2048, "quota": 20000, "period": 50000, "burst": 10000, "cpus": "1", "mems": "0"},
	"pids": {"limit": 50},
	"blockIO": {"weight": 400, "weightDevice": [{"major": '${disk%:*}', "minor": '${disk#*:}', "weight": 600}],
		"throttleReadBpsDevice": [{"major": '${disk%:*}', "minor": '${disk#*:}', "rate": 3145728}],
		"throttleWriteIOPSDevice": [{"major": '${disk%:*}', "minor": '${disk#*:}', "rate": 0}]},
	"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}],
	"unified": {"memory.high": "max", "memory.min": "0", "memory.oom.group": "0",
		"cgroup.max.depth": "8"}}'
# FILE|AFTER CREATE|AFTER UPDATE
rows=$(cat <<-END
	memory.max|134217728|100663296
	memory.swap.max|67108864|0
	memory.low|16777216|8388608
	memory.high|100663296|max
	memory.min|4194304|0
	memory.oom.group|1|0
	cpu.weight|59|174
	cpu.max|50000 100000|20000 50000
	cpu.max.burst|20000|10000
	cpu.idle|0|0
	cpuset.cpus|0-1|1
	cpuset.mems|0|0
	cpuset.cpus.effective|0-1|1
	pids.max|90|50
	io.bfq.weight|default 200 $disk 300|default 400 $disk 600
	io.max|$disk rbps=1048576 wbps=2097152 riops=100 wiops=200|$disk rbps=3145728 wbps=2097152 riops=100 wiops=max
	hugetlb.2MB.max|4194304|2097152
	hugetlb.2MB.rsvd.max|4194304|2097152
	hugetlb.1GB.max|0|0
	cgroup.max.depth|4|8
END
)
files=$(cut -d '|' -f 1 <<<"$rows")
check() { # COLUMN WHEN
	local file created updated want
	while IFS='|' read -r file created updated; do
		[ "$1" = created ] && want=$created || want=$updated
		t_is "$(read_back "$file")" "$want" "$file $2"
	done <<<"$rows"
}

make_bundle "$b" args='["sleep", "1000"]' resources="$create_json"
t_ok "a container with every limit" "$CAISSON" run --detach --bundle "$b" x
check created "after create"
t_ok "update of every limit" update "$update_json"
check updated "after update"

# ---- what is not named stays --------------------------------------------------------------------
t_ok "an update of nothing" update '{"memory": {"limit": 0, "swap": 0, "reservation": 0, "kernel": 0},
	"cpu": {"shares": 0, "quota": 0, "period": 0, "cpus": "", "mems": ""},
	"pids": {"limit": 0}, "blockIO": {"weight": 0}, "devices": [{"allow": false, "access": "rwm"}]}'
check updated "after an update of nothing"
t_ok "a period alone" update '{"cpu": {"period": 100000}}'
t_is "$(read_back cpu.max)" "20000 100000" "keeps the quota"
t_ok "a quota alone" "$CAISSON" update --cpu-quota 30000 x
t_is "$(read_back cpu.max)" "30000 100000" "keeps the period"
t_ok "swap alone" "$CAISSON" update --memory-swap 128m x
t_is "$(read_back memory.max):$(read_back memory.swap.max)" "100663296:33554432" \
	"counts the present limit of memory"
t_ok "no limits" update '{"memory": {"limit": -1}, "cpu": {"quota": -1}, "pids": {"limit": -1}}'
t_is "$(read_back memory.max):$(read_back memory.swap.max):$(read_back cpu.max):$(read_back pids.max)" \
	"max:max:max 100000:max" "are max"
t_fails_with 'linux.resources.memory.swap: needs memory.limit' "$CAISSON" update --memory-swap 128m x

# ---- what clients send ---------------------------------------------------------------------------
client() { # WHOSE JSON FILE=TEXT...
	local whose=$1 pair
	t_ok "an update as $whose sends it" update "$2"
	shift 2
	for pair; do
		t_is "$(read_back "${pair%%=*}")" "${pair#*=}" "$whose: ${pair%%=*}"
	done
}
client docker '{"memory": {"limit": 67108864, "reservation": 0, "swap": 134217728, "kernel": 0},
	"cpu": {"shares": 0, "quota": 50000, "period": 100000, "cpus": "", "mems": ""},
	"pids": {"limit": 100}, "blockIO": {"weight": 0}}' \
	memory.max=67108864 memory.swap.max=67108864 "cpu.max=50000 100000" pids.max=100 cpu.weight=174 cpuset.cpus=1
client CRI-O '{"memory": {"limit": 134217728, "swap": 134217728}, "cpu": {}}' \
	memory.max=134217728 memory.swap.max=0 "cpu.max=50000 100000"
client "containerd's CRI" '{"devices": [{"allow": false, "access": "rwm"}],
	"memory": {"limit": 100663296, "swap": 100663296},
	"cpu": {"shares": 2048, "quota": 100000, "period": 100000, "cpus": "1", "mems": "0"},
	"unified": {"memory.oom.group": "1"}}' \
	memory.max=100663296 "cpu.max=100000 100000" cpu.weight=174 memory.oom.group=1
t_ok "which took no device away" "$CAISSON" exec x sh -c 'echo x >/dev/null'
client podman '{"cpu": {"quota": 150000, "period": 100000},
	"memory": {"limit": 134217728, "swap": 268435456}, "pids": {"limit": 2048}, "blockIO": {"weight": 200}}' \
	memory.max=134217728 memory.swap.max=134217728 "cpu.max=150000 100000" pids.max=2048 \
	"io.bfq.weight=default 200 $disk 600"

# ---- every option -------------------------------------------------------------------------------
t_ok "all options at once" "$CAISSON" update --memory 64m --memory-swap 96m --memory-reservation 8m \
	--cpu-share 1024 --cpu-quota 25000 --cpu-period 50000 --cpu-burst 5000 --cpuset-cpus 0 \
	--cpuset-mems 0 --pids-limit 33 --blkio-weight 500 x
for pair in memory.max=67108864 memory.swap.max=33554432 memory.low=8388608 cpu.weight=100 \
	"cpu.max=25000 50000" cpu.max.burst=5000 cpuset.cpus=0 cpuset.mems=0 pids.max=33 \
	"io.bfq.weight=default 500 $disk 600"; do
	t_is "$(read_back "${pair%%=*}")" "${pair#*=}" "${pair%%=*} by option"
done
t_ok "idle" "$CAISSON" update --cpu-idle 1 x
t_is "$(read_back cpu.idle)" 1 "it is"
t_fails_with 'container "x": cgroup "/caisson/x": write "59" to cpu.weight: Invalid argument (an idle group has none: set cpu.idle to 0 first)' \
	"$CAISSON" update --cpu-share 512 x
t_ok "not idle, and a weight" "$CAISSON" update --cpu-idle 0 --cpu-share 512 x
t_is "$(read_back cpu.idle):$(read_back cpu.weight)" 0:59 "they are"

# ---- refused: named, and nothing changes --------------------------------------------------------
before=$(read_all)
refused() { # JSON MESSAGE
	t_fails_with "container \"x\": $2" update "$1"
	t_is "$(read_all)" "$before" \
		"and nothing changed"
}
refused "${update_json/'"cgroup.max.depth": "8"'/'"misc.max": "none 3"'}" \
	'cgroup "/caisson/x": write "none 3" to misc.max: Invalid argument'
refused '{"pids": {"limit": 5}, "cpu": {"quota": 999}}' \
	'cgroup "/caisson/x": write "999 50000" to cpu.max: Invalid argument (quota and period are 1000 microseconds or more, the period at most 1000000, and cpu.max.burst no more than the quota)'
refused '{"pids": {"limit": 5}, "cpu": {"quota": 2000}}' \
	'cgroup "/caisson/x": write "2000 50000" to cpu.max: Invalid argument (quota and period are 1000 microseconds or more, the period at most 1000000, and cpu.max.burst no more than the quota)'
refused '{"pids": {"limit": 5}, "blockIO": {"throttleReadBpsDevice": [{"major": 999, "minor": 0, "rate": 5}]}}' \
	'cgroup "/caisson/x": write "999:0 rbps=5" to io.max: No such device (there is no such block device; partitions have no limits of their own)'
refused '{"pids": {"limit": 5}, "rdma": {"none_0": {"hcaHandles": 3}}}' \
	'cgroup "/caisson/x": write "none_0 hca_handle=3" to rdma.max: No such device (there is no such RDMA device)'
refused '{"pids": {"limit": 5}, "hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}' \
	'hugetlb.3MB.max: this kernel has no such file in cgroup "/caisson/x"'
refused '{"pids": {"limit": 5}, "unified": {"memory.nothing": "1"}}' \
	'memory.nothing: this kernel has no such file in cgroup "/caisson/x"'
refused '{"pids": {"limit": 5}, "memory": {"limit": 4096, "checkBeforeUpdate": true}}' \
	"memory.max: 4096 bytes are below the $(read_back memory.current) bytes in use"

t_ok "the container goes" "$CAISSON" delete --force x
make_bundle "$b" resources='{"blockIO": {"weightDevice": [{"major": 999, "minor": 0, "weight": 100}]}}'
t_fails_with 'cgroup "/caisson/y": write "999:0 100" to io.bfq.weight: No such device (there is no such block device)' \
	"$CAISSON" run -b "$b" y

# ---- a controller that a parent does not give ---------------------------------------------------
mkdir "$CGROUP2/closed" "$CGROUP2/closed/full"
sleep 100 &
sleeper=$!
echo $sleeper >"$CGROUP2/closed/cgroup.procs"
make_bundle "$b" linux='"cgroupsPath": "/closed/box"' resources='{"memory": {"limit": 67108864}}'
t_fails_with "memory.max: the memory controller is not available in cgroup \"/closed/box\": a parent's cgroup.subtree_control does not enable it (it cannot while that parent has processes of its own)" \
	"$CAISSON" run -b "$b" y
kill $sleeper
wait $sleeper 2>/dev/null
t_ok "when the process has gone, the same config runs" "$CAISSON" run -b "$b" y
rmdir "$CGROUP2/closed/full" "$CGROUP2/closed"
