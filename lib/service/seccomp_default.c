/*
 * The default seccomp profile: an allow-list.
 *
 * What is not named answers ENOSYS, so that a C library falls back as it would on an older kernel
 * (clone3 is left out on purpose: its flags are behind a pointer that no filter can read). What is
 * known and refused answers EPERM. Four calls depend on an argument:
 *   clone	no new namespaces
 *   socket	the families of ordinary programs only
 *   ioctl	not TIOCSTI and TIOCLINUX, which put words into a terminal's mouth; the kernel looks
 *		at the low 32 bits of the request only, and so must the filter
 *   personality	the harmless ones
 *
 * A rule of a filter holds one comparison, so "x is neither a nor b" becomes a row per bit in
 * which x may differ.
 */
#include "service/seccomp_default.h"

#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define ACT_ALLOW "SCMP_ACT_ALLOW"
#define ACT_ERRNO "SCMP_ACT_ERRNO"
#define LOW_32	  0xffffffffU

static const char *const architectures[] = {
#if defined(__x86_64__)
	"SCMP_ARCH_X86_64",
	"SCMP_ARCH_X86",
#elif defined(__aarch64__)
	"SCMP_ARCH_AARCH64",
	"SCMP_ARCH_ARM",
#else
#error "name this architecture for seccomp"
#endif
};

static const char allowed[] =
	"_llseek _newselect accept accept4 access adjtimex alarm arch_prctl bind brk "
	"cachestat capget capset chdir chmod chown chown32 chroot clock_getres "
	"clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
	"clock_nanosleep_time64 close close_range connect copy_file_range creat dup "
	"dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 "
	"epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat "
	"faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 "
	"fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock "
	"fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync "
	"ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait "
	"futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu "
	"getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid "
	"getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid "
	"getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 "
	"getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid "
	"getuid32 getxattr inotify_add_watch inotify_init inotify_init1 "
	"inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents "
	"io_pgetevents_time64 io_setup io_submit ioprio_get ioprio_set ipc kcmp kill "
	"landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown "
	"lchown32 lgetxattr link linkat listen listxattr llistxattr lremovexattr "
	"lseek lsetxattr lstat lstat64 madvise membarrier memfd_create memfd_secret "
	"mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 "
	"mprotect mq_getsetattr mq_notify mq_open mq_timedreceive "
	"mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap "
	"msgctl msgget msgrcv msgsnd msync munlock munlockall munmap "
	"name_to_handle_at nanosleep newfstatat nice open openat openat2 pause "
	"pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect "
	"poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 "
	"process_mrelease process_vm_readv process_vm_writev pselect6 pselect6_time64 "
	"ptrace pwrite64 pwritev pwritev2 read readahead readdir readlink readlinkat "
	"readv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr "
	"rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction "
	"rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
	"rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo "
	"sched_get_priority_max sched_get_priority_min sched_getaffinity "
	"sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
	"sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam "
	"sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop "
	"semtimedop_time64 sendfile sendfile64 sendmmsg sendmsg sendto "
	"set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid "
	"setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid "
	"setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 "
	"setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr "
	"sgetmask shmat shmctl shmdt shmget shutdown sigaction sigaltstack signal "
	"signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend socketpair "
	"splice ssetmask stat stat64 statfs statfs64 statx symlink symlinkat sync "
	"sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete "
	"timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 "
	"timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime "
	"timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname "
	"unlink unlinkat utime utimensat utimensat_time64 utimes vfork vmsplice wait4 "
	"waitid waitpid write writev";

/* Known, and not for containers: they change the host or reach behind its walls. */
static const char refused[] =
	"acct add_key bpf clock_adjtime clock_adjtime64 clock_settime clock_settime64 "
	"create_module delete_module fanotify_init fanotify_mark finit_module "
	"fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy init_module "
	"io_uring_enter io_uring_register io_uring_setup ioperm iopl kexec_file_load "
	"kexec_load keyctl lookup_dcookie mbind migrate_pages modify_ldt mount "
	"mount_setattr move_mount move_pages nfsservctl open_by_handle_at open_tree "
	"perf_event_open pidfd_getfd pivot_root process_madvise query_module quotactl "
	"quotactl_fd reboot request_key set_mempolicy set_mempolicy_home_node "
	"setdomainname sethostname setns settimeofday socketcall stime swapoff swapon "
	"sysfs syslog umount umount2 unshare uselib userfaultfd ustat vhangup vm86 "
	"vm86old";

static const unsigned namespace_flags[] = {
	CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
	CLONE_NEWUSER, CLONE_NEWPID,	CLONE_NEWNET,
};

static const unsigned families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

static const unsigned personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };

struct comparison {
	unsigned index;
	const char *op;
	uint64_t value, value_two; /* masked: the mask, then what is compared */
};

/* One rule. names are separated by spaces; errno_value 0: allowed; c NULL: whatever the arguments.
 */
static void put_rule(struct json_out *o, const char *names, int errno_value,
		     const struct comparison *c)
{
	json_open_object(o, NULL);
	json_open_array(o, "names");
	while (*names) {
		size_t n = strcspn(names, " ");
		json_put_bytes(o, NULL, names, n);
		names += n + (names[n] == ' ');
	}
	json_close_array(o);
	json_put_string(o, "action", errno_value ? ACT_ERRNO : ACT_ALLOW);
	if (errno_value)
		json_put_i64(o, "errnoRet", errno_value);
	if (c) {
		json_open_array(o, "args");
		json_open_object(o, NULL);
		json_put_u64(o, "index", c->index);
		json_put_u64(o, "value", c->value);
		json_put_u64(o, "valueTwo", c->value_two);
		json_put_string(o, "op", c->op);
		json_close_object(o);
		json_close_array(o);
	}
	json_close_object(o);
}

static void put_masked(struct json_out *o, const char *name, int errno_value, unsigned index,
		       uint64_t mask, uint64_t value)
{
	put_rule(o, name, errno_value,
		 &(struct comparison){ index, "SCMP_CMP_MASKED_EQ", mask, value });
}

static void put_equal(struct json_out *o, const char *name, int errno_value, uint64_t value)
{
	put_rule(o, name, errno_value, &(struct comparison){ 0, "SCMP_CMP_EQ", value, 0 });
}

static void put_clone(struct json_out *o)
{
	unsigned all = 0;
	for (size_t i = 0; i < COUNT(namespace_flags); i++)
		all |= namespace_flags[i];
	put_masked(o, "clone", 0, 0, all, 0);
	for (size_t i = 0; i < COUNT(namespace_flags); i++)
		put_masked(o, "clone", EPERM, 0, namespace_flags[i], namespace_flags[i]);
}

static void put_socket(struct json_out *o)
{
	uint64_t top = 0;
	for (size_t i = 0; i < COUNT(families); i++) {
		for (; top < families[i]; top++)
			put_equal(o, "socket", EAFNOSUPPORT, top);
		put_equal(o, "socket", 0, top++);
	}
	put_rule(o, "socket", EAFNOSUPPORT, &(struct comparison){ 0, "SCMP_CMP_GE", top, 0 });
}

/* TIOCSTI 0x5412 and TIOCLINUX 0x541c differ in their low four bits only. */
static void put_ioctl(struct json_out *o)
{
	const unsigned common = TIOCSTI & ~0xfU;
	_Static_assert((TIOCSTI & ~0xf) == (TIOCLINUX & ~0xf), "one row of requests");

	for (unsigned bit = 4; bit < 32; bit++)
		put_masked(o, "ioctl", 0, 1, 1U << bit, ~common & 1U << bit);
	for (unsigned low = 0; low <= 0xf; low++) {
		unsigned request = common | low;
		bool bad = request == TIOCSTI || request == TIOCLINUX;
		put_masked(o, "ioctl", bad ? EPERM : 0, 1, LOW_32, request);
	}
}

void seccomp_default_put(struct json_out *o, const char *key)
{
	json_open_object(o, key);
	json_put_string(o, "defaultAction", ACT_ERRNO);
	json_put_i64(o, "defaultErrnoRet", ENOSYS);
	json_open_array(o, "architectures");
	for (size_t i = 0; i < COUNT(architectures); i++)
		json_put_string(o, NULL, architectures[i]);
	json_close_array(o);
	json_open_array(o, "syscalls");
	put_rule(o, allowed, 0, NULL);
	put_rule(o, refused, EPERM, NULL);
	put_clone(o);
	put_socket(o);
	put_ioctl(o);
	for (size_t i = 0; i < COUNT(personalities); i++)
		put_equal(o, "personality", 0, personalities[i]);
	json_close_array(o);
	json_close_object(o);
}
