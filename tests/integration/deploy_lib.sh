# For tests of deployments, behind netlib.sh: an image "box" of busybox, and what is told of containers.
contrib=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../contrib" && pwd)
net_begin
"$contrib/make-image" "$TMPDIR/box.tar" box:latest
csn load -i "$TMPDIR/box.tar" >/dev/null 2>&1
cd "$TMPDIR" || exit 1

# names: "web-rep-1=running …", sorted.
names() {
	csn ps -a --format json | tr -d '\n' | grep -oE '"(name|state)": *"[^"]*"' | sed 's/.*: *"\(.*\)"/\1/' |
		paste -d= - - | sort | tr '\n' ' ' | sed 's/ $//'
}
pids() {
	local name
	for name in $(csn ps --format json | tr -d '\n' | grep -oE '"name": *"[^"]*"' | sed 's/.*: *"\(.*\)"/\1/' | sort); do
		csn inspect "$name" | json_field pid
	done
}
port_of() {
	csn inspect "$1" | json_field host_port
}
fetch() { # PORT
	(exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && timeout 5 cat <&3)
}
# deployment NAME <services: NAME.yaml of what comes on standard input.
deployment() {
	{
		printf 'version: v1\ndeployment: %s\n' "$1"
		cat
	} >"$1.yaml"
}
