/*
 * The Runtime interface of a host agent: containers by (service, replica), one handle whether real
 * containers or a mock stand behind it.
 *
 * The conventions of caisson.h hold here too. Every failure has a kind (struct csn_error), a
 * subject and a reason, and its text is the sentence that agents show: "Container 'web-rep-1' not
 * found: container not found".
 *
 * Threads: a struct csn_rt may be shared by any number of threads. A stream made from it belongs to
 * one thread at a time. Every call that waits takes a timeout in milliseconds (negative: no limit),
 * and what it waits for can be polled instead: csn_rt_wait_fd, csn_exec_stream_fd,
 * csn_log_stream_fd, csn_sample_stream_fd, csn_progress_stream_fd.
 *
 * A method that a runtime does not have fails with CSN_ERROR_UNSUPPORTED (-EOPNOTSUPP), or gives
 * the default that its comment tells.
 */
#ifndef CAISSON_RUNTIME_H
#define CAISSON_RUNTIME_H

#include "caisson-inside.h"
#include "caisson-network.h"
#include "caisson-registry.h"
#include "caisson-runtime-images.h"
#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors -----------------------------------------------------------------------------------
 */

/* "not_found", "pull_failed", … */
CSN_API const char *csn_error_kind_name(enum csn_error_kind kind);
/* The container, image or service that err is about, with its length; "" and 0 for none. */
CSN_API const char *csn_error_subject(const struct csn_error *err, size_t *ret_size);
/* What is behind the kind's own words; never NULL. */
CSN_API const char *csn_error_reason(const struct csn_error *err);

/* ---- identity ---------------------------------------------------------------------------------
 */

/*
 * Which container: a service's replica, and in a cluster the role that it plays and its node.
 * service: 1 to 63 of [A-Za-z0-9_.-], first and last a letter or digit. role: 1 to 30 of
 * [a-z0-9-], first a letter, last no "-".
 */
struct csn_container_id {
	char service[64];
	char role[32]; /* "default" */
	uint32_t replica;
	uint64_t node_id; /* 0 */
};
#define CSN_CONTAINER_ID_TEXT 129 /* the longest text of an id, with its end */

/* {service, "default", replica, 0}. -EINVAL: the service's name cannot be. */
CSN_API int csn_container_id_make(const char *service, uint32_t replica,
				  struct csn_container_id *ret,
				  struct csn_error *err) CSN_MUST_CHECK;
/* "web-rep-1", or for another role or node "web-primary-1-on-7". It is the container's name in the
 * engine, its host name by default, and the last part of its cgroup. */
CSN_API int csn_container_id_format(const struct csn_container_id *id,
				    char ret_text[CSN_CONTAINER_ID_TEXT],
				    struct csn_error *err) CSN_MUST_CHECK;
/* The opposite, read from the right, so that a service may have any "-" in its name. -EINVAL for a
 * text that is no such id. */
CSN_API int csn_container_id_parse(const char *text, struct csn_container_id *ret,
				   struct csn_error *err) CSN_MUST_CHECK;
/* Role "default" on node 0. */
CSN_API bool csn_container_id_is_legacy(const struct csn_container_id *id);

/* ---- signals and ends --------------------------------------------------------------------------
 */

/*
 * The canonical name of a signal that an agent may send: trimmed, upper case, with SIG in front.
 * CSN_ERROR_INVALID_SPEC for an empty text and for anything but SIGKILL, SIGTERM, SIGINT, SIGHUP,
 * SIGUSR1 and SIGUSR2.
 */
CSN_API int csn_validate_signal(const char *text, const char **ret_name,
				struct csn_error *err) CSN_MUST_CHECK;
/*
 * The name of the signal that an exit code above 128 tells of, by the interface's own table (17 is
 * SIGSTOP and 18 SIGCONT there, whatever they are on this machine); one that it does not know is
 * "signal_<n>". NULL for a code up to 128. buf holds the made-up names. The true name of a
 * container's signal is in struct csn_wait_outcome.
 */
CSN_API const char *csn_signal_name_from_exit_code(int code, char buf[24]);

/* The reason of that name: "exited" … -EINVAL: none has it. */
CSN_API int csn_wait_reason_parse(const char *name, enum csn_wait_reason *ret,
				  struct csn_error *err) CSN_MUST_CHECK;
/* {"exit_code":137,"reason":"signal","signal":"SIGKILL","finished_at":"2026-…Z"}; signal and
 * finished_at are null where there is none. csn_free() it. */
CSN_API int csn_wait_outcome_to_json(const struct csn_wait_outcome *outcome, char **ret_json,
				     struct csn_error *err) CSN_MUST_CHECK;
CSN_API int csn_wait_outcome_from_json(const char *json, size_t size, struct csn_wait_outcome *ret,
				       struct csn_error *err) CSN_MUST_CHECK;

/* ---- statistics -------------------------------------------------------------------------------
 */

struct csn_rt_stats {
	size_t size;
	uint64_t cpu_usage_usec;
	uint64_t memory_bytes;
	uint64_t memory_limit; /* UINT64_MAX: none */
	int64_t timestamp_ns;  /* CLOCK_MONOTONIC */
};
#define CSN_RT_STATS_INIT                                                                          \
	{                                                                                          \
		sizeof(struct csn_rt_stats), 0, 0, 0, 0                                            \
	}

/* Of the limit, 0 to 100; 0.0 without a limit. */
CSN_API double csn_memory_percent(const struct csn_rt_stats *stats);
/* Of cpus processors between two samples; 0.0 without time or processors, or after a reset of the
 * counter. */
CSN_API double csn_cpu_percent(const struct csn_rt_stats *previous,
			       const struct csn_rt_stats *current, unsigned cpus);

/* ---- what a service asks for -------------------------------------------------------------------
 */

/*
 * One service of a deployment, decoded and checked. A text that is JSON or YAML: the whole
 * deployment (version, deployment, services) or one service alone. Unknown fields are refused, and
 * every error names the field's dotted path.
 */
struct csn_service;
enum csn_service_format { CSN_FORMAT_JSON, CSN_FORMAT_YAML };
/* service NULL: text is one service; else text is a deployment that has it. */
CSN_API int csn_service_parse(const char *text, size_t size, enum csn_service_format format,
			      const char *service, struct csn_service **ret,
			      struct csn_error *err) CSN_MUST_CHECK;
CSN_API void csn_service_free(struct csn_service *service);

/* ---- the runtime -------------------------------------------------------------------------------
 */

struct csn_rt;

/* Real containers. config as for csn_runtime_open_native, which is called. */
CSN_API int csn_rt_open_native(const struct csn_config *config, struct csn_rt **ret,
			       struct csn_error *err) CSN_MUST_CHECK;
/* No containers at all: answers as the interface's mock does, from memory. */
CSN_API int csn_rt_open_mock(struct csn_rt **ret, struct csn_error *err) CSN_MUST_CHECK;
/* No other call may be under way. Containers go on running. NULL is accepted. */
CSN_API void csn_rt_close(struct csn_rt *rt);
/* The mock without all that has a default: what an agent meets in a runtime that can do the least.
 */
CSN_API int csn_rt_open_bare(struct csn_rt **ret, struct csn_error *err) CSN_MUST_CHECK;
/* "native", "mock", "bare". */
CSN_API const char *csn_rt_name(const struct csn_rt *rt);
/* Where an overlay network is attached to its containers: to their network namespaces, to an
 * address of the host, or inside of a guest. Default: CSN_OVERLAY_HOST_NETNS, as on Linux. */
enum csn_overlay_attach_kind {
	CSN_OVERLAY_HOST_NETNS,
	CSN_OVERLAY_HOST_IP,
	CSN_OVERLAY_IN_GUEST_VSOCK
};
CSN_API enum csn_overlay_attach_kind csn_rt_overlay_attach_kind(const struct csn_rt *rt);
/* The engine behind a native runtime (csn_container_*, csn_image_*), where each container is known
 * by the text of its id; owned by rt. NULL for a mock. */
CSN_API struct csn_runtime *csn_rt_engine(struct csn_rt *rt);

/* ---- how services are made containers of -------------------------------------------------------
 */

/* Which secret a value of env stands for: "$S:NAME", "$S:@SERVICE/NAME", "$S::ENV/NAME" or
 * "$S:PROJECT:ENV/NAME". (A field behind it, "/FIELD", is taken from the value by the library: that
 * must then be a JSON object.) */
struct csn_secret {
	size_t size;
	const char *scope;   /* the deployment, or "deployment/SERVICE" with @SERVICE */
	const char *service; /* this and the next two: NULL where they are not said */
	const char *project, *environment;
	const char *name;
};
/* Where a callback puts the value; any bytes but NUL. 0 or -ENOMEM. */
struct csn_secret_value;
CSN_API int csn_secret_set(struct csn_secret_value *to, const char *value, size_t size);

/*
 * How containers may call the agent back. Each start of one (by csn_rt_start_container; not a
 * restart by its policy) gives its program PREFIXAPI_URL, PREFIXTOKEN (a JSON Web Token, RFC 7519,
 * signed by HS256) and PREFIXSOCKET. The token says: sub "container:SERVICE:SERVICE-N", iat, exp,
 * iss, roles ["container"]. Who may read the container's config (root alone) or its environment has
 * it.
 */
struct csn_container_auth_context {
	size_t size;
	const char *api_url; /* "http://127.0.0.1:3669"; required */
	const char *jwt_secret;
	size_t jwt_secret_size;	   /* at least 1 byte */
	const char *socket_path;   /* absolute, on the host; NULL: none is mounted */
	const char *socket_target; /* where it is in containers; NULL: "/var/run/zlayer.sock" */
	const char *env_prefix;	   /* NULL: "ZLAYER_" */
	const char *issuer;	   /* NULL: "zlayer" */
	int64_t ttl_s;		   /* 0: 365 days */
};
#define CSN_CONTAINER_AUTH_CONTEXT_INIT                                                            \
	{                                                                                          \
		sizeof(struct csn_container_auth_context), NULL, NULL, 0, NULL, NULL, NULL, NULL,  \
			0                                                                          \
	}

struct csn_rt_options {
	size_t size;
	/* The network of services that name none (network_mode default), where each is also known
	 * by the name of its service; it must exist. NULL: "bridge". */
	const char *network;
	/* Called when a container is created, from that thread, maybe by several at once: 0 after
	 * csn_secret_set; -ENOENT: there is no such secret; another failure is worded in *err.
	 * NULL: a service with secrets cannot be created. */
	int (*secret)(void *data, const struct csn_secret *which, struct csn_secret_value *ret,
		      struct csn_error *err);
	void *secret_data;
	/* Called likewise, with one line about something that a container does without. NULL:
	 * nobody wants to know. */
	void (*warn)(void *data, const char *container, const char *text);
	void *warn_data;
	const struct csn_container_auth_context *auth; /* copied; NULL: containers get none */
};
#define CSN_RT_OPTIONS_INIT                                                                        \
	{                                                                                          \
		sizeof(struct csn_rt_options), NULL, NULL, NULL, NULL, NULL, NULL                  \
	}
/* Sets them for what is created and started from now on; texts are copied. No other call may be
 * under way. */
CSN_API int csn_rt_configure(struct csn_rt *rt, const struct csn_rt_options *options,
			     struct csn_error *err) CSN_MUST_CHECK;

/* ---- images ------------------------------------------------------------------------------------
 */

/* With the policy if-not-present, and credentials looked up by the registry's name. */
CSN_API int csn_rt_pull_image(struct csn_rt *rt, const char *image,
			      struct csn_error *err) CSN_MUST_CHECK;
/* auth NULL: looked up likewise. CSN_ERROR_PULL_FAILED. */
CSN_API int csn_rt_pull_image_with_policy(struct csn_rt *rt, const char *image,
					  enum csn_pull_policy policy,
					  const struct csn_registry_options *auth,
					  struct csn_error *err) CSN_MUST_CHECK;
/* Sorted by reference. */
CSN_API int csn_rt_list_images(struct csn_rt *rt, struct csn_images **ret,
			       struct csn_error *err) CSN_MUST_CHECK;
/* force: also when containers stand on it. CSN_ERROR_NOT_FOUND. */
CSN_API int csn_rt_remove_image(struct csn_rt *rt, const char *image, bool force,
				struct csn_error *err) CSN_MUST_CHECK;

/* ---- life --------------------------------------------------------------------------------------
 */

/*
 * Makes a container that can be started; its state is pending. One of the same id that was left
 * over is stopped (5 s) and removed first. CSN_ERROR_CREATE_FAILED, CSN_ERROR_INVALID_SPEC.
 */
CSN_API int csn_rt_create_container(struct csn_rt *rt, const struct csn_container_id *id,
				    const struct csn_service *service,
				    struct csn_error *err) CSN_MUST_CHECK;
/* Runs it; one that has ended runs again on the same files. CSN_ERROR_START_FAILED. */
CSN_API int csn_rt_start_container(struct csn_rt *rt, const struct csn_container_id *id,
				   struct csn_error *err) CSN_MUST_CHECK;
/* Its stop signal to its first process, up to timeout_ms, then SIGKILL to all, until they are gone.
 * 0 also when it does not run. CSN_ERROR_NOT_FOUND. */
CSN_API int csn_rt_stop_container(struct csn_rt *rt, const struct csn_container_id *id,
				  int timeout_ms, struct csn_error *err) CSN_MUST_CHECK;
/* Kills it if it runs and removes all of it. 0 also when there is none. */
CSN_API int csn_rt_remove_container(struct csn_rt *rt, const struct csn_container_id *id,
				    struct csn_error *err) CSN_MUST_CHECK;
/* signal NULL: SIGKILL. It is validated (csn_validate_signal) before anything else. */
CSN_API int csn_rt_kill_container(struct csn_rt *rt, const struct csn_container_id *id,
				  const char *signal, struct csn_error *err) CSN_MUST_CHECK;

/* Freezes all its processes; its state stays running. CSN_ERROR_INVALID_SPEC: it does not run, or
 * is paused already. Default: CSN_ERROR_UNSUPPORTED. */
CSN_API int csn_rt_pause_container(struct csn_rt *rt, const struct csn_container_id *id,
				   struct csn_error *err) CSN_MUST_CHECK;
CSN_API int csn_rt_unpause_container(struct csn_rt *rt, const struct csn_container_id *id,
				     struct csn_error *err) CSN_MUST_CHECK;

/*
 * Gives it another name in the engine and for people: [a-zA-Z0-9][a-zA-Z0-9_.-]*, blanks around it
 * are dropped. Its id stays what it is. CSN_ERROR_INVALID_SPEC: a name that cannot be or is taken.
 * Default: CSN_ERROR_UNSUPPORTED.
 */
CSN_API int csn_rt_rename_container(struct csn_rt *rt, const struct csn_container_id *id,
				    const char *name, struct csn_error *err) CSN_MUST_CHECK;

/* Numbers: NULL leaves it as it is. */
struct csn_resource_update {
	size_t size;
	const int64_t *cpu_shares;	    /* 2 to 262144 */
	const int64_t *memory;		    /* bytes; 0 and less: no limit */
	const int64_t *cpu_period;	    /* microseconds */
	const int64_t *cpu_quota;	    /* microseconds; 0 and less: no limit */
	const int64_t *cpu_realtime_period; /* not applied, with a warning */
	const int64_t *cpu_realtime_runtime;
	const char *cpuset_cpus, *cpuset_mems; /* "0-1,3" */
	const int64_t *memory_reservation;     /* bytes; 0 and less: none */
	const int64_t *memory_swap;	       /* memory and swap together; -1: no limit */
	const int64_t *kernel_memory;	       /* not applied, with a warning */
	const int64_t *blkio_weight;	       /* 10 to 1000 */
	const int64_t *pids_limit;	       /* 0 and less: no limit */
	const char *restart_policy; /* "no", "always", "unless-stopped", "on-failure"; NULL and "":
				     * as it is */
	const int64_t *restart_maximum_retry_count; /* with on-failure, of this or of the container;
						     * 0: no limit */
};
#define CSN_RESOURCE_UPDATE_INIT                                                                   \
	{                                                                                          \
		sizeof(struct csn_resource_update), NULL, NULL, NULL, NULL, NULL, NULL, NULL,      \
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL                             \
	}
/* All of it or nothing; what a kernel of today does not know is told in *ret_warnings. Nothing
 * given: nothing to do. CSN_ERROR_INVALID_SPEC: values that cannot be. Default:
 * CSN_ERROR_UNSUPPORTED. */
CSN_API int csn_rt_update_container_resources(struct csn_rt *rt, const struct csn_container_id *id,
					      const struct csn_resource_update *update,
					      struct csn_texts **ret_warnings,
					      struct csn_error *err) CSN_MUST_CHECK;
/* Removes all containers that do not run: *ret_deleted are their names, *ret_bytes what they took
 * on disk. Default: CSN_ERROR_UNSUPPORTED. */
CSN_API int csn_rt_prune_containers(struct csn_rt *rt, struct csn_texts **ret_deleted,
				    uint64_t *ret_bytes, struct csn_error *err) CSN_MUST_CHECK;

struct csn_container_summary {
	const char *runtime_id;		/* 64 hex digits */
	const char *container_id_label; /* its label com.zlayer.container_id; NULL: none, it is not
					 * an agent's */
};
struct csn_container_summaries; /* NULL is an empty list */
CSN_API size_t csn_container_summaries_count(const struct csn_container_summaries *list);
/* Owned by the list. index must be less than the count. */
CSN_API const struct csn_container_summary *csn_container_summaries_get(
	const struct csn_container_summaries *list, size_t index);
CSN_API void csn_container_summaries_free(struct csn_container_summaries *list);
/* All that there are, running or not. Default: none. */
CSN_API int csn_rt_list_containers(struct csn_rt *rt, struct csn_container_summaries **ret,
				   struct csn_error *err) CSN_MUST_CHECK;

struct csn_container_state {
	size_t size;
	enum csn_state state; /* running also while paused */
	int exit_code;	      /* with CSN_STATE_EXITED */
	bool paused;
	char reason[256]; /* with CSN_STATE_FAILED */
};
#define CSN_CONTAINER_STATE_INIT                                                                   \
	{                                                                                          \
		sizeof(struct csn_container_state), CSN_STATE_PENDING, 0, false, ""                \
	}
CSN_API int csn_rt_container_state(struct csn_rt *rt, const struct csn_container_id *id,
				   struct csn_container_state *ret,
				   struct csn_error *err) CSN_MUST_CHECK;

/* The pid of the first process on the host; 0: it does not run. */
CSN_API int csn_rt_get_container_pid(struct csn_rt *rt, const struct csn_container_id *id, int *ret,
				     struct csn_error *err) CSN_MUST_CHECK;
/* The address in text; "" when it has none (yet). */
CSN_API int csn_rt_get_container_ip(struct csn_rt *rt, const struct csn_container_id *id,
				    char ret[46], struct csn_error *err) CSN_MUST_CHECK;
/* The port that stands in for the service's own; 0: none. Default: none. The native runtime gives
 * each container on the host's network one that is free, in the variable PORT too, unless the
 * service says a PORT itself. */
CSN_API int csn_rt_get_container_port_override(struct csn_rt *rt, const struct csn_container_id *id,
					       uint16_t *ret, struct csn_error *err) CSN_MUST_CHECK;
/* The published ports. Default: CSN_ERROR_UNSUPPORTED. */
CSN_API int csn_rt_port_mappings_container(struct csn_rt *rt, const struct csn_container_id *id,
					   struct csn_ports **ret,
					   struct csn_error *err) CSN_MUST_CHECK;

struct csn_network_attachment {
	const char *network;
	const char *const *aliases; /* ends with NULL */
	const char *ipv4;	    /* NULL: none */
};
struct csn_health_detail {
	const char *status;	 /* "none", "starting", "healthy", "unhealthy" */
	uint32_t failing_streak; /* with has_failing_streak */
	bool has_failing_streak;
	const char *last_output; /* of the last check; NULL: there was none */
};
/* Everything in it is owned by it. */
struct csn_container_details {
	const struct csn_port_mapping *ports;
	size_t ports_count;
	const struct csn_network_attachment *networks;
	size_t networks_count;
	const char *ipv4;			/* the first one that it has; NULL: none */
	const struct csn_health_detail *health; /* NULL: it has no health check, or no start yet */
	int exit_code;				/* with has_exit_code */
	bool has_exit_code;
};
/* Default: nothing of all that, and no failure for an unknown container. */
CSN_API int csn_rt_inspect_detailed(struct csn_rt *rt, const struct csn_container_id *id,
				    struct csn_container_details **ret,
				    struct csn_error *err) CSN_MUST_CHECK;
CSN_API void csn_container_details_free(struct csn_container_details *details);

/* Its processes, as csn_container_top() has them. Default: CSN_ERROR_UNSUPPORTED. */
CSN_API int csn_rt_top_container(struct csn_rt *rt, const struct csn_container_id *id,
				 const char *const *ps_args, struct csn_top **ret,
				 struct csn_error *err) CSN_MUST_CHECK;
/* An identifier of its network that only other systems have; "" on Linux. Default: "". */
CSN_API int csn_rt_get_container_namespace_id(struct csn_rt *rt, const struct csn_container_id *id,
					      char ret[64], struct csn_error *err) CSN_MUST_CHECK;
/* Brings what its volumes hold to where they are kept. Default: nothing to do. */
CSN_API int csn_rt_sync_container_volumes(struct csn_rt *rt, const struct csn_container_id *id,
					  struct csn_error *err) CSN_MUST_CHECK;

/* ---- waiting -----------------------------------------------------------------------------------
 */

/* Until it has ended: its exit code. CSN_ERROR_TIMEOUT, CSN_ERROR_NOT_FOUND. */
CSN_API int csn_rt_wait_container(struct csn_rt *rt, const struct csn_container_id *id,
				  int timeout_ms, int *ret_code,
				  struct csn_error *err) CSN_MUST_CHECK;
/* And why. Default: what csn_rt_wait_container says, as CSN_WAIT_EXITED. */
CSN_API int csn_rt_wait_outcome(struct csn_rt *rt, const struct csn_container_id *id,
				int timeout_ms, struct csn_wait_outcome *ret,
				struct csn_error *err) CSN_MUST_CHECK;
/* "not-running" (also ""), "next-exit", "removed". */
CSN_API const char *csn_wait_condition_name(enum csn_wait_condition condition);
CSN_API int csn_wait_condition_parse(const char *name, enum csn_wait_condition *ret,
				     struct csn_error *err) CSN_MUST_CHECK;
/* Default: csn_rt_wait_outcome, whatever the condition. */
CSN_API int csn_rt_wait_outcome_with_condition(struct csn_rt *rt, const struct csn_container_id *id,
					       enum csn_wait_condition condition, int timeout_ms,
					       struct csn_wait_outcome *ret,
					       struct csn_error *err) CSN_MUST_CHECK;
/* An fd that becomes readable when csn_rt_wait_outcome has an answer; close(2) it. */
CSN_API int csn_rt_wait_fd(struct csn_rt *rt, const struct csn_container_id *id, int *ret_fd,
			   struct csn_error *err) CSN_MUST_CHECK;

/* ---- logs --------------------------------------------------------------------------------------
 */

enum csn_log_source { CSN_LOG_CONTAINER, CSN_LOG_JOB, CSN_LOG_BUILD, CSN_LOG_DAEMON };

struct csn_log_entry {
	int64_t timestamp_ns;
	enum csn_stream stream;
	const char *message; /* any bytes, no newline at the end */
	size_t message_size;
	enum csn_log_source source;
	const char *source_id;		  /* NULL with CSN_LOG_DAEMON */
	const char *service, *deployment; /* NULL: not said */
};

/* A list, oldest first. */
struct csn_log_entries;
CSN_API size_t csn_log_entries_count(const struct csn_log_entries *entries);
/* Owned by the list. index must be less than the count. */
CSN_API const struct csn_log_entry *csn_log_entries_get(const struct csn_log_entries *entries,
							size_t index);
CSN_API void csn_log_entries_free(struct csn_log_entries *entries);
/* {"timestamp":…,"stream":"stdout","message":…,"source":{"type":"container","id":…}}, with
 * "service" and "deployment" where they are said; bytes that are no UTF-8 become U+FFFD. csn_free()
 * it. */
CSN_API int csn_log_entry_to_json(const struct csn_log_entry *entry, char **ret_json,
				  struct csn_error *err) CSN_MUST_CHECK;

/* The last tail entries of both streams in the order in which they were written; 0: all. */
CSN_API int csn_rt_container_logs(struct csn_rt *rt, const struct csn_container_id *id,
				  uint64_t tail, struct csn_log_entries **ret,
				  struct csn_error *err) CSN_MUST_CHECK;
/* All of them. */
CSN_API int csn_rt_get_logs(struct csn_rt *rt, const struct csn_container_id *id,
			    struct csn_log_entries **ret, struct csn_error *err) CSN_MUST_CHECK;

struct csn_logs_stream_options {
	size_t size;
	bool follow;	  /* wait for more until the container ends */
	int64_t tail;	  /* only the last so many lines; negative: all */
	int64_t since_ns; /* only what was written then or later; 0: no limit */
	int64_t until_ns; /* only what was written until then; 0: no limit */
	bool timestamps;
	bool want_stdout, want_stderr; /* neither: both */
};
#define CSN_LOGS_STREAM_OPTIONS_INIT                                                               \
	{                                                                                          \
		sizeof(struct csn_logs_stream_options), false, -1, 0, 0, false, false, false       \
	}
/* A line, with the newline that it had. */
struct csn_log_chunk {
	size_t size;
	enum csn_stream stream;
	const char *bytes; /* any; valid until the next call */
	size_t length;
	int64_t timestamp_ns; /* 0: not said */
};
#define CSN_LOG_CHUNK_INIT                                                                         \
	{                                                                                          \
		sizeof(struct csn_log_chunk), CSN_STREAM_STDOUT, NULL, 0, 0                        \
	}
/* "stdin", "stdout", "stderr". */
CSN_API const char *csn_stream_name(enum csn_stream stream);

struct csn_log_stream;
/* Both streams in the order in which they were written. It ends with the container, too. Default:
 * CSN_ERROR_UNSUPPORTED. */
CSN_API int csn_rt_logs_stream(struct csn_rt *rt, const struct csn_container_id *id,
			       const struct csn_logs_stream_options *options,
			       struct csn_log_stream **ret, struct csn_error *err) CSN_MUST_CHECK;
/* The next line: 1. 0: there are no more. -EAGAIN: none within timeout_ms (0: do not wait). */
CSN_API int csn_log_stream_next(struct csn_log_stream *stream, int timeout_ms,
				struct csn_log_chunk *ret, struct csn_error *err) CSN_MUST_CHECK;
/* Readable when csn_log_stream_next may have news, after it said -EAGAIN. Owned by the stream. */
CSN_API int csn_log_stream_fd(const struct csn_log_stream *stream);
CSN_API void csn_log_stream_close(struct csn_log_stream *stream);
/* A mock's next line of that container, a copy. Behind the queued ones a stream that follows waits,
 * another ends. -EINVAL: no mock. */
CSN_API int csn_rt_mock_queue_log(struct csn_rt *rt, const struct csn_container_id *id,
				  const struct csn_log_chunk *chunk,
				  struct csn_error *err) CSN_MUST_CHECK;

/* ---- exec --------------------------------------------------------------------------------------
 */

struct csn_exec_result {
	size_t size;
	int exit_code;	 /* 128+N for signal N */
	char *out, *err; /* what it wrote, any bytes, each with a 0 behind its end */
	size_t out_size, err_size;
};
#define CSN_EXEC_RESULT_INIT                                                                       \
	{                                                                                          \
		sizeof(struct csn_exec_result), 0, NULL, NULL, 0, 0                                \
	}
/* Frees what it points to. */
CSN_API void csn_exec_result_done(struct csn_exec_result *result);
/* Runs argv (ends with NULL) in the container until it ends. CSN_ERROR_INVALID_SPEC for an empty
 * argv. After timeout_ms it is killed: CSN_ERROR_TIMEOUT. */
CSN_API int csn_rt_exec(struct csn_rt *rt, const struct csn_container_id *id,
			const char *const *argv, int timeout_ms, struct csn_exec_result *ret,
			struct csn_error *err) CSN_MUST_CHECK;

/* As another user, elsewhere, with more in the environment. Its members tty and stdin_open are not
 * looked at. Default: the command alone, by csn_rt_exec. */
CSN_API int csn_rt_exec_with_opts(struct csn_rt *rt, const struct csn_container_id *id,
				  const struct csn_exec_options *options, int timeout_ms,
				  struct csn_exec_result *ret,
				  struct csn_error *err) CSN_MUST_CHECK;

enum csn_exec_event_kind { CSN_EXEC_STDOUT, CSN_EXEC_STDERR, CSN_EXEC_EXIT };
struct csn_exec_event {
	size_t size;
	enum csn_exec_event_kind kind;
	const char *bytes; /* valid until the next call; NULL with CSN_EXEC_EXIT */
	size_t length;
	int exit_code; /* with CSN_EXEC_EXIT */
};
#define CSN_EXEC_EVENT_INIT                                                                        \
	{                                                                                          \
		sizeof(struct csn_exec_event), CSN_EXEC_STDOUT, NULL, 0, 0                         \
	}
struct csn_exec_stream;
/* As csn_rt_exec, each piece of output as it comes. Default: the buffered call, and then at most
 * one event for each stream. */
CSN_API int csn_rt_exec_stream(struct csn_rt *rt, const struct csn_container_id *id,
			       const char *const *argv, struct csn_exec_stream **ret,
			       struct csn_error *err) CSN_MUST_CHECK;
/* The next event: 1. 0: there are no more; CSN_EXEC_EXIT came before, exactly once. -EAGAIN: none
 * within timeout_ms (0: do not wait). */
CSN_API int csn_exec_stream_next(struct csn_exec_stream *stream, int timeout_ms,
				 struct csn_exec_event *ret, struct csn_error *err) CSN_MUST_CHECK;
/* Readable when csn_exec_stream_next may have news. Owned by the stream. */
CSN_API int csn_exec_stream_fd(const struct csn_exec_stream *stream);
/* The process is killed if it has not ended. */
CSN_API void csn_exec_stream_close(struct csn_exec_stream *stream);

/* An interactive process. With tty it has a terminal of its own, whose output is all stdout;
 * without one its output comes apart. With stdin_open or tty its input is open. Default:
 * CSN_ERROR_UNSUPPORTED. */
CSN_API int csn_rt_exec_pty(struct csn_rt *rt, const struct csn_container_id *id,
			    const struct csn_exec_options *options, struct csn_exec_stream **ret,
			    struct csn_error *err) CSN_MUST_CHECK;
/* Sends up to size bytes to its input: how many were taken. -EAGAIN: none within timeout_ms (0: do
 * not wait). Its output has to be read meanwhile. -EPIPE: it takes no input. */
CSN_API int csn_exec_stream_write(struct csn_exec_stream *stream, const void *bytes, size_t size,
				  int timeout_ms, struct csn_error *err) CSN_MUST_CHECK;
/* The end of its input. -EAGAIN as above. */
CSN_API int csn_exec_stream_close_stdin(struct csn_exec_stream *stream, int timeout_ms,
					struct csn_error *err) CSN_MUST_CHECK;
/* The size of its terminal; without one nothing happens. */
CSN_API int csn_exec_stream_resize(struct csn_exec_stream *stream, unsigned rows, unsigned columns,
				   struct csn_error *err) CSN_MUST_CHECK;

/* To the input of the container's own process (stdin_open): all of it, within timeout_ms.
 * CSN_ERROR_TIMEOUT: how much was taken is not known. Default: CSN_ERROR_UNSUPPORTED. */
CSN_API int csn_rt_write_stdin(struct csn_rt *rt, const struct csn_container_id *id,
			       const void *bytes, size_t size, int timeout_ms,
			       struct csn_error *err) CSN_MUST_CHECK;
/* The end of that input. */
CSN_API int csn_rt_close_stdin(struct csn_rt *rt, const struct csn_container_id *id,
			       struct csn_error *err) CSN_MUST_CHECK;

/* ---- statistics of a container ------------------------------------------------------------------
 */

CSN_API int csn_rt_get_container_stats(struct csn_rt *rt, const struct csn_container_id *id,
				       struct csn_rt_stats *ret,
				       struct csn_error *err) CSN_MUST_CHECK;

/* Counters since the start; 0 for what is not counted here. */
struct csn_stats_sample {
	size_t size;
	uint64_t cpu_total_ns;	/* of the container */
	uint64_t cpu_system_ns; /* of the whole host, idle time and all */
	uint32_t online_cpus;	/* on which it may run */
	uint64_t mem_used_bytes;
	uint64_t mem_limit_bytes; /* 0: none */
	uint64_t net_rx_bytes, net_tx_bytes;
	uint64_t blkio_read_bytes, blkio_write_bytes;
	uint64_t pids_current;
	uint64_t pids_limit; /* 0: none */
	int64_t timestamp_ns;
};
#define CSN_STATS_SAMPLE_INIT                                                                      \
	{                                                                                          \
		sizeof(struct csn_stats_sample), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0                \
	}
struct csn_sample_stream;
/* A sample at once and one each interval_ms (0: a second) until the container ends.
 * CSN_ERROR_INVALID_SPEC: it does not run. Default: CSN_ERROR_UNSUPPORTED. */
CSN_API int csn_rt_stats_stream(struct csn_rt *rt, const struct csn_container_id *id,
				int interval_ms, struct csn_sample_stream **ret,
				struct csn_error *err) CSN_MUST_CHECK;
/* The next sample: 1. 0: the container has ended. -EAGAIN: none is due within timeout_ms (0: do not
 * wait). */
CSN_API int csn_sample_stream_next(struct csn_sample_stream *stream, int timeout_ms,
				   struct csn_stats_sample *ret,
				   struct csn_error *err) CSN_MUST_CHECK;
/* Readable when csn_sample_stream_next has an answer. Owned by the stream. */
CSN_API int csn_sample_stream_fd(const struct csn_sample_stream *stream);
CSN_API void csn_sample_stream_close(struct csn_sample_stream *stream);
/* A mock's next sample of that container; behind the queued ones its stream ends. -EINVAL: no mock.
 */
CSN_API int csn_rt_mock_queue_sample(struct csn_rt *rt, const struct csn_container_id *id,
				     const struct csn_stats_sample *sample,
				     struct csn_error *err) CSN_MUST_CHECK;

/* ---- files of a container -----------------------------------------------------------------------
 */

/* Default of all four: CSN_ERROR_UNSUPPORTED. See caisson-inside.h. */
CSN_API int csn_rt_changes_container(struct csn_rt *rt, const struct csn_container_id *id,
				     struct csn_changes **ret,
				     struct csn_error *err) CSN_MUST_CHECK;
/* CSN_ERROR_NOT_FOUND also: no such file. */
CSN_API int csn_rt_archive_head(struct csn_rt *rt, const struct csn_container_id *id,
				const char *path, struct csn_path_stat *ret,
				struct csn_error *err) CSN_MUST_CHECK;
/* Writes a tar archive to fd, which may be a pipe. */
CSN_API int csn_rt_archive_get(struct csn_rt *rt, const struct csn_container_id *id,
			       const char *path, int fd, struct csn_error *err) CSN_MUST_CHECK;
/* Reads a tar archive from fd. CSN_ERROR_INVALID_SPEC: path is no directory, or a file would have
 * been replaced by a directory or the other way round and the options say no to that. */
CSN_API int csn_rt_archive_put(struct csn_rt *rt, const struct csn_container_id *id,
			       const char *path, int fd,
			       const struct csn_archive_put_options *options,
			       struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
