/*
 * The field tables of a service. Decoders that only this document needs come first: names of
 * choices, durations, sizes, and the few fields that may have two shapes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "base/names.h"
#include "service/deployment.h"

/* ---- decoders ----------------------------------------------------------------------------------
 */

/* One of the names in detail, which ends with NULL; out is an enum with the same order. */
static int decode_choice(struct json_decoder *d, const struct json_node *v,
			 const struct json_field *f, void *out)
{
	const char *const *names = f->detail, *text = node_string(v, NULL);
	char all[200] = "";
	int at = 0;

	for (int i = 0; names[i]; i++) {
		if (text && strcmp(names[i], text) == 0) {
			*(int *)out = i;
			return 0;
		}
		at += snprintf(all + at, sizeof all - (size_t)at, "%s%s", i ? ", " : "", names[i]);
	}
	return json_expected(d, "one of %s", all);
}

static int decode_duration(struct json_decoder *d, const struct json_node *v,
			   const struct json_field *f, void *out)
{
	const char *text = node_string(v, NULL);
	(void)f;
	if (!text || duration_parse(text, out) < 0)
		return json_expected(d, "a duration like \"5s\", \"500ms\" or \"1h 30m\"");
	return 0;
}

static int decode_bytes(struct json_decoder *d, const struct json_node *v,
			const struct json_field *f, void *out)
{
	struct opt_u64 *opt = out;
	const char *text = node_string(v, NULL);
	(void)f;
	if (!text || bytes_parse(text, &opt->value) < 0)
		return json_expected(d, "a size like \"512Mi\", \"1G\" or \"1048576\"");
	opt->set = true;
	return 0;
}

static int decode_positive_bytes(struct json_decoder *d, const struct json_node *v,
				 const struct json_field *f, void *out)
{
	TRY(decode_bytes(d, v, f, out));
	return ((struct opt_u64 *)out)->value ? 0 : json_expected(d, "a size above 0");
}

/* A size, or "-1". */
static int decode_swap(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	struct opt_i64 *opt = out;
	struct opt_u64 bytes = { 0 };
	const char *text = node_string(v, NULL);

	opt->set = true;
	if (text && strcmp(text, "-1") == 0) {
		opt->value = -1;
		return 0;
	}
	TRY(decode_bytes(d, v, f, &bytes));
	if (bytes.value > INT64_MAX)
		return json_expected(d, "a smaller size");
	opt->value = (int64_t)bytes.value;
	return 0;
}

static int decode_cpu(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		      void *out)
{
	TRY(decode_double(d, v, f, out));
	double cpu = *(double *)out;
	return cpu > 0 && cpu <= 1e6 ? 0 : json_expected(d, "a number above 0");
}

static int decode_port(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	const struct json_field port = { .min = f->min, .max = 65535 };
	uint32_t n = 0;
	TRY(decode_u32(d, v, &port, &n));
	*(uint16_t *)out = (uint16_t)n;
	return 0;
}

/* Whatever the agent keeps there; only its shape is looked at. */
static int decode_anything(struct json_decoder *d, const struct json_node *v,
			   const struct json_field *f, void *out)
{
	(void)d;
	(void)v;
	(void)f;
	(void)out;
	return 0;
}

static int decode_agent_object(struct json_decoder *d, const struct json_node *v,
			       const struct json_field *f, void *out)
{
	(void)f;
	(void)out;
	return node_is_object(v) ? 0 : json_expected(d, "an object");
}

static char *copy(struct json_decoder *d, const char *text)
{
	return text ? arena_strdup(d->arena, text) : NULL;
}

/* Two names for one field: only one of them may be used. */
static int decode_capabilities(struct json_decoder *d, const struct json_node *v,
			       const struct json_field *f, void *out)
{
	struct spec_strings *list = out;
	if (list->set)
		return json_expected(d, "only one of capabilities and cap_add");
	return decode_strings(d, v, f, out);
}

/* ---- network_mode: "host", "container:ID", or {"bridge": {"name": "x"}} ------------------------
 */

static const char *const network_kinds[] = {
	"default", "host", "none", "bridge", "container", NULL
};
struct network_mode {
	enum network_kind kind;
	char *name;
};

static int set_network(struct json_decoder *d, const char *kind, size_t size, const char *name,
		       struct network_mode *ret)
{
	static const bool takes_name[] = { false, false, false, true, true };
	for (int i = 0; network_kinds[i]; i++) {
		if (strlen(network_kinds[i]) != size || memcmp(network_kinds[i], kind, size) != 0)
			continue;
		if ((name && !takes_name[i]) || (i == NETWORK_CONTAINER && (!name || !*name)))
			break;
		ret->kind = (enum network_kind)i;
		ret->name = name && *name ? copy(d, name) : NULL;
		return ret->name || !name || !*name ? 0 : json_out_of_memory(d);
	}
	return json_expected(d, "default, host, none, bridge, bridge:NAME or container:ID");
}

struct network_target {
	struct json_decoder *d;
	struct network_mode *ret;
};

static int set_tagged(void *data, const char *key, const struct json_node *member)
{
	struct network_target *to = data;
	const char *name = node_string(member, NULL);
	if (!name)
		name = node_string(node_member(member, "name"), NULL);
	if (!name)
		name = node_string(node_member(member, "id"), NULL);
	return set_network(to->d, key, strlen(key), name, to->ret);
}

static int decode_network_mode(struct json_decoder *d, const struct json_node *v,
			       const struct json_field *f, void *out)
{
	struct network_mode mode = { 0 };
	const char *text = node_string(v, NULL);
	struct network_target to = { d, &mode };
	(void)f;

	if (text) {
		size_t size = strcspn(text, ":");
		TRY(set_network(d, text, size, text[size] ? text + size + 1 : NULL, &mode));
	} else if (node_members(v) == 1) {
		TRY(node_each_member(v, set_tagged, &to));
	} else {
		return json_expected(d, "a network mode");
	}
	struct service_spec *s = out; /* the whole service: two members of it */
	s->network_kind = mode.kind;
	s->network_name = mode.name;
	return 0;
}

/* ---- ulimits: {"nofile": {"soft": 1, "hard": 2}} -----------------------------------------------
 */

static const struct json_field ulimit_fields[] = {
	FIELD_RANGE("soft", decode_opt_i64, struct service_ulimit, soft, -1, INT64_MAX),
	FIELD_RANGE("hard", decode_opt_i64, struct service_ulimit, hard, -1, INT64_MAX),
	FIELDS_END,
};
struct ulimits {
	struct service_ulimit *items;
	size_t count;
};
struct ulimits_target {
	struct json_decoder *d;
	struct ulimits *to;
};

static int add_ulimit(void *data, const char *key, const struct json_node *member)
{
	static const struct json_field row = { .decode = decode_object, .detail = ulimit_fields };
	struct ulimits_target *t = data;
	struct service_ulimit *u = &t->to->items[t->to->count];
	char name[32] = "RLIMIT_";
	size_t at = strlen(name);

	for (const char *p = key; *p && at < sizeof name - 1; p++)
		name[at++] = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	name[at] = '\0';
	if (rlimit_number(name) < 0)
		return json_expected(t->d,
				     "names out of cpu, fsize, data, stack, core, rss, nproc, "
				     "nofile, memlock, as, locks, sigpending, msgqueue, nice, "
				     "rtprio and rttime, not \"%.40s\"",
				     key);
	TRY(json_decode_member(t->d, key, member, &row, u));
	if (u->soft.set && u->hard.set && u->hard.value >= 0 &&
	    (u->soft.value < 0 || u->soft.value > u->hard.value))
		return json_expected(t->d, "%s.soft not above %s.hard", key, key);
	u->name = copy(t->d, name + strlen("RLIMIT_"));
	t->to->count++;
	return u->name ? 0 : json_out_of_memory(t->d);
}

static int decode_ulimits(struct json_decoder *d, const struct json_node *v,
			  const struct json_field *f, void *out)
{
	struct ulimits_target t = { d, out };
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	t.to->count = 0;
	t.to->items = arena_array(d->arena, node_members(v), sizeof *t.to->items);
	if (!t.to->items)
		return json_out_of_memory(d);
	return node_each_member(v, add_ulimit, &t);
}

/* ---- tables ------------------------------------------------------------------------------------
 */

#define CHOICE(name, type, member, names) FIELD_IN(name, decode_choice, type, member, names)

static const char *const rtypes[] = { "service", "job", "cron", NULL };
static const char *const pull_policies[] = { "if_not_present", "always", "newer", "never", NULL };
static const char *const restart_kinds[] = { "no", "always", "unless_stopped", "on_failure", NULL };
static const char *const storage_kinds[] = { "bind", "named", "anonymous", "tmpfs", "s3", NULL };
static const char *const check_kinds[] = { "tcp", "http", "command", NULL };
static const char *const init_actions[] = { "init.wait_tcp", "init.wait_http", "init.run",
					    "init.s3_push",  "init.s3_pull",   NULL };
static const char *const failure_kinds[] = { "fail", "warn", "continue", NULL };

static const struct json_field image_fields[] = {
	REQUIRED("name", decode_string, struct service_spec, image.name),
	CHOICE("pull_policy", struct service_spec, image.pull_policy, pull_policies),
	FIELD("source_policy", decode_text, struct service_spec, image.source_policy),
	FIELDS_END,
};

static const struct json_field command_fields[] = {
	FIELD("entrypoint", decode_strings, struct service_spec, command.entrypoint),
	FIELD("args", decode_strings, struct service_spec, command.args),
	FIELD("workdir", decode_abs_path, struct service_spec, command.workdir),
	FIELDS_END,
};

static const struct json_field credentials_fields[] = {
	FIELD("access_key_id", decode_text, struct service_credentials, access_key_id),
	FIELD("secret_access_key", decode_text, struct service_credentials, secret_access_key),
	FIELD("session_token", decode_text, struct service_credentials, session_token),
	FIELDS_END,
};

static int decode_credentials(struct json_decoder *d, const struct json_node *v,
			      const struct json_field *f, void *out)
{
	struct service_credentials *c = out;
	if (node_is_string(v))
		return decode_text(d, v, f, &c->text);
	if (!node_is_object(v))
		return json_expected(d, "an object, or a text KEY_ID:SECRET");
	return json_decode_fields(d, v, credentials_fields, c);
}

static int decode_tier(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	TRY(decode_string(d, v, f, out));
	const char *tier = *(char **)out;
	return strcmp(tier, "local") == 0 || strcmp(tier, "cached") == 0 ||
			       strcmp(tier, "network") == 0
		       ? 0
		       : json_expected(d, "local, cached or network");
}

static const struct json_field storage_fields[] = {
	{ "type", decode_choice, offsetof(struct service_storage, kind), storage_kinds,
	  JSON_REQUIRED, 0, 0 },
	REQUIRED("target", decode_abs_path, struct service_storage, target),
	FIELD("source", decode_abs_path, struct service_storage, source),
	FIELD("name", decode_text, struct service_storage, name),
	FIELD("bucket", decode_text, struct service_storage, bucket),
	FIELD("prefix", decode_text, struct service_storage, prefix),
	FIELD("endpoint", decode_text, struct service_storage, endpoint),
	FIELD("credentials", decode_credentials, struct service_storage, credentials),
	FIELD("tier", decode_tier, struct service_storage, tier),
	FIELD("readonly", decode_bool, struct service_storage, readonly),
	FIELD("size", decode_positive_bytes, struct service_storage, size_bytes),
	FIELD_RANGE("mode", decode_opt_u32, struct service_storage, mode, 0, 07777),
	FIELDS_END,
};
static const struct json_elements storage_elements = {
	.element_size = sizeof(struct service_storage),
	.decode = decode_object,
	.detail = storage_fields,
};

static const struct json_field gpu_fields[] = {
	FIELD_RANGE("count", decode_u32, struct service_gpu, count, 0, 1024),
	FIELD("vendor", decode_text, struct service_gpu, vendor),
	FIELD("mode", decode_text, struct service_gpu, mode),
	FIELD("model", decode_text, struct service_gpu, model),
	FIELD("scheduling", decode_text, struct service_gpu, scheduling),
	FIELD("sharing", decode_text, struct service_gpu, sharing),
	FIELD("distributed", decode_agent_object, struct service_gpu, set),
	FIELD("mps_pipe_dir", decode_anything, struct service_gpu, set),
	FIELD("mps_log_dir", decode_anything, struct service_gpu, set),
	FIELD("time_slice_index", decode_anything, struct service_gpu, set),
	FIELD("time_slicing_config_path", decode_anything, struct service_gpu, set),
	FIELDS_END,
};

static const struct json_field resource_fields[] = {
	FIELD("cpu", decode_cpu, struct service_resources, cpu),
	FIELD("memory", decode_positive_bytes, struct service_resources, memory),
	FIELD_IN("gpu", decode_set_object, struct service_resources, gpu, gpu_fields),
	FIELDS_END,
};

static int decode_device(struct json_decoder *d, const struct json_node *v,
			 const struct json_field *f, void *out)
{
	static const struct json_field fields[] = {
		REQUIRED("path", decode_abs_path, struct service_device_spec, path),
		FIELD("read", decode_bool, struct service_device_spec, read),
		FIELD("write", decode_bool, struct service_device_spec, write),
		FIELD("mknod", decode_bool, struct service_device_spec, mknod),
		FIELDS_END,
	};
	struct service_device_spec *device = out;
	(void)f;
	device->read = device->write = true;
	return node_is_object(v) ? json_decode_fields(d, v, fields, device)
				 : json_expected(d, "an object");
}
static const struct json_elements device_elements = {
	.element_size = sizeof(struct service_device_spec),
	.decode = decode_device,
};

static const struct json_field port_fields[] = {
	FIELD_RANGE("host_port", decode_port, struct service_port, host_port, 0, 65535),
	REQUIRED_RANGE("container_port", decode_port, struct service_port, container_port, 1,
		       65535),
	FIELD("protocol", decode_text, struct service_port, protocol),
	FIELD("host_ip", decode_text, struct service_port, host_ip),
	FIELDS_END,
};
static const struct json_elements port_elements = {
	.element_size = sizeof(struct service_port),
	.decode = decode_object,
	.detail = port_fields,
};

static const struct json_field endpoint_fields[] = {
	REQUIRED("name", decode_string, struct service_endpoint, name),
	REQUIRED("protocol", decode_string, struct service_endpoint, protocol),
	REQUIRED_RANGE("port", decode_port, struct service_endpoint, port, 1, 65535),
	FIELD_RANGE("target_port", decode_port, struct service_endpoint, target_port, 1, 65535),
	FIELD("path", decode_anything, struct service_endpoint, name),
	FIELD("host", decode_anything, struct service_endpoint, name),
	FIELD("expose", decode_anything, struct service_endpoint, name),
	FIELD("stream", decode_anything, struct service_endpoint, name),
	FIELD("target_role", decode_anything, struct service_endpoint, name),
	FIELD("tunnel", decode_anything, struct service_endpoint, name),
	FIELDS_END,
};
static const struct json_elements endpoint_elements = {
	.element_size = sizeof(struct service_endpoint),
	.decode = decode_object,
	.detail = endpoint_fields,
};

static const struct json_field restart_fields[] = {
	{ "kind", decode_choice, offsetof(struct service_spec, restart_policy.kind), restart_kinds,
	  JSON_REQUIRED, 0, 0 },
	FIELD("max_attempts", decode_opt_u32, struct service_spec, restart_policy.max_attempts),
	FIELD("delay", decode_duration, struct service_spec, restart_policy.delay_ns),
	FIELDS_END,
};

static const struct json_field check_fields[] = {
	{ "type", decode_choice, offsetof(struct service_health, kind), check_kinds, JSON_REQUIRED,
	  0, 0 },
	FIELD_RANGE("port", decode_u32, struct service_health, port, 0, 65535),
	FIELD("url", decode_text, struct service_health, url),
	FIELD("command", decode_text, struct service_health, command),
	FIELD_RANGE("expect_status", decode_u32, struct service_health, expect_status, 100, 599),
	FIELDS_END,
};
static const struct json_field health_fields[] = {
	FIELD("start_grace", decode_duration, struct service_health, start_grace_ns),
	FIELD("interval", decode_duration, struct service_health, interval_ns),
	FIELD("timeout", decode_duration, struct service_health, timeout_ns),
	FIELD("retries", decode_u32, struct service_health, retries),
	{ "check", decode_object, 0, check_fields, JSON_REQUIRED, 0, 0 },
	FIELDS_END,
};

static int decode_health(struct json_decoder *d, const struct json_node *v,
			 const struct json_field *f, void *out)
{
	struct service_health *h = out;
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	*h = (struct service_health){ .set = true,
				      .start_grace_ns = 5000000000,
				      .timeout_ns = 5000000000,
				      .retries = 3,
				      .expect_status = 200 };
	return json_decode_fields(d, v, health_fields, h);
}

static const struct json_field with_fields[] = {
	FIELD("host", decode_text, struct service_init_step, host),
	FIELD_RANGE("port", decode_u32, struct service_init_step, port, 1, 65535),
	FIELD("url", decode_text, struct service_init_step, url),
	FIELD("expect_status", decode_opt_u32, struct service_init_step, expect_status),
	FIELD("command", decode_text, struct service_init_step, command),
	FIELD("bucket", decode_text, struct service_init_step, bucket),
	FIELD("prefix", decode_text, struct service_init_step, prefix),
	FIELD("path", decode_text, struct service_init_step, path),
	FIELD("timeout", decode_anything, struct service_init_step, id),
	FIELDS_END,
};
static const struct json_field step_fields[] = {
	REQUIRED("id", decode_string, struct service_init_step, id),
	{ "uses", decode_choice, offsetof(struct service_init_step, uses), init_actions,
	  JSON_REQUIRED, 0, 0 },
	{ "with", decode_object, 0, with_fields, 0, 0, 0 },
	FIELD("retry", decode_anything, struct service_init_step, id),
	FIELD("timeout", decode_duration, struct service_init_step, timeout_ns),
	CHOICE("on_failure", struct service_init_step, on_failure, failure_kinds),
	FIELDS_END,
};
static const struct json_elements step_elements = {
	.element_size = sizeof(struct service_init_step),
	.decode = decode_object,
	.detail = step_fields,
};
static const struct json_field init_fields[] = {
	FIELD_IN("steps", decode_array, struct service_spec, init_steps, &step_elements),
	FIELDS_END,
};

static const char *const conditions[] = { "started", "healthy", "ready", NULL };
static const struct json_field dependency_fields[] = {
	REQUIRED("service", decode_string, struct service_dependency, service),
	CHOICE("condition", struct service_dependency, condition, conditions),
	FIELD("timeout", decode_duration, struct service_dependency, timeout_ns),
	CHOICE("on_timeout", struct service_dependency, on_timeout, failure_kinds),
	FIELDS_END,
};

static int decode_dependency(struct json_decoder *d, const struct json_node *v,
			     const struct json_field *f, void *out)
{
	struct service_dependency *dependency = out;
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	dependency->condition = CONDITION_HEALTHY;
	dependency->timeout_ns = 300000000000;
	return json_decode_fields(d, v, dependency_fields, dependency);
}
static const struct json_elements dependency_elements = {
	.element_size = sizeof(struct service_dependency),
	.decode = decode_dependency,
};

static const char *const scale_modes[] = { "adaptive", "fixed", "manual", NULL };
static const struct json_field scale_fields[] = {
	{ "mode", decode_choice, offsetof(struct service_spec, scale.mode), scale_modes,
	  JSON_REQUIRED, 0, 0 },
	FIELD("min", decode_opt_u32, struct service_spec, scale.min),
	FIELD("max", decode_opt_u32, struct service_spec, scale.max),
	FIELD_RANGE("replicas", decode_opt_u32, struct service_spec, scale.replicas, 0, 10000),
	FIELD("cooldown", decode_anything, struct service_spec, scale),
	FIELD("targets", decode_agent_object, struct service_spec, scale),
	FIELDS_END,
};

static int decode_groups(struct json_decoder *d, const struct json_node *v,
			 const struct json_field *f, void *out)
{
	(void)f;
	if (!node_is_array(v))
		return json_expected(d, "an array");
	*(bool *)out = node_count(v) > 0;
	return 0;
}

static const struct json_field logs_fields[] = {
	FIELD("destination", decode_text, struct service_spec, logs.destination),
	FIELD("max_size_bytes", decode_u64, struct service_spec, logs.max_size_bytes),
	FIELD("retention_secs", decode_u64, struct service_spec, logs.retention_secs),
	FIELDS_END,
};
static const struct json_field lifecycle_fields[] = {
	FIELD("delete_on_exit", decode_bool, struct service_spec, delete_on_exit),
	FIELDS_END,
};

#define WHOLE(name, decode, detail)                                                                \
	{                                                                                          \
		name, decode, 0, detail, 0, 0, 0                                                   \
	}
#define AGENT(name, decode) WHOLE(name, decode, NULL)

const struct json_field service_fields[] = {
	CHOICE("rtype", struct service_spec, rtype, rtypes),
	FIELD("schedule", decode_text, struct service_spec, schedule),
	{ "image", decode_object, 0, image_fields, JSON_REQUIRED, 0, 0 },
	WHOLE("command", decode_object, command_fields),
	FIELD("env", decode_map, struct service_spec, env),
	FIELD("user", decode_text, struct service_spec, user),
	FIELD("extra_groups", decode_strings, struct service_spec, extra_groups),
	FIELD("tty", decode_bool, struct service_spec, tty),
	FIELD("stdin_open", decode_bool, struct service_spec, stdin_open),
	FIELD("init_container", decode_opt_bool, struct service_spec, init_container),
	FIELD("hostname", decode_text, struct service_spec, hostname),
	FIELD("labels", decode_map, struct service_spec, labels),
	FIELD("capabilities", decode_capabilities, struct service_spec, capabilities),
	FIELD("cap_add", decode_capabilities, struct service_spec, capabilities),
	FIELD("cap_drop", decode_strings, struct service_spec, cap_drop),
	FIELD("privileged", decode_bool, struct service_spec, privileged),
	FIELD("security_opt", decode_strings, struct service_spec, security_opt),
	FIELD("read_only_root_fs", decode_bool, struct service_spec, read_only_root_fs),
	FIELD("sysctls", decode_map, struct service_spec, sysctls),
	FIELD("ulimits", decode_ulimits, struct service_spec, ulimits),
	FIELD("userns_mode", decode_text, struct service_spec, userns_mode),
	FIELD("pid_mode", decode_text, struct service_spec, pid_mode),
	FIELD("ipc_mode", decode_text, struct service_spec, ipc_mode),
	FIELD_IN("storage", decode_array, struct service_spec, storage, &storage_elements),
	FIELD_IN("resources", decode_set_object, struct service_spec, resources, resource_fields),
	FIELD("memory_reservation", decode_bytes, struct service_spec, memory_reservation),
	FIELD("memory_swap", decode_swap, struct service_spec, memory_swap),
	FIELD_RANGE("memory_swappiness", decode_opt_u32, struct service_spec, memory_swappiness, 0,
		    100),
	FIELD("oom_kill_disable", decode_bool, struct service_spec, oom_kill_disable),
	FIELD_RANGE("oom_score_adj", decode_opt_i64, struct service_spec, oom_score_adj, -1000,
		    1000),
	FIELD("pids_limit", decode_opt_i64, struct service_spec, pids_limit),
	FIELD("cpuset", decode_text, struct service_spec, cpuset),
	FIELD("cpu_shares", decode_opt_u32, struct service_spec, cpu_shares),
	FIELD_RANGE("blkio_weight", decode_opt_u32, struct service_spec, blkio_weight, 10, 1000),
	FIELD_IN("devices", decode_array, struct service_spec, devices, &device_elements),
	FIELD("host_network", decode_bool, struct service_spec, host_network),
	AGENT("network_mode", decode_network_mode),
	FIELD("dns", decode_strings, struct service_spec, dns),
	FIELD("extra_hosts", decode_strings, struct service_spec, extra_hosts),
	FIELD("expose", decode_strings, struct service_spec, expose),
	FIELD_IN("port_mappings", decode_array, struct service_spec, port_mappings, &port_elements),
	FIELD_IN("endpoints", decode_array, struct service_spec, endpoints, &endpoint_elements),
	WHOLE("restart_policy", decode_object, restart_fields),
	FIELD("stop_signal", decode_text, struct service_spec, stop_signal),
	FIELD("stop_grace_period", decode_duration, struct service_spec, stop_grace_period_ns),
	FIELD("health", decode_health, struct service_spec, health),
	WHOLE("init", decode_object, init_fields),
	FIELD("cgroup_parent", decode_text, struct service_spec, cgroup_parent),
	WHOLE("logs", decode_object, logs_fields),
	WHOLE("lifecycle", decode_object, lifecycle_fields),
	/* What the agent does with its services. */
	AGENT("network", decode_agent_object),
	AGENT("overlay", decode_agent_object),
	AGENT("localhost_reachability", decode_anything),
	AGENT("errors", decode_agent_object),
	FIELD_IN("depends", decode_array, struct service_spec, depends, &dependency_elements),
	WHOLE("scale", decode_object, scale_fields),
	FIELD("replica_groups", decode_groups, struct service_spec, has_groups),
	FIELDS_END,
};
