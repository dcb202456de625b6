/*
 * A deployment's services as plain C: what the agent's document says, decoded and checked, nothing
 * decided. All memory belongs to the decoder's arena. What concerns the agent alone (how
 * many, where, behind which proxy) is checked for its form and kept out.
 */
#ifndef CSN_SERVICE_DEPLOYMENT_H
#define CSN_SERVICE_DEPLOYMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/quantity.h"
#include "caisson.h"
#include "spec/spec.h"

enum rtype { RTYPE_SERVICE, RTYPE_JOB, RTYPE_CRON };
enum pull_policy { PULL_IF_NOT_PRESENT, PULL_ALWAYS, PULL_NEWER, PULL_NEVER };
enum restart_kind { RESTART_NO, RESTART_ALWAYS, RESTART_UNLESS_STOPPED, RESTART_ON_FAILURE };
enum network_kind {
	NETWORK_DEFAULT,
	NETWORK_HOST,
	NETWORK_NONE,
	NETWORK_BRIDGE,
	NETWORK_CONTAINER
};
enum storage_kind { STORAGE_BIND, STORAGE_NAMED, STORAGE_ANONYMOUS, STORAGE_TMPFS, STORAGE_S3 };
enum check_kind { CHECK_TCP, CHECK_HTTP, CHECK_COMMAND };
enum init_uses { INIT_WAIT_TCP, INIT_WAIT_HTTP, INIT_RUN, INIT_S3_PUSH, INIT_S3_PULL };
enum on_failure { ON_FAILURE_FAIL, ON_FAILURE_WARN, ON_FAILURE_CONTINUE };
enum condition { CONDITION_STARTED, CONDITION_HEALTHY, CONDITION_READY };
enum scale_mode { SCALE_ADAPTIVE, SCALE_FIXED, SCALE_MANUAL };

struct service_ulimit {
	char *name;		   /* lower case, "nofile" */
	struct opt_i64 soft, hard; /* -1: none */
};
/* A text "KEY_ID:SECRET[:TOKEN]" or "$E:NAME", or the parts. */
struct service_credentials {
	char *text, *access_key_id, *secret_access_key, *session_token;
};
struct service_storage {
	enum storage_kind kind;
	char *source, *target, *name; /* bind: source; named: name */
	char *bucket, *prefix, *endpoint;
	struct service_credentials credentials; /* s3; nothing set: the agent's */
	char *tier;				/* named: "local", "cached", "network"; NULL */
	bool readonly;
	struct opt_u64 size_bytes; /* tmpfs, named */
	struct opt_u32 mode;	   /* tmpfs */
};
struct service_device_spec {
	char *path;
	bool read, write, mknod;
};
struct service_port {
	uint16_t host_port, container_port; /* host_port 0: any */
	char *protocol, *host_ip;	    /* "tcp", "0.0.0.0" */
};
struct service_endpoint {
	char *name, *protocol;
	uint16_t port, target_port;
};
struct service_health {
	bool set;
	int64_t start_grace_ns, interval_ns, timeout_ns; /* interval 0: the agent's default */
	uint32_t retries;
	enum check_kind kind;
	uint32_t port; /* tcp; 0: the first endpoint's */
	char *url, *command;
	uint32_t expect_status;
};
struct service_init_step {
	char *id;
	enum init_uses uses;
	char *host, *url, *command, *bucket, *prefix, *path;
	uint32_t port;
	struct opt_u32 expect_status;
	int64_t timeout_ns;
	enum on_failure on_failure;
};
struct service_dependency {
	char *service;
	enum condition condition;
	int64_t timeout_ns;
	enum on_failure on_timeout;
};
struct service_gpu {
	bool set;
	uint32_t count;
	char *vendor, *mode, *model, *scheduling, *sharing;
};
struct service_resources {
	bool set;
	double cpu; /* 0: unset */
	struct opt_u64 memory;
	struct service_gpu gpu;
};
struct service_spec {
	enum rtype rtype;
	char *schedule;
	struct {
		char *name;
		enum pull_policy pull_policy;
		char *source_policy;
	} image;
	struct {
		struct spec_strings entrypoint, args;
		char *workdir;
	} command;
	struct spec_map env, labels, sysctls;
	char *user, *hostname;
	struct spec_strings extra_groups, capabilities, cap_drop, security_opt;
	bool tty, stdin_open, privileged, read_only_root_fs, host_network, oom_kill_disable;
	struct opt_bool init_container;
	struct {
		struct service_ulimit *items;
		size_t count;
	} ulimits;
	char *userns_mode, *pid_mode, *ipc_mode;
	struct {
		struct service_storage *items;
		size_t count;
	} storage;
	struct service_resources resources;
	struct opt_u64 memory_reservation;
	struct opt_i64 memory_swap; /* with memory; -1: no limit */
	struct opt_u32 memory_swappiness, cpu_shares, blkio_weight;
	struct opt_i64 oom_score_adj, pids_limit;
	char *cpuset;
	struct {
		struct service_device_spec *items;
		size_t count;
	} devices;
	enum network_kind network_kind;
	char *network_name; /* bridge: its name or NULL; container: its id */
	struct spec_strings dns, extra_hosts, expose;
	struct {
		struct service_port *items;
		size_t count;
	} port_mappings;
	struct {
		struct service_endpoint *items;
		size_t count;
	} endpoints;
	struct {
		enum restart_kind kind;
		struct opt_u32 max_attempts;
		int64_t delay_ns;
	} restart_policy;
	char *stop_signal;
	int64_t stop_grace_period_ns; /* 0: the caller's */
	struct service_health health;
	struct {
		struct service_init_step *items;
		size_t count;
	} init_steps;
	char *cgroup_parent;
	struct {
		char *destination;
		uint64_t max_size_bytes, retention_secs;
	} logs;
	bool delete_on_exit;
	struct {
		struct service_dependency *items;
		size_t count;
	} depends;
	struct {
		enum scale_mode mode;
		struct opt_u32 min, max, replicas;
	} scale;
	bool has_groups; /* replica_groups: the agent's */
};

/* Decodes JSON; fields of what an agent calls a ServiceSpec. Defaults are filled in. */
extern const struct json_field service_fields[];
/* What no single field can tell. name stands in front of errors. */
int service_check(const struct service_spec *s, const char *name, struct csn_error *err);

#endif
