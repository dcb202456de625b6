#!/bin/bash
# The image store as a place: what a power cut may do to it and how it is undone; others read it.
. "$(dirname "$0")/lib.sh"

cd "$TMPDIR" || exit 1
image() {
	"$CAISSON_IMAGE" --root "$TMPDIR/root" "$@"
}
mkdir -p rootfs/etc rootfs/bin
echo text >rootfs/etc/file
head -c 100000 /dev/urandom >rootfs/bin/large
tar -C rootfs -cf rootfs.tar .

t_ok "import" image import rootfs.tar t
t_ok "a marker says what may not be on disk" test "$(cat root/unsynced/*)" = "$(cat /proc/sys/kernel/random/boot_id)"
layer=$(echo root/layers/sha256-*)

# The machine went down before it was written: the marker is of another boot, a file is empty.
cut_power() {
	image remove t >/dev/null
	image gc >/dev/null # or the layer, long on disk, would serve again
	image import rootfs.tar t >/dev/null
	for marker in root/unsynced/*; do
		echo 00000000-0000-0000-0000-000000000000 >"$marker"
	done
}
cut_power
: >"$layer/fs/bin/large"
t_ok "the next command" image list
t_ok "makes the layer again" cmp rootfs/bin/large "$layer/fs/bin/large"
t_is "$(find root/unsynced -type f -newermt '-5 seconds' | wc -l)" 1 "and marks it"
grep -q 00000000 root/unsynced/* && t_fail "the marker of the other boot is gone" || t_pass "the marker of the other boot is gone"

cut_power
: >"$layer/layer.json"
: >root/store/index.json
t_ok "a torn record of a layer and a torn index" image list
t_ok "are made again" grep -q sha256 root/store/index.json "$layer/layer.json"

cut_power
blob=$(find root/store/blobs -size +90k)
printf X | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
t_ok "with a damaged blob" image list
image list >out
t_is "$(grep -c '"reference"' out)" 0 "the image is lost, not wrong"
t_ok "and the blob out of the way" test ! -e "$blob"
t_ok "so that it can come again" image import rootfs.tar t

cut_power
: >"$(echo root/images/*.json)"
image list >out
t_ok "a torn image record is told" grep -q '"warning":".*is lost: ' out

# Markers go once their time has passed.
image import rootfs.tar t >/dev/null
touch -d '-2 minutes' root/unsynced/*
image list >out
t_is "$(ls root/unsynced)" "" "what is on disk is not marked any more"

if command -v skopeo >/dev/null; then
	t_ok "skopeo reads the store" skopeo --insecure-policy inspect oci:root/store:docker.io/library/t:latest
else
	t_skip "skopeo reads the store" "skopeo is not installed"
fi

# csn run notices, too.
if [ -x "$BUILD/bin/csn" ]; then
	image remove t >/dev/null
	image gc >/dev/null # or the layer, long on disk, would serve again
	image import rootfs.tar t >/dev/null
	for marker in root/unsynced/*; do
		echo 00000000-0000-0000-0000-000000000000 >"$marker"
	done
	: >"$layer/fs/bin/large"
	"$BUILD/bin/csn" --root "$TMPDIR/root" --run-root "$TMPDIR/run" create --name c t /bin/large >/dev/null 2>&1
	t_ok "csn create makes the layer again" cmp rootfs/bin/large "$layer/fs/bin/large"
	"$BUILD/bin/csn" --root "$TMPDIR/root" --run-root "$TMPDIR/run" rm -f c >/dev/null 2>&1
fi
