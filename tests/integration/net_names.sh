#!/bin/bash
# Who is called what: a container's own files, and how others find it: by hosts files that are kept
# up to date, and by aardvark-dns where it is installed.
. "$(dirname "$0")/netlib.sh"
net_begin
# What the container sees in /etc; static programs of the image can print it.
cp "$(command -v busybox)" "$TMPDIR/image/busybox"
tar -C "$TMPDIR/image" -cf "$TMPDIR/image.tar" .
csn import "$TMPDIR/image.tar" box >/dev/null
aardvark=
for place in /usr/lib/podman/aardvark-dns /usr/libexec/podman/aardvark-dns; do
	[ ! -x $place ] || aardvark=$place
done
hosts() {
	csn exec "$1" /busybox cat /etc/hosts
}

# ---- its own files ------------------------------------------------------------------------------

out=$(csn run --rm --name plain --hostname alpha --add-host db:192.0.2.9 --add-host gw:host-gateway \
	--add-host six:2001:db8::9 box /busybox sh -c 'cat /etc/hosts /etc/hostname; hostname')
t_like "$out" $'127.0.0.1\tlocalhost\n::1\tlocalhost' "localhost"
t_like "$out" $'192.0.2.9\tdb\n10.88.0.1\tgw\n2001:db8::9\tsix\n' "what --add-host says; host-gateway is the bridge"
t_like "$out" $'\n10.88.0.[0-9]+\talpha plain [0-9a-f]{12}\nalpha\nalpha$' "its own address with its names; host name"
out=$(csn run --rm --network none --hostname alone box /busybox cat /etc/hosts)
t_like "$out" $'127.0.0.1\talone' "without a network it finds itself at 127.0.0.1"
csn run -d --name d1 box /netprobe sleep >/dev/null
csn run -d --name d2 box /netprobe sleep >/dev/null
t_is "$(hosts d1 | grep -c d2)" 0 "in the default network nobody is known by name"

printf 'nameserver 127.0.0.53\nnameserver 192.0.2.53\nsearch host.example\noptions edns0\n' >"$TMPDIR/resolv"
mount --bind "$TMPDIR/resolv" "$(readlink -f /etc/resolv.conf)"
t_is "$(csn run --rm box /busybox cat /etc/resolv.conf)" $'nameserver 192.0.2.53\nsearch host.example\noptions edns0' \
	"resolv.conf is the host's, less servers on its loopback"
t_is "$(csn run --rm --dns 192.0.2.54 --dns-search a.example --dns-search b.example box /busybox cat /etc/resolv.conf)" \
	$'options edns0\nnameserver 192.0.2.54\nsearch a.example b.example' "what is said replaces what the host says"
t_is "$(csn run --rm --network host box /busybox cat /etc/resolv.conf)" "$(cat "$TMPDIR/resolv")" \
	"with the host's network it is the host's"
umount "$(readlink -f /etc/resolv.conf)"

# ---- hosts files --------------------------------------------------------------------------------

[ -z "$aardvark" ] || mount --bind /dev/null "$aardvark"
csn network create web >/dev/null
csn network create other >/dev/null
csn network create --disable-dns quiet >/dev/null
csn run -d --name one --network web --network-alias first --network-alias uno box /netprobe sleep >/dev/null
csn run -d --name two --network web --network other box /netprobe sleep >/dev/null
csn run -d --name three --network other box /netprobe sleep >/dev/null
one=$(address one) two=$(csn inspect two | grep -m 1 '"ipv4"' | json_field ipv4)
t_like "$(hosts two)" "$one"$'\t'"[0-9a-f]{12} one first uno" "another's name and aliases, in a network of one's own"
t_like "$(hosts one)" "$two"$'\t'"[0-9a-f]{12} two" "who came later is known to who was there"
t_is "$(hosts one | grep -c three)" 0 "who is in another network is not"
t_like "$(hosts two)" "three" "who is in both knows both"
before=$(csn exec one /busybox stat -c %i /etc/hosts)
csn rm -f two >/dev/null
t_is "$(hosts one | grep -cw two)" 0 "who has gone is forgotten"
t_is "$(csn exec one /busybox stat -c %i /etc/hosts)" "$before" "in the same file"
csn network connect --alias late web three
t_like "$(hosts one)" "three late" "who joins is known at once"
csn network disconnect web three
t_is "$(hosts one | grep -c three)" 0 "and who leaves is not"
csn run -d --name q1 --network quiet box /netprobe sleep >/dev/null
csn run -d --name q2 --network quiet box /netprobe sleep >/dev/null
t_is "$(hosts q1 | grep -c q2)" 0 "a network without dns tells nobody"
csn rm -f one three q1 q2 >/dev/null

# ---- aardvark-dns -------------------------------------------------------------------------------

if [ -z "$aardvark" ]; then
	t_skip "names by aardvark-dns" "it is not installed"
	exit 0
fi
umount "$aardvark"
name_of() { # CONTAINER NAME: its address, as the container's resolver says
	csn exec "$1" /busybox nslookup "$2" 2>/dev/null | sed -n '/^Name:/,$s/^Address.*: //p' | head -n 1
}
csn run -d --name one --network web --network-alias uno box /netprobe sleep >/dev/null
csn run -d --name two --network web box /netprobe sleep >/dev/null
csn run -d --name three --network other box /netprobe sleep >/dev/null
gateway=$(csn network inspect web | json_field gateway)
t_is "$(csn exec two /busybox cat /etc/resolv.conf)" $'search dns.podman\nnameserver '$gateway "resolv.conf names the gateway"
t_is "$(hosts two | grep -cw one)" 0 "hosts files need not tell then"
ask_name() {
	[ "$(name_of "$1" "$2")" = "$3" ]
}
t_ok "a name" wait_until 5 ask_name two one "$(address one)"
t_ok "an alias" wait_until 5 ask_name one uno "$(address one)"
t_is "$(name_of two three)" "" "a name of another network is not known"
csn network connect web three
t_ok "who joins is known" wait_until 5 ask_name one three "$(csn network inspect web |
	grep -A4 "$(csn inspect three | json_field id)" | json_field ipv4 | cut -d/ -f1)"
pid=$(cat "$RUN/network/dns/aardvark.pid")
kill -KILL "$pid"
csn network reload
t_ok "a name server that died is started again" wait_until 5 ask_name two one "$(address one)"
pid=$(cat "$RUN/network/dns/aardvark.pid")
csn rm -f one two three >/dev/null
ended() {
	! kill -0 "$pid" 2>/dev/null || grep -q '^State:.*Z' /proc/$pid/status
}
t_ok "it ends with the last container" wait_until 5 ended
