/*
 * Attaching a container when it starts, and taking everything back. The caller has the container's
 * lock; the program has not begun. Its monitor prepares the root file system meanwhile and waits
 * for the namespace.
 */
#include "runtime/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"

/* ---- the network layer ------------------------------------------------------------------------
 */

static int open_sub(int dir, const char *name, struct csn_error *err)
{
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return fail_errno(err, "make directory %s", name);
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "open directory %s", name) : fd;
}

int engine_net_open(struct csn_runtime *rt, struct engine_net *ret, struct csn_error *err)
{
	TRY(ret->definitions = open_sub(rt->root_dir, "networks", err));
	TRY(ret->run = open_sub(rt->run_dir, "network", err));
	return net_open(ret->definitions, ret->run, net_world(rt->run_root), &ret->net, err);
}

void engine_net_close(struct engine_net *n)
{
	net_close(&n->net);
	close_fd(&n->definitions);
	close_fd(&n->run);
}

/* ---- joining somebody else's ------------------------------------------------------------------
 */

static int open_netns(const char *path, const char *what, struct csn_error *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail_errno(err, "network \"%.200s\"", what);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return fail(err, EINVAL, "network \"%.200s\": it is no network namespace", what);
	return take_fd(&fd);
}

static int join_path(struct csn_runtime *rt, const struct run_network *n, int *ret_fd,
		     struct csn_error *err)
{
	char what[300];
	(void)rt;
	(void)snprintf(what, sizeof what, "ns:%.280s", n->target);
	return *ret_fd = open_netns(n->target, what, err);
}

static int join_container(struct csn_runtime *rt, const struct run_network *n, int *ret_fd,
			  struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	char path[40], what[80];
	(void)snprintf(what, sizeof what, "container:%.12s", n->target);
	int r = container_open(rt, n->target, &c, err);
	if (r < 0)
		return within(err, r, "network \"%s\"", what);
	facts_read(rt, &c, false, &f);
	if (f.pid <= 0)
		return fail(err, ESRCH, "network \"%s\": that container is not running", what);
	/* Noted before it is joined: from then on its namespace may outlive it. */
	TRY(engine_net_open(rt, &en, err));
	TRY(net_share(&en.net, c.id, err));
	(void)snprintf(path, sizeof path, "/proc/%d/ns/net", (int)f.pid);
	return *ret_fd = open_netns(path, what, err);
}

/* ---- networks ---------------------------------------------------------------------------------
 */

static void parse_address(const char *text, struct net_addr *ret)
{
	if (text)
		(void)net_addr_parse(text, ret);
}

/* What it is called: host name first, for that is its canonical one. */
static const char *const *names_of(const struct container *c, const struct run_network *n,
				   const struct run_join *j, const char *name, struct arena *arena)
{
	const char **names = arena_array(arena, j->aliases.count + 4, sizeof *names);
	char *id = arena_printf(arena, "%.12s", c->id);
	const char *known[] = { n->hostname, name, id };
	size_t count = 0;
	if (!names || !id)
		return NULL;
	for (size_t i = 0; i < COUNT(known) + j->aliases.count; i++) {
		const char *next = i < COUNT(known) ? known[i] : j->aliases.items[i - COUNT(known)];
		bool there = !next;
		for (size_t k = 0; k < count && !there; k++)
			there = strcmp(names[k], next) == 0;
		if (!there)
			names[count++] = next;
	}
	return names;
}

static int make_joins(struct engine_net *en, const struct container *c, const struct run_network *n,
		      const char *name, struct net_join **ret, struct arena *arena,
		      struct csn_error *err)
{
	struct net_join *joins = arena_array(arena, n->joins.count, sizeof *joins);
	bool routed = false;
	if (!joins)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n->joins.count; i++) {
		const struct run_join *from = &n->joins.items[i];
		struct net_join *j = &joins[i];
		struct network found;
		TRY(net_find(&en->net, from->network, &found, arena, err));
		j->network = from->network;
		j->ifname = arena_printf(arena, "eth%zu", i);
		j->names = names_of(c, n, from, name, arena);
		if (!j->ifname || !j->names)
			return fail(err, ENOMEM, "out of memory");
		parse_address(from->ip, &j->v4);
		parse_address(from->ip6, &j->v6);
		if (from->mac)
			(void)net_mac_parse(from->mac, &j->mac);
		j->gateway = !routed && !found.internal;
		routed |= j->gateway;
	}
	*ret = joins;
	return 0;
}

static int make_ports(const struct run_network *n, struct net_port **ret, struct arena *arena,
		      struct csn_error *err)
{
	struct net_port *ports = arena_array(arena, n->ports.count, sizeof *ports);
	if (!ports)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n->ports.count; i++) {
		const struct run_port *p = &n->ports.items[i];
		int protocol = net_protocol_number(p->protocol);
		if (protocol < 0)
			return fail(err, EINVAL, "network.json: ports[%zu]: unknown protocol", i);
		ports[i] = (struct net_port){ .protocol = (uint8_t)protocol,
					      .host_port = (uint16_t)p->host_port,
					      .container_port = (uint16_t)p->container_port };
		parse_address(p->host_ip, &ports[i].host);
	}
	*ret = ports;
	return 0;
}

static uint64_t generation(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int join_networks(struct csn_runtime *rt, const struct container *c,
			 const struct run_network *n, const char *name, int *ret_fd,
			 struct csn_error *err)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct net_join *joins = NULL;
	struct net_port *ports = NULL;
	bool ipv6 = false;
	TRY(engine_net_open(rt, &en, err));
	TRY(make_joins(&en, c, n, name, &joins, &arena, err));
	TRY(make_ports(n, &ports, &arena, err));
	TRY(net_wants_ipv6(&en.net, joins, n->joins.count, &ipv6, err));
	auto_fd ns = -1;
	TRY(netns_create(ipv6, &ns, err));
	const struct net_attach a = { .owner = c->id,
				      .generation = generation(),
				      .ns = ns,
				      .hosts = arena_printf(&arena, "%s/containers/%s/hosts",
							    rt->root, c->id),
				      .joins = joins,
				      .joins_count = n->joins.count,
				      .ports = ports,
				      .ports_count = n->ports.count };
	if (!a.hosts)
		return fail(err, ENOMEM, "out of memory");
	TRY(net_attach(&en.net, &a, NULL, err));
	*ret_fd = take_fd(&ns);
	return 0;
}

/* The first name that none of its interfaces has. */
static int free_ifname(struct engine_net *en, const struct container *c,
		       const struct run_network *n, char ret[IFNAMSIZ])
{
	for (unsigned i = 0; i <= n->joins.count; i++) {
		bool taken = false;
		(void)snprintf(ret, IFNAMSIZ, "eth%u", i);
		for (size_t k = 0; k + 1 < n->joins.count && !taken; k++) {
			struct net_lease l;
			taken = network_lease(en, n->joins.items[k].network, c->id, &l) &&
				strcmp(l.ifname, ret) == 0;
		}
		if (!taken)
			return 0;
	}
	return -EEXIST;
}

/* A container that runs, for a change of its networks. */
struct living {
	struct engine_net en;
	struct arena arena;
	struct net_join *joins;
	int ns;
};
#define LIVING_INIT                                                                                \
	{                                                                                          \
		.en = ENGINE_NET_INIT, .ns = -1                                                    \
	}

static void living_done(struct living *l)
{
	engine_net_close(&l->en);
	arena_free(&l->arena);
	close_fd(&l->ns);
}

static int living_open(struct csn_runtime *rt, const struct container *c,
		       const struct run_network *n, pid_t pid, struct living *l,
		       struct csn_error *err)
{
	struct engine_record record = { 0 };
	char path[40];
	TRY(engine_record_read(c->dir, &record, &l->arena, err));
	TRY(engine_net_open(rt, &l->en, err));
	TRY(make_joins(&l->en, c, n, record.name, &l->joins, &l->arena, err));
	(void)snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
	return l->ns = open_netns(path, path, err);
}

int network_join_running(struct csn_runtime *rt, const struct container *c,
			 const struct run_network *n, pid_t pid, struct csn_error *err)
{
	struct living l AUTO(living_done) = LIVING_INIT;
	char ifname[IFNAMSIZ];
	TRY(living_open(rt, c, n, pid, &l, err));
	struct net_join *j = &l.joins[n->joins.count - 1];
	if (free_ifname(&l.en, c, n, ifname) < 0)
		return fail(err, EEXIST, "no name is free for another interface");
	j->ifname = ifname;
	const struct net_attach a = { .owner = c->id,
				      .generation = generation(),
				      .ns = l.ns,
				      .hosts = arena_printf(&l.arena, "%s/containers/%s/hosts",
							    rt->root, c->id),
				      .joins = j,
				      .joins_count = 1 };
	if (!a.hosts)
		return fail(err, ENOMEM, "out of memory");
	return net_attach(&l.en.net, &a, NULL, err);
}

struct own_ports {
	struct net_port items[NET_PORTS_MAX];
	size_t count;
};

static int keep_port(void *data, const char *owner, const struct net_port *p)
{
	struct own_ports *ports = data;
	(void)owner;
	if (ports->count < NET_PORTS_MAX)
		ports->items[ports->count++] = *p;
	return 0;
}

/* Leaves; what it had there and has nowhere now (the way out, the ports) it gets in another. */
int network_leave_running(struct csn_runtime *rt, const struct container *c,
			  const struct run_network *n, const char *network, pid_t pid,
			  struct csn_error *err)
{
	struct living l AUTO(living_done) = LIVING_INIT;
	TRY(living_open(rt, c, n, pid, &l, err));
	struct own_ports *before = arena_alloc(&l.arena, sizeof *before);
	struct own_ports *after = arena_alloc(&l.arena, sizeof *after);
	if (!before || !after)
		return fail(err, ENOMEM, "out of memory");
	before->count = after->count = 0;
	TRY(net_each_port(&l.en.net, c->id, keep_port, before, err));
	TRY(net_detach(&l.en.net, c->id, network, true, err));
	TRY(net_each_port(&l.en.net, c->id, keep_port, after, err));
	const struct net_attach a = { .owner = c->id,
				      .generation = generation(),
				      .ns = l.ns,
				      .joins = l.joins,
				      .joins_count = n->joins.count,
				      .ports = before->items,
				      .ports_count = after->count ? 0 : before->count };
	return net_reroute(&l.en.net, &a, err);
}

int network_begin(struct csn_runtime *rt, const struct container *c, const struct run_network *n,
		  const char *name, int *ret_fd, struct csn_error *err)
{
	*ret_fd = -1;
	if (n->mode == MODE_NETWORKS)
		return join_networks(rt, c, n, name, ret_fd, err);
	if (n->mode == MODE_CONTAINER)
		return join_container(rt, n, ret_fd, err);
	return n->mode == MODE_NAMESPACE ? join_path(rt, n, ret_fd, err) : 0;
}

int network_end(struct csn_runtime *rt, const char *id, struct csn_error *err)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	char path[CSN_ID_SIZE + 24];
	(void)snprintf(path, sizeof path, "network/owners/%s", id);
	if (faccessat(rt->run_dir, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	TRY(engine_net_open(rt, &en, err));
	return net_detach(&en.net, id, NULL, false, err);
}

/* ---- what is known ----------------------------------------------------------------------------
 */

struct finding {
	const char *id;
	struct net_lease *ret;
	bool found;
};

static int find_own(void *data, const struct net_lease *l)
{
	struct finding *f = data;
	f->found = strcmp(l->owner, f->id) == 0;
	if (f->found)
		*f->ret = *l;
	return f->found;
}

bool network_lease(struct engine_net *en, const char *network, const char *id,
		   struct net_lease *ret)
{
	struct finding f = { .id = id, .ret = ret };
	return net_each_lease(&en->net, network, find_own, &f, NULL) >= 0 && f.found;
}

static void put_join(struct engine_net *en, const char *id, const struct run_join *j,
		     struct json_out *o)
{
	char text[NET_TEXT];
	struct net_lease l = { 0 };
	bool found = network_lease(en, j->network, id, &l);
	json_open_object(o, NULL);
	json_put_string(o, "network", j->network);
	json_put_string(o, "interface", found ? l.ifname : NULL);
	json_put_string(o, "ipv4", l.v4.family ? net_addr_print(&l.v4, text) : NULL);
	json_put_string(o, "ipv6", l.v6.family ? net_addr_print(&l.v6, text) : NULL);
	json_put_string(o, "mac", found ? net_mac_print(&l.mac, text) : NULL);
	json_put_string(o, "host_interface", l.link[0] ? l.link : NULL);
	json_open_array(o, "aliases");
	for (size_t i = 0; i < j->aliases.count; i++)
		json_put_string(o, NULL, j->aliases.items[i]);
	json_close_array(o);
	json_close_object(o);
}

static int put_port(void *data, const char *owner, const struct net_port *p)
{
	struct json_out *o = data;
	(void)owner;
	char text[NET_TEXT];
	json_open_object(o, NULL);
	json_put_string(o, "protocol", net_protocol_name(p->protocol));
	json_put_string(o, "host_ip", p->host.family ? net_addr_print(&p->host, text) : NULL);
	json_put_u64(o, "host_port", p->host_port);
	json_put_u64(o, "container_port", p->container_port);
	json_close_object(o);
	return 0;
}

void network_put(struct csn_runtime *rt, const struct container *c, struct json_out *o)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct run_network n = { 0 };
	bool known = run_network_read(c->dir, &n, &arena, NULL) == 0 &&
		     engine_net_open(rt, &en, NULL) == 0;
	json_open_array(o, "networks");
	for (size_t i = 0; known && i < n.joins.count; i++)
		put_join(&en, c->id, &n.joins.items[i], o);
	json_close_array(o);
	json_open_array(o, "ports");
	if (known && n.ports.count)
		(void)net_each_port(&en.net, c->id, put_port, o, NULL);
	json_close_array(o);
}
