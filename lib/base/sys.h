/*
 * System calls that glibc 2.36 does not wrap, and kernel constants newer than its headers.
 * Header-only: the child side after clone3 may use nothing else of base but cleanup.h.
 * All return -1 with errno as the C library's wrappers do.
 */
#ifndef CSN_BASE_SYS_H
#define CSN_BASE_SYS_H

#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000 /* Linux 5.14 */
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080 /* Linux 5.6 */
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL /* Linux 5.7 */
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

static inline pid_t sys_clone3(struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof *args);
}

static inline int sys_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode,
			      uint64_t resolve)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };
	return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
}

static inline int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static inline int sys_pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, info, flags);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* ioctl on a pidfd, Linux 6.13; the exit status since 6.15 */
struct sys_pidfd_info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, ids[8];
	int32_t exit_code;
};
#define SYS_PIDFD_INFO_EXIT 8U
#define SYS_PIDFD_GET_INFO  _IOWR(0xFF, 11, struct sys_pidfd_info)

/* sigaction(2) refuses the two that the C library keeps for itself, 32 and 33; posix_spawn(3)
 * leaves them ignored. */
static inline int sys_signal_default(int sig)
{
	/* SIG_DFL, no flags, no mask: at least as large as the kernel's struct. */
	const unsigned long zero[8] = { 0 };
	return (int)syscall(SYS_rt_sigaction, sig, zero, NULL, 8);
}

#endif
