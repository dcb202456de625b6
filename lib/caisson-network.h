/*
 * libcaisson: networks, and what a container has of them. The conventions are those of caisson.h.
 *
 * A container is in no network, in the host's, or in networks that were made here; "bridge" is the
 * default one, which need not be made.
 */
#ifndef CAISSON_NETWORK_H
#define CAISSON_NETWORK_H

#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- containers -------------------------------------------------------------------------------
 */

/* A network that a container is in. */
struct csn_network_join {
	size_t size;
	const char *network;	    /* its name */
	const char *ip, *ip6, *mac; /* NULL: one that is free */
	const char *const *aliases; /* more names in that network; ends with NULL */
};
#define CSN_NETWORK_JOIN_INIT                                                                      \
	{                                                                                          \
		sizeof(struct csn_network_join), NULL, NULL, NULL, NULL, NULL                      \
	}

/* A published port, or count of them from these on. */
struct csn_port {
	size_t size;
	const char *host_ip;	 /* NULL: every address of the host */
	uint16_t host_port;	 /* 0: one that is free */
	uint16_t container_port; /* 1 to 65535 */
	uint16_t count;		 /* 0: one */
	const char *protocol;	 /* "tcp" (also NULL), "udp", "sctp" */
};
#define CSN_PORT_INIT                                                                              \
	{                                                                                          \
		sizeof(struct csn_port), NULL, 0, 0, 0, NULL                                       \
	}

/* What a container has of networks beyond the name of one. */
struct csn_container_network {
	size_t size;
	const struct csn_network_join *networks; /* instead of the options' network; the first one
						  * that has a way out has the default route */
	size_t networks_count;
	const struct csn_port *ports; /* published, on the network that has the default route */
	size_t ports_count;
	bool publish_all; /* also what the image exposes, on free ports */
	const char *const *dns, *const *dns_search, *const *dns_options; /* of resolv.conf; NULL:
									  * the host's */
	const char *const *extra_hosts; /* "name:address" or "name:host-gateway" */
};
#define CSN_CONTAINER_NETWORK_INIT                                                                 \
	{                                                                                          \
		sizeof(struct csn_container_network), NULL, 0, NULL, 0, false, NULL, NULL, NULL,   \
			NULL                                                                       \
	}

/* A port as it is published. */
struct csn_port_mapping {
	uint16_t container_port;
	const char *protocol; /* "tcp", "udp", "sctp" */
	const char *host_ip;  /* "": every address of the host */
	uint16_t host_port;   /* 0: one will be chosen when the container starts */
};
struct csn_ports;
CSN_API size_t csn_ports_count(const struct csn_ports *ports);
/* Owned by the list. index must be less than the count. */
CSN_API const struct csn_port_mapping *csn_ports_get(const struct csn_ports *ports, size_t index);
CSN_API void csn_ports_free(struct csn_ports *ports);
/* The published ports of a container: as they are while it runs, else as it asks for them. */
CSN_API int csn_container_ports(struct csn_runtime *rt, const char *container,
				struct csn_ports **ret, struct csn_error *err) CSN_MUST_CHECK;

/* ---- networks ---------------------------------------------------------------------------------
 */

struct csn_network_options {
	size_t size;
	const char *name;
	const char *driver;    /* "bridge" (also NULL), "macvlan", "ipvlan" */
	const char *interface; /* name of the bridge; NULL: one that is free */
	const char *parent;    /* macvlan and ipvlan: the host's interface they stand on */
	/* "10.1.0.0/24", "fd00::/64"; NULL: one that is free, of IPv4. Gateways: NULL: the first
	 * address. Ranges (ADDRESS/BITS): where addresses are given from. */
	const char *subnet, *gateway, *range;
	const char *subnet6, *gateway6, *range6;
	bool ipv6; /* with an IPv6 subnet that is free */
	bool internal;
	bool no_isolate; /* reachable from other networks that say so, too */
	bool no_masquerade, no_dns;
	uint32_t mtu;		   /* 0: the kernel's */
	const char *const *labels; /* "key=value"; ends with NULL */
};
#define CSN_NETWORK_OPTIONS_INIT                                                                   \
	{                                                                                          \
		sizeof(struct csn_network_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL,      \
			NULL, NULL, NULL, false, false, false, false, false, 0, NULL               \
	}

/* -EEXIST: the name is taken. -EADDRINUSE: the subnet overlaps another network or what the host can
 * reach. -EINVAL names the field. */
CSN_API int csn_network_create(struct csn_runtime *rt, const struct csn_network_options *options,
			       struct csn_error *err) CSN_MUST_CHECK;
/* -ENOENT; -EBUSY: a container is in it. */
CSN_API int csn_network_remove(struct csn_runtime *rt, const char *network,
			       struct csn_error *err) CSN_MUST_CHECK;

struct csn_network_info {
	const char *name, *driver, *interface, *created;
	const char *subnet, *gateway, *subnet6, *gateway6; /* "" where there is none */
	bool internal, isolated;
	size_t containers; /* that are in it now */
};
struct csn_networks;
/* By name. */
CSN_API int csn_network_list(struct csn_runtime *rt, struct csn_networks **ret,
			     struct csn_error *err) CSN_MUST_CHECK;
CSN_API size_t csn_networks_count(const struct csn_networks *networks);
/* Owned by the list. index must be less than the count. */
CSN_API const struct csn_network_info *csn_networks_get(const struct csn_networks *networks,
							size_t index);
CSN_API void csn_networks_free(struct csn_networks *networks);
/* Removes the networks that no container is in and none was made for; *ret (may be NULL) lists
 * them. */
CSN_API int csn_network_prune(struct csn_runtime *rt, struct csn_networks **ret,
			      struct csn_error *err) CSN_MUST_CHECK;
/* Everything known of a network, with who is in it, as a JSON object; csn_free() it. */
CSN_API int csn_network_inspect(struct csn_runtime *rt, const char *network, char **ret_json,
				struct csn_error *err) CSN_MUST_CHECK;
/* Puts a container into one more network, or takes it out of one: at once when it runs, and for
 * every start to come. -EEXIST, -ENOENT: it is in that network already, is not in it. */
CSN_API int csn_network_connect(struct csn_runtime *rt, const char *container,
				const struct csn_network_join *join,
				struct csn_error *err) CSN_MUST_CHECK;
CSN_API int csn_network_disconnect(struct csn_runtime *rt, const char *container,
				   const char *network, struct csn_error *err) CSN_MUST_CHECK;
/* Makes bridges and packet rules as they should be, after somebody flushed them. The next start of
 * a container does it too. */
CSN_API int csn_network_reload(struct csn_runtime *rt, struct csn_error *err) CSN_MUST_CHECK;

/* The address of a running container in its first network: 1; 0: it has none (now). ret holds an
 * IPv4 address, or an IPv6 one where there is nothing else. */
#define CSN_ADDRESS_SIZE 64
CSN_API int csn_container_ip(struct csn_runtime *rt, const char *container,
			     char ret[CSN_ADDRESS_SIZE], struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
