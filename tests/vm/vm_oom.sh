#!/bin/bash
# The OOM killer told from a plain SIGKILL. The truth is the kernel's count in the group above the
# containers' own, which nobody of ours reads and which outlives them.
#
# CSN_OOM_ROUNDS: how often each of the five cases is run (10); 100 makes the five hundred.
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../integration/engine_lib.sh"
has_controller memory || t_skip_all "no memory controller"

rounds=${CSN_OOM_ROUNDS:-10}

# oom_container NAME LIMIT-IN-MIB OOM-GROUP COMMAND...: made, not started.
oom_container() {
	local name=$1 limit=$2 group=$3
	shift 3
	csn create --name "$name" -m "${limit}m" --memory-swap "${limit}m" box "$@" >/dev/null
	[ "$group" = 0 ] ||
		sed -i 's/"resources": *{/&"unified":{"memory.oom.group":"1"},/' "$(csn_bundle "$name")/config.json"
}

# kills: of the OOM killer so far, in all containers.
kills() {
	sed -n 's/^oom_kill //p' "$above/memory.events"
}

eat='dd if=/dev/zero of=/dev/null'
oom_container main 16 0 $eat bs=64M count=1
oom_container child 16 0 sh -c "$eat bs=64M count=1; exit 3"
oom_container group 16 1 sh -c "sleep 1000 & $eat bs=64M count=1; sleep 1000"
oom_container early 4 0 $eat bs=8M count=1
oom_container both 64 0 sh -c "sleep 1.5; exec $eat bs=128M count=1"
oom_container plain 64 0 sleep 1000

# The group above stays for the whole test.
above=$CGROUP2$(dirname "$(csn inspect main | json_field cgroup)")
made=
[ -d "$above" ] || { mkdir -p "$above" && made=1; }
for controller in $(cat "$above/cgroup.controllers"); do
	echo "+$controller" >"$above/cgroup.subtree_control"
done

# How one run ended, and how many kills the kernel counted: "reason code signal kills".
one() { # NAME [COMMAND...]: run once it is started
	local before text begun name=$1
	shift
	before=$(kills)
	csn start "$name" >/dev/null 2>"$TMPDIR/e" || cat "$TMPDIR/e"
	begun=${EPOCHREALTIME/./}
	"$@" >/dev/null
	text=$(csn wait --format json "$name")
	[[ $text =~ \"exit_code\":([0-9]+),\"reason\":\"([a-z_]+)\",\"signal\":\"?([A-Z0-9a-z]+) ]]
	echo "${BASH_REMATCH[2]} ${BASH_REMATCH[1]} ${BASH_REMATCH[3]} $(($(kills) - before))"
}

# expect NAME REGEX TEXT
expect() {
	local wrong= got i
	for ((i = 0; i < rounds; i++)); do
		got=$(one "$1")
		[[ $got =~ ^$2$ ]] || wrong+=" ($got)"
	done
	t_is "$wrong" "" "$rounds of $rounds: $3"
}

expect main 'oom_killed 137 null 1' "the main process killed"
expect child 'oom_killed 3 null 1' "only a child killed: the exit code stays the program's own"
expect group 'oom_killed 137 null [2-4]' "all killed as a group"
expect early 'oom_killed 137 null 1' "killed at once after the start"

# OOM and SIGKILL at once: whichever came first, and the kernel's count says which it was. The signal
# comes from the shell itself, swept over the moments around the one at which memory runs out.
killer() { # LATENESS IN MILLISECONDS, behind the time for which the container waits
	local pid left
	pid=$(csn ps --format json | json_field pid)
	left=$((begun + 1500000 + $1 * 1000 - ${EPOCHREALTIME/./}))
	[ $left -le 0 ] || sleep "$(printf '%d.%06d' $((left / 1000000)) $((left % 1000000)))"
	# None, or 0, when the OOM killer was first; 0 would mean ourselves.
	[ "${pid:-0}" -le 1 ] || kill -KILL "$pid" 2>/dev/null
}
wrong= by_oom=0
for ((i = 0; i < rounds; i++)); do
	got=$(one both killer $((i * 150 / rounds)))
	case $got in
	'oom_killed 137 null 1') by_oom=$((by_oom + 1)) ;;
	'signal 137 SIGKILL 0') ;;
	*) wrong+=" ($got)" ;;
	esac
done
t_is "$wrong" "" "$rounds of $rounds: OOM and SIGKILL from outside at once ($by_oom were the OOM killer's)"

wrong=
for ((i = 0; i < rounds; i++)); do
	got=$(one plain csn kill plain)
	[ "$got" = 'signal 137 SIGKILL 0' ] || wrong+=" ($got)"
done
t_is "$wrong" "" "$rounds of $rounds: a plain SIGKILL is never the OOM killer's"

# ---- events -------------------------------------------------------------------------------------

# A child of a container that goes on: told while it runs.
oom_container goes_on 16 0 sh -c "$eat bs=64M count=1; sleep 1000"
"$CSN" --root "$world/root" --run-root "$world/run" events --filter container=goes_on >"$TMPDIR/events" &
reader=$!
csn start goes_on >/dev/null
t_ok "an OOM kill is told while the container runs" \
	wait_until 20 grep -q '"action":"oom".*"oom_kills":1' "$TMPDIR/events"
csn kill goes_on >/dev/null
t_is "$(outcome goes_on)" "oom_killed 137 null 1" "and counts at its end"
wait_until 5 grep -q '"action":"die"' "$TMPDIR/events"
kill $reader
wait $reader 2>/dev/null
t_is "$(grep -c '"action":"oom"' "$TMPDIR/events")" 1 "it is told once"
t_is "$(tail -n 1 "$TMPDIR/events" | json_field reason)" oom_killed "die has the reason"
t_is "$(csn events --since 1h --until 0s --filter container=main --filter action=oom --filter action=die |
	head -n 1 | json_field action)" oom "oom comes before die"

# ---- the monitor killed -------------------------------------------------------------------------

oom_container orphan 16 0 sh -c "sleep 1; $eat bs=64M count=1; exit 3"
csn start orphan >/dev/null
kill -KILL "$(cat "$world"/run/monitor/*/pid)"
timeout 60 "$CSN" --root "$world/root" --run-root "$world/run" wait orphan >/dev/null
csn start orphan >/dev/null # settles what was left
csn events --since 1h --until 0s --filter container=orphan --filter action=die >"$TMPDIR/events"
t_is "$(head -n 1 "$TMPDIR/events" | json_field reason)" runtime_error "a lost end is a runtime error"
t_is "$(head -n 1 "$TMPDIR/events" | json_field oom_kills)" 1 "but what the OOM killer did is known"
csn stop -t 0 orphan >/dev/null

csn ps -aq | xargs -n 1 "$CSN" --root "$world/root" --run-root "$world/run" rm -f >/dev/null
[ -z "$made" ] || rmdir "$above"
