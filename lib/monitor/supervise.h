/* From start to supervision: what the second image of the monitor is told. Inside lib/monitor. */
#ifndef CSN_MONITOR_SUPERVISE_H
#define CSN_MONITOR_SUPERVISE_H

#include <time.h>

#include "caisson.h"
#include "cgroups/cgroups.h"
#include "monitor/monitor.h"

/* Numbered, so that they survive execve as words of argv. -1: not there. */
enum supervised_fd {
	FD_CONTAINER, /* directory <root>/containers/<id> */
	FD_INIT,      /* pidfd of init */
	FD_STDOUT,    /* read ends; -1 with a terminal */
	FD_STDERR,
	FD_STDIN, /* write end, or the pty master */
	FD_TTY,	  /* the pty master, or -1 */
	FD_LOG,
	FD_LISTEN,   /* attach.sock */
	FD_STARTER,  /* --attach-fd */
	FD_PID_FILE, /* keeps the lock */
	FD_NETWORK,  /* the program that takes its networks back, or -1 */
	FD_CGROUP,   /* directory */
	FD_OOM,	     /* its memory.events */
	FD_FROZEN,   /* its cgroup.events */
	FD_HEALTH,   /* pidfd of the process that makes health checks, or -1 */
	FD_SAID,     /* what its caisson-init says, or -1 */
	FD_COUNT
};

struct supervision {
	const char *root, *run_root, *id;
	const char *cgroup;	  /* path below the cgroup2 mount */
	const char *name, *image; /* for events */
	const char *restarter;	  /* what starts it again; "": nothing does */
	bool auto_remove;
	uint64_t log_max_size; /* 0: no limit */
	unsigned log_max_files;
	struct timespec started;
	pid_t pid;
	uint64_t oom_kills, oom_group_kills; /* memory.events before the start */
	int fds[FD_COUNT];
};

/* Runs until the container has ended and all is recorded. The monitor's exit status. */
int monitor_supervise(struct supervision *s);
/* What a start is asked for. fds: -1 where there is none. */
struct start_request {
	const char *root, *run_root, *id;
	int status_fd;	/* where to say how it went */
	int attach_fd;	/* a connection that is attached from the start */
	int network_fd; /* where the network namespace to join comes from */
	const char *network_program, *restarter; /* or NULL */
	/* In place of a monitor that waited for the restart: its lock on the pid file. What failed
	 * before us, if anything did. */
	int pid_fd, lock_fd;
	const char *failure;
	int failure_code;
};
/* Starts the container and becomes the supervisor by execve. Does not return on success. */
int monitor_start(struct start_request *req);

/* rest.c: between two runs. */
struct rest {
	const char *root, *run_root, *id, *program;
	int container_dir, pid_file;
	int64_t delay_ms;
};
/* Decides whether it starts again after this end, which then says so, and counts it: the delay, or
 * -1. */
int64_t rest_plan(int container_dir, const char *program, struct exit_record *end);
/* Waits in a fresh image. Does not return when that starts it again, or cannot be avoided. */
int rest_exec(const struct rest *r);
int rest_parse(int argc, char **argv, struct rest *ret);
int monitor_rest(const struct rest *r);
void rest_end(const char *run_root, const char *id);
/* update.c: new limits, a resources object on standard input. The exit status. */
int monitor_update(const char *run_root, const char *id, int reply_fd);
/* One line for whoever started us: the pid, or with err what is wrong. Closes fd. */
void say_status(int fd, pid_t pid, const struct csn_error *err);
/* exec.c: runs one more process in a container for a client, until it has ended and all it wrote is
 * taken. The monitor's exit status. */
struct exec_request {
	const char *state, *id; /* root of lib/host's state */
	int process_fd;		/* a file with the OCI process object */
	int status_fd, attach_fd;
	bool has_input;
};
int monitor_exec(const struct exec_request *req);
/* argv of another image of the monitor ↔ struct; mode: "--supervise", "--health". Comes back only
 * when it failed. */
void supervision_exec(const struct supervision *s, const char *mode);
int supervision_parse(int argc, char **argv, struct supervision *ret);

/* said.c: how caisson-init hands on the end of its program, on fd 3. That number is kept free from
 * the beginning, lent for the start, and not ours any more after it. 0 or -errno; lend: how many
 * fds it preserves. */
int said_reserve(struct start_request *req);
int said_lend(int *ret_read_end, struct csn_error *err);
int said_lent(void);
void said_read(const struct supervision *s, struct exit_record *end);

/* reap.c: how it ended, by waitid and memory.events. Nobody of the container lives afterwards. */
void reap(const struct supervision *s, struct exit_record *ret);
/* Processes of the container that the OOM killer has ended; false: that cannot be known. */
bool supervision_oom_kills(const struct supervision *s, uint64_t *ret);
/* Writes an event of the container to the journal. */
void supervision_tell(const struct supervision *s, const char *action,
		      const struct exit_record *end, uint64_t oom_kills);

/* health.c: starts the process that makes the health checks, if there are any to be made. */
void health_start(struct supervision *s);
/* That process: until the container has ended. The exit status. */
int monitor_health(struct supervision *s);
/* It has ended early. */
void health_reap(struct supervision *s);
/* The container has ended: so does that, and how it was last is kept. */
void health_end(struct supervision *s);

/* network.c: the namespace that the starter sends, or -errno; and the end of the container's
 * networks, when it has any. */
int network_receive(int fd, struct csn_error *err);
int network_open_program(const char *path, struct csn_error *err);
void network_leave(const struct supervision *s);

/* autoremove.c: takes <root>/containers/<id> and its name away, once waiters have read the end.
 * False: somebody else did. */
bool auto_remove(int root, int container_dir, const char *id);

#endif
