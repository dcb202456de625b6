#!/bin/bash
# Limits of the engine under real controllers: set by run, seen in the kernel and by the program,
# changed by update while it runs, and still so after a restart.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine_lib.sh"

for controller in cpu cpuset io memory pids; do
	has_controller $controller || t_skip_all "no $controller controller"
done
disk=$(cat /sys/block/vdb/dev)
kernel() { # FILE...: what the kernel has for container c, in one line
	local file
	for file; do
		tr '\n' ' ' <"$CGROUP2/caisson/$id/$file" | sed 's/ *$/|/'
	done | tr -d '\n'
}

id=$(csn run -d --name c -m 64m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 50 \
	--blkio-weight 300 --device-read-bps /dev/vdb:1m --memory-reservation 8m box sleep 1000)
t_is "$(kernel memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus pids.max io.bfq.weight io.max)" \
	"67108864|67108864|8388608|50000 100000|59|0|50|default 300|$disk rbps=1048576 wbps=max riops=max wiops=max|" \
	"every option is in the kernel's file"
t_is "$(csn exec c cat /sys/fs/cgroup/memory.max)" 67108864 "and the program sees it"

t_ok "update while it runs" csn update -m 128m --memory-swap 160m --cpus 1.5 --pids-limit -1 \
	--device-read-bps /dev/vdb:0 --device-write-iops /dev/vdb:100 c
changed="134217728|33554432|8388608|150000 100000|59|0|max|default 300|$disk rbps=max wbps=max riops=max wiops=100|"
t_is "$(kernel memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus pids.max io.bfq.weight io.max)" \
	"$changed" "what was named changed, the rest is as it was"
t_like "$(csn update --cpuset-cpus 99999 c 2>&1)" \
	"^csn: container \"$id\": cgroup \"/caisson/$id\": write \"99999\" to cpuset.cpus: .* \\(.*\\)$" \
	"a refused one is told"
t_is "$(kernel memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus pids.max io.bfq.weight io.max)" \
	"$changed" "and changes nothing"
csn stop -t 0 c >/dev/null
t_ok "start again" csn start c
t_is "$(kernel memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus pids.max io.bfq.weight io.max)" \
	"$changed" "with what the update left"
t_ok "remove" csn rm -f c

id=$(csn run -d --name c box sleep 1000)
t_is "$(kernel pids.max memory.max cpu.max)" "2048|max|max 100000|" "by default processes are limited, nothing else is"
t_ok "remove" csn rm -f c
csn run --rm -m 32m --memory-swap 32m box sh -c 'head -c 100000000 /dev/zero | tail >/dev/null'
t_is $? 137 "too much memory"

# One who lives in a group that was delegated to him: his processes step aside.
mkdir "$CGROUP2/unit"
setfattr -n trusted.delegate -v 1 "$CGROUP2/unit"
delegated() { # COMMAND...: in the group /unit
	(echo $BASHPID >"$CGROUP2/unit/cgroup.procs" && "$@")
}
id=$(delegated csn run -d --name p box sleep 1000)
t_is "$(group_of p)" "/unit/containers/$id" "below a delegated group"
t_is "$(cat "$CGROUP2/unit/cgroup.procs")" "" "which has no process of its own any more"
csn rm -f p >/dev/null
rmdir "$CGROUP2/unit/init" "$CGROUP2/unit/containers" "$CGROUP2/unit"
