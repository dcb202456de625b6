#!/bin/bash
# Limits of the engine as far as any host goes: options into the config, ulimits, refusals, updates
# that later starts see. With real controllers: tests/vm/vm_engine_limits.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

disk=$(awk '$3 ~ /^[a-z]+$/ && $1 != 7 && $4 != "" { print $3; exit }' /proc/partitions)
if [ ! -b "/dev/$disk" ]; then
	mknod "$TMPDIR/disk" b 254 0
	disk=$TMPDIR/disk
else
	disk=/dev/$disk
fi
numbers=$(($(stat -c 0x%t "$disk"))):$(($(stat -c 0x%T "$disk")))
device="{\"major\":${numbers%:*},\"minor\":${numbers#*:}"

resources() { # CONTAINER: linux.resources of its config
	sed -n 's/.*"resources":\({.*}\),"maskedPaths".*/\1/p' "$(csn_bundle "$1")/config.json"
}
deny='"devices":[{"allow":false,"access":"rwm"}]'
pids=
! grep -qw pids "$CGROUP2/cgroup.controllers" || pids=',"pids":{"limit":2048}'

# ---- options into the config --------------------------------------------------------------------
config() { # WANTED OPTION...
	local want=$1
	shift
	csn create --name c "$@" box true >/dev/null
	t_is "$(resources c)" "$want" "create $*"
	csn rm c >/dev/null
}
config "{$deny$pids}"
config "{$deny,\"pids\":{\"limit\":-1}}" --pids-limit -1
config "{$deny,\"memory\":{\"limit\":67108864,\"swap\":134217728}$pids}" -m 64m
config "{$deny,\"memory\":{\"limit\":67108864,\"swap\":67108864}$pids}" --memory 64m --memory-swap 64m
config "{$deny,\"memory\":{\"limit\":67108864,\"swap\":-1}$pids}" -m 64m --memory-swap -1
config "{$deny,\"memory\":{\"limit\":67108864,\"reservation\":1048576,\"swap\":134217728}$pids}" \
	-m 64m --memory-reservation 1m
config "{$deny,\"cpu\":{\"quota\":150000,\"period\":100000}$pids}" --cpus 1.5
config "{$deny,\"cpu\":{\"shares\":512,\"quota\":20000,\"period\":50000,\"cpus\":\"0-1\",\"mems\":\"0\"}$pids}" \
	-c 512 --cpu-quota 20000 --cpu-period 50000 --cpuset-cpus 0-1 --cpuset-mems 0
config "{$deny,\"pids\":{\"limit\":17},\"blockIO\":{\"weight\":300,\"weightDevice\":[$device,\"weight\":500}],\"throttleReadBpsDevice\":[$device,\"rate\":1048576}],\"throttleWriteBpsDevice\":[$device,\"rate\":2097152}],\"throttleReadIOPSDevice\":[$device,\"rate\":100}],\"throttleWriteIOPSDevice\":[$device,\"rate\":0}]}}" \
	--pids-limit 17 --blkio-weight 300 --blkio-weight-device "$disk:500" --device-read-bps "$disk:1m" \
	--device-write-bps "$disk:2mb" --device-read-iops "$disk:100" --device-write-iops "$disk:0"

# ---- what cannot be -----------------------------------------------------------------------------
refused() { # MESSAGE OPTION...
	local message=$1
	shift
	t_fails_with "$message" csn create --name c "$@" box true
}
refused '--memory "much": expected a size such as 512m, or -1' -m much
refused '--cpus "1,5": expected a number such as 1.5' --cpus 1,5
refused '--cpus "0.0000000001": expected a number such as 1.5' --cpus 0.0000000001
refused 'number of CPUs: expected 0.01 or more' --cpus 0.001
refused 'a number of CPUs and a CPU quota or period exclude each other' --cpus 1 --cpu-quota 5000
refused 'a limit of memory and swap together needs a memory limit' --memory-swap 64m
refused '--memory-swap "-5": expected a size such as 512m, or -1' -m 5 --memory-swap -5
refused 'CPU shares: expected a number from 2 to 262144, not 1' --cpu-shares 1
refused 'CPU period: expected a number from 1000 to 1000000, not 999' --cpu-period 999
refused 'CPU quota: expected 1000 or more, not 999' --cpu-quota 999
refused 'block I/O weight: expected a number from 10 to 1000, not 9' --blkio-weight 9
refused '--pids-limit "many": expected a number' --pids-limit many
refused 'pids limit: expected a number above 0 or -1, not -2' --pids-limit -2
refused '--device-read-bps "/dev/null": expected DEVICE:RATE[UNIT]' --device-read-bps /dev/null
refused '"/dev/null" is no block device' --device-read-bps /dev/null:1m
refused 'block device "/dev/nothing": No such file or directory' --device-read-bps /dev/nothing:1m
refused 'block device "sda": expected an absolute path' --device-read-bps sda:1m
refused "block I/O weight of \"$disk\": expected a number from 10 to 1000, not 5" --blkio-weight-device "$disk:5"
refused 'ulimit "files=5": expected NAME=SOFT[:HARD], such as nofile=1024:2048' --ulimit files=5
refused 'ulimit "nofile=x": expected numbers, or -1' --ulimit nofile=x
refused 'ulimit "nofile=5:4": the soft limit is above the hard one' --ulimit nofile=5:4
refused 'oom_score_adj: expected a number from -1000 to 1000, not 1001' --oom-score-adj 1001
t_is "$(csn ps -a -q)" "" "nothing was made"

# ---- of processes -------------------------------------------------------------------------------
t_is "$(csn run --rm --ulimit nofile=100:200 --ulimit core=0 box sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c')" \
	$'100\n200\n0' "ulimits"
t_is "$(csn run --rm --ulimit nofile=100 --ulimit nofile=50 box sh -c 'ulimit -Hn')" 50 "the last one counts"
t_is "$(csn run --rm --oom-score-adj 500 box cat /proc/self/oom_score_adj)" 500 "oom_score_adj"
csn run -d --name c --ulimit nofile=100:200 --oom-score-adj 300 box sleep 1000 >/dev/null
t_is "$(csn exec c sh -c 'ulimit -Hn; cat /proc/self/oom_score_adj')" $'200\n300' "exec has both too"

# ---- devices ------------------------------------------------------------------------------------
t_ok "the usual devices open" csn exec c sh -c 'echo >/dev/null && head -c 1 /dev/zero /dev/urandom /dev/full >/dev/null'

# ---- the group's place ---------------------------------------------------------------------------
t_like "$(group_of c)" '^/caisson/[0-9a-f]{64}$' "without a word groups are below /caisson"
id=$(csn run -d --name p --cgroup-parent /asked/for box sleep 1000)
t_is "$(group_of p)" "/asked/for/$id" "--cgroup-parent"
csn rm -f p >/dev/null
id=$(CAISSON_CGROUP_PARENT=/env csn run -d --name p box sleep 1000)
t_is "$(group_of p)" "/env/$id" "CAISSON_CGROUP_PARENT"
csn rm -f p >/dev/null
id=$(CAISSON_CGROUP_PARENT=/env csn run -d --name p --cgroup-parent /asked box sleep 1000)
t_is "$(group_of p)" "/asked/$id" "who asks gets it"
csn rm -f p >/dev/null
t_ok "parents that were made are gone" test ! -e "$CGROUP2/asked" -a ! -e "$CGROUP2/env"
t_fails_with 'cgroup parent: cgroup path "/a/../b": empty, "." and ".." parts are not allowed' \
	csn create --cgroup-parent /a/../b box true
t_fails_with 'CAISSON_CGROUP_PARENT: cgroup parent: cgroup path "relative": expected a path below "/"' \
	env CAISSON_CGROUP_PARENT=relative "$CSN" --root "$world/root" --run-root "$world/run" create box true

# ---- updates ------------------------------------------------------------------------------------
before=$(resources c)
if grep -qw memory "$CGROUP2/cgroup.controllers"; then
	t_skip "a limit without its controller" "the host has all"
else
	t_like "$(csn run --rm -m 64m box true 2>&1)" \
		'^csn: memory\.[a-z.]*: the memory controller is not available in cgroup "/caisson/[0-9a-f]{64}" \(cgroup2 at .* offers: .*\); it may be bound to cgroup v1: boot with cgroup_no_v1=memory$' \
		"run says it too"
	t_like "$(csn update -m 64m c 2>&1)" \
		'^csn: container "[0-9a-f]{64}": memory\.[a-z.]*: the memory controller is not available in cgroup "/caisson/[0-9a-f]{64}" \(cgroup2 at .* offers: .*\); it may be bound to cgroup v1: boot with cgroup_no_v1=memory$' \
		"a limit whose controller is missing says which and what to do"
fi
t_is "$(resources c)" "$before" "and the config is as it was"
t_ok "no limit for pids is none to take away" csn update --pids-limit -1 c
t_is "$(resources c)" "{$deny,\"pids\":{\"limit\":-1}}" "and is kept"
csn rm -f c >/dev/null
csn create --name c -m 64m box true >/dev/null
t_is "$(csn update --cpus 0.5 c)" c "update of one that does not run"
t_is "$(resources c)" "{$deny,\"memory\":{\"limit\":67108864,\"swap\":134217728},\"cpu\":{\"quota\":50000,\"period\":100000}$pids}" \
	"later starts have both"
t_fails_with 'memory limit: 268435456 is above the limit of memory and swap together, 134217728: change both' \
	csn update -m 256m c
t_ok "both" csn update -m 256m --memory-swap 512m c
t_is "$(resources c)" "{$deny,\"memory\":{\"limit\":268435456,\"swap\":536870912},\"cpu\":{\"quota\":50000,\"period\":100000}$pids}" \
	"are changed"
t_like "$(csn inspect c | tr -d '\n ')" '"memory":\{"limit":268435456,"swap":536870912\}' "inspect shows them"
t_ok "rates" csn update --device-read-bps "$disk:1m" --device-write-bps "$disk:1m" c
t_ok "another rate" csn update --device-read-bps "$disk:5m" c
t_ok "replaces that device's" grep -F "\"throttleReadBpsDevice\":[$device,\"rate\":5242880}],\"throttleWriteBpsDevice\":[$device,\"rate\":1048576}]" \
	"$(csn_bundle c)/config.json"
t_fails_with 'container "nobody" does not exist' csn update -m 64m nobody
t_ok "all goes" csn rm c
