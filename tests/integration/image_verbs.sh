#!/bin/bash
# csn tag, save, image ls|inspect|history|verify|prune: one image through all of them.
. "$(dirname "$0")/lib.sh"

cd "$TMPDIR" || exit 1
csn() {
	"$BUILD/bin/csn" --root "$TMPDIR/root" --run-root "$TMPDIR/run" "$@"
}
mkdir -p rootfs/etc rootfs/bin
echo text >rootfs/etc/file
ln -s file rootfs/etc/link
head -c 70000 /dev/urandom >rootfs/bin/large
tar -C rootfs -cf rootfs.tar .
t_ok "import" csn import rootfs.tar one

t_ok "tag" csn tag one two:2 reg.example:5000/three
t_is "$(csn image ls -q | sort -u | wc -l)" 1 "all names are one image"
t_is "$(csn images --format json | grep -c '"reference"')" 3 "of which there are three"
t_ok "tag by the beginning of an id" csn tag "$(csn images -q | head -n 1 | cut -c8-19)" four
t_fails_with 'image "nine" does not exist' csn tag nine ten
t_fails_with "name 'x@sha256:$(printf '%064d' 0)': a tag cannot have a digest" csn tag one "x@sha256:$(printf '%064d' 0)"

csn image inspect one >out
t_ok "inspect has the manifest and the config" grep -qE '"manifest":\{.*"config":\{.*"diff_ids"' out
t_ok "history says how it was made" grep -q 'caisson import' <(csn image history one)

# ---- save ----------------------------------------------------------------------------------------

t_ok "save" csn save -o saved.tar one two:2
csn save one two:2 >again.tar
t_ok "the same archive each time, also to standard output" cmp saved.tar again.tar
rm -rf other
t_ok "it is loaded again" "$BUILD/bin/csn" --root "$TMPDIR/other" --run-root "$TMPDIR/orun" load -q saved.tar
t_is "$("$BUILD/bin/csn" --root "$TMPDIR/other" --run-root "$TMPDIR/orun" images -q | sort -u)" \
	"$(csn images -q | sort -u)" "and is what it was"
if command -v skopeo >/dev/null; then
	t_ok "skopeo reads it as an OCI archive" skopeo --insecure-policy inspect oci-archive:saved.tar:2
	t_ok "and as a docker archive" skopeo --insecure-policy copy -q docker-archive:saved.tar:docker.io/library/one:latest dir:copied
else
	t_skip "skopeo reads it" "skopeo is not installed"
fi
t_fails_with 'image "nine" does not exist' csn save -o none.tar one nine
t_ok "a save that fails leaves no file" test ! -e none.tar

# ---- verify --------------------------------------------------------------------------------------

t_ok "verify" csn image verify
layer=$(echo root/layers/sha256-*)
name=${layer##*/}
damaged() { # MESSAGE NAME
	csn image verify one >out 2>&1
	t_is "$?" 1 "verify fails when $2"
	t_is "$(cat out)" "csn: docker.io/library/one:latest: unpacked layer $name: $1" "and says it: $2"
}
touch -r "$layer/fs/bin/large" time
printf "XXXXXXXX" | dd of="$layer/fs/bin/large" bs=1 seek=60000 conv=notrunc status=none
touch -r time "$layer/fs/bin/large"
damaged "bin: large: its content differs" "one byte is another"
dd if=rootfs/bin/large of="$layer/fs/bin/large" conv=notrunc status=none
touch -r time "$layer/fs/bin/large"
t_ok "and not when it is back" csn image verify one
chmod 0777 "$layer/fs/etc/file"
damaged "etc: file: its mode differs" "a mode is another"
chmod 0644 "$layer/fs/etc/file"
touch -r "$layer/fs/etc" time
: >"$layer/fs/etc/more"
touch -r time "$layer/fs/etc"
damaged "etc: there is something that does not belong there" "there is a file more"
rm "$layer/fs/etc/more" "$layer/fs/etc/link"
touch -r time "$layer/fs/etc"
damaged "etc: link: it is missing" "a file is missing"
blob=$(find root/store/blobs -size +60k)
printf XXXXXXXX | dd of="$blob" bs=1 seek=60000 conv=notrunc status=none
csn image verify one >out 2>&1
t_like "$(cat out)" "blob sha256:${blob##*/}: its content has the digest" "a damaged blob is named"

# ---- prune ---------------------------------------------------------------------------------------

t_is "$(csn image prune)" "" "prune takes no names"
t_is "$(csn image prune --all | wc -l)" 4 "prune --all takes those of no container"
t_is "$(ls root/layers root/images; find root/store/blobs -type f)" "root/images:

root/layers:" "and everything with them"
