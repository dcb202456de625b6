/* csn network: networks as things of their own. Each command below it is a row. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "bin/engine/engine.h"
#include "bin/out.h"

/* ---- create -----------------------------------------------------------------------------------
 */

static struct {
	const char *driver, *interface, *parent;
	struct opt_list subnets, gateways, ranges, labels;
	bool ipv6, internal, no_isolate, no_masquerade, no_dns;
	int mtu;
} create_args;

static const struct opt create_options[] = {
	{ 'd', "driver", "NAME", "bridge (the default), macvlan or ipvlan", OPT_TEXT,
	  &create_args.driver },
	{ 0, "subnet", "ADDRESS/BITS", "one for IPv4, one for IPv6; one is chosen", OPT_LIST,
	  &create_args.subnets },
	{ 0, "gateway", "ADDRESS", "of a subnet; its first address", OPT_LIST,
	  &create_args.gateways },
	{ 0, "ip-range", "ADDRESS/BITS", "where in a subnet addresses are given from", OPT_LIST,
	  &create_args.ranges },
	{ 0, "ipv6", NULL, "with an IPv6 subnet", OPT_FLAG, &create_args.ipv6 },
	{ 0, "internal", NULL, "no way out, nor in", OPT_FLAG, &create_args.internal },
	{ 0, "no-isolate", NULL, "reachable from other networks that say so, too", OPT_FLAG,
	  &create_args.no_isolate },
	{ 0, "no-masquerade", NULL, "containers keep their addresses on the way out", OPT_FLAG,
	  &create_args.no_masquerade },
	{ 0, "disable-dns", NULL, "containers do not find each other by name", OPT_FLAG,
	  &create_args.no_dns },
	{ 0, "mtu", "BYTES", "largest packet", OPT_INT, &create_args.mtu },
	{ 0, "interface", "NAME", "name of the bridge; one is chosen", OPT_TEXT,
	  &create_args.interface },
	{ 0, "parent", "NAME", "macvlan and ipvlan: the host's interface they stand on", OPT_TEXT,
	  &create_args.parent },
	{ 'l', "label", "KEY=VALUE", "set a label", OPT_LIST, &create_args.labels },
	{ 0 },
};

static const struct opt *get_create_options(void)
{
	return create_options;
}

/* At most one of a family: which one is told by its colons. */
static int sort_families(const struct opt_list *list, const char *option, const char **ret4,
			 const char **ret6)
{
	for (size_t i = 0; i < list->count; i++) {
		const char **target = strchr(list->items[i], ':') ? ret6 : ret4;
		if (*target)
			return engine_fail_text(-1, "--%s: \"%s\" and \"%s\": one of a family",
						option, *target, list->items[i]);
		*target = list->items[i];
	}
	return 0;
}

static int create(int argc, char **argv)
{
	struct csn_network_options o = CSN_NETWORK_OPTIONS_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_error err;
	(void)argc;
	if (sort_families(&create_args.subnets, "subnet", &o.subnet, &o.subnet6) < 0 ||
	    sort_families(&create_args.gateways, "gateway", &o.gateway, &o.gateway6) < 0 ||
	    sort_families(&create_args.ranges, "ip-range", &o.range, &o.range6) < 0)
		return STATUS_FAILED;
	if (create_args.mtu < 0)
		return engine_fail_text(STATUS_FAILED, "--mtu: expected 68 to 65535");
	const char **labels = arena_array(&arena, create_args.labels.count + 1, sizeof *labels);
	if (!labels)
		return engine_fail_text(STATUS_FAILED, "out of memory");
	for (size_t i = 0; i < create_args.labels.count; i++)
		labels[i] = create_args.labels.items[i];
	o.name = argv[0];
	o.driver = create_args.driver;
	o.interface = create_args.interface;
	o.parent = create_args.parent;
	o.ipv6 = create_args.ipv6;
	o.internal = create_args.internal;
	o.no_isolate = create_args.no_isolate;
	o.no_masquerade = create_args.no_masquerade;
	o.no_dns = create_args.no_dns;
	o.mtu = (uint32_t)create_args.mtu;
	o.labels = labels;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_network_create(rt, &o, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	puts(argv[0]);
	return 0;
}

/* ---- ls ---------------------------------------------------------------------------------------
 */

static const char *format = "table";
static bool quiet;

static const struct opt list_options[] = {
	{ 'q', "quiet", NULL, "print names only", OPT_FLAG, &quiet },
	{ 0, "format", "FORMAT", "table or json", OPT_TEXT, &format },
	{ 0 },
};

static const struct opt *get_list_options(void)
{
	return list_options;
}

static void print_table(const struct csn_networks *l)
{
	static const char *const heads[] = { "NAME", "DRIVER", "INTERFACE", "SUBNETS",
					     "CONTAINERS" };
	struct out_table t = { .columns = COUNT(heads) };
	char subnets[160], count[24];
	out_table_row(&t, heads);
	for (size_t i = 0; i < csn_networks_count(l); i++) {
		const struct csn_network_info *n = csn_networks_get(l, i);
		(void)snprintf(subnets, sizeof subnets, "%s%s%s", n->subnet,
			       n->subnet[0] && n->subnet6[0] ? " " : "", n->subnet6);
		(void)snprintf(count, sizeof count, "%zu", n->containers);
		out_table_add(&t, n->name);
		out_table_add(&t, n->driver);
		out_table_add(&t, n->interface);
		out_table_add(&t, subnets);
		out_table_add(&t, count);
	}
	out_table_print(&t);
}

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static int print_list(const struct csn_networks *l)
{
	struct json_out o = JSON_OUT_INDENT("  ");
	json_open_array(&o, NULL);
	for (size_t i = 0; i < csn_networks_count(l); i++) {
		const struct csn_network_info *n = csn_networks_get(l, i);
		json_open_object(&o, NULL);
		json_put_string(&o, "name", n->name);
		json_put_string(&o, "driver", n->driver);
		json_put_string(&o, "interface", n->interface);
		json_put_string(&o, "subnet", or_null(n->subnet));
		json_put_string(&o, "gateway", or_null(n->gateway));
		json_put_string(&o, "subnet6", or_null(n->subnet6));
		json_put_string(&o, "gateway6", or_null(n->gateway6));
		json_put_bool(&o, "internal", n->internal);
		json_put_bool(&o, "isolated", n->isolated);
		json_put_u64(&o, "containers", n->containers);
		json_put_string(&o, "created", or_null(n->created));
		json_close_object(&o);
	}
	json_close_array(&o);
	return print_json(&o);
}

static int list(int argc, char **argv)
{
	struct csn_error err;
	struct csn_networks *l = NULL;
	bool json;
	int status = 0;
	(void)argc;
	(void)argv;
	if (print_format(format, &json) < 0)
		return STATUS_FAILED;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_network_list(rt, &l, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (quiet)
		for (size_t i = 0; i < csn_networks_count(l); i++)
			puts(csn_networks_get(l, i)->name);
	else if (json)
		status = print_list(l);
	else
		print_table(l);
	csn_networks_free(l);
	return status;
}

/* ---- inspect, rm, prune, reload ---------------------------------------------------------------
 */

static int inspect(int argc, char **argv)
{
	struct csn_error err;
	int status = 0, count = 0;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	fputs("[", stdout);
	for (int i = 0; i < argc; i++) {
		char *text = NULL;
		if (csn_network_inspect(rt, argv[i], &text, &err) < 0) {
			status = engine_fail(&err, STATUS_FAILED);
			continue;
		}
		printf("%s%s", count++ ? ",\n" : "", text);
		csn_free(text);
	}
	puts("]");
	return status;
}

static int rm(int argc, char **argv)
{
	struct csn_error err;
	int status = 0;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	for (int i = 0; i < argc; i++) {
		if (csn_network_remove(rt, argv[i], &err) < 0)
			status = engine_fail(&err, STATUS_FAILED);
		else
			puts(argv[i]);
	}
	return status;
}

static int prune(int argc, char **argv)
{
	struct csn_error err;
	struct csn_networks *removed = NULL;
	(void)argc;
	(void)argv;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_network_prune(rt, &removed, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	for (size_t i = 0; i < csn_networks_count(removed); i++)
		puts(csn_networks_get(removed, i)->name);
	csn_networks_free(removed);
	return 0;
}

static int reload(int argc, char **argv)
{
	struct csn_error err;
	(void)argc;
	(void)argv;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	return csn_network_reload(rt, &err) < 0 ? engine_fail(&err, STATUS_FAILED) : 0;
}

/* ---- connect, disconnect ----------------------------------------------------------------------
 */

static struct {
	const char *ip, *ip6, *mac;
	struct opt_list aliases;
} connect_args;

static const struct opt connect_options[] = {
	{ 0, "ip", "ADDRESS", "IPv4 address", OPT_TEXT, &connect_args.ip },
	{ 0, "ip6", "ADDRESS", "IPv6 address", OPT_TEXT, &connect_args.ip6 },
	{ 0, "mac-address", "MAC", "hardware address", OPT_TEXT, &connect_args.mac },
	{ 0, "alias", "NAME", "one more name in the network", OPT_LIST, &connect_args.aliases },
	{ 0 },
};

static const struct opt *get_connect_options(void)
{
	return connect_options;
}

static int connect_container(int argc, char **argv)
{
	struct csn_network_join j = CSN_NETWORK_JOIN_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_error err;
	(void)argc;
	const char **aliases = arena_array(&arena, connect_args.aliases.count + 1, sizeof *aliases);
	struct csn_runtime *rt = engine_runtime();
	if (!rt || !aliases)
		return STATUS_FAILED;
	for (size_t i = 0; i < connect_args.aliases.count; i++)
		aliases[i] = connect_args.aliases.items[i];
	j.network = argv[0];
	j.ip = connect_args.ip;
	j.ip6 = connect_args.ip6;
	j.mac = connect_args.mac;
	j.aliases = aliases;
	return csn_network_connect(rt, argv[1], &j, &err) < 0 ? engine_fail(&err, STATUS_FAILED)
							      : 0;
}

static int disconnect_container(int argc, char **argv)
{
	struct csn_error err;
	(void)argc;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	return csn_network_disconnect(rt, argv[1], argv[0], &err) < 0
		       ? engine_fail(&err, STATUS_FAILED)
		       : 0;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static const struct command commands_of_network[] = {
	{ "connect", "NETWORK CONTAINER", "put a container into one more network", 2, 2,
	  get_connect_options, connect_container },
	{ "create", "NAME", "make a network", 1, 1, get_create_options, create },
	{ "disconnect", "NETWORK CONTAINER", "take a container out of a network", 2, 2, NULL,
	  disconnect_container },
	{ "inspect", "NETWORK…", "show everything known of networks, as JSON", 1, -1, NULL,
	  inspect },
	{ "ls", NULL, "list networks", 0, 0, get_list_options, list },
	{ "prune", NULL, "remove networks that no container is in", 0, 0, NULL, prune },
	{ "reload", NULL, "make bridges and packet rules as they should be", 0, 0, NULL, reload },
	{ "rm", "NETWORK…", "remove networks", 1, -1, NULL, rm },
};

static int run(int argc, char **argv)
{
	const struct command *rows[COUNT(commands_of_network) + 1] = { NULL };
	for (size_t i = 0; i < COUNT(commands_of_network); i++)
		rows[i] = &commands_of_network[i];
	return opts_run_command("csn network", rows, argc, argv);
}

const struct command command_network = { "network",
					 "connect|create|disconnect|inspect|ls|prune|reload|rm …",
					 "make, list, join and remove networks",
					 1,
					 -1,
					 NULL,
					 run };
