/* network.json: read by tables, written whole. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "runtime/network.h"

enum { NETWORK_MAX = 1 << 20 };

static const char *const modes[MODES] = { "none", "host", "networks", "container", "namespace" };

static int decode_mode(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	const char *name = node_string(v, NULL);
	(void)f;
	for (size_t i = 0; name && i < COUNT(modes); i++) {
		if (strcmp(modes[i], name) == 0) {
			*(enum network_mode *)out = (enum network_mode)i;
			return 0;
		}
	}
	return json_expected(d, "none, host, networks, container or namespace");
}

static const struct json_field join_fields[] = {
	{ "network", decode_string, offsetof(struct run_join, network), NULL, JSON_REQUIRED },
	{ "ip", decode_text, offsetof(struct run_join, ip) },
	{ "ip6", decode_text, offsetof(struct run_join, ip6) },
	{ "mac", decode_text, offsetof(struct run_join, mac) },
	{ "aliases", decode_strings, offsetof(struct run_join, aliases) },
	{ 0 }
};
static const struct json_elements joins = { .element_size = sizeof(struct run_join),
					    .decode = decode_object,
					    .detail = join_fields };

static const struct json_field port_fields[] = {
	{ "protocol", decode_string, offsetof(struct run_port, protocol), NULL, JSON_REQUIRED },
	{ "host_ip", decode_text, offsetof(struct run_port, host_ip) },
	{ "host_port", decode_u32, offsetof(struct run_port, host_port), .max = 65535 },
	{ "container_port", decode_u32, offsetof(struct run_port, container_port), NULL,
	  JSON_REQUIRED, 1, 65535 },
	{ 0 }
};
static const struct json_elements ports = { .element_size = sizeof(struct run_port),
					    .decode = decode_object,
					    .detail = port_fields };

static const struct json_field network_fields[] = {
	{ "mode", decode_mode, offsetof(struct run_network, mode), NULL, JSON_REQUIRED },
	{ "target", decode_text, offsetof(struct run_network, target) },
	{ "hostname", decode_text, offsetof(struct run_network, hostname) },
	{ "networks", decode_array, offsetof(struct run_network, joins), &joins },
	{ "ports", decode_array, offsetof(struct run_network, ports), &ports },
	{ 0 }
};

int run_network_read(int container_dir, struct run_network *ret, struct arena *arena,
		     struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	*ret = (struct run_network){ 0 };
	int r = file_read(container_dir, "network.json", NETWORK_MAX, &text, &size, err);
	if (r == -ENOENT)
		return 0;
	TRY(r);
	return json_decode(text, size, "network.json", network_fields, ret, arena, err);
}

static void put_join(struct json_out *o, const struct run_join *j)
{
	json_open_object(o, NULL);
	json_put_string(o, "network", j->network);
	json_put_string(o, "ip", j->ip);
	json_put_string(o, "ip6", j->ip6);
	json_put_string(o, "mac", j->mac);
	json_open_array(o, "aliases");
	for (size_t i = 0; i < j->aliases.count; i++)
		json_put_string(o, NULL, j->aliases.items[i]);
	json_close_array(o);
	json_close_object(o);
}

static void put_port(struct json_out *o, const struct run_port *p)
{
	json_open_object(o, NULL);
	json_put_string(o, "protocol", p->protocol);
	json_put_string(o, "host_ip", p->host_ip);
	json_put_u64(o, "host_port", p->host_port);
	json_put_u64(o, "container_port", p->container_port);
	json_close_object(o);
}

int run_network_text(const struct run_network *n, char **ret, size_t *ret_size,
		     struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	json_put_string(&o, "mode", modes[n->mode]);
	json_put_string(&o, "target", n->target);
	json_put_string(&o, "hostname", n->hostname);
	json_open_array(&o, "networks");
	for (size_t i = 0; i < n->joins.count; i++)
		put_join(&o, &n->joins.items[i]);
	json_close_array(&o);
	json_open_array(&o, "ports");
	for (size_t i = 0; i < n->ports.count; i++)
		put_port(&o, &n->ports.items[i]);
	json_close_array(&o);
	json_close_object(&o);
	*ret_size = o.size;
	return json_out_take(&o, ret, err);
}
