/*
 * cgroup v2 in the kernel's own words. Nothing here knows of OCI or of containers.
 *
 * A struct cgroup is a directory below the cgroup2 mount, held open. All file access goes through
 * its directory fd, so a group that was removed and made anew by somebody else is never touched.
 * Functions return 0 or -errno with a sentence in *err. Not thread-safe per object; no globals.
 * Sources: Documentation/admin-guide/cgroup-v2.rst, cgroups(7).
 */
#ifndef CSN_CGROUPS_CGROUPS_H
#define CSN_CGROUPS_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "caisson.h"

/* Where cgroup2 is mounted (pure or hybrid), found in /proc/self/mountinfo: "/sys/fs/cgroup" is
 * tried first because that is nearly always right. Fills buf. -ENOENT: there is none. */
int cgroup_find_mount(char *buf, size_t size, struct csn_error *err);

struct cgroup {
	int dir;       /* O_RDONLY | O_DIRECTORY | O_CLOEXEC: also right for CLONE_INTO_CGROUP */
	char *path;    /* below the mount, with a leading slash: "/caisson/web" */
	char *fs_path; /* the whole path in the file system */
};
#define CGROUP_INIT                                                                                \
	{                                                                                          \
		.dir = -1                                                                          \
	}

/* Values for files that read "max". */
#define CGROUP_MAX UINT64_MAX

enum cgroup_controller {
	CGROUP_CPU = 1 << 0,
	CGROUP_CPUSET = 1 << 1,
	CGROUP_IO = 1 << 2,
	CGROUP_MEMORY = 1 << 3,
	CGROUP_HUGETLB = 1 << 4,
	CGROUP_PIDS = 1 << 5,
	CGROUP_RDMA = 1 << 6,
	CGROUP_MISC = 1 << 7,
};

/*
 * Makes the group at path (leading slash; "..", empty parts and a bare "/" are refused), each
 * missing level on the way, and opens it. Controllers in wanted are enabled level by level in
 * cgroup.subtree_control; one that cannot be enabled ({EROFS, EACCES, ENOENT, EPERM, EOPNOTSUPP,
 * EBUSY}) is left out here and becomes an error only when a limit needs it. *ret_created tells
 * whether the last level is new. -EEXIST never: an existing group is opened.
 */
int cgroup_create(const char *path, unsigned wanted, struct cgroup *ret, bool *ret_created,
		  struct csn_error *err);
/* Whether there is no group at path, and how many bytes of path name what is there: what a later
 * cgroup_create will not have made. */
int cgroup_missing(const char *path, bool *ret_missing, uint32_t *ret_kept, struct csn_error *err);
/* Removes empty levels above path, down to the one that path's first kept bytes name: what a
 * cgroup_create made but was kept from marking. */
void cgroup_remove_above(const char *path, uint32_t kept);
/*
 * The group below which new ones are to be made: asked, or from_env (made with the first group
 * below it where it is missing), or our own where it was delegated to us or is all that we see, or
 * "/caisson". In our own group its processes, the caller among them, move to "init" and the answer
 * is "containers" beside it. -EROFS: nothing can be written; the sentence names the remedies.
 */
int cgroup_choose_parent(const char *asked, const char *from_env, char *buf, size_t size,
			 struct csn_error *err);
/* Opens an existing group. -ENOENT. */
int cgroup_open(const char *path, struct cgroup *ret, struct csn_error *err);
void cgroup_close(struct cgroup *cg);

/* Group of a process below the cgroup2 mount, from /proc/PID/cgroup ("0::" line); pid 0: our own.
 */
int cgroup_of(pid_t pid, char *buf, size_t size, struct csn_error *err);

/* Gives the group to a user, who may then make groups below it and move processes there. */
int cgroup_delegate(const struct cgroup *cg, uid_t owner, struct csn_error *err);

/* Controllers that may be used in this group (cgroup.controllers), as a mask. */
int cgroup_controllers(const struct cgroup *cg, unsigned *ret, struct csn_error *err);

/* Controllers that cgroup2 as a whole offers; the others are off or bound to cgroup v1. */
int cgroup_mount_controllers(unsigned *ret, struct csn_error *err);

/* Live (populated) according to cgroup.events; a removed group is not populated. */
int cgroup_populated(const struct cgroup *cg, bool *ret, struct csn_error *err);
int cgroup_frozen(const struct cgroup *cg, bool *ret, struct csn_error *err);
/* Writes cgroup.freeze and waits for cgroup.events to confirm. -ETIMEDOUT after timeout_ms. */
int cgroup_freeze(const struct cgroup *cg, bool freeze, int timeout_ms, struct csn_error *err);
/* Lifts what slows a group down: a process needs the CPU to die, and one that may have a thousandth
 * of it, or only what others leave, takes that much longer. For groups that end. */
void cgroup_unthrottle(const struct cgroup *cg);
/* Unthrottles the group and kills every process of the group and of groups below it: cgroup.kill
 * (5.14), else freeze, signal each, thaw. 0 when the group is gone. */
int cgroup_kill(const struct cgroup *cg, struct csn_error *err);
/* Waits for "populated 0" by poll on cgroup.events. -ETIMEDOUT. timeout_ms < 0: no limit. */
int cgroup_wait_empty(const struct cgroup *cg, int timeout_ms, struct csn_error *err);
/* Sends sig to every process of the group and below it, also to those that are just being forked.
 */
int cgroup_signal(const struct cgroup *cg, int sig, struct csn_error *err);
/* All pids of the group and of groups below it, malloc'd; *ret_count may be 0. */
int cgroup_pids(const struct cgroup *cg, pid_t **ret, size_t *ret_count, struct csn_error *err);
/* Moves a process into the group. */
int cgroup_attach(const struct cgroup *cg, pid_t pid, struct csn_error *err);
/* Removes the group and all groups below it, bottom-up; processes must be gone (wait_empty
 * first; EBUSY is retried for a short while because exit is not instant). Gone already: 0.
 * Empty ancestors that cgroup_create made go too. */
int cgroup_remove(const char *path, struct csn_error *err);
/* The same when it is known to be empty: one rmdir, without waiting. -EBUSY when it is not. */
int cgroup_remove_empty(const char *path, struct csn_error *err);

/* Reads one value file. -ENOENT when the controller or the file is absent. "max" = CGROUP_MAX. */
int cgroup_read_u64(const struct cgroup *cg, const char *file, uint64_t *ret,
		    struct csn_error *err);
/* Value of key in a flat keyed file such as memory.events: "oom_kill". -ENOENT. */
int cgroup_read_key(const struct cgroup *cg, const char *file, const char *key, uint64_t *ret,
		    struct csn_error *err);
/* Writes text in one write(2). file must be a plain name of the form controller.param. */
int cgroup_write(const struct cgroup *cg, const char *file, const char *text,
		 struct csn_error *err);

/* OOM kills counted so far: memory.events oom_kill + 0 when the controller is absent
 * (*ret_known tells). */
int cgroup_oom_kills(const struct cgroup *cg, uint64_t *ret, bool *ret_known,
		     struct csn_error *err);

/*
 * The OOM killer's work in a group (oom.c): memory.events held open from before the first process
 * came in, and what it said then. The fd can be polled for POLLPRI: it wakes whoever has read it
 * when a counter has changed since.
 */
struct cgroup_oom {
	int fd;			     /* -1: the group has no memory controller */
	uint64_t kills, group_kills; /* the counters when it was opened */
};
#define CGROUP_OOM_INIT                                                                            \
	{                                                                                          \
		.fd = -1                                                                           \
	}
int cgroup_oom_open(const struct cgroup *cg, struct cgroup_oom *ret, struct csn_error *err);
/* Processes of the group, and of groups below it, that the OOM killer has ended since. False: the
 * group is gone, or has no memory controller. */
bool cgroup_oom_read(const struct cgroup_oom *oom, uint64_t *ret);

/* ---- limits (limits.c: one table) ---------------------------------------------------------- */

struct cgroup_io_limit {
	int64_t major, minor;
	uint64_t rbps, wbps, riops, wiops; /* 0: not set; CGROUP_MAX: "max" */
};
struct cgroup_io_weight {
	int64_t major, minor;
	uint64_t weight; /* 10 to 1000, as io_bfq_weight */
};
struct cgroup_hugetlb {
	const char *page_size; /* "2MB" */
	uint64_t limit;
};
struct cgroup_rdma {
	const char *device;
	bool has_handles, has_objects;
	uint64_t handles, objects;
};
struct cgroup_file {
	const char *name, *text; /* unified: written last, line by line */
};
/* A number that may be absent. CGROUP_MAX is written as "max". */
struct cgroup_value {
	bool set;
	uint64_t value;
};
struct cgroup_limits {
	struct cgroup_value memory_max, memory_high, memory_low, memory_min, memory_swap_max;
	struct cgroup_value memory_oom_group;
	bool memory_check; /* refuse a memory_max or memory_swap_max below current use */
	struct cgroup_value cpu_weight, cpu_idle, cpu_quota, cpu_period, cpu_burst; /* µs */
	const char *cpuset_cpus, *cpuset_mems;
	struct cgroup_value pids_max;
	struct cgroup_value io_bfq_weight; /* 10 to 1000; where there is no such file, spread out
					    * into the 1 to 10000 of io.weight */
	const struct cgroup_io_weight *io_weights;
	size_t io_weights_count;
	const struct cgroup_io_limit *io_limits;
	size_t io_limits_count;
	const struct cgroup_hugetlb *hugetlb;
	size_t hugetlb_count;
	const struct cgroup_rdma *rdma;
	size_t rdma_count;
	const struct cgroup_file *unified;
	size_t unified_count;
};

/* Controllers that these limits need. */
unsigned cgroup_limits_controllers(const struct cgroup_limits *limits);
/*
 * Writes every limit that is set. One whose controller is not available here is an error that
 * names the controller, the file and how to enable it.
 */
int cgroup_apply_limits(const struct cgroup *cg, const struct cgroup_limits *limits,
			struct csn_error *err);
/* The same for a group that is in use: when one cannot be written, those before it are taken back,
 * so that a failure changes nothing. */
int cgroup_update_limits(const struct cgroup *cg, const struct cgroup_limits *limits,
			 struct csn_error *err);

/* ---- devices (devices.c: BPF) ---------------------------------------------------------------- */

enum cgroup_device_access { CGROUP_DEV_READ = 1, CGROUP_DEV_WRITE = 2, CGROUP_DEV_MKNOD = 4 };
struct cgroup_device_rule {
	bool allow;
	char type;	      /* 'a' any, 'c', 'b' */
	int64_t major, minor; /* -1: any */
	unsigned access;      /* CGROUP_DEV_*; */
};
/*
 * Compiles the rules (last match wins, default deny) and attaches the program to the group. Rules
 * that allow everything attach nothing. Does not need CAP_SYS_RESOURCE: a failing attempt to
 * raise RLIMIT_MEMLOCK is ignored. Fails closed.
 */
int cgroup_set_devices(const struct cgroup *cg, const struct cgroup_device_rule *rules,
		       size_t count, struct csn_error *err);
/* Takes away what cgroup_set_devices attached: programs add up, so that a group that is used again
 * would keep the rules of before. */
int cgroup_clear_devices(const struct cgroup *cg, struct csn_error *err);

#endif
