#!/bin/bash
# Volumes that are kept in a bucket: only changes move, all or nothing can be seen, and a new host
# gets it back. The server (s3_server.py) checks every signature.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine_lib.sh"

s3=$TMPDIR/s3
mkdir -p "$s3/objects/bucket"
python3 "$(dirname "$0")/s3_server.py" "$s3" >"$TMPDIR/port" 2>"$TMPDIR/s3.err" &
server=$!
wait_until 10 test -s "$TMPDIR/port"
endpoint=http://127.0.0.1:$(cat "$TMPDIR/port")
export AWS_ACCESS_KEY_ID=AKIDTEST AWS_SECRET_ACCESS_KEY=sEcReT/+test AWS_REGION=test-region-1
create() { # VOLUME [OPTION...]
	csn volume create --s3-bucket bucket --s3-endpoint "$endpoint" --s3-prefix "a b/ü" "${@:2}" "$1"
}
requests() { # METHOD: how many since the last `: >"$s3/log"`
	grep -c "^$1 .* 20[0-9]$" "$s3/log"
}
objects() { find "$s3/objects/bucket" -type f | wc -l; }
tree() { # DIR: everything about it but where it is
	(cd "$1" && find . ! -path ./fifo -print0 | sort -z | while IFS= read -r -d "" f; do
		stat -c '%n %F %a %u:%g %h %Y %s' "$f" | sed '/directory/s/ [0-9]*$//'
		[ -L "$f" ] && readlink "$f"
		[ ! -L "$f" ] && [ -f "$f" ] && sha256sum <"$f"
		getfattr -h -d -m user. "$f" 2>/dev/null
	done)
}

t_is "$(create data)" data "a volume with a bucket"
v=$world/root/volumes/data/data
mkdir -p "$v/dir/empty" "$v/ro"
echo one >"$v/one"
head -c 40000000 /dev/urandom >"$v/large"
: >"$v/nothing"
ln "$v/one" "$v/dir/again"
ln -s ../../../etc/passwd "$v/link"
mkfifo "$v/fifo"
printf 'x' >"$v/$(printf 'n\303\251w line\n%%\377')"
setfattr -n user.kind -v mine "$v/one" 2>/dev/null
chown 1000:1001 "$v/one" "$v/dir"
chmod 4711 "$v/one"
chmod 2750 "$v/dir"
chmod 555 "$v/ro"
touch -d @1000000000 "$v/one" "$v/dir/empty" "$v/ro"
chmod 1777 "$v"
: >"$s3/log"
t_like "$(csn volume sync data)" '^data: 10 entries, 3 sent \(40\.0 ?MB\), 0 removed$' "the first sync sends every content"
t_is "$(objects)" 4 "each once, and the manifest"
t_like "$(tail -n 1 "$s3/log")" '^PUT /bucket/a%20b/%C3%BC/manifest.json 200$' "which is the last"
t_is "$(grep -c 'partNumber=' "$s3/log")" 3 "40 MB go in parts of 16 MiB"
t_is "$(cat "$s3/uploads")" 0 "and no upload stays open"
: >"$s3/log"
t_like "$(csn volume sync data)" ', 0 sent' "without a change"
t_is "$(cat "$s3/log" | cut -d' ' -f1 | tr '\n' ' ')" "GET " "one request is made"
: >"$s3/log"
echo two >"$v/two"
rm "$v/nothing"
csn volume sync data >/dev/null
t_is "$(requests PUT) $(requests DELETE)" "2 0" "a new file is one content and the manifest"
t_is "$(objects)" 5 "more"
echo three >"$v/two"
t_like "$(csn volume sync data)" ', 1 sent .*, 1 removed$' "a changed one takes the old content away"
mv "$v/large" "$v/dir/moved"
t_like "$(csn volume sync data)" ', 0 sent' "a moved one sends nothing"

# ---- another host -------------------------------------------------------------------------------------
want=$(tree "$v")
first=$world
world=$TMPDIR/elsewhere
csn load -i "$TMPDIR/box.tar" >/dev/null
create data >/dev/null
t_is "$(csn run --rm --network none -v data:/d box cat /d/two)" three "a new host's container finds it restored"
t_is "$(tree "$world/root/volumes/data/data")" "$want" "with names, owners, modes, times, links and attributes"
t_ok "and FIFOs" [ -p "$world/root/volumes/data/data/fifo" ]
t_is "$(stat -c %a "$world/root/volumes/data/data")" 1777 "the directory itself too"
csn run --rm --network none -v data:/d box sh -c 'echo four >/d/two'
csn volume sync data >/dev/null
world=$first
t_fails_with 'volume "data" is not empty: force replaces what is in it' csn volume restore data
echo lost >"$v/lost"
t_ok "restore --force" csn volume restore -f data
t_is "$(cat "$v/two"; ls "$v/lost" 2>&1 | sed 's/.*: //')" $'four\nNo such file or directory' "brings what the other host had"
csn run -d --name runs --network none -v data:/d box sleep 100 >/dev/null
id=$(csn inspect runs | json_field id)
t_fails_with "volume \"data\": container ${id:0:12}, which runs, mounts it" csn volume restore -f data
csn rm -f runs >/dev/null

# ---- trouble ------------------------------------------------------------------------------------------
echo 3 >"$s3/fail"
echo five >"$v/two"
t_ok "three answers of 503 are survived" csn volume sync data
t_is "$(cat "$s3/fail")" 0 "by trying again"
echo 100 >"$s3/fail"
t_fails_with 'volume "data": s3: bucket "bucket": GET "a b/ü/manifest.json": the server answered 503 SlowDown: reduce your request rate' \
	csn volume sync data
rm "$s3/fail"
hash=$(echo -n six | sha256sum | cut -d' ' -f1)
echo -n six >"$v/two"
manifest=$(md5sum "$s3/objects/bucket/"*manifest.json)
echo "$hash" >"$s3/refuse"
t_fails_with "volume \"data\": \"two\" of the volume: s3: bucket \"bucket\": PUT \"a b/ü/objects/$hash\": the server answered 500 InternalError" \
	csn volume sync data
t_is "$(md5sum "$s3/objects/bucket/"*manifest.json)" "$manifest" "a sync that fails changes nothing that can be seen"
echo manifest.json >"$s3/refuse"
csn volume sync data 2>/dev/null
t_ok "one that fails late has sent contents" [ -e "$s3/objects/bucket/a%20b%2F%C3%BC%2Fobjects%2F$hash" ]
rm "$s3/refuse"
echo -n seven >"$v/two"
csn volume sync data >/dev/null
t_ok "which the next one takes away" [ ! -e "$s3/objects/bucket/a%20b%2F%C3%BC%2Fobjects%2F$hash" ]
t_ok "and its notes" [ ! -e "${v%/data}/uploads" ]

t_fails_with 'volume "data": s3: bucket "bucket": GET "a b/ü/manifest.json": the server answered 403 SignatureDoesNotMatch' \
	env AWS_SECRET_ACCESS_KEY=wrong "$CSN" --root "$world/root" --run-root "$world/run" volume sync data
t_fails_with 'volume "data": s3: bucket "bucket": no credentials: expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or those of the volume' \
	env -u AWS_SECRET_ACCESS_KEY "$CSN" --root "$world/root" --run-root "$world/run" volume sync data
csn volume create --s3-bucket other --s3-endpoint "$endpoint" other >/dev/null
t_fails_with 'volume "other": s3: bucket "other": GET "manifest.json": the server answered 404 NoSuchBucket: the bucket does not exist' \
	csn volume sync other
t_fails_with 'volume "other": s3: bucket "other": GET "manifest.json": the server answered 404 NoSuchBucket: the bucket does not exist' \
	csn create --network none -v other:/d box true
t_is "$(csn ps -aq; ls "$world/root/unfinished")" "" "a container whose volume cannot be restored is not made"
csn volume create plain >/dev/null
t_fails_with 'volume "plain" is kept in no bucket' csn volume sync plain

# A bucket's owner cannot write outside of the volume, nor anything but what the manifest says.
world=$TMPDIR/hostile
csn load -i "$TMPDIR/box.tar" >/dev/null
mkdir "$s3/objects/evil"
csn volume create --s3-bucket evil --s3-endpoint "$endpoint" evil >/dev/null
meta='"mode": 511, "uid": 0, "gid": 0, "mtime_s": 0'
evil() { # ENTRIES
	printf '{"version": 1, "root": {"type": "dir", %s}, "entries": [%s]}' "$meta" "$1" >"$s3/objects/evil/manifest.json"
}
evil "{\"path\": \"../x\", \"type\": \"dir\", $meta}"
t_fails_with 'volume "evil": manifest.json: entries[0].path: expected a path inside the volume' csn volume restore evil
evil "{\"path\": \"l\", \"type\": \"link\", \"target\": \"$TMPDIR\", $meta}, {\"path\": \"l/x\", \"type\": \"file\", \"size\": 0, $meta}"
t_fails_with 'volume "evil": "l/x" of the volume: Too many levels of symbolic links' csn volume restore evil
t_ok "nothing is written through a link" [ ! -e "$TMPDIR/x" ]
evil "{\"path\": \"f\", \"type\": \"file\", \"size\": 3, \"sha256\": \"$hash\", $meta}"
printf six >"$s3/objects/evil/objects%2F$hash"
t_ok "a content that is right" csn volume restore evil
printf SIX >"$s3/objects/evil/objects%2F$hash"
t_fails_with "volume \"evil\": \"f\" of the volume: objects/$hash has another content" csn volume restore -f evil
t_is "$(cat "$world/root/volumes/evil/data/f")" six "a restore that fails leaves the volume as it was"
t_is "$(ls "$world/root/volumes/evil" | tr '\n' ' ')" "data volume.json " "and nothing beside it"

# ---- a service's storage of type s3 ---------------------------------------------------------------------
service_storage() {
	world=$TMPDIR/agent
	csn load -i "$TMPDIR/box.tar" >/dev/null 2>&1
	mkdir "$s3/objects/service"
	agent() { # COMMAND STEP...: on the service of the image box
		printf '{"image": {"name": "box"}, "network_mode": "none", "command": {"args": ["sh", "-c", "%s"]}, "storage": [
			{"type": "s3", "bucket": "service", "prefix": "p", "endpoint": "%s", "target": "/s", "credentials": "%s"},
			{"type": "named", "name": "plain", "target": "/p", "tier": "network"}]}' "$1" "$endpoint" "${credentials-}" |
			python3 "$(dirname "$0")/agent_volumes.py" "$BUILD/lib/.libs/libcaisson.so" "$world/root" "$world/run" "${@:2}"
	}
	export CAISSON_LIBEXEC=$BUILD/bin
	t_ok "created, run, synced and removed" agent 'echo kept >/s/file; echo here >/p/file' create start wait sync remove
	t_is "$(find "$s3/objects/service" -type f | wc -l)" 2 "its volume is in the bucket, and no other"
	t_is "$(csn ps -aq)" "" "the container is gone"
	t_is "$(csn volume ls -q | sed 's/-[0-9a-f]\{12\}$//' | tr '\n' ' ')" "plain s3-service " "the volumes stay"
	csn volume prune --all >/dev/null
	t_ok "on a host that has neither" agent 'cp /s/file /p/copy' create start wait
	t_is "$(cat "$world/root/volumes/plain/data/copy")" kept "what is in the bucket is there again"
	agent true remove
	csn volume prune --all >/dev/null
	t_is "$(credentials=AKIDTEST:wrong agent true create)" \
		"Failed to create container 'store-rep-1': volume \"$(csn volume ls -q | head -n 1)\": s3: bucket \"service\": GET \"p/manifest.json\": the server answered 403 SignatureDoesNotMatch" \
		"wrong credentials of the field are told"
	csn volume prune --all >/dev/null
	t_ok "right ones serve" env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY bash -c "$(declare -f agent); world=$world endpoint=$endpoint credentials='\$E:MINE'
		MINE=$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY; export MINE; agent true create sync remove" "$0"
	t_is "$(stat -c %a "$world/root/volumes/"s3-*/volume.json)" 600 "and are kept where root alone can read"
	csn volume prune --all >/dev/null
	t_is "$(credentials='$S:x' agent true create)" \
		"Invalid spec: service: storage[0].credentials: expected KEY_ID:SECRET[:TOKEN], or \$E:NAME of a variable that has them" \
		"what cannot be resolved is refused"
}
# python cannot load a library that was built with a sanitizer.
grep -q __asan_init "$BUILD/lib/.libs/libcaisson.so" || service_storage

# ---- killed anywhere: the bucket has the old volume or the new one --------------------------------------
world=$first
killed=0 torn=0
for i in 1 2 3 4 5 6 7 8; do
	head -c 20000000 /dev/urandom >"$v/dir/moved"
	echo "$i" >"$v/two"
	csn volume sync data >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$((i * 2 % 10))"
	[ "$i" -lt 5 ] || sleep 0.1
	child=$(grep -lx caisson-volume /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3)
	[ -z "$child" ] || { kill -9 "$child" && killed=$((killed + 1)); }
	wait $pid 2>/dev/null
	python3 - "$s3/objects/bucket" <<'P' || torn=$((torn + 1))
import glob, json, os, sys
m = json.load(open(glob.glob(sys.argv[1] + "/*manifest.json")[0]))
for e in m["entries"]:
    if "sha256" in e:
        assert os.path.getsize(sys.argv[1] + "/a%20b%2F%C3%BC%2Fobjects%2F" + e["sha256"]) == e["size"]
P
done
t_ok "killed at least twice" [ $killed -ge 2 ]
t_is "$torn" 0 "every manifest that was there has all of its contents"
t_ok "then a sync" csn volume sync data
t_is "$(objects) $(cat "$s3/uploads")" "$(($(grep -o '"sha256"' "$s3/objects/bucket/"*manifest.json | wc -l) + 1)) 0" \
	"takes away what the killed ones left"

# Between the beginning of an upload and the answer that names it.
head -c 20000000 /dev/urandom >"$v/dir/moved"
: >"$s3/hang"
csn volume sync data >/dev/null 2>&1 &
pid=$!
for i in $(seq 200); do
	[ "$(cat "$s3/uploads")" = 1 ] && break
	sleep 0.05
done
kill -9 "$(grep -lx caisson-volume /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3)"
wait $pid 2>/dev/null
rm "$s3/hang"
t_is "$(cat "$s3/uploads")" 1 "an upload is left whose name nobody knows"
t_ok "the next sync" csn volume sync data
t_is "$(cat "$s3/uploads")" 0 "asks for it and takes it away"
kill $server
