#!/bin/bash
# The file system of a container: mounts and their options, devices, masked and read-only paths,
# propagation, a read-only root.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
make_bundle "$b"
options_of() { # MOUNTPOINT: per-mount options as the container sees them
	printf "awk '\$5 == \"%s\" { o = \$6 } END { print o }' /proc/self/mountinfo" "$1"
}

# ---- the standard mounts ------------------------------------------------------------------------
run_script "$b" "awk '{ t = \$0; sub(/.* - /, \"\", t); split(t, f, \" \"); print \$5, f[1] }' /proc/self/mountinfo"
for mount in '/proc proc' '/dev tmpfs' '/dev/pts devpts' '/dev/shm tmpfs' '/dev/mqueue mqueue' \
	'/sys sysfs' '/sys/fs/cgroup cgroup2'; do
	t_ok "mount: $mount" grep -qx "$mount" <<<"$output"
done
t_is "$(grep -c . <<<"$output")" "$(grep -vc '\.\.\|csn-test' <<<"$output")" "no mount of the host is in sight"
run_script "$b" "$(options_of /sys); $(options_of /dev/shm)"
t_is "$output" $'ro,nosuid,nodev,noexec,relatime\nrw,nosuid,nodev,noexec,relatime' "their options"
run_script "$b" 'ls /sys/fs/cgroup/cgroup.procs && mkdir /sys/fs/cgroup/x'
t_like "$status:$output:$errors" '^1:/sys/fs/cgroup/cgroup.procs:.*Read-only' "the cgroup mount is read-only"
run_script "$b" 'grep ^0: /proc/self/cgroup'
t_is "$output" 0::/ "the cgroup namespace begins at the container"

# ---- devices ------------------------------------------------------------------------------------
run_script "$b" 'for d in null zero full random urandom tty; do stat -c "%n %F %t:%T %a" /dev/$d; done'
t_is "$output" "/dev/null character special file 1:3 666
/dev/zero character special file 1:5 666
/dev/full character special file 1:7 666
/dev/random character special file 1:8 666
/dev/urandom character special file 1:9 666
/dev/tty character special file 5:0 666" "the default devices"
run_script "$b" 'for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done'
t_is "$output" $'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx' \
	"the links of /dev"
run_script "$b" 'echo x >/dev/null && head -c 4 /dev/zero | od -An -tx1; echo x >/dev/full'
t_like "$output:$errors" '00 00 00 00:.*No space' "they work"
run_script "$b" 'stat -c "%F %t:%T %a %u:%g" /dev/fuse2 /dev/sub/pipe' linux='"devices": [
	{"path": "/dev/fuse2", "type": "c", "major": 10, "minor": 229, "fileMode": 416, "uid": 3, "gid": 4},
	{"path": "/dev/sub/pipe", "type": "p", "fileMode": 384}]'
t_is "$output" $'character special file a:e5 640 3:4\nfifo 0:0 600 0:0' "devices of the config"

# ---- masked and read-only paths -----------------------------------------------------------------
run_script "$b" 'wc -c </proc/keys; ls -A /sys/firmware | wc -l; wc -c </proc/timer_list'
t_is "$output" $'0\n0\n0' "masked files and directories are empty"
run_script "$b" 'echo 1 >/proc/sys/kernel/domainname'
t_like "$status:$errors" '^1:.*Read-only' "read-only paths cannot be written"
run_script "$b" 'cat /etc/secret /etc/secrets/*; echo x >/etc/fixed/file' \
	masked='["/etc/secret", "/etc/secrets", "/not/there"]' readonly_paths='["/etc/fixed", "/nor/this"]'
t_is "$status" 1 "paths that are not there are no error"
mkdir -p "$b/rootfs/etc/secrets" "$b/rootfs/etc/fixed"
echo seen >"$b/rootfs/etc/secret"
echo seen >"$b/rootfs/etc/secrets/one"
ln -s /etc/secret "$b/rootfs/etc/link"
run_script "$b" 'cat /etc/secret /etc/secrets/* 2>/dev/null; echo x >/etc/fixed/file' \
	masked='["/etc/secret", "/etc/secrets"]' readonly_paths='["/etc/fixed"]'
t_like "$status:$output:$errors" '^1::.*Read-only' "paths of the image are masked and read-only too"

# What covers a kernel file system is masked, however it got there.
mkdir "$TMPDIR/cover"
echo covering >"$TMPDIR/cover/keys"
echo mark >"$TMPDIR/cover/mark"
ln -s proc "$b/rootfs/alias"
run_script "$b" 'cat /proc/keys /proc/mark; echo x >/proc/keys; echo x >/proc/mark' masked='["/proc/keys"]' \
	readonly_paths='["/proc/mark"]' more_mounts="{\"destination\": \"/alias\", \"type\": \"bind\",
		\"source\": \"$TMPDIR/cover\", \"options\": [\"rbind\"]}"
t_like "$output:$errors" '^mark:.*/proc/mark: Read-only' "masks are over a mount that a link of the image leads to"
printf '#!/bin/sh\nexec mount --bind "%s/cover" "%s/rootfs/proc"\n' "$TMPDIR" "$b" >"$TMPDIR/cover.hook"
chmod +x "$TMPDIR/cover.hook"
run_script "$b" 'cat /proc/keys /proc/mark; echo x >/proc/keys; echo x >/proc/mark' masked='["/proc/keys"]' \
	readonly_paths='["/proc/mark"]' hooks="{\"createContainer\": [{\"path\": \"$TMPDIR/cover.hook\"}]}"
t_like "$output:$errors" '^mark:.*/proc/mark: Read-only' "and over one that a hook has made"
rm "$b/rootfs/alias"

# ---- root ---------------------------------------------------------------------------------------
run_script "$b" 'touch /x && rm /x'
t_is "$status" 0 "a writable root"
run_script "$b" 'touch /x' readonly=true
t_like "$status:$errors" '^1:.*Read-only' "a read-only root"
run_script "$b" 'touch /dev/shm/x /tmp/y' readonly=true \
	more_mounts='{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}'
t_is "$status" 0 "with writable mounts in it"
run_script "$b" 'ls -d /.. /../.. >/dev/null; ls / | tr "\n" " "'
t_like "$output" '^bin dev etc ' "the root has nothing above it"
run_script "$b" true rootfs='"nothere"'
t_like "$(error_text "$errors")" 'config.json: root.path: "nothere": No such file or directory' "a root that is not there"

# ---- bind mounts --------------------------------------------------------------------------------
mkdir -p "$TMPDIR/src/sub" "$TMPDIR/data"
echo data >"$TMPDIR/src/file"
mount -t tmpfs inner "$TMPDIR/src/sub"
echo inner >"$TMPDIR/src/sub/file"
bind() { # OPTIONS-JSON [DESTINATION]
	printf '{"destination": "%s", "type": "bind", "source": "%s/src", "options": %s}' \
		"${2-/mnt}" "$TMPDIR" "$1"
}
run_script "$b" 'cat /mnt/file; ls /mnt/sub; echo w >/mnt/written' more_mounts="$(bind '["bind"]')"
t_is "$status:$output" "0:data" "bind: without what is mounted below"
t_is "$(cat "$TMPDIR/src/written")" w "and it can be written"
run_script "$b" 'cat /mnt/sub/file' more_mounts="$(bind '["rbind"]')"
t_is "$output" inner "rbind: with it"
run_script "$b" 'echo w >/mnt/file' more_mounts="$(bind '["bind", "ro"]')"
t_like "$status:$errors" '^1:.*Read-only' "ro"
run_script "$b" 'echo w >/mnt/file; echo w >/mnt/sub/file && echo below' more_mounts="$(bind '["rbind", "ro"]')"
t_like "$output:$errors" '^below:.*Read-only' "ro is of the one mount"
run_script "$b" 'echo w >/mnt/sub/file' more_mounts="$(bind '["rbind", "rro"]')"
t_like "$status:$errors" '^1:.*Read-only' "rro is of all below too"
run_script "$b" "$(options_of /mnt)" more_mounts="$(bind '["bind", "nosuid", "nodev", "noexec", "noatime"]')"
t_is "$output" rw,nosuid,nodev,noexec,noatime "flags of a bind mount"
run_script "$b" 'cat /etc/new/file' more_mounts="{\"destination\": \"/etc/new/file\", \"type\": \"none\",
	\"source\": \"$TMPDIR/src/file\", \"options\": [\"bind\", \"ro\"]}"
t_is "$output" data "a file is mounted on a file that is made for it"
make_bundle "$b" more_mounts='{"destination": "/mnt", "type": "bind", "source": "/not/there", "options": ["bind"]}'
t_like "$("$CAISSON" run -b "$b" m1 2>&1)" 'mounts\[7\].*/not/there.*No such file' "a source that is not there is named"
make_bundle "$b" more_mounts='{"destination": "/mnt", "type": "tmpfs", "source": "x", "options": ["sizes=1"]}'
t_like "$("$CAISSON" run -b "$b" m2 2>&1)" 'mounts\[7\]' "an option that tmpfs does not know is told with its mount"
make_bundle "$b" more_mounts='{"destination": "/mnt", "type": "notafs", "source": "x"}'
t_like "$("$CAISSON" run -b "$b" m3 2>&1)" 'mounts\[7\]' "a file system that is not there is told with its mount"
rm -rf "$b/rootfs/etc/link"
ln -s /../../../../../../etc "$b/rootfs/escape"
run_script "$b" 'cat /etc/inside/file' more_mounts="$(bind '["bind"]' /escape/inside)"
t_is "$output" data "a destination through a link stays in the root"
t_ok "and nothing of the host changes" test ! -e /etc/inside
run_script "$b" 'df -k /mnt | tail -n 1 | tr -s " " | cut -d " " -f 2; stat -c %a /mnt' \
	more_mounts='{"destination": "/mnt", "type": "tmpfs", "source": "x", "options": ["size=1m", "mode=711"]}'
t_is "$output" $'1024\n711' "options of a tmpfs"
run_script "$b" 'cat /etc/passwd | head -n 1; touch /etc/x' \
	more_mounts='{"destination": "/etc", "type": "tmpfs", "source": "x", "options": ["tmpcopyup"]}'
t_like "$status:$output" '^0:root:' "tmpcopyup"
t_ok "writes into it stay there" test ! -e "$b/rootfs/etc/x"

# ---- propagation --------------------------------------------------------------------------------
mkdir "$TMPDIR/shared"
mount -t tmpfs shared "$TMPDIR/shared"
mount --make-shared "$TMPDIR/shared"
mkdir "$TMPDIR/shared/below"
propagates() { # OPTION: does a mount made on the host appear in the container?
	make_bundle "$b" args='["sleep", "1000"]' linux="\"rootfsPropagation\": \"$1\"" \
		more_mounts="{\"destination\": \"/mnt\", \"type\": \"bind\", \"source\": \"$TMPDIR/shared\",
			\"options\": [\"rbind\", \"$1\"]}"
	"$CAISSON" run -d -b "$b" p1
	mount -t tmpfs later "$TMPDIR/shared/below"
	"$CAISSON" exec p1 grep -c ' /mnt/below ' /proc/self/mountinfo
	umount "$TMPDIR/shared/below"
	"$CAISSON" delete -f p1
}
t_is "$(propagates rslave)" 1 "rslave: mounts of the host come in"
t_is "$(propagates rprivate)" 0 "rprivate: they do not"
run_script "$b" "awk '\$5 == \"/\" { print \$7 }' /proc/self/mountinfo" linux='"rootfsPropagation": "shared"'
t_like "$output" '^shared:' "rootfsPropagation shared"
umount "$TMPDIR/shared" "$TMPDIR/src/sub"
