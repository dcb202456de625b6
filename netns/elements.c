/*
 * Elements of our tables: what is added with an attachment and goes with it. The keys are the
 * bytes that the kernel has for the types of the sets in rules.c; each field padded to four bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <string.h>

#include "base/error.h"
#include "netns/world.h"

/* A key or a value as it grows. */
struct bytes {
	uint8_t at[64];
	size_t size;
};

static void add(struct bytes *b, const void *data, size_t size)
{
	memcpy(b->at + b->size, data, size);
	b->size += (size + 3) & ~(size_t)3;
}

static void add_name(struct bytes *b, const char *name)
{
	char padded[IFNAMSIZ] = "";
	memcpy(padded, name, strnlen(name, sizeof padded - 1));
	add(b, padded, sizeof padded);
}

static void add_port(struct bytes *b, uint16_t port)
{
	const uint16_t value = htons(port);
	add(b, &value, sizeof value);
}

struct element {
	uint8_t family;
	const char *set;
	struct bytes key, value;
};

static struct nft_element view(const struct element *e)
{
	return (struct nft_element){ e->key.at, e->key.size, e->value.size ? e->value.at : NULL,
				     e->value.size };
}

/* The link-local address that the kernel makes from a hardware address. */
static struct net_addr link_local(const struct net_mac *m)
{
	const uint8_t *b = m->bytes;
	return (struct net_addr){ .family = AF_INET6,
				  .bytes = { 0xfe, 0x80, [8] = b[0] ^ 2, b[1], b[2], 0xff, 0xfe,
					     b[3], b[4], b[5] } };
}

enum { LEASE_ELEMENTS = 3, PORT_ELEMENTS = 2 };

static size_t of_lease(const struct net_lease *l, struct element ret[LEASE_ELEMENTS])
{
	const struct net_addr local = link_local(&l->mac);
	const struct net_addr *sources[LEASE_ELEMENTS] = { &l->v4, &l->v6,
							   l->v6.family ? &local : &l->v6 };
	size_t n = 0;
	if (!l->link[0])
		return 0;
	for (size_t i = 0; i < LEASE_ELEMENTS; i++) {
		if (!sources[i]->family)
			continue;
		struct element *e = &ret[n++];
		*e = (struct element){ .family = NFPROTO_BRIDGE,
				       .set = sources[i]->family == AF_INET ? "sources4"
									    : "sources6" };
		add_name(&e->key, l->link);
		add(&e->key, l->mac.bytes, sizeof l->mac.bytes);
		add(&e->key, sources[i]->bytes, addr_size(sources[i]));
	}
	return n;
}

static size_t of_port(const struct port_record *p, struct element ret[PORT_ELEMENTS])
{
	const struct net_addr *targets[PORT_ELEMENTS] = { &p->v4, &p->v6 };
	static const char *const sets[PORT_ELEMENTS][2] = { { "any4", "host4" },
							    { "any6", "host6" } };
	size_t n = 0;
	for (size_t i = 0; i < PORT_ELEMENTS; i++) {
		if (!targets[i]->family)
			continue;
		struct element *e = &ret[n++];
		*e = (struct element){ .family = NFPROTO_INET,
				       .set = sets[i][!port_host_any(&p->host)] };
		if (!port_host_any(&p->host))
			add(&e->key, p->host.bytes, addr_size(&p->host));
		add(&e->key, &p->protocol, 1);
		add_port(&e->key, p->host_port);
		add(&e->value, targets[i]->bytes, addr_size(targets[i]));
		add_port(&e->value, p->container_port);
	}
	return n;
}

/* ---- adding -----------------------------------------------------------------------------------
 */

static void append(struct net *net, const struct element *e, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct nft_element n = view(&e[i]);
		nft_add_element(net->filter, e[i].family, net->table, e[i].set, &n);
	}
}

/* Batches are small: each is all or nothing, and whoever fails takes back by name. */
int elements_add(struct net *net, const struct net_lease *lease, const struct port_record *ports,
		 size_t ports_count, struct csn_error *err)
{
	enum { AT_ONCE = 16 };
	struct element e[LEASE_ELEMENTS > PORT_ELEMENTS ? LEASE_ELEMENTS : PORT_ELEMENTS];
	nft_begin(net->filter);
	if (lease)
		append(net, e, of_lease(lease, e));
	for (size_t i = 0; i < ports_count; i++) {
		if (i % AT_ONCE == AT_ONCE - 1) {
			nft_end(net->filter);
			TRY(nl_commit(net->filter, err));
			nft_begin(net->filter);
		}
		append(net, e, of_port(&ports[i], e));
	}
	nft_end(net->filter);
	return nl_commit(net->filter, err);
}

/* ---- removing ---------------------------------------------------------------------------------
 */

/* One batch each: one that is not there would refuse the others. */
static int remove_each(struct net *net, const struct element *e, size_t count,
		       struct csn_error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct nft_element n = { e[i].key.at, e[i].key.size, NULL, 0 };
		nft_begin(net->filter);
		nft_delete_element(net->filter, e[i].family, net->table, e[i].set, &n);
		nl_allow(net->filter, ENOENT);
		nft_end(net->filter);
		TRY(nl_commit(net->filter, err));
	}
	return 0;
}

int elements_remove_lease(struct net *net, const struct net_lease *lease, struct csn_error *err)
{
	struct element e[LEASE_ELEMENTS];
	return remove_each(net, e, of_lease(lease, e), err);
}

int elements_remove_port(struct net *net, const struct port_record *port, struct csn_error *err)
{
	struct element e[PORT_ELEMENTS];
	return remove_each(net, e, of_port(port, e), err);
}
