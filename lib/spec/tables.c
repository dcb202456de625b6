/*
 * The tables of tables.h. Numbers come from kernel headers where those have them; what is newer
 * than Debian 12's headers is written out with its kernel version.
 */
#include "spec/tables.h"

#include <linux/audit.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mount.h>

#include "base/sys.h"

int named_number(const struct named_number *table, const char *name, uint64_t *ret)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0) {
			*ret = table->number;
			return 0;
		}
	return -1;
}

const struct named_number spec_scheduler_policies[] = {
	{ "SCHED_OTHER", SCHED_NORMAL },
	{ "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_ISO", 4 },
	{ "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
	{ NULL, 0 },
};

const struct named_number spec_scheduler_flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	{ NULL, 0 },
};

const struct named_number spec_ioprio_classes[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ NULL, 0 },
};

const struct named_number spec_mempolicy_modes[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT },	{ "MPOL_BIND", MPOL_BIND },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE }, { "MPOL_WEIGHTED_INTERLEAVE", 6 }, /* Linux 6.9 */
	{ "MPOL_PREFERRED", MPOL_PREFERRED },	{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
	{ "MPOL_LOCAL", MPOL_LOCAL },		{ NULL, 0 },
};

const struct named_number spec_mempolicy_flags[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
	{ NULL, 0 },
};

const struct named_number spec_personalities[] = {
	{ "LINUX", 0 },
	{ "LINUX32", 8 },
	{ NULL, 0 },
};

const struct named_number spec_propagations[] = {
	{ "shared", MS_SHARED },
	{ "rshared", MS_SHARED | MS_REC },
	{ "slave", MS_SLAVE },
	{ "rslave", MS_SLAVE | MS_REC },
	{ "private", MS_PRIVATE },
	{ "rprivate", MS_PRIVATE | MS_REC },
	{ "unbindable", MS_UNBINDABLE },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ NULL, 0 },
};

const struct named_number spec_seccomp_actions[] = {
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
	{ NULL, 0 },
};

const struct named_number spec_seccomp_flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ NULL, 0 },
};

const struct named_number spec_seccomp_ops[] = {
	{ "SCMP_CMP_NE", OP_NE },
	{ "SCMP_CMP_LT", OP_LT },
	{ "SCMP_CMP_LE", OP_LE },
	{ "SCMP_CMP_EQ", OP_EQ },
	{ "SCMP_CMP_GE", OP_GE },
	{ "SCMP_CMP_GT", OP_GT },
	{ "SCMP_CMP_MASKED_EQ", OP_MASKED_EQ },
	{ NULL, 0 },
};

/* libseccomp's tokens are the audit numbers, but for x32 and two MIPS variants. */
#define X32_TOKEN   (EM_X86_64 | __AUDIT_ARCH_LE)
#define MIPS64N32   (EM_MIPS | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_CONVENTION_MIPS64_N32)
#define MIPSEL64N32 (MIPS64N32 | __AUDIT_ARCH_LE)

const struct named_number spec_seccomp_archs[] = {
	{ "SCMP_ARCH_X86", AUDIT_ARCH_I386 },
	{ "SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64 },
	{ "SCMP_ARCH_X32", X32_TOKEN },
	{ "SCMP_ARCH_ARM", AUDIT_ARCH_ARM },
	{ "SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64 },
	{ "SCMP_ARCH_MIPS", AUDIT_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", AUDIT_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", AUDIT_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", AUDIT_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", MIPSEL64N32 },
	{ "SCMP_ARCH_PPC", AUDIT_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", AUDIT_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE },
	{ "SCMP_ARCH_S390", AUDIT_ARCH_S390 },
	{ "SCMP_ARCH_S390X", AUDIT_ARCH_S390X },
	{ "SCMP_ARCH_PARISC", AUDIT_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", AUDIT_ARCH_PARISC64 },
	{ "SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64 },
	{ "SCMP_ARCH_LOONGARCH64", AUDIT_ARCH_LOONGARCH64 },
	{ "SCMP_ARCH_M68K", AUDIT_ARCH_M68K },
	{ "SCMP_ARCH_SH", AUDIT_ARCH_SHEL },
	{ "SCMP_ARCH_SHEB", AUDIT_ARCH_SH },
	{ NULL, 0 },
};

#define ATTR(name, set, clr)                                                                       \
	{                                                                                          \
		name, MOUNT_OPT_ATTR, set, clr                                                     \
	}
#define REC(name, set, clr)                                                                        \
	{                                                                                          \
		name, MOUNT_OPT_REC_ATTR, set, clr                                                 \
	}
#define PROPAGATION(name, flags)                                                                   \
	{                                                                                          \
		name, MOUNT_OPT_PROPAGATION, flags, 0                                              \
	}
#define KIND(name, kind)                                                                           \
	{                                                                                          \
		name, kind, 0, 0                                                                   \
	}

/* Access time is a field, not a bit: each value clears the field first. */
const struct mount_option spec_mount_options[] = {
	KIND("defaults", MOUNT_OPT_NOTHING),
	ATTR("ro", MOUNT_ATTR_RDONLY, 0),
	ATTR("rw", 0, MOUNT_ATTR_RDONLY),
	ATTR("nosuid", MOUNT_ATTR_NOSUID, 0),
	ATTR("suid", 0, MOUNT_ATTR_NOSUID),
	ATTR("nodev", MOUNT_ATTR_NODEV, 0),
	ATTR("dev", 0, MOUNT_ATTR_NODEV),
	ATTR("noexec", MOUNT_ATTR_NOEXEC, 0),
	ATTR("exec", 0, MOUNT_ATTR_NOEXEC),
	ATTR("nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0),
	ATTR("symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW),
	ATTR("noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME),
	ATTR("atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME),
	ATTR("relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME),
	ATTR("norelatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME),
	ATTR("strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME),
	ATTR("nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME),
	ATTR("nodiratime", MOUNT_ATTR_NODIRATIME, 0),
	ATTR("diratime", 0, MOUNT_ATTR_NODIRATIME),
	REC("rro", MOUNT_ATTR_RDONLY, 0),
	REC("rrw", 0, MOUNT_ATTR_RDONLY),
	REC("rnosuid", MOUNT_ATTR_NOSUID, 0),
	REC("rsuid", 0, MOUNT_ATTR_NOSUID),
	REC("rnodev", MOUNT_ATTR_NODEV, 0),
	REC("rdev", 0, MOUNT_ATTR_NODEV),
	REC("rnoexec", MOUNT_ATTR_NOEXEC, 0),
	REC("rexec", 0, MOUNT_ATTR_NOEXEC),
	REC("rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0),
	REC("rsymfollow", 0, MOUNT_ATTR_NOSYMFOLLOW),
	REC("rnoatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME),
	REC("ratime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME),
	REC("rrelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME),
	REC("rnorelatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME),
	REC("rstrictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME),
	REC("rnostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME),
	REC("rnodiratime", MOUNT_ATTR_NODIRATIME, 0),
	REC("rdiratime", 0, MOUNT_ATTR_NODIRATIME),
	KIND("sync", MOUNT_OPT_SUPER),
	KIND("async", MOUNT_OPT_SUPER),
	KIND("dirsync", MOUNT_OPT_SUPER),
	KIND("lazytime", MOUNT_OPT_SUPER),
	KIND("nolazytime", MOUNT_OPT_SUPER),
	KIND("mand", MOUNT_OPT_NOTHING), /* mandatory locks left the kernel in 5.15 */
	KIND("nomand", MOUNT_OPT_NOTHING),
	KIND("iversion", MOUNT_OPT_NOTHING), /* the kernel decides this itself since 4.16 */
	KIND("noiversion", MOUNT_OPT_NOTHING),
	KIND("silent", MOUNT_OPT_NOTHING),
	KIND("loud", MOUNT_OPT_NOTHING),
	PROPAGATION("private", MS_PRIVATE),
	PROPAGATION("rprivate", MS_PRIVATE | MS_REC),
	PROPAGATION("shared", MS_SHARED),
	PROPAGATION("rshared", MS_SHARED | MS_REC),
	PROPAGATION("slave", MS_SLAVE),
	PROPAGATION("rslave", MS_SLAVE | MS_REC),
	PROPAGATION("unbindable", MS_UNBINDABLE),
	PROPAGATION("runbindable", MS_UNBINDABLE | MS_REC),
	{ "bind", MOUNT_OPT_BIND, MS_BIND, 0 },
	{ "rbind", MOUNT_OPT_BIND, MS_BIND | MS_REC, 0 },
	KIND("remount", MOUNT_OPT_REMOUNT),
	KIND("idmap", MOUNT_OPT_IDMAP),
	{ "ridmap", MOUNT_OPT_IDMAP, MS_REC, 0 },
	KIND("tmpcopyup", MOUNT_OPT_TMPCOPYUP),
	KIND("src-nofollow", MOUNT_OPT_SRC_NOFOLLOW),
	KIND("dest-nofollow", MOUNT_OPT_DEST_NOFOLLOW),
	KIND("copy-symlink", MOUNT_OPT_COPY_SYMLINK),
	KIND(NULL, MOUNT_OPT_NOTHING),
};

const struct mount_option *spec_mount_option(const char *name)
{
	for (const struct mount_option *o = spec_mount_options; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}
