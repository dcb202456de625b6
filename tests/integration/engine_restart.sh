#!/bin/bash
# Restart policies: who is started again, how often and how soon, with no command running; stop, kill,
# rm, start and wait at every moment; a killed monitor; a reboot.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

trap 'csn ps -aq | xargs -r "$CSN" --root "$world/root" --run-root "$world/run" rm -f >/dev/null' EXIT

field() { # CONTAINER KEY
	csn inspect "$1" | json_field "$2"
}
state() {
	echo "$(field "$1" status) $(field "$1" restarting) $(field "$1" restart_count)"
}
state_is() {
	[ "$(state "$1")" = "$2" ]
}
count_is() { # CONTAINER COUNT OR MORE
	[ "$(field "$1" restart_count)" -ge "$2" ]
}
monitor_of() {
	cat "$world/run/monitor/$(field "$1" id)/pid"
}
told() { # CONTAINER: what happened to it
	csn events --since 1h --until 0s --format table --filter "container=$1" | awk '{ printf "%s ", $3 }'
}
starts() { # CONTAINER: seconds since 1970 of each of its starts
	csn events --since 1h --until 0s --filter "container=$1" --filter event=start | json_times
}
json_times() {
	sed 's/.*"time":"\([^"]*\)".*/\1/' | while read -r time; do date -d "$time" +%s.%N; done
}

# ---- on-failure ---------------------------------------------------------------------------------

csn run -d --name fails --restart on-failure:3 --network none box sh -c 'echo run >>/runs; echo out; exit 7' >/dev/null
pidfd_before=$(monitor_of fails)
t_is "$(csn wait fails)" 7 "wait waits for the last end"
t_is "$(state fails)" "exited false 3" "on-failure:3 gives up after three restarts"
t_is "$(told fails)" "create start die start die start die start die " "each start and each end is told"
t_is "$(csn logs fails | wc -l)" 4 "the log goes on"
t_like "$pidfd_before" '^[0-9]+$' "it had a monitor"
t_ok "none is left" wait_until 5 eval '! [ -e "$world/run/monitor/$(field fails id)" ]'
csn start fails >/dev/null
t_is "$(csn wait fails)" 7 "started by hand it begins anew"
t_is "$(state fails)" "exited false 3" "with three restarts more"
upper=$world/root/containers/$(field fails id)/upper
t_is "$(wc -l <"$upper/runs")" 8 "and the files of all runs are there"
# 100, 200 and 400 ms between end and start
t_ok "the delays double" awk 'NR > 1 { d[NR - 1] = $1 - last } { last = $1 }
	END { exit !(d[1] >= 0.1 && d[2] >= 0.2 && d[3] >= 0.4 && d[3] > d[1] && d[3] < 5) }' < <(starts fails | head -n 4)

csn run -d --name succeeds --restart on-failure --network none box true >/dev/null
t_is "$(csn wait succeeds)" 0 "on-failure leaves a success alone"
t_is "$(state succeeds)" "exited false 0" "without a restart"
csn run -d --name missing --restart on-failure:2 --network none box /no/such 2>/dev/null
t_is "$?" 127 "a first start that fails is the caller's"
t_is "$(state missing)" "failed false 0" "and is not tried again"
t_is "$(csn run --name attached --restart on-failure:1 --network none box sh -c 'echo once; exit 3')" once \
	"who runs it in the foreground has the first run"
csn wait attached >/dev/null
t_is "$(csn logs attached | wc -l)" 2 "the second is in the log"

# One that cannot start again is tried again, and told.
csn run -d --name broken --restart on-failure:2 --network none box sh -c 'rm /bin/sh; exit 1' >/dev/null
t_is "$(csn wait broken)" 127 "a restart that fails counts"
t_is "$(state broken)" "failed false 2" "and is tried again"
t_is "$(told broken)" "create start die die die " "its failures are told"

# ---- always -------------------------------------------------------------------------------------

csn run -d --name loops --restart always --network none box sh -c 'exit 1' >/dev/null
t_ok "a crash loop is slowed down" wait_until 20 eval '[[ $(csn ps) == *"(crash loop)"* ]]'
t_is "$(state loops)" "initializing true 6" "after five restarts"
t_like "$(csn ps | grep loops)" 'Restarting \(1\) .* ago \(crash loop\)' "ps tells"
t_like "$(csn ps --format json)" '"restarting": true' "so it does in JSON"
t_fails_with "container \"loops\" is restarting: stop it first, or force" csn rm loops
t_fails_with "container \"loops\" is not running" csn kill -s HUP loops
t_is "$(state loops)" "initializing true 6" "another signal does not end the wait"
rest=$(monitor_of loops)
dirty=$(awk '/^Private_Dirty:/ { print $2 }' "/proc/$rest/smaps_rollup")
if [ -z "${CSN_TEST_SLOW-}" ] && ! grep -q __asan_init "$BUILD/lib/.libs/libcaisson.so"; then
	t_ok "who waits is small ($dirty KiB)" [ "$dirty" -le 200 ]
fi
t_ok "stop ends the wait" csn stop loops
t_is "$(state loops)" "exited false 6" "for good"
t_ok "nobody waits any more" wait_until 5 eval "! kill -0 $rest"
t_like "$(told loops)" 'die stop $' "stop is told"
csn start loops >/dev/null
wait_until 20 eval '[[ $(csn ps) == *"(crash loop)"* ]]'
timeout 20 "$CSN" --root "$world/root" --run-root "$world/run" wait loops >"$TMPDIR/waited" &
waiter=$!
sleep 0.2
t_ok "one who waits sleeps on" kill -0 $waiter
t_ok "kill ends the wait, too" csn kill loops
wait $waiter
t_is "$(cat "$TMPDIR/waited")" 1 "and who waits has the last end"
csn start loops >/dev/null
wait_until 20 eval '[[ $(csn ps) == *"(crash loop)"* ]]'
t_ok "start does not wait" csn start loops
t_ok "and begins anew" eval '[ "$(field loops restart_count)" -lt 6 ]'
t_ok "update changes a policy" csn update --restart on-failure:1 loops
t_ok "it counts at the next end" wait_until 5 eval '[[ $(state loops) == "exited false"* ]]'
csn update --restart always loops >/dev/null
csn start loops >/dev/null
wait_until 20 eval '[[ $(csn ps) == *"(crash loop)"* ]]'
t_ok "rm --force ends the wait" csn rm -f loops
t_fails_with "container \"loops\" does not exist" csn inspect loops

csn run -d --name serves --restart always --network none box sleep 1000 >/dev/null
first=$(field serves pid)
kill -KILL "$first"
t_ok "one that is killed from outside starts again" wait_until 5 state_is serves "running false 1"
t_ok "as another process" [ "$(field serves pid)" != "$first" ]
csn stop -t 0 serves >/dev/null
sleep 0.5
t_is "$(state serves)" "exited false 1" "stop is not followed by a restart"
csn start serves >/dev/null
t_is "$(state serves)" "running false 0" "start begins anew"
csn kill serves >/dev/null
csn wait serves >/dev/null
sleep 0.5
t_is "$(state serves)" "exited false 0" "neither is kill"
csn start serves >/dev/null
t_ok "rm --force takes a running one" csn rm -f serves

# A delay of its own; unless it is none, update keeps what it does not name.
csn run -d --name slow --restart always --restart-delay 1.5 --network none box true >/dev/null
wait_until 10 count_is slow 2
t_ok "a delay that was asked for" awk 'NR > 1 && $1 - last < 1.5 { bad = 1 } { last = $1 } END { exit bad }' < <(starts slow)
csn update --restart unless-stopped slow >/dev/null
t_is "$(field slow delay_ms)" 1500 "update keeps the delay"
csn rm -f slow >/dev/null

# ---- a monitor that is killed -------------------------------------------------------------------

csn run -d --name orphan --restart always --restart-delay 30 --network none box sh -c 'exit 5' >/dev/null
wait_until 5 state_is orphan "initializing true 1"
kill -KILL "$(monitor_of orphan)"
t_ok "killed while it waits, the container has ended" wait_until 5 state_is orphan "exited false 1"
t_is "$(csn wait orphan)" 5 "with the code that it had"
t_is "$(csn system start)" "$(field orphan id)" "system start makes up for it"
wait_until 5 state_is orphan "initializing true 1"
t_is "$(csn system start)" "" "and leaves alone what its monitor starts"
kill -KILL "$(monitor_of orphan)"
csn stop orphan >/dev/null
t_is "$(csn system start)" "" "as it does what was stopped"
csn rm orphan >/dev/null

csn run -d --name lost --restart on-failure --network none box sleep 1000 >/dev/null
kill -KILL "$(monitor_of lost)"
t_is "$(csn system start)" "" "one that runs without its monitor goes on"
kill -KILL "$(field lost pid)"
wait_until 5 eval '[ "$(field lost pid)" = 0 ]'
t_is "$(csn system start)" "$(field lost id)" "an end that nobody saw is a failure"
csn rm -f lost >/dev/null

# ---- a reboot -----------------------------------------------------------------------------------

for policy in no always unless-stopped on-failure; do
	csn run -d --name "up-$policy" --restart $policy --network none box sleep 1000 >/dev/null
	csn run -d --name "down-$policy" --restart $policy --network none box sleep 1000 >/dev/null
	csn stop -t 0 "down-$policy" >/dev/null
done
csn create --name never --restart always --network none box sleep 1000 >/dev/null
t_is "$(csn system start)" "" "before a reboot nothing is to be started"
for container in $(csn ps -q); do
	monitor=$(monitor_of "$container") pid=$(field "$container" pid)
	group=$CGROUP2$(field "$container" cgroup)
	kill -KILL "$monitor" "$pid"
	wait_until 5 eval "! kill -0 $pid"
	wait_until 5 rmdir "$group"
done
rm -rf "$world/run"
csn system start >/dev/null
t_is "$(csn ps | awk 'NR > 1 { print $NF }' | sort | tr '\n' ' ')" \
	"down-always up-always up-on-failure up-unless-stopped " "after it those that ran, and always always"
csn ps -aq | xargs -r "$CSN" --root "$world/root" --run-root "$world/run" rm -f >/dev/null

# ---- networks -----------------------------------------------------------------------------------

csn run -d --name web --restart always -p 127.0.0.1:8087:80 box sh -c 'ip -4 addr show eth0 | grep -q inet && sleep 0.3' >/dev/null
wait_until 20 count_is web 3
t_is "$(csn events --since 1h --until 0s --filter container=web --filter event=die | grep -vc '"exit_code":0')" 0 \
	"each run has its network before it begins"
csn stop web >/dev/null
t_is "$(ls "$world/run/network/owners" 2>/dev/null | wc -l)" 0 "and nothing of it is left"
csn rm web >/dev/null

# ---- refused ------------------------------------------------------------------------------------

t_fails_with "--rm and --restart do not go together" csn run --rm --restart always box true
for bad in sometimes always:3 on-failure: on-failure:x on-failure:-1 no:1; do
	t_fails_with "restart policy \"$bad\": expected no, always, unless-stopped or on-failure[:MAX]" \
		csn create --restart $bad box true
done
t_fails_with '--restart-delay: expected seconds, not "soon"' csn create --restart always --restart-delay soon box true
csn create --rm --name goes box true >/dev/null
t_fails_with 'container "goes": a container that removes itself cannot have a restart policy' csn update --restart always goes
t_is "$(field goes name)" no "and it has none"
