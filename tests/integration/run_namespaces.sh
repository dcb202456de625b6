#!/bin/bash
# Namespaces: new, joined by path, left out; user namespaces with mappings; lo; sysctl.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
make_bundle "$b"

# ---- new and left out ---------------------------------------------------------------------------
for ns in pid net ipc uts mnt cgroup; do
	make_bundle "$b" args="[\"readlink\", \"/proc/self/ns/$ns\"]"
	run_container "$b"
	t_ok "a new $ns namespace" test "$output" != "$(readlink "/proc/self/ns/$ns")"
done
make_bundle "$b" hostname=null namespaces='{"type": "mount"}' \
	args='["sh", "-c", "for n in net ipc uts; do readlink /proc/self/ns/$n; done"]'
run_container "$b"
t_is "$output" "$(for n in net ipc uts; do readlink /proc/self/ns/$n; done)" \
	"namespaces that are not in the config are the caller's"
run_script "$b" 'echo $$; ls /proc | grep -c "^[0-9]"'
t_like "$output" '^1' "the program is pid 1 of a new pid namespace"

# ---- joined by path -----------------------------------------------------------------------------
make_bundle "$b" args='["sleep", "1000"]' hostname='"first"'
"$CAISSON" run -d -b "$b" first
pid=$("$CAISSON" state first | json_field pid)
for pair in network:net ipc:ipc uts:uts pid:pid cgroup:cgroup; do
	type=${pair%:*} file=${pair#*:}
	make_bundle "$b" hostname=null args="[\"readlink\", \"/proc/self/ns/$file\"]" \
		namespaces="{\"type\": \"mount\"}, {\"type\": \"$type\", \"path\": \"/proc/$pid/ns/$file\"}" \
		mounts='{"destination": "/proc", "type": "proc", "source": "proc"}' masked='[]' readonly_paths='[]'
	run_container "$b"
	t_is "$output$errors" "$(readlink "/proc/$pid/ns/$file")" "the $type namespace is joined by path"
done
make_bundle "$b" hostname=null args='["hostname"]' \
	namespaces="{\"type\": \"mount\"}, {\"type\": \"uts\", \"path\": \"/proc/$pid/ns/uts\"}"
run_container "$b"
t_is "$output" first "what is in it is seen"
make_bundle "$b" hostname=null args='["sh", "-c", "echo $$"]' \
	namespaces="{\"type\": \"mount\"}, {\"type\": \"pid\", \"path\": \"/proc/$pid/ns/pid\"}"
run_container "$b"
t_ok "in a joined pid namespace the program is not pid 1" test "${output:-1}" -gt 1
t_is "$status" 0 "and its exit code is known"
"$CAISSON" delete -f first

make_bundle "$b" namespaces='{"type": "mount"}, {"type": "network", "path": "/not/there"}' hostname=null
t_fails_with 'linux.namespaces: network: path "/not/there": No such file or directory' \
	"$CAISSON" run -b "$b" n1
make_bundle "$b" namespaces='{"type": "mount"}, {"type": "network", "path": "/etc/passwd"}' hostname=null
t_fails_with 'linux.namespaces: network: path "/etc/passwd" is no namespace' "$CAISSON" run -b "$b" n1
make_bundle "$b" namespaces='{"type": "mount"}, {"type": "network", "path": "/proc/self/ns/uts"}' hostname=null
t_like "$("$CAISSON" run -b "$b" n1 2>&1)" 'linux.namespaces: network: path \\"/proc/self/ns/uts\\" is' \
	"a path of another kind of namespace"

# ---- network and sysctl -------------------------------------------------------------------------
run_script "$b" 'ls /sys/class/net; cat /sys/class/net/lo/operstate; ip -o addr show lo | grep -c "inet 127.0.0.1/8"'
t_is "$output" $'lo\nunknown\n1' "a new network namespace has lo, and lo is up"
run_script "$b" 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax' \
	linux='"sysctl": {"net.ipv4.ip_forward": "1", "kernel.msgmax": "12345"}'
t_is "$output" $'1\n12345' "sysctl"
make_bundle "$b" linux='"sysctl": {"kernel.panic": "1"}'
t_like "$("$CAISSON" run -b "$b" s1 2>&1)" 'linux.sysctl.*kernel.panic' "a sysctl of the host is refused"
make_bundle "$b" hostname=null linux='"sysctl": {"net.ipv4.ip_forward": "1"}' namespaces='{"type": "mount"}'
t_like "$("$CAISSON" run -b "$b" s1 2>&1)" 'linux.sysctl.*net.ipv4.ip_forward' \
	"a network sysctl needs a network namespace"

# ---- user namespaces ----------------------------------------------------------------------------
userns="$default_namespaces, {\"type\": \"user\"}"
maps='"uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
	"gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}]'
chmod 755 "$TMPDIR" "$CSN_TEST_DIR" "$b"
run_script "$b" 'id -u; id -g; tr -s " " <"/proc/self/uid_map"; tr -s " " <"/proc/self/gid_map"' \
	namespaces="$userns" linux="$maps"
t_is "$output$errors" $'0\n0\n 0 100000 65536\n 0 200000 65536' "a user namespace with mappings"
mkdir -p "$b/rootfs/open"
chmod 777 "$b/rootfs/open"
run_script "$b" 'touch /open/file; stat -c %u:%g /open/file /etc/passwd' namespaces="$userns" linux="$maps"
t_is "$output" $'0:0\n65534:65534' "files of the host's root belong to nobody there"
t_is "$(stat -c %u:%g "$b/rootfs/open/file")" 100000:200000 "what it makes belongs to the mapped ids"
run_script "$b" 'ls /dev/null /dev/pts /dev/shm /sys/fs/cgroup/cgroup.procs >/dev/null && echo x >/dev/null && echo fine' \
	namespaces="$userns" linux="$maps"
t_is "$output$errors" fine "the standard mounts and devices work there"
make_bundle "$b" args='["sleep", "1000"]' namespaces="$userns" linux="$maps"
"$CAISSON" run -d -b "$b" u1
pid=$("$CAISSON" state u1 | json_field pid)
t_is "$(stat -c %u "/proc/$pid")" 100000 "the process is the mapped user on the host"
t_is "$("$CAISSON" exec u1 sh -c 'id -u; readlink /proc/self/ns/user')" $'0\n'"$(readlink "/proc/$pid/ns/user")" \
	"exec joins the user namespace"
"$CAISSON" delete -f u1
make_bundle "$b" namespaces="$userns" linux='"uidMappings": [{"containerID": 1, "hostID": 100000, "size": 1}],
	"gidMappings": [{"containerID": 1, "hostID": 100000, "size": 1}]'
t_fails_with 'config.json: linux.uidMappings: containerID 0 must be mapped' "$CAISSON" run -b "$b" u2
make_bundle "$b" namespaces="$userns" user='{"uid": 70000, "gid": 0}' linux="$maps"
t_fails_with 'config.json: process.user.uid: 70000 is not mapped by linux.uidMappings' \
	"$CAISSON" run -b "$b" u2
make_bundle "$b" linux="$maps"
t_like "$("$CAISSON" run -b "$b" u3 2>&1)" 'uidMappings' "mappings without a user namespace are told"
