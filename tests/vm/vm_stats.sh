#!/bin/bash
# Statistics under real controllers: a burner's CPU time against its own account of it, numbers that
# stay within their bounds while the container is paused, resumed and updated, and everything that
# the kernel's files say.
#
# CSN_STATS_SECONDS: how long the burner burns (10); CSN_STATS_SAMPLES: how many samples (1000).
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../integration/engine_lib.sh"
for controller in cpu cpuset io memory pids; do
	has_controller $controller || t_skip_all "no $controller controller"
done

seconds=${CSN_STATS_SECONDS:-10}
samples=${CSN_STATS_SAMPLES:-1000}
oci() {
	"$CAISSON" --root "$world/run/state" "$@"
}
# member NAME: the first number of that name in the JSON on standard input.
member() {
	grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d : -f 2
}

# ---- a burner -----------------------------------------------------------------------------------

# It burns until the clock says so, then tells its own times: user and system of the shell, of its
# children.
csn run -d --name burner box sh -c "
	read now rest </proc/uptime; end=\$((\${now%.*} + $seconds))
	while [ \${now%.*} -lt \$end ]; do read now rest </proc/uptime; done
	times; sleep 1000" >/dev/null
id=$(csn inspect burner | json_field id)
wait_until $((seconds * 3 + 30)) grep -q 'm.*m' "$world/root/containers/$id/container.log"
own=$(sed 's/.*stdout F //' "$world/root/containers/$id/container.log" |
	awk '{ for (i = 1; i <= NF; i++) { split($i, t, /[ms]/); sum += t[1] * 60 + t[2] } } END { print sum }')
usage=$(csn stats --no-stream --format json --interval 0.1 burner | member usage_usec)
t_ok "CPU time of a burner is within 2 % of its own: $usage us, $own s" \
	awk -v u="$usage" -v o="$own" 'BEGIN { d = u / 1e6 / o; exit !(o > 1 && d > 0.98 && d < 1.02) }'
csn rm -f burner >/dev/null

# ---- a thousand samples -------------------------------------------------------------------------

csn run -d --name box box sh -c 'while :; do :; done' >/dev/null
id=$(csn inspect box | json_field id)
"$CSN" --root "$world/root" --run-root "$world/run" stats --interval 0.01 --format json box \
	2>"$TMPDIR/errors" | head -n "$samples" >"$TMPDIR/samples" &
reader=$!
rounds=0
while kill -0 $reader 2>/dev/null; do
	oci pause "$id"
	oci resume "$id"
	oci update --cpuset-cpus $((rounds % 2)) --memory $(((64 + rounds % 8) << 20)) "$id"
	oci update --cpuset-cpus 0-1 --cpu-quota $((20000 + rounds % 5 * 10000)) "$id"
	rounds=$((rounds + 1))
done
wait $reader
t_is "$(cat "$TMPDIR/errors")" "" "$samples samples over $rounds rounds of pause, resume and update"
t_is "$(wc -l <"$TMPDIR/samples")" "$samples" "none is missing"
t_is "$(grep -c -i -E '":(-|nan|inf)' "$TMPDIR/samples")" 0 "no number is negative or none"
t_is "$(grep -o '"cpu_percent":[^,]*' "$TMPDIR/samples" | cut -d : -f 2 |
	awk '$1 != "null" && !($1 >= 0 && $1 <= 200)')" "" "CPU is between 0 and 200 %"
t_is "$(grep -o '"memory_percent":[^,]*' "$TMPDIR/samples" | cut -d : -f 2 |
	awk '$1 != "null" && !($1 >= 0 && $1 <= 100)')" "" "memory is between 0 and 100 %"
for name in monotonic_ns usage_usec user_usec system_usec; do
	t_is "$(grep -o "\"$name\":[0-9]*" "$TMPDIR/samples" | awk -F : -v n=$name \
		'$1 == "\"" n "\"" { if ($2 + 0 < last) print "back from " last " to " $2; last = $2 + 0 }' |
		head -n 1)" "" "$name never goes back"
done
t_ok "some were taken while it was frozen" grep -q '"frozen":1' "$TMPDIR/samples"

# ---- what the files say -------------------------------------------------------------------------

oci update --memory $((96 << 20)) --memory-reservation $((8 << 20)) --pids-limit 77 \
	--cpu-quota 30000 --cpu-period 60000 --cpu-share 512 --cpuset-cpus 0 "$id"
group=$CGROUP2$(csn inspect box | json_field cgroup)
json=$(csn stats --no-stream --format json --interval 0.1 box)
of_table() { # TABLE MEMBER: of a table of one row
	grep -o "\"$1\":{[^}]*}" <<<"$json" | member "$2"
}
t_is "$(of_table memory max_bytes)" "$(cat "$group/memory.max")" "memory.max"
t_is "$(of_table memory low_bytes)" "$(cat "$group/memory.low")" "memory.low"
t_is "$(of_table pids max)" 77 "pids.max"
t_is "$(of_table cpu quota_usec) $(of_table cpu period_usec)" "$(cat "$group/cpu.max")" "cpu.max"
t_is "$(of_table cpu weight)" "$(cat "$group/cpu.weight")" "cpu.weight"
t_is "$(of_table cpu cpus)" 1 "cpuset.cpus.effective"
t_is "$(of_table pids current)" "$(cat "$group/pids.current")" "pids.current"
t_is "$(of_table memory oom_kills)" 0 "memory.events"
for key in $(cut -d ' ' -f 1 "$group/memory.stat"); do
	[[ $json == *"\"$key\":"* ]] || echo "$key"
done >"$TMPDIR/missing"
t_is "$(cat "$TMPDIR/missing")" "" "all of memory.stat"
t_ok "time for which it was throttled" test "$(of_table cpu throttled_usec)" -gt 0
t_is "$(csn stats --no-stream --interval 0.1 box | sed -n 's/.* \/ \([0-9.]*MB\).*/\1/p')" 101MB \
	"the table shows the limit"

# ---- groups of the workload's own, and its end in the middle ------------------------------------

# It makes and removes groups below its own all the time, whatever they are called.
sub=$group/hugetlb.4MB.current
for _ in $(seq 5); do
	mkdir -p "$sub/memory.stat/io.stat" && rmdir "$sub/memory.stat/io.stat" "$sub/memory.stat" "$sub"
done &
maker=$!
t_ok "groups that come and go below it" csn stats --no-stream --format json --interval 0.05 box
wait $maker
mkdir "$sub"
t_is "$(csn stats --no-stream --format json --interval 0.05 box | member descendants)" 1 "are counted"
csn rm -f box >/dev/null
t_ok "and go with it" test ! -e "$group"

# ---- events of a container without an engine ----------------------------------------------------

b=$TMPDIR/b
make_bundle "$b" \
	args="$(json_array sh -c 'read x; dd if=/dev/zero of=/dev/null bs=64M count=1; sleep 1000')" \
	resources='{"memory": {"limit": 16777216, "swap": 16777216}}'
mkfifo "$TMPDIR/go"
sleep 1000 >"$TMPDIR/go" &
holder=$!
"$CAISSON" run -d -b "$b" oom <"$TMPDIR/go" >/dev/null 2>&1
"$CAISSON" events --interval 1h oom >"$TMPDIR/stream" &
reader=$!
sleep 1
echo go >"$TMPDIR/go"
t_ok "caisson events tells an OOM kill" wait_until 20 grep -q '^{"type":"oom","id":"oom"}$' "$TMPDIR/stream"
"$CAISSON" kill oom KILL
t_ok "and ends with the container" timeout 20 tail -f --pid=$reader /dev/null
t_is "$(wc -l <"$TMPDIR/stream")" 1 "it is told once"
kill $holder
wait 2>/dev/null
"$CAISSON" delete -f oom
