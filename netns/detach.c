/*
 * Detaching. What others could run into goes at once: translations, tracked connections, the right
 * to send, names, addresses. The links go with their namespace, in the kernel's own time: deleting
 * one takes it 24 ms and more.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "netns/world.h"

struct leaving {
	struct net *net;
	const char *owner;
	const char *only; /* this network alone; NULL: all */
	bool with_links;
	const char *network; /* the one at hand */
	struct net_lease lease;
	bool has_lease;
};

static int find_lease(void *data, const struct net_lease *l)
{
	struct leaving *g = data;
	if (strcmp(l->owner, g->owner) != 0)
		return 0;
	g->lease = *l;
	g->has_lease = true;
	return 1;
}

/* ---- ports ------------------------------------------------------------------------------------
 */

static int drop_ports(struct leaving *g, struct csn_error *err)
{
	struct ledger l AUTO(ledger_close) = LEDGER_INIT;
	TRY(ports_open(g->net, false, &l, err));
	bool any = false;
	for (size_t i = 0; i < l.count && !any; i++) {
		const struct port_record *r = ledger_at(&l, i);
		any = r && strcmp(r->owner, g->owner) == 0;
	}
	ledger_close(&l);
	if (!any)
		return 0;
	TRY(ports_open(g->net, true, &l, err));
	for (size_t i = 0; i < l.count; i++) {
		const struct port_record *r = ledger_at(&l, i);
		if (!r || strcmp(r->owner, g->owner) != 0 || strcmp(r->network, g->network) != 0)
			continue;
		TRY(elements_remove_port(g->net, r, err));
		if (r->protocol == IPPROTO_UDP)
			TRY(conntrack_forget(g->net->filter, r->protocol, r->host_port, err));
		TRY(ledger_drop(&l, i, err));
	}
	return 0;
}

/* ---- one network ------------------------------------------------------------------------------
 */

static int drop_neighbours(struct leaving *g, const struct network *n, struct csn_error *err)
{
	struct link_info l;
	if (n->driver != NET_BRIDGE || nl_get_link(g->net->route, n->interface, &l, NULL) < 0)
		return 0;
	if (g->lease.v4.family)
		nl_delete_neighbour(g->net->route, l.index, &g->lease.v4);
	if (g->lease.v6.family)
		nl_delete_neighbour(g->net->route, l.index, &g->lease.v6);
	return nl_commit(g->net->route, err);
}

static int drop_link(struct leaving *g, struct csn_error *err)
{
	struct link_info l;
	/* Whoever else has a link of that name made it himself. */
	if (!g->lease.link[0] || nl_get_link(g->net->route, g->lease.link, &l, NULL) < 0 ||
	    l.group != g->net->group)
		return 0;
	nl_delete_link(g->net->route, g->lease.link);
	return nl_commit(g->net->route, err);
}

static int leave(void *data, const char *network, struct csn_error *err)
{
	struct leaving *g = data;
	struct arena arena AUTO(arena_free) = { 0 };
	struct network n;
	if (g->only && strcmp(g->only, network) != 0)
		return 0;
	g->network = network;
	g->has_lease = false;
	TRY(net_each_lease(g->net, network, find_lease, g, err));
	TRY(drop_ports(g, err));
	if (!g->has_lease)
		return names_remove(g->net, network, g->owner, err);
	TRY(elements_remove_lease(g->net, &g->lease, err));
	if (net_find(g->net, network, &n, &arena, NULL) == 0)
		TRY(drop_neighbours(g, &n, err));
	if (g->with_links)
		TRY(drop_link(g, err));
	TRY(lease_drop(g->net, network, g->owner, err));
	return names_remove(g->net, network, g->owner, err);
}

int owner_detach(struct net *net, const char *owner, const char *network, bool with_links,
		 struct csn_error *err)
{
	struct leaving g = {
		.net = net, .owner = owner, .only = network, .with_links = with_links
	};
	if (!network && owner_shared(net, owner))
		g.with_links = true;
	TRY(owner_networks(net, owner, leave, &g, err));
	if (!network)
		return owner_forget(net, owner, err);
	TRY(owner_leave(net, owner, network, err));
	return names_update(net, owner, err);
}

int net_detach(struct net *net, const char *owner, const char *network, bool with_links,
	       struct csn_error *err)
{
	TRY(world_lock(net, false, err));
	int r = owner_detach(net, owner, network, with_links, err);
	world_unlock(net);
	return r;
}
