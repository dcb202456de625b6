/* Addresses, routes and neighbours: one request each. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "base/error.h"
#include "netns/internal.h"

static const char *print(const struct net_addr *a, char buf[INET6_ADDRSTRLEN])
{
	return inet_ntop(a->family, a->bytes, buf, INET6_ADDRSTRLEN) ? buf : "?";
}

/* The last address of an IPv4 subnet; false where there is none (31, 32, IPv6). */
static bool broadcast(const struct net_addr *a, uint8_t ret[4])
{
	if (a->family != AF_INET || a->prefix > 30)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		unsigned kept = a->prefix > i * 8 ? a->prefix - i * 8 : 0;
		uint8_t host = kept >= 8 ? 0 : (uint8_t)(0xff >> kept);
		ret[i] = a->bytes[i] | host;
	}
	return true;
}

void nl_add_address(struct nl *nl, uint32_t index, const struct net_addr *addr)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t last[4];
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
	m->ifa_family = addr->family;
	m->ifa_prefixlen = addr->prefix;
	m->ifa_index = index;
	mnl_attr_put(h, IFA_LOCAL, addr_size(addr), addr->bytes);
	mnl_attr_put(h, IFA_ADDRESS, addr_size(addr), addr->bytes);
	if (broadcast(addr, last))
		mnl_attr_put(h, IFA_BROADCAST, sizeof last, last);
	if (addr->family == AF_INET6)
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD);
	nl_end(nl, h);
	nl_name(nl, "add address %s/%u", print(addr, text), addr->prefix);
}

void nl_add_default_route(struct nl *nl, uint32_t index, const struct net_addr *gateway,
			  uint32_t metric)
{
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
	m->rtm_family = gateway->family;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = RTPROT_STATIC;
	m->rtm_scope = RT_SCOPE_UNIVERSE;
	m->rtm_type = RTN_UNICAST;
	mnl_attr_put(h, RTA_GATEWAY, addr_size(gateway), gateway->bytes);
	mnl_attr_put_u32(h, RTA_OIF, index);
	if (metric)
		mnl_attr_put_u32(h, RTA_PRIORITY, metric);
	nl_end(nl, h);
	nl_name(nl, "add the default route through %s", print(gateway, text));
}

void nl_add_neighbour(struct nl *nl, uint32_t index, const struct net_addr *addr,
		      const struct net_mac *mac)
{
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
	struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
	m->ndm_family = addr->family;
	m->ndm_ifindex = (int)index;
	m->ndm_state = NUD_PERMANENT;
	mnl_attr_put(h, NDA_DST, addr_size(addr), addr->bytes);
	mnl_attr_put(h, NDA_LLADDR, sizeof mac->bytes, mac->bytes);
	nl_end(nl, h);
	nl_name(nl, "add neighbour %s", print(addr, text));
}

void nl_delete_neighbour(struct nl *nl, uint32_t index, const struct net_addr *addr)
{
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *h = nl_begin(nl, RTM_DELNEIGH, NLM_F_ACK);
	struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
	m->ndm_family = addr->family;
	m->ndm_ifindex = (int)index;
	mnl_attr_put(h, NDA_DST, addr_size(addr), addr->bytes);
	nl_end(nl, h);
	nl_name(nl, "delete neighbour %s", print(addr, text));
	nl_allow(nl, ENOENT);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

struct prefix_walk {
	int (*fn)(void *data, const struct net_addr *prefix, uint32_t index);
	void *data;
	int result;
};

static int walk_route(const struct nlmsghdr *h, void *data)
{
	struct prefix_walk *w = data;
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	if (h->nlmsg_type != RTM_NEWROUTE || w->result < 0 || m->rtm_type != RTN_UNICAST ||
	    (m->rtm_family != AF_INET && m->rtm_family != AF_INET6))
		return MNL_CB_OK;
	struct net_addr prefix = { .family = m->rtm_family, .prefix = m->rtm_dst_len };
	uint32_t index = 0;
	const struct nlattr *a;
	mnl_attr_for_each(a, h, sizeof *m)
	{
		if (mnl_attr_get_type(a) == RTA_DST &&
		    mnl_attr_get_payload_len(a) == addr_size(&prefix))
			memcpy(prefix.bytes, mnl_attr_get_payload(a), addr_size(&prefix));
		if (mnl_attr_get_type(a) == RTA_OIF)
			index = mnl_attr_get_u32(a);
	}
	w->result = w->fn(w->data, &prefix, index);
	return MNL_CB_OK;
}

static int walk_address(const struct nlmsghdr *h, void *data)
{
	struct prefix_walk *w = data;
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	if (h->nlmsg_type != RTM_NEWADDR || w->result < 0 ||
	    (m->ifa_family != AF_INET && m->ifa_family != AF_INET6))
		return MNL_CB_OK;
	struct net_addr prefix = { .family = m->ifa_family, .prefix = m->ifa_prefixlen };
	const struct nlattr *a;
	mnl_attr_for_each(a, h, sizeof *m)
	{
		if (mnl_attr_get_type(a) == IFA_ADDRESS &&
		    mnl_attr_get_payload_len(a) == addr_size(&prefix))
			memcpy(prefix.bytes, mnl_attr_get_payload(a), addr_size(&prefix));
	}
	w->result = w->fn(w->data, &prefix, m->ifa_index);
	return MNL_CB_OK;
}

int nl_each_prefix(struct nl *nl,
		   int (*fn)(void *data, const struct net_addr *prefix, uint32_t index), void *data,
		   struct csn_error *err)
{
	struct prefix_walk w = { fn, data, 0 };
	struct nlmsghdr *h = nl_begin(nl, RTM_GETROUTE, NLM_F_DUMP);
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct rtmsg));
	nl_end(nl, h);
	nl_name(nl, "list routes");
	TRY(nl_query(nl, walk_route, &w, err));
	h = nl_begin(nl, RTM_GETADDR, NLM_F_DUMP);
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifaddrmsg));
	nl_end(nl, h);
	nl_name(nl, "list addresses");
	TRY(nl_query(nl, walk_address, &w, err));
	return w.result;
}
