/*
 * The exchange between the host side (lib/host/launch.c) and the child (lib/init).
 *
 * One SOCK_SEQPACKET socketpair, one struct sync_msg a packet, fds by SCM_RIGHTS. Messages are
 * named and paired; both sides state which one they expect and refuse any other.
 *
 *	child                                host
 *	  NEED_MAPS   ------------------------>  writes uid_map, gid_map     (new user namespace)
 *	              <------------------------  MAPS_DONE
 *	  NEED_HOOKS  ------------------------>  moves net devices, prestart, createRuntime hooks
 *	              <------------------------  HOOKS_DONE
 *	  TTY + fd    ------------------------>  keeps or forwards the pty master   (terminal)
 *	  NOTIFY + fd ------------------------>  forwards the seccomp listener
 *	              <------------------------  NOTIFY_DONE
 *	  NEED_LIMITS ------------------------>  rlimits, oom_score_adj         (another user)
 *	              <------------------------  LIMITS_DONE
 *	  READY       ------------------------>  rlimits, oom_score_adj, pid file, state "created"
 *	  …then, without a gate (run, exec):
 *	              <------------------------  START
 *	  …or, with a gate (create):
 *	              <------------------------  RECORDED: from here on the child can be found
 *	  The child accepts one connection on plan.gate_fd; from then on that connection is the
 *	  socket, and `start` is its host.
 *	              <------------------------  START
 *	  REPORT, at any time, ends everything:  step, errno, path
 *	  end of file after START:               the program is running (the socket is CLOEXEC)
 */
#ifndef CSN_INIT_SYNC_H
#define CSN_INIT_SYNC_H

#include <stdint.h>

enum sync_type {
	SYNC_NEED_MAPS = 1,
	SYNC_MAPS_DONE,
	SYNC_NEED_HOOKS,
	SYNC_HOOKS_DONE,
	SYNC_TTY,
	SYNC_NOTIFY,
	SYNC_NOTIFY_DONE,
	SYNC_NEED_LIMITS,
	SYNC_LIMITS_DONE,
	SYNC_READY,
	SYNC_RECORDED,
	SYNC_START,
	SYNC_REPORT,
};

/* What kind of thing sync_msg.path names, so that the host can word the failure. */
enum sync_detail {
	SYNC_DETAIL_NONE,
	SYNC_DETAIL_PATH,     /* path: a path inside the container */
	SYNC_DETAIL_MOUNT,    /* index: plan->mounts[index] */
	SYNC_DETAIL_DEVICE,   /* index: plan->devices[index] */
	SYNC_DETAIL_MASK,     /* index: plan->masked_paths[index] */
	SYNC_DETAIL_READONLY, /* index: plan->readonly_paths[index] */
	SYNC_DETAIL_SYSCTL,   /* index: plan->sysctls[index] */
	SYNC_DETAIL_JOIN,     /* index: plan->joins[index] */
	SYNC_DETAIL_HOOK,     /* index: hook number; error may be 0 with status = wait status */
	SYNC_DETAIL_PROGRAM,  /* argv[0] was looked for or run; path: where */
	SYNC_DETAIL_CWD,
	SYNC_DETAIL_NO_PROGRAM, /* START came, and the config has no process */
	SYNC_DETAIL_WARNING,	/* not an error: host logs path (text) and goes on */
};

struct sync_msg {
	uint32_t type;	 /* enum sync_type */
	uint32_t step;	 /* REPORT: index into the step table */
	int32_t error;	 /* REPORT: positive errno */
	int32_t status;	 /* REPORT of a hook: its wait status, -1 = timed out */
	uint32_t detail; /* enum sync_detail */
	uint32_t index;
	char path[104]; /* NUL-terminated, cut if longer */
	char says[96];	/* what the kernel said of a mount (fsopen(2)'s log), or empty */
};

#endif
