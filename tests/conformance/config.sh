#!/bin/bash
# runtime-linux.md and config.md: versions, root, mounts, process, hooks, annotations, extensibility
# (M-038 to M-080).
. "$(dirname "$0")/lib.sh"

make_bundle "$b"
status_of() { # FIELD [NAME=JSON...]: of /proc/self/status of the program
	local field=$1
	shift
	make_bundle "$b" args="[\"sed\", \"-n\", \"s/^$field:[ \\\\t]*//p\", \"/proc/self/status\"]" "$@"
	run_container "$b"
}

# ---- links of /dev ------------------------------------------------------------------------------
run_script "$b" 'for l in fd stdin stdout stderr; do readlink /dev/$l; done'
t_is "$(sed -n 1p <<<"$output")" /proc/self/fd "M-038 /dev/fd"
t_is "$(sed 1d <<<"$output")" $'/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2' "M-039 /dev/stdin, stdout, stderr"
run_script "$b" 'ls -A /dev' masked='[]' readonly_paths='[]' \
	mounts='{"destination": "/dev", "type": "tmpfs", "source": "x", "options": ["mode=755"]}'
t_is "$(grep -cE '^(fd|std.*)$' <<<"$output")" 0 "M-040 no links without /proc"
t_ok "M-040 and they are made in what is mounted, not in the image" test ! -e "$b/rootfs/dev/fd" -a ! -L "$b/rootfs/dev/fd"

# ---- version, root ------------------------------------------------------------------------------
version() { # JSON
	make_bundle "$b"
	sed -i "1s/\"ociVersion\": \"1.2.0\"/$1/" "$b/config.json"
}
version '"x": 1'
fails "M-041 no ociVersion" 'config.json: ociVersion: missing' "$CAISSON" create -b "$b" x
for v in 1 1.0 v1.0.0 1.0.0.0 01.0.0 one 1.0.0- 1.0.0+; do
	version "\"ociVersion\": \"$v\""
	fails "M-041 ociVersion \"$v\"" "config.json: ociVersion: expected a version such as \"1.3.0\", not \"$v\"" \
		"$CAISSON" create -b "$b" x
done
version '"ociVersion": 1'
fails "M-041 ociVersion as a number" 'config.json: ociVersion: expected a string' "$CAISSON" create -b "$b" x
echo '{"ociVersion": "1.0.0"}' >"$b/config.json"
fails "M-042 no root" 'config.json: root: missing' "$CAISSON" create -b "$b" x
echo '{"ociVersion": "1.0.0", "root": {}}' >"$b/config.json"
fails "M-042 no root.path" 'config.json: root.path: missing' "$CAISSON" create -b "$b" x
refused "M-042 a root that is a file" 'config.json: root.path: "config.json": Not a directory' rootfs='"config.json"'
accepted "M-043 a relative root is taken from the bundle" rootfs='"rootfs/../rootfs"'
run_script "$b" 'touch /x' readonly=true
t_like "$errors" 'Read-only file system' "M-044 a read-only root"

# ---- mounts -------------------------------------------------------------------------------------
mkdir -p "$TMPDIR/src/sub" "$TMPDIR/inner" "$b/data"
echo outer >"$TMPDIR/src/file"
echo bundle >"$b/data/file"
mount --bind "$TMPDIR/inner" "$TMPDIR/src/sub" # not a tmpfs, whose ids can be mapped since Linux 6.3 only
echo inner >"$TMPDIR/src/sub/file"
bind() { # OPTIONS-JSON [SOURCE [TYPE]]
	printf '{"destination": "/mnt", "type": "%s", "source": "%s", "options": %s}' "${3-bind}" "${2-$TMPDIR/src}" "$1"
}
field() { # N DESTINATION: of the last mountinfo line of that mount point, in the container
	printf "awk '\$5 == \"%s\" { o = \$%s } END { print o }' /proc/self/mountinfo" "$2" "$1"
}
run_script "$b" 'cat /mnt/file; ls /mnt' more_mounts="$(bind '["bind"]'),
	{\"destination\": \"/mnt\", \"type\": \"tmpfs\", \"source\": \"second\"}"
t_is "$output" "" "M-045 mounts in listed order: the second one wins"
run_script "$b" 'cat /mnt/file' more_mounts="{\"destination\": \"/mnt\", \"type\": \"tmpfs\", \"source\": \"first\"},
	$(bind '["bind"]')"
t_is "$output" outer "M-045 and the other way round"
run_script "$b" 'cat /mnt/file' more_mounts="$(bind '["bind"]' | sed 's|"/mnt"|"mnt"|')"
t_is "$output" outer "M-046 a relative destination is taken from /"
run_script "$b" 'cat /mnt/file' more_mounts="$(bind '["bind"]' data)"
t_is "$output" bundle "M-047 a relative source is taken from the bundle"
for type in bind none tmpfs proc whatever; do
	run_script "$b" 'cat /mnt/file' more_mounts="$(bind '["rbind"]' "$TMPDIR/src" $type)"
	t_is "$output" outer "M-048 a bind mount whatever the type says: $type"
done
run_script "$b" 'cat /mnt/file' more_mounts="$(bind '["bind"]' | sed 's/"type": "bind", //')"
t_is "$output" outer "M-048 and without a type"

option() { # OPTIONS WANTED [FIELD]: what mountinfo shows of a tmpfs with them
	local name=${1##* }
	run_script "$b" "$(field "${3-6}" /mnt)" more_mounts="{\"destination\": \"/mnt\", \"type\": \"tmpfs\", \"source\": \"x\",
		\"options\": $(json_array $1)}"
	t_is "$output$errors" "$2" "M-049 option $1"
}
option defaults rw,relatime
option ro ro,relatime
option "ro rw" rw,relatime
option nosuid rw,nosuid,relatime
option "nosuid suid" rw,relatime
option nodev rw,nodev,relatime
option "nodev dev" rw,relatime
option noexec rw,noexec,relatime
option "noexec exec" rw,relatime
option noatime rw,noatime
option "noatime atime" rw,relatime
option relatime rw,relatime
option "noatime relatime" rw,relatime
option strictatime rw
option "strictatime nostrictatime" rw,relatime
option norelatime rw
option nodiratime rw,nodiratime,relatime
option "nodiratime diratime" rw,relatime
option nosymfollow rw,relatime,nosymfollow
option "nosymfollow symfollow" rw,relatime
super() { # OPTIONS WANTED: superblock options, after " - tmpfs x "
	run_script "$b" "sed -n 's/.* \\/mnt .* - tmpfs x //p' /proc/self/mountinfo" more_mounts="{\"destination\": \"/mnt\",
		\"type\": \"tmpfs\", \"source\": \"x\", \"options\": $(json_array $1)}"
	t_like "$output$errors" "$2" "M-049 option $1"
}
super sync '^rw,sync'
super "sync async" '^rw(,inode64)?$'
super dirsync '^rw,dirsync'
super lazytime 'lazytime|^rw'
super "lazytime nolazytime" '^rw(,inode64)?$'
for name in iversion noiversion silent loud mand nomand; do
	super $name '^rw'
done
run_script "$b" "$(field 6 /mnt)" more_mounts="$(bind '["bind"]'), $(bind '["remount", "bind", "ro", "nodev"]')"
t_is "$output" ro,nodev,relatime "M-049 option remount"
run_script "$b" 'cat /mnt/sub/file /mnt/file' more_mounts="$(bind '["bind"]')"
t_is "$output" outer "M-050 bind leaves what is mounted below"
run_script "$b" 'cat /mnt/sub/file /mnt/file' more_mounts="$(bind '["rbind"]')"
t_is "$output" $'inner\nouter' "M-050 rbind carries it"
below() { # OPTION: per-mount options of /mnt and /mnt/sub
	run_script "$b" "$(field 6 /mnt); $(field 6 /mnt/sub)" more_mounts="$(bind "[\"rbind\", $(json_string "$1")]")"
	echo $output $errors
}
t_is "$(below rro)" "ro,relatime ro,relatime" "M-049 option rro"
t_is "$(below rnosuid)" "rw,nosuid,relatime rw,nosuid,relatime" "M-049 option rnosuid"
t_is "$(below rnodev)" "rw,nodev,relatime rw,nodev,relatime" "M-049 option rnodev"
t_is "$(below rnoexec)" "rw,noexec,relatime rw,noexec,relatime" "M-049 option rnoexec"
t_is "$(below rnoatime)" "rw,noatime rw,noatime" "M-049 option rnoatime"
t_is "$(below rstrictatime)" "rw rw" "M-049 option rstrictatime"
t_is "$(below rnodiratime)" "rw,nodiratime,relatime rw,nodiratime,relatime" "M-049 option rnodiratime"
t_is "$(below rnosymfollow)" "rw,relatime,nosymfollow rw,relatime,nosymfollow" "M-049 option rnosymfollow"
mount -o remount,bind,ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow "$TMPDIR/src/sub"
t_is "$(below rrw)" "rw,relatime rw,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow" "M-049 option rrw"
t_is "$(below rsuid)" "rw,relatime ro,nodev,noexec,noatime,nodiratime,nosymfollow" "M-049 option rsuid"
t_is "$(below rdev)" "rw,relatime ro,nosuid,noexec,noatime,nodiratime,nosymfollow" "M-049 option rdev"
t_is "$(below rexec)" "rw,relatime ro,nosuid,nodev,noatime,nodiratime,nosymfollow" "M-049 option rexec"
for name in ratime rrelatime rnostrictatime; do
	t_is "$(below $name)" "rw,relatime ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow" "M-049 option $name"
done
t_is "$(below rnorelatime)" "rw ro,nosuid,nodev,noexec,nodiratime,nosymfollow" "M-049 option rnorelatime"
t_is "$(below rdiratime)" "rw,relatime ro,nosuid,nodev,noexec,noatime,nosymfollow" "M-049 option rdiratime"
t_is "$(below rsymfollow)" "rw,relatime ro,nosuid,nodev,noexec,noatime,nodiratime" "M-049 option rsymfollow"
mount -o remount,bind,rw,suid,dev,exec,relatime,diratime,symfollow "$TMPDIR/src/sub"
propagation() { # OPTION: the optional fields of /mnt and /mnt/sub, without numbers
	run_script "$b" "awk '\$5 ~ \"^/mnt\" { o = \"\"; for (i = 7; \$i != \"-\"; i++) o = o \$i; print (o == \"\" ? \"none\" : o) }' /proc/self/mountinfo" \
		more_mounts="$(bind "[\"rbind\", \"$1\"]")"
	sed 's/:[0-9]*//g' <<<"$output$errors" | tr '\n' ' '
}
t_is "$(propagation private)" "none none " "M-051 private"
t_is "$(propagation rprivate)" "none none " "M-051 rprivate"
t_is "$(propagation shared)" "shared none " "M-051 shared"
t_is "$(propagation rshared)" "shared shared " "M-051 rshared"
t_is "$(propagation unbindable)" "unbindable none " "M-051 unbindable"
t_is "$(propagation runbindable)" "unbindable unbindable " "M-051 runbindable"
mount --bind "$TMPDIR/src" "$TMPDIR/src"
mount --rbind "$TMPDIR/src/sub" "$TMPDIR/src/sub"
mount --make-shared "$TMPDIR/src"
mount --make-shared "$TMPDIR/src/sub"
t_is "$(propagation slave)" "master master " "M-051 slave"
t_is "$(propagation rslave)" "master master " "M-051 rslave"
umount "$TMPDIR/src/sub"
umount -R "$TMPDIR/src"

chown 1000:1000 "$TMPDIR/src/file" "$TMPDIR/src/sub/file"
map() { printf '"%sMappings": [{"containerID": 1000, "hostID": %s, "size": 10}]' "$1" "$2"; }
refused "M-052 idmap without mappings or user namespace" \
	'mounts[7]: options: idmap needs uidMappings and gidMappings, or a user namespace' more_mounts="$(bind '["bind", "idmap"]')"
mapped() { # OPTIONS: owners of /mnt/file and /mnt/sub/file
	run_script "$b" 'stat -c %u:%g /mnt/file /mnt/sub/file 2>&1' more_mounts="$(bind "$1" | sed "s/}$/, $(map uid 5000), $(map gid 6000)}/")"
	echo $output $errors
}
sed -i 's/x/x/' "$TMPDIR/src/file"
t_is "$(mapped '["rbind", "idmap"]')" "5000:6000 1000:1000" "M-053 the mappings of the mount decide the owners"
t_is "$(mapped '["rbind"]')" "5000:6000 1000:1000" "M-053 also without the option"
t_is "$(mapped '["rbind", "ridmap"]')" "5000:6000 5000:6000" "M-055 ridmap maps what is mounted below as well"
refused "M-054 uidMappings alone" 'config.json: mounts[7]: uidMappings and gidMappings go together' \
	more_mounts="$(bind '["bind", "idmap"]' | sed "s/}$/, $(map uid 5000)}/")"
refused "M-054 gidMappings alone" 'config.json: mounts[7]: uidMappings and gidMappings go together' \
	more_mounts="$(bind '["bind", "idmap"]' | sed "s/}$/, $(map gid 5000)}/")"
umount "$TMPDIR/src/sub"

# ---- process ------------------------------------------------------------------------------------
accepted "M-056 consoleSize is ignored without a terminal" process='"consoleSize": {"height": 3, "width": 4}'
make_bundle "$b" terminal=true args='["stty", "size"]' process='"consoleSize": {"height": 21, "width": 77}'
t_is "$("$CAISSON" run -b "$b" tty </dev/null | tr -d '\r')" "21 77" "M-057 consoleSize sets the size of the terminal"
refused "M-058 a relative cwd" 'config.json: process.cwd: expected an absolute path, not "tmp"' cwd='"tmp"'
refused "M-059 no arguments" 'config.json: process.args: expected at least one string' args='[]'
mkdir -p "$b/rootfs/one" "$b/rootfs/two/named"
printf '#!/bin/sh\necho one\n' >"$b/rootfs/one/named"
chmod 644 "$b/rootfs/one/named"
printf '#!/bin/sh\necho three\n' >"$b/rootfs/usr/named"
chmod 755 "$b/rootfs/usr/named"
make_bundle "$b" args='["named"]' env='["PATH=/nothing:/one:/two:/usr:/bin"]'
run_container "$b"
t_is "$output" three "M-059 args[0] is searched as execvp does: what may not be run is passed over"
refused "M-059 only what may not be run" 'exec: "named": permission denied' args='["named"]' env='["PATH=/one:/nothing"]'
refused "M-060 an unknown rlimit" 'config.json: process.rlimits[0].type: expected a limit such as RLIMIT_NOFILE, not "RLIMIT_NONSENSE"' \
	rlimits='[{"type": "RLIMIT_NONSENSE", "soft": 1, "hard": 1}]'
refused "M-060 an rlimit twice" 'config.json: process.rlimits[1].type: "RLIMIT_CORE" is there twice' \
	rlimits='[{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}, {"type": "RLIMIT_CORE", "soft": 1, "hard": 1}]'
run_script "$b" "sed -n 's/^Max \(open files\|core file size\|processes\|stack size\|cpu time\|nice priority\|realtime timeout\) *\([^ ]*\) *\([^ ]*\).*/\1 \2 \3/p' /proc/self/limits" \
	rlimits='[{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 4096},
	{"type": "RLIMIT_STACK", "soft": 1048576, "hard": 2097152}, {"type": "RLIMIT_CPU", "soft": 60, "hard": 61},
	{"type": "RLIMIT_RTTIME", "soft": 7, "hard": 9}]'
t_is "$(sort <<<"$output" | grep -vE '^(processes|nice)')" "core file size 0 4096
cpu time 60 61
open files 100 200
realtime timeout 7 9
stack size 1048576 2097152" "M-061 soft and hard limits are those of the config"
run_script "$b" 'echo ran' caps='{"bounding": ["CAP_NOT_THERE", "CAP_KILL"], "effective": ["CAP_NOT_THERE"]}'
t_like "$status:$output:$errors" '^0:ran:.*level=warning.*unknown capability ..CAP_NOT_THERE' "M-062 an unknown capability is a warning"
caps='{"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], "permitted": ["CAP_CHOWN", "CAP_KILL"],
	"effective": ["CAP_CHOWN"], "inheritable": ["CAP_KILL", "CAP_SETUID"], "ambient": ["CAP_KILL"]}'
run_script "$b" 'grep ^Cap /proc/self/status' user='{"uid": 1000, "gid": 1000}' caps="$caps"
# execve by another user than root: permitted and effective become the ambient set.
t_is "$(tr -s '\t\n' ' ' <<<"$output")" "CapInh: 00000000000000a0 CapPrm: 0000000000000020 CapEff: 0000000000000020 CapBnd: 00000000000000a1 CapAmb: 0000000000000020 " \
	"M-063 capability sets of a user after execve"
make_bundle "$b" user='{"uid": 1000, "gid": 1000}' caps="$caps" args='["true"]'
"$CAISSON" create -b "$b" caps
t_is "$(grep ^Cap "/proc/$("$CAISSON" state caps | json_field pid)/status" | tr -s '\t\n' ' ')" \
	"CapInh: 00000000000000a0 CapPrm: 0000000000000021 CapEff: 0000000000000001 CapBnd: 00000000000000a1 CapAmb: 0000000000000020 " \
	"M-063 all five sets as given, before it"
"$CAISSON" delete -f caps
run_script "$b" 'cat /proc/self/oom_score_adj' process='"oomScoreAdj": 432'
t_is "$output" 432 "M-064 oomScoreAdj is set"
make_bundle "$b" args='["cat", "/proc/self/oom_score_adj"]'
t_is "$(echo 77 >/proc/self/oom_score_adj; "$CAISSON" run -b "$b" oom)" 77 "M-064 and not touched when unset"
run_script "$b" 'awk "{ print \$41, \$40, \$19 }" /proc/self/stat' process='"scheduler": {"policy": "SCHED_OTHER"}'
t_is "$output" "0 0 0" "M-065 unset numbers of the scheduler count as 0"
refused "M-065 an unknown policy" 'config.json: process.scheduler.policy: expected SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_ISO, SCHED_IDLE or SCHED_DEADLINE, not "SCHED_NONSENSE"' \
	process='"scheduler": {"policy": "SCHED_NONSENSE"}'
refused "M-065 an unknown flag" 'config.json: process.scheduler.flags[0]: expected SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN, SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS, SCHED_FLAG_UTIL_CLAMP_MIN or SCHED_FLAG_UTIL_CLAMP_MAX, not "SCHED_FLAG_NONSENSE"' \
	process='"scheduler": {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_NONSENSE"]}'
status_of NoNewPrivs
t_is "$output" 1 "M-066 noNewPrivileges"
status_of NoNewPrivs nnp=false
t_is "$output" 0 "M-066 and without"

# ---- hooks --------------------------------------------------------------------------------------
trace=$TMPDIR/trace
cat >"$TMPDIR/hook" <<END
#!/bin/sh
# WHAT: notes it with the state's id and status, whether the namespaces are those of the test, the root
state=\$(cat)
where=runtime
[ "\$(readlink /proc/self/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ] || where=container
echo "\$1 \$(echo "\$state" | sed -n 's/.*"id": *"\\([^"]*\\)".*/\\1/p') \$(echo "\$state" |
	sed -n 's/.*"status": *"\\([a-z]*\\)".*/\\1/p') \$where \$(test -e /rootmark && echo inside || echo outside)" >>$trace
END
chmod 755 "$TMPDIR/hook"
sed "s|>>$trace|>>/trace|" "$TMPDIR/hook" >"$b/rootfs/bin/inhook"
chmod 755 "$b/rootfs/bin/inhook"
touch "$b/rootfs/rootmark"
trace_mount="{\"destination\": \"/trace\", \"type\": \"bind\", \"source\": \"$trace\", \"options\": [\"bind\"]}"
outer() { printf '{"path": "%s/hook", "args": ["hook", "%s"], "env": ["PATH=/bin:/usr/bin"]}' "$TMPDIR" "$1"; }
inner() { printf '{"path": "/bin/inhook", "args": ["inhook", "%s"], "env": ["PATH=/bin"]}' "$1"; }
: >"$trace"
make_bundle "$b" args='["sh", "-c", "echo program >>/trace; sleep 1000"]' more_mounts="$trace_mount" hooks="{
	\"prestart\": [$(outer prestart1), $(outer prestart2)], \"createRuntime\": [$(outer createRuntime1), $(outer createRuntime2)],
	\"createContainer\": [$(outer createContainer1), $(outer createContainer2)],
	\"startContainer\": [$(inner startContainer1), $(inner startContainer2)],
	\"poststart\": [$(outer poststart1), $(outer poststart2)], \"poststop\": [$(outer poststop1), $(outer poststop2)]}"
"$CAISSON" create -b "$b" hooked
created=$(cat "$trace")
"$CAISSON" start hooked
started=$(tail -n +7 "$trace")
wait_until 10 grep -q program "$trace"
"$CAISSON" kill hooked KILL
wait_until 10 status_is hooked stopped
: >"$trace"
"$CAISSON" delete hooked
deleted=$(cat "$trace")
lines() { for k in 1 2; do echo "$1$k hooked $2 $3 $4"; done; }
t_is "$(cut -d ' ' -f 1 <<<"$created" | tr '\n' ' ')" \
	"prestart1 prestart2 createRuntime1 createRuntime2 createContainer1 createContainer2 " "M-070 order of the hooks of create"
t_is "$(grep -E '^(pre|createR)' <<<"$created")" "$(lines prestart creating runtime outside; lines createRuntime creating runtime outside)" \
	"M-071 prestart, createRuntime: path and namespaces of the runtime"
t_is "$(grep ^createC <<<"$created")" "$(lines createContainer creating container outside)" \
	"M-072 M-070 createContainer: path of the runtime, namespaces of the container, before the change of root"
t_is "$(head -n 2 <<<"$started")" "$(lines startContainer created container inside)" \
	"M-073 startContainer: path and namespaces of the container, before the program"
t_is "$(grep ^post <<<"$started")" "$(lines poststart running runtime outside)" "M-074 poststart: runtime, before start returns"
t_is "$deleted" "$(lines poststop stopped runtime outside)" "M-075 poststop: runtime, before delete returns"
for kind in prestart createRuntime createContainer startContainer poststart poststop; do
	t_is "$(grep "^${kind}[12] " <<<"$created"$'\n'"$started"$'\n'"$deleted" | cut -d ' ' -f 1 | tr '\n' ' ')" "${kind}1 ${kind}2 " \
		"M-068 $kind hooks run in listed order"
	t_is "$(grep "^${kind}1 " <<<"$created"$'\n'"$started"$'\n'"$deleted" | cut -d ' ' -f 2)" hooked "M-069 $kind: the state is on stdin"
done
refused "M-067 a relative hook path" 'config.json: hooks.poststart[0].path: expected an absolute path, not "bin/true"' \
	hooks='{"poststart": [{"path": "bin/true"}]}'
for timeout in 0 -1; do
	refused "M-067 timeout $timeout" 'config.json: hooks.prestart[0].timeout: expected an integer from 1 to 2147483' \
		hooks="{\"prestart\": [{\"path\": \"/bin/true\", \"timeout\": $timeout}]}"
done
slow='[{"path": "/bin/sh", "args": ["sh", "-c", "sleep 1234 & wait"], "timeout": 1}]'
refused "M-076 a hook past its timeout: prestart" 'hooks.prestart[0]: "/bin/sh": timed out after 1 s' hooks="{\"prestart\": $slow}"
refused "M-076 a hook past its timeout: createContainer" 'hooks.createContainer[0]: "/bin/sh": timed out' \
	hooks="{\"createContainer\": $slow}"
t_is "$(grep -l -s -a 'sleep.123[4]' /proc/[0-9]*/cmdline)" "" "M-076 it is stopped with all it has started"

# ---- annotations, extensibility -----------------------------------------------------------------
refused "M-077 an empty key" 'config.json: annotations: expected keys that are not empty' top='"annotations": {"": "x"}'
refused "M-077 a value that is no string" 'config.json: annotations.a: expected a string' top='"annotations": {"a": 1}'
accepted "M-077 an empty value" top='"annotations": {"a": ""}'
accepted "M-078 unknown annotations" top='"annotations": {"com.example.unknown": "x", "run.oci.something": "y"}'
accepted "M-079 unknown properties" top='"new": {"a": [1, {"b": null}]}' process='"later": 5' linux='"future": {"x": true}' \
	more_mounts='{"destination": "/mnt", "type": "tmpfs", "source": "x", "novel": []}'
refused "M-080 an invalid value: user" 'config.json: process.user.uid: expected an integer from 0 to 4294967295' user='{"uid": -1, "gid": 0}'
refused "M-080 an invalid value: mounts" 'config.json: mounts[7].options[0]: expected a string' \
	more_mounts='{"destination": "/mnt", "type": "tmpfs", "options": [1]}'
refused "M-080 an invalid value: linux" 'config.json: linux.maskedPaths: expected an array of strings' masked='"/proc"'
refused "M-080 an invalid value: hooks" 'config.json: hooks.poststop: expected an array' hooks='{"poststop": {}}'
