/* csn port: the published ports of a container, as docker prints them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bin/engine/engine.h"

/* "80", "80/udp": a port without a protocol is one of TCP. */
static int parse(const char *text, unsigned long *ret_port, const char **ret_protocol)
{
	char *end;
	errno = 0;
	*ret_port = strtoul(text, &end, 10);
	*ret_protocol = *end == '/' ? end + 1 : "tcp";
	return errno || end == text || *ret_port < 1 || *ret_port > 65535 ||
			       (*end != '\0' && *end != '/')
		       ? -EINVAL
		       : 0;
}

static void print_host(const struct csn_port_mapping *p)
{
	bool v6 = strchr(p->host_ip, ':') != NULL;
	printf("%s%s%s:%u\n", v6 ? "[" : "", p->host_ip[0] ? p->host_ip : "0.0.0.0", v6 ? "]" : "",
	       p->host_port);
}

static int print_all(const struct csn_ports *ports)
{
	for (size_t i = 0; i < csn_ports_count(ports); i++) {
		const struct csn_port_mapping *p = csn_ports_get(ports, i);
		printf("%u/%s -> ", p->container_port, p->protocol);
		print_host(p);
	}
	return 0;
}

static int print_one(const struct csn_ports *ports, const char *container, const char *wanted)
{
	unsigned long port;
	const char *protocol;
	bool found = false;
	if (parse(wanted, &port, &protocol) < 0)
		return engine_fail_text(STATUS_FAILED, "port \"%s\": expected PORT[/PROTOCOL]",
					wanted);
	for (size_t i = 0; i < csn_ports_count(ports); i++) {
		const struct csn_port_mapping *p = csn_ports_get(ports, i);
		if (p->container_port != port || strcmp(p->protocol, protocol) != 0)
			continue;
		print_host(p);
		found = true;
	}
	return found ? 0
		     : engine_fail_text(STATUS_FAILED,
					"container \"%s\": port %lu/%s is not published", container,
					port, protocol);
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_ports *ports = NULL;
	struct csn_runtime *rt = engine_runtime();

	if (!rt)
		return STATUS_FAILED;
	if (csn_container_ports(rt, argv[0], &ports, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	int status = argc > 1 ? print_one(ports, argv[0], argv[1]) : print_all(ports);
	csn_ports_free(ports);
	return status;
}

const struct command command_port = {
	"port", "CONTAINER [PORT[/PROTOCOL]]", "print the published ports", 1, 2, NULL, run
};
