/*
 * Networks come and go. A subnet must not overlap what the host can reach already, by an address
 * or by a route, nor another network: whoever answers first would depend on the moment. What was
 * not said is chosen from 10.88.0.0/16 (the default network) and 10.89.0.0/24 … 10.127.255.0/24;
 * IPv6 from a random /64 below fd00::/8.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/utc.h"
#include "netns/world.h"

#define DEFAULT_SUBNET "10.88.0.0/16"
enum { POOL_FIRST = 89 << 8, POOL_END = 128 << 8 };

/* ---- overlaps ---------------------------------------------------------------------------------
 */

struct used {
	const struct net_addr *wanted;
	const char *name; /* of the network that is being made */
	char by[80];	  /* who has it */
};

static int used_by_host(void *data, const struct net_addr *prefix, uint32_t index)
{
	struct used *u = data;
	char text[NET_TEXT];
	(void)index;
	/* The default route overlaps everything, and a host's own link-local addresses nothing. */
	if (prefix->prefix == 0 || u->by[0] || !net_prefix_overlaps(prefix, u->wanted))
		return 0;
	(void)snprintf(u->by, sizeof u->by, "%s of the host", net_prefix_print(prefix, text));
	return 0;
}

static int used_by_network(void *data, const struct network *n)
{
	struct used *u = data;
	char text[NET_TEXT];
	const struct net_addr *subnets[] = { &n->v4.subnet, &n->v6.subnet };
	for (size_t i = 0; i < COUNT(subnets); i++) {
		if (!subnets[i]->family || u->by[0] || !net_prefix_overlaps(subnets[i], u->wanted))
			continue;
		(void)snprintf(u->by, sizeof u->by, "%.24s of network \"%.32s\"",
			       net_prefix_print(subnets[i], text), n->name);
	}
	return 0;
}

/* Whom it overlaps, in by; "" nobody. macvlan and ipvlan live in the subnet of their parent. */
static int find_overlap(struct net *net, const struct network *n, const struct net_addr *wanted,
			char by[80], struct csn_error *err)
{
	struct used u = { .wanted = wanted, .name = n->name };
	TRY(net_each(net, used_by_network, &u, err));
	if (n->driver == NET_BRIDGE)
		TRY(nl_each_prefix(net->route, used_by_host, &u, err));
	memcpy(by, u.by, sizeof u.by);
	return 0;
}

/* ---- subnets ----------------------------------------------------------------------------------
 */

static int choose_subnet4(struct net *net, struct network *n, struct csn_error *err)
{
	char by[80] = "?";
	struct net_addr *s = &n->v4.subnet;
	if (strcmp(n->name, NET_DEFAULT) == 0) {
		(void)net_prefix_parse(DEFAULT_SUBNET, s);
		TRY(find_overlap(net, n, s, by, err));
	}
	for (unsigned i = POOL_FIRST; by[0] && i < POOL_END; i++) {
		*s = (struct net_addr){ .family = AF_INET,
					.prefix = 24,
					.bytes = { 10, (uint8_t)(i >> 8), (uint8_t)i } };
		TRY(find_overlap(net, n, s, by, err));
	}
	return by[0] ? fail(err, EADDRINUSE, "network \"%s\": no free subnet is left; say one",
			    n->name)
		     : 0;
}

static int choose_subnet6(struct network *n, struct csn_error *err)
{
	struct net_addr *s = &n->v6.subnet;
	*s = (struct net_addr){ .family = AF_INET6, .prefix = 64, .bytes = { 0xfd } };
	if (getrandom(s->bytes + 1, 7, 0) != 7)
		return fail_errno(err, "getrandom");
	return 0;
}

/* One that was said: ADDRESS/BITS of that family, with room for a gateway and somebody else. */
static int take_subnet(struct net *net, struct network *n, const char *text, uint8_t family,
		       struct csn_error *err)
{
	struct net_subnet *s = family == AF_INET ? &n->v4 : &n->v6;
	char by[80], base_text[NET_TEXT];
	if (net_prefix_parse(text, &s->subnet) < 0 || s->subnet.family != family)
		return fail(err, EINVAL, "subnet \"%.80s\": expected ADDRESS/BITS", text);
	const struct net_addr base = net_prefix_base(&s->subnet);
	if (!net_addr_equal(&base, &s->subnet))
		return fail(err, EINVAL, "subnet \"%s\": has host bits; did you mean %s", text,
			    net_prefix_print(&base, base_text));
	if (net_prefix_size(&s->subnet) < 4 || s->subnet.prefix < 8)
		return fail(err, EINVAL, "subnet \"%s\": expected from /8 to /%d", text,
			    family == AF_INET ? 30 : 126);
	if (base.bytes[0] == 0 || base.bytes[0] == 127 || base.bytes[0] == 0xff ||
	    (family == AF_INET && base.bytes[0] >= 224))
		return fail(err, EINVAL, "subnet \"%s\": no addresses for hosts", text);
	TRY(find_overlap(net, n, &s->subnet, by, err));
	return by[0] ? fail(err, EADDRINUSE, "subnet \"%s\": overlaps %s", text, by) : 0;
}

static int take_inside(const struct net_subnet *s, const char *field, const char *text, bool range,
		       struct net_addr *ret, struct csn_error *err)
{
	char subnet[NET_TEXT];
	if (!s->subnet.family)
		return fail(err, EINVAL, "%s \"%.80s\": say a subnet, too", field, text);
	if ((range ? net_prefix_parse(text, ret) : net_addr_parse(text, ret)) < 0)
		return fail(err, EINVAL, "%s \"%.80s\": expected %s", field, text,
			    range ? "ADDRESS/BITS" : "an IP address");
	if (ret->prefix < s->subnet.prefix || !net_prefix_contains(&s->subnet, ret))
		return fail(err, EINVAL, "%s \"%s\": not in subnet %s", field, text,
			    net_prefix_print(&s->subnet, subnet));
	return 0;
}

static int finish_subnet(struct net_subnet *s, const char *gateway, const char *range,
			 struct csn_error *err)
{
	char subnet[NET_TEXT];
	if (range)
		TRY(take_inside(s, "ip-range", range, true, &s->range, err));
	if (gateway)
		TRY(take_inside(s, "gateway", gateway, false, &s->gateway, err));
	else if (s->subnet.family)
		s->gateway = net_addr_at(&s->subnet, 1);
	uint64_t i = s->gateway.family ? net_addr_index(&s->subnet, &s->gateway) : 1;
	if (i == 0 || (s->subnet.family == AF_INET && i == net_prefix_size(&s->subnet) - 1))
		return fail(err, EINVAL, "gateway \"%s\": the %s address of subnet %s", gateway,
			    i ? "broadcast" : "network", net_prefix_print(&s->subnet, subnet));
	return 0;
}

static int decide_subnets(struct net *net, const struct net_create *c, struct network *n,
			  struct csn_error *err)
{
	if (c->subnet4)
		TRY(take_subnet(net, n, c->subnet4, AF_INET, err));
	if (c->subnet6)
		TRY(take_subnet(net, n, c->subnet6, AF_INET6, err));
	else if (c->ipv6)
		TRY(choose_subnet6(n, err));
	if (!c->subnet4 && !c->subnet6) {
		if (n->driver != NET_BRIDGE)
			return fail(err, EINVAL,
				    "network \"%s\": driver %s needs a subnet: that of %s", n->name,
				    net_driver_name(n->driver), n->interface);
		TRY(choose_subnet4(net, n, err));
	}
	TRY(finish_subnet(&n->v4, c->gateway4, c->range4, err));
	return finish_subnet(&n->v6, c->gateway6, c->range6, err);
}

/* ---- the rest ---------------------------------------------------------------------------------
 */

static bool interface_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	size_t size = strlen(name);
	return size > 0 && size < IFNAMSIZ && strspn(name, allowed) == size &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

struct taken {
	const char *interface;
	bool found;
};

static int has_interface(void *data, const struct network *n)
{
	struct taken *t = data;
	t->found |= strcmp(n->interface, t->interface) == 0;
	return t->found;
}

/* A bridge's name: the one that was said, or the first free csn0, csn1, … */
static int decide_bridge(struct net *net, const struct net_create *c, struct network *n,
			 struct arena *arena, struct csn_error *err)
{
	struct link_info l;
	for (unsigned i = 0; i < 10000; i++) {
		n->interface = c->interface ? arena_strdup(arena, c->interface)
					    : arena_printf(arena, "csn%u", i);
		if (!n->interface)
			return fail(err, ENOMEM, "out of memory");
		struct taken t = { .interface = n->interface };
		TRY(net_each(net, has_interface, &t, err));
		bool there = nl_get_link(net->route, n->interface, &l, NULL) == 0;
		if (!t.found && !there)
			return 0;
		if (c->interface)
			return fail(err, EEXIST, "interface \"%s\": %s", c->interface,
				    t.found ? "another network has it" : "the host has it already");
	}
	return fail(err, EEXIST, "network \"%s\": no name is free for its bridge", n->name);
}

static int decide_interface(struct net *net, const struct net_create *c, struct network *n,
			    struct arena *arena, struct csn_error *err)
{
	struct link_info l;
	const char *said = n->driver == NET_BRIDGE ? c->interface : c->parent;
	const char *field = n->driver == NET_BRIDGE ? "interface" : "parent";
	const char *other = n->driver == NET_BRIDGE ? c->parent : c->interface;
	if (other)
		return fail(err, EINVAL, "%s \"%.80s\": not with driver %s",
			    n->driver == NET_BRIDGE ? "parent" : "interface", other,
			    net_driver_name(n->driver));
	if (said && !interface_valid(said))
		return fail(err, EINVAL,
			    "%s \"%.80s\": expected 1 to 15 letters, digits, '_', '.' and '-'",
			    field, said);
	if (n->driver == NET_BRIDGE)
		return decide_bridge(net, c, n, arena, err);
	if (!said)
		return fail(err, EINVAL, "network \"%s\": driver %s needs a parent", n->name,
			    net_driver_name(n->driver));
	n->interface = arena_strdup(arena, said);
	if (!n->interface)
		return fail(err, ENOMEM, "out of memory");
	if (nl_get_link(net->route, said, &l, NULL) < 0)
		return fail(err, ENODEV, "parent \"%s\": the host has no such interface", said);
	return 0;
}

static int check_words(struct net *net, const struct net_create *c, struct network *n,
		       struct csn_error *err)
{
	static const char *const reserved[] = { "none", "host", "container", "ns", "default" };
	char file[80];
	int driver = driver_number(c->driver ? c->driver : "bridge");
	if (!net_name_valid(c->name))
		return fail(err, EINVAL,
			    "network \"%.80s\": expected 1 to 64 letters, digits, '_', '.' and "
			    "'-', a letter or digit first",
			    c->name);
	for (size_t i = 0; i < COUNT(reserved); i++)
		if (strcmp(reserved[i], c->name) == 0)
			return fail(err, EINVAL, "network \"%s\": the name has a meaning already",
				    c->name);
	if (driver < 0)
		return fail(err, EINVAL, "driver \"%.80s\": expected bridge, macvlan or ipvlan",
			    c->driver);
	if (c->mtu && (c->mtu < 68 || c->mtu > 65535 || ((c->ipv6 || c->subnet6) && c->mtu < 1280)))
		return fail(err, EINVAL, "mtu %u: expected %d to 65535", c->mtu,
			    c->ipv6 || c->subnet6 ? 1280 : 68);
	(void)snprintf(file, sizeof file, "%s.json", c->name);
	if (faccessat(net->definitions, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return fail(err, EEXIST, "network \"%s\" exists already", c->name);
	n->driver = (enum net_driver)driver;
	return 0;
}

/* The lock is held exclusively. */
static int create(struct net *net, const struct net_create *c, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct timespec now;
	char created[UTC_SIZE];
	struct network n = { .name = (char *)(uintptr_t)c->name,
			     .mtu = c->mtu,
			     .internal = c->internal,
			     .isolated = !c->connected,
			     .masquerade = !c->no_masquerade,
			     .dns = !c->no_dns,
			     .labels = (struct net_label *)(uintptr_t)c->labels,
			     .labels_count = c->labels_count };
	TRY(check_words(net, c, &n, err));
	TRY(decide_interface(net, c, &n, &arena, err));
	TRY(decide_subnets(net, c, &n, err));
	(void)clock_gettime(CLOCK_REALTIME, &now);
	utc_print(&now, created);
	n.created = created;
	return definition_write(net, &n, err);
}

int net_create(struct net *net, const struct net_create *c, struct csn_error *err)
{
	TRY(world_lock(net, true, err));
	int r = create(net, c, err);
	world_unlock(net);
	return r;
}

int net_find_default(struct net *net, struct network *ret, struct arena *arena,
		     struct csn_error *err)
{
	const struct net_create c = { .name = NET_DEFAULT, .no_dns = true };
	int r = net_find(net, NET_DEFAULT, ret, arena, NULL);
	if (r == 0)
		return 0;
	r = r == -ENOENT ? net_create(net, &c, err) : 0;
	if (r < 0 && r != -EEXIST) /* somebody else has just made it */
		return r;
	return net_find(net, NET_DEFAULT, ret, arena, err);
}

/* ---- removing ---------------------------------------------------------------------------------
 */

static int remove_network(struct net *net, const char *name, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct network n;
	char file[80];
	TRY(net_find(net, name, &n, &arena, err));
	int count = leases_count(net, name, err);
	TRY(count);
	if (count)
		return fail(err, EBUSY, "network \"%s\": %d container%s attached", name, count,
			    count == 1 ? " is" : "s are");
	if (n.driver == NET_BRIDGE)
		TRY(bridge_remove(net, &n, err));
	(void)snprintf(file, sizeof file, "%s.json", name);
	if (unlinkat(net->definitions, file, 0) < 0 && errno != ENOENT)
		return fail_errno(err, "network \"%s\"", name);
	(void)snprintf(file, sizeof file, "%s.leases", name);
	(void)unlinkat(net->run, file, 0);
	(void)snprintf(file, sizeof file, "%s.names", name);
	(void)remove_tree(net->run, file, NULL);
	return n.driver == NET_BRIDGE ? rules_settle(net, err) : 0;
}

int net_remove(struct net *net, const char *name, struct csn_error *err)
{
	TRY(world_lock(net, true, err));
	int r = remove_network(net, name, err);
	world_unlock(net);
	return r;
}
