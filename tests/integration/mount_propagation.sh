#!/bin/bash
# Who sees whose mounts. A mount that is shared on the host has peers: what is mounted below one
# appears below all. A bind of it must not carry that into the container, in either direction,
# unless the config says so (config.md "mounts", config-linux.md "rootfsPropagation").
. "$(dirname "$0")/lib.sh"

b=$TMPDIR/b
vol=$TMPDIR/vol
make_busybox_rootfs "$b/rootfs"
mkdir -p "$b/rootfs/in" "$vol"
mount -t tmpfs tmpfs "$vol" && mount --make-shared "$vol"
mkdir "$vol/sub" "$vol/late"
# The bundle's root lies on a shared mount of its own too, as it does on a host with systemd.
mount --bind "$b" "$b" && mount --make-shared "$b"
caps='{"bounding": ["CAP_SYS_ADMIN"], "effective": ["CAP_SYS_ADMIN"], "permitted": ["CAP_SYS_ADMIN"]}'

# seen OPTIONS [ROOT]: what crosses, of a mount made inside the volume, one made in the root, and
# one made on the host later: "up root down", or less.
seen() {
	local fields got=
	make_bundle "$b" caps="$caps" ${2:+linux="\"rootfsPropagation\": \"$2\""} \
		more_mounts="{\"destination\": \"/in\", \"type\": \"bind\", \"source\": \"$vol\", \"options\": [$1]}" \
		args="$(json_array sh -c 'mount -t tmpfs up /in/sub && mkdir -p /r && mount -t tmpfs root /r &&
			touch /tmp/ready; until [ -e /tmp/go ]; do sleep 0.05; done
			grep -c " /in/late " /proc/self/mountinfo >/tmp/down; touch /tmp/done; sleep 1000')"
	rm -f "$b"/rootfs/tmp/*
	"$CAISSON" run --detach -b "$b" p || return
	wait_until 10 test -e "$b/rootfs/tmp/ready" || echo "not ready"
	grep -q " $vol/sub " /proc/self/mountinfo && got+=" up"
	grep -q " $b/rootfs/r " /proc/self/mountinfo && got+=" root"
	mount -t tmpfs down "$vol/late"
	touch "$b/rootfs/tmp/go"
	wait_until 10 test -e "$b/rootfs/tmp/done" || echo "not done"
	[ "$(cat "$b/rootfs/tmp/down")" = 0 ] || got+=" down"
	"$CAISSON" delete --force p
	umount "$vol/late"
	umount "$vol/sub" 2>/dev/null
	umount "$b/rootfs/r" 2>/dev/null
	echo $got
}

t_is "$(seen '"rbind"')" "" "a bind is private"
t_is "$(seen '"bind"' private)" "" "and in a private root"
t_is "$(seen '"rbind"' shared)" "" "and in a shared root, which is no peer of the host's"
t_is "$(seen '"rbind"' rslave)" "down" "a slave root: the bind follows the host"
t_is "$(seen '"rbind", "rslave"')" "down" "a slave follows the host and never leads"
t_is "$(seen '"rbind", "rslave"' rprivate)" "down" "its own options come before those of the root"
t_is "$(seen '"rbind", "rprivate"' rslave)" "" "so too when they say private"
t_is "$(seen '"rbind", "rshared"')" "down" "shared alone is a new group of peers, below the host's"
t_is "$(seen '"rbind", "rshared"' shared)" "up down" "shared in a shared root is the host's peer, as asked"
t_is "$(seen '"rbind", "rslave"' rshared)" "down" "a root that is shared with all below spares the others"

propagation() { # ROOT: the optional fields of "/" and of "/in", whose order is the kernel's
	make_bundle "$b" linux="\"rootfsPropagation\": \"$1\"" \
		more_mounts="{\"destination\": \"/in\", \"source\": \"$vol\", \"options\": [\"bind\", \"rprivate\"]}" \
		args='["awk", "$5 == \"/\" || $5 == \"/in\" { sub(/:.*/, \"\", $7); print $5, $7 }", "/proc/self/mountinfo"]'
	run_container "$b"
	echo $(sort <<<"$output" | cut -d " " -f 2)
}
t_is "$(propagation shared)" "shared -" "rootfsPropagation shared"
t_is "$(propagation rshared)" "shared -" "rshared: a mount's own option stands"
t_is "$(propagation slave)" "master -" "slave"
t_is "$(propagation private)" "- -" "private"
t_is "$(propagation unbindable)" "unbindable -" "unbindable"

umount "$b" "$vol"
