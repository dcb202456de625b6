# What network tests share. Three namespaces: this script's own is the host, with containers behind
# its bridges; "lan" is a machine beside it (192.0.2.2, 2001:db8::2), reached through link "uplink"
# (192.0.2.1, 2001:db8::1).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# An emulator needs minutes for each; there by hand.
[ -z "${CSN_TEST_SLOW-}" ] || [ -n "${CSN_TEST_NET-}" ] || t_skip_all "too slow here (CSN_TEST_NET=1 runs it)"
command -v nft >/dev/null || t_skip_all "nft is not installed"
{ nft add table inet can && nft delete table inet can; } 2>/dev/null || t_skip_all "no nftables in this kernel"
{ ip link add can type bridge && ip link del can; } 2>/dev/null || t_skip_all "no bridges in this kernel"
PROBE=$HELPERS/netprobe
ROOT=$TMPDIR/store/root RUN=$TMPDIR/run
lan=

csn() {
	"$CSN" --root "$ROOT" --run-root "$RUN" "$@"
}

# A file system that overlay takes as upper directory, whatever TMPDIR is on; gone with net_end.
net_begin() {
	mkdir -p "$TMPDIR/store" "$TMPDIR/image/etc" "$TMPDIR/image/proc" "$TMPDIR/image/sys" \
		"$TMPDIR/image/dev"
	mount -t tmpfs tmpfs "$TMPDIR/store"
	cp "$PROBE" "$TMPDIR/image/netprobe"
	tar -C "$TMPDIR/image" -cf "$TMPDIR/image.tar" .
	csn import "$TMPDIR/image.tar" probe >/dev/null
	trap net_end EXIT
}

lan_begin() {
	unshare -n sleep 1000 &
	lan=$!
	until [ "$(readlink /proc/$lan/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
	ip link add uplink type veth peer name eth0 netns $lan
	ip addr add 192.0.2.1/24 dev uplink
	ip -6 addr add 2001:db8::1/64 dev uplink nodad
	ip link set uplink up
	in_lan ip link set lo up
	in_lan ip addr add 192.0.2.2/24 dev eth0
	in_lan ip -6 addr add 2001:db8::2/64 dev eth0 nodad
	in_lan ip link set eth0 up
}

in_lan() {
	nsenter -t $lan -n "$@"
}

# in_container NAME COMMAND...: of the host, in the container's network namespace, with the host's
# rights.
in_container() {
	local pid
	pid=$(csn inspect "$1" | json_field pid)
	shift
	nsenter -t "$pid" -n "$@"
}

# address NAME [KEY]: its ipv4 (or another key of its first network).
address() {
	csn inspect "$1" | json_field "${2:-ipv4}"
}

# serve NAME TEXT [OPTION...]: a container that answers on port 80, by TCP and UDP.
serve() {
	local name=$1 text=$2
	shift 2
	csn run -d --name "$name" "$@" probe /netprobe serve 80 "$text" >/dev/null || return
	wait_until 5 in_container "$name" "$PROBE" ask udp 127.0.0.1 80
}

# serve_in_lan PORT TEXT: the same beside the host; server is its pid.
serve_in_lan() {
	nsenter -t $lan -n "$PROBE" serve "$1" "$2" >/dev/null &
	server=$!
	wait_until 5 "$PROBE" ask udp 192.0.2.2 "$1"
}

# ask PROTOCOL ADDRESS PORT: from the host; of containers, csn exec NAME /netprobe ask ….
ask() {
	"$PROBE" ask "$@"
}

# cannot NAME COMMAND...: it gets no answer.
cannot() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then t_fail "$name" "got: $out"; else t_pass "$name"; fi
}

net_end() {
	local id
	for id in $(csn ps -aq 2>/dev/null); do
		csn rm -f "$id" >/dev/null
	done
	[ -z "$lan" ] || kill $lan
	wait
	ip link del uplink 2>/dev/null
	umount "$TMPDIR/store"
}
