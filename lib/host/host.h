/*
 * The verbs of the OCI runtime: what `caisson` and `caisson-monitor` call.
 *
 * Each verb finishes whole or undoes what it began. The caller is a single-threaded process: some
 * verbs change process attributes for a moment (time and pid namespaces for children).
 */
#ifndef CSN_HOST_HOST_H
#define CSN_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "caisson.h"
#include "spec/spec.h"
#include "state/state.h"

struct cgroup_oom; /* cgroups/cgroups.h */
struct container;

/* Where warnings go ("rlimit RLIMIT_NOFILE: cannot be raised …"): they never change the flow. */
typedef void (*host_warn_fn)(void *data, const char *text);

/* Who makes the groups of containers. With NONE a container stays in its caller's group. */
enum host_cgroup_manager { HOST_CGROUP_FS, HOST_CGROUP_SYSTEMD, HOST_CGROUP_NONE };

struct host_context {
	const char *root; /* state directory; NULL: /run/caisson */
	enum host_cgroup_manager manager;
	const char *notify_socket; /* where the program's sd_notify messages go; NULL: nowhere */
	host_warn_fn warn;	   /* may be NULL */
	void *warn_data;
};

/* What create and run take besides the config. Zero is the default of every member but fds. */
struct host_create {
	const char *id;
	const char *bundle;	    /* directory that holds config.json */
	const char *console_socket; /* AF_UNIX path that receives the pty master; NULL: none */
	const char *pidfd_socket;   /* AF_UNIX path that receives a pidfd of init; NULL: none */
	const char *pid_file;	    /* NULL: none */
	bool no_pivot, no_new_keyring;
	int preserve_fds; /* fds 3 … 3+n-1 stay open in the container */
	bool detached;	  /* run: nobody attends, so a terminal needs a console socket */
	/* Engine: a detached tree that becomes the root instead of root.path; -1: none. */
	int rootfs_tree;
	/* Opened on the container's cgroup before its first process exists; NULL: nobody asks. */
	struct cgroup_oom *oom;
	int *cgroup_dir; /* run: gets its directory, wherever it was made; NULL: nobody asks */
	struct container **kept; /* run: gets what host_finish takes; NULL: nobody asks */
	/* Engine: a network namespace to join where the config asks for a new one; -1: none. */
	int network_ns;
};
#define HOST_CREATE_INIT                                                                           \
	{                                                                                          \
		.rootfs_tree = -1, .network_ns = -1                                                \
	}

/* A process that host_run or host_exec started and that is our child. */
struct host_process {
	pid_t pid;
	int pidfd;	       /* -1 when none */
	int tty_master;	       /* the pty master when the config asks for a terminal and no console
				* socket was given; else -1 */
	int notify;	       /* run: receives the program's sd_notify messages, else -1 … */
	const char *notify_to; /* … for this socket of the service manager */
};
#define HOST_PROCESS_INIT                                                                          \
	{                                                                                          \
		.pidfd = -1, .tty_master = -1, .notify = -1                                        \
	}

/* create: everything but the program. 0 or -errno; nothing is left behind on failure. */
int host_create(const struct host_context *ctx, const struct host_create *req,
		struct csn_error *err);
/* start: opens the gate; returns when the program runs (or reports why it does not). */
int host_start(const struct host_context *ctx, const char *id, struct csn_error *err);
/* create + start without a gate: the program runs when this returns and is our child. */
int host_run(const struct host_context *ctx, const struct host_create *req,
	     struct host_process *ret, struct csn_error *err);
/* State record and status of one container. record_done() frees. */
int host_state(const struct host_context *ctx, const char *id, struct record *ret,
	       enum status *ret_status, struct csn_error *err);
/* Sends sig to init, or with all to every process of its cgroup. -ESRCH: "container not
 * running". */
int host_kill(const struct host_context *ctx, const char *id, int sig, bool all,
	      struct csn_error *err);
/* Removes a stopped or created container; force kills it first and makes an unknown id a
 * success. Runs poststop hooks. */
int host_delete(const struct host_context *ctx, const char *id, bool force, struct csn_error *err);
/* Removes what host_run has kept when its process has been waited for: host_delete with force of a
 * container of which all is known. Frees kept either way. */
int host_finish(const struct host_context *ctx, struct container *kept, struct csn_error *err);
int host_pause(const struct host_context *ctx, const char *id, bool pause, struct csn_error *err);
/* Changes limits of a created, running or paused container; what resources does not name (or names
 * as 0) stays, devices are ignored. rdt (may be NULL): schemas for a resctrl group of its own.
 * -ESRCH: stopped. A failure changes nothing. */
int host_update(const struct host_context *ctx, const char *id,
		const struct spec_resources *resources, const struct spec_intel_rdt *rdt,
		struct csn_error *err);
/* Pids of the container's cgroup and below it; malloc'd. */
int host_pids(const struct host_context *ctx, const char *id, pid_t **ret, size_t *ret_count,
	      struct csn_error *err);

/*
 * Calls fn with runc's JSON, a line without its end: an event of type "stats" every interval_ms and
 * one of type "oom" when the OOM killer was at work, until the container has ended or fn returns
 * something but 0. interval_ms 0: one "stats" and no more. -ESRCH: it does not run.
 */
typedef int (*host_event_fn)(void *data, const char *json);
int host_events(const struct host_context *ctx, const char *id, int interval_ms, host_event_fn fn,
		void *data, struct csn_error *err);

/* Mounts that come (or with remove go) while the container runs, as config.json's: all or none. */
int host_mounts(const struct host_context *ctx, const char *id, struct spec *list, bool remove,
		struct csn_error *err);

struct host_exec {
	const char *id;
	const struct spec_process *process; /* what to run: already merged with the container's */
	/* "name[:group]" to be looked up in the container, in place of process.user's ids and with
	 * its groups before the additional ones; NULL: the ids stand. */
	const char *user;
	/* The container's config where the caller has it (host_config), else NULL. process may be
	 * part of it and changed: what exec asks of a config is outside of its process. */
	const struct spec *config;
	const char *console_socket, *pidfd_socket, *pid_file;
	bool no_new_keyring;
	bool ignore_paused;
	int preserve_fds;
	const char *cgroup; /* sub-cgroup below the container's, or NULL */
};
/* Runs a process inside a running container; it is our child when this returns. */
int host_exec(const struct host_context *ctx, const struct host_exec *req, struct host_process *ret,
	      struct csn_error *err);
/* The config that create kept. Freed by spec_free. */
int host_config(const struct host_context *ctx, const char *id, struct spec **ret,
		struct csn_error *err);

/* What checkpoint and restore ask of criu(8). */
struct host_criu {
	const char *image_path, *work_path, *parent_path; /* work_path NULL: image_path */
	bool leave_running, tcp_established, tcp_skip_in_flight, link_remap, ext_unix_sk, shell_job,
		lazy_pages, file_locks, pre_dump, auto_dedup, empty_net;
	int status_fd; /* -1: none */
	const char *page_server_address, *page_server_port;
	const char *manage_cgroups; /* NULL: soft */
	const char *lsm_profile, *lsm_mount_context;
};
#define HOST_CRIU_INIT                                                                             \
	{                                                                                          \
		.image_path = "checkpoint", .status_fd = -1                                        \
	}
/* Saves a running container; it is gone afterwards unless it is left running. */
int host_checkpoint(const struct host_context *ctx, const char *id, const struct host_criu *req,
		    struct csn_error *err);
/* A new container from saved processes, which run and are our children when this returns. */
int host_restore(const struct host_context *ctx, const struct host_create *create,
		 const struct host_criu *req, struct host_process *ret, struct csn_error *err);

/* Waits for a child by pidfd and gives 0–255, or 128+N for signal N, in *ret_status. */
int host_wait(const struct host_process *p, int *ret_status, struct csn_error *err);
/* Copies between the caller's terminal and the pty master, passes SIGWINCH and (attached run)
 * other signals on to the process, and waits: what `run -t` and `exec -t` do in the foreground. */
int host_attend(const struct host_process *p, int *ret_status, struct csn_error *err);

/* Hands on what the program tells its service manager until it is ready or ends. */
int host_await_ready(const struct host_process *p, struct csn_error *err);

#endif
