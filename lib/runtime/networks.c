/*
 * Networks as things of their own: made, listed, removed, joined and left by containers that run.
 * What they are is netns/'s business; here they meet containers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "runtime/network.h"

/* ---- making and removing ----------------------------------------------------------------------
 */

static int make_labels(const char *const *given, struct net_create *c, struct arena *arena,
		       struct csn_error *err)
{
	size_t count = 0;
	while (given && given[count])
		count++;
	struct net_label *labels = arena_array(arena, count, sizeof *labels);
	if (!labels)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		labels[i].key = arena_strdup(arena, given[i]);
		if (!labels[i].key)
			return fail(err, ENOMEM, "out of memory");
		char *value = strchr(labels[i].key, '=');
		if (!labels[i].key[0] || value == labels[i].key)
			return fail(err, EINVAL, "label \"%.200s\": expected KEY=value", given[i]);
		if (value)
			*value++ = '\0';
		labels[i].value = value ? value : labels[i].key + strlen(labels[i].key);
	}
	c->labels = labels;
	c->labels_count = count;
	return 0;
}

int csn_network_create(struct csn_runtime *rt, const struct csn_network_options *options,
		       struct csn_error *err)
{
	struct csn_network_options o = CSN_NETWORK_OPTIONS_INIT;
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	TRY(take_struct(&o, sizeof o, options, "struct csn_network_options", err));
	if (!o.name)
		return fail(err, EINVAL, "network: no name given");
	struct net_create c = { .name = o.name,
				.driver = o.driver,
				.interface = o.interface,
				.parent = o.parent,
				.subnet4 = o.subnet,
				.gateway4 = o.gateway,
				.range4 = o.range,
				.subnet6 = o.subnet6,
				.gateway6 = o.gateway6,
				.range6 = o.range6,
				.ipv6 = o.ipv6,
				.mtu = o.mtu,
				.internal = o.internal,
				.connected = o.no_isolate,
				.no_masquerade = o.no_masquerade,
				.no_dns = o.no_dns };
	TRY(make_labels(o.labels, &c, &arena, err));
	TRY(engine_net_open(rt, &en, err));
	return net_create(&en.net, &c, err);
}

int csn_network_remove(struct csn_runtime *rt, const char *network, struct csn_error *err)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	TRY(engine_net_open(rt, &en, err));
	return net_remove(&en.net, network, err);
}

int csn_network_reload(struct csn_runtime *rt, struct csn_error *err)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	TRY(engine_net_open(rt, &en, err));
	return net_reload(&en.net, err);
}

/* ---- lists ------------------------------------------------------------------------------------
 */

struct csn_networks {
	struct arena arena;
	struct csn_network_info *items;
	size_t count;
	struct net *net;
	bool failed;
};

size_t csn_networks_count(const struct csn_networks *networks)
{
	return networks->count;
}

const struct csn_network_info *csn_networks_get(const struct csn_networks *networks, size_t index)
{
	return index < networks->count ? &networks->items[index] : NULL;
}

void csn_networks_free(struct csn_networks *networks)
{
	if (!networks)
		return;
	arena_free(&networks->arena);
	free(networks->items);
	free(networks);
}

static void free_networks(struct csn_networks **l)
{
	csn_networks_free(*l);
}

static int count_lease(void *data, const struct net_lease *l)
{
	(void)l;
	++*(size_t *)data;
	return 0;
}

/* "" for what is not there; NULL without memory. */
static const char *keep_address(struct csn_networks *l, const struct net_addr *a, bool prefix)
{
	char text[NET_TEXT];
	if (!a->family)
		return "";
	return arena_strdup(&l->arena,
			    prefix ? net_prefix_print(a, text) : net_addr_print(a, text));
}

static int add_network(void *data, const struct network *n)
{
	struct csn_networks *l = data;
	void *grown = reallocarray(l->items, l->count + 1, sizeof *l->items);
	if (!grown)
		return -ENOMEM;
	l->items = grown;
	struct csn_network_info i = { .name = arena_strdup(&l->arena, n->name),
				      .driver = net_driver_name(n->driver),
				      .interface = arena_strdup(&l->arena, n->interface),
				      .created =
					      arena_strdup(&l->arena, n->created ? n->created : ""),
				      .subnet = keep_address(l, &n->v4.subnet, true),
				      .gateway = keep_address(l, &n->v4.gateway, false),
				      .subnet6 = keep_address(l, &n->v6.subnet, true),
				      .gateway6 = keep_address(l, &n->v6.gateway, false),
				      .internal = n->internal,
				      .isolated = n->isolated };
	if (!i.name || !i.interface || !i.created || !i.subnet || !i.gateway || !i.subnet6 ||
	    !i.gateway6)
		return -ENOMEM;
	(void)net_each_lease(l->net, n->name, count_lease, &i.containers, NULL);
	l->items[l->count++] = i;
	return 0;
}

int csn_network_list(struct csn_runtime *rt, struct csn_networks **ret, struct csn_error *err)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct network found;
	struct csn_networks *l AUTO(free_networks)
	= calloc(1, sizeof *l);
	if (!l)
		return fail(err, ENOMEM, "out of memory");
	TRY(engine_net_open(rt, &en, err));
	TRY(net_find_default(&en.net, &found, &l->arena, err));
	l->net = &en.net;
	int r = net_each(&en.net, add_network, l, err);
	if (r == -ENOMEM)
		return fail(err, ENOMEM, "out of memory");
	TRY(r);
	*ret = take_ptr(l);
	return 0;
}

/* ---- prune ------------------------------------------------------------------------------------
 */

struct pruning {
	struct csn_runtime *rt;
	const char *network;
	bool wanted;
};

static int wants_network(void *data, const char *id)
{
	struct pruning *p = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct run_network n;
	if (container_open(p->rt, id, &c, NULL) < 0 ||
	    run_network_read(c.dir, &n, &arena, NULL) < 0)
		return 0;
	for (size_t i = 0; i < n.joins.count; i++)
		p->wanted |= strcmp(n.joins.items[i].network, p->network) == 0;
	return 0;
}

int csn_network_prune(struct csn_runtime *rt, struct csn_networks **ret, struct csn_error *err)
{
	struct csn_networks *l AUTO(free_networks)
	= NULL;
	size_t kept = 0;
	TRY(csn_network_list(rt, &l, err));
	for (size_t i = 0; i < l->count; i++) {
		struct pruning p = { .rt = rt, .network = l->items[i].name };
		if (l->items[i].containers || strcmp(p.network, NET_DEFAULT) == 0)
			continue;
		TRY(container_each(rt, wants_network, &p, err));
		if (p.wanted)
			continue;
		int r = csn_network_remove(rt, p.network, err);
		if (r == -EBUSY || r == -ENOENT)
			continue;
		TRY(r);
		l->items[kept++] = l->items[i];
	}
	l->count = kept;
	if (ret)
		*ret = take_ptr(l);
	return 0;
}

/* ---- inspect ----------------------------------------------------------------------------------
 */

static int put_lease(void *data, const struct net_lease *l)
{
	struct json_out *o = data;
	char text[NET_TEXT];
	json_open_object(o, NULL);
	json_put_string(o, "id", l->owner);
	json_put_string(o, "interface", l->ifname);
	json_put_string(o, "host_interface", l->link[0] ? l->link : NULL);
	json_put_string(o, "ipv4", l->v4.family ? net_prefix_print(&l->v4, text) : NULL);
	json_put_string(o, "ipv6", l->v6.family ? net_prefix_print(&l->v6, text) : NULL);
	json_put_string(o, "mac", net_mac_print(&l->mac, text));
	json_close_object(o);
	return 0;
}

int csn_network_inspect(struct csn_runtime *rt, const char *network, char **ret_json,
			struct csn_error *err)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct network n;
	TRY(engine_net_open(rt, &en, err));
	if (strcmp(network, NET_DEFAULT) == 0)
		TRY(net_find_default(&en.net, &n, &arena, err));
	TRY(net_find(&en.net, network, &n, &arena, err));
	struct json_out o = JSON_OUT_INDENT("  ");
	json_open_object(&o, NULL);
	net_put(&o, &n);
	json_open_array(&o, "containers");
	(void)net_each_lease(&en.net, network, put_lease, &o, NULL);
	json_close_array(&o);
	json_close_object(&o);
	return json_out_take(&o, ret_json, err);
}

/* ---- connect and disconnect -------------------------------------------------------------------
 */

static int write_network(const struct container *c, const struct run_network *n,
			 struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size;
	TRY(run_network_text(n, &text, &size, err));
	return file_write_atomic(c->dir, "network.json", text, size, 0600, true, err);
}

static int check_mode(const struct run_network *n, const char *container, struct csn_error *err)
{
	return n->mode == MODE_NETWORKS
		       ? 0
		       : fail(err, EINVAL, "container \"%.80s\": its network is not of our making",
			      container);
}

static size_t join_index(const struct run_network *n, const char *network)
{
	size_t i = 0;
	while (i < n->joins.count && strcmp(n->joins.items[i].network, network) != 0)
		i++;
	return i;
}

int csn_network_connect(struct csn_runtime *rt, const char *container,
			const struct csn_network_join *join, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_network_join j = CSN_NETWORK_JOIN_INIT;
	struct run_network n;
	TRY(take_struct(&j, sizeof j, join, "struct csn_network_join", err));
	TRY(container_find(rt, container, &c, err));
	auto_fd lock = lock_dir(c.dir, LOCK_EX, err);
	TRY(lock);
	TRY(run_network_read(c.dir, &n, &arena, err));
	TRY(check_mode(&n, container, err));
	struct run_join *items = arena_array(&arena, n.joins.count + 1, sizeof *items);
	if (!items)
		return fail(err, ENOMEM, "out of memory");
	memcpy(items, n.joins.items, n.joins.count * sizeof *items);
	TRY(engine_net_open(rt, &en, err));
	TRY(run_join_decide(&en, &j, &items[n.joins.count], &arena, err));
	if (join_index(&n, j.network) < n.joins.count)
		return fail(err, EEXIST, "container \"%.80s\" is in network \"%s\" already",
			    container, j.network);
	n.joins.items = items;
	n.joins.count++;
	facts_read(rt, &c, true, &f);
	if (facts_running(&f))
		TRY(network_join_running(rt, &c, &n, f.pid, err));
	int r = write_network(&c, &n, err);
	if (r < 0 && facts_running(&f))
		(void)net_detach(&en.net, c.id, j.network, true, NULL);
	return r;
}

int csn_network_disconnect(struct csn_runtime *rt, const char *container, const char *network,
			   struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct run_network n;
	TRY(container_find(rt, container, &c, err));
	auto_fd lock = lock_dir(c.dir, LOCK_EX, err);
	TRY(lock);
	TRY(run_network_read(c.dir, &n, &arena, err));
	TRY(check_mode(&n, container, err));
	size_t at = join_index(&n, network);
	if (at == n.joins.count)
		return fail(err, ENOENT, "container \"%.80s\" is not in network \"%.80s\"",
			    container, network);
	TRY(engine_net_open(rt, &en, err));
	memmove(&n.joins.items[at], &n.joins.items[at + 1],
		(n.joins.count - at - 1) * sizeof *n.joins.items);
	n.joins.count--;
	TRY(write_network(&c, &n, err));
	facts_read(rt, &c, true, &f);
	if (facts_running(&f))
		return network_leave_running(rt, &c, &n, network, f.pid, err);
	return net_detach(&en.net, c.id, network, true, err);
}

/* ---- addresses --------------------------------------------------------------------------------
 */

int csn_container_ip(struct csn_runtime *rt, const char *container, char ret[CSN_ADDRESS_SIZE],
		     struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct net_lease lease;
	struct run_network n;
	_Static_assert((int)CSN_ADDRESS_SIZE >= (int)NET_TEXT, "room for an address");
	TRY(container_find(rt, container, &c, err));
	TRY(run_network_read(c.dir, &n, &arena, err));
	if (n.mode == MODE_CONTAINER)
		return csn_container_ip(rt, n.target, ret, err);
	if (n.mode != MODE_NETWORKS)
		return 0;
	TRY(engine_net_open(rt, &en, err));
	for (size_t i = 0; i < n.joins.count; i++) {
		if (!network_lease(&en, n.joins.items[i].network, c.id, &lease))
			continue;
		(void)net_addr_print(lease.v4.family ? &lease.v4 : &lease.v6, ret);
		return 1;
	}
	return 0;
}
