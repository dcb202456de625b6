/* Networks as files: one JSON document each, written whole, read by tables. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "netns/world.h"

enum { DEFINITION_MAX = 1 << 20 };

static const char *const drivers[] = {
	[NET_BRIDGE] = "bridge", [NET_MACVLAN] = "macvlan", [NET_IPVLAN] = "ipvlan"
};

const char *net_driver_name(enum net_driver driver)
{
	return drivers[driver];
}

int driver_number(const char *name)
{
	for (size_t i = 0; i < COUNT(drivers); i++)
		if (strcmp(drivers[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

bool net_name_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	size_t size = strlen(name);
	return size > 0 && size <= 64 && strspn(name, allowed) == size && name[0] != '.' &&
	       name[0] != '-' && name[0] != '_';
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static int decode_driver(struct json_decoder *d, const struct json_node *v,
			 const struct json_field *f, void *out)
{
	const char *name = node_string(v, NULL);
	int number = name ? driver_number(name) : -EINVAL;
	(void)f;
	if (number < 0)
		return json_expected(d, "bridge, macvlan or ipvlan");
	*(enum net_driver *)out = (enum net_driver)number;
	return 0;
}

static int decode_address(struct json_decoder *d, const struct json_node *v,
			  const struct json_field *f, void *out)
{
	const char *text = node_string(v, NULL);
	(void)f;
	if (!text || net_addr_parse(text, out) < 0)
		return json_expected(d, "an IP address");
	return 0;
}

static int decode_prefix(struct json_decoder *d, const struct json_node *v,
			 const struct json_field *f, void *out)
{
	const char *text = node_string(v, NULL);
	(void)f;
	if (!text || net_prefix_parse(text, out) < 0)
		return json_expected(d, "ADDRESS/BITS");
	return 0;
}

struct label_map {
	struct net_label *items;
	size_t count;
	bool set;
};

struct definition_row {
	struct network n;
	struct label_map labels;
};

static const struct json_field subnet_fields[] = {
	{ "subnet", decode_prefix, offsetof(struct net_subnet, subnet), NULL, JSON_REQUIRED },
	{ "gateway", decode_address, offsetof(struct net_subnet, gateway) },
	{ "range", decode_prefix, offsetof(struct net_subnet, range) },
	{ 0 }
};

#define ROW(name, decode, member)                                                                  \
	{                                                                                          \
		name, decode, offsetof(struct definition_row, member)                              \
	}
static const struct json_field definition_fields[] = {
	{ "name", decode_string, offsetof(struct definition_row, n.name), NULL, JSON_REQUIRED },
	{ "driver", decode_driver, offsetof(struct definition_row, n.driver), NULL, JSON_REQUIRED },
	{ "interface", decode_string, offsetof(struct definition_row, n.interface), NULL,
	  JSON_REQUIRED },
	{ "ipv4", decode_object, offsetof(struct definition_row, n.v4), subnet_fields },
	{ "ipv6", decode_object, offsetof(struct definition_row, n.v6), subnet_fields },
	ROW("mtu", decode_u32, n.mtu),
	ROW("internal", decode_bool, n.internal),
	ROW("isolated", decode_bool, n.isolated),
	ROW("masquerade", decode_bool, n.masquerade),
	ROW("dns", decode_bool, n.dns),
	ROW("created", decode_text, n.created),
	ROW("labels", decode_map, labels),
	{ 0 }
};
#undef ROW

static int read_file(struct net *net, const char *file, struct network *ret, struct arena *arena,
		     struct csn_error *err)
{
	struct definition_row row = { 0 };
	auto_mem char *text = NULL;
	size_t size = 0;
	TRY(file_read(net->definitions, file, DEFINITION_MAX, &text, &size, err));
	TRY(json_decode(text, size, file, definition_fields, &row, arena, err));
	*ret = row.n;
	ret->labels = row.labels.items;
	ret->labels_count = row.labels.count;
	return 0;
}

int net_find(struct net *net, const char *name, struct network *ret, struct arena *arena,
	     struct csn_error *err)
{
	char file[80];
	if (!net_name_valid(name))
		return fail(err, EINVAL,
			    "network \"%.80s\": expected 1 to 64 letters, digits, '_', '.' and "
			    "'-', a letter or digit first",
			    name);
	(void)snprintf(file, sizeof file, "%s.json", name);
	if (faccessat(net->definitions, file, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, ENOENT, "network \"%s\" does not exist", name);
	return read_file(net, file, ret, arena, err);
}

static int is_definition(const struct dirent *e)
{
	const char *end = strrchr(e->d_name, '.');
	return e->d_name[0] != '.' && end && strcmp(end, ".json") == 0;
}

static void free_names(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

int net_each(struct net *net, int (*fn)(void *data, const struct network *n), void *data,
	     struct csn_error *err)
{
	struct dirent **names = NULL;
	int r = 0, count = scandirat(net->definitions, ".", &names, is_definition, alphasort);
	if (count < 0)
		return fail_errno(err, "list networks");
	for (int i = 0; r == 0 && i < count; i++) {
		struct arena arena AUTO(arena_free) = { 0 };
		struct network n;
		if (read_file(net, names[i]->d_name, &n, &arena, NULL) == 0)
			r = fn(data, &n);
	}
	free_names(names, count);
	return r;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void put_subnet(struct json_out *o, const char *key, const struct net_subnet *s)
{
	char text[NET_TEXT];
	if (!s->subnet.family)
		return;
	json_open_object(o, key);
	json_put_string(o, "subnet", net_prefix_print(&s->subnet, text));
	if (s->gateway.family)
		json_put_string(o, "gateway", net_addr_print(&s->gateway, text));
	if (s->range.family)
		json_put_string(o, "range", net_prefix_print(&s->range, text));
	json_close_object(o);
}

void net_put(struct json_out *o, const struct network *n)
{
	json_put_string(o, "name", n->name);
	json_put_string(o, "driver", net_driver_name(n->driver));
	json_put_string(o, "interface", n->interface);
	put_subnet(o, "ipv4", &n->v4);
	put_subnet(o, "ipv6", &n->v6);
	json_put_u64(o, "mtu", n->mtu);
	json_put_bool(o, "internal", n->internal);
	json_put_bool(o, "isolated", n->isolated);
	json_put_bool(o, "masquerade", n->masquerade);
	json_put_bool(o, "dns", n->dns);
	json_put_string(o, "created", n->created);
	json_open_object(o, "labels");
	for (size_t i = 0; i < n->labels_count; i++)
		json_put_string(o, n->labels[i].key, n->labels[i].value);
	json_close_object(o);
}

int definition_write(struct net *net, const struct network *n, struct csn_error *err)
{
	struct json_out o = JSON_OUT_INDENT("  ");
	char file[80];
	json_open_object(&o, NULL);
	net_put(&o, n);
	json_close_object(&o);
	size_t size = o.size;
	auto_mem char *text = NULL;
	TRY(json_out_take(&o, &text, err));
	(void)snprintf(file, sizeof file, "%s.json", n->name);
	return file_write_atomic(net->definitions, file, text, size, 0600, true, err);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261U;
	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 16777619U;
	return h;
}

const char *net_world(const char *run_root)
{
	return strcmp(run_root, "/run/caisson-engine") == 0 ? NULL : run_root;
}

int net_open(int definitions, int run, const char *world, struct net *ret, struct csn_error *err)
{
	struct net net AUTO(net_close) = NET_INIT;
	net.definitions = definitions;
	net.run = run;
	net.group = 0x63730000U | (world ? hash(world) % 0xffff + 1 : 0);
	(void)snprintf(net.table, sizeof net.table, world ? "caisson-%08x" : "caisson",
		       world ? hash(world) : 0);
	TRY(nl_open(NL_ROUTE, -1, &net.route, err));
	TRY(nl_open(NL_NETFILTER, -1, &net.filter, err));
	*ret = net;
	net = (struct net)NET_INIT;
	return 0;
}

void net_close(struct net *net)
{
	close_fd(&net->lock);
	nl_close(net->route);
	nl_close(net->filter);
	net->route = net->filter = NULL;
}

int world_lock(struct net *net, bool exclusive, struct csn_error *err)
{
	if (net->lock < 0)
		net->lock =
			openat(net->run, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (net->lock < 0)
		return fail_errno(err, "open the lock of the networks");
	while (flock(net->lock, exclusive ? LOCK_EX : LOCK_SH) < 0)
		if (errno != EINTR)
			return fail_errno(err, "lock the networks");
	net->exclusive = exclusive;
	return 0;
}

void world_unlock(struct net *net)
{
	close_fd(&net->lock);
	net->exclusive = false;
}
