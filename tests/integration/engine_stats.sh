#!/bin/bash
# csn stats: the table, JSON, Prometheus' text format against its grammar, and containers that come
# and go while they are looked at. `caisson events` on a container of its own.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

cpus=$(nproc)
csn run -d --name idle box sleep 1000 >/dev/null
csn run -d --name busy box sh -c 'while :; do :; done' >/dev/null
csn run --name ended box true

# ---- one look -----------------------------------------------------------------------------------

table=$(csn stats --no-stream --interval 0.3)
t_is "$(head -n 1 <<<"$table" | tr -s ' ')" \
	"CONTAINER ID NAME CPU % MEM USAGE / LIMIT MEM % NET I/O BLOCK I/O PIDS" "the table has its heads"
t_is "$(sed 1d <<<"$table" | awk '{ print $2 }' | sort | tr '\n' ' ')" "busy idle " \
	"and a row for each container that runs"
share=$(awk '$2 == "busy" { sub(/%/, "", $3); print $3 }' <<<"$table")
t_ok "a busy one uses CPU, and not more than there is ($share %)" \
	awk -v p="$share" -v most=$((cpus * 100)) 'BEGIN { exit !(p > 0 && p <= most) }'
t_is "$(csn stats --no-stream --no-trunc --interval 0.1 idle | sed 1d | cut -d ' ' -f 1)" \
	"$(csn inspect idle | json_field id)" "--no-trunc prints whole ids"

json=$(csn stats --no-stream --format json --interval 0.1 idle)
t_is "$(wc -l <<<"$json") $(json_field name <<<"$json")" "1 idle" "json is a line a container"
t_is "$(json_field populated <<<"$json")$(json_field frozen <<<"$json")" 10 "with what the kernel says"
t_is "$(csn stats --no-stream --format json --interval 0.1 | wc -l)" 2 "of all that run"

t_fails_with 'no such container is running' csn stats --no-stream ended
t_fails_with 'container "nobody" does not exist' csn stats --no-stream nobody
t_fails_with '--format: expected table, json or prometheus, not "xml"' csn stats --format xml
t_fails_with '--interval: expected 0.01 to 86400 seconds, not "0"' csn stats --interval 0
t_fails_with '--interval: expected 0.01 to 86400 seconds, not "1x"' csn stats --interval 1x

# ---- Prometheus ---------------------------------------------------------------------------------

# The text format, line by line: HELP and TYPE once and before the samples of a metric, which stand
# together; names, labels, escapes and numbers as the grammar has them; no sample twice; counters in
# _total.
check_exposition() {
	awk '
		function bad(why) { print NR ": " why ": " $0; failed = 1 }
		{ line = $0 }
		/^# HELP / { help[$3]++; if ($3 in done || help[$3] > 1) bad("HELP again"); next }
		/^# TYPE / {
			if ($3 in type) bad("TYPE again")
			if (current != "") done[current] = 1
			if (!($3 in help)) bad("TYPE without HELP")
			if ($4 != "counter" && $4 != "gauge") bad("type")
			if ($4 == "counter" && $3 !~ /_total$/) bad("a counter that does not end in _total")
			if ($4 == "gauge" && $3 ~ /_total$/) bad("a gauge that ends in _total")
			current = $3; type[$3] = $4; next
		}
		/^#/ || /^$/ { bad("neither HELP nor TYPE nor a sample"); next }
		{
			if (!match(line, /^[a-zA-Z_:][a-zA-Z0-9_:]*/)) { bad("name"); next }
			name = substr(line, 1, RLENGTH)
			if (name != current) bad("not with its metric")
			rest = substr(line, RLENGTH + 1)
			if (!match(rest, /^\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\[\\"n])*",?)*\} /)) bad("labels")
			key = name substr(rest, 1, RLENGTH)
			if (key in seen) bad("twice")
			seen[key] = 1
			value = substr(rest, RLENGTH + 1)
			if (value !~ /^([0-9]+(\.[0-9]+)?|\+Inf)$/) bad("number")
			samples++
		}
		END { if (samples < 10) bad("few samples"); exit failed }' "$1"
}
csn stats --format prometheus >"$TMPDIR/metrics"
t_ok "the Prometheus format is what its grammar says" check_exposition "$TMPDIR/metrics"
t_like "$(cat "$TMPDIR/metrics")" \
	'caisson_container_info\{id="[0-9a-f]{64}",name="busy",image="docker.io/library/box:latest"\} 1' \
	"it names each container"
t_like "$(cat "$TMPDIR/metrics")" \
	'caisson_cpu_usage_seconds_total\{id="[0-9a-f]{64}",name="busy"\} [0-9]+\.[0-9]{6}' "in base units"
sed 's/^caisson_cpu_cpus{.*/&\n&/' "$TMPDIR/metrics" >"$TMPDIR/wrong"
t_like "$(check_exposition "$TMPDIR/wrong")" 'twice' "and the check can fail"

# ---- a stream -----------------------------------------------------------------------------------

"$CSN" --root "$world/root" --run-root "$world/run" stats --interval 0.05 --format json busy \
	>"$TMPDIR/stream" 2>"$TMPDIR/errors" &
reader=$!
wait_until 10 test -s "$TMPDIR/stream"
csn stop -t 0 busy >/dev/null
t_ok "a stream of one ends with it" timeout 10 tail -f --pid=$reader /dev/null
wait $reader
t_is "$? $(cat "$TMPDIR/errors")" "0 " "without an error"

# Looked at a hundred times a second, some end in the middle of a sample.
"$CSN" --root "$world/root" --run-root "$world/run" stats --interval 0.01 --format json \
	>"$TMPDIR/stream" 2>"$TMPDIR/errors" &
reader=$!
for _ in $(seq 15); do
	csn run --rm box true &
	csn run --rm box sleep 0.05
	wait $!
done
kill $reader
wait $reader 2>/dev/null
t_is "$(cat "$TMPDIR/errors")" "" "containers that come and go are no errors"
t_ok "they were seen" test "$(grep -o '"id":"[0-9a-f]*"' "$TMPDIR/stream" | sort -u | wc -l)" -gt 5
t_is "$(grep -c -v '^{.*}$' "$TMPDIR/stream")$(grep -c -E 'nan|inf|":-' "$TMPDIR/stream")" 00 \
	"every line is whole and no number is negative or none"

# ---- the network --------------------------------------------------------------------------------

pid=$(csn inspect idle | json_field pid)
if ip link add csn-host type veth peer name eth9 netns "$pid" 2>/dev/null; then
	ip link set csn-host up
	nsenter -t "$pid" -n ip link set eth9 up
	json=$(csn stats --no-stream --format json --interval 0.1 idle)
	t_like "$json" '"network":\{.*"eth9":\{"rx_bytes":[0-9]+,"rx_packets":[0-9]+' "interfaces are counted"
	ip link delete csn-host
else
	t_skip "interfaces are counted" "no veth here"
fi

# ---- caisson events -----------------------------------------------------------------------------

b=$TMPDIR/b
make_bundle "$b" args='["sleep", "1000"]'
"$CAISSON" run -d -b "$b" x </dev/null >/dev/null 2>&1
json=$("$CAISSON" events --stats x)
missing=
for key in cpu usage total kernel user throttling cpuset memory pids blkio hugetlb intel_rdt \
	network_interfaces; do
	[[ $json == *"\"$key\":"* ]] || missing+=" $key"
done
t_is "$missing" "" "events --stats has what runc's has"
t_is "$(json_field type <<<"$json")$(json_field id <<<"$json")" statsx "and says what it is"
"$CAISSON" events --interval 50ms x >"$TMPDIR/stream" &
reader=$!
wait_until 10 grep -q stats "$TMPDIR/stream"
"$CAISSON" kill x KILL
t_ok "a stream of events ends with its container" timeout 10 tail -f --pid=$reader /dev/null
wait $reader
t_is $? 0 "without an error"
wait_until 10 status_is x stopped
t_fails_with 'container "x" is not running' "$CAISSON" events --stats x
"$CAISSON" delete x
t_fails_with 'container "x" does not exist' "$CAISSON" events x
t_fails_with '--interval: expected a duration from 1ms to 24h such as 5s, not "0s"' \
	"$CAISSON" events --interval 0s x

csn ps -aq | xargs -n 1 "$CSN" --root "$world/root" --run-root "$world/run" rm -f >/dev/null
