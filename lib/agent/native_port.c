/*
 * The port of a service on the host's network. Its replicas share all ports there, so each is told
 * one of its own in PORT, unless the service says a PORT itself, and whoever forwards to it asks
 * for that (get_container_port_override). It is kept in a label. Nobody holds it until the program
 * does; the kernel seldom gives the same one twice.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/native.h"
#include "base/error.h"
#include "base/json.h"
#include "service/deployment.h"

#define LABEL "com.zlayer.port_override"

static bool says_port(const struct service_spec *s)
{
	for (size_t i = 0; i < s->env.count; i++)
		if (strcmp(s->env.items[i].key, "PORT") == 0)
			return true;
	return false;
}

int host_port_choose(const struct service_spec *s, uint16_t *ret, struct csn_error *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof at;
	*ret = 0;
	if ((!s->host_network && s->network_kind != NETWORK_HOST) || says_port(s))
		return 0;
	auto_fd fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (void *)&at, sizeof at) < 0 ||
	    getsockname(fd, (void *)&at, &size) < 0)
		return fail_errno(err, "a port for the host's network");
	*ret = ntohs(at.sin_port);
	return 0;
}

const char *host_port_env(uint16_t port, struct arena *arena)
{
	return arena_printf(arena, "PORT=%u", port);
}

const char *host_port_label(uint16_t port, struct arena *arena)
{
	return arena_printf(arena, LABEL "=%u", port);
}

struct inspected {
	struct {
		char *port;
	} labels;
};
static const struct json_field label_fields[] = { { LABEL, decode_text, 0 }, { 0 } };
static const struct json_field config_fields[] = {
	{ "labels", decode_object, offsetof(struct inspected, labels), label_fields }, { 0 }
};
static const struct json_field fields[] = { { "config", decode_object, 0, config_fields }, { 0 } };

int host_port_read(struct csn_runtime *engine, const char *container, uint16_t *ret,
		   struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct inspected i = { 0 };
	char *text = NULL;
	*ret = 0;
	TRY(csn_container_inspect(engine, container, &text, err));
	int r = json_decode(text, strlen(text), "inspect", fields, &i, &arena, err);
	csn_free(text);
	TRY(r);
	if (i.labels.port)
		*ret = (uint16_t)strtoul(i.labels.port, NULL, 10);
	return 0;
}
