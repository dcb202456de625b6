/*
 * Published ports. A translation takes a port away from a program of the host without either
 * noticing, so each port is bound for a moment before it is claimed: whoever listens there refuses
 * it. Among ourselves the ledger tells.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "netns/world.h"

static const struct {
	const char *name;
	uint8_t number;
	int type;
} protocols[] = { { "tcp", IPPROTO_TCP, SOCK_STREAM },
		  { "udp", IPPROTO_UDP, SOCK_DGRAM },
		  { "sctp", IPPROTO_SCTP, SOCK_STREAM } };

const char *net_protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < COUNT(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return "?";
}

int net_protocol_number(const char *name)
{
	for (size_t i = 0; i < COUNT(protocols); i++)
		if (strcmp(protocols[i].name, name) == 0)
			return protocols[i].number;
	return -EINVAL;
}

int ports_open(struct net *net, bool write, struct ledger *ret, struct csn_error *err)
{
	return ledger_open(net->run, "ports", sizeof(struct port_record), write, ret, err);
}

int net_each_port(struct net *net, const char *owner,
		  int (*fn)(void *data, const char *owner, const struct net_port *port), void *data,
		  struct csn_error *err)
{
	struct ledger l AUTO(ledger_close) = LEDGER_INIT;
	TRY(ports_open(net, false, &l, err));
	for (size_t i = 0; i < l.count; i++) {
		const struct port_record *r = ledger_at(&l, i);
		if (!r || (owner && strcmp(r->owner, owner) != 0))
			continue;
		const struct net_port p = { r->protocol, r->host, r->host_port, r->container_port };
		int result = fn(data, r->owner, &p);
		if (result)
			return result;
	}
	return 0;
}

/* ---- is it free? ------------------------------------------------------------------------------
 */

/* Binds an address of the host for a moment; *port 0: the kernel chooses. */
static int try_bind(const struct net_addr *host, uint8_t family, uint8_t protocol, uint16_t *port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = { 0 };
	socklen_t size = family == AF_INET6 ? sizeof at.v6 : sizeof at.v4;
	int on = 1, type = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	auto_fd fd = socket(family, type | SOCK_CLOEXEC, protocol);
	/* Without the protocol in the kernel nobody listens with it. */
	if (fd < 0)
		return errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT ? 0 : -errno;
	at.any.sa_family = family;
	at.v4.sin_port = htons(*port);
	if (family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
		memcpy(&at.v6.sin6_addr, host->bytes, 16);
	} else {
		memcpy(&at.v4.sin_addr, host->bytes, 4);
	}
	/* Connections that are closing do not count; with UDP the same option would share. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, &at.any, size) < 0 || getsockname(fd, &at.any, &size) < 0)
		return -errno;
	*port = ntohs(at.v4.sin_port);
	return 0;
}

bool port_host_any(const struct net_addr *host)
{
	static const uint8_t zeros[16];
	return memcmp(host->bytes, zeros, sizeof zeros) == 0;
}

/* Some packet could be meant for both. */
static bool meets(const struct net_addr *a, const struct net_addr *b)
{
	if (a->family && b->family && a->family != b->family)
		return false;
	return port_host_any(a) || port_host_any(b) || net_addr_equal(a, b);
}

static const struct port_record *clash(const struct ledger *l, const struct net_port *p,
				       uint16_t port)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct port_record *r = ledger_at(l, i);
		if (r && r->protocol == p->protocol && r->host_port == port &&
		    meets(&r->host, &p->host))
			return r;
	}
	return NULL;
}

static int word_taken(const struct net_port *p, uint16_t port, int code, struct csn_error *err)
{
	char host[NET_TEXT];
	net_addr_print(&p->host, host);
	bool six = p->host.family == AF_INET6;
	return fail(err, code, "port %s%s%s%s%u/%s: %s", six ? "[" : "", host, six ? "]" : "",
		    host[0] ? ":" : "", port, net_protocol_name(p->protocol),
		    code == EADDRINUSE	    ? "already in use on the host"
		    : code == EADDRNOTAVAIL ? "the host does not have that address"
					    : strerror(code));
}

static int check_one(const struct ledger *l, const struct net_port *p, bool v6, uint16_t *port,
		     struct csn_error *err)
{
	const struct net_addr any = { 0 };
	const struct net_addr *host = p->host.family ? &p->host : &any;
	const struct port_record *r = *port ? clash(l, p, *port) : NULL;
	if (r)
		return fail(err, EADDRINUSE, "port %u/%s: published by %.12s already", *port,
			    net_protocol_name(p->protocol), r->owner);
	int code =
		try_bind(host, p->host.family == AF_INET6 ? AF_INET6 : AF_INET, p->protocol, port);
	if (code == 0 && !p->host.family && v6)
		code = try_bind(host, AF_INET6, p->protocol, port);
	return code < 0 ? word_taken(p, *port, -code, err) : 0;
}

/* A port that was asked for, or one that the kernel and the ledger both call free. */
static int find_port(const struct ledger *l, const struct net_port *p, bool v6, uint16_t *ret,
		     struct csn_error *err)
{
	*ret = p->host_port;
	if (*ret)
		return check_one(l, p, v6, ret, err);
	for (int tries = 0; tries < 100; tries++) {
		*ret = 0;
		TRY(check_one(l, p, v6, ret, err));
		if (!clash(l, p, *ret))
			return 0;
	}
	return fail(err, EADDRINUSE, "port 0/%s: no free port was found",
		    net_protocol_name(p->protocol));
}

/* ---- claiming ---------------------------------------------------------------------------------
 */

static int check_target(const struct net_port *p, const struct network *n,
			const struct net_lease *lease, struct csn_error *err)
{
	static const struct net_addr loopback6 = { .family = AF_INET6, .bytes = { [15] = 1 } };
	if (n->driver != NET_BRIDGE || n->internal)
		return fail(err, EINVAL,
			    "port %u/%s: network \"%s\" is %s, which publishes no ports",
			    p->container_port, net_protocol_name(p->protocol), n->name,
			    n->internal ? "internal" : net_driver_name(n->driver));
	if (p->host.family == AF_INET6 && net_addr_equal(&p->host, &loopback6))
		return fail(err, EINVAL,
			    "port %u/%s: host address ::1 cannot be translated; use 127.0.0.1",
			    p->container_port, net_protocol_name(p->protocol));
	const struct net_addr *to = p->host.family == AF_INET6 ? &lease->v6 : &lease->v4;
	if (p->host.family && !to->family)
		return fail(err, EINVAL, "port %u/%s: network \"%s\" has no IPv%d",
			    p->container_port, net_protocol_name(p->protocol), n->name,
			    p->host.family == AF_INET6 ? 6 : 4);
	return 0;
}

int ports_claim(struct net *net, const struct net_attach *a, const struct network *n,
		const struct net_lease *lease, struct port_record *ret, struct csn_error *err)
{
	struct ledger l AUTO(ledger_close) = LEDGER_INIT;
	TRY(ports_open(net, true, &l, err));
	for (size_t i = 0; i < a->ports_count; i++) {
		const struct net_port *p = &a->ports[i];
		struct port_record r = { .host = p->host,
					 .container_port = p->container_port,
					 .protocol = p->protocol };
		TRY(check_target(p, n, lease, err));
		TRY(find_port(&l, p, lease->v6.family, &r.host_port, err));
		if (p->host.family != AF_INET6)
			r.v4 = lease->v4;
		if (p->host.family != AF_INET)
			r.v6 = lease->v6;
		(void)snprintf(r.owner, sizeof r.owner, "%s", a->owner);
		(void)snprintf(r.network, sizeof r.network, "%s", n->name);
		TRY(ledger_put(&l, ledger_free_slot(&l), &r, err));
		ret[i] = r;
	}
	return 0;
}
