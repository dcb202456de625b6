/*
 * What the steps of the child share. Inside lib/init only.
 *
 * Rules for everything in this folder: after clone3 in a possibly large process, so raw system
 * calls, stack and const data only. No malloc, no stdio, no locale, no getenv, no NSS, no library
 * but the thin wrappers of libc (tests/lint/child-symbols checks). A step returns 0 or -errno and
 * has said in c->report what it was working on.
 */
#ifndef CSN_INIT_CHILD_H
#define CSN_INIT_CHILD_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "init/plan.h"
#include "init/sync.h"

/*
 * Fds of a step are not closed when it is done: all are close-on-exec, execve closes them together,
 * and a created container lets go of them in one call before it waits (step_gate). Only what comes
 * to lie high in the table, because a config has hundreds of mounts, is closed at once.
 */
enum { LEAVE_OPEN_MAX = 256 };

static inline void leave_fd(int *fd)
{
	if (*fd >= LEAVE_OPEN_MAX)
		(void)close(*fd);
	*fd = -1;
}
#define step_fd                                                                                    \
	AUTO(leave_fd)                                                                             \
	int

static inline bool same(const char *a, const char *b)
{
	size_t len = __builtin_strlen(a);
	return len == __builtin_strlen(b) && __builtin_memcmp(a, b, len) == 0;
}

/* fresh.c */
enum fresh_kind { FRESH_EMPTY, FRESH_KERNEL }; /* a tmpfs; procfs and sysfs */
struct fresh {
	int fd; /* its mount */
	enum fresh_kind kind;
	const char *path;
};
enum { FRESH_MAX = 4 };

struct child {
	const struct plan *plan;
	int sync;  /* plan->sync_fd, later the connection from the gate */
	int root;  /* O_PATH fd of the container's root mount */
	int proc;  /* a private procfs that nobody else can cover, or -1 until asked for */
	int null;  /* the host's /dev/null, verified, O_PATH; -1 until asked for */
	int spare; /* a detached clone of it, for the next masked file; -1: none */
	int empty; /* a detached, read-only, empty tmpfs; -1 until asked for */
	struct fresh fresh[FRESH_MAX];
	size_t fresh_count;
	int null_dir; /* where we made the container's own "null", or -1 */
	struct sync_msg report;
	char program[PATH_MAX]; /* what execve gets */
};

/* sync.c */
int sync_say(struct child *c, enum sync_type type, int fd);
int sync_expect(struct child *c, enum sync_type type);
void sync_warn(struct child *c, const char *text);

/* Notes what the step is about to touch, for the report should it fail. Returns its last
 * argument, so that "return on_item(...)" reads well. */
int report_at(struct child *c, enum sync_detail detail, size_t index, const char *path, int error);

/* inroot.c: paths below c->root; all return O_PATH fds or -errno. */
/* NOFOLLOW: no symlink anywhere in path. ITSELF: a symlink as last part is what is opened. */
enum { INROOT_NOFOLLOW = 1, INROOT_FILE = 2, INROOT_ITSELF = 4 };
int inroot_open(const struct child *c, const char *path, unsigned flags);
/* Opens path, making what is missing: directories, and with INROOT_FILE a last empty file. */
int inroot_make(const struct child *c, const char *path, unsigned flags);
/* Opens (making it if needed) the directory that holds path; *ret_name is its last part. */
int inroot_parent(const struct child *c, const char *path, const char **ret_name);

/* fresh.c: new file systems whose names need no look-up. */
/* *fd, the mount that now lies at path, is taken if it is of use. */
void fresh_add(struct child *c, int *fd, const char *fstype, const char *path);
/* Something is mounted at target. */
void fresh_covered(struct child *c, const char *target);
/* Anything may be mounted anywhere. */
void fresh_forget(struct child *c);
/* The mount of that kind in which path's last part is; -1: look path up. Not to be closed. */
int fresh_dir(const struct child *c, enum fresh_kind kind, const char *path, const char **ret_name);

/* kernel.c: what comes from the host's file systems or from a private procfs. */
int host_null(struct child *c);
int private_proc(struct child *c);
int attach_tree(int tree, int target);
/* The same onto name in dir, or onto dir itself when name is "". */
int attach_at(int tree, int dir, const char *name);

/* mount.c: the propagation options once more, after a change of the whole tree. */
int mounts_propagate(struct child *c);

/* copyup.c: copies what is below from into the mount to (tmpcopyup). */
int copy_tree(int from, int to);

typedef int step_fn(struct child *c);
step_fn step_prepare, step_join, step_userns, step_late_namespaces;	       /* join.c */
step_fn step_keyring, step_loopback, step_hostname, step_sysctl;	       /* kernel.c */
step_fn step_root, step_pivot, step_readonly_root;			       /* rootfs.c */
step_fn step_mounts, step_late_readonly;				       /* mount.c */
step_fn step_devices;							       /* dev.c */
step_fn step_masks;							       /* mask.c */
step_fn step_terminal;							       /* tty.c */
step_fn step_limits, step_rlimits;					       /* limits.c */
step_fn step_labels, step_user, step_cwd, step_capabilities;		       /* creds.c */
step_fn step_early_seccomp, step_late_seccomp;				       /* seccomp.c */
step_fn step_host_hooks, step_create_hooks, step_start_hooks;		       /* hook.c */
step_fn step_find_program, step_ready_early, step_ready, step_gate, step_exec; /* exec.c */
step_fn step_done;							       /* exec.c */

#endif
