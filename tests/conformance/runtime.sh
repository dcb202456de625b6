#!/bin/bash
# runtime.md and bundle.md: the bundle, the state, the operations, the lifecycle (M-001 to M-037).
. "$(dirname "$0")/lib.sh"

make_bundle "$b"

# ---- bundle -------------------------------------------------------------------------------------
mkdir "$TMPDIR/empty"
fails "M-001 a bundle without config.json" "bundle \"$TMPDIR/empty\": open config.json: No such file or directory" \
	"$CAISSON" create -b "$TMPDIR/empty" x
for name in Config.json config.json.bak config.yaml spec.json; do
	mkdir -p "$TMPDIR/other"
	cp "$b/config.json" "$TMPDIR/other/$name"
done
fails "M-002 a file of another name is not the configuration" \
	"bundle \"$TMPDIR/other\": open config.json: No such file or directory" "$CAISSON" create -b "$TMPDIR/other" x
printf '{"ociVersion": "1.0.0", "root": {"path": "\xff"}}' >"$TMPDIR/empty/config.json"
t_like "$("$CAISSON" create -b "$TMPDIR/empty" x 2>&1)" 'config.json: line 1, column 42: unable to decode byte 0xff' "M-003 what is not UTF-8 is refused"
echo '{"ociVersion": "1.0.0",' >"$TMPDIR/empty/config.json"
t_like "$("$CAISSON" create -b "$TMPDIR/empty" x 2>&1)" 'level=error msg="config.json: line ' "M-003 what is no JSON is refused"
echo '{"ociVersion": "1.0.0", "root": {"path": "r"}, "ociVersion": "1.0.0"}' >"$TMPDIR/empty/config.json"
t_like "$("$CAISSON" create -b "$TMPDIR/empty" x 2>&1)" 'config.json: .*duplicate' "M-003 a duplicate member is refused"
cat >"$b/config.json" <<-'END'
	{"linux": {"namespaces": [{"type": "mount"}, {"path": null, "type": "pid"}]}, "mounts": [
	 {"type": "proc", "options": ["ro"], "destination": "/proc", "source": "proc"}],
	 "process": {"cwd": "/", "args": ["sh", "-c", "echo $$"], "env": ["PATH=/bin"], "user": {"gid": 0, "uid": 0}},
	 "root": {"readonly": true, "path": "rootfs"}, "ociVersion": "1.0.0"}
END
run_container "$b"
t_is "$status:$output" 0:1 "M-004 the order of members has no effect"

# ---- operations and state -----------------------------------------------------------------------
make_bundle "$b" args='["sh", "-c", "trap \"exit 9\" USR1; echo >/tmp/ran; while :; do sleep 0.05; done"]' \
	top='"annotations": {"org.example.a": "1", "empty": ""}'
cp "$b/config.json" "$TMPDIR/keep.json"
t_ok "M-005 create" "$CAISSON" create -b "$b" c1
state=$("$CAISSON" state c1)
for member in ociVersion id status bundle; do
	t_ok "M-006 the state has $member" test -n "$(json_field $member <<<"$state")"
done
t_like "$(json_field ociVersion <<<"$state")" '^1\.[0-9]+\.[0-9]+' "M-006 ociVersion is a version"
pid=$(json_field pid <<<"$state")
t_ok "M-007 the pid of a created container" test -d "/proc/${pid:-none}"
t_is "$(json_field status <<<"$state")" created "M-008 created after create"
t_ok "M-018 create makes the environment" test "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/self/ns/mnt)"
sleep 0.2
t_ok "M-018 but does not run the program" test ! -e "$b/rootfs/tmp/ran"
t_is "$(tr -d ' \n' <<<"$state" | grep -o '"annotations":{[^}]*}')" '"annotations":{"org.example.a":"1","empty":""}' \
	"M-010 annotations are those of the config"
make_bundle "$b" args='["false"]'
t_ok "M-005 start" "$CAISSON" start c1
wait_until 10 test -e "$b/rootfs/tmp/ran"
t_ok "M-023 start runs the program" test -e "$b/rootfs/tmp/ran"
t_ok "M-020 config.json is not read again" grep -q 'trap' "/proc/$pid/cmdline"
t_is "$(container_status c1)" running "M-008 running after start"
t_is "$("$CAISSON" state c1 | json_field pid)" "$pid" "M-007 the pid of a running container"
"$CAISSON" pause c1
t_is "$(container_status c1)" paused "M-011 a frozen container has a status of its own"
"$CAISSON" resume c1
t_is "$(container_status c1)" running "M-011 and a thawed one is running"
cp "$TMPDIR/keep.json" "$b/config.json"
before=$("$CAISSON" state c1)
fails "M-016 an id that is used" 'container with id "c1" already exists' "$CAISSON" create -b "$b" c1
t_is "$("$CAISSON" state c1)" "$before" "M-016 the first container is untouched"
t_ok "M-016 and runs" test -d "/proc/$pid"
fails "M-022 start of a running container" 'cannot start an already running container: "c1"' "$CAISSON" start c1
t_is "$("$CAISSON" state c1)" "$before" "M-022 without effect"
fails "M-029 delete of a running container" 'cannot delete container "c1" that is not stopped: it is running' \
	"$CAISSON" delete c1
t_is "$("$CAISSON" state c1)" "$before" "M-029 it keeps running"
t_ok "M-005 kill" "$CAISSON" kill c1 USR1
wait_until 10 status_is c1 stopped
t_is "$(container_status c1)" stopped "M-008 stopped after the end"
t_is "$("$CAISSON" state c1 | json_field pid)" 0 "M-007 no pid of a stopped one"
before=$("$CAISSON" state c1)
fails "M-022 start of a stopped container" 'cannot start a container that has stopped: "c1"' "$CAISSON" start c1
fails "M-026 kill of a stopped container" 'container not running' "$CAISSON" kill c1 TERM
t_is "$("$CAISSON" state c1)" "$before" "M-022 M-026 without effect"
t_ok "M-005 delete" "$CAISSON" delete c1
t_ok "M-031 the cgroup is gone" test ! -e "$CGROUP2/caisson/c1"
t_is "$("$CAISSON" list -q)" "" "M-031 the state is gone"
t_ok "M-033 the id can be used again" "$CAISSON" create -b "$b" c1
"$CAISSON" delete -f c1
rm "$b/rootfs/tmp/ran"

(cd "$TMPDIR" && "$CAISSON" create -b b/../b c2)
t_is "$("$CAISSON" state c2 | json_field bundle)" "$b" "M-009 the bundle is absolute"
t_ok "M-027 kill of a created container" "$CAISSON" kill c2 KILL
wait_until 10 status_is c2 stopped
t_is "$(container_status c2)" stopped "M-027 ends it"
"$CAISSON" delete c2
t_ok "M-030 (as runc: delete of a created container is allowed, an extension) create" "$CAISSON" create -b "$b" c3
t_ok "M-030 delete of a created container" "$CAISSON" delete c3
t_is "$("$CAISSON" list -q)" "" "M-030 it is gone"

make_bundle "$b" args='["sh", "-c", "for s in HUP INT USR2 TERM; do trap \"echo $s >>/tmp/got\" $s; done; echo up >/tmp/got; while :; do sleep 0.05; done"]'
"$CAISSON" run -d -b "$b" c4
wait_until 10 grep -q up "$b/rootfs/tmp/got"
for sig in HUP SIGINT 12 term; do
	"$CAISSON" kill c4 $sig
	sleep 0.2
done
"$CAISSON" kill c4
sleep 0.2
t_is "$(tr '\n' ' ' <"$b/rootfs/tmp/got")" "up HUP INT USR2 TERM TERM " "M-027 exactly the signal arrives"
"$CAISSON" delete -f c4
rm "$b/rootfs/tmp/got"

for op in state start kill delete create; do
	"$CAISSON" $op >/dev/null 2>&1
	code=$?
	number=$(sed -n "s/^$op //p" <<<$'state M-012\nstart M-021\nkill M-025\ndelete M-028\ncreate M-015')
	t_ok "$number $op without an id fails" test $code != 0
done
for op in state start kill delete; do
	fails "M-012 $op of an unknown id" 'container "nobody" does not exist' "$CAISSON" $op nobody
done
(cd "$TMPDIR/other" && "$CAISSON" create x) >/dev/null 2>&1
t_ok "M-015 create without a bundle fails" test $? != 0
for id in '' . .. a/b 'a b' $'a\nb' ../x "$(printf '%0300d' 0)"; do
	"$CAISSON" create -b "$b" "$id" 2>"$TMPDIR/e"
	t_like "$?:$(cat "$TMPDIR/e")" '^1:.*(id|ID)' "M-017 the id \"$(tr "\n" "?" <<<"${id:0:8}")\" is refused"
done
t_is "$("$CAISSON" list -q)$(ls -A /run/caisson)" "" "M-017 and nothing is made"

# ---- failures -----------------------------------------------------------------------------------
snapshot "$TMPDIR/clean"
refused "M-019 a property that cannot be applied: sysctl" 'linux.sysctl: "net/nothing/here": No such file or directory' \
	linux='"sysctl": {"net.nothing.here": "1"}'
refused "M-019 a program that is not there" 'exec: "nothing-like-this": executable file not found in $PATH' \
	args='["nothing-like-this"]'
refused "M-019 a mount that is refused" 'mounts[7]: "/mnt": Invalid argument: tmpfs: Unknown parameter '"'nonsense'" \
	more_mounts='{"destination": "/mnt", "type": "tmpfs", "source": "x", "options": ["nonsense=1"]}'
refused "M-019 a namespace that is not there" 'linux.namespaces: network: path "/not/there": No such file or directory' \
	namespaces='{"type": "mount"}, {"type": "uts"}, {"type": "network", "path": "/not/there"}'
t_unchanged "M-013 failed operations leave nothing behind" "$TMPDIR/clean"
make_bundle "$b" args='["sh", "-c", "exit 3"]' caps='{"bounding": ["CAP_NOT_THERE"]}'
run_container "$b"
t_is "$status" 3 "M-014 a warning does not change the outcome"
t_like "$errors" 'level=warning' "M-014 it is a warning"
sed 's/"process": {.*/"process": null,/; /"capabilities"/d' "$b/config.json" >"$b/config2"
mv "$b/config2" "$b/config.json"
t_ok "M-024 create without a process" "$CAISSON" create -b "$b" np
fails "M-024 start without a process" 'process.args: not set: there is no program to start' "$CAISSON" start np
"$CAISSON" delete -f np

# ---- what delete leaves alone -------------------------------------------------------------------
mkdir -p "$CGROUP2/parent"
unshare --net sleep 100 &
holder=$!
wait_until 5 test "$(readlink /proc/$holder/ns/net)" != "$(readlink /proc/self/ns/net)"
net=$(readlink /proc/$holder/ns/net)
make_bundle "$b" args='["touch", "/tmp/mine"]' linux='"cgroupsPath": "/parent/child"' \
	namespaces='{"type": "mount"}, {"type": "uts"}, {"type": "network", "path": "/proc/'$holder'/ns/net"}'
run_container "$b"
t_is "$(readlink /proc/$holder/ns/net)" "$net" "M-032 a joined namespace stays"
t_ok "M-032 the parent of the cgroup stays" test -d "$CGROUP2/parent" -a ! -e "$CGROUP2/parent/child"
t_ok "M-032 files that the program wrote stay" test -e "$b/rootfs/tmp/mine"
kill $holder
wait $holder 2>/dev/null
rmdir "$CGROUP2/parent"

# ---- hooks that fail ----------------------------------------------------------------------------
trace=$TMPDIR/trace
hook() { printf '{"path": "/bin/sh", "args": ["sh", "-c", "%s"]}' "$1"; }
for kind in prestart createRuntime createContainer; do
	: >"$trace"
	refused "M-034 $kind fails" "$(sed "s/KIND/$kind/" <<<'hooks.KIND[0]: "/bin/sh": exit status 5')" \
		hooks="{\"$kind\": [$(hook 'exit 5')], \"poststop\": [$(hook "echo poststop >>$trace")]}"
	t_is "$(cat "$trace")" poststop "M-034 $kind: poststop hooks run"
	t_ok "M-034 $kind: the cgroup is gone" test ! -e "$CGROUP2/caisson/refused"
done
printf '#!/bin/sh\nexit 4\n' >"$b/rootfs/bin/failing"
chmod 755 "$b/rootfs/bin/failing"
: >"$trace"
rm -f "$b/rootfs/tmp/ran"
make_bundle "$b" args='["touch", "/tmp/ran"]' hooks="{\"startContainer\": [{\"path\": \"/bin/failing\"}],
	\"poststop\": [$(hook "echo poststop >>$trace")]}"
t_ok "M-035 create" "$CAISSON" create -b "$b" h1
fails "M-035 startContainer fails" 'hooks.startContainer[0]: "/bin/failing": exit status 4' "$CAISSON" start h1
t_ok "M-035 the program never ran" test ! -e "$b/rootfs/tmp/ran"
t_is "$("$CAISSON" list -q):$(cat "$trace")" ":poststop" "M-035 it is destroyed, poststop hooks have run"
: >"$trace"
make_bundle "$b" args='["sleep", "1000"]' hooks="{\"poststart\": [$(hook 'exit 6')],
	\"poststop\": [$(hook "echo poststop >>$trace")]}"
"$CAISSON" create -b "$b" h2
pid=$("$CAISSON" state h2 | json_field pid)
fails "M-036 poststart fails" 'hooks.poststart[0]: "/bin/sh": exit status 6' "$CAISSON" start h2
t_ok "M-036 the program is stopped" test ! -d "/proc/$pid"
t_is "$("$CAISSON" list -q):$(cat "$trace")" ":poststop" "M-036 it is destroyed, poststop hooks have run"
: >"$trace"
make_bundle "$b" hooks="{\"poststop\": [$(hook 'exit 7'), $(hook "echo second >>$trace")]}"
"$CAISSON" create -b "$b" h3
"$CAISSON" kill h3 KILL
wait_until 10 status_is h3 stopped
"$CAISSON" delete h3 2>"$TMPDIR/e"
t_is $? 0 "M-037 poststop that fails: delete succeeds"
t_like "$(cat "$TMPDIR/e")" 'level=warning msg="hooks.poststop.0.: .*exit status 7' "M-037 with a warning"
t_is "$(cat "$trace")" second "M-037 later hooks run"
