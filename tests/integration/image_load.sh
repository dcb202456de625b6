#!/bin/bash
# caisson-image as a process: what it prints, its exit status, two at once, one that is killed.
. "$(dirname "$0")/lib.sh"

root=$TMPDIR/root
image() {
	"$CAISSON_IMAGE" --root "$root" "$@"
}

sha() {
	sha256sum "$1" | cut -d' ' -f1
}

# add_blob FILE: into the layout, under its digest; prints "digest":…,"size":…
add_blob() {
	local hex
	hex=$(sha "$1")
	cp "$1" "$TMPDIR/layout/blobs/sha256/$hex"
	printf '"digest":"sha256:%s","size":%s' "$hex" "$(stat -c %s "$1")"
}

# Two layers and a whiteout. The first has some weight, so that there is something to interrupt.
mkdir -p "$TMPDIR"/{l1/bin,l1/etc,l2/etc} "$TMPDIR/layout/blobs/sha256"
for i in $(seq 300); do
	head -c 50000 /dev/urandom >"$TMPDIR/l1/etc/file$i"
done
cp "$(command -v busybox)" "$TMPDIR/l1/bin/"
echo two >"$TMPDIR/l2/etc/two"
: >"$TMPDIR/l2/etc/.wh.file1"
type=application/vnd.oci.image
for l in l1 l2; do
	tar -C "$TMPDIR/$l" --format=posix -cf "$TMPDIR/$l.tar" .
	gzip -1 -k "$TMPDIR/$l.tar"
	layers+=${layers:+,}"{\"mediaType\":\"$type.layer.v1.tar+gzip\",$(add_blob "$TMPDIR/$l.tar.gz")}"
	diff_ids+=${diff_ids:+,}"\"sha256:$(sha "$TMPDIR/$l.tar")\""
done
arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
echo "{\"architecture\":\"$arch\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"sh\"]},
	\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$diff_ids]}}" >"$TMPDIR/config"
echo "{\"schemaVersion\":2,\"layers\":[$layers],
	\"config\":{\"mediaType\":\"$type.config.v1+json\",$(add_blob "$TMPDIR/config")}}" >"$TMPDIR/manifest"
echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"$type.manifest.v1+json\",
	$(add_blob "$TMPDIR/manifest"),
	\"annotations\":{\"org.opencontainers.image.ref.name\":\"test/app:1\"}}]}" >"$TMPDIR/layout/index.json"
echo '{"imageLayoutVersion":"1.0.0"}' >"$TMPDIR/layout/oci-layout"
tar -C "$TMPDIR/layout" -cf "$TMPDIR/archive.tar" .

leftovers() {
	find "$root/tmp" "$root/layers" "$root/images" "$root/store/blobs/sha256" -mindepth 1 | head -n 3
}

# Bad sources first, in an empty store.
head -c 3000000 "$TMPDIR/archive.tar" >"$TMPDIR/short.tar"
out=$(image load "$TMPDIR/short.tar")
t_is $? 1 "a truncated archive: exit status"
t_is "$out" "{\"type\":\"error\",\"error\":\"$TMPDIR/short.tar: the archive is truncated or damaged: Truncated tar archive\",\"code\":22}" \
	"a truncated archive: its message"
out=$(image load /etc/passwd)
t_is "$out" '{"type":"error","error":"/etc/passwd: no image: neither a directory nor a tar file","code":22}' \
	"no archive at all: its message"
out=$(image load "$TMPDIR/l1.tar")
t_is "$out" "{\"type\":\"error\",\"error\":\"$TMPDIR/l1.tar: no image: neither index.json nor manifest.json is in it\",\"code\":22}" \
	"an archive that is no image: its message"
cp -r "$TMPDIR/layout" "$TMPDIR/lies"
liar=$(sha "$TMPDIR/l2.tar.gz")
head -c "$(stat -c %s "$TMPDIR/l2.tar.gz")" /dev/zero >"$TMPDIR/lies/blobs/sha256/$liar"
found=$(sha "$TMPDIR/lies/blobs/sha256/$liar")
out=$(image load "$TMPDIR/lies" | tail -n 1)
t_is "$out" "{\"type\":\"error\",\"error\":\"$TMPDIR/lies: blob sha256:$liar: its content has the digest sha256:$found\",\"code\":22}" \
	"a layer whose digest lies: its message"
out=$(image load - <"$TMPDIR/short.tar")
t_like "$out" '"error":"-: the archive is truncated' "a truncated archive by a pipe"
t_is "$(leftovers)" "" "bad images leave nothing in the store"

# Killed anywhere, it leaves nothing that counts, and the next one tidies up.
for delay in 0.01 0.03 0.06 0.1 0.15; do
	image load --no-sync "$TMPDIR/archive.tar" >/dev/null &
	sleep $delay
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
done
image load --no-sync - <"$TMPDIR/archive.tar" >"$TMPDIR/out"
t_is $? 0 "a load after killed ones"
t_is "$(tail -n 1 "$TMPDIR/out" | json_field reference)" docker.io/test/app:1 "it says what was loaded"
t_like "$(image --root "$TMPDIR/root3" load - <"$TMPDIR/archive.tar" | head -n 1)" '^\{"type":"progress","layer":"sha256:[0-9a-f]{64}","bytes":[0-9]+,"total":[0-9]+\}$' \
	"it says how far it is"
t_is "$(ls "$root/tmp")" "" "nothing unfinished is left"

# Two at once, into the same empty store.
root=$TMPDIR/root2
image load "$TMPDIR/archive.tar" >"$TMPDIR/out1" &
image load --name other:2 "$TMPDIR/layout" >"$TMPDIR/out2" &
wait
t_like "$(tail -n 1 "$TMPDIR/out1")" '"type":"result"' "two loads at once: the first"
t_like "$(tail -n 1 "$TMPDIR/out2")" '"type":"result"' "two loads at once: the second"
t_is "$(ls "$root/images" | wc -l)" 2 "two loads at once: two images"
t_is "$(grep -o ref.name "$root/store/index.json" | wc -l)" 2 "two loads at once: both in the index"
t_is "$(ls "$root/layers" | wc -l)" 2 "two loads at once: each layer once"
t_like "$(image list)" '"reference":"docker.io/library/other:2".*"reference":"docker.io/test/app:1"' "list"

# What overlayfs makes of the layers.
record=$(grep -l test/app "$root"/images/*.json)
lower=$(grep -o 'layers/[a-z0-9-]*/fs' "$record" | tac | sed "s|^|$root/|" | paste -sd:)
mkdir "$TMPDIR/merged"
t_ok "overlayfs takes the layers" mount -t overlay overlay -o "lowerdir=$lower" "$TMPDIR/merged"
cp -a "$TMPDIR/l1" "$TMPDIR/want"
rm "$TMPDIR/want/etc/file1"
cp -a "$TMPDIR/l2/etc/two" "$TMPDIR/want/etc/"
touch -r "$TMPDIR/l2/etc" "$TMPDIR/want/etc"
touch -r "$TMPDIR/l2" "$TMPDIR/want"
t_is "$("$BUILD/tests/unit/image_treesum" "$TMPDIR/merged" | sha256sum)" \
	"$("$BUILD/tests/unit/image_treesum" "$TMPDIR/want" | sha256sum)" "the merged tree is what tar would make"
umount "$TMPDIR/merged"

t_like "$(image remove app:9)" '"error":"no image .app:9.","code":2' "removing what is not there"
t_ok "remove" image remove test/app:1
t_is "$(image gc)" '{"type":"result","images":[],"layers_removed":0,"blobs_removed":0}' "gc keeps what another image has"
t_ok "remove the other" image remove other:2
t_is "$(image gc)" '{"type":"result","images":[],"layers_removed":2,"blobs_removed":4}' "gc frees what no image has"
t_is "$(leftovers)" "" "the store is empty again"

# import, from a pipe, compressed
out=$(gzip -dc "$TMPDIR/l1.tar.gz" | xz -0 | image import - rootfs:1 | tail -n 1)
t_is "$(json_field reference <<<"$out")" docker.io/library/rootfs:1 "import"
t_is "$(image import "$TMPDIR/config" x:1 | tail -n 1)" \
	"{\"type\":\"error\",\"error\":\"$TMPDIR/config: layer sha256:$(sha "$TMPDIR/config"): not a tar archive\",\"code\":22}" \
	"import of something else"
