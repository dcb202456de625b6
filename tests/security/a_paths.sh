#!/bin/bash
# A: paths in a root file system that somebody else wrote, and goes on writing.
. "$(dirname "$0")/lib.sh"
make_canary
up=../../../../../../../../../..

# links KIND TARGET NAME: makes NAME a symlink to the host path TARGET, of one kind or another.
link_to() {
	local kind=$1 target=$2 name=$3 i last
	case $kind in
	absolute) ln -s "$target" "$name" ;;
	relative) ln -s "$up$target" "$name" ;;
	chained)
		last=$up$target
		for i in $(seq 39); do
			ln -s "$last" "$name.$i"
			last=${name##*/}.$i
		done
		ln -s "$last" "$name"
		;;
	esac
}
quietly() { # COMMAND...: bounded, its words kept for later
	timeout 10 "$@" >"$TMPDIR/out" 2>&1 </dev/null
}
make_busybox_rootfs "$TMPDIR/pristine"
put_hostile "$TMPDIR/pristine"
fresh() { # DIR: a bundle directory with a root of its own
	mkdir -p "$1"
	cp -a "$TMPDIR/pristine" "$1/rootfs"
}

no_dev=$(sed '/"\/dev", /,+1d' <<<"$default_mounts")

# ---- A1, A7: what the runtime mounts on, or makes nodes in, is a link -----------------------------
hung=0 bundles=0
for kind in absolute relative chained; do
	for name in proc sys dev dev/shm dev/pts; do
		for mounts in "$default_mounts" "$no_dev"; do
			b=$TMPDIR/a1.$((++bundles))
			fresh "$b"
			rm -rf "$b/rootfs/$name"
			link_to $kind "$canary/dir" "$b/rootfs/$name"
			make_bundle "$b" mounts="$mounts"
			quietly "$CAISSON" run -b "$b" a1
			[ $? != 124 ] || hung=$((hung + 1))
			case $name in
			proc | sys) grep -q 'level=error' "$TMPDIR/out" || loose="${loose-} $name:$kind" ;;
			esac
			rm -rf "$b"
		done
	done
done
t_canary "A1, A7: links in place of /proc, /sys, /dev, /dev/shm, /dev/pts: the host's directory is untouched"
t_is "$hung" 0 "A1: none of them hangs"
t_is "${loose-}" "" "A1: proc and sysfs are not mounted through a link"
t_is "$(mounts_below "$canary")" "" "A1: nothing is mounted on the host"

# ---- A2, A3: a volume whose directories turn into links while mounts are made -----------------------
race_mounts() { # DIR-IN-CANARY SECONDS
	local b=$TMPDIR/race end=$((SECONDS + $2)) runs=0 lost=0
	fresh "$b"
	# What the link means inside the container is there, too: a check of that alone passes.
	mkdir -p "$b/vol/a/dir" "$b/rootfs/vol" "$b/rootfs$canary/dir"
	ln -s "$up$canary" "$b/vol/link"
	"$HOSTILE" swap "$b/vol/a" "$b/vol/link" $(($2 + 1)) >"$TMPDIR/swap" &
	make_bundle "$b" args='["sh", "-c", "grep -c swapped-away /proc/self/mountinfo; true"]' more_mounts="
		{\"destination\": \"/vol\", \"type\": \"bind\", \"source\": \"$b/vol\", \"options\": [\"bind\"]},
		{\"destination\": \"/vol/a/$1\", \"type\": \"tmpfs\", \"source\": \"swapped-away\"}"
	while [ $SECONDS -lt $end ]; do
		quietly "$CAISSON" run -b "$b" race && [ "$(cat "$TMPDIR/out")" != 1 ] && lost=$((lost + 1))
		runs=$((runs + 1))
	done
	wait $!
	echo "# $runs starts, $(cat "$TMPDIR/swap")"
	rm -rf "$b"
	echo "# $lost of them elsewhere"
	[ $runs -gt 10 ] && [ $lost = 0 ]
}
t_ok "A2: a mount point that is swapped with a link: every mount is in the container" race_mounts dir 3
t_canary "A2: and the host's directory is untouched"
t_ok "A3: the same with a mount point that must be made" race_mounts "new/deep" 3
t_canary "A3: nothing was made on the host"

# ---- A4: copying what a volume covers --------------------------------------------------------------
for kind in absolute relative; do
	b=$TMPDIR/a4.$kind
	fresh "$b"
	link_to $kind "$canary" "$b/rootfs/data"
	mkdir "$b/rootfs/data2"
	link_to $kind "$canary/file" "$b/rootfs/data2/file"
	link_to $kind "$canary/dir" "$b/rootfs/data2/tree"
	for d in data data2; do
		make_bundle "$b" args='["sh", "-c", "grep -r secret /'$d'; cat /'$d'/file /'$d'/tree/inner"]' more_mounts="
			{\"destination\": \"/$d\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\"tmpcopyup\"]}"
		run_container "$b"
		t_is "$output" "" "A4: tmpcopyup of /$d, $kind links: nothing of the host is in it"
	done
done
t_canary "A4: the host's directory is untouched"

# ---- A5: images are unpacked without the help of programs or libraries ---------------------------
rootfs=$TMPDIR/a5
mkdir -p "$rootfs"/{usr/bin,lib,etc}
for name in usr/bin/xz usr/bin/unpigz usr/bin/gzip lib/libnss_files.so.2; do
	printf '#!/bin/sh\ntouch "%s"\n' "$TMPDIR/owned" >"$rootfs/$name"
	chmod +x "$rootfs/$name"
done
echo /lib/libnss_files.so.2 >"$rootfs/etc/ld.so.preload"
ln -s "$canary" "$rootfs/etc/leak"
tar -C "$rootfs" -czf "$TMPDIR/a5.tar" .
(cd "$rootfs" && strace -f -e trace=execve,openat -o "$TMPDIR/a5.trace" \
	env PATH="$rootfs/usr/bin:$PATH" "$CAISSON_IMAGE" --root "$TMPDIR/a5.store" import "$TMPDIR/a5.tar" a5:1 >"$TMPDIR/out")
t_is "$(grep 'execve(.*) = 0' "$TMPDIR/a5.trace" | grep -vE '/caisson-(image|unpack)"|/env"|"/proc/self/exe"')" "" "A5: an import executes nothing but itself and its unpacker"
t_ok "A5: nothing of the image ran" [ ! -e "$TMPDIR/owned" ]
t_canary "A5: the host's directory is untouched"

# ---- A6: where masks come from ----------------------------------------------------------------------
look='for p in /proc/keys /proc/timer_list; do stat -c "%F %t:%T" $p; cat $p; done; ls -A /proc/acpi; (: >/proc/sys/kernel/core_pattern) 2>&1 | sed "s/.*: //"'
want=$'character special file 1:3\ncharacter special file 1:3\nRead-only file system'
for kind in link relative file hardlink directory other-device; do
	b=$TMPDIR/a6.$kind
	fresh "$b"
	case $kind in
	link) ln -s /proc/sys/kernel/core_pattern "$b/rootfs/dev/null" ;;
	relative) ln -s "$up$canary/file" "$b/rootfs/dev/null" ;;
	file) echo mine >"$b/rootfs/dev/null" ;;
	hardlink) echo mine >"$b/rootfs/etc/mine" && ln "$b/rootfs/etc/mine" "$b/rootfs/dev/null" ;;
	directory) mkdir "$b/rootfs/dev/null" ;;
	other-device) mknod "$b/rootfs/dev/null" c 1 5 ;;
	esac
	make_bundle "$b" args="$(json_array sh -c "$look")"
	run_container "$b"
	t_is "$output" "$want" "A6: masks hold over a root whose /dev/null is a $kind"
	make_bundle "$b" mounts="$no_dev" args="$(json_array sh -c "$look")"
	run_container "$b"
	[ "$status" = 0 ] || output=$errors
	case $output in *'/dev/null\": File exists'*) output=$want ;; esac
	t_is "$output" "$want" "A6: or the start is refused, where the root's /dev is used"
done
b=$TMPDIR/a6.race
fresh "$b"
mknod "$b/rootfs/dev/null" c 1 3
ln -s /proc/sys/kernel/core_pattern "$b/rootfs/dev/evil"
"$HOSTILE" swap "$b/rootfs/dev/null" "$b/rootfs/dev/evil" 3 >/dev/null &
make_bundle "$b" mounts="$no_dev" args="$(json_array sh -c "$look")"
end=$((SECONDS + 3)) runs=0 bad=
while [ $SECONDS -lt $end ]; do
	run_container "$b"
	[ $status != 0 ] || [ "$output" = "$want" ] || bad=$output
	runs=$((runs + 1))
done
wait $!
t_is "$bad" "" "A6: and over one whose /dev/null is swapped meanwhile ($runs starts)"
t_canary "A6: the host's file is untouched"

# ---- A8: the console --------------------------------------------------------------------------------
for kind in absolute relative; do
	b=$TMPDIR/a8.$kind
	fresh "$b"
	link_to $kind "$canary/file" "$b/rootfs/dev/console"
	make_bundle "$b" mounts="$no_dev" terminal=true args='["sh", "-c", "cat /dev/console; echo gone >/dev/console"]'
	(cd "$TMPDIR" && rm -f tty.sock && exec "$HELPERS/recvtty" tty.sock >tty.out) &
	wait_until 5 [ -S "$TMPDIR/tty.sock" ]
	quietly "$CAISSON" run --console-socket "$TMPDIR/tty.sock" -d -b "$b" a8
	t_like "$(cat "$TMPDIR/out")" "/dev/console" "A8: a link in place of /dev/console ($kind) ends the start"
	"$CAISSON" delete -f a8
	kill $! 2>/dev/null
	wait $! 2>/dev/null
done
t_canary "A8: the host's file is untouched"
b=$TMPDIR/a8.pts
fresh "$b"
make_bundle "$b" terminal=true args='["sh", "-c", "stat -c %t:%T /dev/console $(tty); ls -1 /dev/pts; stat -f -c %t /dev/pts/0"]'
(cd "$TMPDIR" && rm -f tty.sock && exec "$HELPERS/recvtty" tty.sock >tty.out) &
wait_until 5 [ -S "$TMPDIR/tty.sock" ]
quietly "$CAISSON" run --console-socket "$TMPDIR/tty.sock" -b "$b" a8
wait $!
t_is "$(tr -d '\r' <"$TMPDIR/tty.out")" $'88:0\n88:0\n0\nptmx\n1cd1' "A8: the console is the terminal of the container's own devpts"

# ---- A9: writes to procfs -----------------------------------------------------------------------------
for how in files link; do
	b=$TMPDIR/a9.$how
	fresh "$b"
	case $how in
	files) mkdir -p "$b/rootfs/proc/sys/net/ipv4" && echo fake >"$b/rootfs/proc/sys/net/ipv4/ip_forward" ;;
	link) rmdir "$b/rootfs/proc" && ln -s "$up$canary" "$b/rootfs/proc" ;;
	esac
	make_bundle "$b" args='["cat", "/real/sys/net/ipv4/ip_forward"]' linux='"sysctl": {"net.ipv4.ip_forward": "1"}' \
		mounts='{"destination": "/real", "type": "proc", "source": "proc"}' masked='[]' readonly_paths='[]'
	run_container "$b"
	t_is "$output" 1 "A9: a sysctl is set in the real procfs, over a fake /proc ($how)"
done
t_is "$(cat "$TMPDIR/a9.files/rootfs/proc/sys/net/ipv4/ip_forward")" fake "A9: the fake one was not written to"
t_canary "A9: the host's directory is untouched"
# A volume over a part of /proc would make a fake one.
b=$TMPDIR/a9.over
fresh "$b"
mkdir -p "$b/over/ipv4"
echo fake >"$b/over/ipv4/ip_forward"
make_bundle "$b" args='["cat", "/real/sys/net/ipv4/ip_forward"]' linux='"sysctl": {"net.ipv4.ip_forward": "1"}' masked='[]' \
	readonly_paths='[]' more_mounts='{"destination": "/real", "type": "proc", "source": "proc"},
	{"destination": "/proc/sys/net", "type": "bind", "source": "'"$b/over"'", "options": ["bind"]}'
run_container "$b"
t_like "$errors" "/proc/sys/net.*: nothing may be mounted there" "A9: a mount below /proc is refused"

# ---- A10: helpers and the container's files ------------------------------------------------------
b=$TMPDIR/a10
fresh "$b"
for name in ps ls sh cat kill nsenter true; do
	rm -f "$b/rootfs/bin/$name"
	printf '#!/bin/busybox sh\ntouch "%s"\n' "$TMPDIR/owned" >"$b/rootfs/bin/$name"
	chmod +x "$b/rootfs/bin/$name"
done
make_bundle "$b" args='["/bin/busybox", "sleep", "100"]'
"$CAISSON" run -d -b "$b" a10
for words in "ps a10" "state a10" "list" "exec a10 /bin/busybox true" "pause a10" "resume a10" "kill a10 0" "delete -f a10"; do
	(cd "$b/rootfs" && strace -f -e trace=execve -o "$TMPDIR/a10.trace" "$CAISSON" $words >/dev/null 2>&1)
	grep 'execve(".* = 0$' "$TMPDIR/a10.trace" | grep -v "/bin/caisson\"" >>"$TMPDIR/a10.all"
done
t_is "$(grep -o 'execve("[^"]*"' "$TMPDIR/a10.all" | grep -vE '"(/usr)?/bin/ps"|"/bin/busybox"')" "" \
	"A10: the verbs run nothing but ps, the host's"
t_ok "A10: nothing of the container ran outside of it" [ ! -e "$TMPDIR/owned" ]

# ---- A11: settings ------------------------------------------------------------------------------------
b=$TMPDIR/a11
fresh "$b"
make_bundle "$b"
mkdir -p "$b/rootfs/etc/caisson" "$b/.caisson"
(cd "$b" && HOME=$b XDG_CONFIG_HOME=$b strace -f -e trace=open,openat,openat2 -o "$TMPDIR/a11.trace" \
	"$CAISSON" run -b "$b" a11)
# Files opened by name (not from a directory that is held open), on the host's side.
t_is "$(sed -n 's/.*open\(at\)\?2\?(AT_FDCWD, "\([^"]*\)".*/\2/p' "$TMPDIR/a11.trace" |
	grep -vE "^(/proc|/sys/fs/cgroup|/run/caisson|/dev/null)(/|\$)" | sort -u)" "$b" \
	"A11: by name a run opens its bundle's directory, the state, cgroups, procfs, and nothing else"

# ---- A12: sources of binds ------------------------------------------------------------------------------
b=$TMPDIR/a12
fresh "$b"
mkdir -p "$b/vol/a"
echo public >"$b/vol/a/file"
ln -s "$canary" "$b/vol/link"
"$HOSTILE" swap "$b/vol/a" "$b/vol/link" 4 >/dev/null &
make_bundle "$b" args='["cat", "/mnt/file"]' more_mounts="{\"destination\": \"/mnt\", \"type\": \"bind\",
	\"source\": \"$b/vol/a\", \"options\": [\"bind\", \"src-nofollow\"]}"
end=$((SECONDS + 3)) runs=0 leaks=0
while [ $SECONDS -lt $end ]; do
	run_container "$b"
	[ "$output" != secret ] || leaks=$((leaks + 1))
	runs=$((runs + 1))
done
wait $!
t_is "$leaks" 0 "A12: a source that is swapped with a link is never followed with src-nofollow ($runs starts)"

# ---- A13: out of the root ---------------------------------------------------------------------------------
b=$TMPDIR/a13
fresh "$b"
echo inside >"$b/rootfs/marker"
mounts_before=$(cat /proc/self/mountinfo)
caps='["CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE", "CAP_KILL"]'
for option in "" --no-pivot; do
	make_bundle "$b" caps="{\"bounding\": $caps, \"effective\": $caps, \"permitted\": $caps}" \
		args='["sh", "-c", "hostile escape | tr \" \" \"\\n\" | grep -c marker; hostile handle /; cut -d\" \" -f5 /proc/self/mountinfo"]'
	run_container "$b" $option
	t_is "$(grep -vE '^/((dev|dev/mqueue|dev/pts|dev/shm|sys|sys/firmware|sys/fs/cgroup|proc)|proc/(acpi|bus|fs|irq|kcore|keys|sys|sysrq-trigger|timer_list))?$' <<<"$output")" $'1\nEPERM' \
		"A13: a classic chroot escape ends in the container's root; only the config's mounts are there ${option:+($option)}"
done
t_is "$(cat /proc/self/mountinfo)" "$mounts_before" "A13: the host's mount table is what it was"

# ---- A14: the working directory ---------------------------------------------------------------------------
b=$TMPDIR/a14
fresh "$b"
ln -s /proc/self/fd/7 "$b/rootfs/link7"
out='cat ./'"$up$canary"'/file ../'"$up$canary"'/file 2>/dev/null; [ "$(pwd -P | cut -c1)" = / ] || echo lost'
leaks=
dirs="/proc/1/cwd /proc/self/root/.. /proc/self/cwd /link7 /proc/thread-self/root"
for n in $(seq 3 24); do dirs="$dirs /proc/self/fd/$n /proc/self/fd/$n/../.."; done
hold() { # COMMAND...: with directories of the host open
	bash -c 'for i in $(seq 3 24); do eval "exec $i</"; done; exec "$@"' - "$@"
}
make_bundle "$b" args='["sleep", "1000"]'
hold "$CAISSON" run -d -b "$b" a14
for cwd in $dirs; do
	leaks+=$(hold "$CAISSON" exec --cwd "$cwd" a14 sh -c "$out" 2>/dev/null)
	make_bundle "$b" cwd="\"$cwd\"" args="$(json_array sh -c "$out")"
	leaks+=$(hold "$CAISSON" run -b "$b" a14.run 2>/dev/null)
done
t_is "$leaks" "" "A14: no working directory of run or exec is the host's"
"$CAISSON" delete -f a14
make_bundle "$b" args='["sleep", "1000"]' masked='[]' readonly_paths='[]' mounts= \
	namespaces='{"type": "pid"}, {"type": "ipc"}'
if "$CAISSON" run -d -b "$b" a14 2>"$TMPDIR/out"; then
	t_is "$("$CAISSON" exec a14 sh -c 'cat /marker; ls -d /link7; '"$out" 2>/dev/null)" /link7 \
		"A14: exec without a mount namespace is in the container's root"
	"$CAISSON" delete -f a14
fi
