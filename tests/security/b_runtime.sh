#!/bin/bash
# B: the runtime's own binary, its descriptors, and what a caller hands down without meaning to.
. "$(dirname "$0")/lib.sh"

# ---- B1: the container's program is the runtime's binary ------------------------------------------
# A copy is attacked, in a directory of its own.
mkdir "$TMPDIR/host-bin"
cp "$CAISSON" "$TMPDIR/host-bin/caisson"
real=$CAISSON CAISSON=$TMPDIR/host-bin/caisson
sum=$(sha256sum <"$CAISSON")
b=$TMPDIR/b1
make_bundle "$b" args='["sleep", "100"]'
put_hostile "$b/rootfs"
ln -s /proc/self/exe "$b/rootfs/bin/self-link"
printf '#!/proc/self/exe --log=/fifo\n' >"$b/rootfs/bin/self-script"
cat >"$b/rootfs/bin/attack" <<'END'
#!/bin/sh
# The runtime's binary waits in open(2) of the FIFO until somebody reads from it.
for try in $(seq 200); do
	for dir in /proc/[0-9]*; do
		tr '\0' ' ' <$dir/cmdline 2>/dev/null | grep -q 'log=/fifo' || continue
		(sleep 0.2; timeout 5 cat /fifo >/dev/null) &
		exec hostile hold-exe ${dir#/proc/}
	done
	sleep 0.02
done
echo nobody came
END
chmod +x "$b"/rootfs/bin/{self-script,attack}
mkfifo "$b/rootfs/fifo"
"$CAISSON" run -d -b "$b" b1
for shell in link script; do
	# Detached: while any runtime of the host runs, the kernel lets nobody write to its binary.
	"$CAISSON" exec -d b1 sh -c "attack >/$shell.out 2>&1; echo done >>/$shell.out"
	"$CAISSON" exec -d b1 /bin/self-$shell --log=/fifo state x
	wait_until 15 grep -q done "$b/rootfs/$shell.out"
	t_is "$(sed -n 2p "$b/rootfs/$shell.out")" "refused: EROFS" \
		"B1: /proc/self/exe as a $shell: the binary cannot be written to"
done
"$CAISSON" delete -f b1
t_is "$(sha256sum <"$CAISSON")" "$sum" "B1: the binary of the host is what it was"
make_bundle "$b" args='["/proc/self/exe", "--version"]'
run_container "$b"
t_is "$(sha256sum <"$CAISSON")" "$sum" "B1: the same after it was a container's first program"
# By a descriptor that says nothing of a mount, as fexecve(3) does it.
exec 9<"$CAISSON"
t_like "$(bash -c 'exec -a caisson /dev/fd/9 --version')" "^caisson version" "B1: the binary can be started by descriptor"
exec 9<&-
CAISSON=$real

# ---- B2: looking into a process that joins --------------------------------------------------------
b=$TMPDIR/b2
make_bundle "$b" args='["hostile", "watch", "6"]'
put_hostile "$b/rootfs"
"$CAISSON" run -b "$b" b2 >"$TMPDIR/watch" 2>&1 &
watcher=$!
wait_until 5 grep -q watching "$TMPDIR/watch"
execs=0
while "$CAISSON" exec b2 true 2>/dev/null; do
	execs=$((execs + 1))
done
wait $watcher
t_ok "B2: processes joined while the container watched" [ $execs -gt 50 ]
t_like "$(tail -n 1 "$TMPDIR/watch")" "looked into [1-9][0-9]*, host things 0$" \
	"B2: nothing of the joining process could be opened or traced"

# ---- B3: descriptors ------------------------------------------------------------------------------
b=$TMPDIR/b3
make_bundle "$b" args='["hostile", "fds"]'
put_hostile "$b/rootfs"
leaky() { # COMMAND...: with forty directories of the host open
	bash -c 'for i in $(seq 3 40); do eval "exec $i</"; done; exec "$@"' - "$@"
}
t_is "$(leaky "$CAISSON" run -b "$b" b3)" "" "B3: run: what the caller leaked does not arrive"
t_is "$(leaky "$CAISSON" run --preserve-fds 1 -b "$b" b3)" "3 /" \
	"B3: run: what the caller asked for does, alone"
leaky "$CAISSON" create -b "$b" b3 >"$TMPDIR/out"
pid=$("$CAISSON" state b3 | json_field pid)
# Create does not wait until it has let go of everything.
holds_nothing() {
	! ls -l "/proc/$pid/fd" | grep -e ' /' | grep -qvE ' (/dev/null|/.*/out)$'
}
t_ok "B3: a created container holds no directory of the host while it waits" wait_until 5 holds_nothing
leaky "$CAISSON" start b3
wait_until 5 status_is b3 stopped
"$CAISSON" delete b3
t_is "$(cat "$TMPDIR/out")" "" "B3: create and start: nothing either"
make_bundle "$b" args='["sleep", "100"]'
"$CAISSON" run -d -b "$b" b3
t_is "$(leaky "$CAISSON" exec b3 hostile fds)" "" "B3: exec: what the caller leaked does not arrive"
t_is "$("$CAISSON" exec b3 hostile fds 0 <&- 2>&- | sed 's/pipe:.*/pipe/')" "1 pipe" \
	"B3: exec with closed standard streams: nothing takes their place"
"$CAISSON" delete -f b3

# ---- B4: no abstract sockets ----------------------------------------------------------------------
b=$TMPDIR/b4
make_bundle "$b" args='["sleep", "100"]'
before=$(grep -c ' @' /proc/net/unix)
"$CAISSON" create -b "$b" b4
t_is "$(grep -c ' @' /proc/net/unix)" "$before" "B4: create listens on no abstract socket"
t_is "$(stat -c %a /run/caisson) $(stat -c '%a %U' /run/caisson/b4/gate)" "700 600 root" \
	"B4: the gate of a created container is root's alone"
"$CAISSON" delete -f b4

# ---- B5: keyrings ---------------------------------------------------------------------------------
b=$TMPDIR/b5
make_bundle "$b" args='["hostile", "session"]'
put_hostile "$b/rootfs"
run_container "$b"
t_is "$output" "$id" "B5: run: the session keyring is the container's own"
run_container "$b" --no-new-keyring
t_is "$output" "$("$HOSTILE" session)" "B5: unless the caller's was asked for"
make_bundle "$b" args='["sleep", "100"]'
"$CAISSON" run -d -b "$b" b5
t_is "$("$CAISSON" exec b5 hostile session)" b5 "B5: exec: it is the container's"
"$CAISSON" delete -f b5

# ---- B6: environments -----------------------------------------------------------------------------
b=$TMPDIR/b6
bad='"LD_PRELOAD=/x.so", "LD_AUDIT=/x.so", "GCONV_PATH=/x", "BASH_ENV=/x", "TMPDIR=/x", "IFS=x", "NOTIFY_SOCKET=/x"'
hook="{\"path\": \"/usr/bin/env\", \"args\": [\"env\"]}"
for kind in prestart createRuntime createContainer poststart poststop; do
	printf '#!/bin/sh\nenv >"%s"\npwd >>"%s"\n' "$TMPDIR/hook.$kind" "$TMPDIR/hook.$kind" >"$TMPDIR/$kind"
	chmod +x "$TMPDIR/$kind"
	hooks=${hooks-}${hooks:+, }"\"$kind\": [{\"path\": \"$TMPDIR/$kind\"}]"
done
make_bundle "$b" args='["true"]' env="[\"PATH=/bin\", $bad]" hooks="{$hooks}"
LD_BIND_NOW=caller SECRET=caller "$CAISSON" run -b "$b" b6
t_is "$(cat "$TMPDIR"/hook.* | grep -vE '^(PWD|OLDPWD|SHLVL|_)=|^/' | sort -u)" "" \
	"B6: hooks have neither the container's environment nor the caller's"
make_bundle "$b" args='["env"]' env='["PATH=/bin", "ONLY=this"]'
SECRET=caller run_container "$b"
t_is "$(sort <<<"$output")" $'HOME=/root\nONLY=this\nPATH=/bin' "B6: the program has what the config says"
for i in $(seq 16); do
	make_bundle "$TMPDIR/b6.$i" args='["env"]' env="[\"PATH=/bin\", \"N=$i\"]" rootfs="\"$b/rootfs\""
	"$CAISSON" run -b "$TMPDIR/b6.$i" "b6.$i" >"$TMPDIR/b6.$i.out" &
done
wait
for i in $(seq 16); do
	[ "$(grep ^N= "$TMPDIR/b6.$i.out")" = "N=$i" ] || echo "# crossed: $i"
done >"$TMPDIR/crossed"
t_is "$(cat "$TMPDIR/crossed")" "" "B6: sixteen at once keep their environments apart"

# ---- B7: long fields ------------------------------------------------------------------------------
b=$TMPDIR/b7
long() {
	head -c "$1" /dev/zero | tr '\0' x
}
for size in 65535 65536 65537 100000; do
	make_bundle "$b" args='["sh", "-c", "echo ${#V} ${#0}", "'"$(long $size)"'"]' env="[\"PATH=/bin\", \"V=$(long $size)\"]"
	run_container "$b"
	t_is "$output" "$size $size" "B7: a variable and an argument of $size bytes"
done
make_bundle "$b" cwd="\"/$(long 5000)\""
run_container "$b"
t_is "$status" 1 "B7: a working directory longer than a path is refused"
make_bundle "$b" args="[\"$(long 70000)\"]"
run_container "$b"
t_is "$status" 1 "B7: so is a program's name"
maps=$(for i in $(seq 0 400); do printf '%s{"containerID": %d, "hostID": %d, "size": 1}' "${i:+, }" $i $((100000 + i)); done)
make_bundle "$b" namespaces="$default_namespaces, {\"type\": \"user\"}" \
	linux="\"uidMappings\": [${maps#, }], \"gidMappings\": [${maps#, }]"
run_container "$b"
t_is "$status" 1 "B7: more id mappings than the kernel takes are refused"

# ---- B8: ambient state ----------------------------------------------------------------------------
b=$TMPDIR/b8
make_bundle "$b" args='["sh", "-c", "hostile signals; umask; cat /proc/self/stat | cut -d\" \" -f5,6,7"]'
put_hostile "$b/rootfs"
odd() { # COMMAND...: signals ignored and blocked, umask 0
	bash -c 'trap "" INT HUP PIPE USR1 TERM; umask 0; exec "$@"' - \
		env --block-signal=USR2 --block-signal=TERM "$@"
}
want=$'0022\n1 1 0'
t_is "$(odd "$CAISSON" run -b "$b" b8)" "$want" "B8: run: no signal is blocked or ignored, umask and session are fresh"
make_bundle "$b" args='["sleep", "100"]'
"$CAISSON" run -d -b "$b" b8
t_is "$(odd "$CAISSON" exec b8 hostile signals)" "" "B8: exec: no signal is blocked or ignored"
t_is "$(odd "$CAISSON" exec b8 sh -c umask)" 0022 "B8: exec: umask"
"$CAISSON" delete -f b8
