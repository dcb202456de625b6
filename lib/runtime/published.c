/*
 * Who has published which ports: read once for a whole list of containers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "runtime/network.h"

struct published_port {
	char owner[NET_OWNER_SIZE];
	struct csn_port port;
};

static int add(void *data, const char *owner, const struct net_port *p)
{
	struct published *l = data;
	char text[NET_TEXT];
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 16;
		struct published_port *grown = reallocarray(l->items, capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		l->items = grown;
		l->capacity = capacity;
	}
	struct published_port *one = &l->items[l->count];
	*one = (struct published_port){ .port = CSN_PORT_INIT };
	memcpy(one->owner, owner, strnlen(owner, sizeof one->owner - 1));
	one->port.host_port = p->host_port;
	one->port.container_port = p->container_port;
	one->port.count = 1;
	one->port.protocol = net_protocol_name(p->protocol);
	if (p->host.family) {
		one->port.host_ip = arena_strdup(l->arena, net_addr_print(&p->host, text));
		if (!one->port.host_ip)
			return -ENOMEM;
	}
	l->count++;
	return 0;
}

static int by_owner(const void *a, const void *b)
{
	const struct published_port *x = a, *y = b;
	int r = strcmp(x->owner, y->owner);
	if (r == 0)
		r = (x->port.container_port > y->port.container_port) -
		    (x->port.container_port < y->port.container_port);
	if (r == 0)
		r = strcmp(x->port.protocol, y->port.protocol);
	if (r == 0)
		r = (x->port.host_port > y->port.host_port) -
		    (x->port.host_port < y->port.host_port);
	return r;
}

int published_read(struct csn_runtime *rt, struct arena *arena, struct published *ret)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct published l = { .arena = arena };
	*ret = l;
	/* Where nothing was ever attached nothing is made for a look at it. */
	if (faccessat(rt->run_dir, "network", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	int r = engine_net_open(rt, &en, NULL);
	if (r == 0)
		r = net_each_port(&en.net, NULL, add, &l, NULL);
	if (r < 0) {
		free(l.items);
		return r == -ENOMEM ? r : 0; /* the rest of a list is worth more */
	}
	if (l.count)
		qsort(l.items, l.count, sizeof *l.items, by_owner);
	*ret = l;
	return 0;
}

void published_free(struct published *l)
{
	free(l->items);
	*l = (struct published){ 0 };
}

int published_of(const struct published *l, const char *id, const struct csn_port **ret,
		 size_t *ret_count)
{
	size_t first = 0, count = 0;
	*ret = NULL;
	*ret_count = 0;
	for (size_t low = 0, high = l->count; low < high;) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(l->items[middle].owner, id) < 0)
			low = middle + 1;
		else
			high = middle;
		first = low;
	}
	while (first + count < l->count && strcmp(l->items[first + count].owner, id) == 0)
		count++;
	if (count == 0)
		return 0;
	struct csn_port *ports = arena_array(l->arena, count, sizeof *ports);
	if (!ports)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		ports[i] = l->items[first + i].port;
	*ret = ports;
	*ret_count = count;
	return 0;
}
