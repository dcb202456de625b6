#!/bin/bash
# caisson runtime: the command line by which a host agent drives an external runtime. What the agent
# reads is asserted as it reads it: one line of state with exitCode, words of errors, exit statuses of
# exec, flat numbers of events, the container's output in --log.
. "$(dirname "$0")/lib.sh"

root=$TMPDIR/state
rt() {
	"$CAISSON" runtime --state-root "$root" "$@"
}
# field NAME: of the state of c.
field() {
	rt state c | json_field "$1"
}
ended() {
	[ "$(field status)" = stopped ]
}
b=$TMPDIR/b

# ---- a life -----------------------------------------------------------------------------------------
make_bundle "$b" args='["sh", "-c", "echo out; echo err >&2; exit 7"]'
t_is "$(timeout 20 "$CAISSON" runtime --state-root "$root" create c --bundle "$b" --log "$TMPDIR/log" 2>&1; echo $?)" 0 \
	"create returns and is silent"
t_is "$(rt state c | wc -l):$(field status):$(field exitCode)" 1:created: "state is one line, without an exit code"
t_like "$(rt state c)" '"ociVersion":"[^"]*","id":"c","pid":[1-9][0-9]*,"status":"created","bundle":"[^"]*/b"' "and has the usual members"
t_is "$(cat "$TMPDIR/log")" "" "the program has not run"
t_ok "start" rt start c
wait_until 5 ended
t_is "$(field exitCode):$(field exitReason):$(field exitSignal)" 7:exited: "its exit code is told"
t_like "$(field finishedAt)" '^20[0-9-]*T[0-9:.]*Z$' "and when"
t_is "$(cat "$TMPDIR/log")" $'out\nerr' "its output is in the log, both streams in their order"
t_is "$(stat -c %a "$TMPDIR/log")" 640 "which is not for everybody"
t_like "$(rt kill c TERM 2>&1)" 'not running' "kill tells that it does not run"
t_ok "delete" rt delete c
t_is "$(ls -A "$root")" "" "leaves nothing"
t_like "$(rt state c 2>&1)" 'does not exist' "state tells that there is none"
t_like "$(rt kill c KILL 2>&1; rt start c 2>&1; rt delete c 2>&1)" '(does not exist.*){3}' "so do the others"
t_ok "delete --force of nothing is none" rt delete --force c

# ---- the moment of the end --------------------------------------------------------------------------
for _ in 1 2 3 4 5 6 7 8 9 10; do
	make_bundle "$b" args='["sh", "-c", "exit 9"]'
	rt create c --bundle "$b" && rt start c
	until ended; do :; done
	codes+="$(field exitCode) "
	rt delete c
done
t_is "$codes" "9 9 9 9 9 9 9 9 9 9 " "whoever sees that it has ended sees how"

# ---- signals, exec, events --------------------------------------------------------------------------
make_bundle "$b" args='["sh", "-c", "echo hello; sleep 100"]'
rt create c --bundle "$b" --log "$TMPDIR/log"
rt start c
t_is "$(rt exec c -- echo a b)" "a b" "exec prints what the command prints"
rt exec c -- sh -c 'exit 42'
t_is $? 42 "and ends with its status"
rt exec c -- sh -c 'kill -9 $$'
t_is $? 137 "or 128 and its signal"
rt exec c -- /no/such/program 2>/dev/null
t_is $? 255 "a program that is not there"
t_like "$(rt exec nobody -- true 2>&1)" 'does not exist' "no container"
line=$(rt events c --stats)
t_is "$(wc -l <<<"$line")" 1 "events --stats is one line"
if [[ $line == *'"usage"'* ]] && command -v python3 >/dev/null; then
	t_like "$(python3 -c 'import json,sys; e=json.loads(sys.argv[1]); print(e["type"], e["cpu"]["usage"]["total"] == e["data"]["cpu"]["usage"]["total"] > 0)' "$line")" \
		'stats True' "with the numbers at the outside too"
fi
t_ok "kill" rt kill --all c KILL
wait_until 5 ended
t_is "$(field exitCode):$(field exitReason):$(field exitSignal)" 137:signal:SIGKILL "a signal is told by 128 and its number, and by its name"
t_is "$(tail -n 1 "$TMPDIR/log")" hello "the log is appended to"
rt delete c

# ---- deleted while it runs; the supervisor killed -----------------------------------------------------
make_bundle "$b" args='["sleep", "100"]'
rt create c --bundle "$b"
rt start c
t_ok "delete --force of a running one" rt delete --force c
t_is "$(ls -A "$root")" "" "leaves nothing"
rt create c --bundle "$b"
pid=$(field pid)
supervisor=$(awk '{print $4}' "/proc/$pid/stat")
t_is "$(cat "/proc/$supervisor/comm"):$(readlink "/proc/$supervisor/fd/1"):$(readlink "/proc/$supervisor/cwd")" caisson:/dev/null:/ \
	"a supervisor holds nothing of its caller"
kill -9 "$supervisor"
rt start c
rt kill c KILL
wait_until 5 ended
t_is "$(field exitCode):$(field exitReason)" 255:runtime_error "an end that nobody saw is no success"
rt delete c

# ---- failures ----------------------------------------------------------------------------------------
make_bundle "$b" args='["/no/such/program"]'
t_like "$(rt create c --bundle "$b" 2>&1; echo $?)" 'no/such/program.*1$' "a program that is not there: create says so"
t_is "$(ls -A "$root")" "" "leaves nothing"
t_like "$(rt create c --bundle "$TMPDIR/nowhere" 2>&1; echo $?)" 'nowhere.*1$' "no bundle"
t_is "$(ls -A "$root")" "" "leaves nothing"
t_like "$(rt create c --bundle "$b" --log "$TMPDIR/no/log" 2>&1; echo $?)" 'no/log: No such file or directory.*1$' "no place for the log"
t_is "$(ls -A "$root")" "" "leaves nothing"
make_bundle "$b" args='["sleep", "100"]'
rt create c --bundle "$b"
t_like "$(rt create c --bundle "$b" 2>&1; echo $?)" 'already exists.*1$' "an id that is taken"
rt delete --force c
t_like "$(rt nonsense 2>&1; echo $?)" 'nonsense.*1$' "no such verb"

# ---- the other spelling --------------------------------------------------------------------------------
make_bundle "$b" args='["sh", "-c", "exit 5"]'
"$CAISSON" --state-root "$root" create c --bundle "$b"
"$CAISSON" --state-root "$root" start c
wait_until 5 ended
t_like "$("$CAISSON" --state-root "$root" state c)" '"exitCode":5' "--state-root in front speaks the same language"
"$CAISSON" --state-root "$root" delete c
rmdir "$root"
