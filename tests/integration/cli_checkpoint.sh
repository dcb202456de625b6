#!/bin/bash
# checkpoint and restore: what criu is asked for, and what becomes of its answers. criu itself may not
# know this kernel, so a stand-in of the same name takes its place here; tests/vm/vm_checkpoint.sh is
# the real one.
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b img=$TMPDIR/img
mount -t tmpfs -o mode=755 tmpfs /usr/local/sbin
trap 'umount -l /usr/local/sbin' EXIT
make_bundle "$b" args='["sleep", "100"]' \
	more_mounts="{\"destination\": \"/data\", \"type\": \"bind\", \"source\": \"$TMPDIR\", \"options\": [\"rbind\"]}"

# criu_is SCRIPT: the stand-in; it writes its words to $TMPDIR/words.
criu_is() {
	printf '#!/bin/bash\nprintf "%%s\\n" "$@" >%q\nfor word; do case $word in --*=*) name=${word%%%%=*}; name=${name#--}; declare "${name//-/_}=${word#*=}" ;; esac; done\n%s\n' \
		"$TMPDIR/words" "$1" >/usr/local/sbin/criu
	chmod +x /usr/local/sbin/criu
}
asked_for() { grep -qxF -e "$1" "$TMPDIR/words"; }
t_asked() { t_ok "criu is asked for $1" asked_for "$1"; }

for command in checkpoint restore; do
	t_ok "$command --help is how clients ask whether it is there" "$CAISSON" $command --help
done

# ---- checkpoint ----------------------------------------------------------------------------------
criu_is 'kill -9 "$tree"; exit 0'
"$CAISSON" run --detach -b "$b" --pid-file "$TMPDIR/pid" c
pid=$(cat "$TMPDIR/pid")
t_ok "checkpoint" "$CAISSON" checkpoint --image-path "$img" --work-path "$TMPDIR/work" --file-locks \
	--tcp-established --shell-job --ext-unix-sk --link-remap c
for word in dump "--tree=$pid" "--images-dir=$img" "--work-dir=$TMPDIR/work" --log-file=dump.log \
	--manage-cgroups=soft --file-locks --tcp-established --shell-job --ext-unix-sk --link-remap \
	"--external=mnt[/data]:/data" "--external=mnt[/proc/timer_list]:/proc/timer_list" \
	"--freeze-cgroup=$CGROUP2/caisson/c"; do
	t_asked "$word"
done
t_is "$(grep -c leave-running "$TMPDIR/words")" 0 "and nothing is left running"
t_like "$(cat "$img/descriptors.json")" '^\["[^"]*","[^"]*","[^"]*"\]$' "where its standard streams led is kept"
t_fails_with 'container "c" does not exist' "$CAISSON" state c

criu_is 'exit 0'
"$CAISSON" run --detach -b "$b" c
t_ok "--leave-running" "$CAISSON" checkpoint --image-path "$img" --leave-running --empty-ns network \
	--manage-cgroups-mode=ignore --page-server 127.0.0.1:77 c
for word in --leave-running --empty-ns=net --manage-cgroups=ignore --page-server --address=127.0.0.1 --port=77; do
	t_asked "$word"
done
t_is "$(container_status c)" running "it runs on"
t_ok "--pre-dump" "$CAISSON" checkpoint --image-path "$img" --pre-dump c
t_asked pre-dump
t_asked --track-mem
t_ok "--parent-path" "$CAISSON" checkpoint --image-path "$img/next" --leave-running --parent-path .. c
t_asked --prev-images-dir=..

criu_is 'printf "(00.01) Warn  (x.c:1): w\n(00.02) Error (criu/mount.c:7): mnt: it cannot be\n" >"$work_dir/$log_file"; exit 1'
t_fails_with "criu dump failed: mnt: it cannot be: log file: $img/dump.log" \
	"$CAISSON" checkpoint --image-path "$img" c
t_is "$(container_status c)" running "a failed checkpoint ends nothing"
t_fails_with 'option --empty-ns: expected network, not "pid"' "$CAISSON" checkpoint --empty-ns pid c
t_fails_with 'option --page-server: expected ADDRESS:PORT, not "x"' "$CAISSON" checkpoint --page-server x c
t_fails_with '--manage-cgroups-mode: expected soft, full, strict or ignore, not "x"' \
	"$CAISSON" checkpoint --image-path "$img" --manage-cgroups-mode x c
t_fails_with 'option --parent-path: expected a path relative to --image-path, not "/x"' \
	"$CAISSON" checkpoint --parent-path /x c
"$CAISSON" delete -f c
"$CAISSON" create -b "$b" c
t_fails_with 'cannot checkpoint container "c": it is created' "$CAISSON" checkpoint --image-path "$img" c
"$CAISSON" delete -f c

# ---- restore -------------------------------------------------------------------------------------
criu_is 'sleep 100 <&- >&- 2>&- & echo -n $! >"$pidfile"; cat /proc/self/cgroup >"$work_dir/group"; grep -c " $root " /proc/self/mountinfo >"$work_dir/root"; exit 0'
t_ok "restore --detach" "$CAISSON" restore --detach --image-path "$img" --pid-file "$TMPDIR/pid" -b "$b" c
for word in restore "--images-dir=$img" --log-file=restore.log "--root=$b/rootfs" --restore-detached \
	--restore-sibling --cgroup-root=/caisson/c "--external=mnt[/data]:$TMPDIR" \
	"--external=mnt[/proc/timer_list]:/dev/null"; do
	t_asked "$word"
done
t_is "$(container_status c)" running "it runs"
t_is "$(json_field pid <<<"$("$CAISSON" state c)")" "$(cat "$TMPDIR/pid")" "with the pid that criu gave"
t_is "$(tail -n 1 "$img/group")" 0::/caisson/c "criu works inside the container's group"
t_is "$(cat "$img/root")" 1 "and sees the root as a mount"
t_is "$(grep -c "$b/rootfs" /proc/self/mountinfo)" 0 "which nobody else does"
t_fails_with 'container with id "c" already exists' "$CAISSON" restore --image-path "$img" -b "$b" c
t_ok "delete" "$CAISSON" delete -f c

criu_is 'echo "(00.1) Error (criu/pie.c:1): no such pid" >"$work_dir/$log_file"; exit 1'
t_fails_with "criu restore failed: no such pid: log file: $img/restore.log" \
	"$CAISSON" restore --image-path "$img" -b "$b" c
t_fails_with 'container "c" does not exist' "$CAISSON" state c
make_bundle "$b" args='["sh"]' terminal=true
t_fails_with 'config.json: process.terminal is true: a terminal cannot be restored' \
	"$CAISSON" restore --image-path "$img" -b "$b" c
"$HELPERS/recvtty" tty.sock >/dev/null 2>&1 &
wait_until 5 test -S tty.sock
"$CAISSON" run --detach --console-socket "$PWD/tty.sock" -b "$b" c
t_fails_with 'cannot checkpoint container "c": it has a terminal, which could not be restored' \
	"$CAISSON" checkpoint --image-path "$img" c
"$CAISSON" delete -f c
wait

# ---- without criu --------------------------------------------------------------------------------
rm /usr/local/sbin/criu
for file in /usr/sbin/criu /sbin/criu /usr/bin/criu; do
	[ ! -e $file ] || { mount --bind /dev/null "$(readlink -f $file)" && hidden=$(readlink -f $file) && break; }
done
make_bundle "$b" args='["sleep", "100"]'
"$CAISSON" run --detach -b "$b" c
t_fails_with 'criu is not installed: nothing can be checkpointed or restored without it' \
	"$CAISSON" checkpoint --image-path "$img" c
t_is "$(container_status c)" running "the container runs on"
"$CAISSON" delete -f c
t_fails_with 'criu is not installed: nothing can be checkpointed or restored without it' \
	"$CAISSON" restore --image-path "$img" -b "$b" c
[ -z "${hidden-}" ] || umount "$hidden"
