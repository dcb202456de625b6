/*
 * Networks: what they are, who has which address in them, what is published, how somebody is
 * attached and detached. Owners are opaque names (an engine passes container ids); nothing here
 * knows what stands behind one.
 *
 *	<definitions>/NAME.json		a network, as it was created; survives reboots
 *	<run>/				dies at reboot:
 *	    lock			shared by attach and detach; exclusive while tables are made
 *anew, networks come and go, and by recover
 *	    owners/OWNER		the intent: made before anything else of an attachment, gone
 *last NAME.leases			addresses: a ledger (ledger.h), one record a lease ports
 *published ports of all networks: a ledger
 *	    NAME.names/LINK		who is called what there, and which hosts file to keep
 *
 * In the kernel: a bridge per network; per attachment one veth pair whose host end is in our link
 * group, has the name that the lease has, and goes with the namespace; per port one element of a
 * map. Everything is in two tables of one name, of the families inet and bridge. Therefore
 * everything can be told from leases and links alone: recover takes away what has no counterpart.
 *
 * Of what happens at reboot only this is said: records carry the boot's id, older ones count as
 * free.
 */
#ifndef CSN_NETNS_NETWORK_H
#define CSN_NETNS_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "netns/netns.h"

/* ---- addresses as text and as numbers (addr.c) ------------------------------------------------
 */

enum { NET_TEXT = 64 }; /* "xxxx:…/128" and the end */

/* "10.0.0.1", "fd00::1": prefix is 32 or 128. "10.0.0.0/24" with net_prefix_parse. -EINVAL. */
int net_addr_parse(const char *text, struct net_addr *ret);
int net_prefix_parse(const char *text, struct net_addr *ret);
/* "02:42:ac:11:00:02"; -EINVAL also for group addresses. */
int net_mac_parse(const char *text, struct net_mac *ret);
const char *net_addr_print(const struct net_addr *a, char buf[NET_TEXT]);
const char *net_prefix_print(const struct net_addr *a, char buf[NET_TEXT]);
const char *net_mac_print(const struct net_mac *m, char buf[NET_TEXT]);
bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);
bool net_prefix_contains(const struct net_addr *prefix, const struct net_addr *a);
bool net_prefix_overlaps(const struct net_addr *a, const struct net_addr *b);
/* Its first address, with the prefix kept. */
struct net_addr net_prefix_base(const struct net_addr *a);
/* The n-th address, counted from the first; and which one it is (UINT64_MAX: beyond counting). */
struct net_addr net_addr_at(const struct net_addr *prefix, uint64_t n);
uint64_t net_addr_index(const struct net_addr *prefix, const struct net_addr *a);
/* How many addresses it has; UINT64_MAX when that is more than can be counted. */
uint64_t net_prefix_size(const struct net_addr *prefix);

/* ---- networks (definition.c, create.c) --------------------------------------------------------
 */

enum net_driver { NET_BRIDGE, NET_MACVLAN, NET_IPVLAN };
const char *net_driver_name(enum net_driver driver);

struct net_subnet {
	struct net_addr subnet;	 /* family 0: none */
	struct net_addr gateway; /* family 0: none */
	struct net_addr range;	 /* addresses are given from here; family 0: the whole subnet */
};

struct net_label {
	char *key, *value;
};

struct network {
	char *name;
	enum net_driver driver;
	char *interface; /* the bridge; with macvlan and ipvlan: the parent */
	struct net_subnet v4, v6;
	uint32_t mtu;  /* 0: the kernel's */
	bool internal; /* no way out */
	bool isolated; /* no way to other networks */
	bool masquerade;
	bool dns; /* members find each other by name */
	char *created;
	struct net_label *labels;
	size_t labels_count;
};

/* What everything needs. One for each operation: it is not thread-safe. */
struct net {
	int definitions, run; /* directories */
	char table[32];	      /* of the families inet and bridge */
	uint32_t group;	      /* of our links */
	int lock;	      /* <run>/lock while it is held; -1 */
	bool exclusive;
	struct nl *route, *filter;
};
#define NET_INIT                                                                                   \
	{                                                                                          \
		.definitions = -1, .run = -1, .lock = -1                                           \
	}
/* The name of the network that is there without having been created. */
#define NET_DEFAULT "bridge"

/* definitions and run are directories that stay the caller's while it is open. world: a text that
 * tells installations on one machine apart; NULL: the usual one. */
int net_open(int definitions, int run, const char *world, struct net *ret, struct csn_error *err);
void net_close(struct net *net);

/* The world of a run directory: NULL for the usual one. */
const char *net_world(const char *run_root);

bool net_name_valid(const char *name);
/* -ENOENT: no such network. Everything in the arena. */
int net_find(struct net *net, const char *name, struct network *ret, struct arena *arena,
	     struct csn_error *err);
/* Every network, by name. A definition that cannot be read is left out. */
int net_each(struct net *net, int (*fn)(void *data, const struct network *n), void *data,
	     struct csn_error *err);

/* Its members, into an open object. */
void net_put(struct json_out *o, const struct network *n);

/* Its members are found by DNS at its gateways; else, where the network has dns, by hosts files. */
bool net_dns_served(const struct network *n);

struct net_create {
	const char *name, *driver, *interface, *parent; /* NULL: not said */
	const char *subnet4, *gateway4, *range4;
	const char *subnet6, *gateway6, *range6;
	bool ipv6; /* a subnet of its own when none was said */
	uint32_t mtu;
	bool internal, connected /* with other networks that are */, no_masquerade, no_dns;
	const struct net_label *labels;
	size_t labels_count;
};
/* Checks, chooses what was not said, writes the definition. -EEXIST: the name is taken. */
int net_create(struct net *net, const struct net_create *c, struct csn_error *err);
/* -EBUSY: somebody is attached. The default network is taken down and stays defined. */
int net_remove(struct net *net, const char *name, struct csn_error *err);
/* The default network, made if it is not there. */
int net_find_default(struct net *net, struct network *ret, struct arena *arena,
		     struct csn_error *err);

/* ---- who is attached (ipam.c) -----------------------------------------------------------------
 */

enum { NET_OWNER_SIZE = 72 };

struct net_lease {
	char owner[NET_OWNER_SIZE];
	uint64_t generation;
	char link[IFNAMSIZ];	/* the host end; "" with macvlan and ipvlan */
	char ifname[IFNAMSIZ];	/* in the owner's namespace */
	struct net_addr v4, v6; /* with the subnet's prefix; family 0: none */
	struct net_mac mac;
};
/* Every lease of a network, until fn gives something else than 0. */
int net_each_lease(struct net *net, const char *network,
		   int (*fn)(void *data, const struct net_lease *lease), void *data,
		   struct csn_error *err);

/* ---- published ports (ports.c) ----------------------------------------------------------------
 */

enum { NET_PORTS_MAX = 1000 }; /* of one owner */

struct net_port {
	uint8_t protocol;     /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
	struct net_addr host; /* family 0: every address of the host */
	uint16_t host_port;   /* 0: one that is free */
	uint16_t container_port;
};
const char *net_protocol_name(uint8_t protocol);
int net_protocol_number(const char *name); /* -EINVAL */
/* What an owner (NULL: each of them) has published, until fn gives something else than 0. */
int net_each_port(struct net *net, const char *owner,
		  int (*fn)(void *data, const char *owner, const struct net_port *port), void *data,
		  struct csn_error *err);

/* ---- attaching (attach.c, detach.c, recover.c) ------------------------------------------------
 */

struct net_join {
	const char *network;
	const char *ifname;
	struct net_addr v4, v6;	  /* wanted ones; family 0: any */
	struct net_mac mac;	  /* zeros: one made from the address */
	const char *const *names; /* what it is called there; ends with NULL; may be NULL */
	bool gateway;		  /* the default route goes through here */
};
struct net_attach {
	const char *owner;
	uint64_t generation; /* greater than that of its earlier attachments */
	int ns;		     /* its namespace */
	const char *hosts;   /* its hosts file, kept up to date; NULL: none */
	const struct net_join *joins;
	size_t joins_count;
	const struct net_port *ports; /* published on the first network with a gateway */
	size_t ports_count;
};
/* Whether one of those networks has IPv6: what netns_create() is to be told. */
int net_wants_ipv6(struct net *net, const struct net_join *joins, size_t count, bool *ret,
		   struct csn_error *err);
/* All or nothing. leases (may be NULL) has joins_count elements. When it returns, the first packet
 * can go. */
int net_attach(struct net *net, const struct net_attach *a, struct net_lease *leases,
	       struct csn_error *err);
/* After it has left the network that had its default routes: they go through the first of these
 * joins with a gateway, and the ports are published there. For an owner that runs. */
int net_reroute(struct net *net, const struct net_attach *a, struct csn_error *err);
/*
 * Takes back what an owner has: elements, ports, leases, names; absent is fine. The links go with
 * their namespace; with_links: deletes them now, for a namespace that lives on. network: only of
 * that one; NULL: all.
 */
int net_detach(struct net *net, const char *owner, const char *network, bool with_links,
	       struct csn_error *err);

/* Somebody else has joined the owner's namespace, which may therefore outlive it: its links are
 * deleted when it is detached. */
int net_share(struct net *net, const char *owner, struct csn_error *err);

struct net_recovered {
	size_t owners, leases, ports, links, elements;
	bool rules; /* our tables were not as they should be and are now */
};
/*
 * Takes away what a crash left: alive says which owners are there. Makes bridges and tables as they
 * should be. Touches nothing that is not ours.
 */
int net_recover(struct net *net, bool (*alive)(void *data, const char *owner), void *data,
		struct net_recovered *ret, struct csn_error *err);
/* Makes bridges and tables as they should be (somebody may have flushed them). */
int net_reload(struct net *net, struct csn_error *err);

#endif
