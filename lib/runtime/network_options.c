/*
 * From options to network.json. Everything that a person wrote is checked here, while he is there
 * to read the answer; what depends on the moment (is the address free, is the port) at the start.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "runtime/network.h"

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

static size_t list_length(const char *const *list)
{
	size_t n = 0;
	while (list && list[n])
		n++;
	return n;
}

/* What was asked for: the options with their defaults. */
struct wish {
	const char *network;
	struct csn_container_network net;
};

/* ---- joins ------------------------------------------------------------------------------------
 */

/* What may stand in a hosts file as a name, and in DNS. */
static int check_alias(const char *name, struct csn_error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	size_t size = strlen(name);
	if (size == 0 || size > 63 || strspn(name, allowed) != size || name[0] == '-' ||
	    name[0] == '.')
		return fail(err, EINVAL,
			    "network alias \"%.80s\": expected 1 to 63 letters, digits, '-', '_' "
			    "and '.'",
			    name);
	return 0;
}

static int copy_address(const char *text, const char *field, uint8_t family, char **ret,
			struct arena *arena, struct csn_error *err)
{
	struct net_addr a;
	if (!text)
		return 0;
	if (net_addr_parse(text, &a) < 0 || a.family != family)
		return fail(err, EINVAL, "%s \"%.80s\": expected an IPv%d address", field, text,
			    family == AF_INET ? 4 : 6);
	*ret = arena_strdup(arena, text);
	return *ret ? 0 : no_memory(err);
}

int run_join_decide(struct engine_net *en, const struct csn_network_join *j, struct run_join *ret,
		    struct arena *arena, struct csn_error *err)
{
	struct network n;
	struct net_mac mac;
	size_t count = list_length(j->aliases);
	if (!j->network)
		return fail(err, EINVAL, "network: no name given");
	if (strcmp(j->network, NET_DEFAULT) == 0)
		TRY(net_find_default(&en->net, &n, arena, err));
	else
		TRY(net_find(&en->net, j->network, &n, arena, err));
	TRY(copy_address(j->ip, "ip", AF_INET, &ret->ip, arena, err));
	TRY(copy_address(j->ip6, "ip6", AF_INET6, &ret->ip6, arena, err));
	if (j->mac && net_mac_parse(j->mac, &mac) < 0)
		return fail(err, EINVAL,
			    "mac address \"%.80s\": expected six pairs of hex digits with ':' "
			    "between, the first one even",
			    j->mac);
	ret->network = arena_strdup(arena, j->network);
	ret->mac = j->mac ? arena_strdup(arena, j->mac) : NULL;
	ret->aliases.items = arena_array(arena, count + 1, sizeof *ret->aliases.items);
	if (!ret->network || (j->mac && !ret->mac) || !ret->aliases.items)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		TRY(check_alias(j->aliases[i], err));
		ret->aliases.items[i] = arena_strdup(arena, j->aliases[i]);
		if (!ret->aliases.items[i])
			return no_memory(err);
	}
	ret->aliases.count = count;
	return 0;
}

/* The n-th join of the options: they step by their own size. */
static const struct csn_network_join *join_at(const struct wish *o, size_t n)
{
	return (const void *)((const char *)o->net.networks + n * o->net.networks->size);
}

static int decide_joins(struct csn_runtime *rt, const struct wish *o, struct run_network *ret,
			struct arena *arena, struct csn_error *err)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct csn_network_join one = CSN_NETWORK_JOIN_INIT;
	size_t count = o->net.networks_count ? o->net.networks_count : 1;
	one.network = o->network;
	ret->joins.items = arena_array(arena, count, sizeof *ret->joins.items);
	if (!ret->joins.items)
		return no_memory(err);
	TRY(engine_net_open(rt, &en, err));
	for (size_t i = 0; i < count; i++) {
		struct csn_network_join j = CSN_NETWORK_JOIN_INIT;
		TRY(take_struct(&j, sizeof j, o->net.networks_count ? join_at(o, i) : &one,
				"struct csn_network_join", err));
		TRY(run_join_decide(&en, &j, &ret->joins.items[i], arena, err));
		for (size_t k = 0; k < i; k++)
			if (strcmp(ret->joins.items[k].network, j.network) == 0)
				return fail(err, EINVAL, "network \"%s\": named twice", j.network);
	}
	ret->joins.count = count;
	return 0;
}

/* ---- mode -------------------------------------------------------------------------------------
 */

static int decide_container(struct csn_runtime *rt, const char *text, struct run_network *ret,
			    struct arena *arena, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	int r = container_find(rt, text, &c, err);
	if (r < 0)
		return within(err, r, "network \"container:%.80s\"", text);
	ret->target = arena_strdup(arena, c.id);
	return ret->target ? 0 : no_memory(err);
}

static int decide_path(struct csn_runtime *rt, const char *text, struct run_network *ret,
		       struct arena *arena, struct csn_error *err)
{
	(void)rt;
	if (text[0] != '/')
		return fail(err, EINVAL, "network \"ns:%.200s\": expected an absolute path", text);
	ret->target = arena_strdup(arena, text);
	return ret->target ? 0 : no_memory(err);
}

static const struct {
	const char *word; /* with ':' at its end: something follows */
	enum network_mode mode;
	int (*decide)(struct csn_runtime *rt, const char *text, struct run_network *ret,
		      struct arena *arena, struct csn_error *err);
} words[] = {
	{ "none", MODE_NONE, NULL },
	{ "host", MODE_HOST, NULL },
	{ "container:", MODE_CONTAINER, decide_container },
	{ "ns:", MODE_NAMESPACE, decide_path },
};

static int decide_mode(struct csn_runtime *rt, const struct wish *o, struct run_network *ret,
		       struct arena *arena, struct csn_error *err)
{
	const char *text = o->net.networks_count ? join_at(o, 0)->network : o->network;
	if (!text)
		text = "none";
	for (size_t i = 0; i < COUNT(words); i++) {
		size_t size = strlen(words[i].word);
		bool prefix = words[i].decide != NULL;
		if (strncmp(text, words[i].word, size) != 0 || (!prefix && text[size]))
			continue;
		if (o->net.networks_count > 1)
			return fail(err, EINVAL, "network \"%.80s\": not together with others",
				    text);
		ret->mode = words[i].mode;
		return prefix ? words[i].decide(rt, text + size, ret, arena, err) : 0;
	}
	ret->mode = MODE_NETWORKS;
	return decide_joins(rt, o, ret, arena, err);
}

/* ---- ports ------------------------------------------------------------------------------------
 */

static const struct csn_port *port_at(const struct wish *o, size_t n)
{
	return (const void *)((const char *)o->net.ports + n * o->net.ports->size);
}

static int check_port(const struct csn_port *p, struct csn_error *err)
{
	struct net_addr host;
	const char *protocol = p->protocol ? p->protocol : "tcp";
	unsigned count = p->count ? p->count : 1;
	if (net_protocol_number(protocol) < 0)
		return fail(err, EINVAL, "port %u: protocol \"%.20s\": expected tcp, udp or sctp",
			    p->container_port, protocol);
	if (p->container_port < 1 || p->container_port + count - 1 > 65535)
		return fail(err, EINVAL, "container port %u: expected 1 to 65535",
			    p->container_port + (p->container_port ? count - 1 : 0));
	if (p->host_port && p->host_port + count - 1 > 65535)
		return fail(err, EINVAL, "host port %u: expected 1 to 65535",
			    p->host_port + count - 1);
	if (p->host_ip && net_addr_parse(p->host_ip, &host) < 0)
		return fail(err, EINVAL, "host address \"%.80s\": expected an IP address",
			    p->host_ip);
	return 0;
}

static int add_port(struct run_network *ret, const struct csn_port *p, struct arena *arena,
		    struct csn_error *err)
{
	unsigned count = p->count ? p->count : 1;
	char *protocol = arena_strdup(arena, p->protocol ? p->protocol : "tcp");
	char *host_ip = p->host_ip ? arena_strdup(arena, p->host_ip) : NULL;
	if (!protocol || (p->host_ip && !host_ip))
		return no_memory(err);
	for (unsigned i = 0; i < count; i++)
		ret->ports.items[ret->ports.count++] =
			(struct run_port){ protocol, host_ip, p->host_port ? p->host_port + i : 0,
					   p->container_port + i };
	return 0;
}

/* "80/tcp" of an image; what is no port is no port. */
static bool exposed_port(const char *text, struct csn_port *ret)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	ret->protocol = *end == '/' ? end + 1 : "tcp";
	ret->container_port = (uint16_t)port;
	return end > text && port > 0 && port < 65536 && (*end == '/' || !*end) &&
	       net_protocol_number(ret->protocol) >= 0;
}

static int decide_ports(const struct wish *o, const struct image_config *image,
			struct run_network *ret, struct arena *arena, struct csn_error *err)
{
	size_t count = o->net.publish_all ? image->exposed_ports.count : 0;
	for (size_t i = 0; i < o->net.ports_count; i++) {
		const struct csn_port *p = port_at(o, i);
		TRY(check_port(p, err));
		count += p->count ? p->count : 1;
		if (count > NET_PORTS_MAX)
			return fail(err, EINVAL, "ports: %zu are more than %d", count,
				    NET_PORTS_MAX);
	}
	if (o->net.ports_count && ret->mode != MODE_NETWORKS)
		return fail(err, EINVAL, "port %u: network \"%.80s\" publishes no ports",
			    port_at(o, 0)->container_port,
			    o->net.networks_count ? join_at(o, 0)->network
			    : o->network	  ? o->network
						  : "none");
	if (ret->mode != MODE_NETWORKS)
		return 0;
	ret->ports.items = arena_array(arena, count, sizeof *ret->ports.items);
	if (!ret->ports.items)
		return no_memory(err);
	for (size_t i = 0; i < o->net.ports_count; i++)
		TRY(add_port(ret, port_at(o, i), arena, err));
	for (size_t i = 0; o->net.publish_all && i < image->exposed_ports.count; i++) {
		struct csn_port p = CSN_PORT_INIT;
		if (exposed_port(image->exposed_ports.items[i].key, &p) && ret->ports.count < count)
			TRY(add_port(ret, &p, arena, err));
	}
	return 0;
}

int run_network_decide(struct csn_runtime *rt, const struct csn_container_options *options,
		       const struct image_config *image, const char *hostname,
		       struct run_network *ret, const char **ret_text, struct arena *arena,
		       struct csn_error *err)
{
	struct run_network n = { .hostname = arena_strdup(arena, hostname) };
	struct wish wish = { options->network, CSN_CONTAINER_NETWORK_INIT }, *o = &wish;
	if (!n.hostname)
		return no_memory(err);
	TRY(take_struct(&wish.net, sizeof wish.net, options->networking,
			"struct csn_container_network", err));
	if (o->net.networks_count && o->net.networks->size < sizeof o->net.networks->size)
		return fail(err, EINVAL, "networks: made without CSN_NETWORK_JOIN_INIT");
	if (o->net.ports_count && o->net.ports->size < sizeof(struct csn_port))
		return fail(err, EINVAL, "ports: made without CSN_PORT_INIT");
	TRY(decide_mode(rt, o, &n, arena, err));
	TRY(decide_ports(o, image, &n, arena, err));
	const char *text = o->net.networks_count ? join_at(o, 0)->network : o->network;
	*ret_text = arena_strdup(arena, n.mode == MODE_NONE ? "none" : text);
	if (!*ret_text)
		return no_memory(err);
	*ret = n;
	return 0;
}
