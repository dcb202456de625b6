/*
 * What no single field of a service can tell: which fields belong together, and texts with a
 * grammar of their own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/names.h"
#include "service/deployment.h"

static int bad(const char *name, struct csn_error *err, const char *field, const char *expected)
{
	return fail(err, EINVAL, "%s: %s: expected %s", name, field, expected);
}

static bool is_name(const char *text, const char *more, size_t max)
{
	size_t n = strlen(text);
	if (n == 0 || n > max)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      (i > 0 && strchr(more, c))))
			return false;
	}
	return true;
}

static int check_image(const struct service_spec *s, const char *name, struct csn_error *err)
{
	static const char *const sources[] = { "local_first", "s3_first", "remote_only",
					       "local_only" };
	if (s->image.name[strspn(s->image.name, " \t")] == '\0')
		return bad(name, err, "image.name", "the name of an image");
	for (size_t i = 0; s->image.source_policy && i <= COUNT(sources); i++) {
		if (i == COUNT(sources))
			return bad(name, err, "image.source_policy",
				   "local_first, s3_first, remote_only or local_only");
		if (strcmp(sources[i], s->image.source_policy) == 0)
			break;
	}
	return 0;
}

static int check_rtype(const struct service_spec *s, const char *name, struct csn_error *err)
{
	if (s->rtype == RTYPE_CRON && !s->schedule)
		return bad(name, err, "schedule", "one, because rtype is cron");
	if (s->rtype != RTYPE_CRON && s->schedule)
		return bad(name, err, "schedule", "none, because rtype is not cron");
	return 0;
}

static int check_storage(const struct service_spec *s, const char *name, struct csn_error *err)
{
	static const struct {
		enum storage_kind kind;
		size_t member;
		const char *expected;
	} needs[] = {
		{ STORAGE_BIND, offsetof(struct service_storage, source),
		  "a source for a bind, an absolute path" },
		{ STORAGE_NAMED, offsetof(struct service_storage, name),
		  "a name for a named volume" },
		{ STORAGE_S3, offsetof(struct service_storage, bucket), "a bucket for s3" },
	};
	char field[40];
	for (size_t i = 0; i < s->storage.count; i++) {
		const struct service_storage *v = &s->storage.items[i];
		(void)snprintf(field, sizeof field, "storage[%zu]", i);
		for (size_t k = 0; k < COUNT(needs); k++)
			if (needs[k].kind == v->kind &&
			    !*(char *const *)((const char *)v + needs[k].member))
				return bad(name, err, field, needs[k].expected);
		if (v->kind == STORAGE_NAMED && !is_name(v->name, "-_", 63))
			return bad(name, err, field,
				   "a volume name of 1 to 63 of [a-z0-9_-], first a letter or "
				   "digit");
	}
	return 0;
}

static int check_network(const struct service_spec *s, const char *name, struct csn_error *err)
{
	unsigned char address[16];
	char field[40];

	if (s->host_network && s->network_kind != NETWORK_DEFAULT &&
	    s->network_kind != NETWORK_HOST)
		return bad(name, err, "network_mode",
			   "host or nothing, because host_network is true");
	for (size_t i = 0; i < s->dns.count; i++) {
		(void)snprintf(field, sizeof field, "dns[%zu]", i);
		if (inet_pton(AF_INET, s->dns.items[i], address) != 1 &&
		    inet_pton(AF_INET6, s->dns.items[i], address) != 1)
			return bad(name, err, field, "an IP address");
	}
	for (size_t i = 0; i < s->extra_hosts.count; i++) {
		const char *colon = strchr(s->extra_hosts.items[i], ':');
		(void)snprintf(field, sizeof field, "extra_hosts[%zu]", i);
		if (!colon || colon == s->extra_hosts.items[i] ||
		    (strcmp(colon + 1, "host-gateway") != 0 &&
		     inet_pton(AF_INET, colon + 1, address) != 1 &&
		     inet_pton(AF_INET6, colon + 1, address) != 1))
			return bad(name, err, field, "HOST:IP or HOST:host-gateway");
	}
	return 0;
}

static int check_ports(const struct service_spec *s, const char *name, struct csn_error *err)
{
	static const char *const protocols[] = { "http", "https", "tcp", "udp", "websocket" };
	char field[60];

	for (size_t i = 0; i < s->port_mappings.count; i++) {
		const char *protocol = s->port_mappings.items[i].protocol;
		(void)snprintf(field, sizeof field, "port_mappings[%zu].protocol", i);
		if (protocol && strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
			return bad(name, err, field, "tcp or udp");
	}
	for (size_t i = 0; i < s->endpoints.count; i++) {
		const struct service_endpoint *e = &s->endpoints.items[i];
		size_t k = 0;
		while (k < COUNT(protocols) && strcmp(protocols[k], e->protocol) != 0)
			k++;
		(void)snprintf(field, sizeof field, "endpoints[%zu].protocol", i);
		if (k == COUNT(protocols))
			return bad(name, err, field, "http, https, tcp, udp or websocket");
		(void)snprintf(field, sizeof field, "endpoints[%zu].name", i);
		for (size_t other = 0; other < i; other++)
			if (strcmp(s->endpoints.items[other].name, e->name) == 0)
				return bad(name, err, field, "a name that no other endpoint has");
	}
	return 0;
}

static int check_security(const struct service_spec *s, const char *name, struct csn_error *err)
{
	static const char *const options[] = { "apparmor", "seccomp", "no-new-privileges",
					       "label" };
	const struct {
		const char *field;
		const struct spec_strings *list;
	} capabilities[] = { { "capabilities", &s->capabilities }, { "cap_drop", &s->cap_drop } };
	char field[40];

	for (size_t i = 0; i < COUNT(capabilities); i++)
		for (size_t k = 0; k < capabilities[i].list->count; k++) {
			const char *cap = capabilities[i].list->items[k];
			(void)snprintf(field, sizeof field, "%s[%zu]", capabilities[i].field, k);
			if (strcasecmp(cap, "ALL") != 0 && capability_number(cap) < 0)
				return bad(name, err, field, "a capability, or ALL");
		}
	for (size_t i = 0; i < s->security_opt.count; i++) {
		const char *option = s->security_opt.items[i];
		size_t size = strcspn(option, "=:"), k = 0;
		while (k < COUNT(options) &&
		       (strlen(options[k]) != size || memcmp(options[k], option, size) != 0))
			k++;
		(void)snprintf(field, sizeof field, "security_opt[%zu]", i);
		if (k == COUNT(options))
			return bad(name, err, field,
				   "apparmor=, seccomp=, label= or no-new-privileges");
	}
	return 0;
}

static int check_stop(const struct service_spec *s, const char *name, struct csn_error *err)
{
	if (s->stop_signal && signal_number(s->stop_signal) < 1)
		return bad(name, err, "stop_signal", "a signal");
	if (s->memory_swap.set && s->memory_swap.value >= 0 && s->resources.memory.set &&
	    (uint64_t)s->memory_swap.value < s->resources.memory.value)
		return bad(name, err, "memory_swap",
			   "at least resources.memory, which it includes");
	return 0;
}

static int check_modes(const struct service_spec *s, const char *name, struct csn_error *err)
{
	const struct {
		const char *field, *value;
		const char *words[3];
		bool container;
	} modes[] = {
		{ "userns_mode", s->userns_mode, { "host" }, false },
		{ "pid_mode", s->pid_mode, { "host" }, true },
		{ "ipc_mode", s->ipc_mode, { "host", "shareable", "private" }, true },
	};
	for (size_t i = 0; i < COUNT(modes); i++) {
		bool ok = !modes[i].value;
		for (size_t k = 0; !ok && k < 3 && modes[i].words[k]; k++)
			ok = strcmp(modes[i].words[k], modes[i].value) == 0;
		ok = ok || (modes[i].container && strncmp(modes[i].value, "container:", 10) == 0 &&
			    modes[i].value[10]);
		if (!ok)
			return bad(name, err, modes[i].field,
				   modes[i].container ? "host or container:ID" : "host");
	}
	return 0;
}

static int check_health(const struct service_spec *s, const char *name, struct csn_error *err)
{
	const struct service_health *h = &s->health;
	if (h->set && h->kind == CHECK_HTTP && (!h->url || strncmp(h->url, "http", 4) != 0))
		return bad(name, err, "health.check.url", "an http or https URL");
	if (h->set && h->kind == CHECK_COMMAND && !h->command)
		return bad(name, err, "health.check.command", "a command");
	for (size_t i = 0; i < s->init_steps.count; i++) {
		const struct service_init_step *step = &s->init_steps.items[i];
		static const struct {
			size_t member;
			const char *field;
		} needs[] = {
			[INIT_WAIT_TCP] = { offsetof(struct service_init_step, host), "host" },
			[INIT_WAIT_HTTP] = { offsetof(struct service_init_step, url), "url" },
			[INIT_RUN] = { offsetof(struct service_init_step, command), "command" },
			[INIT_S3_PUSH] = { offsetof(struct service_init_step, bucket), "bucket" },
			[INIT_S3_PULL] = { offsetof(struct service_init_step, bucket), "bucket" },
		};
		char field[60];
		(void)snprintf(field, sizeof field, "init.steps[%zu].with.%s", i,
			       needs[step->uses].field);
		if (!*(char *const *)((const char *)step + needs[step->uses].member))
			return bad(name, err, field, "one, because of uses");
	}
	return 0;
}

static int check_env(const struct service_spec *s, const char *name, struct csn_error *err)
{
	for (size_t i = 0; i < s->env.count; i++) {
		const char *key = s->env.items[i].key;
		if (!key[0] || strchr(key, '='))
			return bad(name, err, "env", "names without \"=\"");
	}
	return 0;
}

static int check_scale(const struct service_spec *s, const char *name, struct csn_error *err)
{
	if (s->scale.mode == SCALE_FIXED && !s->scale.replicas.set)
		return bad(name, err, "scale.replicas", "a number, because mode is fixed");
	if (s->scale.mode != SCALE_FIXED && s->scale.replicas.set)
		return bad(name, err, "scale.replicas", "none, because mode is not fixed");
	if (s->scale.min.set && s->scale.max.set && s->scale.min.value > s->scale.max.value)
		return bad(name, err, "scale.min", "a number that is not above scale.max");
	return 0;
}

int service_check(const struct service_spec *s, const char *name, struct csn_error *err)
{
	static int (*const rules[])(const struct service_spec *, const char *,
				    struct csn_error *) = {
		check_image,	check_rtype, check_env,	  check_storage, check_network, check_ports,
		check_security, check_stop,  check_modes, check_health,	 check_scale,
	};
	for (size_t i = 0; i < COUNT(rules); i++)
		TRY(rules[i](s, name, err));
	return 0;
}
