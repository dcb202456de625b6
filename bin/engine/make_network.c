/*
 * The network options of create and run. Words are taken apart here; what they mean, and whether
 * they can be true, is the library's business.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/engine/engine.h"

struct network_args network_args;

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* ---- ports ------------------------------------------------------------------------------------
 */

struct range {
	unsigned first, last;
};

/* "80", "8000-8010"; empty: 0, one that is free. */
static int parse_range(const char *text, size_t size, struct range *ret)
{
	unsigned long values[2] = { 0, 0 };
	const char *p = text, *end = text + size;
	for (int i = 0; i < 2; i++) {
		size_t digits = strspn(p, "0123456789");
		if (digits > (size_t)(end - p) || digits == 0 || digits > 5)
			return size == 0 ? 0 : -EINVAL;
		values[i] = strtoul(p, NULL, 10);
		p += digits;
		if (i == 0 && p == end)
			values[1] = values[0];
		if (p == end)
			break;
		if (i == 1 || *p++ != '-')
			return -EINVAL;
	}
	if (values[1] < values[0] || values[1] > 65535)
		return -EINVAL;
	*ret = (struct range){ (unsigned)values[0], (unsigned)values[1] };
	return 0;
}

/* The address in front: "127.0.0.1:", "[::1]:". Gives what is behind it. */
static const char *take_host(struct arena *arena, const char *text, const char **ret_host)
{
	const char *end;
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || end[1] != ':')
			return NULL;
		*ret_host = arena_printf(arena, "%.*s", (int)(end - text - 1), text + 1);
		return *ret_host ? end + 2 : NULL;
	}
	end = strchr(text, ':');
	if (!end || !strchr(end + 1, ':'))
		return text;
	if (end == text) /* "::80" */
		return text + 1;
	*ret_host = arena_printf(arena, "%.*s", (int)(end - text), text);
	return *ret_host ? end + 1 : NULL;
}

int parse_port(struct arena *arena, const char *text, struct csn_port *ret, struct csn_error *err)
{
	struct csn_port p = CSN_PORT_INIT;
	struct range host = { 0, 0 }, container = { 0, 0 };
	const char *rest = take_host(arena, text, &p.host_ip);
	size_t size = rest ? strcspn(rest, "/") : 0;
	const char *colon = rest ? memchr(rest, ':', size) : NULL;
	const char *target = colon ? colon + 1 : rest;
	if (!rest || (colon && parse_range(rest, (size_t)(colon - rest), &host) < 0) ||
	    parse_range(target, size - (size_t)(target - rest), &container) < 0 ||
	    container.first == 0)
		return fail(
			err, EINVAL,
			"--publish \"%.200s\": expected [[IP:]PORT:]PORT[/PROTOCOL], ports from "
			"1 to 65535",
			text);
	if (rest[size] == '/')
		p.protocol = rest + size + 1;
	unsigned count = container.last - container.first + 1;
	if (host.first && host.last - host.first + 1 != count)
		return fail(err, EINVAL,
			    "--publish \"%.200s\": %u host ports for %u in the container", text,
			    host.last - host.first + 1, count);
	p.host_port = (uint16_t)host.first;
	p.container_port = (uint16_t)container.first;
	p.count = (uint16_t)count;
	*ret = p;
	return 0;
}

static int collect_ports(struct arena *arena, struct csn_container_network *n,
			 struct csn_error *err)
{
	struct csn_port *ports = arena_array(arena, network_args.ports.count, sizeof *ports);
	if (!ports)
		return no_memory(err);
	for (size_t i = 0; i < network_args.ports.count; i++)
		TRY(parse_port(arena, network_args.ports.items[i], &ports[i], err));
	n->ports = ports;
	n->ports_count = network_args.ports.count;
	return 0;
}

/* ---- networks ---------------------------------------------------------------------------------
 */

/* NAME:ip=ADDRESS,mac=MAC,alias=NAME */
static int parse_option(struct csn_network_join *j, char *text, const char **aliases, size_t *count,
			struct csn_error *err)
{
	char *value = strchr(text, '=');
	if (value)
		*value++ = '\0';
	const struct {
		const char *name;
		const char **target;
	} rows[] = { { "ip", strchr(value ? value : "", ':') ? &j->ip6 : &j->ip },
		     { "ip6", &j->ip6 },
		     { "mac", &j->mac },
		     { "alias", &aliases[*count] } };
	for (size_t i = 0; value && i < COUNT(rows); i++) {
		if (strcmp(rows[i].name, text) != 0)
			continue;
		*rows[i].target = value;
		*count += rows[i].target == &aliases[*count];
		return 0;
	}
	return fail(err, EINVAL,
		    "--network: option \"%.80s\": expected ip=, ip6=, mac= or alias=", text);
}

static int parse_network(struct arena *arena, const char *text, struct csn_network_join *ret,
			 struct csn_error *err)
{
	struct csn_network_join j = CSN_NETWORK_JOIN_INIT;
	char *copy = arena_strdup(arena, text), *rest = NULL;
	const char **aliases = arena_array(arena, strlen(text) / 6 + network_args.aliases.count + 1,
					   sizeof *aliases);
	size_t count = 0;
	if (!copy || !aliases)
		return no_memory(err);
	char *options = strchr(copy, ':');
	bool mode = strncmp(text, "container:", 10) == 0 || strncmp(text, "ns:", 3) == 0;
	if (options && !mode) {
		*options++ = '\0';
		for (char *o = strtok_r(options, ",", &rest); o; o = strtok_r(NULL, ",", &rest))
			TRY(parse_option(&j, o, aliases, &count, err));
	}
	for (size_t i = 0; i < network_args.aliases.count; i++)
		aliases[count++] = network_args.aliases.items[i];
	j.network = strcmp(copy, "default") == 0 ? "bridge" : copy;
	j.aliases = aliases;
	*ret = j;
	return 0;
}

/* --ip and its like are of one network; which one would be a guess. */
static int apply_single(struct csn_network_join *j, size_t count, struct csn_error *err)
{
	const struct {
		const char *option, *value;
		const char **target;
	} rows[] = { { "--ip", network_args.ip, &j->ip },
		     { "--ip6", network_args.ip6, &j->ip6 },
		     { "--mac-address", network_args.mac, &j->mac } };
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!rows[i].value)
			continue;
		if (count > 1)
			return fail(err, EINVAL,
				    "%s: not with several networks: write --network NAME:ip=…",
				    rows[i].option);
		*rows[i].target = rows[i].value;
	}
	return 0;
}

static int collect_networks(struct arena *arena, struct csn_container_network *n,
			    struct csn_error *err)
{
	size_t given = network_args.networks.count, count = given ? given : 1;
	struct csn_network_join *joins = arena_array(arena, count, sizeof *joins);
	if (!joins)
		return no_memory(err);
	for (size_t i = 0; i < count; i++)
		TRY(parse_network(arena, given ? network_args.networks.items[i] : "bridge",
				  &joins[i], err));
	TRY(apply_single(&joins[0], count, err));
	n->networks = joins;
	n->networks_count = count;
	return 0;
}

int make_network(struct arena *arena, struct csn_container_options *o, struct csn_error *err)
{
	struct csn_container_network *n = arena_alloc(arena, sizeof *n);
	if (!n)
		return no_memory(err);
	*n = (struct csn_container_network)CSN_CONTAINER_NETWORK_INIT;
	TRY(collect_networks(arena, n, err));
	TRY(collect_ports(arena, n, err));
	n->publish_all = network_args.publish_all;
	const struct {
		const struct opt_list *given;
		const char *const **target;
	} lists[] = { { &network_args.dns, &n->dns },
		      { &network_args.dns_search, &n->dns_search },
		      { &network_args.dns_options, &n->dns_options },
		      { &network_args.hosts, &n->extra_hosts } };
	for (size_t i = 0; i < COUNT(lists); i++)
		*lists[i].target = lists[i].given->items;
	o->networking = n;
	o->network = n->networks[0].network;
	return 0;
}
