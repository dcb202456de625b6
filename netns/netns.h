/*
 * Network namespaces, links, addresses and packet tables in the kernel's own words, over libmnl.
 * Knows nothing of containers or networks: whoever calls decides names and numbers.
 *
 * A struct nl is one netlink socket and one batch: nl_* functions append requests, nl_commit()
 * sends them all in one message and reads every answer. The kernel's extended text goes into the
 * error, and each request carries the words that name it there. Not thread-safe; a socket stays in
 * the network namespace it was opened in.
 */
#ifndef CSN_NETNS_NETNS_H
#define CSN_NETNS_NETNS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "caisson.h"

/* ---- namespaces (ns.c) ------------------------------------------------------------------------
 */

/*
 * A new namespace, as an fd that keeps it. The calling thread enters it for a moment and comes
 * back. ipv6 false: no link in it will ever have IPv6; true: addresses are usable at once (no
 * duplicate address detection) and are only those that are given.
 */
int netns_create(bool ipv6, int *ret_fd, struct csn_error *err);
/* Mounts the namespace over dir_fd/name (a file that is made), so that it outlives its processes;
 * and takes that away again (absent: 0). */
int netns_pin(int ns_fd, int dir_fd, const char *name, struct csn_error *err);
int netns_unpin(int dir_fd, const char *name, struct csn_error *err);
/* Runs fn in the namespace, in the calling thread, and comes back. Gives fn's result. */
int netns_run(int ns_fd, int (*fn)(void *data, struct csn_error *err), void *data,
	      struct csn_error *err);
/* Writes /proc/sys/<path> of the namespace that the thread is in. */
int netns_sysctl(const char *path, const char *value, struct csn_error *err);

/* A link of the calling thread's namespace that goes into another. */
struct net_move {
	const char *name, *new_name; /* "%d" in the latter: a number that is free there */
	int ns;
	bool leave_down; /* else it is up in the end */

	/* Results. */
	char got_name[IFNAMSIZ];
	bool was_up;
};
/*
 * Moves it with its permanent global addresses. Needs no libmnl (move.c, libnetmove.la). A name
 * that is taken there is -EEXIST before anything has changed; after other refusals the link is as
 * it was.
 */
int netns_move_link(struct net_move *m, struct csn_error *err);

/* ---- the socket and its batch (nl.c) ----------------------------------------------------------
 */

struct nl;
enum nl_bus { NL_ROUTE, NL_NETFILTER };

/* ns_fd: the namespace to open it in; -1: the calling thread's. */
int nl_open(enum nl_bus bus, int ns_fd, struct nl **ret, struct csn_error *err);
void nl_close(struct nl *nl);
static inline void nl_close_var(struct nl **nl)
{
	nl_close(*nl);
}
/*
 * Sends what was appended. Fails with the first refusal; what the kernel had taken before that
 * stays (nftables: a batch is all or nothing). An append that did not fit or lacked memory fails
 * here too. The batch is empty afterwards, whatever happened.
 */
int nl_commit(struct nl *nl, struct csn_error *err);
/* The words that name the request appended last, should it be refused; at most 127 bytes. */
void nl_name(struct nl *nl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The request appended last may be refused with this errno: that is no failure. */
void nl_allow(struct nl *nl, int code);

/* ---- addresses --------------------------------------------------------------------------------
 */

/* 4 or 16 bytes in network order; family 0: none. */
struct net_addr {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t prefix;
	uint8_t bytes[16];
};
struct net_mac {
	uint8_t bytes[6];
};

/* ---- links (link.c) ---------------------------------------------------------------------------
 */

struct veth {
	const char *host_name; /* this end stays */
	const char *peer_name; /* that end is born in peer_ns */
	int peer_ns;
	struct net_mac peer_mac;
	uint32_t mtu;	/* 0: the kernel's */
	uint32_t group; /* tag of the host end */
};
/* Both ends, neither of them up. */
void nl_add_veth(struct nl *nl, const struct veth *v);

struct bridge_port {
	const char *link;
	const char *bridge;
	uint32_t bridge_index; /* 0: looked up by the name */
	bool isolated;	       /* it speaks to the bridge alone, not to other isolated ports */
};
/* The link becomes a port, with hairpin. */
void nl_add_port(struct nl *nl, const struct bridge_port *p);

struct bridge {
	const char *name;
	uint32_t mtu, group;
	struct net_mac mac;
};
/* An empty bridge without spanning tree or multicast snooping, not up. -EEXIST when there is one.
 */
void nl_add_bridge(struct nl *nl, const struct bridge *b);

enum sub_mode { SUB_MACVLAN, SUB_IPVLAN };
struct sublink {
	enum sub_mode mode;
	uint32_t parent; /* index */
	const char *name;
	int ns;
	struct net_mac mac; /* macvlan */
	uint32_t mtu;
};
/* A link on top of a parent, born in another namespace. */
void nl_add_sublink(struct nl *nl, const struct sublink *s);

void nl_set_up(struct nl *nl, const char *name, bool up);
void nl_set_alias(struct nl *nl, const char *name, const char *alias);
/* Deletes by name; absent is fine. */
void nl_delete_link(struct nl *nl, const char *name);

struct link_info {
	uint32_t index, master, mtu, group, link;
	char name[IFNAMSIZ];
	char kind[16]; /* "veth", "bridge", "" */
	bool up;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets, rx_errors, tx_errors, rx_dropped,
		tx_dropped;
};
/* -ENODEV when there is none. */
int nl_get_link(struct nl *nl, const char *name, struct link_info *ret, struct csn_error *err);
/* Every link; fn's first negative result ends it. */
int nl_each_link(struct nl *nl, int (*fn)(void *data, const struct link_info *link), void *data,
		 struct csn_error *err);

/* ---- addresses and routes (route.c) -----------------------------------------------------------
 */

/* Adds an address to the link of that index (no duplicate address detection). */
void nl_add_address(struct nl *nl, uint32_t index, const struct net_addr *addr);
/* The default route through a gateway on that link. metric 0: the kernel's. */
void nl_add_default_route(struct nl *nl, uint32_t index, const struct net_addr *gateway,
			  uint32_t metric);
/* A permanent neighbour. */
void nl_add_neighbour(struct nl *nl, uint32_t index, const struct net_addr *addr,
		      const struct net_mac *mac);
/* Absent is fine. */
void nl_delete_neighbour(struct nl *nl, uint32_t index, const struct net_addr *addr);
/* Every address and every unicast route's destination; the default route has prefix 0. */
int nl_each_prefix(struct nl *nl,
		   int (*fn)(void *data, const struct net_addr *prefix, uint32_t index), void *data,
		   struct csn_error *err);

/* ---- nftables elements (nft.c) ----------------------------------------------------------------
 */

/* One element: the key, and for maps its data, as the kernel holds them: concatenated fields, each
 * padded to four bytes. */
struct nft_element {
	const void *key;
	size_t key_size;
	const void *data;
	size_t data_size;
};
/* The bus must be NL_NETFILTER. Begins and ends a batch that is applied whole or not at all. */
void nft_begin(struct nl *nl);
void nft_end(struct nl *nl);
/* family: NFPROTO_INET, NFPROTO_BRIDGE. One that is there already is fine; with other data it is
 * -EEXIST. */
void nft_add_element(struct nl *nl, uint8_t family, const char *table, const char *set,
		     const struct nft_element *e);
/* In a batch of its own: removing what is not there refuses the batch with -ENOENT. */
void nft_delete_element(struct nl *nl, uint8_t family, const char *table, const char *set,
			const struct nft_element *e);
/* The data of an element: its size, -ENOENT when it is not there. */
int nft_get_element(struct nl *nl, uint8_t family, const char *table, const char *set,
		    const struct nft_element *e, void *ret_data, size_t size,
		    struct csn_error *err);
/* Tables come and go whole. */
int nft_has_table(struct nl *nl, uint8_t family, const char *table, struct csn_error *err);
int nft_delete_table(struct nl *nl, uint8_t family, const char *table, struct csn_error *err);
/* Runs the program nft on a script, which is applied whole or not at all. */
int nft_script(const char *text, struct csn_error *err);

/* ---- connection tracking (conntrack.c) --------------------------------------------------------
 */

/* Forgets every tracked connection whose original destination port is this one. -ve on failure;
 * else how many. */
int conntrack_forget(struct nl *nl, uint8_t protocol, uint16_t port, struct csn_error *err);

#endif
