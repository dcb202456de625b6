/*
 * The OCI runtime configuration (runtime-spec 1.3, config.md and config-linux.md) as plain C.
 *
 * Everything is decoded, even what this host cannot do: whoever cannot apply a requested field
 * must say so. All memory belongs to struct spec's arena. Names (signals, capabilities, options)
 * stay strings here; lib/host gives them numbers. Numbers are range-checked by the decoder.
 */
#ifndef CSN_SPEC_SPEC_H
#define CSN_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "caisson.h"

#define SPEC_VERSION	 "1.3.0" /* the newest runtime-spec this decoder knows */
#define SPEC_VERSION_MIN "1.0.0" /* the oldest it accepts */

/* An optional number: absent is not zero. */
struct opt_i64 {
	bool set;
	int64_t value;
};
struct opt_u64 {
	bool set;
	uint64_t value;
};
struct opt_u32 {
	bool set;
	uint32_t value;
};
struct opt_bool {
	bool set;
	bool value;
};

/* items is NULL-terminated; set tells an empty array from an absent one. */
struct spec_strings {
	char **items;
	size_t count;
	bool set;
};
struct spec_pair {
	char *key, *value;
};
/* A JSON object of strings, in document order. */
struct spec_map {
	struct spec_pair *items;
	size_t count;
	bool set;
};

struct spec_idmap {
	uint32_t container_id, host_id, size;
};
struct spec_idmaps {
	struct spec_idmap *items;
	size_t count;
	bool set;
};

/* process */
struct spec_user {
	uint32_t uid, gid;
	struct opt_u32 umask;
	uint32_t *additional_gids;
	size_t additional_gids_count;
	char *username; /* Windows only; decoded, ignored */
};
struct spec_capabilities {
	bool set; /* process.capabilities is present */
	struct spec_strings bounding, effective, inheritable, permitted, ambient;
};
struct spec_rlimit {
	char *type; /* "RLIMIT_NOFILE" */
	uint64_t soft, hard;
};
struct spec_scheduler {
	bool set;
	char *policy; /* "SCHED_OTHER" … */
	int32_t nice, priority;
	struct spec_strings flags;
	uint64_t runtime, deadline, period; /* nanoseconds */
};
struct spec_io_priority {
	bool set;
	char *class_name; /* "IOPRIO_CLASS_BE" … */
	int32_t priority; /* 0 to 7 */
};
struct spec_exec_cpu_affinity {
	bool set;
	char *initial, *final; /* cpu lists such as "0-3,7"; NULL when absent */
};
struct spec_process {
	bool set; /* the config has a process object */
	bool terminal;
	bool has_console_size;
	uint32_t console_height, console_width;
	char *cwd;
	struct spec_strings env, args;
	struct spec_user user;
	struct spec_capabilities capabilities;
	struct spec_rlimit *rlimits;
	size_t rlimits_count;
	bool no_new_privileges;
	struct opt_i64 oom_score_adj;
	char *apparmor_profile, *selinux_label; /* NULL when absent or empty */
	struct spec_scheduler scheduler;
	struct spec_io_priority io_priority;
	struct spec_exec_cpu_affinity exec_cpu_affinity;
};

/* root, mounts */
struct spec_root {
	char *path;
	bool readonly;
};
struct spec_mount {
	char *destination, *type, *source; /* type and source NULL when absent */
	struct spec_strings options;
	struct spec_idmaps uid_mappings, gid_mappings;
};

/* hooks */
struct spec_hook {
	char *path;
	struct spec_strings args, env;
	struct opt_i64 timeout; /* seconds, greater than 0 when set */
};
enum spec_hook_kind {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_KINDS
};
struct spec_hooks {
	struct spec_hook *items;
	size_t count;
};

/* linux */
enum spec_namespace_kind {
	NS_PID,
	NS_NETWORK,
	NS_MOUNT,
	NS_IPC,
	NS_UTS,
	NS_USER,
	NS_CGROUP,
	NS_TIME,
	NS_KINDS
};
/* One slot per kind: absent = the caller's own; present without path = new; with path = join. */
struct spec_namespace {
	bool present;
	char *path;
};
struct spec_device {
	char *type; /* "c", "b", "u" or "p" */
	char *path;
	struct opt_i64 major, minor;
	struct opt_u32 file_mode, uid, gid;
};
struct spec_net_device {
	char *host_name; /* the key */
	char *name;	 /* NULL: keep the host's name */
};
struct spec_time_offset {
	char *clock; /* "boottime" or "monotonic" */
	int64_t secs;
	uint32_t nanosecs;
};
struct spec_device_rule {
	bool allow;
	char *type; /* "a", "c", "b"; NULL when absent */
	struct opt_i64 major, minor;
	char *access; /* NULL when absent */
};
struct spec_throttle {
	int64_t major, minor;
	uint64_t rate;
};
struct spec_throttles {
	struct spec_throttle *items;
	size_t count;
};
struct spec_weight_device {
	int64_t major, minor;
	struct opt_u32 weight, leaf_weight;
};
struct spec_hugepage_limit {
	char *page_size; /* "2MB" */
	uint64_t limit;
};
struct spec_rdma {
	char *device;
	struct opt_u32 hca_handles, hca_objects;
};
struct spec_interface_priority {
	char *name;
	uint32_t priority;
};
struct spec_resources {
	bool set;
	struct spec_device_rule *devices;
	size_t devices_count;
	struct {
		struct opt_i64 limit, reservation, swap, kernel, kernel_tcp;
		struct opt_u64 swappiness;
		struct opt_bool disable_oom_killer, use_hierarchy, check_before_update;
	} memory;
	struct {
		struct opt_u64 shares, period, burst, realtime_period;
		struct opt_i64 quota, realtime_runtime, idle;
		char *cpus, *mems;
	} cpu;
	struct opt_i64 pids_limit;
	struct {
		struct opt_u32 weight, leaf_weight;
		struct spec_weight_device *weight_devices;
		size_t weight_devices_count;
		struct spec_throttles read_bps, write_bps, read_iops, write_iops;
	} block_io;
	struct spec_hugepage_limit *hugepages;
	size_t hugepages_count;
	struct {
		struct opt_u32 class_id;
		struct spec_interface_priority *priorities;
		size_t priorities_count;
	} network;
	struct spec_rdma *rdma;
	size_t rdma_count;
	struct spec_map unified;
};
struct spec_seccomp_arg {
	uint32_t index;
	uint64_t value, value_two;
	char *op;
};
struct spec_seccomp_rule {
	struct spec_strings names;
	char *action;
	struct opt_u32 errno_ret;
	struct spec_seccomp_arg *args;
	size_t args_count;
};
struct spec_seccomp {
	bool set;
	char *default_action;
	struct opt_u32 default_errno_ret;
	struct spec_strings architectures, flags;
	char *listener_path, *listener_metadata;
	struct spec_seccomp_rule *rules;
	size_t rules_count;
};
struct spec_intel_rdt {
	bool set;
	char *clos_id, *l3_cache_schema, *mem_bw_schema;
	struct spec_strings schemata;
	bool enable_monitoring;
};
struct spec_memory_policy {
	bool set;
	char *mode, *nodes;
	struct spec_strings flags;
};
struct spec_personality {
	bool set;
	char *domain;
	struct spec_strings flags;
};
struct spec_linux {
	bool set;
	struct spec_namespace namespaces[NS_KINDS];
	struct spec_idmaps uid_mappings, gid_mappings;
	struct spec_time_offset *time_offsets;
	size_t time_offsets_count;
	struct spec_device *devices;
	size_t devices_count;
	struct spec_net_device *net_devices;
	size_t net_devices_count;
	char *cgroups_path; /* NULL when absent */
	struct spec_resources resources;
	char *rootfs_propagation; /* NULL when absent */
	struct spec_strings masked_paths, readonly_paths;
	char *mount_label;
	struct spec_map sysctl;
	struct spec_seccomp seccomp;
	struct spec_intel_rdt intel_rdt;
	struct spec_memory_policy memory_policy;
	struct spec_personality personality;
};

struct spec {
	struct arena arena;
	char *oci_version;
	struct spec_root root;
	char *hostname, *domainname; /* NULL when absent */
	struct spec_process process;
	struct spec_mount *mounts;
	size_t mounts_count;
	struct spec_hooks hooks[HOOK_KINDS];
	struct spec_map annotations;
	struct spec_linux linux_;
	/* The document's bytes as read, for the copy that create keeps (create-time config rules).
	 */
	char *text;
	size_t text_size;
};

/*
 * Decodes and checks (spec_check) a whole config. name stands in front of every error:
 * "config.json: process.user.uid: expected an integer from 0 to 4294967295".
 * The caller frees *ret with spec_free. -EINVAL for a bad document, -ENOMEM.
 */
int spec_parse(const char *text, size_t size, const char *name, struct spec **ret,
	       struct csn_error *err);
/* Opens <dir_fd>/config.json, at most 16 MiB, and parses it. */
int spec_read_bundle(int dir_fd, const char *bundle, struct spec **ret, struct csn_error *err);
void spec_free(struct spec *s);

/* A process object alone, for exec --process FILE. Owned as above: ->process is filled only. */
int spec_parse_process(const char *text, size_t size, const char *name, struct spec **ret,
		       struct csn_error *err);
/* A resources object alone, for update. ->linux_.resources is filled only. */
int spec_parse_resources(const char *text, size_t size, const char *name, struct spec **ret,
			 struct csn_error *err);

/* Rules that join several fields (lib/spec/check.c: one table). Called by spec_parse. */
int spec_check(const struct spec *s, const char *name, struct csn_error *err);

/* The rules that concern the process object alone; what exec --process is held to. */
int spec_check_process(const struct spec *s, const char *name, struct csn_error *err);

/* Mounts alone: an array of them, or an object that has one as "mounts". ->mounts is filled only.
 */
int spec_parse_mounts(const char *text, size_t size, const char *name, struct spec **ret,
		      struct csn_error *err);
/* The rules that concern linux.resources alone; what update is held to. */
int spec_check_resources(const struct spec *s, const char *name, struct csn_error *err);

/* The rules that concern mounts alone. */
int spec_check_mounts(const struct spec *s, const char *name, struct csn_error *err);

/* The document that `caisson spec` writes: malloc'd, tab-indented. */
int spec_template(bool rootless, char **ret_text, struct csn_error *err);
/* The features document (features.md), from the same tables that decode: malloc'd. */
int spec_features(char **ret_text, struct csn_error *err);

enum { SPEC_SYSCTL_SIZE = 256 };
/* A sysctl's name as a path below /proc/sys; false for what is no name. */
bool spec_sysctl_path(const char *name, char path[SPEC_SYSCTL_SIZE]);
/* The namespace that makes such a path the container's own; NS_KINDS: none does. */
enum spec_namespace_kind spec_sysctl_namespace(const char *path);

/* "pid", "network", "mount" … and the matching CLONE_NEW* flag. */
const char *spec_namespace_name(enum spec_namespace_kind kind);
uint64_t spec_namespace_flag(enum spec_namespace_kind kind);
const char *spec_hook_name(enum spec_hook_kind kind);
/* Value of a map entry, or NULL. */
const char *spec_map_get(const struct spec_map *map, const char *key);

#endif
