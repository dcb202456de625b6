/*
 * From what a user asked for and what an image says to an OCI config. Pure: reads no file, knows
 * no directory; whoever calls (lib/runtime) brings the texts. All results live in the caller's
 * arena.
 */
#ifndef CSN_SERVICE_SERVICE_H
#define CSN_SERVICE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/user.h"
#include "caisson-health.h"
#include "spec/spec.h"

/* ---- images (image.c) -------------------------------------------------------------------------
 */

/* An image's Healthcheck. */
struct image_health {
	bool set;
	struct spec_strings test; /* {"CMD", …}, {"CMD-SHELL", text}, {"NONE"} */
	int64_t interval, timeout, start_period, start_interval,
		retries; /* times in ns; 0: unset */
};

/* The part of an image's config document that concerns running it. */
struct image_config {
	char *user, *working_dir, *stop_signal; /* NULL when absent or empty */
	struct spec_strings entrypoint, cmd, env;
	struct spec_map labels;
	struct spec_map exposed_ports; /* "80/tcp" → nothing */
	struct spec_map volumes;       /* "/data" → nothing */
	struct spec_strings shell;
	struct image_health health;
};

/* What the image says of "/". */
struct image_root {
	bool set;
	uint32_t mode, uid, gid, mtime_nsec;
	int64_t mtime;
};

/* images/<hex>.json of the store. */
struct image_record {
	char *reference, *digest, *id, *created, *architecture, *os;
	uint64_t size;
	struct spec_strings layers; /* below <root>, bottom first */
	struct image_root root;
	struct image_config config;
};

/* name stands in front of errors. */
int image_record_parse(const char *text, size_t size, const char *name, struct image_record *ret,
		       struct arena *arena, struct csn_error *err);

/* ---- security (security.c) --------------------------------------------------------------------
 */

struct service_security {
	uint64_t capabilities; /* bit n: capability n; bounding, effective and permitted alike */
	bool no_new_privileges;
	bool unconfined; /* without a seccomp filter */
	const char *apparmor, *selinux_label;
	const struct csn_security *options; /* never NULL */
};

/* options may be NULL: the defaults. available: the capabilities that we can give. */
int service_security_decide(const struct csn_security *options, uint64_t available,
			    struct service_security *ret, struct csn_error *err);
void service_put_capabilities(struct json_out *o, uint64_t mask);
/* Writes "sysctl", when there are any. */
void service_put_sysctls(struct json_out *o, const char *const *sysctls);

/* ---- mounts (mounts.c) ------------------------------------------------------------------------
 */

/* A mount as config.json has it. */
struct service_mount_oci {
	const char *target, *type, *source;
	const char *options; /* separated by spaces */
	const char *spread;  /* its propagation; NULL */
};
struct service;
/* Checks the options' mounts and fills those of the service. */
int service_decide_mounts(const struct csn_container_options *o, struct service *s,
			  struct arena *arena, struct csn_error *err);
/* The root's propagation that they need; NULL: none. */
const char *service_spread(const struct service *s);
/* Is word among options, which commas part? */
bool service_option_is_set(const char *options, const char *word);

/* ---- the container (container.c) --------------------------------------------------------------
 */

/* Everything that was decided for a container: options over image over defaults. */
struct service {
	const char *id;
	char **args; /* end with NULL */
	size_t args_count;
	char **env;
	size_t env_count;
	const char *cwd, *hostname, *user_text, *stop_signal, *network;
	int64_t stop_timeout_s;
	struct spec_map labels; /* the image's, then the options' */
	const struct csn_container_options *options;
	struct spec_rlimit *rlimits;
	size_t rlimits_count;
	struct service_mount_oci *mounts; /* what the options ask for, a directory before what is
					   * below it */
	size_t mounts_count;
	struct opt_i64 oom_score_adj;
	struct spec_device *devices;
	size_t devices_count;
	/* filled by the caller after service_decide */
	const char *cgroup; /* path below the cgroup2 mount */
	struct resolved_user user;
	struct spec_resources resources;
	struct service_security security;
};

/* Checks the options and merges them with the image. env is complete but for HOME. */
int service_decide(const struct csn_container_options *options, const struct image_record *image,
		   const char *id, struct service *ret, struct arena *arena, struct csn_error *err);

/* The n-th mount of the options: they step by their own size. */
const struct csn_mount *service_mount(const struct csn_container_options *options, size_t n);

/* Sets name in a list of "NAME=value" with room for one more: replaces or appends. */
void env_set(char **env, size_t *count, char *entry);
/* The value of name, or NULL. */
const char *env_get(char *const *env, size_t count, const char *name);

/* "PATH=…" of a container whose image has none. */
extern const char service_default_path[];

/* ---- images out of containers (to_image.c) ----------------------------------------------------
 */

/* What a container's config says beyond its image, as instructions of a Dockerfile. user: the
 * image's. */
int service_to_instructions(const struct spec *spec, const struct image_config *image,
			    const struct resolved_user *user, char ***ret, size_t *ret_count,
			    struct arena *arena, struct csn_error *err);
/* ---- health (health.c) ------------------------------------------------------------------------
 */

/* The check that options (may be NULL) and image make together, with every default in its place;
 * a command is one for execve. CSN_HEALTHCHECK_OFF: none. */
int service_health_decide(const struct csn_healthcheck *given, const struct image_record *image,
			  struct csn_healthcheck *ret, struct arena *arena, struct csn_error *err);

/* ---- logs (log_options.c) ---------------------------------------------------------------------
 */

struct service_log {
	uint64_t max_size; /* bytes of a file; 0: no limit */
	uint32_t max_files;
};
int service_log_decide(const char *const *options, struct service_log *ret, struct csn_error *err);

/* ---- limits (resources.c) ---------------------------------------------------------------------
 */

struct service_device {
	int64_t major, minor;
};
/* Options as OCI resources. devices: the numbers of r->devices, in their order. */
int service_resources(const struct csn_resources *r, const struct service_device *devices,
		      bool creating, struct spec_resources *ret, struct arena *arena,
		      struct csn_error *err);
/* The n-th device limit of the options: they step by their own size. */
const struct csn_device_limit *service_device_limit(const struct csn_resources *r, size_t n);
/* What an update sets over what there is; both together are checked. */
int service_merge_resources(struct spec_resources *into, const struct spec_resources *with,
			    struct arena *arena, struct csn_error *err);
/* Writes them as member key. */
void service_put_resources(struct json_out *o, const char *key, const struct spec_resources *r);

/* ---- OCI (to_oci.c) ---------------------------------------------------------------------------
 */

/* Files of the host that are bound over the image's, by absolute path; NULL: none. */
struct service_files {
	const char *hosts, *hostname, *resolv_conf;
	const char *init; /* caisson-init, when it is asked for */
};

/* The container's config.json: malloc'd. */
int service_to_oci(const struct service *s, const struct service_files *files, char **ret,
		   struct csn_error *err);
/* Its process object alone: malloc'd. */
int service_to_process(const struct service *s, char **ret, struct csn_error *err);

#endif
