#!/bin/bash
# Networks of one's own: made and refused, kept apart, joined and left by containers that run, with
# names, IPv6, static addresses; the other modes; what bad input is told.
. "$(dirname "$0")/netlib.sh"
net_begin
lan_begin

# ---- made and removed ---------------------------------------------------------------------------

t_is "$(csn network create red)" red "a network is made"
t_is "$(csn network create --subnet 10.201.0.0/24 --gateway 10.201.0.9 --ip-range 10.201.0.64/30 --label a=b blue)" \
	blue "a network with everything said"
t_like "$(csn network inspect blue | tr -d ' \n')" \
	'"ipv4":\{"subnet":"10.201.0.0/24","gateway":"10.201.0.9","range":"10.201.0.64/30"\}.*"labels":\{"a":"b"\},"containers":\[\]' \
	"and inspected"
t_is "$(csn network ls -q | tr '\n' ' ')" "blue bridge red " "listed, the default one with them"
csn network create --internal inside >/dev/null
csn network create --no-isolate open1 >/dev/null
csn network create --no-isolate open2 >/dev/null
csn network create --ipv6 --subnet 10.202.0.0/24 --subnet fd00:202::/64 dual >/dev/null

# ---- refused ------------------------------------------------------------------------------------

refused() { # MESSAGE ARGUMENT...
	local message=$1
	shift
	t_fails_with "$message" csn "$@"
}
words='expected 1 to 64 letters, digits, '"'_', '.' and '-'"', a letter or digit first'
refused "network \"a/b\": $words" network create a/b
refused "network \"a b\": $words" network create $'a\nb'
refused "network \"..\": $words" network create ..
long=$(printf 'x%.0s' {1..300})
refused "network \"${long:0:80}\": $words" network create "$long"
refused 'network "host": the name has a meaning already' network create host
refused 'network "red" exists already' network create red
refused 'driver "vxlan": expected bridge, macvlan or ipvlan' network create -d vxlan x
refused 'subnet "10.0.0.0": expected ADDRESS/BITS' network create --subnet 10.0.0.0 x
refused 'subnet "10.0.0.0/33": expected ADDRESS/BITS' network create --subnet 10.0.0.0/33 x
refused 'subnet "10.0.0.5/24": has host bits; did you mean 10.0.0.0/24' network create --subnet 10.0.0.5/24 x
refused 'subnet "10.0.0.0/31": expected from /8 to /30' network create --subnet 10.0.0.0/31 x
refused 'subnet "127.0.0.0/8": no addresses for hosts' network create --subnet 127.0.0.0/8 x
refused 'subnet "10.201.0.0/16": overlaps 10.201.0.0/24 of network "blue"' network create --subnet 10.201.0.0/16 x
refused 'subnet "192.0.2.128/25": overlaps 192.0.2.0/24 of the host' network create --subnet 192.0.2.128/25 x
refused 'subnet "2001:db8::/48": overlaps 2001:db8::/64 of the host' network create --subnet 2001:db8::/48 x
refused 'gateway "10.3.0.1": not in subnet 10.2.0.0/24' network create --subnet 10.2.0.0/24 --gateway 10.3.0.1 x
refused 'gateway "10.2.0.255": the broadcast address of subnet 10.2.0.0/24' network create --subnet 10.2.0.0/24 --gateway 10.2.0.255 x
refused 'gateway "10.3.0.1": say a subnet, too' network create --subnet fd01::/64 --gateway 10.3.0.1 x
refused 'ip-range "10.2.0.0/16": not in subnet 10.2.0.0/24' network create --subnet 10.2.0.0/24 --ip-range 10.2.0.0/16 x
refused 'mtu 20: expected 68 to 65535' network create --mtu 20 x
refused 'interface "a/b": expected 1 to 15 letters, digits, '"'_', '.' and '-'" network create --interface a/b x
refused 'interface "uplink": the host has it already' network create --interface uplink x
refused 'parent "nothing": the host has no such interface' network create -d macvlan --parent nothing --subnet 10.2.0.0/24 x
refused 'network "x": driver macvlan needs a parent' network create -d macvlan --subnet 10.2.0.0/24 x
refused 'network "nothing" does not exist' network rm nothing
refused 'network "nothing" does not exist' run --network nothing probe /netprobe show
refused 'network "red": named twice' run --network red --network red probe /netprobe show
refused 'ip "10.1": expected an IPv4 address' run --network red --ip 10.1 probe /netprobe show
refused 'ip "10.9.9.9": not in subnet 10.201.0.0/24 of network "blue"' run --rm --network blue --ip 10.9.9.9 probe /netprobe show
refused 'ip "10.201.0.9": it is the gateway of network "blue"' run --rm --network blue --ip 10.201.0.9 probe /netprobe show
refused 'ip "10.201.0.255": the broadcast address of subnet 10.201.0.0/24' run --rm --network blue --ip 10.201.0.255 probe /netprobe show
refused 'ip6 "fd00::1": network "blue" has no IPv6 subnet' run --rm --network blue --ip6 fd00::1 probe /netprobe show
refused 'mac address "01:00:00:00:00:00": expected six pairs of hex digits with '"':' between, the first one even" \
	run --mac-address 01:00:00:00:00:00 probe /netprobe show
for alias in a/b $'a\nb' '' "$long" -x; do
	shown=${alias//$'\n'/ }
	refused "network alias \"${shown:0:80}\": expected 1 to 63 letters, digits, '-', '_' and '.'" \
		run --network red --network-alias "$alias" probe /netprobe show
done
port='expected [[IP:]PORT:]PORT[/PROTOCOL], ports from 1 to 65535'
for text in '' x 0 70000 80:x 1.2.3.4:80 80-70:80-70 a:b:c:d '[::1:80'; do
	refused "--publish \"$text\": $port" run -p "$text" probe /netprobe show
done
refused '--publish "1-3:80": 3 host ports for 1 in the container' run -p 1-3:80 probe /netprobe show
refused 'port 80: protocol "icmp": expected tcp, udp or sctp' run -p 80/icmp probe /netprobe show
refused 'host address "1.2.3": expected an IP address' run -p 1.2.3:80:80 probe /netprobe show
refused 'ports: 2001 are more than 1000' run -p 3000-5000:3000-5000 probe /netprobe show
refused 'port 80/tcp: host address ::1 cannot be translated; use 127.0.0.1' \
	run --rm --network dual -p '[::1]:80:80' probe /netprobe show
refused 'port 80/tcp: network "bridge" has no IPv6' run --rm -p '[2001:db8::1]:80:80' probe /netprobe show
refused 'port 80: network "none" publishes no ports' run --network none -p 80 probe /netprobe show
refused 'port 80/tcp: network "inside" is internal, which publishes no ports' \
	run --rm --network inside -p 80:80 probe /netprobe show
refused 'port 198.51.100.1:80/tcp: the host does not have that address' \
	run --rm -p 198.51.100.1:80:80 probe /netprobe show
refused 'dns "x": expected an IP address' run --dns x probe /netprobe show
refused 'dns search "a b": expected no blanks' run --dns-search 'a b' probe /netprobe show
refused 'extra host "x": expected NAME:ADDRESS' run --add-host x probe /netprobe show
refused 'extra host "x:y": expected an IP address or host-gateway behind the '"':'" run --add-host x:y probe /netprobe show
refused 'network "container:nobody": container "nobody" does not exist' run --network container:nobody probe /netprobe show
refused 'network "ns:/etc/passwd": it is no network namespace' run --rm --network ns:/etc/passwd probe /netprobe show
refused 'network "none": not together with others' run --network none --network red probe /netprobe show
t_is "$(csn ps -aq | wc -l)" 0 "and nothing is left of it"

# ---- addresses ----------------------------------------------------------------------------------

for i in 64 65 66 67; do
	t_is "$(csn run -d --name r$i --network blue probe /netprobe sleep >/dev/null && address r$i)" 10.201.0.$i \
		"addresses come from the range, one after the other: $i"
done
refused 'network "blue": no address is free in 10.201.0.64/30' run --rm --network blue probe /netprobe show
refused 'ip "10.201.0.66": in use by '"$(csn inspect r66 | json_field id | cut -c1-12)"' in network "blue"' \
	run --rm --network blue --ip 10.201.0.66 probe /netprobe show
csn rm -f r64 >/dev/null
t_like "$(csn run --rm --network blue probe /netprobe show)" 'eth0 10.201.0.64' "one that was given back is given again"
out=$(csn run --rm --network blue --ip 10.201.0.7 --mac-address 02:00:00:00:00:07 --dns 192.0.2.53 \
	--dns-search example.org --dns-option ndots:3 probe /netprobe show)
t_like "$out" 'address eth0 10.201.0.7' "a static address"
t_like "$out" 'default 10.201.0.9 eth0' "a gateway that is not the first address"
t_like "$out" $'search example.org\n' "resolv.conf: search"
t_like "$out" 'nameserver 192.0.2.53' "resolv.conf: server"
t_like "$out" 'options ndots:3' "resolv.conf: options"
csn rm -f r65 r66 r67 >/dev/null
csn run -d --name twice --network red --network blue probe /netprobe sleep >/dev/null
t_is "$(in_container twice ip -o -4 addr | awk '{print $2}' | tr '\n' ' ')" "lo eth0 eth1 " "a container in two networks"
t_is "$(in_container twice ip -4 route show default | wc -l)" 1 "has one default route"
refused 'network "red": 1 container is attached' network rm red
csn rm -f twice >/dev/null

# ---- kept apart ---------------------------------------------------------------------------------

serve red1 red1 --network red
serve blue1 blue1 --network blue -p 8090:80
serve in1 in1 --network inside
serve in2 in2 --network inside
serve o1 o1 --network open1
serve o2 o2 --network open2
serve_in_lan 90 lan
from() { # CONTAINER PROTOCOL ADDRESS PORT
	csn exec "$1" /netprobe ask "${@:2}"
}
t_is "$(from red1 tcp 192.0.2.2 90)" "lan 192.0.2.1" "red to the LAN"
cannot "red to blue, TCP" from red1 tcp "$(address blue1)" 80
cannot "red to blue, UDP" from red1 udp "$(address blue1)" 80
t_is "$(from red1 tcp 192.0.2.1 8090)" "blue1 $(address red1)" "red to blue's published port"
t_is "$(from in1 tcp "$(address in2)" 80)" "in2 $(address in1)" "inside an internal network"
cannot "internal to the LAN" from in1 tcp 192.0.2.2 90
cannot "internal to another network" from in1 tcp "$(address red1)" 80
cannot "another network to internal" from red1 tcp "$(address in1)" 80
in_container in1 ip route add default via "$(csn network inspect inside | json_field gateway)"
cannot "internal to the LAN, with a route of its own" in_container in1 "$PROBE" ask tcp 192.0.2.2 90
cannot "internal to a published port of another network" in_container in1 "$PROBE" ask tcp 192.0.2.1 8090
t_is "$(from o1 tcp "$(address o2)" 80)" "o2 $(address o1)" "networks that are not isolated reach each other"
cannot "not isolated to isolated" from o1 tcp "$(address red1)" 80

# ---- IPv6 ---------------------------------------------------------------------------------------

in_lan ip -6 route add default via 2001:db8::1
serve six six --network dual -p 8091:80 -p '[2001:db8::1]:8092:80'
serve six2 six2 --network dual
six=$(address six ipv6)
t_like "$six" '^fd00:202::' "a dual-stack network gives both addresses"
t_like "$(csn run --rm --network dual probe /netprobe show)" 'eth0 fd00:202::[0-9a-f]+'$'\n' "both at the first instruction"
t_is "$(from six2 tcp "$six" 80)" "six $(address six2 ipv6)" "IPv6: container to container"
t_is "$(from six tcp 2001:db8::2 90)" "lan 2001:db8::1" "IPv6: container to LAN, masqueraded"
t_is "$(in_lan "$PROBE" ask tcp 2001:db8::1 8091)" "six 2001:db8::2" "IPv6: LAN to a published port"
t_is "$(in_lan "$PROBE" ask udp 192.0.2.1 8091 2>&1; in_lan "$PROBE" ask tcp 192.0.2.1 8091)" \
	$'netprobe: recv: Connection refused\nsix 192.0.2.2' "the same port by IPv4, and not by UDP"
t_is "$(in_lan "$PROBE" ask tcp 2001:db8::1 8092)" "six 2001:db8::2" "IPv6: a port published on one address"
cannot "IPv6: another network by a route" in_lan "$PROBE" ask tcp "$six" 80
in_container six2 ip -6 addr add fd00:202::99/64 dev eth0 nodad
cannot "IPv6: a spoofed source" in_container six2 "$PROBE" ask udp "$six" 80 fd00:202::99
t_is "$(in_container red1 ip -6 addr show dev eth0)" "" "no IPv6 address where the network has none"

# ---- joined and left ----------------------------------------------------------------------------

refused 'container "red1" is in network "red" already' network connect red red1
refused 'container "red1" is not in network "blue"' network disconnect blue red1
csn network connect --ip 10.201.0.77 --alias reddish blue red1
t_is "$(from red1 tcp "$(address blue1)" 80)" "blue1 10.201.0.77" "connected while it runs"
csn network disconnect blue red1
cannot "disconnected while it runs" from red1 tcp "$(address blue1)" 80
t_is "$(in_container red1 ip -o link | grep -c eth)" 1 "and the link is gone"

# The network with the way out is left: another becomes it, with the published ports.
csn run -d --name mover --network red --network open1 -p 8093:80 probe /netprobe serve 80 mover >/dev/null
wait_until 5 in_container mover "$PROBE" ask udp 127.0.0.1 80
way_out() { in_container mover ip -4 route show default | cut -d ' ' -f 3; }
t_is "$(way_out)" "$(csn network inspect red | json_field gateway)" "the default route is the first network's"
csn network disconnect red mover
t_is "$(way_out)" "$(csn network inspect open1 | json_field gateway)" "and moves to the next when that is left"
t_is "$(from mover tcp 192.0.2.2 90)" "lan 192.0.2.1" "which is a way out"
t_is "$(in_lan "$PROBE" ask tcp 192.0.2.1 8093)" "mover 192.0.2.2" "published ports move with it"
t_is "$(csn ps --format json | grep -c '"host_port": 8093')" 1 "one is shown"
csn network disconnect open1 mover
cannot "no network, no port" in_lan "$PROBE" ask tcp 192.0.2.1 8093
t_is "$(csn ps --format json | grep -c 8093)" 0 "nor is one shown"
csn rm -f mover >/dev/null

csn network connect blue red1
csn stop -t 0 red1 >/dev/null
csn start red1 >/dev/null
wait_until 5 in_container red1 "$PROBE" ask udp 127.0.0.1 80
t_like "$(from red1 tcp "$(address blue1)" 80)" "^blue1 10.201.0" "a network that was joined is there after a restart"

# ---- the other modes ----------------------------------------------------------------------------

t_is "$(csn run --rm --network none probe /netprobe show | grep address)" \
	$'address lo 127.0.0.1\naddress lo ::1' "none: loopback alone"
t_like "$(csn run --rm --network host probe /netprobe show)" 'address uplink 192.0.2.1' "host: the host's"
t_like "$(csn run --rm --network container:blue1 probe /netprobe show)" "eth0 $(address blue1)" \
	"container: the other's"
t_like "$(csn run --rm --network ns:/proc/$lan/ns/net probe /netprobe show)" 'eth0 192.0.2.2' "ns: that namespace"
csn run -d --name guest --network container:o2 probe /netprobe sleep >/dev/null
link=$(address o2 host_interface)
csn rm -f o2 >/dev/null
t_ok "a shared namespace loses its links with its owner" wait_until 2 test ! -e /sys/class/net/$link
csn rm -f guest >/dev/null

# ---- macvlan, ipvlan ----------------------------------------------------------------------------

for driver in macvlan ipvlan; do
	if ! csn network create -d $driver --parent uplink --subnet 192.0.2.0/24 --gateway 192.0.2.2 \
		--ip-range 192.0.2.64/28 $driver >/dev/null 2>"$TMPDIR/why"; then
		t_fail "$driver: made" "$(cat "$TMPDIR/why")"
		continue
	fi
	if csn run -d --name m$driver --network $driver probe /netprobe serve 80 $driver >/dev/null 2>"$TMPDIR/why"; then
		t_is "$(in_container m$driver "$PROBE" ask tcp 192.0.2.2 90)" "lan $(address m$driver)" \
			"$driver: beside the host, with its own address"
		csn rm -f m$driver >/dev/null
	elif grep -q 'Operation not supported' "$TMPDIR/why"; then
		t_skip "$driver: beside the host" "this kernel has no $driver"
	else
		t_fail "$driver: beside the host" "$(cat "$TMPDIR/why")"
	fi
	csn network rm $driver >/dev/null
done
kill $server
