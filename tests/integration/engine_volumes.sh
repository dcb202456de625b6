#!/bin/bash
# Volumes of the engine: named ones outlive containers, a container's own goes with it; both begin
# with what the image has there. Mounts of every kind and their options.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

t_is "$(csn volume create data)" data "a volume is made"
t_ok "and again" csn volume create data
t_is "$(csn run --rm --network none -v data:/d box sh -c 'echo kept >/d/file; ls /d')" file \
	"a container writes to it"
t_is "$(csn run --rm --network none -v data:/d:ro box sh -c 'cat /d/file; touch /d/x 2>&1')" \
	$'kept\ntouch: /d/x: Read-only file system' "another reads it, and no more"
t_is "$(csn run --rm --network none -v fresh:/f box sh -c 'ls /f; stat -c %a /f')" 755 \
	"one that is named comes to be"
t_is "$(csn volume ls -q | tr '\n' ' ')" "data fresh " "both are listed"

csn create --name user --network none -v data:/d box true >/dev/null
id=$(csn inspect user | json_field id)
t_fails_with "volume \"data\" is used by container ${id:0:12}" csn volume rm data
t_like "$(csn volume ls --format json | tr -d ' \n')" "\"name\":\"data\",\"path\":\"[^\"]*/volumes/data/data\",\"used_by\":\\[\"$id\"\\]" \
	"by whom is told"
t_ok "the container goes" csn rm user
t_ok "then it can be removed" csn volume rm data fresh
t_is "$(csn volume ls -q)" "" "and is gone"
t_fails_with 'volume "data" does not exist' csn volume rm data

# ---- a container's own ------------------------------------------------------------------------------
csn create --name own --network none -v /own box sh -c 'ls /own; touch /own/file' >/dev/null
t_is "$(csn start -a own)" "" "an empty directory"
t_is "$(csn start -a own)" file "which the next start finds as it was"
bundle=$(csn_bundle own)
t_ok "it is the container's" [ -e "$bundle/volumes/0/file" ]
t_ok "and goes with it" csn rm -v own
t_ok "all of it" [ ! -e "$bundle" ]

# ---- bad names ----------------------------------------------------------------------------------------
long=$(printf 'a%.0s' {1..129})
for name in .hidden 'a b' "$long"; do
	t_fails_with "volume \"$name\": expected 1 to 128 of [a-zA-Z0-9_.-], first a letter or digit" \
		csn volume create "$name"
done
t_fails_with "volume \"../x\": expected 1 to 128 of [a-zA-Z0-9_.-], first a letter or digit" \
	csn volume rm ../x
t_fails_with 'mount source "a b": expected an absolute path, or the name of a volume' \
	csn run --network none -v 'a b:/x' box true
t_fails_with 'mount target "x": expected an absolute path' csn run --network none -v data:x box true
t_fails_with '--volume "data:": expected [SRC:]DST[:OPTIONS]' csn run -v data: box true
t_is "$(csn volume ls -q)" "" "none of that made a volume"

# ---- what the image has there ------------------------------------------------------------------------
canary=$TMPDIR/canary
mkdir -p "$canary"
echo secret >"$canary/file"
image() { # NAME VOLUME...
	local name=$1
	shift
	python3 "$(dirname "$0")/volume_image.py" "$TMPDIR/image.tar" "$name" "$canary" "$@" &&
		csn load -i "$TMPDIR/image.tar" >/dev/null
}
t_ok "an image with two layers" image full:1
run() { csn run --rm --network none "$@"; }
volume() { echo "$world/root/volumes/$1/data"; }

t_is "$(run -v v1:/data full:1 sh -c 'cd /data; ls; cat file covered/* merged/*')" \
	$'again\ncovered\nfifo\nfile\nhost\nhostfile\nmerged\nsuid\nof the image\nnew\nabove\nbelow' \
	"a new volume begins with the image's files, over all layers"
v=$(volume v1)
t_is "$(stat -c '%u:%g %a' "$v" "$v/file" "$v/suid" "$v/fifo" | tr '\n' ' ')" \
	"1000:1001 2750 1000:1001 640 0:0 4755 7:0 644 " "with owners and modes"
t_is "$(stat -c '%i %h %Y' "$v/file")" "$(stat -c %i "$v/again") 2 1000000000" "hard links and times"
if getfattr -n user.kind "$v/file" >/dev/null 2>&1 || [ "$(stat -f -c %T "$v")" != tmpfs ]; then
	t_is "$(getfattr --only-values -n user.kind "$v/file" 2>/dev/null)" image "and extended attributes"
fi
t_is "$(readlink "$v/host")" "$canary" "links are links"
t_is "$(grep -rs secret "$v"; find "$v" -type f -newer "$canary/file" -name inner)" "" "and nothing of the host is in it"
run -v v1:/data full:1 sh -c 'rm /data/suid; echo mine >/data/file'
t_is "$(run -v v1:/data full:1 sh -c 'cat /data/file; ls /data/suid 2>&1')" \
	$'mine\nls: /data/suid: No such file or directory' "the second time it stays as it is"
csn volume create v2 >/dev/null
t_is "$(run -v v2:/data:ro full:1 cat /data/file)" "of the image" "one that was made before and is empty is filled"
t_is "$(run -v v3:/data:nocopy full:1 ls /data)" "" "with nocopy nothing is"
t_is "$(run --mount type=volume,src=v3,dst=/data,volume-nocopy full:1 ls /data)" "" "nor in --mount's words"
t_is "$(run -v v3:/data full:1 cat /data/file)" "of the image" "but the next time, because it is empty"
t_is "$(run -v v4:/linked full:1 cat /data/file)" "of the image" "a link of the image leads inside the image"
for link in outside absolute; do
	run -v "v-$link:/$link" full:1 true >/dev/null 2>&1
	t_is "$(ls -A "$(volume "v-$link")")" "" "$link: a link out of it leads nowhere"
done
t_is "$(run -v v5:/empty full:1 stat -c '%u:%g %a' /empty)" "33:34 700" "an empty directory's owner and mode"
t_is "$(run -v v6:/none full:1 stat -c '%u:%g %a' /none)" "0:0 755" "one that the image does not have"
t_is "$(ls "$canary"; cat "$canary/file")" $'file\nsecret' "the host's directory is untouched"

# Killed while it fills: what is half copied shows nowhere, what is ready comes to its end.
csn volume create crashed >/dev/null
c=$world/root/volumes/crashed
mkdir "$c/filling" "$c/ready"
echo half >"$c/filling/file"
echo whole >"$c/ready/file"
chown 5:6 "$c/ready"
t_is "$(run -v crashed:/data full:1 sh -c 'ls /data; cat /data/file; stat -c %u:%g /data')" $'file\nwhole\n5:6' \
	"after a crash the rest is moved in"
mkdir "$c/filling"
t_ok "recover" csn system recover
t_is "$(ls "$c" | tr '\n' ' ')" "data volume.json " "takes the rest away"

# ---- volumes of the image ---------------------------------------------------------------------------
t_ok "an image with VOLUMEs" image vols:1 /data /none/deep ../../empty
csn create --name anon --network none -v v1:/data vols:1 sh -c 'ls /data /none/deep; stat -c %u /empty; touch /none/deep/x' >/dev/null
b=$(csn_bundle anon)
t_is "$(ls "$b/volumes" | wc -l)" 2 "each makes one of the container's own, but where something is mounted"
t_is "$(csn start -a anon | tail -n 1)" 33 "begun with the image's"
csn rm anon >/dev/null
t_is "$(csn volume ls -q | grep -c '^[0-9a-f]\{64\}$')" 2 "rm keeps them"
t_like "$(csn volume inspect "$(csn volume ls -q | grep '^[0-9a-f]\{64\}$' | head -n 1)" | tr -d ' \n')" '"anonymous":true' "as anonymous ones"
t_is "$(csn volume prune | wc -l)" 2 "which prune removes"
t_ok "and no others" csn volume inspect v1
csn create --name anon --network none vols:1 true >/dev/null
csn rm -v anon >/dev/null
run vols:1 true
t_is "$(csn volume ls -q | grep -c '^[0-9a-f]\{64\}$')" 0 "rm -v and --rm keep none"
t_is "$(ls "$world/root/unfinished")" "" "nor leave anything"
image bad:1 / >/dev/null
t_fails_with 'image "docker.io/library/bad:1": Volumes: "/": expected a directory below "/"' csn create --network none bad:1 true

# ---- who uses what ----------------------------------------------------------------------------------
csn create --name one --network none -v v1:/data full:1 true >/dev/null
csn create --name two --network none --mount type=volume,source=v1,target=/x full:1 true >/dev/null
ids=$(for c in one two; do echo "$(csn inspect $c | json_field id)"; done | cut -c1-12 | sort)
got=$(csn volume rm v1 2>&1)
t_is "$(grep -oE '[0-9a-f]{12}' <<<"$got" | sort)" "$ids" "rm names all users"
t_ok "prune --all" csn volume prune --all
t_is "$(csn volume ls -q)" v1 "leaves what is used"
csn rm one two >/dev/null
csn volume create -l tier=gold -l empty labelled >/dev/null
t_like "$(csn volume inspect labelled | tr -d ' \n')" '"labels":\{"tier":"gold","empty":""\}' "labels are kept"
t_fails_with 'volume "nothing" does not exist' csn volume inspect nothing
t_fails_with 'label "=x": expected KEY=value' csn volume create -l =x bad
csn volume prune --all >/dev/null

# ---- tmpfs, /dev/shm and options -----------------------------------------------------------------------
options() { sed -n "s|^[^ ]* $1 [^ ]* \([^ ]*\).*|\1|p"; }
t_is "$(run --tmpfs /t box sh -c 'stat -c %a /t; grep " /t " /proc/mounts' | tail -n 1 | cut -d' ' -f4 | cut -d, -f1-4)" \
	"rw,nosuid,nodev,noexec" "--tmpfs"
t_like "$(run --tmpfs /t:size=64k,mode=700,exec box sh -c 'stat -c %a /t; grep " /t " /proc/mounts')" \
	$'^700\ntmpfs /t tmpfs rw,nosuid,nodev,relatime,.*size=64k,mode=700' "with options"
t_like "$(run --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=755,ro box grep ' /t ' /proc/mounts)" \
	'^tmpfs /t tmpfs ro,.*size=1024k,mode=755' "--mount type=tmpfs"
t_like "$(run --shm-size 1m box grep ' /dev/shm ' /proc/mounts)" 'size=1024k' "--shm-size"
t_is "$(run -v "$canary:/dev/shm:ro" box cat /dev/shm/file)" secret "a mount of one's own at /dev/shm"
echo "127.0.0.9 mine" >"$TMPDIR/hosts"
t_is "$(run -v "$TMPDIR/hosts:/etc/hosts" box cat /etc/hosts)" "127.0.0.9 mine" "and at /etc/hosts"
mkdir -p "$TMPDIR/out/in" && mount -t tmpfs tmpfs "$TMPDIR/out/in"
t_like "$(run -v "$TMPDIR/out:/o:ro" box sh -c 'touch /o/x /o/in/x' 2>&1)" $'/o/x: Read-only.*\n.*/o/in/x: Read-only' \
	"read-only is so for what is mounted below"
t_is "$(run --mount "type=bind,src=$TMPDIR/out,dst=/o,bind-recursive=disabled" box grep -c ' /o' /proc/mounts)" 1 \
	"without what is mounted below"
t_is "$(run -v "$TMPDIR/out/in:/o/p" -v "$TMPDIR/out:/o" box grep ' /o' /proc/mounts | cut -d' ' -f2 | tr '\n' ' ')" \
	"/o /o/in /o/p " "a directory comes before what is below it"
umount "$TMPDIR/out/in"
mount --bind "$TMPDIR/out" "$TMPDIR/out" && mount --make-shared "$TMPDIR/out"
csn run -d --name follower --network none --mount "type=bind,src=$TMPDIR/out,dst=/o,bind-propagation=rslave" box sleep 100 >/dev/null
csn run -d --name loner --network none -v "$TMPDIR/out:/o" box sleep 100 >/dev/null
mount -t tmpfs tmpfs "$TMPDIR/out/in"
t_is "$(csn exec follower grep -c ' /o/in ' /proc/mounts)" 1 "rslave: what the host mounts later is seen"
t_is "$(csn exec loner grep -c ' /o/in ' /proc/mounts)" 0 "which by default is not"
csn rm -f follower loner >/dev/null
umount "$TMPDIR/out/in" "$TMPDIR/out"

t_fails_with 'mount "/t": option "size=x": expected a size above 0, such as 64m, or a percentage' run --tmpfs /t:size=x box true
t_fails_with 'mount "/t": option "mode=9": expected an octal mode' run --tmpfs /t:mode=9 box true
t_fails_with 'mount "/t": option "rshared": expected another one: it is unknown' run --tmpfs /t:rshared box true
t_fails_with 'mount "/x": option "size=1m": expected another one: it is unknown' run -v data:/x:size=1m box true
t_fails_with 'mount target "/x": given twice' run -v a:/x --tmpfs /x box true
t_fails_with 'mount target "/.": nothing may be mounted over "/"' run -v a:/. box true
t_fails_with '--mount "type=nfs,dst=/x": type: expected bind, volume or tmpfs' run --mount type=nfs,dst=/x box true
t_fails_with '--mount "type=tmpfs": target: expected an absolute path' run --mount type=tmpfs box true
t_fails_with '--mount "type=bind,dst=/x": source: expected a path of the host' run --mount type=bind,dst=/x box true
t_fails_with '--mount "dst=/x,tmpfs-size=1": tmpfs-size: expected it with another type only' run --mount dst=/x,tmpfs-size=1 box true
t_fails_with '--mount "dst=/x,foo=1": foo: expected another key: it is unknown' run --mount dst=/x,foo=1 box true
t_fails_with '--shm-size "0": expected a size above 0, such as 64m' run --shm-size 0 box true
