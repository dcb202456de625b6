/*
 * From a service to the options of an engine container. What the engine cannot do is refused by the
 * field's name: a service never runs with less than it asked for.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/document.h"
#include "agent/native.h"
#include "base/error.h"
#include "caisson-network.h"
#include "caisson-restart.h"

enum { LOG_FILES = 4 };

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* ---- what is not there ----------------------------------------------------------------------- */

static int unsupported(const char *field, struct csn_error *err)
{
	char reason[200];
	(void)snprintf(reason, sizeof reason, "service: %s", field);
	return fail_kind(err, CSN_ERROR_UNSUPPORTED, "", reason);
}

static int check_supported(const struct service_spec *s, struct csn_error *err)
{
	const struct {
		const char *field;
		bool asked;
	} rows[] = {
		{ "pid_mode: not host", s->pid_mode && strcmp(s->pid_mode, "host") != 0 },
		{ "ipc_mode: neither host nor private",
		  s->ipc_mode && strcmp(s->ipc_mode, "host") != 0 &&
			  strcmp(s->ipc_mode, "private") != 0 },
		{ "resources.gpu", s->resources.gpu.set },
		{ "logs.destination: not disk",
		  s->logs.destination && strcmp(s->logs.destination, "disk") != 0 },
		{ "init.steps", s->init_steps.count > 0 },
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].asked)
			return unsupported(rows[i].field, err);
	return 0;
}

/* What cgroup v2 has no word for: the container does without. */
static void warn_unapplied(const struct making *m)
{
	const struct service_spec *s = &m->service->spec;
	if (s->memory_swappiness.set)
		making_warn(m, "memory_swappiness has no cgroup v2 equivalent and was not applied");
	if (s->oom_kill_disable)
		making_warn(m, "oom_kill_disable has no cgroup v2 equivalent and was not applied");
}

/* ---- command --------------------------------------------------------------------------------- */

/* Entrypoint and arguments, entrypoint, or arguments alone, which replace the image's entrypoint.
 */
static void set_command(const struct service_spec *s, struct csn_container_options *o)
{
	static const char *const none[] = { NULL };
	if (s->command.entrypoint.count)
		o->entrypoint = (const char *const *)s->command.entrypoint.items;
	else if (s->command.args.count)
		o->entrypoint = none;
	if (s->command.args.count)
		o->command = (const char *const *)s->command.args.items;
	o->working_dir = s->command.workdir;
}

/* ---- environment ----------------------------------------------------------------------------- */

static int set_env(const struct making *m, uint16_t host_port, struct csn_container_options *o,
		   struct csn_error *err)
{
	const struct service_spec *s = &m->service->spec;
	struct arena *arena = m->arena;
	const char **env = arena_array(arena, s->env.count + 3, sizeof *env);
	if (!env)
		return no_memory(err);
	for (size_t i = 0; i < s->env.count; i++) {
		const char *value;
		TRY(env_resolve(m, s->env.items[i].key, s->env.items[i].value, &value, err));
		env[i] = arena_printf(arena, "%s=%s", s->env.items[i].key, value);
		if (!env[i])
			return no_memory(err);
	}
	size_t count = s->env.count;
	if (host_port && !(env[count++] = host_port_env(host_port, arena)))
		return no_memory(err);
	const struct csn_container_auth_context *auth = m->options->auth;
	if (auth && auth->socket_path &&
	    !(env[count++] =
		      arena_printf(arena, "%sSOCKET=%s", auth->env_prefix, auth->socket_target)))
		return no_memory(err);
	o->env = env;
	return 0;
}

/* The service's labels, and those by which containers are found again. */
static int set_labels(const struct making *m, uint16_t host_port, struct csn_container_options *o,
		      struct csn_error *err)
{
	const struct service_spec *s = &m->service->spec;
	const struct {
		const char *key, *value;
	} ours[] = {
		{ "com.zlayer.container_id", m->c->text },
		{ CSN_LABEL_DEPLOYMENT, m->service->deployment },
		{ CSN_LABEL_SERVICE, m->c->id->service },
		{ CSN_LABEL_DIGEST, m->service->info.digest },
	};
	const char **labels =
		arena_array(m->arena, s->labels.count + COUNT(ours) + 2, sizeof *labels);
	size_t count = 0;
	bool ok = labels != NULL;
	for (size_t i = 0; ok && i < COUNT(ours); i++)
		if (ours[i].value)
			ok = (labels[count++] = arena_printf(m->arena, "%s=%s", ours[i].key,
							     ours[i].value)) != NULL;
	for (size_t i = 0; ok && i < s->labels.count; i++)
		ok = (labels[count++] = arena_printf(m->arena, "%s=%s", s->labels.items[i].key,
						     s->labels.items[i].value)) != NULL;
	if (ok && host_port)
		ok = (labels[count++] = host_port_label(host_port, m->arena)) != NULL;
	o->labels = labels;
	return ok ? 0 : no_memory(err);
}

/* ---- security -------------------------------------------------------------------------------- */

/* A list that ends with NULL: first, then more. */
static const char *const *join(const char *const *first, const struct spec_strings *more,
			       struct arena *arena)
{
	size_t count = 0;
	while (first[count])
		count++;
	const char **list = arena_array(arena, count + more->count + 1, sizeof *list);
	for (size_t i = 0; list && i < count; i++)
		list[i] = first[i];
	for (size_t i = 0; list && i < more->count; i++)
		list[count + i] = more->items[i];
	return list;
}

static bool has_all(const struct spec_strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->items[i], "ALL") == 0)
			return true;
	return false;
}

static int set_sysctls(const struct service_spec *s, struct csn_security *security,
		       struct arena *arena, struct csn_error *err)
{
	const char **list = arena_array(arena, s->sysctls.count + 1, sizeof *list);
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < s->sysctls.count; i++) {
		list[i] = arena_printf(arena, "%s=%s", s->sysctls.items[i].key,
				       s->sysctls.items[i].value);
		ok = list[i] != NULL;
	}
	security->sysctls = list;
	return ok ? 0 : no_memory(err);
}

/* As images expect it of Docker: fourteen capabilities instead of the engine's eleven, and programs
 * with set-user-id work unless the service says otherwise. */
static int set_security(const struct service_spec *s, struct csn_container_options *o,
			struct arena *arena, struct csn_error *err)
{
	static const char *const usual[] = { "AUDIT_WRITE", "MKNOD", "NET_RAW", NULL };
	static const char *const none[] = { NULL };
	static const char *const may_gain[] = { "no-new-privileges=false", NULL };
	struct csn_security *security = arena_alloc(arena, sizeof *security);
	if (!security)
		return no_memory(err);
	*security = (struct csn_security)CSN_SECURITY_INIT;
	security->cap_add = join(has_all(&s->cap_drop) ? none : usual, &s->capabilities, arena);
	security->cap_drop = join(none, &s->cap_drop, arena);
	security->options = join(may_gain, &s->security_opt, arena);
	security->groups = join(none, &s->extra_groups, arena);
	if (!security->cap_add || !security->cap_drop || !security->options || !security->groups)
		return no_memory(err);
	security->privileged = s->privileged;
	security->host_pid = s->pid_mode && strcmp(s->pid_mode, "host") == 0;
	security->host_ipc = s->ipc_mode && strcmp(s->ipc_mode, "host") == 0;
	o->security = security;
	return set_sysctls(s, security, arena, err);
}

/* A node for everybody, as the reference has it: who may do what is the rule's business. */
static int set_devices(const struct service_spec *s, struct csn_container_options *o,
		       struct arena *arena, struct csn_error *err)
{
	struct csn_device *devices = arena_array(arena, s->devices.count, sizeof *devices);
	if (!devices)
		return no_memory(err);
	for (size_t i = 0; i < s->devices.count; i++) {
		const struct service_device_spec *from = &s->devices.items[i];
		bool none = !from->read && !from->write && !from->mknod;
		devices[i] = (struct csn_device)CSN_DEVICE_INIT;
		devices[i].host = from->path;
		devices[i].read = from->read || none;
		devices[i].write = from->write || none;
		devices[i].mknod = from->mknod;
		devices[i].mode = 0666;
	}
	o->devices = devices;
	o->devices_count = s->devices.count;
	return 0;
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* A size of the service that the engine counts in an int64_t. */
static int set_bytes(const char *field, const struct opt_u64 *bytes, int64_t *ret,
		     struct csn_error *err)
{
	char reason[100];
	if (!bytes->set)
		return 0;
	*ret = (int64_t)bytes->value;
	if (bytes->value <= INT64_MAX)
		return 0;
	(void)snprintf(reason, sizeof reason, "service: %s: expected a smaller size", field);
	return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", reason);
}

static int set_limits(const struct service_spec *s, struct csn_container_options *o,
		      struct arena *arena, struct csn_error *err)
{
	struct csn_resources *r = arena_alloc(arena, sizeof *r);
	if (!r)
		return no_memory(err);
	*r = (struct csn_resources)CSN_RESOURCES_INIT;
	TRY(set_bytes("resources.memory", &s->resources.memory, &r->memory_bytes, err));
	TRY(set_bytes("memory_reservation", &s->memory_reservation, &r->memory_reservation_bytes,
		      err));
	r->memory_swap_bytes = s->memory_swap.set ? s->memory_swap.value : 0;
	r->nano_cpus = (int64_t)(s->resources.cpu * 1e9);
	r->cpu_shares = s->cpu_shares.set ? s->cpu_shares.value : 0;
	r->cpuset_cpus = s->cpuset;
	/* 0 and less: no limit. */
	if (s->pids_limit.set)
		r->pids_limit = s->pids_limit.value > 0 ? s->pids_limit.value : -1;
	r->blkio_weight = s->blkio_weight.set ? s->blkio_weight.value : 0;
	o->oom_score_adj = s->oom_score_adj.set ? (int)s->oom_score_adj.value : 0;
	o->resources = r;
	return 0;
}

/* A value that is left out is the other one; both: 0. */
static int set_ulimits(const struct service_spec *s, struct csn_container_options *o,
		       struct arena *arena, struct csn_error *err)
{
	const char **list = arena_array(arena, s->ulimits.count + 1, sizeof *list);
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < s->ulimits.count; i++) {
		const struct service_ulimit *u = &s->ulimits.items[i];
		int64_t soft = u->soft.set ? u->soft.value : u->hard.value;
		int64_t hard = u->hard.set ? u->hard.value : soft;
		list[i] = arena_printf(arena, "%s=%lld:%lld", u->name, (long long)soft,
				       (long long)hard);
		ok = list[i] != NULL;
	}
	o->ulimits = list;
	return ok ? 0 : no_memory(err);
}

/* ---- restarts -------------------------------------------------------------------------------- */

_Static_assert((int)RESTART_NO == (int)CSN_RESTART_NO &&
		       (int)RESTART_ALWAYS == (int)CSN_RESTART_ALWAYS &&
		       (int)RESTART_UNLESS_STOPPED == (int)CSN_RESTART_UNLESS_STOPPED &&
		       (int)RESTART_ON_FAILURE == (int)CSN_RESTART_ON_FAILURE,
	       "one order of policies");

static int set_restart(const struct service_spec *s, struct csn_container_options *o,
		       struct arena *arena, struct csn_error *err)
{
	struct csn_restart_policy *p = arena_alloc(arena, sizeof *p);
	if (!p)
		return no_memory(err);
	*p = (struct csn_restart_policy)CSN_RESTART_POLICY_INIT;
	p->kind = (enum csn_restart_kind)s->restart_policy.kind;
	p->max_restarts = s->restart_policy.max_attempts.value;
	/* Upwards: no delay means the back-off. */
	p->delay_ms = (s->restart_policy.delay_ns + 999999) / 1000000;
	o->restart = p;
	return 0;
}

/* ---- network --------------------------------------------------------------------------------- */

static int set_network_mode(const struct making *m, struct csn_container_options *o,
			    struct csn_error *err)
{
	static const char *const words[] = {
		[NETWORK_HOST] = "host", [NETWORK_NONE] = "none", [NETWORK_BRIDGE] = "bridge"
	};
	const struct service_spec *s = &m->service->spec;
	if (s->host_network)
		o->network = "host";
	else if (s->network_kind == NETWORK_CONTAINER)
		o->network = arena_printf(m->arena, "container:%s", s->network_name);
	else if (s->network_kind == NETWORK_BRIDGE && s->network_name)
		o->network = s->network_name;
	else if (s->network_kind == NETWORK_DEFAULT)
		o->network = m->options->network ? m->options->network : "bridge";
	else
		o->network = words[s->network_kind];
	return o->network ? 0 : no_memory(err);
}

/* In a network with names all replicas have the service's, too. */
static int set_alias(const struct making *m, struct csn_container_network *n,
		     const struct csn_container_options *o, struct csn_error *err)
{
	const struct service_spec *s = &m->service->spec;
	if (strcmp(o->network, "bridge") == 0 || s->host_network ||
	    (s->network_kind != NETWORK_DEFAULT && s->network_kind != NETWORK_BRIDGE))
		return 0;
	struct csn_network_join *join = arena_alloc(m->arena, sizeof *join);
	const char **aliases = arena_array(m->arena, 2, sizeof *aliases);
	if (!join || !aliases)
		return no_memory(err);
	aliases[0] = m->c->id->service;
	*join = (struct csn_network_join)CSN_NETWORK_JOIN_INIT;
	join->network = o->network;
	join->aliases = aliases;
	n->networks = join;
	n->networks_count = 1;
	return 0;
}

static int set_network(const struct making *m, struct csn_container_options *o,
		       struct csn_error *err)
{
	const struct service_spec *s = &m->service->spec;
	struct csn_container_network *n = arena_alloc(m->arena, sizeof *n);
	struct csn_port *ports = arena_array(m->arena, s->port_mappings.count, sizeof *ports);
	if (!n || !ports)
		return no_memory(err);
	*n = (struct csn_container_network)CSN_CONTAINER_NETWORK_INIT;
	for (size_t i = 0; i < s->port_mappings.count; i++) {
		const struct service_port *p = &s->port_mappings.items[i];
		ports[i] = (struct csn_port)CSN_PORT_INIT;
		ports[i].host_ip =
			p->host_ip && strcmp(p->host_ip, "0.0.0.0") != 0 ? p->host_ip : NULL;
		ports[i].host_port = p->host_port;
		ports[i].container_port = p->container_port;
		ports[i].protocol = p->protocol;
	}
	n->ports = ports;
	n->ports_count = s->port_mappings.count;
	n->dns = s->dns.count ? (const char *const *)s->dns.items : NULL;
	n->extra_hosts = s->extra_hosts.count ? (const char *const *)s->extra_hosts.items : NULL;
	o->networking = n;
	TRY(set_network_mode(m, o, err));
	return set_alias(m, n, o, err);
}

/* So much in four files: the oldest quarter goes when there is more. How old it is does not matter.
 */
static int set_logs(const struct service_spec *s, struct csn_container_options *o,
		    struct arena *arena, struct csn_error *err)
{
	const char **list = arena_array(arena, 3, sizeof *list);
	uint64_t size = s->logs.max_size_bytes / LOG_FILES;
	if (!list)
		return no_memory(err);
	if (size == 0)
		return 0;
	list[0] = arena_printf(arena, "max-size=%" PRIu64, size);
	list[1] = arena_printf(arena, "max-file=%d", LOG_FILES);
	o->log_options = list;
	return list[0] && list[1] ? 0 : no_memory(err);
}

int service_options(const struct making *m, struct csn_container_options *ret,
		    struct csn_error *err)
{
	const struct service_spec *s = &m->service->spec;
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	uint16_t host_port = 0;

	TRY(check_supported(s, err));
	warn_unapplied(m);
	o.image = s->image.name;
	o.name = m->c->text;
	o.user = s->user;
	o.hostname = s->hostname ? s->hostname : m->c->text;
	o.tty = s->tty;
	o.init = s->init_container.set && s->init_container.value;
	o.stdin_open = s->stdin_open;
	o.readonly_root = s->read_only_root_fs;
	o.stop_signal = s->stop_signal;
	o.cgroup_parent = s->cgroup_parent;
	o.stop_timeout_ms = (s->stop_grace_period_ns + 999999) / 1000000;
	set_command(s, &o);
	TRY(set_network(m, &o, err));
	TRY(host_port_choose(s, &host_port, err));
	TRY(set_env(m, host_port, &o, err));
	TRY(set_labels(m, host_port, &o, err));
	TRY(set_security(s, &o, m->arena, err));
	TRY(set_devices(s, &o, m->arena, err));
	TRY(set_limits(s, &o, m->arena, err));
	TRY(set_ulimits(s, &o, m->arena, err));
	TRY(set_restart(s, &o, m->arena, err));
	TRY(service_mounts(m, &o, err));
	TRY(set_logs(s, &o, m->arena, err));
	TRY(service_healthcheck(s, &o.healthcheck, m->arena, err));
	*ret = o;
	return 0;
}
