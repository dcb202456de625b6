#!/bin/bash
# What is left when something dies: attachers and detachers killed anywhere, monitors killed, tables
# flushed; and that many containers, made and removed, leave nothing.
#
# CSN_TEST_MANY: how many containers (40), CSN_TEST_KILLS: how many kills (40), CSN_TEST_SHOWS: how
# many programs look around at their first instruction (40). 1000 of each by hand.
. "$(dirname "$0")/netlib.sh"
net_begin
lan_begin
many=${CSN_TEST_MANY:-40} kills=${CSN_TEST_KILLS:-40} shows=${CSN_TEST_SHOWS:-40}

# left: what there is of attachments, one line a kind: nothing when all is well.
left() {
	ls "$RUN/network/owners" | sed 's/^/owner /'
	ip -o link | grep -oE ' cv[0-9a-f]+' | sed 's/^/link/'
	csn network inspect bridge | grep -c '"id"' | grep -v '^0$' | sed 's/^/leases /'
	snapshot_nft | grep -v '^table' | grep . | sed 's/^/element /'
	ip neigh show nud permanent | sed 's/^/neighbour /'
	ls "$RUN/network" | grep '\.names$' | while read -r dir; do ls "$RUN/network/$dir"; done | sed 's/^/name /'
}
nothing_left() {
	[ -z "$(left)" ]
}

# ---- first instruction --------------------------------------------------------------------------

good=0
for i in $(seq "$shows"); do
	out=$(csn run --rm --dns 192.0.2.53 -p 8000:80 probe /netprobe show)
	[[ $out =~ "address eth0 10.88."[0-9]+.[0-9]+$'\n' && $out =~ "default 10.88.0.1 eth0" &&
		$out =~ "nameserver 192.0.2.53" && ! $out =~ " down" ]] && good=$((good + 1))
done
t_is "$good" "$shows" "address, route and resolv.conf at the first instruction, $shows times"
t_ok "nothing is left of them" wait_until 2 nothing_left

# ---- many ---------------------------------------------------------------------------------------

for i in $(seq "$many"); do
	csn run -d --name m$i -p $((20000 + i)):80 -p $((20000 + i)):80/udp probe /netprobe sleep >/dev/null ||
		t_fail "container $i of $many"
done
t_is "$(csn network inspect bridge | grep '"ipv4": "10' | sort -u | wc -l)" "$many" "$many containers, as many addresses"
t_is "$(snapshot_nft | grep -c ' : 10\.88\.')" $((2 * many)) "and twice as many published ports"
for i in $(seq "$many"); do
	csn rm -f m$i >/dev/null
done
t_ok "$many containers made and removed: no link, lease, element or name is left" wait_until 10 nothing_left
[ -z "$(left)" ] || left | head -n 20 | sed 's/^/# /'

# ---- killed -------------------------------------------------------------------------------------

# The one that attaches, anywhere.
for i in $(seq "$kills"); do
	csn run -d --name k$i -p $((21000 + i)):80/udp probe /netprobe sleep >/dev/null 2>&1 &
	sleep 0.0$((i * 37 % 50 + 5))
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
done
csn system recover >"$TMPDIR/out"
for id in $(csn ps -aq); do
	csn rm -f $id >/dev/null
done
t_ok "$kills attachers killed, recovered, removed: nothing is left" wait_until 5 nothing_left
[ -z "$(left)" ] || left | head -n 20 | sed 's/^/# /'

# The one that detaches: a container whose monitor died first has nobody else.
killed=0
for i in $(seq "$kills"); do
	csn run -d --name d$i -p $((22000 + i)):80/udp probe /netprobe sleep >/dev/null
	id=$(csn inspect d$i | json_field id)
	kill -KILL "$(cat "$RUN/monitor/$id/pid")" "$(csn inspect d$i | json_field pid)"
	"$BUILD/bin/caisson-network" --root "$ROOT" --run-root "$RUN" --id $id &
	sleep 0.00$((i * 7 % 10))$((i % 10))
	kill -KILL $! 2>/dev/null && killed=$((killed + 1))
	wait $! 2>/dev/null
done
t_ok "detachers were killed in time: $killed of $kills" test $killed -gt 0
csn system recover --format json >"$TMPDIR/out"
t_ok "$kills detachers killed, recovered: nothing is left" wait_until 5 nothing_left
[ -z "$(left)" ] || left | head -n 20 | sed 's/^/# /'
t_like "$(cat "$TMPDIR/out")" "\"containers\":$kills," "the ends of their containers are recorded"
for i in $(seq "$kills"); do
	csn rm d$i >/dev/null
done

# ---- who runs is left alone ---------------------------------------------------------------------

csn network create green >/dev/null
serve one first
serve two second --network green -p 8080:80 -p 127.0.0.1:8081:80
before=$(left)
t_is "$(csn system recover)" "0 containers, 0 addresses, 0 ports, 0 links" "recover finds nothing to do"
t_is "$(left)" "$before" "and touches nothing"
t_is "$(in_lan "$PROBE" ask tcp 192.0.2.1 8080)" "second 192.0.2.2" "a published port goes on"

# ---- flushed ------------------------------------------------------------------------------------

foreign() {
	nft -f - <<-END
		table inet foreign {
			set s { type ipv4_addr; elements = { 198.51.100.7 } }
			chain c { type filter hook input priority 5; ip saddr @s drop; }
		}
		table ip caissonette {
			chain c { type nat hook prerouting priority 50; tcp dport 9 redirect to :10; }
		}
	END
}
show_foreign() {
	nft list table inet foreign
	nft list table ip caissonette
}
two=$(address two)
in_lan ip route add default via 192.0.2.1
foreign
theirs=$(show_foreign)
for how in reload start recover; do
	nft flush ruleset
	foreign
	t_is "$(in_lan "$PROBE" ask tcp "$two" 80)" "second 192.0.2.2" "flushed: the LAN reaches a container by a route"
	cannot "flushed: a published port is gone" in_lan "$PROBE" ask tcp 192.0.2.1 8080
	case $how in
	reload) csn network reload ;;
	start) csn run --rm probe /netprobe show >/dev/null ;;
	recover) t_like "$(csn system recover)" 'packet rules' "recover tells that rules were missing" ;;
	esac
	cannot "after $how: by a route no more" in_lan "$PROBE" ask tcp "$two" 80
	cannot "after $how: networks are apart again" csn exec one /netprobe ask tcp "$two" 80
	t_is "$(in_lan "$PROBE" ask tcp 192.0.2.1 8080)" "second 192.0.2.2" "after $how: published again"
	t_is "$("$PROBE" ask tcp 127.0.0.1 8081)" "second $(csn network inspect green | json_field gateway)" \
		"after $how: published on loopback again"
	t_is "$(show_foreign)" "$theirs" "after $how: tables of others are as they were"
done
# The bridge, too, may have been deleted: who is on it keeps its link, and gets its port back never;
# the network is there for the next one.
csn rm -f one two >/dev/null
ip link del csn0
t_like "$(csn run --rm probe /netprobe show)" 'address eth0 10.88' "a bridge that somebody deleted is made again"
nft delete table inet foreign
nft delete table ip caissonette

# ---- ports --------------------------------------------------------------------------------------

"$PROBE" listen tcp 0.0.0.0 7001 >/dev/null &
tcp=$!
"$PROBE" listen udp 127.0.0.1 7002 >/dev/null &
udp=$!
sleep 0.2
t_fails_with 'port 7001/tcp: already in use on the host' csn run --rm -p 7001:80 probe /netprobe show
t_fails_with 'port 127.0.0.1:7001/tcp: already in use on the host' csn run --rm -p 127.0.0.1:7001:80 probe /netprobe show
t_fails_with 'port 7002/udp: already in use on the host' csn run --rm -p 7002:80/udp probe /netprobe show
t_ok "the same number of the other protocol is free" csn run --rm -p 7002:80 probe /netprobe show
t_ok "and on another address" csn run --rm -p 192.0.2.1:7002:80/udp probe /netprobe show
kill $tcp $udp
serve two second -p 127.0.0.1:7003:80 -p 80 -p 7010-7012:7080-7082
short=$(csn inspect two | json_field id | cut -c1-12)
t_fails_with "port 7003/tcp: published by $short already" csn run --rm -p 7003:80 probe /netprobe show
t_ok "a port of another address is another" csn run --rm -p 192.0.2.1:7003:80 probe /netprobe show
t_is "$(csn inspect two | grep -cE '"host_port": (701[012])')" 3 "a range is published"
port=$(csn inspect two | tr -d ' \n' | grep -oE '"host_ip":null,"host_port":[0-9]+,"container_port":80}' |
	grep -oE '[0-9]+' | head -n 1)
t_is "$("$PROBE" ask tcp 192.0.2.1 "$port")" "second 192.0.2.1" "a port that was not said is found, and works"
# A UDP flow that began with another container goes to the new one.
csn rm -f two >/dev/null
serve old old -p 7004:80/udp
in_lan "$PROBE" ask udp 192.0.2.1 7004 192.0.2.2 >/dev/null
csn rm -f old >/dev/null
serve new new -p 7004:80/udp
t_is "$(in_lan "$PROBE" ask udp 192.0.2.1 7004)" "new 192.0.2.2" "a UDP flow does not go on to who is gone"
