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

	int (*state)(struct csn_rt *rt, const struct container_ref *c,
		     struct csn_container_state *ret, struct csn_error *err);
	int (*pid)(struct csn_rt *rt, const struct container_ref *c, int *ret,
		   struct csn_error *err);
	int (*ip)(struct csn_rt *rt, const struct container_ref *c, char ret[46],
		  struct csn_error *err);
	int (*port_override)(struct csn_rt *rt, const struct container_ref *c, uint16_t *ret,
			     struct csn_error *err);
	int (*sync_volumes)(struct csn_rt *rt, const struct container_ref *c,
			    struct csn_error *err);

	int (*wait)(struct csn_rt *rt, const struct container_ref *c, int timeout_ms, int *ret_code,
		    struct csn_error *err);
	int (*wait_outcome)(struct csn_rt *rt, const struct container_ref *c, int timeout_ms,
			    struct csn_wait_outcome *ret, struct csn_error *err);
	int (*wait_fd)(struct csn_rt *rt, const struct container_ref *c, int *ret_fd,
		       struct csn_error *err);

	int (*logs)(struct csn_rt *rt, const struct container_ref *c, uint64_t tail,
		    struct csn_log_entries **ret, struct csn_error *err);
	int (*all_logs)(struct csn_rt *rt, const struct container_ref *c,
			struct csn_log_entries **ret, struct csn_error *err);
	int (*exec)(struct csn_rt *rt, const struct container_ref *c, const char *const *argv,
		    int timeout_ms, struct csn_exec_result *ret, struct csn_error *err);
	int (*exec_stream)(struct csn_rt *rt, const struct container_ref *c,
			   const char *const *argv, struct csn_exec_stream **ret,
			   struct csn_error *err);
	int (*stats)(struct csn_rt *rt, const struct container_ref *c, struct csn_rt_stats *ret,
		     struct csn_error *err);
};

/* A runtime's own struct begins with this one. */
struct csn_rt {
	const struct rt_operations *ops;
};

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
};
struct csn_exec_stream {
	const struct exec_stream_operations *ops;
};
/* The stream of what a buffered exec gave, which it takes. */
int exec_stream_of_result(struct csn_exec_result *result, struct csn_exec_stream **ret,
			  struct csn_error *err);

#endif
