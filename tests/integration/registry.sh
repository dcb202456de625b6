# What tests of registries share. Sourced behind lib.sh.
#
# Everything listens on addresses of the test's own network namespace. stop_servers ends what was
# started.

unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
export CONTAINERS_REGISTRIES_CONF=$TMPDIR/registries.conf REGISTRY_AUTH_FILE=$TMPDIR/auth.json
: >"$CONTAINERS_REGISTRIES_CONF"
ARCH=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
export ARCH
servers=()

# start_server NAME LAYOUT [OPTION...]: sets port; requests are in $TMPDIR/NAME.log.
start_server() {
	local name=$1 layout=$2
	shift 2
	rm -f "$TMPDIR/$name.port"
	: >"$TMPDIR/$name.log"
	/usr/bin/python3 "$(dirname "${BASH_SOURCE[0]}")/registry_server.py" "$TMPDIR/$name.port" \
		"$TMPDIR/$name.log" "$layout" "$@" 2>"$TMPDIR/$name.errors" &
	servers+=($!)
	wait_until 10 test -e "$TMPDIR/$name.port" || cat "$TMPDIR/$name.errors"
	port=$(cat "$TMPDIR/$name.port")
}

# start_registry NAME PORT [LINE...]: Debian's docker-registry on loopback; the lines go into its
# configuration.
start_registry() {
	local name=$1 at=$2
	shift 2
	mkdir -p "$TMPDIR/$name.data"
	{
		printf 'version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: false\n'
		printf 'storage:\n  filesystem:\n    rootdirectory: %s\n' "$TMPDIR/$name.data"
		printf 'http:\n  addr: 127.0.0.1:%s\n' "$at"
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$TMPDIR/$name.yml"
	# It takes variables named REGISTRY_… for parts of its configuration.
	env -u REGISTRY_AUTH_FILE docker-registry serve "$TMPDIR/$name.yml" >"$TMPDIR/$name.log" 2>&1 &
	servers+=($!)
	wait_until 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$at" || cat "$TMPDIR/$name.log"
}

stop_servers() {
	[ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2>/dev/null
	wait 2>/dev/null
	servers=()
}

# Tries come quickly one after another.
image() {
	local verb=$1
	shift
	case $verb in pull | push | login) set -- --retry-pause 20 "$@" ;; esac
	"$CAISSON_IMAGE" --root "$root" "$verb" "$@"
}

# The sentence of the error line on standard input, as it is.
image_error() {
	sed -n 's/^{"type":"error","error":"\(.*\)","code":[0-9]*}$/\1/p'
}

# make_layout DIR SIZE...: an OCI layout with one image of layers of that many kB of noise, its only
# entry without a name.
make_layout() {
	local dir=$1 size layer layers= diff_ids= n=0 type=application/vnd.oci.image
	shift
	mkdir -p "$dir/blobs/sha256" "$dir.tmp"
	put_blob() {
		local hex
		hex=$(sha256sum "$1" | cut -d' ' -f1)
		mv "$1" "$dir/blobs/sha256/$hex"
		printf '"digest":"sha256:%s","size":%s' "$hex" "$(stat -c %s "$dir/blobs/sha256/$hex")"
	}
	for size; do
		layer=$dir.tmp/layer$((++n))
		mkdir -p "$layer/d$n"
		head -c "${size}k" /dev/urandom >"$layer/d$n/noise"
		echo "layer $n" >"$layer/d$n/text"
		tar -C "$layer" --sort=name --mtime=@0 --owner=0 --group=0 -cf "$dir.tmp/tar" .
		diff_ids+=${diff_ids:+,}"\"sha256:$(sha256sum "$dir.tmp/tar" | cut -d' ' -f1)\""
		gzip -1 -n "$dir.tmp/tar"
		layers+=${layers:+,}"{\"mediaType\":\"$type.layer.v1.tar+gzip\",$(put_blob "$dir.tmp/tar.gz")}"
	done
	echo "{\"architecture\":\"$ARCH\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"sh\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$diff_ids]}}" >"$dir.tmp/config"
	echo "{\"schemaVersion\":2,\"mediaType\":\"$type.manifest.v1+json\",\"config\":{\"mediaType\":\"$type.config.v1+json\",$(put_blob "$dir.tmp/config")},\"layers\":[$layers]}" >"$dir.tmp/manifest"
	echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"$type.manifest.v1+json\",$(put_blob "$dir.tmp/manifest")}]}" >"$dir/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	rm -rf "$dir.tmp"
}

# The digest of a layout's image.
layout_digest() {
	grep -o 'sha256:[0-9a-f]*' "$1/index.json"
}

# store_is_empty ROOT / store_is_whole ROOT DIGEST: nothing unfinished is left; every blob has the
# digest that is its name; every layer of every record is there.
store_is_clean() {
	local file
	[ -z "$(ls "$1/tmp")" ] || { echo "left in tmp: $(ls "$1/tmp")"; return 1; }
	[ -z "$(ls "$1/downloads")" ] || { echo "left in downloads: $(ls "$1/downloads")"; return 1; }
	for file in "$1"/store/blobs/sha256/*; do
		[ -e "$file" ] || continue
		[ "$(sha256sum "$file" | cut -d' ' -f1)" = "${file##*/}" ] || { echo "wrong: $file"; return 1; }
	done
	for file in $(grep -ho 'layers/[a-z0-9-]*/fs' "$1"/images/*.json 2>/dev/null); do
		[ -d "$1/$file" ] || { echo "missing: $file"; return 1; }
	done
}

store_is_empty() {
	store_is_clean "$1" && [ -z "$(ls "$1/images" "$1/layers" "$1/store/blobs/sha256" | grep -v :$)" ]
}
