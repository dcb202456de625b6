#!/bin/bash
# csn events: the life of a container as its journal tells it, whoever does what, and which part of it
# is asked for.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

"$CSN" --root "$world/root" --run-root "$world/run" events >"$TMPDIR/stream" &
reader=$!
sleep 0.3
csn create --name life box sleep 1000 >/dev/null
csn start life >/dev/null
id=$(csn inspect life | json_field id)
csn kill -s USR1 life >/dev/null
csn pause life >/dev/null
wait_until 5 grep -q '"action":"pause"' "$TMPDIR/stream"
"$CAISSON" --root "$world/run/state" resume "$id"
wait_until 5 grep -q '"action":"unpause"' "$TMPDIR/stream"
csn stop -t 0 life >/dev/null
csn rm life >/dev/null
wait_until 5 grep -q '"action":"remove"' "$TMPDIR/stream"
t_is "$(sed 's/.*"action":"\([a-z]*\)".*/\1/' "$TMPDIR/stream" | tr '\n' ' ')" \
	"create start kill pause unpause kill die stop remove " "a life, told as it happens"
t_is "$(grep -c "\"id\":\"$id\",\"name\":\"life\",\"image\":\"docker.io/library/box:latest\"" "$TMPDIR/stream")" 9 \
	"each event names the container"
t_is "$(grep '"action":"die"' "$TMPDIR/stream" | sed 's/.*latest",//')" \
	'"exit_code":137,"reason":"signal","signal":"SIGKILL","core_dumped":false,"oom_kills":0,"error":null}' \
	"and die says how"

csn run --rm --name short box sh -c 'exit 3'
wait_until 5 grep -q '"action":"remove".*"name":"short"' "$TMPDIR/stream"
t_is "$(grep '"name":"short"' "$TMPDIR/stream" | sed 's/.*"action":"\([a-z]*\)".*/\1/' | tr '\n' ' ')" \
	"create start die remove " "one that removes itself"
csn run --name broken box /no/such 2>/dev/null
wait_until 5 grep -q '"name":"broken".*"reason"' "$TMPDIR/stream"
t_like "$(grep '"action":"die","id":"[0-9a-f]*","name":"broken"' "$TMPDIR/stream")" \
	'"exit_code":127,"reason":"runtime_error".*"error":"exec: ' "one that cannot be started"

# Killed while it is frozen, it was never unpaused.
csn run -d --name cold box sleep 1000 >/dev/null
"$CAISSON" --root "$world/run/state" pause "$(csn inspect cold | json_field id)"
wait_until 5 grep -q '"action":"pause".*"name":"cold"' "$TMPDIR/stream"
csn kill cold >/dev/null
csn wait cold >/dev/null
wait_until 5 grep -q '"action":"die".*"name":"cold"' "$TMPDIR/stream"
t_is "$(grep '"name":"cold"' "$TMPDIR/stream" | sed 's/.*"action":"\([a-z]*\)".*/\1/' | tr '\n' ' ')" \
	"create start pause kill die " "killed while it is paused"
kill $reader
wait $reader 2>/dev/null

# ---- which of them ------------------------------------------------------------------------------

past() {
	csn events --since 1h --until 0s --format table "$@" | awk '{ print $2, $3, $5 }' | tr '\n' ','
}
t_is "$(past --filter container=short)" "container create short,container start short,container die short,container remove short," \
	"of one container, by its name"
t_is "$(past --filter "container=${id:0:10}" --filter action=die --filter action=stop)" \
	"container die life,container stop life," "by the beginning of its id, and by what happened"
t_like "$(past --filter type=image)" '^image load ,' "of images"
t_is "$(past --filter image=box --filter event=create)" \
	"container create life,container create short,container create broken,container create cold," "by image"
t_is "$(csn events --since 2038-01-01T00:00:00Z --until 0s)" "" "none from the future"
t_is "$(csn events --since 1h --until 1h)" "" "none from before there were any"
t_fails_with '--filter: expected type=, action=, container= or image=, not "colour=red"' \
	csn events --filter colour=red
t_fails_with '--format: expected table or json, not "xml"' csn events --format xml
case $(csn events --since yesterday 2>&1) in
*'--since: expected a time'*'not "yesterday"'*) t_pass "a time that is none is refused" ;;
*) t_fail "a time that is none is refused" "$(csn events --since yesterday 2>&1)" ;;
esac

csn ps -aq | xargs -n 1 "$CSN" --root "$world/root" --run-root "$world/run" rm -f >/dev/null
