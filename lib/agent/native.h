/* Parts of the native runtime. Inside lib/agent. */
#ifndef CSN_AGENT_NATIVE_H
#define CSN_AGENT_NATIVE_H

#include "agent/agent.h"

struct native {
	struct csn_rt base;
	struct csn_runtime *engine;
};
struct csn_runtime *engine_of(struct csn_rt *rt);

/* ---- failures (native.c) -----------------------------------------------------------------------
 */

/* A failure of the engine about container c: -ENOENT is that there is none. */
int about(const struct container_ref *c, int r, struct csn_error *err);
/* Not in the state for it: the caller's mistake. */
int wrong_state(const struct container_ref *c, int r, struct csn_error *err);
int timed_out(int timeout_ms, struct csn_error *err);

/* ---- rows of the table, by file ----------------------------------------------------------------
 */

/* native_images.c */
int native_pull(struct csn_rt *rt, const char *image, enum csn_pull_policy policy,
		const struct csn_registry_options *auth, struct csn_error *err);
int native_list_images(struct csn_rt *rt, struct csn_images **ret, struct csn_error *err);
int native_remove_image(struct csn_rt *rt, const char *image, bool force, struct csn_error *err);
int native_tag_image(struct csn_rt *rt, const char *source, const char *target,
		     struct csn_error *err);
int native_prune_images(struct csn_rt *rt, struct csn_texts **ret_deleted, uint64_t *ret_bytes,
			struct csn_error *err);
int native_image_details(struct csn_rt *rt, const char *image, struct csn_image_details **ret,
			 struct csn_error *err);
int native_image_history(struct csn_rt *rt, const char *image, struct csn_image_history **ret,
			 struct csn_error *err);
int native_pull_stream(struct csn_rt *rt, const char *image,
		       const struct csn_registry_options *auth, struct csn_progress_stream **ret,
		       struct csn_error *err);
int native_save_images(struct csn_rt *rt, const char *const *images, int fd, struct csn_error *err);
int native_load_images(struct csn_rt *rt, int fd, bool quiet, struct csn_progress_stream **ret,
		       struct csn_error *err);
int native_import_image(struct csn_rt *rt, int fd, const char *repo, const char *tag, char **ret_id,
			struct csn_error *err);

/* native_facts.c */
int native_state(struct csn_rt *rt, const struct container_ref *c, struct csn_container_state *ret,
		 struct csn_error *err);
int native_pid(struct csn_rt *rt, const struct container_ref *c, int *ret, struct csn_error *err);
int native_ip(struct csn_rt *rt, const struct container_ref *c, char ret[46],
	      struct csn_error *err);
int native_stats(struct csn_rt *rt, const struct container_ref *c, struct csn_rt_stats *ret,
		 struct csn_error *err);
int native_ports(struct csn_rt *rt, const struct container_ref *c, struct csn_ports **ret,
		 struct csn_error *err);
int native_details(struct csn_rt *rt, const struct container_ref *c,
		   struct csn_container_details **ret, struct csn_error *err);
int native_list(struct csn_rt *rt, struct csn_container_summaries **ret, struct csn_error *err);

/* native_inside.c */
int native_top(struct csn_rt *rt, const struct container_ref *c, const char *const *ps_args,
	       struct csn_top **ret, struct csn_error *err);
int native_changes(struct csn_rt *rt, const struct container_ref *c, struct csn_changes **ret,
		   struct csn_error *err);
int native_archive_head(struct csn_rt *rt, const struct container_ref *c, const char *path,
			struct csn_path_stat *ret, struct csn_error *err);
int native_archive_get(struct csn_rt *rt, const struct container_ref *c, const char *path, int fd,
		       struct csn_error *err);
int native_archive_put(struct csn_rt *rt, const struct container_ref *c, const char *path, int fd,
		       const struct csn_archive_put_options *options, struct csn_error *err);
int native_export(struct csn_rt *rt, const struct container_ref *c, int fd, struct csn_error *err);
int native_commit(struct csn_rt *rt, const struct container_ref *c,
		  const struct csn_rt_commit_options *options, char **ret_id,
		  struct csn_error *err);

/* native_streams.c */
int native_logs(struct csn_rt *rt, const struct container_ref *c, uint64_t tail,
		struct csn_log_entries **ret, struct csn_error *err);
int native_all_logs(struct csn_rt *rt, const struct container_ref *c, struct csn_log_entries **ret,
		    struct csn_error *err);
int native_logs_stream(struct csn_rt *rt, const struct container_ref *c,
		       const struct csn_logs_stream_options *options, struct csn_log_stream **ret,
		       struct csn_error *err);
int native_stats_stream(struct csn_rt *rt, const struct container_ref *c, int interval_ms,
			struct csn_sample_stream **ret, struct csn_error *err);

/* native_update.c */
int native_update(struct csn_rt *rt, const struct container_ref *c,
		  const struct csn_resource_update *update, struct csn_texts *warnings,
		  struct csn_error *err);

/* ---- options and exec --------------------------------------------------------------------------
 */

/* A service on its way to a container. */
struct making {
	const struct csn_service *service;
	const struct container_ref *c;
	const struct csn_rt_options *options;
	struct arena *arena;
};
/* Tells who configured the runtime about something that changes nothing of the flow. */
void making_warn(const struct making *m, const char *text);
/* What a value of env stands for ("$E:", "$S:"), or the value itself (secrets.c). */
int env_resolve(const struct making *m, const char *key, const char *value, const char **ret,
		struct csn_error *err);
/* What the service asks for, as options of an engine container of that name. All texts are the
 * service's, the options' or in the arena (native_options.c). */
int service_options(const struct making *m, struct csn_container_options *ret,
		    struct csn_error *err);

/* Of a service on the host's network (native_port.c): one that is free; 0: it is on another network
 * or says a PORT itself. What its program and a later host_port_read() learn it from; NULL without
 * memory. */
struct service_spec;
int host_port_choose(const struct service_spec *s, uint16_t *ret, struct csn_error *err);
const char *host_port_env(uint16_t port, struct arena *arena);
const char *host_port_label(uint16_t port, struct arena *arena);
int host_port_read(struct csn_runtime *engine, const char *container, uint16_t *ret,
		   struct csn_error *err);
/* Its health as the engine's check; NULL: it says nothing, and the image's stands
 * (native_health.c). */
int service_healthcheck(const struct service_spec *s, const struct csn_healthcheck **ret,
			struct arena *arena, struct csn_error *err);

/* Its storage and the agent's socket, as mounts (native_storage.c). */
int service_mounts(const struct making *m, struct csn_container_options *o, struct csn_error *err);

/* A stream over an exec's connection, which it owns, even on failure (native_exec.c). */
int exec_stream_of_attach(struct csn_attach *attach, bool has_input, bool has_terminal,
			  struct csn_exec_stream **ret, struct csn_error *err);
/* Input of a connection, as much as it takes; all of it; its end. -EAGAIN when that does not go
 * until the deadline. */
int attach_send(struct csn_attach *attach, const void *bytes, size_t size, int64_t deadline,
		struct csn_error *err);
int attach_send_all(struct csn_attach *attach, const char *bytes, size_t size, int64_t deadline,
		    struct csn_error *err);
int attach_end_input(struct csn_attach *attach, int64_t deadline, struct csn_error *err);
/* All of a stream. -ETIMEDOUT. */
int exec_stream_collect(struct csn_exec_stream *stream, int timeout_ms, struct csn_exec_result *ret,
			struct csn_error *err);

#endif
