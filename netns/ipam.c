/*
 * Who has which address. The next free one behind the last that was given is taken, round and
 * round, so that an address is not another's at once. A dual-stack network gives the same number
 * in both subnets where it can.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "netns/world.h"

/* A bridge holds 1,024 ports less one (BR_MAX_PORTS); beyond, the kernel refuses. */
enum { BRIDGE_PORTS_MAX = 1023, POOL_MAX = 1 << 16 };

int leases_open(struct net *net, const char *network, bool write, struct ledger *ret,
		struct csn_error *err)
{
	char file[80];
	(void)snprintf(file, sizeof file, "%s.leases", network);
	return ledger_open(net->run, file, sizeof(struct lease_record), write, ret, err);
}

struct net_lease lease_of(const struct lease_record *r)
{
	struct net_lease l = {
		.generation = r->generation, .v4 = r->v4, .v6 = r->v6, .mac = r->mac
	};
	memcpy(l.owner, r->owner, sizeof l.owner);
	memcpy(l.link, r->link, sizeof l.link);
	memcpy(l.ifname, r->ifname, sizeof l.ifname);
	return l;
}

int net_each_lease(struct net *net, const char *network,
		   int (*fn)(void *data, const struct net_lease *lease), void *data,
		   struct csn_error *err)
{
	struct ledger l AUTO(ledger_close) = LEDGER_INIT;
	TRY(leases_open(net, network, false, &l, err));
	for (size_t i = 0; i < l.count; i++) {
		const struct lease_record *r = ledger_at(&l, i);
		const struct net_lease lease = r ? lease_of(r) : (struct net_lease){ 0 };
		int result = r ? fn(data, &lease) : 0;
		if (result)
			return result;
	}
	return 0;
}

static int count_one(void *data, const struct net_lease *lease)
{
	(void)lease;
	++*(int *)data;
	return 0;
}

int leases_count(struct net *net, const char *network, struct csn_error *err)
{
	int n = 0;
	TRY(net_each_lease(net, network, count_one, &n, err));
	return n;
}

/* ---- choosing ---------------------------------------------------------------------------------
 */

/* What is taken of one subnet, as far as addresses are given by number. */
struct pool {
	const struct net_subnet *s;
	uint64_t first, end; /* numbers in the subnet; end is one behind */
	uint8_t taken[POOL_MAX / 8];
};

static void mark(struct pool *p, const struct net_addr *a)
{
	uint64_t n = a->family ? net_addr_index(&p->s->subnet, a) : UINT64_MAX;
	if (n < POOL_MAX)
		p->taken[n / 8] |= (uint8_t)(1 << n % 8);
}

static bool is_taken(const struct pool *p, uint64_t n)
{
	return p->taken[n / 8] & 1 << n % 8;
}

/* Not the first address (the network, or the routers' anycast), nor IPv4's last (broadcast). */
static void bound(struct pool *p)
{
	const struct net_addr *range = p->s->range.family ? &p->s->range : &p->s->subnet;
	struct net_addr base = net_prefix_base(range);
	uint64_t size = net_prefix_size(&p->s->subnet), length = net_prefix_size(range);
	bool tiny = size <= 2;
	p->first = net_addr_index(&p->s->subnet, &base);
	p->end =
		length == UINT64_MAX || p->first + length > POOL_MAX ? POOL_MAX : p->first + length;
	if (p->first == 0 && !tiny)
		p->first = 1;
	if (p->s->subnet.family == AF_INET && !tiny && p->end == size)
		p->end--;
}

static void fill(struct pool *p, const struct net_subnet *s, const struct ledger *l)
{
	p->s = s;
	bound(p);
	mark(p, &s->gateway);
	for (size_t i = 0; i < l->count; i++) {
		const struct lease_record *r = ledger_at(l, i);
		if (r)
			mark(p, s->subnet.family == AF_INET ? &r->v4 : &r->v6);
	}
}

static int choose(struct pool *p, uint64_t after, uint64_t *ret)
{
	uint64_t n = after < p->first || after >= p->end ? p->first : after + 1;
	for (uint64_t tries = p->end > p->first ? p->end - p->first : 0; tries; tries--, n++) {
		if (n >= p->end)
			n = p->first;
		if (!is_taken(p, n)) {
			*ret = n;
			return 0;
		}
	}
	return -ENOSPC;
}

static const struct lease_record *holder(const struct ledger *l, const struct net_addr *a)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct lease_record *r = ledger_at(l, i);
		if (r && ((r->v4.family && net_addr_equal(&r->v4, a)) ||
			  (r->v6.family && net_addr_equal(&r->v6, a))))
			return r;
	}
	return NULL;
}

/* An address that somebody asked for by value. */
static int check_wanted(const struct network *n, const struct net_subnet *s, const struct ledger *l,
			const struct net_addr *a, struct csn_error *err)
{
	char text[NET_TEXT], subnet[NET_TEXT];
	const char *field = a->family == AF_INET6 ? "ip6" : "ip";
	net_addr_print(a, text);
	if (!s->subnet.family)
		return fail(err, EINVAL, "%s \"%s\": network \"%s\" has no %s subnet", field, text,
			    n->name, a->family == AF_INET6 ? "IPv6" : "IPv4");
	if (!net_prefix_contains(&s->subnet, a))
		return fail(err, EINVAL, "%s \"%s\": not in subnet %s of network \"%s\"", field,
			    text, net_prefix_print(&s->subnet, subnet), n->name);
	uint64_t i = net_addr_index(&s->subnet, a), size = net_prefix_size(&s->subnet);
	if (size > 2 && (i == 0 || (a->family == AF_INET && i == size - 1)))
		return fail(err, EINVAL, "%s \"%s\": the %s address of subnet %s", field, text,
			    i ? "broadcast" : "network", net_prefix_print(&s->subnet, subnet));
	if (net_addr_equal(a, &s->gateway))
		return fail(err, EADDRINUSE, "%s \"%s\": it is the gateway of network \"%s\"",
			    field, text, n->name);
	const struct lease_record *r = holder(l, a);
	return r ? fail(err, EADDRINUSE, "%s \"%s\": in use by %.12s in network \"%s\"", field,
			text, r->owner, n->name)
		 : 0;
}

static int no_address(const struct network *n, const struct net_subnet *s, struct csn_error *err)
{
	char text[NET_TEXT];
	const struct net_addr *from = s->range.family ? &s->range : &s->subnet;
	return fail(err, ENOSPC, "network \"%s\": no address is free in %s", n->name,
		    net_prefix_print(from, text));
}

/* One family: the wanted address, or the number that was preferred, or the next free one. */
static int give(const struct network *n, const struct net_subnet *s, struct ledger *l,
		const struct net_addr *wanted, uint64_t *number, struct net_addr *ret,
		struct csn_error *err)
{
	auto_mem struct pool *p = NULL;
	if (wanted->family)
		TRY(check_wanted(n, s, l, wanted, err));
	if (!s->subnet.family)
		return 0;
	*ret = *wanted;
	if (!wanted->family) {
		p = calloc(1, sizeof *p);
		if (!p)
			return fail(err, ENOMEM, "out of memory");
		fill(p, s, l);
		if (*number < p->first || *number >= p->end || is_taken(p, *number))
			if (choose(p, s->subnet.family == AF_INET ? l->cursor : *number, number) <
			    0)
				return no_address(n, s, err);
		*ret = net_addr_at(&s->subnet, *number);
	}
	ret->prefix = s->subnet.prefix;
	return 0;
}

/* ---- records ----------------------------------------------------------------------------------
 */

/* Unlike any other: of owner, generation and network. */
static void name_link(const struct net_attach *a, const char *network, char ret[IFNAMSIZ])
{
	uint64_t h = 14695981039346656037ULL ^ a->generation;
	for (const char *p = a->owner; *p; p++)
		h = (h ^ (uint8_t)*p) * 1099511628211ULL;
	for (const char *p = network; *p; p++)
		h = (h ^ (uint8_t)*p) * 1099511628211ULL;
	(void)snprintf(ret, IFNAMSIZ, "cv%012llx",
		       (unsigned long long)((h ^ h >> 48) & 0xffffffffffffULL));
}

static int check_room(const struct network *n, const struct ledger *l, struct csn_error *err)
{
	size_t count = 0;
	for (size_t i = 0; i < l->count; i++)
		count += ledger_at(l, i) != NULL;
	if (n->driver == NET_BRIDGE && count >= BRIDGE_PORTS_MAX)
		return fail(err, ENOSPC,
			    "network \"%s\": %d are attached, and a bridge holds no more: make "
			    "another network",
			    n->name, BRIDGE_PORTS_MAX);
	return 0;
}

int lease_take(struct net *net, const struct network *n, const struct net_attach *a, size_t join,
	       struct net_lease *ret, struct csn_error *err)
{
	static const struct net_mac none;
	const struct net_join *j = &a->joins[join];
	struct ledger l AUTO(ledger_close) = LEDGER_INIT;
	struct lease_record r = { .generation = a->generation, .mac = j->mac };
	uint64_t number = 0;

	TRY(leases_open(net, n->name, true, &l, err));
	TRY(check_room(n, &l, err));
	TRY(give(n, &n->v4, &l, &j->v4, &number, &r.v4, err));
	TRY(give(n, &n->v6, &l, &j->v6, &number, &r.v6, err));
	if (memcmp(&r.mac, &none, sizeof none) == 0)
		r.mac = mac_of(&r.v4, &r.v6);
	(void)snprintf(r.owner, sizeof r.owner, "%s", a->owner);
	(void)snprintf(r.ifname, sizeof r.ifname, "%s", j->ifname);
	if (n->driver == NET_BRIDGE)
		name_link(a, n->name, r.link);
	TRY(ledger_put(&l, ledger_free_slot(&l), &r, err));
	if (!j->v4.family && number)
		TRY(ledger_set_cursor(&l, number, err));
	*ret = lease_of(&r);
	return 0;
}

int lease_drop(struct net *net, const char *network, const char *owner, struct csn_error *err)
{
	struct ledger l AUTO(ledger_close) = LEDGER_INIT;
	TRY(leases_open(net, network, true, &l, err));
	for (size_t i = 0; i < l.count; i++) {
		const struct lease_record *r = ledger_at(&l, i);
		if (r && strcmp(r->owner, owner) == 0)
			TRY(ledger_drop(&l, i, err));
	}
	return 0;
}
