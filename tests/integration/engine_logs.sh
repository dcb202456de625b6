#!/bin/bash
# What csn logs shows: both streams in their order, some of it, with times, while it goes on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

csn run -d --name talk --network none box \
	sh -c 'for i in 1 2 3; do echo out $i; sleep 0.1; echo err $i >&2; sleep 0.1; done; printf end' >/dev/null
csn wait talk >/dev/null
t_is "$(csn logs talk 2>&1)" $'out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nend' "both streams in their order"
t_is "$(csn logs talk 2>/dev/null)" $'out 1\nout 2\nout 3\nend' "each where it belongs"
t_is "$(csn logs talk 2>&1 >/dev/null)" $'err 1\nerr 2\nerr 3' "and the other"
t_is "$(csn logs --tail 2 talk 2>&1)" $'err 3\nend' "the last two lines"
t_is "$(csn logs --tail 0 talk 2>&1)" "" "none"
t_like "$(csn logs --timestamps --tail 1 talk)" '^20[0-9-]*T[0-9:]*\.[0-9]{9}Z end' "when it was"
t_fails_with 'container "nobody" does not exist' csn logs nobody

csn run -d --name slow --network none box sh -c 'echo one; sleep 1; echo two' >/dev/null
t_is "$(csn logs -f slow)" $'one\ntwo' "following ends when the container does"
t_ok "both go" csn rm talk slow

# ---- retired files -------------------------------------------------------------------------------

count='i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done'
csn run -d --name big --network none --log-opt max-size=20k --log-opt max-file=3 box sh -c "$count" >/dev/null
csn wait big >/dev/null
dir=$(csn_bundle big)
t_is "$(find "$dir" -name 'container.log*' | wc -l)" 3 "so many files are kept"
t_is "$(find "$dir" -name 'container.log*' -size +20k | wc -l)" 0 "none is larger"
t_is "$(csn logs big | tail -1)" "line 2999" "the last line is there"
t_is "$(csn logs big | awk 'NR > 1 && $2 != n + 1 { print "gap" } { n = $2 }')" "" "none is missing between"
t_is "$(csn logs --tail 700 big | sed -n 1p)" "line 2300" "the last lines are found over files"
t_is "$(csn inspect big | json_field files)" 3 "inspect counts them"
t_is "$(csn inspect big | json_field dropped_bytes)" 0 "and what was dropped"
csn start big >/dev/null
csn wait big >/dev/null
t_is "$(find "$dir" -name 'container.log*' | wc -l)" 3 "a second run goes on with them"

csn run -d --name flow --network none --log-opt max-size=4k --log-opt max-file=100 box \
	sh -c "sleep 0.3; $count" >/dev/null
t_is "$(csn logs -f flow | cksum)" "$(bash -c "$count" | cksum)" "following goes from file to file"
t_is "$(csn logs flow | cksum)" "$(bash -c "$count" | cksum)" "and so does reading"
t_is "$(csn logs --since 1h --until 30m flow)" "" "nothing was written until then"
t_is "$(csn logs --since 1h --tail 1 flow)" "line 2999" "but since"
t_fails_with '--since: expected a time such as 2026-11-24T13:05:00Z, seconds since 1970 or 10m, not "x"' \
	csn logs --since x flow
t_ok "both go" csn rm big flow
t_fails_with 'log option "max-size=x": expected a size such as 10m, or -1' \
	csn create --log-opt max-size=x box true
t_fails_with 'log option "max-file": goes with max-size' csn create --log-opt max-file=3 box true
t_fails_with 'log option "max-file=0": expected a number from 1 to 1000' \
	csn create --log-opt max-size=1m --log-opt max-file=0 box true
t_fails_with 'log option "colour=red": expected max-size=SIZE or max-file=NUMBER' \
	csn create --log-opt colour=red box true

# ---- what was dropped (the unit test of rotation fills a disk) ------------------------------------

csn create --name full --network none box true >/dev/null
echo 123456 >"$(csn_bundle full)/log.dropped"
t_is "$(csn inspect full | json_field dropped_bytes)" 123456 "what was dropped is told"
csn start full >/dev/null
csn wait full >/dev/null
t_is "$(csn inspect full | json_field dropped_bytes)" 0 "of the last run"
t_ok "it goes" csn rm full
