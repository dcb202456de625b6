#!/bin/bash
# How containers end, told as it was: every exit code, every signal that can kill, core dumps, a
# program that cannot be run, a kill while frozen, and what is known when the monitor was killed.
#
# CSN_OUTCOMES=all: all exit codes and signals also where everything is slow (CSN_TEST_SLOW).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

step=1
[ -z "${CSN_TEST_SLOW-}" ] || [ "${CSN_OUTCOMES-}" = all ] || step=15

# ---- exit codes ---------------------------------------------------------------------------------

echo 0 >"$TMPDIR/code"
csn create --name codes -v "$TMPDIR/code:/code:ro" box sh -c 'exit $(cat /code)' >/dev/null
wrong=
for ((code = 0; code < 256; code += step)); do
	echo $code >"$TMPDIR/code"
	csn start codes >/dev/null || wrong+=" start:$code"
	got=$(outcome codes)
	[ "$got" = "exited $code null 0" ] || wrong+=" $code:($got)"
done
t_is "$wrong" "" "exit codes 0 to 255 (every $step.) are told"

# ---- signals ------------------------------------------------------------------------------------

# The first process of a pid namespace takes no signal that it has no handler for, but SIGKILL: this
# one shares the host's, and signals its process group, which is itself.
csn create --name signals box kill -0 0 >/dev/null
config=$(csn_bundle signals)/config.json
sed -i 's/{ *"type": *"pid" *},\?//' "$config"
names=(0 HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP
	TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS 32 33 RTMIN)
wrong= count=0
for ((signal = 1; signal <= 64; signal++)); do
	case $signal in 17 | 18 | 19 | 20 | 21 | 22 | 23 | 28) continue ;; esac
	[ $step = 1 ] || [ $((signal % 7)) = 2 ] || continue
	count=$((count + 1))
	sed -i "s/\"-[0-9]*\"/\"-$signal\"/" "$config"
	csn start signals >/dev/null || wrong+=" start:$signal"
	got=$(outcome signals)
	[ "$got" = "signal $((128 + signal)) SIG${names[signal]-RTMIN+$((signal - 34))} 0" ] ||
		wrong+=" $signal:($got)"
done
t_is "$wrong" "" "$count signals that kill are told by name"

# ---- core dumps ---------------------------------------------------------------------------------

case $(cat /proc/sys/kernel/core_pattern) in
'|'* | '') t_skip "a core dump is told" "core dumps go to a program or nowhere" ;;
*)
	csn create --name core box sh -c 'ulimit -c unlimited || exit 9; cd /tmp; exec kill -6 0' >/dev/null
	sed -i 's/{ *"type": *"pid" *},\?//' "$(csn_bundle core)/config.json"
	csn start core >/dev/null
	got=$(outcome core)
	if [ "$got" = "exited 9 null 0" ]; then
		t_skip "a core dump is told" "the limit of core files cannot be raised here"
	else
		t_is "$got $(csn inspect core | json_field core_dumped)" "signal 134 SIGABRT 0 true" \
			"a core dump is told"
	fi
	;;
esac
t_is "$(csn inspect signals | json_field core_dumped)" false "an end without one is not"

# ---- a program that cannot be run ---------------------------------------------------------------

csn run --name nothing box /no/such/program 2>/dev/null
t_is $? 127 "run of a missing program gives 127"
t_is "$(outcome nothing)" "runtime_error 127 null 0" "and its end is a runtime error"
t_like "$(csn inspect nothing)" '"error": "exec: .*/no/such/program' "whose sentence names it"

# ---- killed while frozen ------------------------------------------------------------------------

csn run -d --name frozen box sleep 1000 >/dev/null
group=$CGROUP2$(csn inspect frozen | json_field cgroup)
echo 1 >"$group/cgroup.freeze"
wait_until 5 grep -q 'frozen 1' "$group/cgroup.events"
csn kill frozen >/dev/null
t_is "$(outcome frozen)" "signal 137 SIGKILL 0" "a kill while it is paused"
t_is "$(csn ps -a --format json | json_field paused)" false "and nothing is paused any more"

# ---- the monitor killed -------------------------------------------------------------------------

# Since Linux 6.15 whoever held a pidfd of a process can ask how it ended; before, nobody can.
told=
[ "$(printf '6.15\n%s\n' "$(uname -r)" | sort -V | head -n 1)" != 6.15 ] || told=1

csn run -d --name orphan box sh -c 'sleep 1000; exit 5' >/dev/null
kill -KILL "$(cat "$world"/run/monitor/*/pid)"
t_is "$(csn ps --format json | json_field state)" running "without its monitor it still runs"
csn stop -t 0 orphan >/dev/null
if [ -n "$told" ]; then
	t_is "$(outcome orphan)" "signal 137 SIGKILL 0" "who stops it sees how it ends"
else
	t_is "$(outcome orphan)" "runtime_error 255 null 0" "what nobody saw is a runtime error"
	t_like "$(csn inspect orphan | json_field error)" 'monitor was gone' "whose sentence says why"
fi
t_like "$(csn inspect orphan | json_field started_at)" '^20' "its start is known all the same"

csn create --name waited box sh -c 'sleep 1; exit 5' >/dev/null
csn start waited >/dev/null
"$CSN" --root "$world/root" --run-root "$world/run" wait --format json waited >"$TMPDIR/waited" &
waiter=$!
sleep 0.3
kill -KILL "$(cat "$world"/run/monitor/*/pid)"
wait $waiter
if [ -n "$told" ]; then
	t_like "$(cat "$TMPDIR/waited")" '"exit_code":5,"reason":"exited","signal":null' \
		"who waits for it sees how it ends"
	t_is "$(outcome waited)" "exited 5 null 0" "and so does everybody afterwards"
else
	t_like "$(cat "$TMPDIR/waited")" '"reason":"runtime_error".*monitor was gone' \
		"who waits for it is told that nobody saw"
fi

# Nobody held anything when it ended.
csn start waited >/dev/null
pid=$(csn inspect waited | json_field pid)
kill -KILL "$(cat "$world"/run/monitor/*/pid)"
wait_until 10 eval "! kill -0 $pid"
t_is "$(outcome waited)" "runtime_error 255 null 0" "what nobody saw is a runtime error"
t_like "$(csn inspect waited | json_field error)" 'monitor was gone' "whose sentence says why"

csn start orphan >/dev/null
csn kill orphan >/dev/null
t_is "$(outcome orphan)" "signal 137 SIGKILL 0" "started again, its end is told"

csn ps -aq | xargs -n 1 "$CSN" --root "$world/root" --run-root "$world/run" rm >/dev/null

# ---- and then again -----------------------------------------------------------------------------

# A start in the moment between the end and the clearing up is a start.
csn create --name again --network none box true >/dev/null
late=
for ((i = 0; i < 30; i++)); do
	csn start again >/dev/null || late+=" $i"
	csn wait again >/dev/null
done
t_is "$late" "" "one that has just ended starts again"
t_ok "it goes" csn rm again
