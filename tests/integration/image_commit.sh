#!/bin/bash
# csn export, commit, and import --change: archives and images out of containers.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

cd "$TMPDIR" || exit 1
treesum() {
	"$BUILD/tests/unit/image_treesum" "$1"
}
have() {
	command -v "$1" >/dev/null
}
# in_box COMMAND: a container that ran it. Prints its output.
csn_in() { # NAME SCRIPT
	csn run --name "$1" --network none "${@:3}" box sh -c "$2"
}
fails_like() { # REGEX ARGUMENT...: csn fails, saying so
	local text
	if text=$(csn "${@:2}" 2>&1); then
		t_fail "fails: $1" "$text"
	else
		t_like "$text" "$1" "fails: $1"
	fi
}
csn_label() { # IMAGE MEMBER: of the config's config, on one line
	csn image inspect "$1" | python3 -c 'import json,sys
c = json.load(sys.stdin)[0]["config"]
v = c["config"].get(sys.argv[1]) if len(sys.argv) < 3 else c.get(sys.argv[1])
print(json.dumps(v, sort_keys=True))' "$2" ${3:+$3}
}

# ---- what a container changes --------------------------------------------------------------------

csn_in one '
	mkdir -p /made/deep && echo new >/made/deep/file && chmod 4711 /made/deep/file
	chown 12:34 /made && chmod 1751 /made
	ln /made/deep/file /made/hard && ln -s /nowhere /made/soft
	mknod /made/null c 1 3 && mknod /made/fifo p
	rm /bin/sync && cd / && rm -r /root && mkdir /root && echo x >/root/only
	rm /etc/motd && mkdir /etc/motd
	dd if=/dev/zero of=/made/sparse bs=1 count=1 seek=30000000 2>/dev/null
	touch -d "2001-02-03 04:05:06" /made/deep/file
	touch -d "1969-12-31 23:59:58" /made/null
	: >/made/é && : >"/made/$(printf "\\377")"
	'
upper=$(csn_bundle one)/upper
have setfattr && setfattr -n user.note -v kept "$upper/made/deep/file"
have setfattr && setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 "$upper/made/sparse"
have setfattr && setfattr -n user.note -v kept "$upper/made"
touch -d 2001-01-01T00:00:00.123456789 "$upper/made/deep"
touch -h -d 1960-01-01T00:00:00.25 "$upper/made/soft"

lower_of() { # IMAGE: its layers, topmost first
	csn image inspect "$1" | python3 -c 'import json,sys
print(":".join(sys.argv[1] + "/" + l for l in reversed(json.load(sys.stdin)[0]["layers"])))' "$world/root"
}
merge() { # IMAGE: mounts it at merged
	local lower
	mkdir -p merged
	lower=$(lower_of "$1")
	# One layer alone is no overlay.
	case $lower in
	*:*) mount -t overlay overlay -o "lowerdir=$lower" merged ;;
	*) mount --bind "$lower" merged ;;
	esac
}
mkdir merged
mount -t overlay overlay -o "lowerdir=$upper:$(lower_of box)" merged
treesum merged >want
umount merged

# ---- export --------------------------------------------------------------------------------------

t_ok "export" csn export -o one.tar one
csn export one >again.tar
t_ok "the same archive each time, also to standard output" cmp one.tar again.tar
mkdir unpacked
t_ok "GNU tar unpacks it" tar -C unpacked --xattrs --xattrs-include='*' --numeric-owner -xpf one.tar
treesum unpacked >got
t_is "$(diff want got)" "" "and what comes out is what the container had"
t_ok "holes are holes" test "$(stat -c %b unpacked/made/sparse)" -lt 1000
t_ok "and the archive is small" test "$(stat -c %s one.tar)" -lt 20000000
t_fails_with 'container "nobody" does not exist' csn export -o none.tar nobody
t_ok "an export that fails leaves no file" test ! -e none.tar
t_ok "it becomes an image" csn import one.tar exported
merge exported
treesum merged >got
umount merged
t_is "$(diff want got)" "" "which is the same again"

# ---- commit --------------------------------------------------------------------------------------

t_ok "commit" csn commit -m "a word" -a somebody one committed:1
merge committed:1
# What was made to mount on is no change.
grep -vE '^\./(dev|proc|sys|etc/(hosts|hostname|resolv.conf)) ' want >want.image
treesum merged | grep -vE '^\./(dev|proc|sys|etc/(hosts|hostname|resolv.conf)) ' >got
umount merged
t_is "$(diff want.image got)" "" "the image's files are the container's"
csn image history committed:1 >out
t_like "$(sed -n 2p out)" "caisson commit of [0-9a-f]{12} .*a word" "history says how"
t_is "$(csn image history committed:1 | wc -l)" 4 "a step for each layer"
t_is "$(csn_label committed:1 author top)" '"somebody"' "and who"
t_ok "verify" csn image verify committed:1
t_is "$(csn run --rm --network none committed:1 sh -c 'cat /made/hard; ls /root; ls -d /etc/motd/; ls /bin/sync 2>&1')" \
	$'new\nonly\n/etc/motd/\nls: /bin/sync: No such file or directory' "it runs"
layer=$(csn image inspect committed:1 | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["manifest"]["layers"][-1]["digest"][7:])')
gzip -dc "$world/root/store/blobs/sha256/$layer" >layer.tar
t_is "$(tar -tf layer.tar | grep -F .wh. | tr '\n' ' ')" "bin/.wh.sync etc/motd/.wh..wh..opq root/.wh..wh..opq " \
	"deletions and replaced directories have their names in the layer"
t_ok "no place that was mounted on" test -z "$(tar -tf layer.tar | grep -E '^(proc|sys|dev)/|hosts|resolv')"
if have umoci && have skopeo; then
	csn save -o saved.tar committed:1
	skopeo --insecure-policy copy -q oci-archive:saved.tar:1 oci:layout:1
	umoci unpack --image layout:1 b >/dev/null 2>&1
	treesum b/rootfs | grep -vE '^\./(dev|proc|sys|etc/(hosts|hostname|resolv.conf)) ' >got
	t_is "$(diff want.image got)" "" "umoci unpacks the same"
else
	t_skip "umoci unpacks the same" "umoci or skopeo is not installed"
fi

# ---- the config ----------------------------------------------------------------------------------

csn create --name two --network none -e 'A=x "y" \z' -e B=2 -w /srv -u 5:6 -l l=m box echo 'hi there' >/dev/null
t_ok "one that never ran" csn commit two from-options
t_is "$(csn_label from-options Cmd)" '["echo", "hi there"]' "its command"
t_is "$(csn_label from-options WorkingDir) $(csn_label from-options User)" '"/srv" "5:6"' "directory and user"
t_is "$(csn_label from-options Env)" \
	"$(csn_label box Env | sed 's/]$/, "A=x \\"y\\" \\\\z", "B=2"]/; s/\[, /[/; s/^null$/["A=x \\"y\\" \\\\z", "B=2"]/')" "its environment"
t_like "$(csn_label from-options Labels)" '"l": "m"' "and its label"
t_is "$(csn run --rm --network none from-options sh -c 'pwd; id -u; echo $A')" $'/srv\n5\nx "y" \\z' "the image gives them again"

t_ok "changes" csn commit -c 'ENTRYPOINT ["/bin/echo", "a"]' -c 'CMD b c' -c 'ENV B=3 C="d e" D=f\ g' -c 'ENV E the rest' \
	-c 'EXPOSE 80 443/udp 8000-8002' -c 'LABEL l=n "o p"=q' -c 'STOPSIGNAL SIGUSR1' -c 'USER 7' -c 'VOLUME /v ["x"]' \
	-c 'VOLUME ["/w"]' -c 'WORKDIR sub' -c 'ONBUILD RUN x' two changed
t_is "$(csn_label changed Entrypoint) $(csn_label changed Cmd)" '["/bin/echo", "a"] ["/bin/sh", "-c", "b c"]' "commands"
t_like "$(csn_label changed Env)" '"B=3", "C=d e", "D=f g", "E=the rest"' "variables, replaced and added"
t_is "$(csn_label changed ExposedPorts)" '{"443/udp": {}, "80/tcp": {}, "8000/tcp": {}, "8001/tcp": {}, "8002/tcp": {}}' "ports"
t_is "$(csn_label changed Labels | grep -o '"l": "n"\|"o p": "q"' | tr '\n' ' ')" '"l": "n" "o p": "q" ' "labels"
t_is "$(csn_label changed StopSignal) $(csn_label changed User) $(csn_label changed WorkingDir) $(csn_label changed OnBuild)" \
	'"SIGUSR1" "7" "/srv/sub" ["RUN x"]' "the rest"
t_is "$(csn_label changed Volumes)" '{"/v": {}, "/w": {}, "[x]": {}}' "volumes"
csn commit -c 'ENTRYPOINT ["/bin/true"]' two entry >/dev/null
t_is "$(csn_label entry Cmd)" null "another entrypoint takes the command away"

refused() { # CHANGE MESSAGE
	t_fails_with "change \"$1\": $2" csn commit -c "$1" two refused
}
refused 'RUN x' 'expected CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR'
refused 'ENV' 'nothing behind ENV'
refused 'ENV A' 'expected NAME=VALUE'
refused 'ENV A="b' 'a quote is not closed'
refused 'EXPOSE 0' '"0": expected PORT[-PORT][/PROTOCOL]'
refused 'EXPOSE 80/x' '"80/x": expected PORT[-PORT][/PROTOCOL]'
refused 'EXPOSE 1-65535' 'more than 1024 ports'
refused 'USER a b' 'expected one word'
t_fails_with "image name 'A B': repository names are lower case" csn commit two 'A B'
t_is "$(csn images -q --format table | sort -u | wc -l)" "$(csn images -q | sort -u | wc -l)" "nothing came of those"
t_ok "no such image" test -z "$(csn images --format json | grep refused)"

t_ok "import takes changes, too" csn import -c 'CMD ["sh"]' -m imported one.tar changed:2
t_is "$(csn_label changed:2 Cmd)" '["sh"]' "and does them"
t_like "$(csn image history changed:2)" imported "and says so"

# ---- while it runs -------------------------------------------------------------------------------

id=$(csn run -d --name three --network none box sh -c 'i=0; while :; do i=$((i+1)); echo $i >/tmp/f$((i % 20)); rm -f /tmp/f$(((i + 7) % 20)); mkdir -p /tmp/d$((i % 9))/x; rm -rf /tmp/d$(((i + 3) % 9)); done')
for i in 1 2 3; do
	t_ok "commit while it changes" csn commit --pause=false three running:$i
	t_ok "export while it changes" csn export -o three.tar three
	t_ok "a whole archive" tar -tf three.tar
done
t_ok "what changes meanwhile is no trouble" csn image verify running:3
if [ -e "$CGROUP2$(group_of three)/cgroup.freeze" ]; then
	t_ok "with a pause" csn commit three paused
	t_is "$(csn inspect three | json_field paused)" false "it goes on afterwards"
	csn pause three >/dev/null
	t_ok "one that is paused already" csn commit three paused:2
	t_is "$(csn inspect three | json_field paused)" true "stays so"
	csn unpause three >/dev/null
fi

# A pipe, a link, a device in place of what was a file: nothing is followed, nothing hangs.
csn kill three >/dev/null
csn wait three >/dev/null
upper=$(csn_bundle three)/upper
ln -s "$TMPDIR" "$upper/outside"
echo secret >secret
t_ok "links lead nowhere" csn export -o three.tar three
t_is "$(tar -tvf three.tar | grep -c secret)" 0 "out of the container"
mkdir -p "$upper/deep"
(cd "$upper/deep" && for i in $(seq 300); do mkdir d && cd d || exit; done)
fails_like "more than 256 directories deep" export -o deep.tar three
rm -rf "$upper/deep"
: >"$upper/.wh.x"
fails_like ".wh.x: a layer cannot hold a name that begins with .wh." commit three refused
rm "$upper/.wh.x"
truncate -s 2T "$upper/large" && fails_like "large: larger than 1 TiB" export -o large.tar three
rm -f "$upper/large"
truncate -s 100G "$upper/large"
t_ok "100 GiB of nothing" timeout 60 "$CSN" --root "$world/root" --run-root "$world/run" export -o large.tar three
t_ok "is a small archive" test "$(stat -c %s large.tar)" -lt 20000000
rm -f "$upper/large"

csn rmi -f box >/dev/null
fails_like "the image that it was made from is not here any more" commit two late
csn rm one two three >/dev/null
t_is "$(ls "$world/root/tmp" "$world/root/unfinished")" "$world/root/tmp:

$world/root/unfinished:" "nothing is left"
