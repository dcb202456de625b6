#!/bin/bash
# csn system df and prune; removing images while somebody is at work in the store.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

cd "$TMPDIR" || exit 1
number() { # KIND MEMBER
	csn system df -v --format json | python3 -c 'import json,sys
v = json.load(sys.stdin)
for k in sys.argv[1:]:
    v = v[int(k) if k.isdigit() else k]
print(v)' "$@"
}

# ---- df ------------------------------------------------------------------------------------------

t_fails_with "df: expected no arguments" csn system df extra

mkdir -p rootfs
head -c 300000 /dev/urandom >rootfs/file
tar -C rootfs -cf rootfs.tar .
csn import rootfs.tar other >/dev/null
csn tag other other:again
csn create --name one --network none box true >/dev/null
csn run --name two --network none -v data:/d box sh -c 'head -c 200000 /dev/zero >/written; head -c 100000 /dev/zero >/d/x'
csn commit two derived >/dev/null

t_is "$(number images total) $(number images active)" "3 1" "images are counted once, whatever their names"
layers=$(python3 -c 'import json,sys; print(sum(json.load(open(f))["size"] for f in sys.argv[1:]))' "$world"/root/layers/*/layer.json)
t_is "$(number images size_bytes)" "$layers" "their size is that of all layers"
t_ok "what no container stands on can be reclaimed" test "$(number images reclaimable_bytes)" -ge 500000
t_ok "and nothing else" test "$(number images reclaimable_bytes)" -lt 600000
t_is "$(number containers total) $(number containers active)" "2 0" "containers"
t_ok "with what they wrote" test "$(number containers size_bytes)" -ge 200000
t_is "$(number volumes total) $(number volumes active) $(number volumes reclaimable_bytes)" "1 1 0" "a volume in use"
t_ok "with what is in it" test "$(number volumes size_bytes)" -ge 100000
t_is "$(number blobs total) $(number blobs reclaimable_bytes)" "$(find "$world/root/store/blobs" -type f | wc -l) 0" "blobs"
# By reference: box, derived, other, other:again.
t_is "$(number image_items 0 containers) $(number image_items 0 unique_bytes)" "2 0" "an image that shares all it has"
t_is "$(number image_items 1 shared_bytes)" "$(number image_items 0 size_bytes)" "with the one made from it"
t_ok "which has something of its own" test "$(number image_items 1 unique_bytes)" -ge 200000
t_is "$(number image_items 2 shared_bytes)" 0 "names alone share nothing"
t_like "$(csn system df)" "Images +3 +1 +[0-9.]+MB" "a table for people"
t_like "$(csn system df -v)" "derived:latest +[0-9.]+MB +[0-9.]+MB +[0-9]+kB +0" "and one for each thing"

# ---- while somebody is at work ---------------------------------------------------------------------

# A session of the store, as a pull holds it: another import, which waits for its input.
mkfifo slow
csn import - slow:1 <slow >imported 2>&1 &
import=$!
exec 9>slow
head -c 512 rootfs.tar >&9
wait_until 10 test -n "$(ls "$world/root/tmp")"
start=$(date +%s)
t_ok "an image is removed at once" csn rmi other other:again
t_ok "without waiting" test $(($(date +%s) - start)) -lt 8
t_ok "its layers stay meanwhile" test "$(ls "$world/root/layers" | wc -l)" = 4
t_ok "so does another, by prune" csn image prune
tail -c +513 rootfs.tar >&9
exec 9>&-
wait $import
t_is "$(csn images --format json | grep -c slow:1)" 1 "the import ends well"
csn rmi slow:1 >/dev/null
t_is "$(ls "$world/root/layers" | wc -l)" 3 "and what was removed is gone afterwards"
t_ok "no reminder is left" test ! -e "$world/root/garbage"

# The one that is at work frees what was removed meanwhile, when it ends.
csn import rootfs.tar other >/dev/null
mkdir -p second && echo x >second/file && tar -C second -cf second.tar .
csn import - slow:2 <slow >imported 2>&1 &
import=$!
exec 9>slow
head -c 512 second.tar >&9
wait_until 10 test -n "$(ls "$world/root/tmp")"
csn rmi other >/dev/null
tail -c +513 second.tar >&9
exec 9>&-
wait $import
t_is "$(ls "$world/root/layers" | wc -l)" 4 "whoever ends last frees it"
csn rmi slow:2 >/dev/null

# ---- prune ---------------------------------------------------------------------------------------

echo partial >"$world/root/downloads/sha256-$(printf '%064d' 0)"
t_is "$(number downloads total)" 1 "a part of a download"
id=$(csn run -d --name runs --network none box sleep 1000)
csn system prune >out
t_is "$(grep -v Reclaimed out | sort | tr '\n' ' ')" "container one container two " "prune takes what has ended"
t_like "$(cat out)" "Reclaimed: [2-9][0-9.]+kB" "and says how much that was"
t_is "$(number downloads total)" 0 "parts of downloads, too"
t_is "$(csn ps -q | wc -l)" 1 "what runs stays"
t_is "$(csn volume ls -q)" data "so do volumes"
csn system prune -a --volumes -f >out
t_is "$(grep -v Reclaimed out | sort | tr '\n' ' ')" "image derived:latest " "with --all images"
csn kill "$id" >/dev/null
csn wait "$id" >/dev/null
csn system prune -a >/dev/null
t_is "$(ls "$world/root/layers" "$world/root/containers" "$world/root/images")" "$world/root/containers:

$world/root/images:

$world/root/layers:" "and in the end everything"
