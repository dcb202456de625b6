/*
 * Links. What a bridge does for all its ports when one of them changes decides what the thousandth
 * costs, so a veth pair is made and both ends are up before one of them becomes a port: one that
 * comes up later has the bridge walk over all of them once more. Multicast snooping is off for the
 * same reason: it begins anew with every port. It needs somebody who asks for members, which no
 * bridge of ours does; without one the kernel sends multicast everywhere anyway.
 */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "netns/internal.h"

static struct nlmsghdr *begin_link(struct nl *nl, uint16_t type, uint16_t flags, bool up)
{
	struct nlmsghdr *h = nl_begin(nl, type, NLM_F_ACK | flags);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof *i);
	if (up)
		i->ifi_flags = i->ifi_change = IFF_UP;
	return h;
}

static void put_mac(struct nlmsghdr *h, const struct net_mac *mac)
{
	static const struct net_mac none;
	if (memcmp(mac, &none, sizeof none) != 0)
		mnl_attr_put(h, IFLA_ADDRESS, sizeof mac->bytes, mac->bytes);
}

static void put_mtu(struct nlmsghdr *h, uint32_t mtu)
{
	if (mtu)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
}

static void put_veth_peer(struct nlmsghdr *h, const struct veth *v)
{
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_str(h, IFLA_INFO_KIND, "veth");
	struct nlattr *data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, v->peer_name);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)v->peer_ns);
	put_mac(h, &v->peer_mac);
	put_mtu(h, v->mtu);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

/* Hairpin: a frame may go back through the port that it came from. Where br_netfilter is loaded the
 * bridge itself translates, and a container that calls its own published port needs it. */
static void put_port_options(struct nlmsghdr *h, const struct bridge_port *p)
{
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_str(h, IFLA_INFO_SLAVE_KIND, "bridge");
	struct nlattr *data = mnl_attr_nest_start(h, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(h, IFLA_BRPORT_MODE, 1);
	if (p->isolated)
		mnl_attr_put_u8(h, IFLA_BRPORT_ISOLATED, 1);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

void nl_add_veth(struct nl *nl, const struct veth *v)
{
	struct nlmsghdr *h = begin_link(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, false);
	mnl_attr_put_strz(h, IFLA_IFNAME, v->host_name);
	put_mtu(h, v->mtu);
	if (v->group)
		mnl_attr_put_u32(h, IFLA_GROUP, v->group);
	put_veth_peer(h, v);
	nl_end(nl, h);
	nl_name(nl, "make link %s", v->host_name);
}

void nl_add_port(struct nl *nl, const struct bridge_port *p)
{
	struct nlmsghdr *h = begin_link(nl, RTM_NEWLINK, 0, false);
	mnl_attr_put_strz(h, IFLA_IFNAME, p->link);
	mnl_attr_put_u32(h, IFLA_MASTER,
			 p->bridge_index ? p->bridge_index : if_nametoindex(p->bridge));
	nl_end(nl, h);
	nl_name(nl, "attach link %s to %s", p->link, p->bridge);

	h = begin_link(nl, RTM_NEWLINK, 0, false);
	mnl_attr_put_strz(h, IFLA_IFNAME, p->link);
	put_port_options(h, p);
	nl_end(nl, h);
	nl_name(nl, "set up port %s of %s", p->link, p->bridge);
}

void nl_add_bridge(struct nl *nl, const struct bridge *b)
{
	struct nlmsghdr *h = begin_link(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, false);
	mnl_attr_put_strz(h, IFLA_IFNAME, b->name);
	put_mtu(h, b->mtu);
	put_mac(h, &b->mac);
	if (b->group)
		mnl_attr_put_u32(h, IFLA_GROUP, b->group);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_str(h, IFLA_INFO_KIND, "bridge");
	struct nlattr *data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u32(h, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_put_u8(h, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	nl_end(nl, h);
	nl_name(nl, "make bridge %s", b->name);
}

void nl_add_sublink(struct nl *nl, const struct sublink *s)
{
	static const struct {
		const char *kind;
		uint16_t attribute;
		uint32_t mode;
	} kinds[] = { [SUB_MACVLAN] = { "macvlan", IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE },
		      [SUB_IPVLAN] = { "ipvlan", IFLA_IPVLAN_MODE, IPVLAN_MODE_L2 } };
	struct nlmsghdr *h = begin_link(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, false);
	mnl_attr_put_strz(h, IFLA_IFNAME, s->name);
	mnl_attr_put_u32(h, IFLA_LINK, s->parent);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)s->ns);
	put_mtu(h, s->mtu);
	if (s->mode == SUB_MACVLAN)
		put_mac(h, &s->mac);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_str(h, IFLA_INFO_KIND, kinds[s->mode].kind);
	struct nlattr *data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	if (s->mode == SUB_MACVLAN)
		mnl_attr_put_u32(h, kinds[s->mode].attribute, kinds[s->mode].mode);
	else
		mnl_attr_put_u16(h, kinds[s->mode].attribute, (uint16_t)kinds[s->mode].mode);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	nl_end(nl, h);
	nl_name(nl, "make %s link %s", kinds[s->mode].kind, s->name);
}

void nl_set_up(struct nl *nl, const char *name, bool up)
{
	struct nlmsghdr *h = begin_link(nl, RTM_NEWLINK, 0, up);
	((struct ifinfomsg *)mnl_nlmsg_get_payload(h))->ifi_change = IFF_UP;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	nl_end(nl, h);
	nl_name(nl, "set link %s %s", name, up ? "up" : "down");
}

void nl_set_alias(struct nl *nl, const char *name, const char *alias)
{
	struct nlmsghdr *h = begin_link(nl, RTM_NEWLINK, 0, false);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_str(h, IFLA_IFALIAS, alias);
	nl_end(nl, h);
	nl_name(nl, "set the alias of link %s", name);
}

void nl_delete_link(struct nl *nl, const char *name)
{
	struct nlmsghdr *h = begin_link(nl, RTM_DELLINK, 0, false);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	nl_end(nl, h);
	nl_name(nl, "delete link %s", name);
	nl_allow(nl, ENODEV);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static void read_kind(const struct nlattr *info, struct link_info *l)
{
	const struct nlattr *a;
	mnl_attr_for_each_nested(a, info)
	{
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			(void)snprintf(l->kind, sizeof l->kind, "%.*s",
				       (int)mnl_attr_get_payload_len(a), mnl_attr_get_str(a));
	}
}

static void read_stats(const struct nlattr *a, struct link_info *l)
{
	struct rtnl_link_stats64 s = { 0 };
	size_t size = mnl_attr_get_payload_len(a);
	memcpy(&s, mnl_attr_get_payload(a), size < sizeof s ? size : sizeof s);
	l->rx_bytes = s.rx_bytes;
	l->tx_bytes = s.tx_bytes;
	l->rx_packets = s.rx_packets;
	l->tx_packets = s.tx_packets;
	l->rx_errors = s.rx_errors;
	l->tx_errors = s.tx_errors;
	l->rx_dropped = s.rx_dropped;
	l->tx_dropped = s.tx_dropped;
}

static void read_link(const struct nlmsghdr *h, struct link_info *l)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	*l = (struct link_info){ .index = (uint32_t)i->ifi_index, .up = i->ifi_flags & IFF_UP };
	mnl_attr_for_each(a, h, sizeof *i)
	{
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			(void)snprintf(l->name, sizeof l->name, "%.*s",
				       (int)mnl_attr_get_payload_len(a), mnl_attr_get_str(a));
			break;
		case IFLA_MASTER:
			l->master = mnl_attr_get_u32(a);
			break;
		case IFLA_LINK:
			l->link = mnl_attr_get_u32(a);
			break;
		case IFLA_MTU:
			l->mtu = mnl_attr_get_u32(a);
			break;
		case IFLA_GROUP:
			l->group = mnl_attr_get_u32(a);
			break;
		case IFLA_STATS64:
			read_stats(a, l);
			break;
		case IFLA_LINKINFO:
			read_kind(a, l);
			break;
		default:
			break;
		}
	}
}

static int store_link(const struct nlmsghdr *h, void *data)
{
	if (h->nlmsg_type == RTM_NEWLINK)
		read_link(h, data);
	return MNL_CB_STOP;
}

int nl_get_link(struct nl *nl, const char *name, struct link_info *ret, struct csn_error *err)
{
	struct link_info l = { 0 };
	struct nlmsghdr *h = nl_begin(nl, RTM_GETLINK, 0);
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	nl_end(nl, h);
	nl_name(nl, "link %s", name);
	TRY(nl_query(nl, store_link, &l, err));
	*ret = l;
	return 0;
}

struct link_walk {
	int (*fn)(void *data, const struct link_info *link);
	void *data;
	int result;
};

static int walk_link(const struct nlmsghdr *h, void *data)
{
	struct link_walk *w = data;
	struct link_info l;
	if (h->nlmsg_type == RTM_NEWLINK && w->result >= 0) {
		read_link(h, &l);
		w->result = w->fn(w->data, &l);
	}
	return MNL_CB_OK;
}

int nl_each_link(struct nl *nl, int (*fn)(void *data, const struct link_info *link), void *data,
		 struct csn_error *err)
{
	struct link_walk w = { fn, data, 0 };
	struct nlmsghdr *h = nl_begin(nl, RTM_GETLINK, NLM_F_DUMP);
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	nl_end(nl, h);
	nl_name(nl, "list links");
	TRY(nl_query(nl, walk_link, &w, err));
	return w.result;
}
