/* From start to supervision: what the second image of the monitor is told. Inside lib/monitor. */
#ifndef CSN_MONITOR_SUPERVISE_H
#define CSN_MONITOR_SUPERVISE_H

#include <time.h>

#include "caisson.h"
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
	FD_COUNT
};

struct supervision {
	const char *root, *run_root, *id;
	const char *cgroup; /* path below the cgroup2 mount */
	bool auto_remove;
	struct timespec started;
	pid_t pid;
	int fds[FD_COUNT];
};

/* Runs until the container has ended and all is recorded. The monitor's exit status. */
int monitor_supervise(struct supervision *s);
/* Starts the container and becomes the supervisor by execve. Does not return on success. */
int monitor_start(const char *root, const char *run_root, const char *id, int status_fd,
		  int attach_fd);
/* argv of the second image ↔ struct. */
int supervision_exec(const struct supervision *s);
int supervision_parse(int argc, char **argv, struct supervision *ret);

/* reap.c: how it ended, by waitid and memory.events. */
void reap(const struct supervision *s, struct exit_record *ret);

/* autoremove.c: takes <root>/containers/<id> and its name away, once waiters have read the end. */
void auto_remove(int root, int container_dir, const char *id);

#endif
