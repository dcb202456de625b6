#!/bin/bash
# Devices of the host in containers: nodes with the right numbers, and rules that let them be used.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

# Nodes of the test's own, with numbers that do not fit in eight bits. 1:3 is what can be opened.
dev=$world/dev
mkdir -p "$dev/dir/below"
mknod -m 640 "$dev/big" c 511 70000 || t_skip_all "no device nodes can be made here"
chown 12:34 "$dev/big"
mknod -m 666 "$dev/sink" c 1 3
mknod -m 600 "$dev/disk" b 259 4097
mknod -m 666 "$dev/dir/one" c 1 5
mknod -m 666 "$dev/dir/below/two" c 1 7
ln -s sink "$dev/link"
ln -s ../sink "$dev/dir/link"
: >"$dev/file"

stat_of() { # OPTION... -- PATH...
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	csn run --rm "${options[@]}" box stat -c '%n %F %t:%T %a %u:%g' "$@"
}
t_is "$(stat_of --device "$dev/big:/dev/big" -- /dev/big)" \
	"/dev/big character special file 1ff:11170 640 12:34" "numbers, mode and owner are the host's"
t_is "$(stat_of --device "$dev/disk:/dev/x/disk:r" -- /dev/x/disk)" \
	"/dev/x/disk block special file 103:1001 600 0:0" "a block device"
t_is "$(stat_of --device "$dev/sink" -- "$dev/sink")" "$dev/sink character special file 1:3 666 0:0" "at the same path"
t_is "$(stat_of --device "$dev/link:/dev/link" -- /dev/link)" "/dev/link character special file 1:3 666 0:0" \
	"a link is what it names"
t_is "$(csn run --rm --device "$dev/dir:/dev/dir" box find /dev/dir -type c | sort)" $'/dev/dir/below/two\n/dev/dir/one' \
	"all devices of a directory, and no links"

rules() { # OPTION...: the container's rules
	csn create --name rules "$@" box true >/dev/null
	grep -o '"resources":{"devices":\[[^]]*\]' "$(csn_bundle rules)/config.json" | grep -o '\[.*'
	csn rm rules >/dev/null
}
none='{"allow":false,"access":"rwm"}'
t_is "$(rules)" "[$none]" "no device: no rule but the first"
t_is "$(rules --device "$dev/big:/dev/big" --device "$dev/disk:/dev/disk:rm")" \
	"[$none,{\"allow\":true,\"type\":\"c\",\"major\":511,\"minor\":70000,\"access\":\"rwm\"},{\"allow\":true,\"type\":\"b\",\"major\":259,\"minor\":4097,\"access\":\"rm\"}]" \
	"a rule for each"
t_is "$(rules --privileged --device "$dev/big")" '[{"allow":true,"access":"rwm"}]' "privileged: every device"
csn create --name kept --device "$dev/big:/dev/big:r" box true >/dev/null
t_ok "an update" csn update --cpu-shares 512 kept
t_ok "leaves them" grep -qF '"major":511,"minor":70000,"access":"r"}' "$(csn_bundle kept)/config.json"
csn rm kept >/dev/null

# What the rules do, with a device that is not one of the usual and can be opened here.
real=
for each in /dev/fuse /dev/loop0 /dev/kvm; do
	if [ -e "$each" ] && (exec 3<"$each") 2>/dev/null; then
		real=$each
		break
	fi
done
if [ -n "$real" ]; then
	t_ok "a device that was given can be read" csn run --rm --device "$real:/dev/real:r" box sh -c 'exec 3</dev/real'
	t_like "$(csn run --rm --device "$real:/dev/real:r" box sh -c 'exec 3<>/dev/real' 2>&1)" "/dev/real: Operation not permitted" "and no more"
	kind=$([ -b "$real" ] && echo b || echo c)
	t_like "$(csn run --rm --cap-add MKNOD box sh -c "mknod /dev/k $kind $(stat -c '$((0x%t)) $((0x%T))' "$real") && exec 3</dev/k" 2>&1)" \
		"open /dev/k: Operation not permitted" "one that was not given cannot be opened"
else
	t_skip "what the rules do" "no other device can be opened here"
fi

refused() { # WORDS VALUE
	t_fails_with "$1" csn run --rm --device "$2" box true
}
refused '--device "x": expected HOST[:CONTAINER][:ACCESS], where ACCESS is of "rwm"' x
refused '--device "/dev/null:rx": expected HOST[:CONTAINER][:ACCESS], where ACCESS is of "rwm"' /dev/null:rx
refused '--device "/dev/null:rr": expected HOST[:CONTAINER][:ACCESS], where ACCESS is of "rwm"' /dev/null:rr
refused '--device "/dev/null:/dev/x:": expected HOST[:CONTAINER][:ACCESS], where ACCESS is of "rwm"' /dev/null:/dev/x:
refused "device \"$dev/nothing\": No such file or directory" "$dev/nothing"
refused "\"$dev/file\" is no device" "$dev/file"
mkdir "$dev/empty"
refused "\"$dev/empty\" has no device below it" "$dev/empty"
t_fails_with 'device "/dev/x": given twice' csn run --device "$dev/big:/dev/x" --device "$dev/sink:/dev/x" box true
t_is "$(csn ps -a -q)" "" "nothing is left of those"

# ---- a service's --------------------------------------------------------------------------------
service() { # DEVICES: makes container s-rep-1
	cat >"$TMPDIR/s.yaml" <<-END
		version: v1
		deployment: devices
		services:
		  s:
		    image: {name: 'box:latest'}
		    network_mode: none
		    command: {args: [stat, -c, '%t:%T %a %u:%g', '$dev/big']}
		    devices: $1
	END
	csn create --spec "$TMPDIR/s.yaml" --service s
}
t_ok "a service with a device" service "[{path: '$dev/big', write: false, mknod: true}]"
t_ok "its rule" grep -qF '"major":511,"minor":70000,"access":"rm"}' "$(csn_bundle s-rep-1)/config.json"
csn start s-rep-1 >/dev/null
csn wait s-rep-1 >/dev/null
t_is "$(csn logs s-rep-1)" "1ff:11170 666 0:0" "its node"
t_ok "without access it may be read and written" service "[{path: '$dev/big', read: false, write: false}]"
t_ok "as the rule says" grep -qF '"minor":70000,"access":"rw"}' "$(csn_bundle s-rep-1)/config.json"
t_fails_with "Failed to create container 's-rep-1': device \"$dev/gone\": No such file or directory" service "[{path: '$dev/gone'}]"
csn rm s-rep-1 >/dev/null 2>&1 || true
