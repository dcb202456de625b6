/*
 * struct plan: everything the child needs to become the container, decided before clone3.
 *
 * Built by lib/host (plan*.c) in the runtime's own memory; the child inherits a copy-on-write view
 * and only reads it. So: no pointer is owned by the child, every fd here is CLOEXEC and open at
 * clone time, every number is final (names were resolved, defaults merged), and a step that has
 * nothing to do finds a NULL, a zero count or -1.
 *
 * May be included by lib/host and lib/init only; includes nothing of ours.
 */
#ifndef CSN_INIT_PLAN_H
#define CSN_INIT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sock_filter;

/* Where a mount's file system comes from. */
enum plan_mount_source {
	PLAN_MOUNT_TREE,   /* tree_fd: a detached tree made by the host (bind, overlay, idmapped) */
	PLAN_MOUNT_NEW,	   /* fstype + options, made by the child in its own namespaces */
	PLAN_MOUNT_CGROUP, /* cgroup2; falls back to a bind of cgroup_dir when the kernel refuses */
	PLAN_MOUNT_REMOUNT, /* change attributes (and options) of what is mounted at target */
	PLAN_MOUNT_REMOVE,  /* what is mounted at target goes */
	PLAN_MOUNT_INSIDE,  /* bind of a path inside the container (source is resolved in the root)
			     */
	PLAN_MOUNT_SYMLINK, /* no mount: a symlink at target that says what device says */
};

enum plan_mount_flags {
	PLAN_TARGET_FILE = 1 << 0,     /* make a missing target as a file, not a directory */
	PLAN_TARGET_NOFOLLOW = 1 << 1, /* no symlink anywhere in target (proc, sysfs) */
	PLAN_TMPCOPYUP = 1 << 2,       /* copy what target held into the new tmpfs */
	PLAN_READONLY_LATE = 1 << 3,   /* MOUNT_ATTR_RDONLY is set after devices were made */
	PLAN_IS_DEV = 1 << 4,	       /* a tmpfs or bind on /dev */
	PLAN_RECURSIVE = 1 << 5,       /* INSIDE: bind with submounts */
	PLAN_TARGET_ITSELF = 1 << 6,   /* a symlink at target is mounted upon, not followed */
};

/* One fsconfig parameter: a flag when value is NULL. */
struct plan_fsopt {
	const char *key, *value;
};

struct plan_mount {
	enum plan_mount_source source;
	unsigned flags;	    /* PLAN_TARGET_FILE … */
	int tree_fd;	    /* PLAN_MOUNT_TREE, else -1 */
	const char *target; /* absolute inside the container, cleaned of "." and ".." */
	const char *fstype; /* PLAN_MOUNT_NEW */
	const char *device; /* the "source" shown in mountinfo; INSIDE: the path bound */
	const struct plan_fsopt *options;
	size_t options_count;
	/* MOUNT_ATTR_* for this mount only, then for the whole tree (rro …). */
	uint64_t attr_set, attr_clr;
	uint64_t rec_attr_set, rec_attr_clr;
	/* MS_PRIVATE, MS_SLAVE … | MS_REC, applied in order; 0 ends. */
	unsigned long propagation[4];
};

struct plan_device {
	const char *path; /* absolute inside the container */
	mode_t mode;	  /* type and permissions: S_IFCHR | 0666 */
	dev_t rdev;
	uid_t uid;
	gid_t gid;
	bool listed; /* from linux.devices: an existing node must match; else a default */
};

struct plan_symlink {
	const char *target, *path; /* path is absolute inside the container */
	bool replace;		   /* what the image has there goes; else it stays */
};

struct plan_sysctl {
	const char *path, *value; /* "net/ipv4/ip_forward": below /proc/sys, validated */
};

struct plan_caps {
	bool set; /* false: leave capabilities alone (no process.capabilities) */
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct plan_seccomp {
	const struct sock_filter *filter; /* NULL: no filter */
	unsigned short len;
	unsigned flags; /* SECCOMP_FILTER_FLAG_*; NEW_LISTENER is added when notify is set */
	bool notify;	/* the listener's fd goes to the host with SYNC_NOTIFY */
};

struct plan_hook {
	const char *path;
	char *const *argv; /* argv[0] as given, or path */
	char *const *envp; /* exactly what the hook gets */
	int timeout_s;	   /* 0: none */
};

/* A hook's stdin is before + getpid() in decimal + after. */
struct plan_hook_state {
	const char *before, *after;
};

/* A namespace to join by path, in the order they are listed. */
struct plan_join {
	int fd;
	uint64_t flag;	  /* CLONE_NEWNET … */
	const char *name; /* "network", for the report */
};

struct plan_scheduler {
	bool set;
	uint32_t policy;
	uint64_t flags, runtime, deadline, period; /* nanoseconds */
	int32_t nice;
	uint32_t priority;
};

struct plan {
	/* Exchange with the host: lib/init/sync.h. */
	int sync_fd; /* SEQPACKET, the child's end */
	int gate_fd; /* listening SEQPACKET socket: wait there for `start`; -1: wait on sync_fd */

	/* Namespaces. clone_flags were given to clone3; late_flags are for unshare in the child
	 * (a cgroup namespace must be made after the child is in its cgroup; namespaces that
	 * belong to a joined user namespace must be made after joining it). */
	uint64_t clone_flags, late_flags;
	const struct plan_join *joins;
	size_t joins_count;
	bool user_joined; /* the user namespace of joins was entered by the joiner */
	bool new_userns;  /* NEED_MAPS is exchanged, and the child becomes id 0 of it */
	bool exec_only;	  /* exec: the container exists; rootfs steps are left out */
	bool mounts_only; /* exec_only, and there is no program: mounts come or go, that is all */
	int join_pidfd;	  /* exec: every namespace in join_flags of this process, in one setns */
	uint64_t join_flags;
	int exec_root; /* exec: root directory of the container's init, where no mount namespace
			* holds it; else -1 */

	/* Signals that our caller ignores (bit n-1), to be given back their default. */
	uint64_t ignored_signals;
	/* The bounding set that the child is born with (bit n: capability n); 0: all there are. */
	uint64_t inherited_bounding;

	/* Root and mounts. */
	bool has_mntns;	    /* new mount namespace: pivot_root and so on */
	const char *rootfs; /* host path, absolute */
	int rootfs_tree;    /* a detached tree to use as root (engine overlay), or -1 */
	bool root_readonly;
	bool no_pivot;
	unsigned long root_propagation; /* MS_REC|MS_SLAVE … of rootfsPropagation; 0: unset */
	const struct plan_mount *mounts;
	size_t mounts_count;
	const char *cgroup_dir; /* host path of the container's cgroup, for PLAN_MOUNT_CGROUP */
	const struct plan_device *devices;
	size_t devices_count;
	bool bind_devices; /* mknod is not possible (user namespace): bind the host's nodes */
	const struct plan_symlink *symlinks; /* /dev/fd … made after mounts */
	size_t symlinks_count;
	const char *const *masked_paths;
	size_t masked_count;
	const char *const *readonly_paths;
	size_t readonly_count;

	/* Names and kernel settings. */
	const char *hostname, *domainname; /* NULL: leave */
	const struct plan_sysctl *sysctls;
	size_t sysctls_count;
	bool loopback_up; /* we made the network namespace */
	bool new_keyring;
	const char *keyring_name;

	/* The process. */
	char *const *argv, *const *envp;
	const char *search_path; /* PATH of envp, for argv[0] without a slash */
	const char *cwd;
	bool terminal;
	bool bind_console;	   /* put the terminal on /dev/console (create and run, not exec) */
	unsigned short rows, cols; /* 0: leave the kernel's default */
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t groups_count;
	bool set_groups; /* false: setgroups is denied in this user namespace and none were asked */
	bool ids_stand;	 /* uid and gid are what we have: nothing to set */
	mode_t umask;
	struct plan_caps caps;
	bool no_new_privs;
	struct plan_seccomp seccomp;
	struct plan_scheduler scheduler;
	int ioprio;	    /* -1: leave */
	bool rlimits_early; /* the host sets them before we change our user: NEED_LIMITS */
	bool has_personality;
	unsigned long personality;
	bool has_mempolicy;
	int mempolicy_mode;		   /* with its flags */
	unsigned long mempolicy_nodes[16]; /* 1024 nodes */
	const char *apparmor_exec;	   /* "exec NAME" text for attr/exec, or NULL */
	const char *selinux_exec;
	int keep_fds; /* first fd that must not reach the program: 3 + preserved */

	/* Hooks that run in the container (createContainer before pivot, startContainer after). */
	const struct plan_hook *create_hooks;
	size_t create_hooks_count;
	struct plan_hook_state create_state;
	const struct plan_hook *start_hooks;
	size_t start_hooks_count;
	struct plan_hook_state start_state;
	bool host_hooks; /* prestart or createRuntime hooks, network devices, a resctrl group:
			  * NEED_HOOKS */
};

/* The child's whole life after clone3: runs the step table, then execve. */
_Noreturn void init_main(const struct plan *plan);

/* As above from inside a user namespace joined by path, where the child must be cloned there: it
 * enters, clones with CLONE_PARENT and writes a struct joiner_report to report_fd. */
struct joiner_report {
	pid_t pid; /* the child's, as the caller sees it */
	int error; /* positive errno; 0: cloned */
};
_Noreturn void init_joiner(const struct plan *plan, int report_fd);

/* The name of a step in the table ("mount", "pivot_root"), for reports; never NULL. */
const char *init_step_name(unsigned step);

#endif
