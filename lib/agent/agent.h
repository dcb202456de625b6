/*
 * Inside of the Runtime interface: a table of operations with one row per method, the wrappers that
 * check and word (methods.c), and the runtimes behind it: mock.c from memory, native.c over the
 * engine that caisson.h declares. Nothing here knows how the engine does it.
 */
#ifndef CSN_AGENT_AGENT_H
#define CSN_AGENT_AGENT_H

#include "base/arena.h"
#include "base/cleanup.h"
#include "caisson-runtime.h"

/* ---- errors (error.c) --------------------------------------------------------------------------
 */

/* Words a failure of that kind; returns its negative errno value. subject is left out where the
 * kind has none. */
int fail_kind(struct csn_error *err, enum csn_error_kind kind, const char *subject,
	      const char *reason);
/* Gives a failure from below (r < 0) that has no kind yet this one, its text becoming the reason;
 * returns r. */
int as_kind(struct csn_error *err, int r, enum csn_error_kind kind, const char *subject);

/* ---- operations --------------------------------------------------------------------------------
 */

/*
 * Each gets a checked id together with its text, and fails without a kind unless it knows a better
 * one than its method's. NULL: the runtime does not have it (methods.c tells what happens then).
 */
struct container_ref {
	const struct csn_container_id *id;
	char text[CSN_CONTAINER_ID_TEXT];
};

struct rt_operations {
	const char *name;
	void (*close)(struct csn_rt *rt);
	struct csn_runtime *(*engine)(struct csn_rt *rt);

	int (*pull_image)(struct csn_rt *rt, const char *image, enum csn_pull_policy policy,
			  const struct csn_registry_options *auth, struct csn_error *err);
	int (*list_images)(struct csn_rt *rt, struct csn_images **ret, struct csn_error *err);
	int (*remove_image)(struct csn_rt *rt, const char *image, bool force,
			    struct csn_error *err);

	int (*tag_image)(struct csn_rt *rt, const char *source, const char *target,
			 struct csn_error *err);
	int (*prune_images)(struct csn_rt *rt, struct csn_texts **ret_deleted, uint64_t *ret_bytes,
			    struct csn_error *err);
	int (*image_details)(struct csn_rt *rt, const char *image, struct csn_image_details **ret,
			     struct csn_error *err);
	int (*image_history)(struct csn_rt *rt, const char *image, struct csn_image_history **ret,
			     struct csn_error *err);
	int (*search_images)(struct csn_rt *rt, const char *term, uint32_t limit, char **ret_json,
			     struct csn_error *err);
	int (*pull_stream)(struct csn_rt *rt, const char *image,
			   const struct csn_registry_options *auth,
			   struct csn_progress_stream **ret, struct csn_error *err);
	int (*save_images)(struct csn_rt *rt, const char *const *images, int fd,
			   struct csn_error *err);
	int (*load_images)(struct csn_rt *rt, int fd, bool quiet, struct csn_progress_stream **ret,
			   struct csn_error *err);
	int (*import_image)(struct csn_rt *rt, int fd, const char *repo, const char *tag,
			    char **ret_id, struct csn_error *err);

	int (*create)(struct csn_rt *rt, const struct container_ref *c,
		      const struct csn_service *service, struct csn_error *err);
	int (*start)(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err);
	int (*stop)(struct csn_rt *rt, const struct container_ref *c, int timeout_ms,
		    struct csn_error *err);
	int (*remove)(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err);
	int (*kill)(struct csn_rt *rt, const struct container_ref *c, const char *signal,
		    struct csn_error *err);

	int (*pause)(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err);
	int (*unpause)(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err);

	int (*rename)(struct csn_rt *rt, const struct container_ref *c, const char *name,
		      struct csn_error *err);
	int (*update)(struct csn_rt *rt, const struct container_ref *c,
		      const struct csn_resource_update *update, struct csn_texts *warnings,
		      struct csn_error *err);
	int (*prune)(struct csn_rt *rt, struct csn_texts **ret_deleted, uint64_t *ret_bytes,
		     struct csn_error *err);
	int (*list)(struct csn_rt *rt, struct csn_container_summaries **ret, struct csn_error *err);

	int (*state)(struct csn_rt *rt, const struct container_ref *c,
		     struct csn_container_state *ret, struct csn_error *err);
	int (*pid)(struct csn_rt *rt, const struct container_ref *c, int *ret,
		   struct csn_error *err);
	int (*ip)(struct csn_rt *rt, const struct container_ref *c, char ret[46],
		  struct csn_error *err);
	int (*port_override)(struct csn_rt *rt, const struct container_ref *c, uint16_t *ret,
			     struct csn_error *err);
	int (*ports)(struct csn_rt *rt, const struct container_ref *c, struct csn_ports **ret,
		     struct csn_error *err);
	int (*details)(struct csn_rt *rt, const struct container_ref *c,
		       struct csn_container_details **ret, struct csn_error *err);
	int (*top)(struct csn_rt *rt, const struct container_ref *c, const char *const *ps_args,
		   struct csn_top **ret, struct csn_error *err);
	int (*sync_volumes)(struct csn_rt *rt, const struct container_ref *c,
			    struct csn_error *err);

	int (*wait)(struct csn_rt *rt, const struct container_ref *c, int timeout_ms, int *ret_code,
		    struct csn_error *err);
	int (*wait_outcome)(struct csn_rt *rt, const struct container_ref *c, int timeout_ms,
			    struct csn_wait_outcome *ret, struct csn_error *err);
	int (*wait_for)(struct csn_rt *rt, const struct container_ref *c,
			enum csn_wait_condition condition, int timeout_ms,
			struct csn_wait_outcome *ret, struct csn_error *err);
	int (*wait_fd)(struct csn_rt *rt, const struct container_ref *c, int *ret_fd,
		       struct csn_error *err);

	int (*logs)(struct csn_rt *rt, const struct container_ref *c, uint64_t tail,
		    struct csn_log_entries **ret, struct csn_error *err);
	int (*all_logs)(struct csn_rt *rt, const struct container_ref *c,
			struct csn_log_entries **ret, struct csn_error *err);
	int (*logs_stream)(struct csn_rt *rt, const struct container_ref *c,
			   const struct csn_logs_stream_options *options,
			   struct csn_log_stream **ret, struct csn_error *err);
	int (*exec)(struct csn_rt *rt, const struct container_ref *c, const char *const *argv,
		    int timeout_ms, struct csn_exec_result *ret, struct csn_error *err);
	int (*exec_stream)(struct csn_rt *rt, const struct container_ref *c,
			   const char *const *argv, struct csn_exec_stream **ret,
			   struct csn_error *err);
	int (*exec_options)(struct csn_rt *rt, const struct container_ref *c,
			    const struct csn_exec_options *options, int timeout_ms,
			    struct csn_exec_result *ret, struct csn_error *err);
	int (*exec_pty)(struct csn_rt *rt, const struct container_ref *c,
			const struct csn_exec_options *options, struct csn_exec_stream **ret,
			struct csn_error *err);
	int (*write_stdin)(struct csn_rt *rt, const struct container_ref *c, const void *bytes,
			   size_t size, int timeout_ms, struct csn_error *err);
	int (*close_stdin)(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err);
	int (*stats)(struct csn_rt *rt, const struct container_ref *c, struct csn_rt_stats *ret,
		     struct csn_error *err);
	int (*stats_stream)(struct csn_rt *rt, const struct container_ref *c, int interval_ms,
			    struct csn_sample_stream **ret, struct csn_error *err);

	int (*changes)(struct csn_rt *rt, const struct container_ref *c, struct csn_changes **ret,
		       struct csn_error *err);
	int (*archive_head)(struct csn_rt *rt, const struct container_ref *c, const char *path,
			    struct csn_path_stat *ret, struct csn_error *err);
	int (*archive_get)(struct csn_rt *rt, const struct container_ref *c, const char *path,
			   int fd, struct csn_error *err);
	int (*archive_put)(struct csn_rt *rt, const struct container_ref *c, const char *path,
			   int fd, const struct csn_archive_put_options *options,
			   struct csn_error *err);
	int (*export_files)(struct csn_rt *rt, const struct container_ref *c, int fd,
			    struct csn_error *err);
	int (*commit)(struct csn_rt *rt, const struct container_ref *c,
		      const struct csn_rt_commit_options *options, char **ret_id,
		      struct csn_error *err);
};

/* A runtime's own struct begins with this one. */
struct csn_rt {
	const struct rt_operations *ops;
	struct arena options_arena;
	struct csn_rt_options options; /* all zero: the defaults */
};

/* Checks an auth context and puts a copy with its defaults in its place (auth.c). */
int auth_take(const struct csn_container_auth_context **auth, struct arena *arena,
	      struct csn_error *err);
/* The container's token, good from now (seconds since 1970) on; NULL without memory. */
char *auth_token(const struct csn_container_auth_context *auth, const struct csn_container_id *id,
		 int64_t now, struct arena *arena);

/* A checked id with its text. */
int refer(const struct csn_container_id *id, struct container_ref *ret, struct csn_error *err);
/* CSN_ERROR_UNSUPPORTED: "METHOD is not supported by this runtime". */
int method_unsupported(struct csn_error *err, const char *method);

/* ---- details (details.c) -----------------------------------------------------------------------
 */

/* What csn_rt_inspect_detailed gives out, with the memory behind it. */
struct details {
	struct csn_container_details is;
	struct arena arena;
	struct csn_health_detail health;
};
struct details *details_new(void); /* NULL without memory */

/* A list of containers to be filled; NULL and false without memory. */
struct csn_container_summaries *summaries_new(void);
bool summaries_add(struct csn_container_summaries *list, const char *runtime_id, const char *label);

/* ---- logs (entries.c) --------------------------------------------------------------------------
 */

/* An empty list; NULL without memory. */
struct csn_log_entries *log_entries_new(void);
/* Appends a copy. False without memory. */
bool log_entries_add(struct csn_log_entries *entries, const struct csn_log_entry *entry);

/* ---- streams of exec (exec_stream.c) -----------------------------------------------------------
 */

/* A kind of stream; its own struct begins with struct csn_exec_stream. */
struct exec_stream_operations {
	int (*next)(struct csn_exec_stream *stream, int timeout_ms, struct csn_exec_event *ret,
		    struct csn_error *err);
	int (*fd)(const struct csn_exec_stream *stream);
	void (*close)(struct csn_exec_stream *stream);
	/* NULL: it takes no input, has no terminal. */
	int (*write)(struct csn_exec_stream *stream, const void *bytes, size_t size, int timeout_ms,
		     struct csn_error *err);
	int (*close_input)(struct csn_exec_stream *stream, int timeout_ms, struct csn_error *err);
	int (*resize)(struct csn_exec_stream *stream, unsigned rows, unsigned columns,
		      struct csn_error *err);
};
struct csn_exec_stream {
	const struct exec_stream_operations *ops;
};
/* ---- other streams (streams.c) ------------------------------------------------------------------
 */

struct log_stream_operations {
	int (*next)(struct csn_log_stream *stream, int timeout_ms, struct csn_log_chunk *ret,
		    struct csn_error *err);
	int (*fd)(const struct csn_log_stream *stream);
	void (*close)(struct csn_log_stream *stream);
};
struct csn_log_stream {
	const struct log_stream_operations *ops;
};
struct sample_stream_operations {
	int (*next)(struct csn_sample_stream *stream, int timeout_ms, struct csn_stats_sample *ret,
		    struct csn_error *err);
	int (*fd)(const struct csn_sample_stream *stream);
	void (*close)(struct csn_sample_stream *stream);
};
struct csn_sample_stream {
	const struct sample_stream_operations *ops;
};
struct progress_stream_operations {
	int (*next)(struct csn_progress_stream *stream, int timeout_ms, struct csn_progress *ret,
		    struct csn_error *err);
	int (*fd)(const struct csn_progress_stream *stream);
	void (*close)(struct csn_progress_stream *stream);
};
struct csn_progress_stream {
	const struct progress_stream_operations *ops;
};

/* Events that wait in memory. */
struct queue {
	struct queued *first, **end;
	size_t count;
};
struct queued {
	struct queued *next;
	union {
		struct csn_log_chunk chunk;
		struct csn_stats_sample sample;
		struct csn_progress progress;
	} is;
	struct arena arena; /* texts */
};
void queue_init(struct queue *q);
void queue_free(struct queue *q);
/* Copies with their texts. False without memory. */
bool queue_chunk(struct queue *q, const struct csn_log_chunk *chunk);
bool queue_sample(struct queue *q, const struct csn_stats_sample *sample);
bool queue_progress(struct queue *q, const struct csn_progress *progress);
/* Streams of a queue, which they empty; with follow the one of logs does not end. */
int log_stream_of_queue(struct queue *q, bool follow, struct csn_log_stream **ret,
			struct csn_error *err);
int sample_stream_of_queue(struct queue *q, struct csn_sample_stream **ret, struct csn_error *err);
int progress_stream_of_queue(struct queue *q, struct csn_progress_stream **ret,
			     struct csn_error *err);

/* The stream of what a buffered exec gave, which it takes. */
int exec_stream_of_result(struct csn_exec_result *result, struct csn_exec_stream **ret,
			  struct csn_error *err);

#endif
