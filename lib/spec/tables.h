/*
 * Names that OCI configs use for kernel numbers, one table each. lib/spec decodes and lists them
 * (features), lib/host turns them into numbers. Every table ends with a NULL name.
 */
#ifndef CSN_SPEC_TABLES_H
#define CSN_SPEC_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct named_number {
	const char *name;
	uint64_t number;
};

/* The row's number; -1 (and *ret untouched) when the name is not in the table. */
int named_number(const struct named_number *table, const char *name, uint64_t *ret);

extern const struct named_number spec_scheduler_policies[]; /* SCHED_OTHER … */
extern const struct named_number spec_scheduler_flags[];    /* SCHED_FLAG_RESET_ON_FORK … */
extern const struct named_number spec_ioprio_classes[];	    /* IOPRIO_CLASS_RT … */
extern const struct named_number spec_mempolicy_modes[];    /* MPOL_DEFAULT … */
extern const struct named_number spec_mempolicy_flags[];    /* MPOL_F_STATIC_NODES … */
extern const struct named_number spec_personalities[];	    /* LINUX, LINUX32 */
extern const struct named_number spec_propagations[];	    /* rootfsPropagation: MS_* */
extern const struct named_number spec_seccomp_actions[];    /* SECCOMP_RET_* (linux/seccomp.h) */
extern const struct named_number spec_seccomp_flags[];	    /* SECCOMP_FILTER_FLAG_* */
extern const struct named_number spec_seccomp_ops[];	    /* enum spec_seccomp_op */
extern const struct named_number spec_seccomp_archs[];	    /* AUDIT_ARCH_* */

enum spec_seccomp_op { OP_NE, OP_LT, OP_LE, OP_EQ, OP_GE, OP_GT, OP_MASKED_EQ };

/* What one mount option does. */
enum mount_option_kind {
	MOUNT_OPT_NOTHING,  /* "defaults", and what the kernel has forgotten (loud, nomand …) */
	MOUNT_OPT_ATTR,	    /* set/clr of MOUNT_ATTR_*, for this mount */
	MOUNT_OPT_REC_ATTR, /* the same for the whole tree */
	MOUNT_OPT_SUPER,    /* a superblock flag, handed to the file system by name */
	MOUNT_OPT_PROPAGATION, /* set = MS_SHARED … */
	MOUNT_OPT_BIND,	       /* set = MS_BIND or MS_BIND|MS_REC */
	MOUNT_OPT_REMOUNT,
	MOUNT_OPT_IDMAP, /* set = AT_RECURSIVE for ridmap */
	MOUNT_OPT_TMPCOPYUP,
	MOUNT_OPT_SRC_NOFOLLOW,
	MOUNT_OPT_DEST_NOFOLLOW,
	MOUNT_OPT_COPY_SYMLINK,
};
struct mount_option {
	const char *name;
	enum mount_option_kind kind;
	uint64_t set, clr;
};
extern const struct mount_option spec_mount_options[];
const struct mount_option *spec_mount_option(const char *name); /* NULL: file system data */

#endif
