#!/bin/bash
# Pull and push against Debian's docker-registry, with skopeo and umoci as witnesses; what the pull
# policies mean; several pullers at once; pullers that are killed.
#
# CSN_KILLS: how many pullers are killed (15).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/registry.sh"
command -v docker-registry >/dev/null || t_skip_all "docker-registry is not installed"

make_layout "$TMPDIR/layout" 1500 1500 1
want=$(layout_digest "$TMPDIR/layout")
start_registry r 5001
at=127.0.0.1:5001
number=0

fresh() {
	root=$TMPDIR/root$((++number))
}

asked() {
	grep -c -- "$1" "$TMPDIR/r.log"
}

digest() {
	tail -n 1 | json_field digest
}

# ---- push: blobs by POST and PUT, the manifest by PUT; what is there is not sent again ---------
root=$TMPDIR/source
image load --name app:1 "$TMPDIR/layout" >/dev/null
t_is "$(image push app:1 $at/a/app:1 | digest)" "$want" "push"
t_is "$(asked '"POST /v2/a/app/blobs/uploads/ HTTP')" 4 "an upload for each blob"
t_is "$(asked '"PUT /v2/a/app/blobs/uploads/.*digest=sha256')" 4 "in one piece"
t_is "$(asked '"PUT /v2/a/app/manifests/1 ')" 1 "and the manifest"
image push app:1 $at/a/app:2 >/dev/null
t_is "$(asked '"POST /v2/a/app/')" 4 "another tag sends no blob again"
root=$TMPDIR/source image pull --no-sync $at/a/app:1 >/dev/null
image push app:1 $at/b/other:1 >/dev/null
t_is "$(asked '"POST /v2/b/other/blobs/uploads/?mount=sha256')" 4 "another repository mounts the blobs"
t_is "$(asked '"PUT /v2/b/other/blobs')" 0 "and sends none"
t_is "$(image push none:1 $at/a/x:1 | image_error)" "no image 'none:1'" "an image that is not there"
t_is "$(image push app:1 "$at/a/x@sha256:$(printf '%064d' 0)" | image_error)" \
	"the image has the digest $want: it cannot be pushed as sha256:$(printf '%064d' 0)" "a destination of another digest"

# ---- the witnesses -----------------------------------------------------------------------------
if command -v skopeo >/dev/null; then
	skopeo() {
		command skopeo --insecure-policy "$@"
	}
	t_is "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' docker://$at/b/other:1)" "$want" "skopeo sees the digest"
	t_ok "skopeo takes it back" skopeo copy --src-tls-verify=false docker://$at/b/other:1 oci:"$TMPDIR/back":1
	t_is "$(layout_digest "$TMPDIR/back")" "$want" "with the same digest"
	t_ok "skopeo reads our store as it is" skopeo inspect "oci:$root/store:$at/a/app:1"
	skopeo copy --dest-tls-verify=false --format v2s2 oci:"$TMPDIR/layout" docker://$at/a/docker:1 >/dev/null 2>&1
	fresh
	t_like "$(image pull --no-sync $at/a/docker:1 | digest)" '^sha256:' "Docker's schema 2"
	t_is "$(grep -o 'docker.distribution.manifest.v2' "$root/store/index.json" | head -n 1)" docker.distribution.manifest.v2 "is kept as it was"
	skopeo copy --dest-tls-verify=false --dest-compress-format zstd --dest-compress oci:"$TMPDIR/layout" docker://$at/a/zstd:1 >/dev/null 2>&1
	fresh
	t_like "$(image pull --no-sync $at/a/zstd:1 | digest)" '^sha256:' "layers in zstd"
else
	t_skip "skopeo" "not installed"
fi
if command -v umoci >/dev/null; then
	fresh
	image pull --no-sync $at/a/app:1 >/dev/null
	cp -r "$root/store" "$TMPDIR/plain-name"
	sed -i 's|"org.opencontainers.image.ref.name":"[^"]*"|"org.opencontainers.image.ref.name":"one"|' "$TMPDIR/plain-name/index.json"
	t_ok "umoci unpacks our store" umoci unpack --image "$TMPDIR/plain-name:one" "$TMPDIR/bundle"
	mkdir "$TMPDIR/merged"
	lower=$(grep -oh 'layers/[a-z0-9-]*/fs' "$root"/images/*.json | tac | sed "s|^|$root/|" | paste -sd:)
	mount -t overlay overlay -o "lowerdir=$lower" "$TMPDIR/merged"
	t_is "$(cd "$TMPDIR/merged" && find . -type f | sort | xargs sha256sum | sha256sum)" \
		"$(cd "$TMPDIR/bundle/rootfs" && find . -type f | sort | xargs sha256sum | sha256sum)" "to what we unpacked"
	umount "$TMPDIR/merged"
else
	t_skip "umoci" "not installed"
fi

# ---- pull --------------------------------------------------------------------------------------
fresh
t_is "$(image pull --no-sync $at/a/app@$want | digest)" "$want" "by digest"
t_is "$(image pull --no-sync "$at/a/app:9@$want" | digest)" "$want" "a digest wins over a tag"
t_is "$(image pull $at/a/app:9 | image_error)" "registry $at: a/app:9: not found: manifest unknown" "a tag that is not there"
t_is "$(image pull $at/a/none:1 | image_error)" "registry $at: a/none:1: not found: manifest unknown" "a repository that is not there"
t_is "$(image pull "$at/a/app@sha256:$(printf '%064d' 0)" | image_error)" \
	"registry $at: a/app@sha256:$(printf '%064d' 0): not found: manifest unknown" "a digest that is not there"
t_like "$(image pull "$at/../../x" | image_error)" "^image name '$at/\.\./\.\./x': " "a name that is none"

# ---- policies ----------------------------------------------------------------------------------
fresh
t_is "$(image pull --policy never $at/a/app:1 | image_error)" \
	"image \\\"$at/a/app:1\\\" does not exist, and the pull policy is never" "never: not here"
: >"$TMPDIR/r.log"
t_is "$(image pull --no-sync --policy if-not-present $at/a/app:1 | digest)" "$want" "if-not-present: not here, pulled"
: >"$TMPDIR/r.log"
t_is "$(image pull --policy if-not-present $at/a/app:1 | digest)" "$want" "if-not-present: here"
t_is "$(image pull --policy never $at/a/app:1 | digest)" "$want" "never: here"
t_is "$(cat "$TMPDIR/r.log")" "" "neither asks the registry"
for policy in newer always; do
	: >"$TMPDIR/r.log"
	t_is "$(image pull --policy $policy $at/a/app:1 | digest)" "$want" "$policy: unchanged"
	t_is "$(asked /manifests/) $(asked /blobs/)" "1 0" "$policy: asks for the manifest and no more"
done
make_layout "$TMPDIR/layout2" 10
new=$(layout_digest "$TMPDIR/layout2")
root=$TMPDIR/source image load --name app:2 "$TMPDIR/layout2" >/dev/null
root=$TMPDIR/source image push app:2 $at/a/app:1 >/dev/null
t_is "$(image pull --policy if-not-present $at/a/app:1 | digest)" "$want" "if-not-present: changed, and left alone"
cp -a "$root" "$TMPDIR/twin"
t_is "$(image pull --no-sync --policy newer $at/a/app:1 | digest)" "$new" "newer: changed, pulled"
root=$TMPDIR/twin
t_is "$(image pull --no-sync --policy always $at/a/app:1 | digest)" "$new" "always: changed, pulled"
stop_servers
out=$(image pull --policy newer $at/a/app:1)
t_is "$(digest <<<"$out")" "$new" "newer: no answer, what is here will do"
t_is "$(grep -o '"warning":.*' <<<"$out")" \
	"\"warning\":\"registry $at: cannot connect: Connection refused; the image that is here is taken\"}" "newer: and says so"
t_is "$(image pull --policy always $at/a/app:1 | image_error)" "registry $at: cannot connect: Connection refused" "always: no answer"
t_is "$(image pull --policy newer $at/a/app:7 | image_error)" "registry $at: cannot connect: Connection refused" "newer: no answer and not here"
t_is "$(image pull --policy often $at/a/app:1 | image_error)" \
	"pull policy 'often': expected always, newer, if-not-present or never" "a policy that is none"

# ---- csn ---------------------------------------------------------------------------------------
"$BUILD/../contrib/make-image" "$TMPDIR/box.tar" box:1 2>/dev/null || "$(dirname "$0")/../../contrib/make-image" "$TMPDIR/box.tar" box:1
start_server s "$TMPDIR/layout"
slow=127.0.0.1:$port
start_registry r 5001
root=$TMPDIR/source
image load "$TMPDIR/box.tar" >/dev/null
image push box:1 $at/box:1 >/dev/null
csn() {
	"$CSN" --root "$TMPDIR/csn" --run-root "$TMPDIR/csn.run" "$@"
}
t_fails_with "image \"$at/box:1\" does not exist" csn run --pull never $at/box:1 true
t_is "$(csn run --rm $at/box:1 echo pulled 2>/dev/null)" pulled "run pulls what is not here"
: >"$TMPDIR/r.log"
t_is "$(csn run --rm $at/box:1 echo here)" here "and what is here is not asked for"
t_is "$(cat "$TMPDIR/r.log")" "" "at all"
t_is "$(csn run --rm --pull always $at/box:1 echo asked)" asked "run --pull always"
t_is "$(asked /manifests/)" 1 "asks"
out=$(csn pull --progress json $at/box:1 | tail -n 1)
t_like "$out" '^\{"type":"result","reference":"127.0.0.1:5001/box:1","digest":"sha256:[0-9a-f]*","id":"sha256:[0-9a-f]*"\}$' "pull --progress json"
t_fails_with "--progress: expected bars, plain, json or none, not \"some\"" csn pull --progress some $at/box:1
t_fails_with "--tls-verify: expected true or false, not \"some\"" csn pull --tls-verify some $at/box:1
# The password goes to caisson-image by another way than its arguments.
csn pull --creds user:swordfish "$slow/slow/app:1" >/dev/null 2>&1 &
puller=$!
wait_until 5 grep -qs blobs "$TMPDIR/s.log"
t_is "$(for file in /proc/[0-9]*/cmdline; do tr '\0' ' ' 2>/dev/null <"$file"; echo; done | grep caisson-image | grep -c swordfish)" 0 \
	"no argument of caisson-image is a password"
wait $puller

# ---- several at once ---------------------------------------------------------------------------
fresh
: >"$TMPDIR/s.log"
image pull --no-sync "$slow/slow/app:1" >"$TMPDIR/one" &
one=$!
image pull --no-sync "$slow/slow/app:2" >"$TMPDIR/two" &
two=$!
for _ in 1 2 3 4 5; do image gc >/dev/null; done
wait $one $two
t_is "$(digest <"$TMPDIR/one") $(digest <"$TMPDIR/two")" "$want $want" "two pulls and gc at once"
config=$(grep -o 'sha256:[0-9a-f]*' "$TMPDIR/layout/blobs/sha256/${want#sha256:}" | head -n 1)
t_is "$(grep '/v2/slow/app/blobs/' "$TMPDIR/s.log" | grep -vc "$config")" 3 "each layer is fetched once"
t_ok "nothing is missing or left" store_is_clean "$root"

# ---- killed ------------------------------------------------------------------------------------
fresh
bad=0
for ((i = 1; i <= ${CSN_KILLS:-15}; i++)); do
	[ $((i % 5)) != 1 ] || rm -rf "$root"
	"$CAISSON_IMAGE" --root "$root" pull --no-sync "$slow/slow/app:1" >"$TMPDIR/out" 2>&1 &
	sleep "0.$(printf %03d $((RANDOM % 250)))"
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
	if [ $((i % 5)) = 0 ]; then
		"$CAISSON_IMAGE" --root "$root" pull --no-sync "$slow/slow/app:1" >"$TMPDIR/out" 2>&1
		[ "$(digest <"$TMPDIR/out")" = "$want" ] && store_is_clean "$root" >"$TMPDIR/why" || {
			bad=$((bad + 1))
			echo "# after kill $i: $(cat "$TMPDIR/out" "$TMPDIR/why")"
		}
	fi
done
t_is $bad 0 "${CSN_KILLS:-15} pullers killed: the next one has the right image, and nothing is left"
# Killed in the middle of a layer.
fresh
: >"$TMPDIR/s.log"
"$CAISSON_IMAGE" --root "$root" pull --no-sync "$slow/crawl/app:1" >/dev/null 2>&1 &
wait_until 10 bash -c "[ -n \"\$(find $root/downloads -size +100k 2>/dev/null)\" ]"
kill -KILL $! 2>/dev/null
wait $! 2>/dev/null
t_is "$(image pull --no-sync "$slow/crawl/app:1" | digest)" "$want" "a pull that goes on"
t_ok "where the killed one ended" grep -q ' 206 bytes=' "$TMPDIR/s.log"
t_ok "and leaves nothing" store_is_clean "$root"
stop_servers
