/* The published ports of a container: those that it holds, or those that it asks for. */
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "runtime/network.h"

struct csn_ports {
	struct arena arena;
	struct csn_port_mapping *items;
	size_t count, capacity;
};

size_t csn_ports_count(const struct csn_ports *ports)
{
	return ports ? ports->count : 0;
}

const struct csn_port_mapping *csn_ports_get(const struct csn_ports *ports, size_t index)
{
	return &ports->items[index];
}

void csn_ports_free(struct csn_ports *ports)
{
	if (!ports)
		return;
	free(ports->items);
	arena_free(&ports->arena);
	free(ports);
}

static void free_ports(struct csn_ports **ports)
{
	csn_ports_free(*ports);
}

static int add(struct csn_ports *l, const char *protocol, const char *host_ip, uint32_t host_port,
	       uint32_t container_port)
{
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 8;
		struct csn_port_mapping *grown = reallocarray(l->items, capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		l->items = grown;
		l->capacity = capacity;
	}
	const struct csn_port_mapping p = {
		.container_port = (uint16_t)container_port,
		.protocol = arena_strdup(&l->arena, protocol),
		.host_ip = arena_strdup(&l->arena, host_ip ? host_ip : ""),
		.host_port = (uint16_t)host_port,
	};
	if (!p.protocol || !p.host_ip)
		return -ENOMEM;
	l->items[l->count++] = p;
	return 0;
}

static int add_held(void *data, const char *owner, const struct net_port *p)
{
	char text[NET_TEXT];
	(void)owner;
	return add(data, net_protocol_name(p->protocol),
		   p->host.family ? net_addr_print(&p->host, text) : NULL, p->host_port,
		   p->container_port);
}

static int fill(struct csn_runtime *rt, const struct container *c, struct csn_ports *l,
		struct csn_error *err)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct run_network n = { 0 };
	TRY(run_network_read(c->dir, &n, &l->arena, err));
	if (n.ports.count == 0)
		return 0;
	facts_read(rt, c, false, &f);
	if (f.init_fd >= 0) {
		TRY(engine_net_open(rt, &en, err));
		return net_each_port(&en.net, c->id, add_held, l, err);
	}
	for (size_t i = 0; i < n.ports.count; i++) {
		const struct run_port *p = &n.ports.items[i];
		if (add(l, p->protocol, p->host_ip, p->host_port, p->container_port) < 0)
			return fail(err, ENOMEM, "out of memory");
	}
	return 0;
}

int csn_container_ports(struct csn_runtime *rt, const char *container, struct csn_ports **ret,
			struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	TRY(container_find(rt, container, &c, err));
	struct csn_ports *l AUTO(free_ports)
	= calloc(1, sizeof *l);
	if (!l)
		return fail(err, ENOMEM, "out of memory");
	TRY(fill(rt, &c, l, err));
	*ret = take_ptr(l);
	return 0;
}
