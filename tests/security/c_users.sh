#!/bin/bash
# C: capabilities, ids and groups; the container's user database, and what it is made of.
. "$(dirname "$0")/lib.sh"
make_canary

b=$TMPDIR/b
make_bundle "$b"
put_hostile "$b/rootfs"
some='["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"]'
some="{\"bounding\": $some, \"effective\": $some, \"permitted\": $some}"
none=0000000000000000
cap_lines='grep -E "^Cap(Inh|Amb)" /proc/self/status | cut -f2 | sort -u'

# ---- C1: inheritable and ambient sets ------------------------------------------------------------
for uid in 0 1000; do
	for caps in "$some" '{}'; do
		run_script "$b" "$cap_lines" caps="$caps" user="{\"uid\": $uid, \"gid\": $uid}"
		t_is "$output" $none "C1: run, user $uid: no inheritable and no ambient capabilities"
	done
done
# A file whose capabilities are inheritable only gives them to whoever inherits.
mkdir "$b/rootfs/capped"
cp "$b/rootfs/bin/busybox" "$b/rootfs/capped/grep"
t_ok "C1: a file with an inheritable capability" "$HOSTILE" file-cap "$b/rootfs/capped/grep"
make_bundle "$b" args='["sleep", "1000"]' caps="$some" nnp=false user='{"uid": 1000, "gid": 1000}'
"$CAISSON" run -d -b "$b" c1
t_is "$("$CAISSON" exec c1 sh -c "$cap_lines")" $none "C1: exec: no inheritable and no ambient capabilities"
t_is "$("$CAISSON" exec c1 /capped/grep -E '^CapPrm' /proc/self/status | cut -f2)" $none \
	"C1: exec: such a file gives nothing"
"$CAISSON" delete -f c1
make_bundle "$b" args='["/capped/grep", "-E", "^CapPrm", "/proc/self/status"]' caps="$some" nnp=false user='{"uid": 1000, "gid": 1000}'
run_container "$b"
t_is "$(cut -f2 <<<"$output")" $none "C1: run: such a file gives nothing"

# ---- C2: another user ------------------------------------------------------------------------------
lines='grep -E "^Cap(Prm|Eff)" /proc/self/status | cut -f2 | sort -u'
run_script "$b" "$lines" caps="$some" user='{"uid": 1000, "gid": 1000}'
t_is "$output" $none "C2: run: a user that is not root has no capabilities"
make_bundle "$b" args='["sleep", "1000"]' caps="$some"
"$CAISSON" run -d -b "$b" c2
t_is "$("$CAISSON" exec -u 1000 c2 sh -c "$lines")" $none "C2: exec: neither"
"$CAISSON" delete -f c2

# ---- C3: supplementary groups -----------------------------------------------------------------------
echo members are shut out >"$b/rootfs/negative"
chown 0:2000 "$b/rootfs/negative"
chmod 604 "$b/rootfs/negative"
run_script "$b" 'cat /negative 2>&1; id -G' user='{"uid": 1000, "gid": 1000, "additionalGids": [2000]}'
t_is "$output" $'cat: can\'t open \'/negative\': Permission denied\n1000 2000' "C3: run: a member of a shut-out group is shut out"
make_bundle "$b" args='["sleep", "1000"]' user='{"uid": 1000, "gid": 1000, "additionalGids": [2000]}'
"$CAISSON" run -d -b "$b" c3
t_is "$("$CAISSON" exec c3 cat /negative 2>&1)" "cat: can't open '/negative': Permission denied" "C3: exec: too"
"$CAISSON" delete -f c3
make_bundle "$b" args='["id", "-G"]' user='{"uid": 1000, "gid": 1000}'
t_is "$(setpriv --groups 27,2000,4242 "$CAISSON" run -b "$b" c3)" 1000 "C3: the caller's groups are not the container's"

# ---- C4: users by number and by name ----------------------------------------------------------------
cat >"$b/rootfs/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
4294967296:x:0:0:trap:/:/bin/sh
2147483648:x:0:0:trap:/:/bin/sh
0x10:x:0:0:trap:/:/bin/sh
-1:x:0:0:trap:/:/bin/sh
+7:x:0:0:trap:/:/bin/sh
99999999999999999999:x:0:0:trap:/:/bin/sh
7 :x:0:0:trap:/:/bin/sh
7:x:0:0:trap:/:/bin/sh
END
make_bundle "$b" args='["sleep", "1000"]'
"$CAISSON" run -d -b "$b" c4
wrong=
while IFS='|' read -r user want; do
	got=$("$CAISSON" exec -u "$user" c4 sh -c 'echo $(id -u):$(id -g)' 2>/dev/null)
	[ "$got" = "$want" ] || wrong+="\"$user\": $got instead of $want; "
done <<END
0|0:0
1|1:0
7|7:0
7:9|7:9
2147483648|2147483648:0
4294967294|4294967294:0
4294967295|
4294967296|
18446744073709551616|
18446744073709551617|
99999999999999999999|
-1|
+7|
 7|
7 |
0x10|
7:|
:7|
7:8:9|
7:-1|
7:4294967295|
7:4294967296|
7a|
１|
7.0|
1e3|
$(head -c 5000 /dev/zero | tr '\0' 9)|
END
t_is "$wrong" "" "C4: exec --user: a number is that number, and nothing else is one"
# The config's own: decoded as uint32.
for uid in -1 4294967296 1.5 '"0"' 1e3 99999999999999999999; do
	make_bundle "$b" user="{\"uid\": $uid, \"gid\": 0}"
	run_container "$b"
	t_is "$status:$output" "1:" "C4: config: uid $uid is refused"
done
"$CAISSON" delete -f c4

# ---- C5: a user database that bites ------------------------------------------------------------------
make_bundle "$b" args='["sleep", "1000"]' env='["PATH=/bin"]'
"$CAISSON" run -d -b "$b" c5
echo "root:x:0:0:root:/stolen:/bin/sh" >"$canary/passwd"
canary_before=$(canary_state)
run_home() { # COMMAND...: bounded in time and memory; prints HOME
	(ulimit -v 300000; timeout 5 "$@" sh -c 'echo $HOME' 2>/dev/null || echo "status $?")
}
for trap in fifo zero link relative sparse line directory binary missing; do
	f=$b/rootfs/etc/passwd
	rm -rf "$f"
	case $trap in
	fifo) mkfifo "$f" ;;
	zero) mknod "$f" c 1 5 ;;
	link) ln -s "$canary/passwd" "$f" ;;
	relative) ln -s "../../../../../../../../../..$canary/passwd" "$f" ;;
	sparse) truncate -s 4G "$f" ;;
	line) { head -c 4M /dev/zero | tr '\0' x; echo ":x:0:0::/:/bin/sh"; } >"$f" ;;
	directory) mkdir "$f" ;;
	binary) head -c 100000 /dev/urandom >"$f" ;;
	esac
	t_is "$(run_home "$CAISSON" exec c5)" / "C5: exec: HOME is / when /etc/passwd is of the kind \"$trap\""
done
"$CAISSON" delete -f c5
rm -rf "$b/rootfs/etc/passwd"
mkfifo "$b/rootfs/etc/passwd"
make_bundle "$b" args='["sh", "-c", "echo $HOME"]' env='["PATH=/bin"]'
t_is "$(timeout 5 "$CAISSON" run -b "$b" c5)" / "C5: run: the same over a FIFO"
t_canary "C5: the host's file is untouched"

# ---- C6: id maps -----------------------------------------------------------------------------------------
userns="$default_namespaces, {\"type\": \"user\"}"
maps() { # CONTAINER HOST SIZE...
	local text=
	while [ $# -gt 0 ]; do
		text+="${text:+, }{\"containerID\": $1, \"hostID\": $2, \"size\": $3}"
		shift 3
	done
	echo "\"uidMappings\": [$text], \"gidMappings\": [$text]"
}
while IFS='|' read -r what map; do
	make_bundle "$b" namespaces="$userns" linux="$(maps $map)"
	run_container "$b"
	t_like "$status:$errors" "^1:.*(uidMappings|uid_map)" "C6: $what: refused by name"
done <<'END'
overlapping container ids|0 100000 10 5 200000 10
overlapping host ids|0 100000 10 10 100005 10
an empty map|0 100000 0
a wrap beyond 2^32|0 4294967290 100
END
chmod go+x "$CSN_TEST_DIR" "$TMPDIR"
mkdir -p "$b/vol"
chmod 777 "$b/vol"
chown -R 100000:100000 "$b/rootfs"
make_bundle "$b" namespaces="$userns" linux="$(maps 0 100000 65536)" args='["sh", "-c", "id -u; touch /vol/mine"]' \
	more_mounts="{\"destination\": \"/vol\", \"type\": \"bind\", \"source\": \"$b/vol\", \"options\": [\"bind\"]}"
rm -f "$b/rootfs/etc/passwd"
run_container "$b"
[ -z "$errors" ] || echo "# $errors"
t_is "$output:$(stat -c %u:%g "$b/vol/mine")" "0:100000:100000" "C6: what the container's root makes is the mapped user's"

# ---- C7: setuid programs ---------------------------------------------------------------------------------
b=$TMPDIR/c7
make_bundle "$b" user='{"uid": 1000, "gid": 1000}' args='["/suid/hostile", "ids"]'
mkdir "$b/rootfs/suid"
cp "$HOSTILE" "$b/rootfs/suid/hostile"
chmod 4755 "$b/rootfs/suid/hostile"
run_container "$b"
t_is "$output" "1000 1000" "C7: run: a setuid program stays with its user under no_new_privs"
make_bundle "$b" user='{"uid": 1000, "gid": 1000}' args='["sleep", "1000"]'
"$CAISSON" run -d -b "$b" c7
t_is "$("$CAISSON" exec c7 /suid/hostile ids)" "1000 1000" "C7: exec: the same"
"$CAISSON" delete -f c7
t_like "$(cd "$TMPDIR" && "$CAISSON" spec && cat config.json && rm config.json)" '"noNewPrivileges": true' "C7: the template has no_new_privs"
make_bundle "$b" user='{"uid": 1000, "gid": 1000}' nnp=false args='["/suid/hostile", "ids"]' \
	more_mounts="{\"destination\": \"/suid\", \"type\": \"bind\", \"source\": \"$b/rootfs/suid\", \"options\": [\"bind\", \"nosuid\"]}"
run_container "$b"
t_is "$output" "1000 1000" "C7: a volume with nosuid gives nothing, even without it"
