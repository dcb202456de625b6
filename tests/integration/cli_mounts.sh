#!/bin/bash
# mounts add and remove: mounts of a container that runs.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b list=$TMPDIR/mounts.json
mkdir "$TMPDIR/dir" "$TMPDIR/dir/below"
echo from the host >"$TMPDIR/dir/file"
mount -t tmpfs below "$TMPDIR/dir/below"
make_bundle "$b" args='["sleep", "100"]'
t_ok "a container" "$CAISSON" run --detach -b "$b" c
mounts() { "$CAISSON" mounts "$1" c "$list"; }
inside() { "$CAISSON" exec c "$@" 2>&1; }

cat >"$list" <<-END
	[{"destination": "/mnt/dir", "type": "bind", "source": "$TMPDIR/dir", "options": ["bind", "ro"]},
	 {"destination": "/mnt/file", "type": "bind", "source": "$TMPDIR/dir/file", "options": ["bind"]},
	 {"destination": "/mnt/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "ro"]},
	 {"destination": "/mnt/proc", "type": "proc", "source": "proc"}]
END
t_ok "add" mounts add
t_is "$(inside cat /mnt/dir/file)" "from the host" "a directory of the host"
t_like "$(inside touch /mnt/dir/x)" 'Read-only' "read-only"
t_is "$(inside cat /mnt/file)" "from the host" "a file of the host"
t_like "$(inside grep ' /mnt/tmp ' /proc/mounts)" ' ro,.*size=64k' "a tmpfs, read-only"
t_is "$(inside cat /mnt/proc/1/comm)" sleep "a procfs of the container's own pid namespace"
t_is "$(grep -c /mnt/dir /proc/mounts)" 0 "the host does not see them"
t_ok "remove" mounts remove
t_is "$(inside grep -c ' /mnt/' /proc/mounts)" 0 "all of them"
t_fails_with 'mounts[0]: "/mnt/dir": Invalid argument' mounts remove

echo '{"mounts": [{"destination": "/mnt/dir", "source": "'"$TMPDIR/dir"'", "options": ["rbind"]}]}' >"$list"
t_ok "an object with mounts" mounts add
t_is "$(inside grep -c ' /mnt/dir' /proc/mounts)" 2 "with what is mounted below"
t_ok "removed with it" mounts remove
t_is "$(inside grep -c ' /mnt/' /proc/mounts)" 0 "again all"

# All or none.
echo '[{"destination": "/mnt/one", "type": "tmpfs"}, {"destination": "/mnt/two", "type": "nosuchfs"}]' >"$list"
t_fails_with 'mounts[1]: "/mnt/two": No such device' mounts add
t_is "$(inside grep -c ' /mnt/' /proc/mounts)" 0 "when one fails none stays"

# Names of the container are its own: no way out by them.
inside ln -s / /mnt/way-out
echo '[{"destination": "/mnt/way-out/escaped", "type": "tmpfs"}]' >"$list"
t_ok "a symlink of the container" mounts add
t_is "$(inside grep -c ' /escaped ' /proc/mounts):$(grep -c escaped /proc/mounts)" 1:0 "leads to its own root"
t_ok "also back" mounts remove
t_is "$(inside grep -c ' /escaped ' /proc/mounts)" 0 "and it is gone"

# ---- errors --------------------------------------------------------------------------------------
bad() { printf '%s' "$1" >"$list"; }
bad '[{"type": "tmpfs"}]'
t_fails_with "$list: mounts[0].destination: missing" mounts add
bad '[{"destination": "/x", "type": "bind", "source": "/nosuch", "options": ["bind"]}]'
t_fails_with 'mounts[0]: source "/nosuch": No such file or directory' mounts add
bad '[{"destination": "/proc/1", "type": "tmpfs"}]'
t_fails_with 'mounts[0].destination: "/proc/1": nothing may be mounted there' mounts add
bad '[]'
t_ok "an empty list is nothing" mounts add
t_fails_with 'mounts: expected add or remove, not "change"' "$CAISSON" mounts change c "$list"
t_fails_with 'container "nosuch" does not exist' "$CAISSON" mounts add nosuch "$list"
"$CAISSON" kill c KILL
wait_until 5 status_is c stopped
t_fails_with 'container not running' mounts add
"$CAISSON" delete c

# ---- a user namespace ----------------------------------------------------------------------------
make_bundle "$b" args='["sleep", "100"]' namespaces="$default_namespaces, {\"type\": \"user\"}" \
	linux='"uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
		"gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}]'
chmod 755 "$CSN_TEST_DIR" "$TMPDIR" "$b"
chown -R 100000:100000 "$b/rootfs"
t_ok "a container with a user namespace" "$CAISSON" run --detach -b "$b" c
echo '[{"destination": "/new/dir", "type": "bind", "source": "'"$TMPDIR/dir"'", "options": ["bind"]}]' >"$list"
t_ok "add" mounts add
t_is "$(inside cat /new/dir/file)" "from the host" "is there"
t_is "$(inside stat -c %u /new)" 0 "its target belongs to the container's root"
"$CAISSON" delete -f c
umount "$TMPDIR/dir/below"
