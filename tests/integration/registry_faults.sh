#!/bin/bash
# Pulling from registries that break, lie, stall and send us elsewhere: the right image or one clear
# error, and nothing of a wrong one in the store.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/registry.sh"

make_layout "$TMPDIR/layout" 3000 1
want=$(layout_digest "$TMPDIR/layout")
layer=$(grep -o 'sha256:[0-9a-f]*' "$TMPDIR/layout/blobs/sha256/${want#sha256:}" | sed -n 2p)
config=$(grep -o 'sha256:[0-9a-f]*' "$TMPDIR/layout/blobs/sha256/${want#sha256:}" | sed -n 1p)
start_server other "$TMPDIR/layout"
other=$port
start_server r "$TMPDIR/layout" other="$other"
at=127.0.0.1:$port
number=0

# asked WORDS: how many lines of the log of r have them.
asked() {
	grep -c -- "$1" "$TMPDIR/r.log"
}

# pulls MODE NAME [OPTION...]: it succeeds with the right image and leaves the store clean.
pulls() {
	local mode=$1 name=$2
	shift 2
	root=$TMPDIR/root$((++number))
	: >"$TMPDIR/r.log"
	out=$(image pull --no-sync "$@" "$at/$mode/app:1")
	if [ "$(tail -n 1 <<<"$out" | json_field digest)" = "$want" ] && store_is_clean "$root" >"$TMPDIR/why"; then
		t_pass "$name"
	else
		t_fail "$name" "$(tail -n 1 <<<"$out")" "$(cat "$TMPDIR/why")" "$(cat "$TMPDIR/r.log")"
	fi
}

# refuses MODE MESSAGE [OPTION...]: it fails with this message and leaves nothing but perhaps an
# unfinished download.
refuses() {
	local mode=$1 message=$2
	shift 2
	root=$TMPDIR/root$((++number))
	: >"$TMPDIR/r.log"
	out=$(image pull --no-sync "$@" "$at/$mode/app:1")
	t_is "$(image_error <<<"$out")" "$message" "$mode: its message"
	rm -f "$root"/downloads/*
	store_is_empty "$root" || t_fail "$mode: leaves nothing" "$(find "$root" -type f)"
}

pulls plain "a sound registry"
t_is "$(asked "GET /v2/plain/app/blobs/")" 3 "each blob is fetched once"
t_is "$(asked auth)" 0 "no credentials, no Authorization"

# Breaks.
pulls reset-once "a connection that breaks goes on where it broke"
t_like "$(grep "$layer" "$TMPDIR/r.log" | tail -n 1)" ' 206 bytes=[1-9][0-9]*-$' "by asking for the rest"
pulls no-range "a registry that sends everything again"
pulls range-refused "a registry that refuses a range"
pulls wrong-range "a registry that sends another range"
pulls stall-once "a registry that stalls" --stall-timeout 2
pulls busy "429 with Retry-After"
pulls unavailable "503, twice"
root=$TMPDIR/root$((++number))
: >"$TMPDIR/r.log"
why=$(image pull "$at/reset-always/app:1" | image_error)
t_like "$why" "^layer sha256:[0-9a-f]*: registry $at: the connection broke$" "a registry that always breaks"
# Five; what breaks on a connection that was used before is sent once more by libcurl itself.
tries=$(asked "$(cut -d' ' -f2 <<<"${why%%: registry*}")")
t_ok "five tries in all, not $tries" test "$tries" -ge 5 -a "$tries" -le 10
refuses broken "registry $at: broken/app:1: answered with status 500: bad?[31m luck?"
refuses stall "registry $at: nothing came for too long" --stall-timeout 1
refuses denied "registry $at: denied/app:1: access is denied (403): not for you"

# Lies.
root=$TMPDIR/root$((++number))
t_is "$(image pull "$at/manifest-digest/app@$want" | image_error)" \
	"registry $at: manifest-digest/app@$want: its content has the digest $({ cat "$TMPDIR/layout/blobs/sha256/${want#sha256:}"; echo; } | sha256sum | sed 's/\(.*\)  -/sha256:\1/')" \
	"a manifest of another digest than was asked for"
refuses config-digest "registry $at: config $config: its content has the digest $({ head -c -1 "$TMPDIR/layout/blobs/sha256/${config#sha256:}"; printf ' '; } | sha256sum | sed 's/\(.*\)  -/sha256:\1/')"
size=$(stat -c %s "$TMPDIR/layout/blobs/sha256/${config#sha256:}")
refuses config-short "registry $at: config $config: is $((size - 1)) bytes, but should be $size"
root=$TMPDIR/root$((++number))
t_like "$(image pull "$at/layer-digest/app:1" | image_error)" \
	"^layer sha256:[0-9a-f]*: .*(its content has the digest sha256:|damaged)" "a layer of another digest"
rm -f "$root"/downloads/*
t_ok "it leaves nothing" store_is_empty "$root"
size=$(stat -c %s "$TMPDIR/layout/blobs/sha256/${layer#sha256:}")
root=$TMPDIR/root$((++number))
t_like "$(image pull "$at/layer-long/app:1" | image_error)" "is larger than the [0-9]+ bytes it should have$" "a layer with a byte more"
t_like "$(image pull "$at/layer-endless/app:1" | image_error)" "is larger than the [0-9]+ bytes it should have$|damaged" "a layer without an end"
t_like "$(image pull "$at/layer-short/app:1" | image_error)" "the answer ended after [0-9]+ of [0-9]+ bytes$" "a layer with a byte less"
rm -f "$root"/downloads/*
t_ok "they leave nothing" store_is_empty "$root"
root=$TMPDIR/root$((++number))
t_like "$(image pull "$at/changing/app:1" | image_error)" "its content has the digest|damaged" "content that changes half way"
t_is "$(image pull --no-sync "$at/plain/app:1" | tail -n 1 | json_field digest)" "$want" "spoils no later pull"
t_ok "and leaves the store clean" store_is_clean "$root"

# Documents.
refuses manifest-huge "registry $at: the answer is larger than 4194304 bytes"
refuses manifest-endless "registry $at: the answer is larger than 4194304 bytes"
root=$TMPDIR/root$((++number))
t_like "$(image pull "$at/deep/app:1" | image_error)" "^registry $at: deep/app:1: " "a million brackets"
t_like "$(image pull "$at/no-json/app:1" | image_error)" "^registry $at: no-json/app:1: " "no JSON"
refuses schema1 "registry $at: schema1/app:1: manifests of schema version 1 are not supported"
refuses both-kinds "registry $at: both-kinds/app:1: has both 'manifests' and 'layers'"
refuses header-lies "registry $at: header-lies/app:1: its Content-Type is 'application/vnd.oci.image.index.v1+json', but its mediaType 'application/vnd.oci.image.manifest.v1+json'"
t_like "$(image pull "$at/artifact/app:1" | image_error)" "is not an image but an artifact of type 'application/vnd.example.thing\+json'$" "an artifact"
refuses path-digest "registry $at: path-digest/app:1: layers[0].digest: digest 'sha256:../../../../../../etc/passwd': expected 64 lower-case hex digits"
pulls index "an index: the image for this platform"
pulls nested "an index in an index"
refuses other-platform "registry $at: $at/other-platform/app:1 is there for linux/s390x, not for linux/$ARCH"

# Elsewhere: credentials stay at home, layers' urls are not followed.
echo "{\"auths\":{\"$at\":{\"auth\":\"$(printf user:secret | base64)\"},\"127.0.0.1:$other\":{\"auth\":\"$(printf a:b | base64)\"}}}" >"$REGISTRY_AUTH_FILE"
pulls redirect "blobs of another server"
t_is "$(grep -c elsewhere "$TMPDIR/other.log")" 3 "all came from there"
t_is "$(grep -c auth "$TMPDIR/other.log")" 0 "and no credentials went there"
: >"$TMPDIR/other.log"
root=$TMPDIR/root$((++number))
t_like "$(image pull "$at/foreign/app:1" | image_error)" "^layer sha256:[0-9a-f]*: registry $at: the blob: not found: blob unknown$" "a foreign layer"
t_is "$(cat "$TMPDIR/other.log")" "" "its urls are not followed"
root=$TMPDIR/root$((++number))
t_like "$(image pull "$at/redirect-loop/app:1" | image_error)" "registry $at: more than 5 redirects$" "redirects in a circle"
root=$TMPDIR/root$((++number))
t_like "$(image pull "$at/redirect-file/app:1" | image_error)" "'file:///etc/passwd' is neither http nor https$" "a redirect to a file"
refuses realm-metadata "registry $at: its token server 169.254.169.254 is not https"
refuses realm-file "registry $at: its token server: 'file:///etc/passwd' is neither http nor https"
refuses realm-garbage "registry $at: realm-garbage/app:1: access is denied (401): no"
stop_servers
