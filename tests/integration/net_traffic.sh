#!/bin/bash
# Packets between a container, its host and a machine beside it: each way that shall be open, with
# an answer that tells whom the server saw, and beside it the one that shall not.
. "$(dirname "$0")/netlib.sh"
net_begin
lan_begin

# ---- default network ----------------------------------------------------------------------------

out=$(csn run --rm probe /netprobe show)
t_like "$out" "address eth0 10\.88\.0\.[0-9]+"$'\n' "the program has its address at its first instruction"
t_like "$out" "default 10\.88\.0\.1 eth0" "and its route"

serve one first
serve two second -p 8080:80 -p 8081:80/udp -p 127.0.0.1:8082:80 -p 192.0.2.1:8083:80
one=$(address one) two=$(address two)

# What makes each attachment dearer than the last: multicast snooping (a timer for every port, all
# begun anew with each), and IPv6 on the host's ends (routes that are walked through with each).
t_is "$(cat /sys/class/net/csn0/bridge/multicast_snooping)" 0 "the bridge does not snoop for multicast"
link=$(csn inspect one | json_field host_interface)
t_is "$(cat "/proc/sys/net/ipv6/conf/$link/disable_ipv6")" 1 "the host's end has no IPv6"

serve_in_lan 90 lan

t_is "$(in_container one "$PROBE" ask tcp "$two" 80)" "second $one" "container to container, by its address"
t_is "$(ask tcp "$one" 80)" "first 10.88.0.1" "host to container"
t_is "$(csn exec one /netprobe ask tcp 192.0.2.2 90)" "lan 192.0.2.1" "container to LAN, masqueraded"
t_is "$(csn exec one /netprobe ask udp 192.0.2.2 90)" "lan 192.0.2.1" "container to LAN by UDP, masqueraded"
t_is "$(in_lan "$PROBE" ask tcp 192.0.2.1 8080)" "second 192.0.2.2" "LAN to a published port"
t_is "$(in_lan "$PROBE" ask udp 192.0.2.1 8081)" "second 192.0.2.2" "LAN to a published UDP port, with an answer"
t_is "$(csn ps | sed -n 's/.*  \([0-9].*udp\)  *two$/\1/p')" \
	"0.0.0.0:8080->80/tcp, 127.0.0.1:8082->80/tcp, 192.0.2.1:8083->80/tcp, 0.0.0.0:8081->80/udp" "ps shows the ports"
# Counters: what the container has received its link on the host has sent.
link=$(csn inspect two | json_field host_interface)
t_is "$(csn stats --no-stream --format json two | json_field rx_bytes)" "$(cat "/sys/class/net/$link/statistics/tx_bytes")" \
	"stats count what came"
t_is "$(csn stats --no-stream --format json two | json_field tx_packets)" \
	"$(cat "/sys/class/net/$link/statistics/rx_packets")" "and what went"
t_is "$(ask tcp 192.0.2.1 8080)" "second 192.0.2.1" "host to a published port by its address"
t_is "$(ask tcp 127.0.0.1 8080)" "second 10.88.0.1" "host to a published port by loopback"
t_is "$(ask udp 127.0.0.1 8081)" "second 10.88.0.1" "host to a published UDP port by loopback"
t_is "$(ask tcp 127.0.0.1 8082)" "second 10.88.0.1" "host to a port published on loopback"
t_is "$(in_lan "$PROBE" ask tcp 192.0.2.1 8083)" "second 192.0.2.2" "LAN to a port published on one address"
t_is "$(csn exec two /netprobe ask tcp 192.0.2.1 8080)" "second 10.88.0.1" "hairpin: a container to itself"
t_is "$(csn exec one /netprobe ask tcp 192.0.2.1 8080)" "second 10.88.0.1" "hairpin: a container to its sibling"
t_is "$(csn exec one /netprobe ask udp 192.0.2.1 8081)" "second 10.88.0.1" "hairpin by UDP"
t_is "$(csn exec one /netprobe ask tcp 10.88.0.1 8080)" "second 10.88.0.1" "a published port by the gateway"

cannot "an unpublished port" in_lan "$PROBE" ask tcp 192.0.2.1 8084
cannot "a port published on loopback, by the LAN's address" in_lan "$PROBE" ask tcp 192.0.2.1 8082
in_lan ip route add 127.0.0.2/32 via 192.0.2.1 dev eth0
cannot "a port published on one address, by another" ask tcp 127.0.0.1 8083
in_lan ip route add 10.88.0.0/16 via 192.0.2.1
cannot "LAN to a container by a route" in_lan "$PROBE" ask tcp "$two" 80
cannot "LAN to a container by a route, UDP" in_lan "$PROBE" ask udp "$two" 80
# A crafted frame: to the host's loopback address, from beside it.
in_lan sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1
in_lan ip addr del 127.0.0.1/8 dev lo
in_lan ip route add 127.0.0.1/32 via 192.0.2.1 dev eth0 src 192.0.2.2
cannot "LAN to a port published on loopback, by a crafted frame" in_lan "$PROBE" ask tcp 127.0.0.1 8082
# The host's own services on loopback, from a container whose bridge routes such addresses.
"$PROBE" serve 7000 loopback >/dev/null &
local_server=$!
wait_until 5 "$PROBE" ask tcp 127.0.0.1 7000
in_container one sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1
in_container one ip addr del 127.0.0.1/8 dev lo
in_container one ip route add 127.0.0.1/32 via 10.88.0.1 dev eth0 src "$one"
cannot "container to the host's loopback" in_container one "$PROBE" ask tcp 127.0.0.1 7000
kill $local_server

# Somebody else's address as source, whatever rights he has.
in_container one ip addr add 10.88.9.9/16 dev eth0
cannot "a spoofed source, to a sibling" in_container one "$PROBE" ask udp "$two" 80 10.88.9.9
cannot "a spoofed source, to the host" in_container one "$PROBE" ask udp 10.88.0.1 7000 10.88.9.9
in_container one ip link set eth0 address 02:ca:0a:58:09:09
in_container one ip neigh flush all
cannot "a spoofed hardware address" in_container one "$PROBE" ask udp "$two" 80 "$one"

kill $server

# ---- what the image exposes ---------------------------------------------------------------------

csn import -c 'EXPOSE 80 80/udp' "$TMPDIR/image.tar" exposing >/dev/null
csn run -d --name all -P exposing /netprobe serve 80 all >/dev/null
wait_until 5 in_container all "$PROBE" ask udp 127.0.0.1 80
for protocol in tcp udp; do
	port=$(csn ps | sed -n "s|.*0\.0\.0\.0:\([0-9]*\)->80/$protocol.*|\1|p")
	t_is "$(in_lan "$PROBE" ask $protocol 192.0.2.1 "${port:-1}")" "all 192.0.2.2" "-P: $protocol, on a port that was free"
done
csn rm -f all >/dev/null

# ---- SCTP ---------------------------------------------------------------------------------------

if "$PROBE" can sctp 2>/dev/null; then
	csn run -d --name sctp -p 8084:80/sctp probe /netprobe serve 80 sctp sctp >/dev/null
	wait_until 5 in_container sctp "$PROBE" ask sctp 127.0.0.1 80
	t_is "$(in_lan "$PROBE" ask sctp 192.0.2.1 8084)" "sctp 192.0.2.2" "LAN to a published SCTP port"
	t_is "$(ask sctp 192.0.2.1 8084)" "sctp 192.0.2.1" "host to a published SCTP port"
	cannot "SCTP: a port that is not published" in_lan "$PROBE" ask sctp 192.0.2.1 80
	csn rm -f sctp >/dev/null
else
	t_skip "SCTP" "this kernel has none"
fi
