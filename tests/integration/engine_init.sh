#!/bin/bash
# csn run --init: the program as the child of caisson-init: zombies, signals, exit codes, reasons,
# terminals, read-only images, restarts.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

trap 'csn ps -aq | xargs -r "$CSN" --root "$world/root" --run-root "$world/run" rm -f >/dev/null' EXIT

run() {
	csn run --rm --init --network none "$@"
}

t_is "$(run box sh -c 'tr "\0" " " </proc/1/cmdline; echo $$')" "/dev/init -- sh -c tr \"\\0\" \" \" </proc/1/cmdline; echo \$\$ 2" \
	"the program is the second process"
run box sh -c 'exit 42'
t_is $? 42 "an exit code is passed on"
run box /no/such 2>"$TMPDIR/errors"
t_is $? 127 "a program that is not there gives 127"
t_is "$(cat "$TMPDIR/errors")" "caisson-init: /no/such: No such file or directory" "and is named"
run box /etc/passwd 2>/dev/null
t_is $? 126 "one that cannot be run gives 126"

# Without an init these would stay: sh is gone, sleep is nobody's child but init's.
csn run -d --init --name orphans --network none box sh -c \
	'for i in 1 2 3 4 5; do (sleep 0.1 &) ; done; exec sleep 1000' >/dev/null
t_ok "orphans are reaped" wait_until 10 eval '[ "$(grep -l "^State:.Z" $(sed "s|.*|/proc/&/status|" "$CGROUP2$(group_of orphans)/cgroup.procs") | wc -l) $(wc -l <"$CGROUP2$(group_of orphans)/cgroup.procs")" = "0 2" ]'
t_is "$(csn inspect orphans | json_field init)" true "inspect tells"
t_like "$(csn ps | grep orphans)" '"sh -c ' "ps shows the program's own command"
csn stop -t 10 orphans >/dev/null
t_is "$(outcome orphans)" "signal 143 SIGTERM 0" "a program without a handler ends by the stop signal"
csn rm orphans >/dev/null

csn run -d --init --name handles --network none box sh -c 'trap "echo usr1" USR1; trap "echo term; exit 5" TERM
	echo ready; while :; do sleep 0.05; done' >/dev/null
wait_until 5 eval '[ "$(csn logs handles)" = ready ]'
csn kill -s USR1 handles >/dev/null
wait_until 5 eval '[[ $(csn logs handles) == *usr1 ]]'
csn stop handles >/dev/null
t_is "$(csn logs handles | tr '\n' ' ')" "ready usr1 term " "signals are handed on"
t_is "$(outcome handles)" "exited 5 null 0" "its own exit stays one"
csn rm handles >/dev/null

# How the program ended, not how init did.
for signal in KILL TERM SEGV HUP USR2; do
	csn run -d --init --name how --network none box sh -c "kill -$signal \$\$; sleep 10" >/dev/null
	t_is "$(outcome how)" "signal $((128 + $(kill -l $signal))) SIG$signal 0" "ended by SIG$signal"
	csn rm how >/dev/null
done
csn run -d --init --name how --network none box sh -c 'exit 143' >/dev/null
t_is "$(outcome how)" "exited 143 null 0" "exit 143 is no SIGTERM"
csn rm how >/dev/null
csn run -d --init --name how --network none box sleep 1000 >/dev/null
csn kill how >/dev/null
t_is "$(outcome how)" "signal 137 SIGKILL 0" "kill ends init and all"
csn rm how >/dev/null
t_is "$(run box sh -c 'ls /proc/self/fd | tr "\n" " "; ls /proc/1/fd | tr "\n" " "')" "0 1 2 3 0 1 2 3 " \
	"the program has no more open than its own"

# The program's process group is in front of the terminal.
csn run -d -t --init --name front --network none box sh -c 'sed "s/.*) //" /proc/self/stat | cut -d" " -f3,6; ps -o pid,args; sleep 1000' >/dev/null
wait_until 5 eval '[[ $(csn logs front) == *sleep* || $(csn logs front | wc -l) -gt 2 ]]'
t_like "$(csn logs front | head -n 1 | tr -d '\r')" '^2 2$' "the program is in front of its terminal"
csn rm -f front >/dev/null

# Read-only, as somebody, in the host's pid namespace, over an image without such a file.
t_is "$(run --read-only -u 1000:1000 box id -u)" 1000 "on a read-only root, as somebody"
t_is "$(run --pid host box sh -c 'echo here; exit 3'; echo $?)" $'here\n3' "in the host's pid namespace"
t_like "$(run box sh -c 'echo x >/dev/init' 2>&1)" 'Read-only file system|Permission denied' "nobody can write to it"
t_like "$(run --cap-add ALL box sh -c 'echo x >/proc/1/exe' 2>&1)" 'Read-only file system|busy' "not by way of the process either"

csn run -d --init --restart on-failure:2 --name again --network none box sh -c 'kill -SEGV $$' >/dev/null
t_is "$(outcome again) $(csn inspect again | json_field restart_count)" "signal 139 SIGSEGV 0 2" "restarted, it is there again"

# Only from where nobody else can write to it.
mkdir "$TMPDIR/libexec"
cp "$BUILD"/bin/caisson-{monitor,init} "$TMPDIR/libexec"
chmod g+w "$TMPDIR/libexec/caisson-init"
export CAISSON_LIBEXEC=$TMPDIR/libexec
t_fails_with "init: $TMPDIR/libexec/caisson-init: expected a program that nobody else can write to" csn create --init box true
rm "$TMPDIR/libexec/caisson-init"
t_fails_with "init: $TMPDIR/libexec/caisson-init: No such file or directory" csn create --init box true
unset CAISSON_LIBEXEC
