/*
 * Our two tables, written whole: one script that nft applies at once. Rules are the same however
 * many containers there are; networks and attachments are elements of sets and maps.
 *
 *	inet	translates published ports, masquerades, keeps networks apart
 *	bridge	lets a port of ours send only what has its own hardware and IP address
 *
 * What the order is about:
 *   - A packet from outside to one of the host's 127.0.0.0/8 is never translated: only what leaves
 *     the host itself is. The bridges route such addresses (the answers of ports published on
 *     loopback come that way), so from a container they are dropped first of all.
 *   - Hairpin: what was translated and goes back into the subnet that it came from gets the
 *     bridge's address as its source, or the answer would not pass here.
 *   - "accept" ends this table's chain, not others': a firewall of the host still has its say.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "netns/world.h"

static const char inet_rules[] =
	"	chain guard {\n"
	"		type filter hook prerouting priority raw; policy accept;\n"
	"		iifname @bridges ip daddr 127.0.0.0/8 drop\n"
	"	}\n"
	"	chain publish {\n"
	"		dnat ip to ip daddr . meta l4proto . th dport map @host4\n"
	"		dnat ip to meta l4proto . th dport map @any4\n"
	"		dnat ip6 to ip6 daddr . meta l4proto . th dport map @host6\n"
	"		dnat ip6 to meta l4proto . th dport map @any6\n"
	"	}\n"
	"	chain from_outside {\n"
	"		type nat hook prerouting priority dstnat; policy accept;\n"
	"		ip daddr 127.0.0.0/8 return\n"
	"		fib daddr type local jump publish\n"
	"	}\n"
	"	chain from_host {\n"
	"		type nat hook output priority -100; policy accept;\n"
	"		ip6 daddr ::1 return\n"
	"		fib daddr type local jump publish\n"
	"	}\n"
	"	chain to_bridge {\n"
	"		ip saddr 127.0.0.0/8 masquerade\n"
	"		ct status dnat ip saddr . oifname @local4 masquerade\n"
	"		ct status dnat ip6 saddr . oifname @local6 masquerade\n"
	"		accept\n"
	"	}\n"
	"	chain leaving {\n"
	"		type nat hook postrouting priority srcnat; policy accept;\n"
	"		oifname @bridges goto to_bridge\n"
	"		ip daddr 224.0.0.0/4 return\n"
	"		ip6 daddr ff00::/8 return\n"
	"		ip saddr @masquerade4 masquerade\n"
	"		ip6 saddr @masquerade6 masquerade\n"
	"	}\n"
	"	chain forward {\n"
	"		type filter hook forward priority filter; policy accept;\n"
	"		iifname . oifname @pairs accept\n"
	"		iifname @internal drop\n"
	"		oifname @internal drop\n"
	"		iifname != @bridges oifname != @bridges accept\n"
	"		ct state established,related accept\n"
	"		ct status dnat accept\n"
	"		iifname @open oifname @open accept\n"
	"		oifname @bridges drop\n"
	"	}\n";

static const char bridge_rules[] =
	"	chain sources {\n"
	"		type filter hook prerouting priority -300; policy accept;\n"
	"		meta iifgroup != %u accept\n"
	"		meta protocol arp iifname . ether saddr . arp saddr ip @sources4 "
	"iifname . arp saddr ether . arp saddr ip @sources4 accept\n"
	"		udp sport 67 drop\n"
	"		icmpv6 type { nd-router-advert, nd-redirect } drop\n"
	"		meta protocol ip iifname . ether saddr . ip saddr @sources4 accept\n"
	"		meta protocol ip6 iifname . ether saddr . ip6 saddr @sources6 accept\n"
	"		drop\n"
	"	}\n";

/* ---- elements as text -------------------------------------------------------------------------
 */

struct script {
	FILE *out;
	struct net *net;
	const char *set; /* of each_network and each_lease below */
	bool first;
};

/* "elements = { a, b }", or nothing. */
static void put_element(struct script *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void put_element(struct script *s, const char *fmt, ...)
{
	va_list ap;
	fputs(s->first ? "		elements = { " : ",\n			", s->out);
	s->first = false;
	va_start(ap, fmt);
	(void)vfprintf(s->out, fmt, ap);
	va_end(ap);
}

static void begin_set(struct script *s, const char *kind, const char *name, const char *type)
{
	fprintf(s->out, "	%s %s {\n		%s\n", kind, name, type);
	s->set = name;
	s->first = true;
}

static void end_set(struct script *s)
{
	fputs(s->first ? "	}\n" : " }\n	}\n", s->out);
}

/* ---- networks ---------------------------------------------------------------------------------
 */

/* Which networks are in a set, and as what. */
static const struct network_set {
	const char *name, *type;
	bool (*has)(const struct network *n);
	void (*put)(struct script *s, const struct network *n);
} network_sets[];

static bool has_all(const struct network *n)
{
	(void)n;
	return true;
}
static bool has_internal(const struct network *n)
{
	return n->internal;
}
static bool has_open(const struct network *n)
{
	return !n->isolated && !n->internal;
}
static bool has_v4(const struct network *n)
{
	return n->v4.subnet.family;
}
static bool has_v6(const struct network *n)
{
	return n->v6.subnet.family;
}
static bool has_masquerade4(const struct network *n)
{
	return has_v4(n) && n->masquerade && !n->internal;
}
static bool has_masquerade6(const struct network *n)
{
	return has_v6(n) && n->masquerade && !n->internal;
}

static void put_name(struct script *s, const struct network *n)
{
	put_element(s, "\"%s\"", n->interface);
}
static void put_pair(struct script *s, const struct network *n)
{
	put_element(s, "\"%s\" . \"%s\"", n->interface, n->interface);
}
static const char *subnet_text(const struct net_subnet *subnet, char buf[NET_TEXT])
{
	const struct net_addr base = net_prefix_base(&subnet->subnet);
	return net_prefix_print(&base, buf);
}
static void put_subnet4(struct script *s, const struct network *n)
{
	char text[NET_TEXT];
	put_element(s, "%s", subnet_text(&n->v4, text));
}
static void put_subnet6(struct script *s, const struct network *n)
{
	char text[NET_TEXT];
	put_element(s, "%s", subnet_text(&n->v6, text));
}
static void put_local4(struct script *s, const struct network *n)
{
	char text[NET_TEXT];
	put_element(s, "%s . \"%s\"", subnet_text(&n->v4, text), n->interface);
}
static void put_local6(struct script *s, const struct network *n)
{
	char text[NET_TEXT];
	put_element(s, "%s . \"%s\"", subnet_text(&n->v6, text), n->interface);
}

static const struct network_set network_sets[] = {
	{ "bridges", "type ifname;", has_all, put_name },
	{ "internal", "type ifname;", has_internal, put_name },
	{ "open", "type ifname;", has_open, put_name },
	{ "pairs", "type ifname . ifname;", has_all, put_pair },
	{ "masquerade4", "type ipv4_addr; flags interval;", has_masquerade4, put_subnet4 },
	{ "masquerade6", "type ipv6_addr; flags interval;", has_masquerade6, put_subnet6 },
	{ "local4", "type ipv4_addr . ifname; flags interval;", has_v4, put_local4 },
	{ "local6", "type ipv6_addr . ifname; flags interval;", has_v6, put_local6 },
};

static int each_network(void *data, const struct network *n)
{
	struct script *s = data;
	for (size_t i = 0; i < COUNT(network_sets); i++)
		if (strcmp(network_sets[i].name, s->set) == 0 && n->driver == NET_BRIDGE &&
		    network_sets[i].has(n))
			network_sets[i].put(s, n);
	return 0;
}

static int put_network_sets(struct script *s, struct csn_error *err)
{
	for (size_t i = 0; i < COUNT(network_sets); i++) {
		begin_set(s, "set", network_sets[i].name, network_sets[i].type);
		TRY(net_each(s->net, each_network, s, err));
		end_set(s);
	}
	return 0;
}

/* ---- ports ------------------------------------------------------------------------------------
 */

static const struct port_map {
	const char *name, *type;
	uint8_t family;
	bool host;
} port_maps[] = {
	{ "any4", "type inet_proto . inet_service : ipv4_addr . inet_service;", AF_INET, false },
	{ "any6", "type inet_proto . inet_service : ipv6_addr . inet_service;", AF_INET6, false },
	{ "host4", "type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;",
	  AF_INET, true },
	{ "host6", "type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service;",
	  AF_INET6, true },
};

static void put_port(struct script *s, const struct port_map *m, const struct port_record *p)
{
	const struct net_addr *to = m->family == AF_INET ? &p->v4 : &p->v6;
	char host[NET_TEXT], target[NET_TEXT];
	bool any = port_host_any(&p->host);
	if (!to->family || m->host == any)
		return;
	put_element(s, "%s%s%s . %u : %s . %u", any ? "" : net_addr_print(&p->host, host),
		    any ? "" : " . ", net_protocol_name(p->protocol), p->host_port,
		    net_addr_print(to, target), p->container_port);
}

static int put_port_maps(struct script *s, struct csn_error *err)
{
	struct ledger l AUTO(ledger_close) = LEDGER_INIT;
	TRY(ports_open(s->net, false, &l, err));
	for (size_t m = 0; m < COUNT(port_maps); m++) {
		begin_set(s, "map", port_maps[m].name, port_maps[m].type);
		for (size_t i = 0; i < l.count; i++) {
			const struct port_record *p = ledger_at(&l, i);
			if (p)
				put_port(s, &port_maps[m], p);
		}
		end_set(s);
	}
	return 0;
}

/* ---- sources ----------------------------------------------------------------------------------
 */

static int put_source(void *data, const struct net_lease *l)
{
	struct script *s = data;
	char mac[NET_TEXT], text[NET_TEXT];
	const struct net_addr *a = strcmp(s->set, "sources4") == 0 ? &l->v4 : &l->v6;
	if (!a->family || !l->link[0])
		return 0;
	net_mac_print(&l->mac, mac);
	put_element(s, "\"%s\" . %s . %s", l->link, mac, net_addr_print(a, text));
	if (a->family == AF_INET6)
		put_element(s, "\"%s\" . %s . fe80::%02x%02x:%02xff:fe%02x:%02x%02x", l->link, mac,
			    l->mac.bytes[0] ^ 2, l->mac.bytes[1], l->mac.bytes[2], l->mac.bytes[3],
			    l->mac.bytes[4], l->mac.bytes[5]);
	return 0;
}

static int put_sources_of(void *data, const struct network *n)
{
	struct script *s = data;
	return net_each_lease(s->net, n->name, put_source, s, NULL);
}

static int put_sources(struct script *s, struct csn_error *err)
{
	begin_set(s, "set", "sources4", "type ifname . ether_addr . ipv4_addr;");
	TRY(net_each(s->net, put_sources_of, s, err));
	end_set(s);
	begin_set(s, "set", "sources6", "type ifname . ether_addr . ipv6_addr;");
	TRY(net_each(s->net, put_sources_of, s, err));
	end_set(s);
	return 0;
}

/* ---- the script -------------------------------------------------------------------------------
 */

/* Whatever was there before goes in the same transaction. */
static void begin_table(struct script *s, const char *family)
{
	const char *table = s->net->table;
	fprintf(s->out, "table %s %s\ndelete table %s %s\ntable %s %s {\n", family, table, family,
		table, family, table);
}

static int write_script(struct script *s, struct csn_error *err)
{
	begin_table(s, "inet");
	TRY(put_network_sets(s, err));
	TRY(put_port_maps(s, err));
	fputs(inet_rules, s->out);
	fputs("}\n", s->out);
	begin_table(s, "bridge");
	TRY(put_sources(s, err));
	fprintf(s->out, bridge_rules, s->net->group);
	fputs("}\n", s->out);
	return 0;
}

int rules_apply(struct net *net, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	struct script s = { .net = net, .out = open_memstream(&text, &size) };
	if (!s.out)
		return fail(err, ENOMEM, "out of memory");
	int r = write_script(&s, err);
	if (fclose(s.out) != 0 && r == 0)
		r = fail(err, ENOMEM, "out of memory");
	TRY(r);
	return nft_script(text, err);
}

int rules_know(struct net *net, const struct network *n, struct csn_error *err)
{
	char name[IFNAMSIZ] = "";
	memcpy(name, n->interface, strnlen(n->interface, sizeof name - 1));
	const struct nft_element e = { name, sizeof name, NULL, 0 };
	int r = nft_get_element(net->filter, NFPROTO_INET, net->table, "bridges", &e, NULL, 0, err);
	if (r == -ENOENT)
		return 0;
	TRY(r);
	return nft_has_table(net->filter, NFPROTO_BRIDGE, net->table, err);
}

int rules_remove(struct net *net, struct csn_error *err)
{
	TRY(nft_delete_table(net->filter, NFPROTO_INET, net->table, err));
	return nft_delete_table(net->filter, NFPROTO_BRIDGE, net->table, err);
}
