/* Services as agents write them: units, every field, YAML and JSON alike, and exact errors. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/document.h"
#include "caisson-runtime.h"

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))

START_TEST(durations)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = { { "5s", 5000000000 },
		     { "500ms", 500000000 },
		     { "1h 30m", 5400000000000 },
		     { "1h30m", 5400000000000 },
		     { "2 days", -EINVAL },
		     { "2days", 172800000000000 },
		     { "0", 0 },
		     { "0s", 0 },
		     { "", -EINVAL },
		     { "5", -EINVAL },
		     { "5x", -EINVAL },
		     { "-5s", -EINVAL },
		     { "1.5s", -EINVAL },
		     { "99999999999999999999s", -ERANGE },
		     { "300000w", -ERANGE },
		     { "200ns", 200 } };
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t ns = 77;
		int r = duration_parse(rows[i].text, &ns);
		ck_assert_msg(r == (rows[i].ns < 0 ? (int)rows[i].ns : 0), "%s", rows[i].text);
		ck_assert_msg(r < 0 || ns == rows[i].ns, "%s", rows[i].text);
	}
}
END_TEST

START_TEST(sizes)
{
	static const struct {
		const char *text;
		int r;
		uint64_t bytes;
	} rows[] = { { "512Mi", 0, 536870912 },
		     { "1Gi", 0, 1073741824 },
		     { "1G", 0, 1000000000 },
		     { "1g", 0, 1000000000 },
		     { "5k", 0, 5000 },
		     { "42", 0, 42 },
		     { "18446744073709551615", 0, UINT64_MAX },
		     { "18446744073709551616", -ERANGE, 0 },
		     { "16777216Ti", -ERANGE, 0 },
		     { "", -EINVAL, 0 },
		     { "Mi", -EINVAL, 0 },
		     { "1 Mi", -EINVAL, 0 },
		     { "1.5Gi", -EINVAL, 0 },
		     { "-1", -EINVAL, 0 },
		     { "1MiB", -EINVAL, 0 } };
	for (size_t i = 0; i < ROWS(rows); i++) {
		uint64_t bytes = 0;
		ck_assert_msg(bytes_parse(rows[i].text, &bytes) == rows[i].r, "%s", rows[i].text);
		ck_assert_msg(bytes == rows[i].bytes, "%s", rows[i].text);
	}
}
END_TEST

/* ---- every field ----------------------------------------------------------------------------- */

static const char whole[] =
	"rtype: job\n"
	"image: {name: 'registry:5000/a/b:1', pull_policy: newer, source_policy: local_only}\n"
	"command: {entrypoint: [/bin/sh, -c], args: ['exit 3'], workdir: /srv}\n"
	"env: {A: b, N: '1', E: $E:HOME}\n"
	"user: \"1000:1000\"\n"
	"extra_groups: [audio]\n"
	"tty: true\n"
	"stdin_open: true\n"
	"init_container: false\n"
	"hostname: h\n"
	"labels: {l: v}\n"
	"cap_add: [NET_ADMIN]\n"
	"cap_drop: [ALL]\n"
	"privileged: false\n"
	"security_opt: ['no-new-privileges:true', seccomp=unconfined]\n"
	"read_only_root_fs: true\n"
	"sysctls: {net.core.somaxconn: '1024'}\n"
	"ulimits: {NOFILE: {soft: 100, hard: -1}, core: {soft: 0}}\n"
	"userns_mode: host\n"
	"pid_mode: container:x\n"
	"ipc_mode: shareable\n"
	"storage:\n"
	"- {type: bind, source: /a, target: /b, readonly: true}\n"
	"- {type: named, name: data, target: /data, tier: cached, size: 1Gi}\n"
	"- {type: anonymous, target: /anon}\n"
	"- {type: tmpfs, target: /t, size: 64Mi, mode: 1023}\n"
	"- {type: s3, bucket: b, prefix: p, target: /s, endpoint: http://x, credentials: "
	"{access_key_id: k, secret_access_key: s}}\n"
	"resources: {cpu: 0.5, memory: 512Mi, gpu: {count: 2, vendor: nvidia}}\n"
	"memory_reservation: 256Mi\n"
	"memory_swap: '-1'\n"
	"memory_swappiness: 60\n"
	"oom_kill_disable: true\n"
	"oom_score_adj: -500\n"
	"pids_limit: 100\n"
	"cpuset: 0-1\n"
	"cpu_shares: 512\n"
	"blkio_weight: 300\n"
	"devices: [{path: /dev/fuse, mknod: true}, {path: /dev/kvm, write: false}]\n"
	"network_mode: bridge:front\n"
	"dns: [1.1.1.1, '::1']\n"
	"extra_hosts: ['db:10.0.0.1', 'gw:host-gateway', 'six:fd00::1']\n"
	"expose: [8080/tcp]\n"
	"port_mappings: [{host_port: 80, container_port: 8080, protocol: udp, host_ip: "
	"127.0.0.1}]\n"
	"endpoints: [{name: http, protocol: http, port: 80, target_port: 8080, expose: public}]\n"
	"restart_policy: {kind: on_failure, max_attempts: 3, delay: 2s}\n"
	"stop_signal: SIGINT\n"
	"stop_grace_period: 1m\n"
	"health: {interval: 7s, retries: 9, check: {type: http, url: 'http://localhost/', "
	"expect_status: 204}}\n"
	"init: {steps: [{id: wait, uses: init.wait_tcp, with: {host: db, port: 5432}, "
	"on_failure: warn}]}\n"
	"cgroup_parent: /agents\n"
	"logs: {destination: disk, max_size_bytes: 1000, retention_secs: 60}\n"
	"lifecycle: {delete_on_exit: true}\n"
	"network: {}\noverlay: {}\nlocalhost_reachability: auto\nerrors: {}\n"
	"depends: [{service: db, timeout: 5s, on_timeout: warn}]\n"
	"scale: {mode: fixed, replicas: 3}\n"
	"replica_groups: []\n";

static struct csn_service *parse(const char *text, enum csn_service_format format,
				 const char *service)
{
	struct csn_service *s = NULL;
	struct csn_error err;
	ck_assert_msg(csn_service_parse(text, strlen(text), format, service, &s, &err) == 0, "%s",
		      err.text);
	return s;
}

START_TEST(who_runs_and_how)
{
	struct csn_service *service = parse(whole, CSN_FORMAT_YAML, NULL);
	const struct service_spec *s = &service->spec;
	ck_assert_int_eq(s->rtype, RTYPE_JOB);
	ck_assert_str_eq(s->image.name, "registry:5000/a/b:1");
	ck_assert_int_eq(s->image.pull_policy, PULL_NEWER);
	ck_assert_str_eq(s->command.entrypoint.items[1], "-c");
	ck_assert_str_eq(s->command.args.items[0], "exit 3");
	ck_assert_str_eq(s->command.workdir, "/srv");
	ck_assert_uint_eq(s->env.count, 3);
	ck_assert_str_eq(s->env.items[1].value, "1");
	ck_assert_str_eq(s->user, "1000:1000");
	ck_assert_str_eq(s->extra_groups.items[0], "audio");
	ck_assert(s->tty && s->stdin_open && s->read_only_root_fs && !s->privileged);
	ck_assert(s->init_container.set && !s->init_container.value);
	ck_assert_str_eq(s->capabilities.items[0], "NET_ADMIN");
	ck_assert_str_eq(s->cap_drop.items[0], "ALL");
	ck_assert_uint_eq(s->security_opt.count, 2);
	ck_assert_str_eq(s->sysctls.items[0].value, "1024");
	ck_assert_str_eq(s->ulimits.items[0].name, "NOFILE");
	ck_assert(s->ulimits.items[0].soft.value == 100 && s->ulimits.items[0].hard.value == -1);
	ck_assert(s->ulimits.items[1].soft.set && !s->ulimits.items[1].hard.set);
	ck_assert_str_eq(s->pid_mode, "container:x");
	csn_service_free(service);
}
END_TEST

START_TEST(where_it_keeps_things_and_what_it_gets)
{
	struct csn_service *service = parse(whole, CSN_FORMAT_YAML, NULL);
	const struct service_spec *s = &service->spec;
	ck_assert_uint_eq(s->storage.count, 5);
	ck_assert_int_eq(s->storage.items[4].kind, STORAGE_S3);
	ck_assert_str_eq(s->storage.items[4].credentials.access_key_id, "k");
	ck_assert_str_eq(s->storage.items[1].tier, "cached");
	ck_assert_uint_eq(s->storage.items[1].size_bytes.value, 1u << 30);
	ck_assert_uint_eq(s->storage.items[3].mode.value, 01777);
	ck_assert(s->storage.items[0].readonly && !s->storage.items[1].readonly);
	ck_assert(s->resources.cpu > 0.49 && s->resources.cpu < 0.51);
	ck_assert_uint_eq(s->resources.memory.value, 512u << 20);
	ck_assert_uint_eq(s->resources.gpu.count, 2);
	ck_assert(s->memory_swap.set && s->memory_swap.value == -1);
	ck_assert(s->oom_score_adj.value == -500 && s->pids_limit.value == 100);
	ck_assert(s->devices.items[0].read && s->devices.items[0].write);
	ck_assert(s->devices.items[0].mknod && !s->devices.items[1].write);
	csn_service_free(service);
}
END_TEST

START_TEST(how_it_is_reached_and_kept_alive)
{
	struct csn_service *service = parse(whole, CSN_FORMAT_YAML, NULL);
	const struct service_spec *s = &service->spec;
	ck_assert_int_eq(s->network_kind, NETWORK_BRIDGE);
	ck_assert_str_eq(s->network_name, "front");
	ck_assert_uint_eq(s->dns.count, 2);
	ck_assert_uint_eq(s->port_mappings.items[0].host_port, 80);
	ck_assert_str_eq(s->port_mappings.items[0].protocol, "udp");
	ck_assert_uint_eq(s->endpoints.items[0].target_port, 8080);
	ck_assert_int_eq(s->restart_policy.kind, RESTART_ON_FAILURE);
	ck_assert_int_eq(s->restart_policy.delay_ns, 2000000000);
	ck_assert_int_eq(s->stop_grace_period_ns, 60000000000);
	ck_assert(s->health.set && s->health.kind == CHECK_HTTP && s->health.retries == 9);
	ck_assert_int_eq(s->health.start_grace_ns, 5000000000);
	ck_assert_uint_eq(s->health.expect_status, 204);
	ck_assert_str_eq(s->init_steps.items[0].host, "db");
	ck_assert_int_eq(s->init_steps.items[0].on_failure, ON_FAILURE_WARN);
	ck_assert_uint_eq(s->logs.max_size_bytes, 1000);
	ck_assert(s->delete_on_exit);
	csn_service_free(service);
}
END_TEST

START_TEST(network_modes)
{
	static const struct {
		const char *text;
		enum network_kind kind;
		const char *name;
	} rows[] = {
		{ "\"host\"", NETWORK_HOST, NULL },
		{ "\"none\"", NETWORK_NONE, NULL },
		{ "\"bridge\"", NETWORK_BRIDGE, NULL },
		{ "\"bridge:b\"", NETWORK_BRIDGE, "b" },
		{ "\"container:c\"", NETWORK_CONTAINER, "c" },
		{ "{\"bridge\": {\"name\": \"b\"}}", NETWORK_BRIDGE, "b" },
		{ "{\"container\": {\"id\": \"c\"}}", NETWORK_CONTAINER, "c" },
		{ "{\"container\": \"c\"}", NETWORK_CONTAINER, "c" },
	};
	char text[200];
	for (size_t i = 0; i < ROWS(rows); i++) {
		(void)snprintf(text, sizeof text,
			       "{\"image\": {\"name\": \"a\"}, \"network_mode\": %s}",
			       rows[i].text);
		struct csn_service *s = parse(text, CSN_FORMAT_JSON, NULL);
		ck_assert_int_eq(s->spec.network_kind, rows[i].kind);
		ck_assert_pstr_eq(s->spec.network_name, rows[i].name);
		csn_service_free(s);
	}
}
END_TEST

START_TEST(deployments)
{
	static const char text[] = "version: v1\n"
				   "deployment: shop-1\n"
				   "services:\n"
				   "  web: &base\n"
				   "    image: {name: web}\n"
				   "  db:\n"
				   "    image: {name: db}\n"
				   "    rtype: service\n"
				   "  copy: *base\n"
				   "externals: {}\n";
	struct csn_service *s = parse(text, CSN_FORMAT_YAML, "db");
	ck_assert_str_eq(s->name, "db");
	ck_assert_str_eq(s->deployment, "shop-1");
	ck_assert_str_eq(s->spec.image.name, "db");
	csn_service_free(s);
	s = parse(text, CSN_FORMAT_YAML, "copy");
	ck_assert_str_eq(s->spec.image.name, "web");
	csn_service_free(s);
}
END_TEST

static struct csn_deployment *parse_deployment(const char *text)
{
	struct csn_deployment *d = NULL;
	struct csn_error err = { 0 };
	ck_assert_msg(csn_deployment_parse(text, strlen(text), CSN_FORMAT_YAML, &d, &err) == 0,
		      "%s", err.text);
	return d;
}

START_TEST(what_is_known_of_a_service)
{
	struct csn_service *s = parse(whole, CSN_FORMAT_YAML, NULL);
	const struct csn_service_info *info = csn_service_info(s);
	ck_assert_ptr_null(info->name);
	ck_assert_int_eq(info->kind, CSN_SERVICE_JOB);
	ck_assert_str_eq(info->image, "registry:5000/a/b:1");
	ck_assert_int_eq(info->pull_policy, CSN_PULL_NEWER);
	ck_assert_uint_eq(info->replicas, 3);
	ck_assert(info->has_health && info->restarts && !info->has_groups);
	ck_assert(!info->default_network);
	ck_assert_str_eq(info->network, "front");
	ck_assert_str_eq(info->volumes[0], "data");
	ck_assert_ptr_null(info->volumes[1]);
	ck_assert_uint_eq(info->dependencies_count, 1);
	ck_assert_str_eq(info->dependencies[0].service, "db");
	ck_assert_int_eq(info->dependencies[0].condition, CSN_CONDITION_HEALTHY);
	ck_assert_int_eq(info->dependencies[0].timeout_ms, 5000);
	ck_assert_int_eq(info->dependencies[0].on_timeout, CSN_ON_TIMEOUT_WARN);
	csn_service_free(s);
}
END_TEST

START_TEST(replicas_and_digests)
{
	static const struct {
		const char *text;
		uint32_t replicas;
	} rows[] = {
		{ "image: {name: a}", 1 },
		{ "image: {name: a}\nscale: {mode: manual}", 1 },
		{ "image: {name: a}\nscale: {mode: fixed, replicas: 0}", 0 },
		{ "image: {name: a}\nscale: {mode: adaptive, min: 2, max: 5, cooldown: 30s}", 2 },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct csn_service *s = parse(rows[i].text, CSN_FORMAT_YAML, NULL);
		ck_assert_uint_eq(csn_service_info(s)->replicas, rows[i].replicas);
		csn_service_free(s);
	}
	struct csn_service *a = parse("{tty: true, image: {name: x}}", CSN_FORMAT_YAML, NULL);
	struct csn_service *b =
		parse("{\"image\":{\"name\":\"x\"},\"tty\":true}", CSN_FORMAT_JSON, NULL);
	struct csn_service *c = parse("{tty: false, image: {name: x}}", CSN_FORMAT_YAML, NULL);
	ck_assert_str_eq(csn_service_info(a)->digest, csn_service_info(b)->digest);
	ck_assert_str_ne(csn_service_info(a)->digest, csn_service_info(c)->digest);
	csn_service_free(a);
	csn_service_free(b);
	csn_service_free(c);
}
END_TEST

#define SHOP "version: v1\ndeployment: shop\nservices:\n"

START_TEST(order_of_services)
{
	struct csn_deployment *d = parse_deployment(
		SHOP "  web: {image: {name: w}, depends: [{service: api}, {service: db}]}\n"
		     "  other: {image: {name: o}}\n"
		     "  api: {image: {name: a}, depends: [{service: db, condition: started}]}\n"
		     "  db: {image: {name: d}}\n");
	static const char *const want[] = { "other", "db", "api", "web" };
	ck_assert_str_eq(csn_deployment_name(d), "shop");
	ck_assert_uint_eq(csn_deployment_count(d), 4);
	for (size_t i = 0; i < 4; i++) {
		const struct csn_service_info *info = csn_service_info(csn_deployment_get(d, i));
		ck_assert_str_eq(info->name, want[i]);
		ck_assert_str_eq(info->deployment, "shop");
	}
	ck_assert_ptr_null(csn_deployment_get(d, 4));
	csn_deployment_free(d);
}
END_TEST

START_TEST(bad_dependencies)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ SHOP "  web: {image: {name: w}, depends: [{service: db}]}\n",
		  "deployment: services.web.depends[0].service: expected the name of a service, "
		  "not \"db\"" },
		{ SHOP "  out: {image: {name: o}, depends: [{service: a}]}\n"
		       "  a: {image: {name: a}, depends: [{service: b}]}\n"
		       "  b: {image: {name: b}, depends: [{service: a}]}\n",
		  "deployment: services.a.depends: it waits for itself, perhaps through others" },
		{ SHOP "  a: {image: {name: a}, depends: [{service: a}]}\n",
		  "deployment: services.a.depends: it waits for itself, perhaps through others" },
		{ SHOP "  a: {image: {name: a}, depends: [{service: a, condition: dead}]}\n",
		  "deployment: services.a.depends[0].condition: expected one of started, healthy, "
		  "ready" },
		{ SHOP "  a: {image: {name: a}, scale: {mode: fixed}}\n",
		  "deployment: services.a: scale.replicas: expected a number, because mode is "
		  "fixed" },
		{ SHOP "  a: {image: {name: a}, scale: {mode: manual, replicas: 2}}\n",
		  "deployment: services.a: scale.replicas: expected none, because mode is not "
		  "fixed" },
		{ SHOP "  a: {image: {name: a}, scale: {mode: adaptive, min: 3, max: 2}}\n",
		  "deployment: services.a: scale.min: expected a number that is not above "
		  "scale.max" },
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct csn_deployment *d = NULL;
		struct csn_error err = { 0 };
		ck_assert_int_lt(csn_deployment_parse(rows[i].text, strlen(rows[i].text),
						      CSN_FORMAT_YAML, &d, &err),
				 0);
		ck_assert_ptr_null(d);
		ck_assert_int_eq(err.kind, CSN_ERROR_INVALID_SPEC);
		ck_assert_str_eq(csn_error_reason(&err), rows[i].want);
	}
}
END_TEST

/* ---- errors ---------------------------------------------------------------------------------- */

static void expect_error(const char *text, enum csn_service_format format, const char *service,
			 const char *want)
{
	struct csn_service *s = NULL;
	struct csn_error err = { 0 };
	ck_assert_msg(csn_service_parse(text, strlen(text), format, service, &s, &err) < 0, "%s",
		      text);
	ck_assert_ptr_null(s);
	ck_assert_int_eq(err.kind, CSN_ERROR_INVALID_SPEC);
	ck_assert_str_eq(csn_error_reason(&err), want);
}

struct bad_field {
	const char *field, *want;
};

static void expect_field_errors(const struct bad_field *rows, size_t count)
{
	char text[400], want[400];
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(text, sizeof text, "image: {name: a}\n%s\n", rows[i].field);
		(void)snprintf(want, sizeof want, "service: %s", rows[i].want);
		expect_error(text, CSN_FORMAT_YAML, NULL, want);
	}
}

START_TEST(bad_storage)
{
	static const struct bad_field rows[] = {
		{ "storage: [{type: bind, source: /a, target: /b, ro: true}]",
		  "storage[0].ro: unknown field" },
		{ "storage: [{type: bind, target: /b}]",
		  "storage[0]: expected a source for a bind, an absolute path" },
		{ "storage: [{type: named, name: ../x, target: /b}]",
		  "storage[0]: expected a volume name of 1 to 63 of [a-z0-9_-], first a letter or "
		  "digit" },
		{ "storage: [{type: named, name: a, target: /b, tier: gold}]",
		  "storage[0].tier: expected local, cached or network" },
		{ "storage: [{type: s3, bucket: a, target: /b, credentials: {key: x}}]",
		  "storage[0].credentials.key: unknown field" },
		{ "storage: [{type: s3, bucket: a, target: /b, credentials: 5}]",
		  "storage[0].credentials: expected an object, or a text KEY_ID:SECRET" },
		{ "storage: [{type: tmpfs, target: b}]",
		  "storage[0].target: expected an absolute path, not \"b\"" },
		{ "storage: [{type: tmpfs, target: /b, size: 64MB}]",
		  "storage[0].size: expected a size like \"512Mi\", \"1G\" or \"1048576\"" },
	};
	expect_field_errors(rows, ROWS(rows));
}
END_TEST

START_TEST(bad_fields)
{
	static const struct bad_field rows[] = {
		{ "nonsense: 1", "nonsense: unknown field" },
		{ "command: {arg: []}", "command.arg: unknown field" },
		{ "rtype: daemon", "rtype: expected one of service, job, cron" },
		{ "rtype: cron", "schedule: expected one, because rtype is cron" },
		{ "schedule: x", "schedule: expected none, because rtype is not cron" },
		{ "tty: 'yes'", "tty: expected true or false" },
		{ "env: {A: 1}", "env.A: expected a string" },
		{ "env: {'A=B': x}", "env: expected names without \"=\"" },
		{ "ulimits: {nofiles: {soft: 1}}",
		  "ulimits: expected names out of cpu, fsize, data, stack, core, rss, nproc, "
		  "nofile, memlock, as, locks, sigpending, msgqueue, nice, rtprio and rttime, not "
		  "\"nofiles\"" },
		{ "ulimits: {nofile: {soft: -2}}",
		  "ulimits.nofile.soft: expected an integer from -1 to 9223372036854775807" },
		{ "ulimits: {nofile: {soft: 5, hard: 4}}",
		  "ulimits: expected nofile.soft not above nofile.hard" },
		{ "capabilities: [CAP_FLY]", "capabilities[0]: expected a capability, or ALL" },
		{ "capabilities: []\ncap_add: []",
		  "cap_add: expected only one of capabilities and cap_add" },
		{ "security_opt: [magic]",
		  "security_opt[0]: expected apparmor=, seccomp=, label= or no-new-privileges" },
		{ "resources: {memory: 0Mi}", "resources.memory: expected a size above 0" },
		{ "resources: {cpu: 0}", "resources.cpu: expected a number above 0" },
		{ "resources: {memory: 2Gi}\nmemory_swap: 1Gi",
		  "memory_swap: expected at least resources.memory, which it includes" },
		{ "memory_swappiness: 101",
		  "memory_swappiness: expected an integer from 0 to 100" },
		{ "blkio_weight: 9", "blkio_weight: expected an integer from 10 to 1000" },
		{ "network_mode: wlan",
		  "network_mode: expected default, host, none, bridge, bridge:NAME or "
		  "container:ID" },
		{ "network_mode: 'container:'",
		  "network_mode: expected default, host, none, bridge, bridge:NAME or "
		  "container:ID" },
		{ "host_network: true\nnetwork_mode: none",
		  "network_mode: expected host or nothing, because host_network is true" },
		{ "dns: [one.one]", "dns[0]: expected an IP address" },
		{ "extra_hosts: [db]", "extra_hosts[0]: expected HOST:IP or HOST:host-gateway" },
		{ "port_mappings: [{container_port: 0}]",
		  "port_mappings[0].container_port: expected an integer from 1 to 65535" },
		{ "port_mappings: [{container_port: 1, protocol: icmp}]",
		  "port_mappings[0].protocol: expected tcp or udp" },
		{ "endpoints: [{name: a, protocol: tcp, port: 1}, {name: a, protocol: tcp, port: "
		  "2}]",
		  "endpoints[1].name: expected a name that no other endpoint has" },
		{ "restart_policy: {kind: sometimes}",
		  "restart_policy.kind: expected one of no, always, unless_stopped, on_failure" },
		{ "stop_signal: SIGNOPE", "stop_signal: expected a signal" },
		{ "stop_grace_period: 5",
		  "stop_grace_period: expected a duration like \"5s\", \"500ms\" or \"1h 30m\"" },
		{ "health: {retries: 1}", "health.check: missing" },
		{ "health: {check: {type: http}}",
		  "health.check.url: expected an http or https URL" },
		{ "init: {steps: [{id: a, uses: init.run}]}",
		  "init.steps[0].with.command: expected one, because of uses" },
		{ "pid_mode: 'container:'", "pid_mode: expected host or container:ID" },
	};
	expect_field_errors(rows, ROWS(rows));
}
END_TEST

START_TEST(bad_documents)
{
	static const struct {
		const char *text;
		enum csn_service_format format;
		const char *service, *want;
	} rows[] = {
		{ "{}", CSN_FORMAT_JSON, NULL, "service: image: missing" },
		{ "{\"image\": {}}", CSN_FORMAT_JSON, NULL, "service: image.name: missing" },
		{ "{\"image\": {\"name\": \" \"}}", CSN_FORMAT_JSON, NULL,
		  "service: image.name: expected the name of an image" },
		{ "[]", CSN_FORMAT_YAML, NULL, "service: expected an object" },
		{ "", CSN_FORMAT_YAML, NULL, "service: it is empty" },
		{ "a: [", CSN_FORMAT_YAML, NULL,
		  "service: line 2, column 1: did not find expected node content" },
		{ "a: 1\n---\nb: 2\n", CSN_FORMAT_YAML, NULL,
		  "service: expected one YAML document, not several" },
		{ "[a]: 1\n", CSN_FORMAT_YAML, NULL,
		  "service: line 1, column 1: a key must be a plain text" },
		{ "version: v2\ndeployment: abc\nservices: {}", CSN_FORMAT_YAML, "web",
		  "deployment: version: expected \"v1\"" },
		{ "version: v1\ndeployment: a\nservices: {}", CSN_FORMAT_YAML, "web",
		  "deployment: deployment: expected 3 to 63 of [A-Za-z0-9-], first a letter or "
		  "digit" },
		{ "version: v1\ndeployment: abc\nservices: {}", CSN_FORMAT_YAML, "web",
		  "deployment: services: expected a service \"web\"" },
		{ "version: v1\ndeployment: abc\nservices: {a/b: {image: {name: x}}}",
		  CSN_FORMAT_YAML, "web",
		  "deployment: services: expected names of 1 to 63 of [A-Za-z0-9_.-], first and "
		  "last "
		  "a letter or digit, not \"a/b\"" },
		{ "version: v1\ndeployment: abc\nservices: {db: {image: {name: x}, dns: [q]}}",
		  CSN_FORMAT_YAML, "web",
		  "deployment: services.db: dns[0]: expected an IP address" },
		{ "version: v1\ndeployment: abc\nservices: {db: {image: {name: x}, x: 1}}",
		  CSN_FORMAT_YAML, "web", "deployment: services.db.x: unknown field" },
	};
	for (size_t i = 0; i < ROWS(rows); i++)
		expect_error(rows[i].text, rows[i].format, rows[i].service, rows[i].want);
}
END_TEST

/* Nine anchors of nine: a billion texts if nobody stops. */
START_TEST(a_bomb_of_anchors)
{
	char text[2000] = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
	struct csn_service *s = NULL;
	struct csn_error err;
	for (int i = 1; i < 10; i++) {
		char line[200];
		(void)snprintf(line, sizeof line,
			       "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i,
			       i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
		strcat(text, line);
	}
	ck_assert_int_lt(csn_service_parse(text, strlen(text), CSN_FORMAT_YAML, NULL, &s, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "too large"));
}
END_TEST

/* ---- tokens ------------------------------------------------------------------------------------
 */

static int take(const struct csn_container_auth_context **auth, struct arena *arena,
		struct csn_error *err)
{
	*err = (struct csn_error){ 0 };
	return auth_take(auth, arena, err);
}

/* The signature is what another implementation says. */
START_TEST(a_token_is_signed)
{
	struct arena arena = { 0 };
	struct csn_error err;
	struct csn_container_id id;
	struct csn_container_auth_context a = CSN_CONTAINER_AUTH_CONTEXT_INIT;
	const struct csn_container_auth_context *auth = &a;
	char secret[] = "a secret and more";
	a.api_url = "http://127.0.0.1:3669";
	a.jwt_secret = secret;
	a.jwt_secret_size = 8;
	ck_assert_int_eq(take(&auth, &arena, &err), 0);
	memset(secret, 0, sizeof secret); /* it was copied */
	ck_assert_str_eq(auth->socket_target, "/var/run/zlayer.sock");
	ck_assert_str_eq(auth->env_prefix, "ZLAYER_");
	ck_assert_int_eq(csn_container_id_make("web", 2, &id, &err), 0);
	ck_assert_str_eq(auth_token(auth, &id, 1700000000, &arena),
			 "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
			 "eyJzdWIiOiJjb250YWluZXI6d2ViOndlYi0yIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3M"
			 "zE1MzYwMDAsImlzcyI6InpsYXllciIsInJvbGVzIjpbImNvbnRhaW5lciJdfQ."
			 "xHmIV3zfA1sikJRqjdorEhE6qxyj-o1um_npbeVrPak");
	arena_free(&arena);
}
END_TEST

START_TEST(bad_auth_contexts)
{
	static const struct csn_container_auth_context good = { sizeof good, "http://h", "s",
								1,	     "/s",	 "/t",
								"X_",	     "i",	 60 };
	struct csn_container_auth_context bad[7] = { good, good, good, good, good, good, good };
	static const char *const words[] = {
		"auth.api_url: expected a URL",
		"auth.jwt_secret: expected at least one byte",
		"auth.socket_path: expected an absolute path",
		"auth.socket_target: expected an absolute path",
		"auth.env_prefix: expected letters, digits and \"_\"",
		"auth.ttl_s: expected seconds from 0 on",
	};
	bad[0].api_url = NULL;
	bad[1].jwt_secret_size = 0;
	bad[2].socket_path = "s";
	bad[3].socket_target = "";
	bad[4].env_prefix = "X=";
	bad[5].ttl_s = -1;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct arena arena = { 0 };
		struct csn_error err;
		const struct csn_container_auth_context *auth = &bad[i];
		int r = take(&auth, &arena, &err);
		ck_assert_int_eq(r, i < COUNT(words) ? -EINVAL : 0);
		if (i < COUNT(words))
			ck_assert_str_eq(err.text, words[i]);
		arena_free(&arena);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("deployment");
	TCase *c = tcase_create("deployment");
	tcase_add_test(c, a_token_is_signed);
	tcase_add_test(c, bad_auth_contexts);
	tcase_add_test(c, durations);
	tcase_add_test(c, sizes);
	tcase_add_test(c, who_runs_and_how);
	tcase_add_test(c, where_it_keeps_things_and_what_it_gets);
	tcase_add_test(c, how_it_is_reached_and_kept_alive);
	tcase_add_test(c, network_modes);
	tcase_add_test(c, deployments);
	tcase_add_test(c, what_is_known_of_a_service);
	tcase_add_test(c, replicas_and_digests);
	tcase_add_test(c, order_of_services);
	tcase_add_test(c, bad_dependencies);
	tcase_add_test(c, bad_fields);
	tcase_add_test(c, bad_storage);
	tcase_add_test(c, bad_documents);
	tcase_add_test(c, a_bomb_of_anchors);
	suite_add_tcase(suite, c);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
