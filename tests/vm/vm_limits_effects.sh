#!/bin/bash
# What limits do: the CPU, memory, pids, block I/O, huge pages and devices that a container gets.
. "$(dirname "$0")/../integration/lib.sh"

for controller in cpu cpuset io memory pids hugetlb; do
	has_controller $controller || t_skip_all "no $controller controller"
done
b=$TMPDIR/b
group=$CGROUP2/caisson
burn='["sh", "-c", "while :; do :; done"]'

# t_between GOT LOW HIGH NAME
t_between() {
	if [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; then
		t_pass "$4"
	else
		t_fail "$4" "got:    $1" "wanted: $2 to $3"
	fi
}
usage() { # ID: microseconds of CPU so far
	sed -n 's/^usage_usec //p' "$group/$1/cpu.stat"
}
now() { # microseconds
	local t=${EPOCHREALTIME/./}
	echo "$t"
}
start() { # ID NAME=JSON...
	local id=$1
	shift
	make_bundle "$b" "$@"
	t_ok "start $id" "$CAISSON" run --detach --bundle "$b" "$id"
}
finish() {
	local id
	for id; do
		"$CAISSON" delete --force "$id"
	done
}
# share_of ID SECONDS: thousandths of one CPU.
share_of() {
	local used=$(usage "$1") from=$(now)
	sleep "$2"
	echo $((($(usage "$1") - used) * 1000 / ($(now) - from)))
}

# ---- CPU ----------------------------------------------------------------------------------------
start loop args="$burn" resources='{"cpu": {"quota": 20000, "period": 100000}}'
sleep 0.5
t_between "$(share_of loop 3)" 180 220 "a loop is held to 20 % of a CPU"
t_ok "half a CPU" "$CAISSON" update --cpu-quota 50000 loop
t_between "$(share_of loop 3)" 450 550 "then to 50 %"
finish loop

start light args="$burn" resources='{"cpu": {"cpus": "1", "shares": 512}}'
start heavy args="$burn" resources='{"cpu": {"cpus": "1", "shares": 2048}}'
sleep 0.5
light=$(usage light) heavy=$(usage heavy)
sleep 3
light=$(($(usage light) - light)) heavy=$(($(usage heavy) - heavy))
# Weights 59 and 174.
t_between $((heavy * 1000 / light)) 2500 3400 "weights 59 and 174 divide a CPU as 1 to 2.95"
t_is "$("$CAISSON" exec heavy sed -n 's/^Cpus_allowed_list:[ \t]*//p' /proc/self/status)" 1 \
	"cpuset: the CPU is the one given"
t_ok "idle" "$CAISSON" update --cpu-idle 1 light
sleep 0.5
t_between "$(share_of light 3)" 0 50 "an idle group gets next to nothing beside a busy one"
finish light heavy

# A process that hardly gets any CPU needs it to die.
start slow args='["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do (while :; do :; done) & done; wait"]' \
	resources='{"cpu": {"quota": 1000, "period": 1000000}}'
from=$(now)
finish slow
t_between $((($(now) - from) / 1000)) 0 5000 "a throttled container is removed as fast as any"

# ---- memory -------------------------------------------------------------------------------------
start box args='["sleep", "1000"]' resources='{"memory": {"limit": 33554432, "swap": 33554432}}'
"$CAISSON" exec box sh -c 'head -c 100000000 /dev/zero | tail >/dev/null'
t_is $? 137 "an allocation above memory.max is killed"
t_is "$(sed -n 's/^oom_kill //p' "$group/box/memory.events")" 1 "and counted"
t_is "$(container_status box)" running "nothing else is"
t_ok "more memory" "$CAISSON" update --memory 256m --memory-swap 256m box
t_ok "the same allocation fits" "$CAISSON" exec box sh -c 'head -c 100000000 /dev/zero | tail >/dev/null'
t_ok "a soft limit" "$CAISSON" update -r - box <<<'{"unified": {"memory.high": "16777216"}}'
"$CAISSON" exec box sh -c 'head -c 20000000 /dev/zero | tail >/dev/null'
t_between "$(sed -n 's/^high //p' "$group/box/memory.events")" 1 100000000 "memory.high throttles"
finish box
start box args='["sh", "-c", "sleep 1000 & head -c 100000000 /dev/zero | tail >/dev/null; wait"]' \
	resources='{"memory": {"limit": 33554432, "swap": 33554432}, "unified": {"memory.oom.group": "1"}}'
t_ok "with memory.oom.group all go" wait_until 20 status_is box stopped
finish box

# ---- pids ---------------------------------------------------------------------------------------
start bomb args='["sleep", "1000"]' resources='{"pids": {"limit": 32}}'
"$CAISSON" exec bomb sh -c 'f() { f | f & }; f; sleep 2' >"$TMPDIR/bomb" 2>&1
t_between "$(cat "$group/bomb/pids.current")" 1 32 "a fork bomb stops at pids.max"
t_between "$(sed -n 's/^max //p' "$group/bomb/pids.events")" 1 100000000 "and was refused more"
t_ok "kill --all ends it" "$CAISSON" kill --all bomb KILL
t_ok "the bomb is out" wait_until 20 status_is bomb stopped
finish bomb

# ---- block I/O ----------------------------------------------------------------------------------
source=$(df --output=source "$TMPDIR" | tail -n 1)
disk=$(cat "/sys/block/${source#/dev/}/dev")
mkdir "$TMPDIR/disk"
dd if=/dev/zero of="$TMPDIR/disk/data" bs=1M count=8 conv=fsync 2>/dev/null
rates() { # JSON-LIST-NAME RATE
	printf '{"blockIO": {"%s": [{"major": %s, "minor": %s, "rate": %s}]}}' \
		"$1" "${disk%:*}" "${disk#*:}" "$2"
}
# took ID COMMAND...: milliseconds
took() {
	local from=$(now) id=$1
	shift
	"$CAISSON" exec "$id" "$@" >/dev/null 2>&1 || echo "failed"
	echo $((($(now) - from) / 1000))
}
more='{"destination": "/disk", "type": "bind", "source": "'$TMPDIR/disk'", "options": ["bind"]}'
start io args='["sleep", "1000"]' more_mounts="$more" \
	resources="$(rates throttleWriteBpsDevice 1048576)"
writing='dd if=/dev/zero of=/disk/out bs=64k count=64 oflag=direct'
t_between "$(took io $writing)" 3300 5200 "4 MiB at 1 MiB/s take four seconds"
t_ok "faster" "$CAISSON" update -r - io <<<"$(rates throttleWriteBpsDevice 4194304)"
t_between "$(took io $writing)" 700 1900 "and at 4 MiB/s one"
t_ok "reads" "$CAISSON" update -r - io <<<"$(rates throttleReadBpsDevice 2097152)"
t_between "$(took io dd if=/disk/data of=/dev/null bs=64k count=64 iflag=direct)" 1600 3000 \
	"4 MiB read at 2 MiB/s take two seconds"
t_ok "operations" "$CAISSON" update -r - io \
	<<<"{\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": ${disk%:*}, \"minor\": ${disk#*:}, \"rate\": 0}],
		\"throttleReadIOPSDevice\": [{\"major\": ${disk%:*}, \"minor\": ${disk#*:}, \"rate\": 20}]}}"
t_between "$(took io dd if=/disk/data of=/dev/null bs=4k count=60 iflag=direct)" 2400 4200 \
	"60 reads at 20 a second take three seconds"
finish io

# ---- huge pages ---------------------------------------------------------------------------------
echo 4 >/proc/sys/vm/nr_hugepages
if [ "$(cat /proc/sys/vm/nr_hugepages)" -ge 4 ]; then
	start huge args='["sleep", "1000"]' resources='{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}' \
		more_mounts='{"destination": "/huge", "type": "hugetlbfs", "source": "hugetlbfs", "options": ["pagesize=2M"]}'
	t_ok "two huge pages" "$CAISSON" exec huge fallocate -l 4194304 /huge/two
	t_like "$("$CAISSON" exec huge fallocate -l 8388608 /huge/two 2>&1)" 'No space|Cannot allocate' "no third"
	t_is "$(cat "$group/huge/hugetlb.2MB.current")" 4194304 "two are counted"
	t_ok "more" "$CAISSON" update -r - huge <<<'{"hugepageLimits": [{"pageSize": "2MB", "limit": 8388608}]}'
	t_ok "and now four" "$CAISSON" exec huge fallocate -l 8388608 /huge/two
	finish huge
else
	t_skip "huge pages" "no memory for them"
fi
echo 0 >/proc/sys/vm/nr_hugepages

# ---- devices ------------------------------------------------------------------------------------
caps='["CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_KILL"]'
deny='{"allow": false, "access": "rwm"}'
start dev args='["sleep", "1000"]' \
	caps="{\"bounding\": $caps, \"effective\": $caps, \"permitted\": $caps}" \
	resources="{\"devices\": [$deny, {\"allow\": true, \"type\": \"c\", \"major\": 10, \"minor\": 237, \"access\": \"r\"},
		{\"allow\": false, \"type\": \"c\", \"major\": 1, \"minor\": 5, \"access\": \"w\"}]}"
t_ok "nodes can be made" "$CAISSON" exec dev mknod /tmp/disk b "${disk%:*}" "${disk#*:}"
t_like "$("$CAISSON" exec dev head -c 1 /tmp/disk 2>&1)" 'Operation not permitted' "a disk is refused"
t_ok "null is there" "$CAISSON" exec dev sh -c 'echo x >/dev/null'
t_ok "zero may be read" "$CAISSON" exec dev head -c 1 /dev/zero
t_like "$("$CAISSON" exec dev sh -c 'echo x >/dev/zero' 2>&1)" 'Operation not permitted' \
	"but not written: the config's rules win over the usual devices"
t_ok "loop-control's node" "$CAISSON" exec dev mknod /tmp/loop c 10 237
t_ok "may be opened for reading" "$CAISSON" exec dev sh -c ': </tmp/loop'
t_like "$("$CAISSON" exec dev sh -c ': >/tmp/loop' 2>&1)" 'Operation not permitted' "not for writing"
t_ok "an update with a deny-all" "$CAISSON" update -r - dev <<<"{\"devices\": [$deny], \"pids\": {\"limit\": 50}}"
t_ok "takes no device away" "$CAISSON" exec dev sh -c 'echo x >/dev/null'
finish dev
make_bundle "$b" args='["sh", "-c", "mknod /tmp/d b '"${disk%:*} ${disk#*:}"' && head -c 1 /tmp/d >/dev/null"]' \
	caps="{\"bounding\": $caps, \"effective\": $caps, \"permitted\": $caps}" \
	resources='{"devices": [{"allow": true, "access": "rwm"}]}'
run_container "$b"
t_is "$status$errors" 0 "with everything allowed the disk opens"

# ---- killed while paused ------------------------------------------------------------------------
make_bundle "$b" args='["sh", "-c", "trap \"exit 7\" TERM; while :; do sleep 0.1; done"]'
"$CAISSON" run -b "$b" frozen &
runner=$!
t_ok "it runs" wait_until 20 status_is frozen running
sleep 0.5
t_ok "pause" "$CAISSON" pause frozen
t_ok "SIGTERM while paused" "$CAISSON" kill frozen TERM
sleep 0.3
t_is "$(container_status frozen)" paused "waits"
t_ok "resume" "$CAISSON" resume frozen
wait $runner
t_is $? 7 "and arrives"
"$CAISSON" run -b "$b" frozen &
runner=$!
t_ok "it runs again" wait_until 20 status_is frozen running
t_ok "pause" "$CAISSON" pause frozen
t_ok "SIGKILL while paused" "$CAISSON" kill frozen KILL
wait $runner
t_is $? 137 "ends it at once"
