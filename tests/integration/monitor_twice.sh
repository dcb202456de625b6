#!/bin/bash
# A second monitor for a container that has one touches nothing of the first; a container whose record
# is damaged is removed with its processes.
. "$(dirname "$0")/lib.sh"

root=$TMPDIR/engine
csn() {
	"$CSN" --root "$root" --run-root "$TMPDIR/run" "$@"
}
make_busybox_rootfs "$TMPDIR/image"
tar -C "$TMPDIR/image" -cf "$TMPDIR/image.tar" .
csn import "$TMPDIR/image.tar" box >/dev/null
id=$(csn run -d --name one box sleep 1000)
before=$(cat "$TMPDIR/run/monitor/$id/pid")
said=$({ "$CAISSON_MONITOR" --root "$root" --run-root "$TMPDIR/run" --id "$id" --status-fd 9 9>&1 >/dev/null; } 2>&1)
t_like "$said" "has a monitor already" "a second monitor is refused"
t_is "$(cat "$TMPDIR/run/monitor/$id/pid")" "$before" "the first one's pid file is its own"
t_ok "its socket is there" [ -S "$TMPDIR/run/monitor/$id/attach.sock" ]
t_ok "no end was recorded" [ ! -e "$root/containers/$id/exit.json" ]
t_ok "it can be stopped" csn stop -t 0 one
t_ok "and removed" csn rm one

id=$(csn run -d --name two box sleep 1000)
kill -KILL "$(cat "$TMPDIR/run/monitor/$id/pid")"
: >"$TMPDIR/run/state/$id/state.json"
t_ok "a container with a damaged record and no monitor can be removed" csn rm -f two
t_ok "with its group" [ ! -e "$CGROUP2/caisson/$id" ]
