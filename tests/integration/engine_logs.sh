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
