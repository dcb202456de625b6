/*
 * libcaisson: connections to a running container, and more processes in it. Part of caisson.h,
 * which includes it; its conventions hold.
 */
#ifndef CAISSON_EXEC_H
#define CAISSON_EXEC_H

#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- attach -----------------------------------------------------------------------------------
 */

/* Attaches to a running container: output from now on. -ESRCH: not running. */
CSN_API int csn_container_attach(struct csn_runtime *rt, const char *container,
				 struct csn_attach **ret, struct csn_error *err) CSN_MUST_CHECK;

enum csn_attach_kind {
	CSN_ATTACH_OUTPUT, /* bytes of stdout or stderr; all of them on stdout with a terminal */
	CSN_ATTACH_EXIT,   /* the container ended; the last event */
};
struct csn_attach_event {
	size_t size;
	enum csn_attach_kind kind;
	enum csn_stream stream;
	const char *bytes; /* valid until the next call */
	size_t length;
	int exit_code;
};
#define CSN_ATTACH_EVENT_INIT                                                                      \
	{                                                                                          \
		sizeof(struct csn_attach_event), CSN_ATTACH_OUTPUT, CSN_STREAM_STDOUT, NULL, 0, 0  \
	}

/* To poll for POLLIN, and for POLLOUT while csn_attach_pending(). Owned by the handle. */
CSN_API int csn_attach_fd(const struct csn_attach *attach);
/* What has come, without waiting: 1; -EAGAIN nothing yet; 0 the connection ended (after
 * CSN_ATTACH_EXIT, or because the monitor is gone or this reader was too slow). */
CSN_API int csn_attach_read(struct csn_attach *attach, struct csn_attach_event *ret,
			    struct csn_error *err) CSN_MUST_CHECK;
/* Takes up to size bytes for the container's standard input, without waiting: how many (at most
 * 64 KiB at once), or -EAGAIN while earlier ones are pending. */
CSN_API int csn_attach_write(struct csn_attach *attach, const void *bytes, size_t size,
			     struct csn_error *err) CSN_MUST_CHECK;
/* The end of standard input. */
CSN_API int csn_attach_close_stdin(struct csn_attach *attach, struct csn_error *err) CSN_MUST_CHECK;
/* The terminal's size. */
CSN_API int csn_attach_resize(struct csn_attach *attach, unsigned rows, unsigned columns,
			      struct csn_error *err) CSN_MUST_CHECK;
/* True while something that was taken has not been sent: call csn_attach_flush() on POLLOUT. */
CSN_API bool csn_attach_pending(const struct csn_attach *attach);
/* Sends what is pending, without waiting: 0, or -EAGAIN when some is left. */
CSN_API int csn_attach_flush(struct csn_attach *attach, struct csn_error *err) CSN_MUST_CHECK;
/* Detaches; the container goes on. */
CSN_API void csn_attach_close(struct csn_attach *attach);

/* ---- exec -------------------------------------------------------------------------------------
 */

/* Lists end with NULL. NULL instead of a text or a list: as the container's own process. */
struct csn_exec_options {
	size_t size;
	const char *const *command; /* required */
	const char *const *env;	    /* "NAME=value"; replaces the container's NAME */
	const char *working_dir;    /* absolute */
	const char *user;	    /* "user[:group]", from the container's own passwd and group */
	bool tty;
	bool stdin_open; /* csn_attach_write() reaches it; else its input is /dev/null */
};
#define CSN_EXEC_OPTIONS_INIT                                                                      \
	{                                                                                          \
		sizeof(struct csn_exec_options), NULL, NULL, NULL, NULL, false, false              \
	}

/*
 * Runs one more process in a running container. *ret has its output as it comes, and last
 * CSN_ATTACH_EXIT with its exit code; closing the handle before that kills it. A reader that is
 * slow slows it down, and nothing grows. -ESRCH: not running. -EBUSY: paused. When the program
 * cannot be run, csn_start_exit_code() tells which status a shell would give.
 */
CSN_API int csn_container_exec(struct csn_runtime *rt, const char *container,
			       const struct csn_exec_options *options, struct csn_attach **ret,
			       struct csn_error *err) CSN_MUST_CHECK;
/*
 * One more process in a running container, as the OCI process object that
 * `caisson --root RUN_ROOT/state exec --process FILE ID` takes; csn_free() it. It has no more
 * rights than the container's own. -ESRCH: not running. -EBUSY: paused.
 */
CSN_API int csn_container_process(struct csn_runtime *rt, const char *container,
				  const struct csn_exec_options *options, char **ret_json,
				  struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
