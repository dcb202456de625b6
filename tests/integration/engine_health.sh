#!/bin/bash
# Health checks: every kind, inside the container; what is told of them, and when they are made.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

# health CONTAINER: "status failing-streak exit-code-of-the-last" of inspect.
health() {
	csn inspect "$1" | python3 -c '
import json, sys
h = json.load(sys.stdin)[0]["state"].get("health")
print(h and "%s %d %s" % (h["status"], h["failing_streak"], h["log"][-1]["exit_code"] if h["log"] else "-"))'
}
# output_of CONTAINER: of its last check.
output_of() {
	csn inspect "$1" | python3 -c '
import json, sys
print(json.load(sys.stdin)[0]["state"]["health"]["log"][-1]["output"], end="")'
}
health_is() {
	csn inspect "$1" | grep -q "\"status\": \"$2\""
}
becomes() { # CONTAINER STATUS
	wait_until 20 health_is "$1" "$2"
}
fast=(--health-interval 100ms --health-timeout 5s)

csn run -d --name new --network none --health-cmd true box sleep 1000 >/dev/null
t_is "$(health new)" "starting 0 -" "it starts as starting"
t_like "$(csn ps)" 'Up .* \(health: starting\)' "and ps says so"
csn rm -f new >/dev/null

# ---- a command -----------------------------------------------------------------------------------

csn run -d --name cmd --network none -e WORD=here "${fast[@]}" --health-retries 2 \
	--health-cmd 'cat /proc/1/cmdline | tr "\0" " "; echo $WORD $(id -u); test -e /tmp/ok' \
	box sleep 1000 >/dev/null
t_ok "failures make it unhealthy" becomes cmd unhealthy
t_is "$(output_of cmd)" 'sleep 1000 here 0' "the command ran in the container"
t_like "$(health cmd)" 'unhealthy [0-9]+ 1' "its status is told"
t_like "$(csn ps)" '\(unhealthy\)' "ps says unhealthy"
t_ok "put right" csn exec cmd touch /tmp/ok
t_ok "one success makes it healthy" becomes cmd healthy
t_is "$(health cmd)" "healthy 0 0" "and ends the streak"
t_like "$(csn ps)" 'Up .* \(healthy\)' "ps says healthy"
t_is "$(csn events --since 1h --until 0s --format json 2>/dev/null | grep -o '"health_status: [a-z]*"' | tr '\n' ' ')" \
	'"health_status: unhealthy" "health_status: healthy" ' "events tell both, once"
group=$(group_of cmd)
alone() { [ "$(cat /sys/fs/cgroup{/unified,}"$group/cgroup.procs" 2>/dev/null | wc -l)" = 1 ]; }
t_ok "no check stays behind" wait_until 10 alone

# ---- paused --------------------------------------------------------------------------------------

csn pause cmd >/dev/null
sleep 0.3
before=$(csn inspect cmd | grep -c '"end"'; csn inspect cmd | grep '"end"' | tail -1)
sleep 0.6
t_is "$(csn inspect cmd | grep -c '"end"'; csn inspect cmd | grep '"end"' | tail -1)" "$before" \
	"a paused container is not checked"
t_is "$(health cmd)" "healthy 0 0" "nor blamed"
csn unpause cmd >/dev/null
later() { [ "$(csn inspect cmd | grep '"end"' | tail -1)" != "${before#*$'\n'}" ]; }
t_ok "afterwards it goes on" wait_until 10 later

# ---- its end -------------------------------------------------------------------------------------

csn stop -t 0 cmd >/dev/null
t_like "$(health cmd)" '^unhealthy 0 0$' "one that has ended is unhealthy, its last check is kept"
t_is "$(csn ps -a | grep -c healthy)" 0 "and ps says nothing of it"
csn start cmd >/dev/null
t_is "$(csn inspect cmd | python3 -c '
import json, sys
s = json.load(sys.stdin)[0]["state"]
print(all(l["start"] > s["started_at"] for l in s["health"]["log"]))')" True "a new start begins anew"
csn rm -f cmd >/dev/null

# ---- time ----------------------------------------------------------------------------------------

csn run -d --name slow --network none --health-interval 100ms --health-timeout 300ms --health-retries 1 \
	--health-cmd 'echo begun; sleep 77 & sleep 77' box sleep 1000 >/dev/null
t_ok "a check that takes too long has failed" becomes slow unhealthy
t_is "$(output_of slow)" $'health check exceeded its timeout of 0.3 s: begun' "and says so"
asleep() { csn exec slow ps | grep -c '[s]leep 77'; }
few() { [ "$(asleep)" -le 2 ]; }
t_ok "it was killed with what it started" wait_until 5 few
csn rm -f slow >/dev/null

csn run -d --name spared --network none --health-interval 100ms --health-retries 1 --health-start-period 1000s \
	--health-start-interval 50ms --health-cmd 'test -e /tmp/ok' box sleep 1000 >/dev/null
checked() { [[ $(health spared) == *" 1" ]]; }
t_ok "checks are made in the start period" wait_until 10 checked
sleep 0.3
t_is "$(health spared)" "starting 0 1" "failures do not count in it"
csn exec spared touch /tmp/ok
t_ok "a success ends it" becomes spared healthy
csn exec spared rm /tmp/ok
t_ok "then they count" becomes spared unhealthy
csn rm -f spared >/dev/null

csn run -d --name missing --network none "${fast[@]}" --health-retries 1 --health-cmd 'x' \
	box sleep 1000 >/dev/null
t_ok "a command that is not there" becomes missing unhealthy
t_like "$(health missing)" 'unhealthy [0-9]+ 127' "is the shell's 127"
csn rm -f missing >/dev/null

csn run -d --name long --network none "${fast[@]}" --health-cmd 'yes | head -c 100000; printf "\0\377"' \
	box sleep 1000 >/dev/null
t_ok "a long output" becomes long healthy
t_is "$(output_of long | wc -c)" 4099 "is cut"
csn rm -f long >/dev/null

# ---- connections ---------------------------------------------------------------------------------

csn run -d --name tcp --network none "${fast[@]}" --health-retries 1 --health-tcp 8123 \
	box sh -c 'until test -e /tmp/go; do sleep 0.1; done; exec httpd -f -p 8123' >/dev/null
t_ok "nobody listens" becomes tcp unhealthy
t_is "$(output_of tcp)" "connect to port 8123: Connection refused" "and that is said"
csn exec tcp touch /tmp/go
t_ok "somebody does" becomes tcp healthy
csn rm -f tcp >/dev/null

mkdir "$TMPDIR/www"
echo hello >"$TMPDIR/www/index.html"
csn run -d --name http --network none "${fast[@]}" --health-retries 1 --health-http http://localhost:8080/ \
	-v "$TMPDIR/www:/www" box httpd -f -p 8080 -h /www >/dev/null
t_ok "HTTP" becomes http healthy
t_like "$(output_of http)" '^HTTP/1.[01] 200 OK$' "and what was answered"
rm "$TMPDIR/www/index.html"
t_ok "another status" becomes http unhealthy
t_like "$(output_of http)" '404 Not Found \(expected 200\)' "is told"
csn rm -f http >/dev/null
csn run -d --name gone --network none "${fast[@]}" --health-retries 1 \
	--health-http 'http://127.0.0.1:8080/x?y' --health-status 404 \
	box httpd -f -p 8080 -h / >/dev/null
t_ok "a status that was asked for" becomes gone healthy
csn rm -f gone >/dev/null

# ---- whoever watches -----------------------------------------------------------------------------

csn run -d --name orphan --network none "${fast[@]}" --health-cmd 'test -e /tmp/ok' \
	box sleep 1000 >/dev/null
kill -KILL "$(cat "$world/run/monitor/$(csn inspect orphan | json_field id)/pid")"
csn exec orphan touch /tmp/ok
t_ok "checks go on when the monitor was killed" becomes orphan healthy
csn rm -f orphan >/dev/null
t_is "$(ls "$world/run/monitor")" "" "and leave nothing"

# ---- options -------------------------------------------------------------------------------------

csn create --name none --network none box true >/dev/null
t_is "$(health none)" None "without a check there is no health"
t_is "$(csn ps -a --format json | json_field health)" none "as ps has it"
csn rm none >/dev/null
for bad in '--health-interval 5::--health-interval "5": expected a time such as 1m30s' \
	'--health-cmd x --health-timeout 10ns::health check: timeout: expected at least 1 millisecond' \
	'--health-retries x --health-cmd x::--health-retries "x": expected a number from 1 to 2147483647' \
	'--health-tcp 70000::--health-tcp "70000": expected a number from 1 to 65535' \
	'--health-http https://localhost/::health check: URL: "https://localhost/": https is not spoken here' \
	'--health-http http://example.org/::health check: URL: "http://example.org/": expected http://HOST[:PORT][/PATH], where HOST is localhost or an address' \
	'--health-cmd x --health-tcp 1::--health-cmd, --health-tcp, --health-http: expected one of them' \
	'--health-status 204::--health-status: goes with --health-http' \
	'--no-healthcheck --health-cmd x::--no-healthcheck: does not go with other options of health checks'; do
	# shellcheck disable=SC2086 # words
	t_fails_with "${bad#*::}" csn create ${bad%%::*} box true
done
t_is "$(csn ps -aq)" "" "nothing is left of them"
