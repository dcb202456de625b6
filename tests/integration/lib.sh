# What integration tests are written with. How to write one:
#
#	#!/bin/bash
#	. "$(dirname "$0")/lib.sh"
#
#	make_bundle "$TMPDIR/b" args='["sh", "-c", "exit 42"]'
#	run_container "$TMPDIR/b"
#	t_is "$status" 42 "an exit code is passed on"
#
# Name it tests/integration/AREA_WHAT.sh, add it to integration_tests in tests/integration/module.mk
# and run it with `BUILD=<build tree> tests/integration/run SCRIPT` (as root) or in `make check`.
#
# The script runs as root in a sandbox (see `run`): own mount, network (lo is up), pid, uts, ipc and
# cgroup namespaces, an empty /run, a cgroup2 of its own at /sys/fs/cgroup, and $TMPDIR, which is
# the only place to write to. Undo is not needed for files in $TMPDIR. Everything else must be as it
# was when the script ends: mounts, cgroups, processes, links, nft rules, /run; the driver compares,
# so that what the tested program left behind is found. /run/caisson, the default state directory,
# may stay if it is empty.
#
# Each t_ function is one assertion and prints one line of TAP. There is no plan: the driver counts.
# A script that stops half way fails; one with nothing to do says t_skip_all REASON.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/snapshot.sh"

CAISSON=$BUILD/bin/caisson
CSN=$BUILD/bin/csn
CAISSON_MONITOR=$BUILD/bin/caisson-monitor
CAISSON_IMAGE=$BUILD/bin/caisson-image
HELPERS=$BUILD/tests/integration # programs of this folder: recvtty
CGROUP2=$(cgroup2_mount)
export CAISSON_MONITOR CAISSON_IMAGE
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# ---- assertions ---------------------------------------------------------------------------------

t_number=0

t_pass() {
	echo "ok $((++t_number)) - $1"
}

# t_fail NAME [LINE...]: the lines explain.
t_fail() {
	local name=$1
	shift
	echo "not ok $((++t_number)) - $name"
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
	echo "#   at ${BASH_SOURCE[2]##*/}:${BASH_LINENO[1]}"
}

# t_ok NAME COMMAND...: the command succeeds. Its output is shown when it does not.
t_ok() {
	local name=$1 code
	shift
	# A file, not a pipe: what the command leaves running may keep its output open.
	if "$@" >"$TMPDIR/.output" 2>&1; then
		t_pass "$name"
	else
		code=$?
		t_fail "$name" "command: $*" "status:  $code" "$(cat "$TMPDIR/.output")"
	fi
}

# t_is GOT WANT NAME
t_is() {
	if [ "$1" = "$2" ]; then
		t_pass "$3"
	else
		t_fail "$3" "got:    $1" "wanted: $2"
	fi
}

# t_like GOT REGEX NAME: an extended regular expression.
t_like() {
	if [[ $1 =~ $2 ]]; then
		t_pass "$3"
	else
		t_fail "$3" "got:    $1" "wanted: /$2/"
	fi
}

# The last error in the output of one of our programs, without time and level.
error_text() {
	sed -n 's/^time="[^"]*" level=error msg="\(.*\)"$/\1/; t unquote; d
		:unquote
		s/\\\(["\\]\)/\1/g; p' <<<"$1" | tail -n 1
}

# t_fails_with MESSAGE COMMAND...: exits non-zero with exactly this message, worded as a log line
# of `caisson` or as a plain line of any program ("csn: " in front is left out).
t_fails_with() {
	local want=$1 text code got
	shift
	"$@" 2>"$TMPDIR/.errors" >/dev/null
	code=$?
	text=$(cat "$TMPDIR/.errors")
	got=$(error_text "$text")
	[ -n "$got" ] || got=${text#csn: }
	if [ $code = 0 ]; then
		t_fail "fails: $want" "command: $*" "status:  0"
	elif [ "$got" = "$want" ]; then
		t_pass "fails: $want"
	else
		t_fail "fails: $want" "command: $*" "status:  $code" "got:    $got" "output: $text"
	fi
}

t_skip_all() {
	echo "1..0 # SKIP $*"
	exit 77
}

# t_skip NAME REASON: one assertion that cannot be made here.
t_skip() {
	echo "ok $((++t_number)) - $1 # SKIP $2"
}

# wait_until SECONDS COMMAND...: retries twenty times a second; fails when the time is over.
wait_until() {
	local tries=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# t_unchanged NAME BEFORE: compares with an earlier `snapshot BEFORE`, in the middle of a script.
t_unchanged() {
	local tries=0 after
	after=$(mktemp -d)
	until snapshot "$after" && snapshot_diff "$2" "$after" >"$after.diff"; do
		if [ $((tries++)) -ge 20 ]; then
			t_fail "$1" "$(cat "$after.diff")"
			rm -rf "$after" "$after.diff"
			return
		fi
		sleep 0.1
	done
	rm -rf "$after" "$after.diff"
	t_pass "$1"
}

# has_controller NAME: may groups of this test use it?
has_controller() {
	grep -qw "$1" "$CGROUP2/cgroup.subtree_control"
}

# ---- JSON, without other programs ---------------------------------------------------------------

# json_string TEXT: a JSON string.
json_string() {
	local s=$1
	s=${s//\\/\\\\}
	s=${s//\"/\\\"}
	s=${s//$'\n'/\\n}
	s=${s//$'\t'/\\t}
	printf '"%s"' "$s"
}

# json_array WORD...: a JSON array of strings.
json_array() {
	local word comma=
	printf '['
	for word; do
		printf '%s' "$comma"
		json_string "$word"
		comma=', '
	done
	printf ']'
}

# json_field KEY: the first value of that key in the JSON on standard input, strings unquoted.
# For flat documents such as the state of a container.
json_field() {
	tr -d '\n' | sed -n "s/^[^\x01]*\?\"$1\"[ \t]*:[ \t]*/\x01/; s/.*\x01//; t value; d
		:value
		s/^\"\([^\"]*\)\".*/\1/; t out
		s/^\([^], }\t]*\).*/\1/
		:out
		p"
}

# ---- bundles ------------------------------------------------------------------------------------

# make_busybox_rootfs DIR: a root file system of static busybox.
make_busybox_rootfs() {
	local dir=$1
	mkdir -p "$dir"/{bin,dev,etc,home,mnt,proc,root,sys,tmp,usr,var}
	cp "$(command -v busybox)" "$dir/bin/busybox"
	chroot "$dir" /bin/busybox --install -s /bin
	ln -s bin "$dir/sbin"
	ln -s ../bin "$dir/usr/bin"
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n' >"$dir/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' >"$dir/etc/group"
	chmod 1777 "$dir/tmp"
}

# The pieces of config.json that tests change. make_bundle takes any of them as NAME=JSON;
# process, linux and top take whole members to add ('"oomScoreAdj": 100').
default_caps='["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]'
default_mounts='
	{"destination": "/proc", "type": "proc", "source": "proc"},
	{"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
	 "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
	{"destination": "/dev/pts", "type": "devpts", "source": "devpts",
	 "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
	{"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
	 "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
	{"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
	 "options": ["nosuid", "noexec", "nodev"]},
	{"destination": "/sys", "type": "sysfs", "source": "sysfs",
	 "options": ["nosuid", "noexec", "nodev", "ro"]},
	{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
	 "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}'
default_namespaces='
	{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
	{"type": "mount"}, {"type": "cgroup"}'
default_masked='["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"]'
default_readonly='["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]'

# make_bundle DIR [NAME=JSON...]: DIR/rootfs (kept if it is there) and DIR/config.json. Names:
# args terminal user env cwd caps rlimits nnp process, rootfs readonly hostname mounts more_mounts,
# namespaces masked readonly_paths resources linux, hooks top.
make_bundle() {
	local dir=$1 slot
	local args='["true"]' terminal=false user='{"uid": 0, "gid": 0}' cwd='"/"' nnp=true process=
	local env='["PATH=/usr/bin:/bin:/sbin", "TERM=xterm"]' caps= rlimits='[]'
	local rootfs='"rootfs"' readonly=false hostname='"box"' mounts=$default_mounts more_mounts=
	local namespaces=$default_namespaces masked=$default_masked readonly_paths=$default_readonly
	local resources= linux= hooks= top=
	shift
	for slot; do
		case ${slot%%=*} in
		args | terminal | user | env | cwd | caps | rlimits | nnp | process | rootfs | readonly | \
			hostname | mounts | more_mounts | namespaces | masked | readonly_paths | resources | \
			linux | hooks | top)
			printf -v "${slot%%=*}" '%s' "${slot#*=}"
			;;
		*)
			echo "Bail out! make_bundle: unknown piece \"${slot%%=*}\""
			exit 99
			;;
		esac
	done
	[ -n "$caps" ] || caps="{\"bounding\": $default_caps, \"effective\": $default_caps,
		\"permitted\": $default_caps}"
	mkdir -p "$dir"
	[ "$rootfs" != '"rootfs"' ] || [ -e "$dir/rootfs" ] || make_busybox_rootfs "$dir/rootfs"
	cat >"$dir/config.json" <<-END
		{"ociVersion": "1.2.0",
		"process": {"terminal": $terminal, "user": $user, "args": $args, "env": $env, "cwd": $cwd,
			"capabilities": $caps, "rlimits": $rlimits, "noNewPrivileges": $nnp${process:+, $process}},
		"root": {"path": $rootfs, "readonly": $readonly},
		"hostname": $hostname,
		"mounts": [$mounts${more_mounts:+, $more_mounts}],
		"linux": {"namespaces": [$namespaces], "maskedPaths": $masked,
			"readonlyPaths": $readonly_paths${resources:+, \"resources\": $resources}${linux:+, $linux}}${hooks:+,
		\"hooks\": $hooks}${top:+, $top}}
	END
}

# run_container BUNDLE [OPTION...]: `caisson run` of it under a fresh id. Sets output (standard
# output), errors (standard error), status and id.
run_count=0
run_container() {
	local bundle=$1
	shift
	id=run-$((++run_count))
	"$CAISSON" run --bundle "$bundle" "$@" "$id" >"$TMPDIR/.output" 2>"$TMPDIR/.errors"
	status=$?
	output=$(cat "$TMPDIR/.output")
	errors=$(cat "$TMPDIR/.errors")
}

# run_script BUNDLE TEXT [NAME=JSON...]: the shell script TEXT in a container. See run_container.
run_script() {
	local bundle=$1 text=$2
	shift 2
	make_bundle "$bundle" args="$(json_array sh -c "$text")" "$@"
	run_container "$bundle"
}

# container_status ID: created, running, paused, stopped; or nothing.
container_status() {
	"$CAISSON" state "$1" 2>/dev/null | json_field status
}

status_is() {
	[ "$(container_status "$1")" = "$2" ]
}
