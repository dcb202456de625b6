/*
 * Attaching. In this order, so that whatever a crash leaves can be told:
 *
 *	the intent, then per network: its bridge and its place in our tables (made only when they
 *	are not there), the lease, the pair of links with one end born in the owner's namespace,
 *	addresses and routes there; then ports, elements, names
 *
 * Until the elements are there the bridge lets nothing pass that comes from the new link.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "netns/world.h"

/* One attachment to one network. */
struct joining {
	struct net *net;
	const struct net_attach *a;
	const struct net_join *j;
	struct network n;
	struct net_lease lease;
	uint32_t bridge; /* index */
};

/* ---- the network itself -----------------------------------------------------------------------
 */

/* The bridge is up and the tables know it; else both are made, with everybody else kept out. */
static int ensure(struct joining *g, struct csn_error *err)
{
	int r = bridge_ready(g->net, &g->n, &g->bridge, err);
	if (r > 0)
		r = rules_know(g->net, &g->n, err);
	if (r != 0)
		return r;
	TRY(world_lock(g->net, true, err));
	TRY(bridge_make(g->net, &g->n, err));
	r = rules_know(g->net, &g->n, err);
	if (r == 0)
		r = rules_apply(g->net, err);
	TRY(r);
	TRY(bridge_ready(g->net, &g->n, &g->bridge, err));
	return world_lock(g->net, false, err);
}

int net_wants_ipv6(struct net *net, const struct net_join *joins, size_t count, bool *ret,
		   struct csn_error *err)
{
	*ret = false;
	for (size_t i = 0; i < count; i++) {
		struct arena arena AUTO(arena_free) = { 0 };
		struct network n;
		TRY(net_find(net, joins[i].network, &n, &arena, err));
		*ret |= n.v6.subnet.family != 0;
	}
	return 0;
}

/* ---- links ------------------------------------------------------------------------------------
 */

static int make_sublink(struct joining *g, struct csn_error *err)
{
	struct link_info parent;
	int r = nl_get_link(g->net->route, g->n.interface, &parent, err);
	if (r < 0)
		return within(err, r, "network \"%s\": parent", g->n.name);
	const struct sublink s = { .mode = g->n.driver == NET_MACVLAN ? SUB_MACVLAN : SUB_IPVLAN,
				   .parent = parent.index,
				   .name = g->lease.ifname,
				   .ns = g->a->ns,
				   .mac = g->lease.mac,
				   .mtu = g->n.mtu };
	nl_add_sublink(g->net->route, &s);
	return nl_commit(g->net->route, err);
}

/* ---- inside -----------------------------------------------------------------------------------
 */

static void add_family(struct joining *g, struct nl *nl, uint32_t index, const struct net_addr *a,
		       const struct net_subnet *s)
{
	if (!a->family)
		return;
	nl_add_address(nl, index, a);
	/* Its bridge's address is fixed: nobody else can claim to be the gateway. */
	if (g->n.driver == NET_BRIDGE && s->gateway.family) {
		const struct net_mac mac = mac_of(&g->n.v4.gateway, &g->n.v6.gateway);
		nl_add_neighbour(nl, index, &s->gateway, &mac);
	}
}

static void add_route(struct joining *g, struct nl *nl, uint32_t index, const struct net_addr *a,
		      const struct net_subnet *s)
{
	if (a->family && s->gateway.family && g->j->gateway && !g->n.internal)
		nl_add_default_route(nl, index, &s->gateway, 0);
}

/* A namespace may have been made before anybody knew of IPv6. */
static int allow_ipv6(void *data, struct csn_error *err)
{
	const struct joining *g = data;
	static const char *const rows[][2] = { { "accept_dad", "0" },
					       { "accept_ra", "0" },
					       { "disable_ipv6", "0" } };
	char path[100];
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(path, sizeof path, "net/ipv6/conf/%s/%s", g->lease.ifname,
			       rows[i][0]);
		TRY(netns_sysctl(path, rows[i][1], err));
	}
	return 0;
}

static int configure(struct joining *g, struct csn_error *err)
{
	struct nl *nl AUTO(nl_close_var)
	= NULL;
	struct link_info l;
	const struct net_lease *lease = &g->lease;
	TRY(nl_open(NL_ROUTE, g->a->ns, &nl, err));
	TRY(nl_get_link(nl, lease->ifname, &l, err));
	if (lease->v6.family)
		TRY(netns_run(g->a->ns, allow_ipv6, g, err));
	nl_set_up(nl, "lo", true);
	nl_set_up(nl, lease->ifname, true);
	add_family(g, nl, l.index, &lease->v4, &g->n.v4);
	add_family(g, nl, l.index, &lease->v6, &g->n.v6);
	add_route(g, nl, l.index, &lease->v4, &g->n.v4);
	add_route(g, nl, l.index, &lease->v6, &g->n.v6);
	return nl_commit(nl, err);
}

/* ---- one network ------------------------------------------------------------------------------
 */

/* Nothing on the host speaks IPv6 over this end: its bridge does. What is off before the link is up
 * costs nothing; else each link has routes that the kernel walks through when another comes. */
static int no_ipv6(const char *link, struct csn_error *err)
{
	char path[100];
	(void)snprintf(path, sizeof path, "net/ipv6/conf/%s/disable_ipv6", link);
	int r = netns_sysctl(path, "1", err);
	return r == -ENOENT ? 0 : r;
}

/* Up on this side, then on the other, so that what the owner sends passes at once. */
static int make_veth(struct joining *g, struct csn_error *err)
{
	struct nl *nl = g->net->route;
	const struct veth v = { .host_name = g->lease.link,
				.peer_name = g->lease.ifname,
				.peer_ns = g->a->ns,
				.peer_mac = g->lease.mac,
				.mtu = g->n.mtu,
				.group = g->net->group };
	nl_add_veth(nl, &v);
	TRY(nl_commit(nl, err));
	TRY(no_ipv6(v.host_name, err));
	nl_set_up(nl, v.host_name, true);
	TRY(nl_commit(nl, err));
	return configure(g, err);
}

static int make_port(struct joining *g, struct csn_error *err)
{
	struct nl *nl = g->net->route;
	struct link_info l;
	const struct bridge_port p = { .link = g->lease.link,
				       .bridge = g->n.interface,
				       .bridge_index = g->bridge };
	/* Newer kernels take note of the other end now; older ones a moment later. */
	TRY(nl_get_link(nl, p.link, &l, err));
	nl_add_port(nl, &p);
	/* The host never has to ask a thousand ports who has an address. */
	if (g->lease.v4.family)
		nl_add_neighbour(nl, g->bridge, &g->lease.v4, &g->lease.mac);
	if (g->lease.v6.family)
		nl_add_neighbour(nl, g->bridge, &g->lease.v6, &g->lease.mac);
	return nl_commit(nl, err);
}

static int take_lease(struct joining *g, struct csn_error *err)
{
	size_t at = (size_t)(g->j - g->a->joins);
	int r = lease_take(g->net, &g->n, g->a, at, &g->lease, err);
	if (r != -ENOSPC)
		return r;
	/* Perhaps some are of owners whose links have gone. */
	struct csn_error again;
	TRY(world_lock(g->net, true, err));
	size_t freed = 0;
	TRY(leases_collect(g->net, &g->n, &freed, &again));
	TRY(world_lock(g->net, false, err));
	return freed ? lease_take(g->net, &g->n, g->a, at, &g->lease, err) : r;
}

static int join(struct joining *g, struct csn_error *err)
{
	if (g->n.driver == NET_BRIDGE) {
		TRY(ensure(g, err));
		TRY(take_lease(g, err));
		TRY(make_veth(g, err));
		return make_port(g, err);
	}
	TRY(take_lease(g, err));
	TRY(make_sublink(g, err));
	return configure(g, err);
}

/* The right to send, and what is published. */
static int publish(struct joining *g, bool ports, struct csn_error *err)
{
	if (!ports)
		return elements_add(g->net, &g->lease, NULL, 0, err);
	if (g->n.v4.subnet.family)
		TRY(bridge_allow_loopback(&g->n, err));
	struct port_record *records = calloc(g->a->ports_count, sizeof *records);
	if (!records)
		return fail(err, ENOMEM, "out of memory");
	int r = ports_claim(g->net, g->a, &g->n, &g->lease, records, err);
	if (r == 0)
		r = elements_add(g->net, &g->lease, records, g->a->ports_count, err);
	for (size_t i = 0; r >= 0 && i < g->a->ports_count; i++)
		if (records[i].protocol == IPPROTO_UDP)
			r = conntrack_forget(g->net->filter, IPPROTO_UDP, records[i].host_port,
					     err);
	free(records);
	return r < 0 ? r : 0;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static int attach_one(struct net *net, const struct net_attach *a, size_t i, bool *published,
		      struct net_lease *ret, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct joining g = { .net = net, .a = a, .j = &a->joins[i] };
	TRY(net_find(net, a->joins[i].network, &g.n, &arena, err));
	TRY(join(&g, err));
	bool ports =
		a->ports_count && !*published && (a->joins[i].gateway || i + 1 == a->joins_count);
	TRY(publish(&g, ports, err));
	*published |= ports;
	TRY(names_write(net, a, g.j, &g.lease, err));
	if (ret)
		*ret = g.lease;
	return 0;
}

static int attach_all(struct net *net, const struct net_attach *a, struct net_lease *leases,
		      struct csn_error *err)
{
	bool published = false;
	TRY(owner_write(net, a, err));
	for (size_t i = 0; i < a->joins_count; i++)
		TRY(attach_one(net, a, i, &published, leases ? &leases[i] : NULL, err));
	if (!a->hosts)
		return 0;
	TRY(names_update(net, a->owner, err));
	for (size_t i = 0; i < a->joins_count; i++)
		TRY(names_update_others(net, a->joins[i].network, a->owner, err));
	return 0;
}

static int check_request(const struct net_attach *a, struct csn_error *err)
{
	if (strlen(a->owner) >= NET_OWNER_SIZE || strchr(a->owner, '/') || a->owner[0] == '.' ||
	    !a->owner[0])
		return fail(err, EINVAL, "owner \"%.80s\": expected 1 to 71 characters, no '/'",
			    a->owner);
	if (a->ports_count > NET_PORTS_MAX)
		return fail(err, EINVAL, "ports: %zu are more than %d", a->ports_count,
			    NET_PORTS_MAX);
	for (size_t i = 0; i < a->joins_count; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(a->joins[i].network, a->joins[k].network) == 0)
				return fail(err, EINVAL, "network \"%s\": named twice",
					    a->joins[i].network);
	return 0;
}

static int is_owner(void *data, const struct net_lease *l)
{
	return strcmp(l->owner, data) == 0;
}

/* Before anything is made: what is undone after a failure is all that the owner has there. */
static int check_new(struct net *net, const struct net_attach *a, struct csn_error *err)
{
	int known = owner_known(net, a->owner, err);
	if (known <= 0)
		return known;
	for (size_t i = 0; i < a->joins_count; i++) {
		const char *network = a->joins[i].network;
		int r = net_each_lease(net, network, is_owner, (void *)(uintptr_t)a->owner, err);
		TRY(r);
		if (r)
			return fail(err, EEXIST, "%.12s is in network \"%s\" already", a->owner,
				    network);
	}
	return 0;
}

int net_attach(struct net *net, const struct net_attach *a, struct net_lease *leases,
	       struct csn_error *err)
{
	int r = 0;
	TRY(check_request(a, err));
	/* Again when somebody flushed our tables between our look at them and our use. */
	for (int tries = 0; tries < 3; tries++) {
		TRY(world_lock(net, false, err));
		r = check_new(net, a, err);
		if (r < 0) {
			world_unlock(net);
			return r;
		}
		r = attach_all(net, a, leases, err);
		world_unlock(net);
		if (r >= 0)
			return 0;
		for (size_t i = 0; i < a->joins_count; i++)
			(void)net_detach(net, a->owner, a->joins[i].network, true, NULL);
		if (r != -ENOENT || !err || !strstr(err->text, "nftables"))
			break;
	}
	return r;
}

/* ---- a new way out ----------------------------------------------------------------------------
 */

struct own {
	const char *owner;
	struct net_lease lease;
	bool found;
};

static int find_own(void *data, const struct net_lease *l)
{
	struct own *o = data;
	o->found = strcmp(l->owner, o->owner) == 0;
	if (o->found)
		o->lease = *l;
	return o->found;
}

/* The routes may be there already: another network has kept them. */
static int reroute(struct joining *g, struct csn_error *err)
{
	struct nl *nl AUTO(nl_close_var)
	= NULL;
	struct link_info l;
	TRY(nl_open(NL_ROUTE, g->a->ns, &nl, err));
	TRY(nl_get_link(nl, g->lease.ifname, &l, err));
	add_route(g, nl, l.index, &g->lease.v4, &g->n.v4);
	nl_allow(nl, EEXIST);
	add_route(g, nl, l.index, &g->lease.v6, &g->n.v6);
	nl_allow(nl, EEXIST);
	return nl_commit(nl, err);
}

static int reroute_by(struct net *net, const struct net_attach *a, const struct net_join *j,
		      struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct joining g = { .net = net, .a = a, .j = j };
	struct own o = { .owner = a->owner };
	TRY(net_find(net, j->network, &g.n, &arena, err));
	TRY(net_each_lease(net, j->network, find_own, &o, err));
	if (!o.found)
		return 0;
	g.lease = o.lease;
	TRY(reroute(&g, err));
	return a->ports_count ? publish(&g, true, err) : 0;
}

int net_reroute(struct net *net, const struct net_attach *a, struct csn_error *err)
{
	int r = 0;
	TRY(world_lock(net, false, err));
	for (size_t i = 0; i < a->joins_count && r == 0; i++)
		if (a->joins[i].gateway)
			r = reroute_by(net, a, &a->joins[i], err);
	world_unlock(net);
	return r;
}
