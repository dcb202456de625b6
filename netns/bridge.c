/*
 * The bridge of a network. It is made by the first attachment and stays: making one takes longer
 * than everything else of an attachment. Its hardware address is fixed, so that it is not the
 * lowest of its ports', which come and go.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "netns/world.h"

struct net_mac mac_of(const struct net_addr *v4, const struct net_addr *v6)
{
	/* Locally administered, individual. Of the address: whoever has it next is found at once.
	 */
	struct net_mac m = { { 0x02, 0xca } };
	if (v4->family)
		memcpy(m.bytes + 2, v4->bytes, 4);
	else
		memcpy(m.bytes + 2, v6->bytes + 12, 4);
	return m;
}

int bridge_ready(struct net *net, const struct network *n, uint32_t *ret_index,
		 struct csn_error *err)
{
	struct link_info l;
	int r = nl_get_link(net->route, n->interface, &l, err);
	if (r == -ENODEV)
		return 0;
	TRY(r);
	if (strcmp(l.kind, "bridge") != 0)
		return fail(err, EEXIST, "network \"%s\": link %s is no bridge", n->name,
			    n->interface);
	*ret_index = l.index;
	return l.up && l.group == net->group;
}

/* Only when it is not so: writing to some of these costs milliseconds. */
static int set_sysctl(const char *path, const char *value, struct csn_error *err)
{
	char full[200], now[8] = "";
	(void)snprintf(full, sizeof full, "/proc/sys/%s", path);
	auto_fd fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0 && read(fd, now, sizeof now - 1) > 0 && now[0] == value[0] && now[1] == '\n')
		return 0;
	return netns_sysctl(path, value, err);
}

static int set_of_bridge(const struct network *n, const char *family, const char *name,
			 const char *value, struct csn_error *err)
{
	char path[100];
	(void)snprintf(path, sizeof path, "net/%s/conf/%s/%s", family, n->interface, name);
	return set_sysctl(path, value, err);
}

static int set_host(const struct network *n, struct csn_error *err)
{
	bool v6 = n->v6.subnet.family;
	TRY(set_of_bridge(n, "ipv6", "disable_ipv6", v6 ? "0" : "1", err));
	TRY(set_of_bridge(n, "ipv6", "accept_ra", "0", err));
	TRY(set_of_bridge(n, "ipv4", "rp_filter", "1", err));
	if (n->internal)
		return 0;
	if (n->v4.subnet.family)
		TRY(set_sysctl("net/ipv4/ip_forward", "1", err));
	return v6 ? set_sysctl("net/ipv6/conf/all/forwarding", "1", err) : 0;
}

int bridge_allow_loopback(const struct network *n, struct csn_error *err)
{
	return set_of_bridge(n, "ipv4", "route_localnet", "1", err);
}

static void add_gateway(struct net *net, uint32_t index, const struct net_subnet *s)
{
	struct net_addr a = s->gateway;
	if (!a.family)
		return;
	a.prefix = s->subnet.prefix;
	nl_add_address(net->route, index, &a);
	nl_allow(net->route, EEXIST);
}

int bridge_make(struct net *net, const struct network *n, struct csn_error *err)
{
	uint32_t index = 0;
	int r = bridge_ready(net, n, &index, err);
	TRY(r);
	if (r == 0 && index == 0) {
		const struct bridge b = { .name = n->interface,
					  .mtu = n->mtu,
					  .group = net->group,
					  .mac = mac_of(&n->v4.gateway, &n->v6.gateway) };
		nl_add_bridge(net->route, &b);
		TRY(nl_commit(net->route, err));
		TRY(bridge_ready(net, n, &index, err));
	} else if (r == 0) {
		struct link_info l;
		TRY(nl_get_link(net->route, n->interface, &l, err));
		if (l.group != net->group)
			return fail(err, EEXIST, "network \"%s\": bridge %s is there and not ours",
				    n->name, n->interface);
	}
	TRY(set_host(n, err));
	add_gateway(net, index, &n->v4);
	add_gateway(net, index, &n->v6);
	nl_set_up(net->route, n->interface, true);
	return nl_commit(net->route, err);
}

int bridge_remove(struct net *net, const struct network *n, struct csn_error *err)
{
	uint32_t index = 0;
	int r = bridge_ready(net, n, &index, NULL);
	if (r <= 0 && index == 0)
		return 0;
	struct link_info l;
	if (nl_get_link(net->route, n->interface, &l, NULL) < 0 || l.group != net->group)
		return 0;
	nl_delete_link(net->route, n->interface);
	return nl_commit(net->route, err);
}
