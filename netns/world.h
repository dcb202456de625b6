/* Inside of the network layer: what its files share. */
#ifndef CSN_NETNS_WORLD_H
#define CSN_NETNS_WORLD_H

#include "base/json.h"
#include "netns/internal.h"
#include "netns/ledger.h"
#include "netns/network.h"

/* ---- the lock (definition.c) ------------------------------------------------------------------
 */

/* Changes an earlier shared one to exclusive (letting go of it for a moment) and back. */
int world_lock(struct net *net, bool exclusive, struct csn_error *err);
void world_unlock(struct net *net);

int driver_number(const char *name); /* -EINVAL */
int definition_write(struct net *net, const struct network *n, struct csn_error *err);

/* ---- leases (ipam.c) --------------------------------------------------------------------------
 */

/* The record as it lies in the file. */
struct lease_record {
	struct ledger_head head;
	char owner[NET_OWNER_SIZE];
	uint64_t generation;
	char link[IFNAMSIZ], ifname[IFNAMSIZ];
	struct net_addr v4, v6;
	struct net_mac mac;
	uint8_t zero[6];
};
_Static_assert(sizeof(struct lease_record) % 8 == 0, "whole words");

int leases_open(struct net *net, const char *network, bool write, struct ledger *ret,
		struct csn_error *err);
/* A new lease, written. What the join wants, or the next free address. -ENOSPC: there is none;
 * -EADDRINUSE: a wanted one is taken. */
int lease_take(struct net *net, const struct network *n, const struct net_attach *a, size_t join,
	       struct net_lease *ret, struct csn_error *err);
/* Takes away the owner's lease of that network; 0 also when there is none. */
int lease_drop(struct net *net, const char *network, const char *owner, struct csn_error *err);
/* Drops leases whose link has gone; the lock is held exclusively. */
int leases_collect(struct net *net, const struct network *n, size_t *ret_freed,
		   struct csn_error *err);
int leases_count(struct net *net, const char *network, struct csn_error *err);
struct net_lease lease_of(const struct lease_record *r);

/* ---- ports (ports.c) --------------------------------------------------------------------------
 */

/* A published port with where it goes. */
struct port_record {
	struct ledger_head head;
	char owner[NET_OWNER_SIZE];
	char network[72];
	struct net_addr host;	/* family 0: every address */
	struct net_addr v4, v6; /* where it goes; family 0: not there */
	uint16_t host_port, container_port;
	uint8_t protocol, zero[5];
};
_Static_assert(sizeof(struct port_record) % 8 == 0, "whole words");

int ports_open(struct net *net, bool write, struct ledger *ret, struct csn_error *err);
/* Every address (of its family, if it has one). */
bool port_host_any(const struct net_addr *host);
/* Claims the ports of an attachment: in the ledger, after having bound each for a moment. ret has
 * room for all of them. */
int ports_claim(struct net *net, const struct net_attach *a, const struct network *n,
		const struct net_lease *lease, struct port_record *ret, struct csn_error *err);

/* ---- tables (rules.c, elements.c) -------------------------------------------------------------
 */

/* Makes our two tables anew with everything that leases, ports and definitions say. The lock is
 * held exclusively. */
int rules_apply(struct net *net, struct csn_error *err);
/* 1: the tables are there and know this network. */
int rules_know(struct net *net, const struct network *n, struct csn_error *err);
/* Makes what is to be there (tables as long as one of our bridges is; bridges of networks that
 * somebody is in), or takes the tables away. recover.c */
int rules_settle(struct net *net, struct csn_error *err);
/* Takes both tables away. */
int rules_remove(struct net *net, struct csn_error *err);

/* The elements of an attachment: who may send from its link (NULL: nobody more); what is published.
 * Adding what is there already is fine, removing what is not there too. */
int elements_add(struct net *net, const struct net_lease *lease, const struct port_record *ports,
		 size_t ports_count, struct csn_error *err);
int elements_remove_lease(struct net *net, const struct net_lease *lease, struct csn_error *err);
int elements_remove_port(struct net *net, const struct port_record *port, struct csn_error *err);

/* ---- bridges (bridge.c) -----------------------------------------------------------------------
 */

/* 1: it is there and up, with its index. */
int bridge_ready(struct net *net, const struct network *n, uint32_t *ret_index,
		 struct csn_error *err);
/* Makes it, or what is missing of it. The lock is held exclusively. */
int bridge_make(struct net *net, const struct network *n, struct csn_error *err);
int bridge_remove(struct net *net, const struct network *n, struct csn_error *err);
/* Packets between the host's loopback addresses and this bridge may be routed. */
int bridge_allow_loopback(const struct network *n, struct csn_error *err);
/* The hardware address that goes with an address. */
struct net_mac mac_of(const struct net_addr *v4, const struct net_addr *v6);

/* ---- owners (owner.c) -------------------------------------------------------------------------
 */

/* Writes the intent: which networks. Read back by detach. */
int owner_write(struct net *net, const struct net_attach *a, struct csn_error *err);
/* 1: it has an intent. Without one it has nothing at all, for that is written first and goes last.
 */
int owner_known(struct net *net, const char *owner, struct csn_error *err);
/* Calls fn for each network of an owner; 0 when the owner is not known. */
int owner_networks(struct net *net, const char *owner,
		   int (*fn)(void *data, const char *network, struct csn_error *err), void *data,
		   struct csn_error *err);
/* net_share() was called for it; forgets that. */
bool owner_shared(struct net *net, const char *owner);
/* Takes one network from its intent. */
int owner_leave(struct net *net, const char *owner, const char *network, struct csn_error *err);
/* net_detach with the lock held. detach.c */
int owner_detach(struct net *net, const char *owner, const char *network, bool with_links,
		 struct csn_error *err);
int owner_forget(struct net *net, const char *owner, struct csn_error *err);
int owner_each(struct net *net, int (*fn)(void *data, const char *owner), void *data,
	       struct csn_error *err);

/* ---- names (names.c) --------------------------------------------------------------------------
 */

int names_write(struct net *net, const struct net_attach *a, const struct net_join *j,
		const struct net_lease *lease, struct csn_error *err);
/* Writes the hosts file of an owner anew; of all others in a network. */
int names_update(struct net *net, const char *owner, struct csn_error *err);
int names_update_others(struct net *net, const char *network, const char *owner,
			struct csn_error *err);
/* Takes an owner's names out of a network and of the others' hosts files. */
int names_remove(struct net *net, const char *network, const char *owner, struct csn_error *err);

/* dns.c: writes a network's members for the name server, and starts it where it does not run. */
int dns_update(struct net *net, const struct network *n, struct csn_error *err);

#endif
