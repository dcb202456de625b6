# What the scripts of this folder share: each starts one real client (podman, dockerd, containerd …)
# with `caisson` as its runtime and asks of it what people ask. How to write one: as in
# tests/integration/lib.sh, whose driver runs them, but begin with
#
#	. "$(dirname "$0")/lib.sh"
#	client_sandbox "$@"
#
# A client keeps its data, sockets and networks in many places. client_sandbox runs the script once
# more inside mount and network namespaces of its own, where those places are on tmpfs, so that the
# driver's comparison sees what the *runtime* leaves: processes, cgroups, its state. Nothing is
# fetched: the only image is busybox-static, made on the spot.
#
# CLIENT_RUNTIME is the runtime under test; `CLIENT_RUNTIME=/usr/sbin/runc` shows what a peer passes.
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"

CLIENT_RUNTIME=${CLIENT_RUNTIME:-$CAISSON}
RUNTIME_NAME=${CLIENT_RUNTIME##*/}
IMAGE=localhost/box:1
SRC=${SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}

# need PROGRAM...: skips the script where one is missing.
need() {
	local program
	for program; do
		command -v "$program" >/dev/null || t_skip_all "$program is not installed"
	done
}

client_sandbox() {
	local dir
	if [ -z "${CLIENT_INSIDE-}" ]; then
		CLIENT_INSIDE=1 unshare --mount --net --propagation private -- bash "$0" "$@"
		exit $?
	fi
	ip link set lo up
	mount -t sysfs -o nosuid,nodev,noexec sysfs /sys/ &&
		mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup || exit 1
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/lock "$TMPDIR/hidden"
	for dir in /var/lib/containers /var/lib/docker /var/lib/containerd /var/lib/cni /etc/cni /etc/docker; do
		[ ! -d $dir ] || mount -t tmpfs -o mode=755 tmpfs $dir
	done
	trap client_cleanup EXIT
}

# ---- what was started is ended, by pid ----------------------------------------------------------

started=()

# start_daemon LOG COMMAND...
start_daemon() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 </dev/null &
	started+=($!)
}

# give_up NAME LOG: a daemon that does not start.
give_up() {
	t_fail "$1 starts" "$(tail -n 20 "$2")"
	exit 1
}

stop_daemons() {
	local pid i
	for ((i = ${#started[@]} - 1; i >= 0; i--)); do
		pid=${started[$i]}
		kill "$pid" 2>/dev/null
		wait_until 15 eval "! kill -0 $pid" || kill -KILL "$pid"
		wait "$pid" 2>/dev/null
	done
	started=()
}

# Groups that a client makes as parents and never removes; a container's own group below one of
# them makes rmdir fail, and the driver then finds it.
client_groups=()

# Everything that the client forked lives in this script's network namespace or below it; the
# driver ends the sandbox, and names what outlived its client.
client_cleanup() {
	local group
	stop_daemons
	for group in "${client_groups[@]}"; do
		[ ! -d "/sys/fs/cgroup/$group" ] || rmdir "/sys/fs/cgroup/$group"
	done
}

# ---- asking ------------------------------------------------------------------------------------

# client runs one command of the client under test; each script defines it.

# asked COMMAND...: runs it; sets output (standard output), errors and status.
asked() {
	"$@" >"$TMPDIR/.output" 2>"$TMPDIR/.errors" </dev/null
	status=$?
	output=$(tr -d '\r' <"$TMPDIR/.output")
	errors=$(cat "$TMPDIR/.errors")
}

# t_says WANT NAME COMMAND...: succeeds and prints exactly this.
t_says() {
	local want=$1 name=$2
	shift 2
	asked "$@"
	if [ "$status" = 0 ] && [ "$output" = "$want" ]; then
		t_pass "$name"
	else
		t_fail "$name" "command: $*" "status:  $status" "got:     $output" "wanted:  $want" "errors:  $errors"
	fi
}

# t_exits CODE NAME COMMAND...
t_exits() {
	local want=$1 name=$2
	shift 2
	asked "$@"
	if [ "$status" = "$want" ]; then
		t_pass "$name"
	else
		t_fail "$name" "command: $*" "status:  $status, wanted $want" "output:  $output" "errors:  $errors"
	fi
}

# t_shows REGEX NAME COMMAND...: succeeds, and its output matches.
t_shows() {
	local want=$1 name=$2
	shift 2
	asked "$@"
	if [ "$status" = 0 ] && [[ $output =~ $want ]]; then
		t_pass "$name"
	else
		t_fail "$name" "command: $*" "status:  $status" "got:     $output" "wanted:  /$want/" "errors:  $errors"
	fi
}

# soon REGEX COMMAND...: its output matches within some seconds.
soon() {
	local want=$1 tries=300
	shift
	until asked "$@" && [[ $output =~ $want ]]; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.1
	done
}
t_soon() {
	local want=$1 name=$2
	shift 2
	if soon "$want" "$@"; then
		t_pass "$name"
	else
		t_fail "$name" "command: $*" "status:  $status" "got:     $output" "wanted:  /$want/" "errors:  $errors"
	fi
}

# with_tty COMMAND...: runs it on a pty of its own.
with_tty() {
	script -qec "$(printf '%q ' "$@")" /dev/null </dev/null
}

# make_image FILE: an OCI archive of busybox-static, named $IMAGE.
make_image() {
	"$SRC/contrib/make-image" "$1" "$IMAGE"
}

# make_rootfs_tar FILE: the same files as a plain tar.
make_rootfs_tar() {
	make_busybox_rootfs "$TMPDIR/image-root"
	tar -C "$TMPDIR/image-root" -cf "$1" .
	rm -rf "$TMPDIR/image-root"
}
