/*
 * The confinement of the process that parses layers. In this order, since each step takes away what
 * the one before needed: namespaces, pivot into the directory, limits, capabilities,
 * no_new_privs, seccomp.
 *
 * What is kept: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, MKNOD and SETFCAP, as layers have owners,
 * modes, devices and file capabilities, and SYS_ADMIN for extended attributes in trusted. alone: no
 * system call that could use it for anything else is on the list.
 *
 * Executable mappings are refused and the directory is mounted noexec, so that nothing in the layer
 * can become code of this process (a library that libc might look for in "/", for one).
 */
#include "image/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/sys.h"

#define MEMORY_MAX ((rlim_t)224 << 20) /* address space; most of it is libraries and the ring */
#define FILE_MAX   ((rlim_t)64 << 30)
#define FILES_MAX  4096
#define CPU_MAX	   3600

static int enter_dir(int dir_fd, struct csn_error *err)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return fail_errno(err, "unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail_errno(err, "make mounts private");
	/* Any directory will do: everything is gone in a moment. */
	if (move_mount(dir_fd, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail_errno(err, "mount the layer's directory");
	if (fchdir(dir_fd) < 0 || sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return fail_errno(err, "pivot into the layer's directory");
	return 0;
}

/* Lowers a limit; raising one may need what we do not have. */
static int limit(int resource, rlim_t max, struct csn_error *err)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		return fail_errno(err, "read a limit");
	max = now.rlim_max < max ? now.rlim_max : max;
	const struct rlimit new = { max, max };
	return setrlimit(resource, &new) < 0 ? fail_errno(err, "set a limit") : 0;
}

static int set_limits(struct csn_error *err)
{
	static const struct {
		int resource;
		rlim_t max;
	} limits[] = {
#ifndef CSN_ASAN /* whose shadow is larger than everything */
		{ RLIMIT_AS, MEMORY_MAX },
#endif
		{ RLIMIT_FSIZE, FILE_MAX }, { RLIMIT_NOFILE, FILES_MAX }, { RLIMIT_CPU, CPU_MAX },
		{ RLIMIT_CORE, 0 },	    { RLIMIT_NPROC, 0 },
	};

	/* A file that is too large is an error of the system call that makes it so. */
	(void)signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < COUNT(limits); i++)
		TRY(limit(limits[i].resource, limits[i].max, err));
	return 0;
}

static int cut_capabilities(struct csn_error *err)
{
	static const int kept[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER,   CAP_FSETID,
				    CAP_MKNOD, CAP_SETFCAP,	 CAP_SYS_ADMIN };
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (size_t i = 0; i < COUNT(kept); i++)
		data[kept[i] / 32].permitted |= 1u << kept[i] % 32;
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	if (syscall(SYS_capset, &head, data) < 0)
		return fail_errno(err, "drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_errno(err, "set no_new_privs");
	return 0;
}

#ifndef CSN_ASAN
#define SETXATTRAT 463 /* Linux 6.13; libseccomp 2.5 has no name for it */

static const int allowed[] = {
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	/* descriptors */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64),
	SCMP_SYS(fstat),
	SCMP_SYS(fstat64),
	SCMP_SYS(getdents64),
	SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64),
	SCMP_SYS(copy_file_range),
	SCMP_SYS(fchown),
	SCMP_SYS(fchmod),
	SCMP_SYS(fsetxattr),
	SCMP_SYS(fgetxattr),
	SCMP_SYS(flistxattr),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	/* names */
	SCMP_SYS(openat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(statx),
	SCMP_SYS(mkdirat),
	SCMP_SYS(mknodat),
	SCMP_SYS(symlinkat),
	SCMP_SYS(linkat),
	SCMP_SYS(unlinkat),
	SCMP_SYS(readlinkat),
	SCMP_SYS(fchownat),
	SCMP_SYS(fchmodat),
	SCMP_SYS(utimensat),
	SCMP_SYS(utimensat_time64),
	SCMP_SYS(fchdir),
	SCMP_SYS(lsetxattr),
	SETXATTRAT,
	/* the rest */
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
};

static int add_rules(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < COUNT(allowed); i++) {
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
		/* A call that this architecture does not have. */
		if (r == -EDOM || r == -EINVAL)
			r = 0;
	}
	static const int mapping[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };
	for (size_t i = 0; r == 0 && i < COUNT(mapping); i++) {
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, mapping[i], 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (r == -EDOM || r == -EINVAL)
			r = 0;
	}
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_EQ, FICLONE));
	return r;
}

static int filter_calls(struct csn_error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return fail(err, ENOMEM, "out of memory");

	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree */
	int r = add_rules(filter);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r < 0 ? fail(err, -r, "filter system calls") : 0;
}
#else
static int filter_calls(struct csn_error *err)
{
	(void)err;
	return 0; /* the sanitizers need calls of their own */
}
#endif

int sandbox_enter(int dir_fd, struct csn_error *err)
{
	/* A parent that is gone takes us with it, and nobody may look into us. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	TRY(enter_dir(dir_fd, err));
	TRY(set_limits(err));
	TRY(cut_capabilities(err));
	return filter_calls(err);
}
