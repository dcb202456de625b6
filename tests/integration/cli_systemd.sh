#!/bin/bash
# --systemd-cgroup against a real systemd: one of its own runs in the sandbox, on an overlay of this
# machine's root, with nothing to start. Without systemd the groups are made directly.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
path='"cgroupsPath": "one-two.slice:box:c1"'

# ---- where systemd does not run ------------------------------------------------------------------
make_bundle "$b" args='["sh", "-c", "exit 0"]' linux="$path"
t_ok "without systemd a group of the same name is made directly" \
	"$CAISSON" --systemd-cgroup create -b "$b" c1
t_ok "below its slices" test -e "$CGROUP2/one.slice/one-two.slice/box-c1.scope/cgroup.procs"
"$CAISSON" delete --force c1
rmdir "$CGROUP2/one.slice/one-two.slice" "$CGROUP2/one.slice" 2>/dev/null
"$CAISSON" --debug --log "$TMPDIR/log" --systemd-cgroup list >/dev/null
t_like "$(cat "$TMPDIR/log")" 'level=info msg="systemd does not run here: groups are made directly"' \
	"and the log says so"
make_bundle "$b" linux='"cgroupsPath": "one.slice:box"'
t_fails_with 'linux.cgroupsPath: expected slice:prefix:name, not "one.slice:box"' \
	"$CAISSON" --systemd-cgroup run -b "$b" x
make_bundle "$b" linux='"cgroupsPath": "one:box:x"'
t_fails_with 'linux.cgroupsPath: "one" is no slice: it must end in ".slice"' \
	"$CAISSON" --systemd-cgroup run -b "$b" x

# A systemd that does not answer: its program says so, in one line, and nothing stays.
mkdir -p /run/systemd/system
make_bundle "$b" linux="$path"
"$CAISSON" --systemd-cgroup run -b "$b" c1 >"$TMPDIR/out" 2>&1
t_like "$?:$(error_text "$(cat "$TMPDIR/out")")" '^1:systemd scope "box-c1.scope": .+' "a systemd that does not answer"
t_is "$("$CAISSON" list -q)" "" "leaves no container"
rmdir /run/systemd/system /run/systemd

# ---- where it does -------------------------------------------------------------------------------
if [ ! -x /lib/systemd/systemd ] || ! command -v systemd-run >/dev/null; then
	t_skip "a scope from systemd" "systemd is not installed"
	exit 0
fi
root=$TMPDIR/root
mkdir -p "$TMPDIR/over" "$root" "$CGROUP2/sd"
# Not on the file system that it is laid over, wherever $TMPDIR is.
mount -t tmpfs tmpfs "$TMPDIR/over"
mkdir "$TMPDIR/over/up" "$TMPDIR/over/work"
mount -t overlay -o "lowerdir=/,upperdir=$TMPDIR/over/up,workdir=$TMPDIR/over/work" overlay "$root"
rm -rf "$root"/etc/systemd/system/*.wants
mkdir -p "$root/etc/systemd/system" "$root/old" "$root$TMPDIR" "$root$BUILD"
printf '[Unit]\nDefaultDependencies=no\n' >"$root/etc/systemd/system/nothing.target"
cat >"$TMPDIR/start" <<-END
	echo \$\$ >$CGROUP2/sd/cgroup.procs
	exec unshare --mount --pid --uts --cgroup --fork --kill-child --propagation private bash $TMPDIR/inside
END
cat >"$TMPDIR/inside" <<-END
	cd $root
	mount --rbind /dev dev && mount -t proc proc proc && mount -t sysfs sysfs sys &&
		mount -t cgroup2 cgroup2 sys/fs/cgroup && mount -t tmpfs tmpfs run &&
		mount --rbind $TMPDIR .$TMPDIR && mount --rbind $BUILD .$BUILD &&
		pivot_root . old && umount -l /old || exit 1
	exec env -i container=test PATH=$PATH /lib/systemd/systemd --system --unit=nothing.target \
		--log-target=console --show-status=no
END
bash "$TMPDIR/start" >"$TMPDIR/systemd.log" 2>&1 &
outer=$!
inner=
find_inner() { inner=$(pgrep -P "$outer") && [ "$(cat /proc/"$inner"/comm)" = systemd ]; }
inside() { nsenter -t "$inner" -m -p -u -C -- "$@"; }
caisson() { inside "$CAISSON" --systemd-cgroup "$@"; }
if ! wait_until 20 find_inner || ! wait_until 20 inside systemctl is-system-running; then
	t_fail "systemd runs" "$(cat "$TMPDIR/systemd.log")"
	exit 1
fi

echo '{"unified": {"cgroup.max.depth": "7"}}' >"$TMPDIR/r.json"
group=/sys/fs/cgroup/one.slice/one-two.slice/box-c1.scope
make_bundle "$b" args='["sh", "-c", "exit 3"]' linux="$path" resources='{"pids": {"limit": -1}}'
caisson run -b "$b" c1 2>"$TMPDIR/errors"
t_is $? 3 "run in a scope of systemd"
cat "$TMPDIR/errors"
make_bundle "$b" args='["sleep", "100"]' linux="$path" \
	top='"annotations": {"org.systemd.property.Description": "'"'a box'"'", "org.systemd.property.TimeoutStopSec": "uint64 7"}'
t_ok "create" caisson create -b "$b" c1
t_is "$(inside systemctl show -P ActiveState box-c1.scope)" active "the scope is a unit"
t_is "$(inside systemctl show -P Slice box-c1.scope)" one-two.slice "in the slice that was asked for"
t_is "$(inside systemctl show -P Delegate box-c1.scope)" yes "delegated"
t_is "$(inside systemctl show -P TasksMax box-c1.scope)" infinity "without systemd's own limit of tasks"
t_is "$(inside systemctl show -P Description box-c1.scope)" "a box" "a property of the annotations"
t_is "$(inside systemctl show -P TimeoutStopUSec box-c1.scope)" 7s "a number among them"
t_is "$(inside cat $group/cgroup.procs | wc -l)" 1 "the container is alone in it"
t_ok "start" caisson start c1
t_is "$(inside "$CAISSON" ps -f json c1)" "[$(inside cat $group/cgroup.procs)]" "ps"
t_ok "exec" inside "$CAISSON" exec c1 true
t_ok "update" inside "$CAISSON" update -r "$TMPDIR/r.json" c1
t_is "$(inside cat $group/cgroup.max.depth)" 7 "what systemd has no property for"
inside systemctl set-property --runtime box-c1.scope TasksMax=77
t_is "$(inside systemctl show -P TasksMax box-c1.scope)" 77 "somebody has told systemd a limit"
t_ok "update of what it has one for" inside "$CAISSON" update --pids-limit -1 --cpu-quota -1 c1
t_is "$(inside systemctl show -P TasksMax box-c1.scope)" infinity "systemd knows of it"
t_ok "pause" inside "$CAISSON" pause c1
t_ok "resume" inside "$CAISSON" resume c1
t_ok "update" inside "$CAISSON" update --cpu-share 1024 c1
t_is "$(inside systemctl show -P CPUWeight box-c1.scope)" 100 "tells systemd too"
t_ok "kill" inside "$CAISSON" kill c1 KILL
gone() { [ "$(inside systemctl show -P LoadState box-c1.scope)" = not-found ]; }
t_ok "systemd collects the scope" wait_until 10 gone
t_ok "delete" inside "$CAISSON" delete c1
make_bundle "$b" args='["sleep", "100"]' linux="$path"
t_ok "the same name again" caisson run --detach -b "$b" c1
t_ok "delete --force" inside "$CAISSON" delete --force c1
t_ok "systemd collects it too" wait_until 10 gone

if has_controller memory && has_controller cpu && has_controller pids; then
	make_bundle "$b" args='["sleep", "100"]' linux="$path" resources='{"memory": {"limit": 67108864},
		"cpu": {"quota": 12345, "period": 100000}, "pids": {"limit": 50}}'
	t_ok "with limits" caisson run --detach -b "$b" c1
	t_is "$(inside cat $group/memory.max $group/cpu.max $group/pids.max)" $'67108864\n12345 100000\n50' "in the group"
	t_is "$(inside systemctl show -P MemoryMax -P TasksMax box-c1.scope)" $'67108864\n50' "and in the unit"
	t_is "$(inside systemctl show -P CPUQuotaPerSecUSec box-c1.scope)" 123.400ms "as near as systemd takes it"
	t_ok "update" inside "$CAISSON" update --memory 80M --pids-limit -1 c1
	t_is "$(inside systemctl show -P MemoryMax -P TasksMax box-c1.scope)" $'83886080\ninfinity' "of both"
	t_ok "systemd reloads" inside systemctl daemon-reload
	t_is "$(inside cat $group/memory.max $group/pids.max)" $'83886080\nmax' "and keeps them"
	inside "$CAISSON" delete --force c1
	wait_until 10 gone
else
	t_skip "limits of a scope" "no controllers here"
fi

make_bundle "$b" args='["nosuch"]' linux="$path"
t_fails_with 'exec: "nosuch": executable file not found in $PATH' caisson run -b "$b" c1
t_ok "and no scope stays" wait_until 10 gone
make_bundle "$b" linux="$path" top='"annotations": {"org.systemd.property.NoSuchThing": "true"}'
inside "$CAISSON" --systemd-cgroup run -b "$b" c1 2>"$TMPDIR/errors"
t_like "$(error_text "$(cat "$TMPDIR/errors")")" '^systemd scope "box-c1.scope": .*NoSuchThing' \
	"systemd's own words for a bad property"
make_bundle "$b" linux="$path" top='"annotations": {"org.systemd.property.X": "[1]"}'
t_fails_with 'annotations: "org.systemd.property.X": expected a boolean, a number or a quoted text, not "[1]"' \
	caisson run -b "$b" c1
t_is "$(inside "$CAISSON" list -q)" "" "nothing is listed"

# ---- the end: systemd goes, with all its groups --------------------------------------------------
kill -KILL "$inner"
wait "$outer" 2>/dev/null
umount -l "$root"
umount -l "$TMPDIR/over"
remove_groups() { find "$CGROUP2/sd" -depth -type d -exec rmdir {} +; }
wait_until 5 remove_groups
