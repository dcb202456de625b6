#!/bin/bash
# What is rarely asked for: network devices, symlinks as mount sources and targets, what tmpcopyup
# keeps, time namespaces, scheduling, memory policy, seccomp flags, exec below an init with groups.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
make_bundle "$b"
mkdir "$TMPDIR/src"
refused() { # NAME MESSAGE [NAME=JSON...]: create fails with it and leaves nothing
	local name=$1 message=$2
	shift 2
	make_bundle "$b" "$@"
	t_fails_with "$message" "$CAISSON" create -b "$b" refused
	t_is "$("$CAISSON" list -q)" "" "$name: nothing stays"
}

# ---- netDevices ---------------------------------------------------------------------------------
ip link add h0 type veth peer name h1
ip link set h0 address 02:00:00:00:00:07
ip addr add 10.99.0.5/24 brd + dev h0
ip addr add 169.254.7.7/16 scope link dev h0
ip addr add fd00:9::5/64 dev h0 nodad
ip link set h0 up
ip link add i0 type veth peer name j0
ip link add i1 type veth peer name j1
run_script "$b" 'ip -o addr show dev eth7 | sed -n "s/.*inet6\? \([^ ]*\) .*scope global.*/\1/p"
	cat /sys/class/net/eth7/address; for d in /sys/class/net/*; do echo "${d##*/} $(($(cat $d/flags) & 1))"; done' \
	linux='"netDevices": {"h0": {"name": "eth7"}, "i0": {"name": "foo%d"}, "i1": {}}'
t_is "$output$errors" $'10.99.0.5/24\nfd00:9::5/64\n02:00:00:00:00:07\neth7 1\nfoo0 1\ni1 1\nlo 1' \
	"links are inside, renamed, with their global addresses, up"
t_fails_with 'Device "h0" does not exist.' ip link show h0
ip link add d0 type veth peer name d3
ip link add d1 type veth peer name d2
ip addr add 10.98.0.1/24 dev d1
ip link set d1 up
snapshot "$TMPDIR/links"
refused "a name twice" 'linux.netDevices: "d1": the namespace has a link "x" already' \
	linux='"netDevices": {"d0": {"name": "x"}, "d1": {"name": "x"}}'
refused "no such link" 'linux.netDevices: "d9": find it: No such device' \
	linux='"netDevices": {"d1": {"name": "x"}, "d9": {}}'
refused "a link that stays where it is" 'linux.netDevices: "lo": move it: Invalid argument' \
	linux='"netDevices": {"d1": {"name": "x"}, "lo": {"name": "y"}}'
refused "a later step fails" 'hooks.createRuntime[0]: "/bin/false": exit status 1' \
	linux='"netDevices": {"d1": {"name": "x%d"}}' hooks='{"createRuntime": [{"path": "/bin/false"}]}'
t_unchanged "links are back, as they were" "$TMPDIR/links"
t_is "$(ip -o addr show dev d1 | grep -c 10.98.0.1/24):$(($(cat /sys/class/net/d1/flags) & 1)):$(($(cat /sys/class/net/d0/flags) & 1))" \
	1:1:0 "with their addresses, up or down"
t_is "$(($(cat /sys/class/net/lo/flags) & 1))" 1 "and lo is up"
ip link del d0
ip link del d1

# ---- symlinks as source and target --------------------------------------------------------------
echo target >"$TMPDIR/src/file"
ln -s file "$TMPDIR/src/link"
bind() { # SOURCE DESTINATION OPTION...
	local source=$1 destination=$2
	shift 2
	printf '{"destination": "%s", "type": "bind", "source": "%s/src/%s", "options": %s}' \
		"$destination" "$TMPDIR" "$source" "$(json_array bind "$@")"
}
run_script "$b" 'cat /mnt/x' more_mounts="$(bind link /mnt/x)"
t_is "$output" target "a symlink as source is followed"
rm "$b/rootfs/mnt/x"
run_script "$b" 'readlink /mnt/x; grep -c " /mnt/x " /proc/self/mountinfo' more_mounts="$(bind link /mnt/x src-nofollow)"
t_is "$output" $'file\n1' "src-nofollow: the symlink itself is mounted"
rm -rf "$b/rootfs/mnt/x"
run_script "$b" 'readlink /mnt/x; grep -c " /mnt/x " /proc/self/mountinfo' more_mounts="$(bind link /mnt/x copy-symlink)"
t_is "$output" $'file\n0' "copy-symlink: a symlink with the same words is made"
run_script "$b" 'readlink /mnt/x' more_mounts="$(bind link /mnt/x copy-symlink)"
t_is "$status:$output" "0:file" "copy-symlink: one that is there already is as good"
ln -sfn else "$b/rootfs/mnt/x"
refused "copy-symlink over another" 'mounts[7]: "/mnt/x": File exists' more_mounts="$(bind link /mnt/x copy-symlink)"
rm "$b/rootfs/mnt/x"
run_script "$b" 'cat /mnt/x' more_mounts="$(bind file /mnt/x copy-symlink)"
t_is "$output" target "copy-symlink: what is no symlink is mounted"
rm "$b/rootfs/mnt/x"
echo kept >"$b/rootfs/etc/pointed"
ln -s /etc/pointed "$b/rootfs/mnt/to"
run_script "$b" 'cat /etc/pointed' more_mounts="$(bind file /mnt/to)"
t_is "$output" target "a symlink as target is followed"
run_script "$b" 'cat /mnt/to /etc/pointed' more_mounts="$(bind file /mnt/to dest-nofollow)"
t_is "$output" $'target\nkept' "dest-nofollow: it is mounted upon"

# ---- tmpcopyup ----------------------------------------------------------------------------------
mkdir -p "$b/rootfs/copied/dir"
echo text >"$b/rootfs/copied/dir/file"
chown 7:8 "$b/rootfs/copied/dir/file"
chmod 4755 "$b/rootfs/copied/dir/file"
touch -d '2001-02-03 04:05:06 UTC' "$b/rootfs/copied/dir/file" "$b/rootfs/copied/dir"
setfattr -n trusted.note -v hello "$b/rootfs/copied/dir/file" 2>/dev/null || setfattr() { return 1; }
ln -s dir/file "$b/rootfs/copied/link"
run_script "$b" 'cd /copied; stat -c "%a %u:%g %Y" dir/file; stat -c %Y dir; readlink link; cat link' \
	more_mounts='{"destination": "/copied", "type": "tmpfs", "source": "t", "options": ["tmpcopyup"]}'
t_is "$output" $'4755 7:8 981173106\n981173106\ndir/file\ntext' "tmpcopyup keeps modes, owners, times and links"
make_bundle "$b" args='["sleep", "1000"]' \
	more_mounts='{"destination": "/copied", "type": "tmpfs", "source": "t", "options": ["tmpcopyup"]}'
"$CAISSON" run -d -b "$b" c1
pid=$("$CAISSON" state c1 | json_field pid)
if setfattr -n trusted.try -v x "$TMPDIR/src" 2>/dev/null; then
	t_is "$(getfattr --only-values -n trusted.note "/proc/$pid/root/copied/dir/file" 2>/dev/null)" hello \
		"and extended attributes"
else
	t_skip "and extended attributes" "setfattr is not installed or the file system has no attributes"
fi
"$CAISSON" delete -f c1

# ---- /dev/ptmx of an image ----------------------------------------------------------------------
nodev=${default_mounts/'{"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
	 "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},'/}
mknod "$b/rootfs/dev/ptmx" c 5 2
run_script "$b" 'readlink /dev/ptmx' mounts="$nodev"
t_is "$output" pts/ptmx "a ptmx node of the image gives way to the container's"
rm -rf "$b/rootfs/dev/"*

# ---- time ---------------------------------------------------------------------------------------
run_script "$b" 'read up rest </proc/uptime; echo "$((${up%.*} > 86400 * 1000))"; cat /proc/self/timens_offsets' \
	namespaces="$default_namespaces"', {"type": "time"}' \
	linux='"timeOffsets": {"boottime": {"secs": 86400000, "nanosecs": 5}, "monotonic": {"secs": -1}}'
t_like "$output" '^1' "a time namespace with offsets"
t_like "$output" 'monotonic +-1 +0' "the offset of the monotonic clock"
t_like "$output" 'boottime +86400000 +5' "and of the boot time"

make_bundle "$b" args='["sleep", "1000"]' namespaces="$default_namespaces"', {"type": "time"}' \
	linux='"timeOffsets": {"boottime": {"secs": 86400000}}'
"$CAISSON" run -d -b "$b" clock
pid=$("$CAISSON" state clock | json_field pid)
run_script "$b" 'readlink /proc/self/ns/time; cut -c 1-3 /proc/uptime' \
	namespaces="$default_namespaces, {\"type\": \"time\", \"path\": \"/proc/$pid/ns/time\"}"
t_is "$output" "$(readlink "/proc/$pid/ns/time")"$'\n864' "a time namespace that is joined by path"
"$CAISSON" delete -f clock

# ---- user namespaces: joined, and for mounts ----------------------------------------------------
chmod 755 "$TMPDIR" "$CSN_TEST_DIR" "$b"
maps='"uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
	"gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}]'
make_bundle "$b" args='["sleep", "1000"]' namespaces="$default_namespaces, {\"type\": \"user\"}" linux="$maps"
"$CAISSON" run -d -b "$b" users
pid=$("$CAISSON" state users | json_field pid)
joined="$default_namespaces, {\"type\": \"user\", \"path\": \"/proc/$pid/ns/user\"}"
run_script "$b" 'readlink /proc/self/ns/user; id -u; id -g; echo $$; hostname; ip -o link | wc -l' namespaces="$joined"
t_is "$output" "$(readlink "/proc/$pid/ns/user")"$'\n0\n0\n1\nbox\n1' \
	"a user namespace that is joined owns the new ones, also the pid namespace"
mkdir -p "$TMPDIR/owned"
touch "$TMPDIR/owned/file"
chown 1000:1001 "$TMPDIR/owned/file"
owned() { # OPTION NAME=JSON...: owner of the file in the container
	local option=$1
	shift
	run_script "$b" 'stat -c %u:%g /mnt/file' more_mounts="{\"destination\": \"/mnt\", \"type\": \"bind\",
		\"source\": \"$TMPDIR/owned\", \"options\": [\"bind\", \"$option\"]}" "$@"
	echo "$output$errors"
}
t_is "$(owned idmap namespaces="$joined")" 1000:1001 "idmap takes the mappings of a joined user namespace"
t_is "$(owned idmap namespaces="$default_namespaces, {\"type\": \"user\"}" linux="$maps")" 1000:1001 "or of a new one"
t_is "$(owned rw namespaces="$joined")" 65534:65534 "without it the file is nobody's"
"$CAISSON" delete -f users

# ---- session keyring ----------------------------------------------------------------------------
make_bundle "$b" args='["sh", "-c", "cat /proc/keys"]' masked='[]'
t_like "$("$CAISSON" run -b "$b" keyed)" 'keyring +keyed: empty' "the program has a session keyring of its own, named after the container"
t_is "$("$CAISSON" run --no-new-keyring -b "$b" keyed2 | grep -c 'keyed2:')" 0 "--no-new-keyring: it has not"

# ---- scheduling, memory -------------------------------------------------------------------------
run_script "$b" 'awk "{ print \$41, \$40, \$19 }" /proc/self/stat' process='"scheduler": {"policy": "SCHED_BATCH", "nice": 3}'
t_is "$output" "3 0 3" "scheduler: batch with nice"
run_script "$b" 'for p in $$ self; do awk "{ print \$41, \$40 }" /proc/$p/stat; done' process='"scheduler": {
	"policy": "SCHED_FIFO", "priority": 7, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}'
t_is "$output" $'1 7\n0 0' "scheduler: a real-time priority, reset in children"
run_script "$b" 'busybox ionice -p $$' process='"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6}'
t_is "$output" "best-effort: prio 6" "ioPriority"
run_script "$b" 'uname -m' linux='"personality": {"domain": "LINUX32"}'
t_like "$output" '^i[0-9]86$' "personality"
if [ -e /proc/self/numa_maps ]; then
	run_script "$b" 'head -n 1 /proc/self/numa_maps | cut -d " " -f 2' \
		linux='"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}'
	t_is "$output" "bind=static:0" "memoryPolicy"
	run_script "$b" 'head -n 1 /proc/self/numa_maps | cut -d " " -f 2' linux='"memoryPolicy": {"mode": "MPOL_LOCAL"}'
	t_is "$output" local "memoryPolicy without nodes"
else
	t_skip "memoryPolicy" "this kernel has no NUMA"
	t_skip "memoryPolicy without nodes" "this kernel has no NUMA"
fi

# ---- seccomp flags ------------------------------------------------------------------------------
for flags in '' '"SECCOMP_FILTER_FLAG_LOG"' '"SECCOMP_FILTER_FLAG_TSYNC"' '"SECCOMP_FILTER_FLAG_SPEC_ALLOW"' \
	'"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"'; do
	run_script "$b" 'grep ^Seccomp: /proc/self/status; mkdir /tmp/d' linux="\"seccomp\": {\"defaultAction\": \"SCMP_ACT_ALLOW\",
		\"flags\": [$flags], \"syscalls\": [{\"names\": [\"mkdir\", \"mkdirat\", \"no_such_call\"], \"action\": \"SCMP_ACT_ERRNO\"}]}"
	t_like "$output:$errors" $'Seccomp:\t2:.*Operation not permitted' "seccomp with flags [$flags]"
done

# ---- exec below an init that has groups of its own ----------------------------------------------
make_bundle "$b" args="$(json_array sh -c 'cd /sys/fs/cgroup && mkdir init && echo 1 >init/cgroup.procs
	for c in $(cat cgroup.controllers); do echo +$c >cgroup.subtree_control; done; exec sleep 1000')" \
	mounts="${default_mounts/'"relatime", "ro"'/'"relatime"'}"
"$CAISSON" run -d -b "$b" g1
pid=$("$CAISSON" state g1 | json_field pid)
wait_until 10 grep -q /init "/proc/$pid/cgroup"
wait_until 10 grep -q sleep "/proc/$pid/cmdline"
if [ -n "$(cat "$CGROUP2/caisson/g1/cgroup.subtree_control")" ]; then
	t_is "$("$CAISSON" exec g1 grep ^0: /proc/self/cgroup 2>&1)" 0::/init "exec follows init into its group"
else
	t_skip "exec follows init into its group" "no controller can be had here"
fi
"$CAISSON" delete -f g1
t_ok "and it all goes" test ! -e "$CGROUP2/caisson/g1"
rm -rf /run/caisson/.cache
