#!/bin/bash
# Bad input to caisson: each with its exact message, a non-zero exit, and nothing left behind (the
# driver compares mounts, cgroups, processes and files).
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
run() { "$CAISSON" run -b "$b" x; }
bad_config() { # MESSAGE CONFIG
	printf '%s' "$2" >"$b/config.json"
	t_fails_with "$1" run
}

# ---- the command line ----------------------------------------------------------------------------
make_bundle "$b"
t_fails_with 'unknown command "nosuch"' "$CAISSON" nosuch
t_fails_with 'unknown option --nosuch' "$CAISSON" run --nosuch x
t_fails_with 'option --bundle needs a value' "$CAISSON" run --bundle
t_fails_with 'option --preserve-fds: expected a number, not "many"' \
	"$CAISSON" run --preserve-fds many x
t_fails_with 'run: expected CONTAINER' "$CAISSON" run
t_fails_with 'run: expected no more than CONTAINER' "$CAISSON" run a b
t_fails_with 'the state directory may not be "/"' "$CAISSON" --root / run -b "$b" x
t_fails_with '--log-format: expected text or json, not "xml"' "$CAISSON" --log-format xml list

# ---- bundles and ids -----------------------------------------------------------------------------
t_fails_with 'bundle "/nonexistent": No such file or directory' "$CAISSON" run -b /nonexistent x
mkdir "$TMPDIR/empty"
t_fails_with "bundle \"$TMPDIR/empty\": open config.json: No such file or directory" \
	"$CAISSON" run -b "$TMPDIR/empty" x
mkfifo "$TMPDIR/empty/config.json"
t_fails_with "bundle \"$TMPDIR/empty\": open config.json: not a regular file" \
	"$CAISSON" run -b "$TMPDIR/empty" x
t_fails_with 'container id is empty' "$CAISSON" run -b "$b" ''
long=$(printf 'x%.0s' $(seq 300))
t_fails_with 'container id is longer than 255 bytes' "$CAISSON" run -b "$b" "$long"
for id in .. . a/b 'a b'; do
	t_fails_with "invalid container id \"$id\": expected letters, digits and _ + - ." \
		"$CAISSON" run -b "$b" "$id"
done

# ---- config.json ---------------------------------------------------------------------------------
bad_config 'config.json: expected an object' '[]'
bad_config 'config.json: ociVersion: missing' '{}'
bad_config 'config.json: root: missing' '{"ociVersion": "1.0.2"}'
bad_config 'config.json: root.path: missing' '{"ociVersion": "1.0.2", "root": {}}'
head='{"ociVersion": "1.0.2", "root": {"path": "rootfs"}'
bad_config 'config.json: ociVersion: expected a string' '{"ociVersion": 1, "root": {"path": "rootfs"}}'
bad_config 'config.json: process.terminal: expected true or false' \
	"$head, \"process\": {\"terminal\": 1}}"
bad_config 'config.json: process.cwd: missing' "$head, \"process\": {}}"
bad_config 'config.json: process.cwd: expected an absolute path, not "tmp"' \
	"$head, \"process\": {\"cwd\": \"tmp\"}}"
bad_config 'config.json: process.args: expected an array of strings' \
	"$head, \"process\": {\"cwd\": \"/\", \"args\": \"true\"}}"
bad_config 'config.json: process.args[1]: expected a string' \
	"$head, \"process\": {\"cwd\": \"/\", \"args\": [\"a\", 2]}}"
bad_config 'config.json: process.args: expected at least one string' \
	"$head, \"process\": {\"cwd\": \"/\", \"args\": []}}"
bad_config 'config.json: process.user.uid: expected an integer from 0 to 4294967295' \
	"$head, \"process\": {\"cwd\": \"/\", \"user\": {\"uid\": -1, \"gid\": 0}}}"
bad_config 'config.json: process.user.uid: expected an integer from 0 to 4294967295' \
	"$head, \"process\": {\"cwd\": \"/\", \"user\": {\"uid\": 18446744073709551615, \"gid\": 0}}}"
bad_config 'config.json: process.rlimits[0].soft: expected an integer from 0 to 18446744073709551615' \
	"$head, \"process\": {\"cwd\": \"/\", \"rlimits\": [{\"type\": \"RLIMIT_CORE\", \"soft\": 1.5, \"hard\": 1}]}}"
bad_config 'config.json: linux.namespaces[0].type: expected pid, network, mount, ipc, uts, user, cgroup or time, not "mnt"' \
	"$head, \"linux\": {\"namespaces\": [{\"type\": \"mnt\"}]}}"
printf '{"ociVersion": ' >"$b/config.json"
t_like "$("$CAISSON" run -b "$b" x 2>&1)" 'config.json: line 1, column [0-9]+: ' \
	"a truncated document says where"
printf 'not json' >"$b/config.json"
t_like "$("$CAISSON" run -b "$b" x 2>&1)" 'config.json: line 1, column [0-9]+: ' \
	"what is no JSON says where"

# A limit above INT64_MAX is right where the spec allows it.
run_script "$b" 'ulimit -c' rlimits='[{"type": "RLIMIT_CORE", "soft": 0, "hard": 18446744073709551615}]'
t_is "$output" 0 "uint64 values above INT64_MAX are read exactly"

# ---- programs, directories, users ----------------------------------------------------------------
make_bundle "$b" args='["nosuch"]'
t_fails_with 'exec: "nosuch": executable file not found in $PATH' run
make_bundle "$b" args='["/nosuch"]'
t_fails_with 'exec: "/nosuch": stat /nosuch: no such file or directory' run
touch "$b/rootfs/plain"
make_bundle "$b" args='["/plain"]'
t_fails_with 'exec: "/plain": permission denied' run
make_bundle "$b" args='["/tmp"]'
t_fails_with 'exec: "/tmp": is a directory: permission denied' run
make_bundle "$b" cwd='"/plain"'
t_fails_with 'process.cwd: "/plain": Not a directory' run
make_bundle "$b" rootfs='"nosuch"'
t_fails_with 'config.json: root.path: "nosuch": No such file or directory' run
make_bundle "$b" rootfs='"config.json"'
t_fails_with 'config.json: root.path: "config.json": Not a directory' run
make_bundle "$b" more_mounts='{"destination": "/x", "type": "bind", "source": "/nosuch", "options": ["bind"]}'
t_fails_with 'mounts[7]: source "/nosuch": No such file or directory' run
make_bundle "$b" more_mounts='{"destination": "/x", "type": "bind", "source": "/tmp", "options": ["bind", "zz"]}'
t_fails_with 'mounts[7].options[1]: unknown mount option "zz"' run
make_bundle "$b" linux='"intelRdt": {"closID": "x"}'
t_fails_with 'linux.intelRdt: resctrl is not mounted on this host' run
make_bundle "$b" terminal=true
t_fails_with 'config.json: process.terminal is true: a console socket is needed' \
	"$CAISSON" create -b "$b" x

# An unknown capability is a warning: the container runs.
run_script "$b" 'echo ran' caps='{"bounding": ["CAP_NOSUCH"]}'
t_is "$output" ran "an unknown capability does not stop the container"
t_like "$errors" 'level=warning .*unknown capability \\"CAP_NOSUCH\\"' "but is told"

# ---- containers in the wrong state ---------------------------------------------------------------
for command in state start delete pause resume ps; do
	t_fails_with 'container "nosuch" does not exist' "$CAISSON" $command nosuch
done
t_fails_with 'container "nosuch" does not exist' "$CAISSON" kill nosuch
t_fails_with 'container "nosuch" does not exist' "$CAISSON" exec nosuch true
t_ok "delete --force of an unknown container is no error" "$CAISSON" delete --force nosuch

make_bundle "$b" args='["sleep", "100"]'
t_ok "create" "$CAISSON" create -b "$b" c
t_fails_with 'container with id "c" already exists' "$CAISSON" create -b "$b" c
t_is "$(container_status c)" created "the first one is untouched"
t_ok "start" "$CAISSON" start c
t_fails_with 'cannot start an already running container: "c"' "$CAISSON" start c
t_fails_with 'unknown signal "NOSUCH"' "$CAISSON" kill c NOSUCH
t_fails_with 'cannot resume container "c": it is running' "$CAISSON" resume c
t_fails_with 'cannot delete container "c" that is not stopped: it is running' "$CAISSON" delete c
t_is "$(container_status c)" running "a refused delete leaves it running"
"$CAISSON" exec c nosuch 2>/dev/null
t_is $? 255 "exec of a missing program exits with 255"
t_ok "kill" "$CAISSON" kill c KILL
t_ok "it stops" wait_until 5 status_is c stopped
t_fails_with 'container not running' "$CAISSON" kill c
t_fails_with 'cannot start a container that has stopped: "c"' "$CAISSON" start c
t_fails_with 'cannot exec in a container that is not running' "$CAISSON" exec c true
t_ok "delete" "$CAISSON" delete c

# ---- not root ------------------------------------------------------------------------------------
chmod 755 "$CSN_TEST_DIR" "$TMPDIR" 2>/dev/null
if command -v setpriv >/dev/null && setpriv --reuid 65534 --clear-groups "$CAISSON" --version >/dev/null 2>&1; then
	t_fails_with 'caisson must run as root (rootless is not supported)' \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$CAISSON" run -b "$b" x
else
	t_skip "not root" "the build tree cannot be reached by others"
fi

# ---- errors in a log file ------------------------------------------------------------------------
"$CAISSON" --log "$TMPDIR/log" --log-format json state nosuch 2>"$TMPDIR/plain"
t_like "$(cat "$TMPDIR/log")" \
	'^\{"level":"error","msg":"container \\"nosuch\\" does not exist","time":"[0-9T:-]+Z"\}$' \
	"a JSON log line as clients parse it"
t_is "$(cat "$TMPDIR/plain")" 'container "nosuch" does not exist' "repeated plainly on standard error"
