/*
 * After a crash. Journal, ledgers and links are compared with each other and with who is alive:
 * what has no counterpart goes. Then bridges and tables are made from what is left. Everybody else
 * is kept out meanwhile.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "netns/world.h"

struct recovering {
	struct net *net;
	bool (*alive)(void *data, const char *owner);
	void *data;
	struct net_recovered *ret;
	struct csn_error *err;
	const struct network *n;
	char (*names)[IFNAMSIZ]; /* of links */
	size_t names_count;
	bool found, in_use;
};

static bool is_alive(struct recovering *g, const char *owner)
{
	return g->alive && g->alive(g->data, owner);
}

/* ---- owners and leases ------------------------------------------------------------------------
 */

static int check_owner(void *data, const char *owner)
{
	struct recovering *g = data;
	if (is_alive(g, owner))
		return 0;
	g->ret->owners++;
	return owner_detach(g->net, owner, NULL, true, g->err);
}

/* A lease whose owner nobody knows, with everything that comes of it. */
static int drop_lease(struct recovering *g, struct ledger *l, size_t i)
{
	const struct lease_record *r = ledger_at(l, i);
	const struct net_lease lease = lease_of(r);
	TRY(elements_remove_lease(g->net, &lease, g->err));
	TRY(ledger_drop(l, i, g->err));
	g->ret->leases++;
	return 0;
}

static int check_leases(void *data, const struct network *n)
{
	struct recovering *g = data;
	struct ledger l AUTO(ledger_close) = LEDGER_INIT;
	TRY(leases_open(g->net, n->name, true, &l, g->err));
	for (size_t i = 0; i < l.count; i++) {
		const struct lease_record *r = ledger_at(&l, i);
		if (r && !is_alive(g, r->owner))
			TRY(drop_lease(g, &l, i));
		else if (r)
			g->in_use = true;
	}
	return 0;
}

static int check_ports(struct recovering *g)
{
	struct ledger l AUTO(ledger_close) = LEDGER_INIT;
	TRY(ports_open(g->net, true, &l, g->err));
	for (size_t i = 0; i < l.count; i++) {
		const struct port_record *r = ledger_at(&l, i);
		if (!r || is_alive(g, r->owner))
			continue;
		TRY(elements_remove_port(g->net, r, g->err));
		TRY(ledger_drop(&l, i, g->err));
		g->ret->ports++;
	}
	return 0;
}

/* ---- links ------------------------------------------------------------------------------------
 */

static int match_lease(void *data, const struct net_lease *l)
{
	struct recovering *g = data;
	g->found |= strcmp(l->link, g->names[g->names_count]) == 0;
	return g->found;
}

static int match_network(void *data, const struct network *n)
{
	struct recovering *g = data;
	g->found |= strcmp(n->interface, g->names[g->names_count]) == 0;
	if (!g->found)
		TRY(net_each_lease(g->net, n->name, match_lease, g, g->err));
	return g->found;
}

/* Collects the links of our group that no lease and no network has. */
static int check_link(void *data, const struct link_info *l)
{
	struct recovering *g = data;
	if (l->group != g->net->group ||
	    (strcmp(l->kind, "veth") != 0 && strcmp(l->kind, "bridge") != 0))
		return 0;
	void *grown = reallocarray(g->names, g->names_count + 1, sizeof *g->names);
	if (!grown)
		return -ENOMEM;
	g->names = grown;
	memcpy(g->names[g->names_count], l->name, IFNAMSIZ);
	g->found = false;
	int r = net_each(g->net, match_network, g, g->err);
	if (r >= 0 && !g->found)
		g->names_count++;
	return r < 0 ? r : 0;
}

static int check_links(struct recovering *g)
{
	int r = nl_each_link(g->net->route, check_link, g, g->err);
	for (size_t i = 0; r >= 0 && i < g->names_count; i++) {
		nl_delete_link(g->net->route, g->names[i]);
		r = nl_commit(g->net->route, g->err);
		g->ret->links++;
	}
	free(g->names);
	return r;
}

/* ---- bridges and tables -----------------------------------------------------------------------
 */

struct settling {
	struct net *net;
	struct csn_error *err;
	bool in_use, bad;
};

/* Only a network that somebody is in has to be there. */
static int settle_network(void *data, const struct network *n)
{
	struct settling *s = data;
	uint32_t index = 0;
	if (n->driver != NET_BRIDGE)
		return 0;
	int count = leases_count(s->net, n->name, s->err);
	TRY(count);
	int ready = bridge_ready(s->net, n, &index, s->err);
	TRY(ready);
	s->in_use |= count || index;
	if (count && !ready)
		TRY(bridge_make(s->net, n, s->err));
	int known = count || index ? rules_know(s->net, n, s->err) : 1;
	TRY(known);
	s->bad |= !known;
	return count && net_dns_served(n) ? dns_update(s->net, n, s->err) : 0;
}

/* Tables exist exactly while one of our bridges does. */
int rules_settle(struct net *net, struct csn_error *err)
{
	struct settling s = { .net = net, .err = err };
	TRY(net_each(net, settle_network, &s, err));
	return s.in_use ? rules_apply(net, err) : rules_remove(net, err);
}

static int recover(struct recovering *g)
{
	TRY(owner_each(g->net, check_owner, g, g->err));
	TRY(net_each(g->net, check_leases, g, g->err));
	TRY(check_ports(g));
	TRY(check_links(g));
	struct settling s = { .net = g->net, .err = g->err };
	TRY(net_each(g->net, settle_network, &s, g->err));
	g->ret->rules = s.bad;
	return rules_settle(g->net, g->err);
}

int net_recover(struct net *net, bool (*alive)(void *data, const char *owner), void *data,
		struct net_recovered *ret, struct csn_error *err)
{
	struct net_recovered done = { 0 };
	struct csn_error own;
	struct recovering g = {
		.net = net, .alive = alive, .data = data, .ret = &done, .err = err ? err : &own
	};
	TRY(world_lock(net, true, err));
	int r = recover(&g);
	world_unlock(net);
	if (r >= 0)
		*ret = done;
	return r < 0 ? r : 0;
}

int net_reload(struct net *net, struct csn_error *err)
{
	TRY(world_lock(net, true, err));
	int r = rules_settle(net, err);
	world_unlock(net);
	return r;
}

/* ---- on demand --------------------------------------------------------------------------------
 */

int leases_collect(struct net *net, const struct network *n, size_t *ret_freed,
		   struct csn_error *err)
{
	struct ledger l AUTO(ledger_close) = LEDGER_INIT;
	struct link_info link;
	*ret_freed = 0;
	TRY(leases_open(net, n->name, true, &l, err));
	for (size_t i = 0; i < l.count; i++) {
		const struct lease_record *r = ledger_at(&l, i);
		if (!r || !r->link[0] || nl_get_link(net->route, r->link, &link, NULL) != -ENODEV)
			continue;
		const struct net_lease lease = lease_of(r);
		TRY(elements_remove_lease(net, &lease, err));
		TRY(ledger_drop(&l, i, err));
		++*ret_freed;
	}
	return 0;
}
