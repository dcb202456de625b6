/*
 * From plan to child: clone3, the host's end of the exchange, and the words for what the child
 * reports. Inside lib/host only.
 */
#ifndef CSN_HOST_LAUNCH_H
#define CSN_HOST_LAUNCH_H

#include <sys/types.h>

#include "host/host.h"
#include "host/plan_build.h"
#include "init/sync.h"

struct container;

/* One child on its way to its program. */
struct launch {
	const struct host_context *ctx;
	const struct spec *spec;	    /* maps, time offsets, listener */
	const struct spec_process *process; /* rlimits, oom_score_adj */
	struct built_plan *built;
	int cgroup_dir;		    /* CLONE_INTO_CGROUP; -1: stay in the caller's */
	const char *console_socket; /* NULL: keep the master in tty_master */
	/* Answers NEED_HOOKS: the child exists and waits. NULL: nothing to do. */
	int (*host_hooks)(void *data, pid_t pid, struct csn_error *err);
	/* The OCI state document for the seccomp listener (malloc'd). */
	int (*state_text)(void *data, pid_t pid, char **ret, struct csn_error *err);
	void *data;

	/* Results. */
	pid_t pid;
	int pidfd;
	int sync;
	int tty_master;
	bool settled;	  /* launch_settle has been done at the child's wish */
	bool hook_failed; /* a hook is why it failed: poststop hooks are due */
};
#define LAUNCH_INIT                                                                                \
	{                                                                                          \
		.cgroup_dir = -1, .pid = 0, .pidfd = -1, .sync = -1, .tty_master = -1              \
	}

/* Clones the child. On success l->pid, pidfd and sync are set; the plan's sync_fd and gate_fd are
 * the child's alone from here. */
int launch_clone(struct launch *l, struct csn_error *err);
/* Serves the exchange up to READY. */
int launch_serve(struct launch *l, struct csn_error *err);
/* rlimits, oom_score_adj: after READY, so that they cannot disturb the set-up. */
int launch_settle(struct launch *l, struct csn_error *err);
/* Lets a child with a gate wait there without us. */
int launch_recorded(struct launch *l, struct csn_error *err);
/* Says START on sock and waits until the program runs: 0, or the worded report. *ret_hook_failed
 * may be NULL. */
int launch_start(const struct host_context *ctx, int sock, bool *ret_hook_failed,
		 struct csn_error *err);
/* Kills and reaps the child of a failed launch. */
void launch_abort(struct launch *l);
/* Closes what is left; the child lives on. */
void launch_done(struct launch *l);

/* report.c: words a REPORT. Returns -errno of the report. */
int report_words(const struct sync_msg *msg, struct csn_error *err);
/* Passes a warning on if the context wants them. */
void host_warn(const struct host_context *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* forward.c */
/* Sends the pty master to the console socket, as runc does: one message, the fd attached. */
int forward_console(const char *socket_path, int master, struct csn_error *err);
/* The size of the caller's terminal, if standard input is one. */
void forward_window_size(int master);
int forward_pidfd(const char *socket_path, int pidfd, struct csn_error *err);
/* Hands the seccomp listener to linux.seccomp.listenerPath (config-linux.md "The container process
 * state"). */
int forward_listener(const struct spec *spec, int listener, pid_t pid, const char *state,
		     struct csn_error *err);

/* notify.c: sd_notify(3) for the program. */
/* create: gives the config a socket's directory and its name, if the context wants it. */
int notify_plan(const struct host_context *ctx, const struct container *c, struct spec *spec,
		struct csn_error *err);
/* Before the program runs: ret->notify, if create has prepared one. */
int notify_bind(const struct host_context *ctx, const struct container *c, struct host_process *ret,
		struct csn_error *err);
/* Hands one message on, with the pid when it says READY=1 (and then returns 1). */
int notify_pass(const struct host_process *p, bool with_pid);

/* affinity.c: the CPUs of what exec starts. */
enum { CPUS_MAX = 8192, CPUS_WORD = 8 * sizeof(unsigned long) };
struct cpus {
	unsigned long bits[CPUS_MAX / CPUS_WORD];
};
/* Takes the initial CPUs for ourselves, for the child to inherit; restore gives them back. */
int affinity_initial(const struct spec_process *process, struct cpus *ret_before,
		     struct csn_error *err);
void affinity_restore(const struct spec_process *process, const struct cpus *before);
int affinity_final(const struct spec_process *process, pid_t pid, struct csn_error *err);

/* netdev.c: linux.netDevices into the network namespace of the child. moved has room for all of
 * them; *ret_count is how many are there, also on failure. */
struct moved_device {
	char name[16]; /* in the container */
	bool was_up;
};
int netdev_move(const struct spec *spec, pid_t pid, struct moved_device *moved, size_t *ret_count,
		struct csn_error *err);
/* Back to where they were, of a creation that fails; the child still lives. */
void netdev_return(const struct spec *spec, pid_t pid, const struct moved_device *moved,
		   size_t count);

/* create.c: what run, create and a failing start have in common. */
int write_pid_file(const char *path, pid_t pid, struct csn_error *err);

/* container.c */
/* One container, opened for a verb. */
struct container {
	struct store store;
	struct entry entry;
	struct record record;
};
#define CONTAINER_INIT                                                                             \
	{                                                                                          \
		.store = STORE_INIT, .entry = ENTRY_INIT                                           \
	}
int container_open(const struct host_context *ctx, const char *id, enum entry_lock lock,
		   struct container *ret, struct csn_error *err);
void container_close(struct container *c);
/* A copy for host_finish, unlocked; c is closed. NULL without memory: then host_delete has to do.
 */
struct container *container_keep(struct container *c);
enum status container_status(const struct container *c);
/* Kills what is left, removes cgroup and record, runs poststop hooks. spec may be NULL: read when
 * the record says there are such hooks. */
int container_destroy(const struct host_context *ctx, struct container *c, const struct spec *spec,
		      struct csn_error *err);
int container_config(const struct container *c, struct spec **ret, struct csn_error *err);
/* Runs hooks of one kind with the state document of this moment. */
int container_hooks(const struct host_context *ctx, const struct container *c,
		    const struct spec *spec, enum spec_hook_kind kind, enum status status,
		    bool keep_going, struct csn_error *err);

#endif
