/*
 * What a hostile container runs: one static program with many heads. Every loop is bounded by a
 * count or by seconds. What it finds is printed in words that the scripts compare.
 * The table at the end says which heads there are.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int swap(char **args)
{
	double end = now() + atof(args[2]);
	long n = 0;
	while (n % 256 || now() < end) {
		if (syscall(SYS_renameat2, AT_FDCWD, args[0], AT_FDCWD, args[1], 2 /* EXCHANGE */) <
		    0)
			break;
		n++;
	}
	printf("swapped %ld\n", n);
	return n == 0;
}

/* ---- processes that enter ----------------------------------------------------------------------
 */

static int host_things;

static void got(const char *what, int pid)
{
	/* The target may have become an ordinary program in between: only a file that we cannot
	 * find in our own root is the host's. */
	char link[64], name[PATH_MAX];
	struct stat theirs, ours;
	snprintf(link, sizeof link, "/proc/%d/exe", pid);
	ssize_t n = readlink(link, name, sizeof name - 1);
	if (n < 0 || stat(link, &theirs) < 0)
		return;
	name[n] = '\0';
	if (stat(name, &ours) == 0 && ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev)
		return;
	printf("got %s of %d: %s\n", what, pid, name);
	host_things++;
}

static void try_open(int pid, const char *file)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	if (fd >= 0)
		got(file, pid);
	close(fd);
}

static void look_into(int pid)
{
	static const char *const files[] = { "exe", "fd", "cwd", "root", "mem", "environ", "maps" };
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		try_open(pid, files[i]);

	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	for (int n = 3; n < 12; n++) {
		int fd = (int)syscall(SYS_pidfd_getfd, pidfd, n, 0);
		if (fd >= 0)
			got("a descriptor", pid);
		close(fd);
	}
	close(pidfd);
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
		got("ptrace", pid);
		/* Let go of it, or reap it: nobody else can while we trace it. */
		int status;
		ptrace(PTRACE_INTERRUPT, pid, 0, 0);
		if (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
			ptrace(PTRACE_DETACH, pid, 0, 0);
	}
}

static int watch(char **args)
{
	double end = now() + atof(args[0]);
	int self = getpid(), looked = 0;
	printf("watching\n");
	fflush(stdout);
	/* Numbers come one after the other: look at those that come next. */
	for (int next = self + 1; now() < end;) {
		int seen = 0;
		for (int pid = next; pid < next + 16; pid++)
			if (kill(pid, 0) == 0) {
				for (int times = 0; times < 40 && kill(pid, 0) == 0; times++)
					look_into(pid);
				seen = pid;
				looked++;
			}
		if (seen)
			next = seen + 1;
	}
	printf("looked into %d, host things %d\n", looked, host_things);
	return host_things != 0;
}

static int hold_exe(char **args)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%s/exe", args[0]);
	int held = open(path, O_PATH | O_CLOEXEC);
	if (held < 0)
		return printf("cannot hold: %s\n", strerror(errno)), 2;
	printf("holding\n");
	fflush(stdout);

	snprintf(path, sizeof path, "/proc/self/fd/%d", held);
	int error = ETXTBSY;
	for (int tries = 0; tries < 500 && error == ETXTBSY; tries++) {
		int fd = open(path, O_WRONLY | O_APPEND);
		if (fd >= 0) {
			if (write(fd, "OWNED", 5) == 5)
				return printf("wrote to it\n"), 1;
			error = errno;
			close(fd);
		} else {
			error = errno;
		}
		usleep(10 * 1000);
	}
	printf("refused: %s\n", error == EROFS ? "EROFS" : strerror(error));
	return 0;
}

/* ---- itself ------------------------------------------------------------------------------------
 */

static int fds(char **args)
{
	for (int fd = args[0] ? atoi(args[0]) : 3; fd < 4096; fd++) {
		char link[64], name[PATH_MAX];
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, name, sizeof name - 1);
		name[n < 0 ? 0 : n] = '\0';
		printf("%d %s\n", fd, name);
	}
	return 0;
}

/* keyctl(KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING): "type;uid;gid;perm;description" */
static int session(char **args)
{
	char text[256];
	(void)args;
	long n = syscall(SYS_keyctl, 6, -3, text, sizeof text);
	puts(n < 0 ? strerror(errno) : strrchr(text, ';') + 1);
	return 0;
}

static int ids(char **args)
{
	(void)args;
	printf("%d %d\n", (int)getuid(), (int)geteuid());
	return 0;
}

/* security.capability of revision 2: CAP_NET_RAW inheritable, nothing else */
static int file_cap(char **args)
{
	unsigned data[5] = { 0x02000000, 0, 1u << 13, 0, 0 };
	if (setxattr(args[0], "security.capability", data, sizeof data, 0) < 0)
		return perror(args[0]), 1;
	return 0;
}

static int signals(char **args)
{
	sigset_t set;
	(void)args;
	sigprocmask(SIG_BLOCK, NULL, &set);
	for (int sig = 1; sig < 65; sig++) {
		struct sigaction act;
		if (sigismember(&set, sig) == 1)
			printf("blocked %d\n", sig);
		if (sigaction(sig, NULL, &act) == 0 && act.sa_handler == SIG_IGN)
			printf("ignored %d\n", sig);
	}
	return 0;
}

static int tiocsti(char **args)
{
	(void)args;
	for (int fd = 0; fd < 3; fd++) {
		char c = '#';
		int plain = syscall(SYS_ioctl, fd, (unsigned long)TIOCSTI, &c) < 0 ? errno : 0;
		int high = syscall(SYS_ioctl, fd, (1UL << 32) | TIOCSTI, &c) < 0 ? errno : 0;
		printf("%d %s %s\n", fd, plain ? strerrorname_np(plain) : "pushed",
		       high ? strerrorname_np(high) : "pushed");
	}
	return 0;
}

/* ---- the kernel's surface ----------------------------------------------------------------------
 */

static int families(char **args)
{
	(void)args;
	for (int family = 0; family < 46; family++)
		for (int type = 1; type <= 5; type++) {
			int fd = socket(family, type, 0);
			if (fd < 0 && errno == ESOCKTNOSUPPORT)
				continue;
			if (fd >= 0)
				printf("%d\n", family);
			else if (errno != EPERM && errno != EACCES && errno != EAFNOSUPPORT &&
				 errno != EPROTONOSUPPORT && errno != EPROTOTYPE)
				printf("%d %s\n", family, strerrorname_np(errno));
			if (fd >= 0 || errno != EPROTONOSUPPORT) {
				close(fd);
				break;
			}
		}
	return 0;
}

/* Numbers that end us, stop us or wait for something that does not come. */
static int unsafe(long n)
{
	static const long numbers[] = {
		SYS_exit,	 SYS_exit_group, SYS_pause,	  SYS_rt_sigreturn,
		SYS_fork,	 SYS_vfork,	 SYS_clone,	  SYS_rt_sigsuspend,
		SYS_wait4,	 SYS_waitid,	 SYS_select,	  SYS_pselect6,
		SYS_poll,	 SYS_ppoll,	 SYS_read,	  SYS_close,
		SYS_close_range, SYS_munmap,	 SYS_brk,	  SYS_rt_sigtimedwait,
		SYS_epoll_wait,	 SYS_futex,	 SYS_sched_yield, SYS_alarm,
		SYS_kill,	 SYS_tkill,	 SYS_tgkill,	  SYS_mmap,
		SYS_mremap,	 SYS_mprotect,	 SYS_arch_prctl
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (numbers[i] == n)
			return 1;
	return 0;
}

/* In a child each, with arguments that no call accepts. */
static int probe(long number)
{
	int report[2], error = 0;
	if (pipe(report) < 0)
		return EIO;
	pid_t pid = fork();
	if (pid == 0) {
		alarm(2);
		long r = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
		error = r < 0 ? errno : 0;
		_exit(write(report[1], &error, sizeof error) != sizeof error);
	}
	close(report[1]);
	if (read(report[0], &error, sizeof error) != sizeof error)
		error = -1;
	close(report[0]);
	waitpid(pid, NULL, 0);
	return error;
}

static int calls(char **args)
{
	(void)args;
	for (long n = 0; n < 480; n++) {
		int error = unsafe(n) ? 0 : probe(n);
		if (error == EPERM || error == ENOSYS)
			printf("%ld %s\n", n, strerrorname_np(error));
	}
	return 0;
}

static long number_of(const char *text)
{
	return (long)strtoul(text, NULL, 0);
}

static int call(char **args)
{
	long a[6] = { 0 };
	for (int i = 0; i < 6 && args[i + 1]; i++) {
		a[i] = number_of(args[i + 1]);
		if (!args[i + 1])
			break;
	}
	long r = syscall(number_of(args[0]), a[0], a[1], a[2], a[3], a[4], a[5]);
	puts(r < 0 ? strerrorname_np(errno) : "ok");
	return 0;
}

static int call32(char **args)
{
#ifdef __x86_64__
	long r = number_of(args[0]);
	__asm__ volatile("int $0x80"
			 : "+a"(r)
			 : "b"(0), "c"(0), "d"(0)
			 : "r8", "r9", "r10", "r11", "memory");
	r = (int)r;
	puts(r < 0 ? strerrorname_np((int)-r) : "ok");
#else
	(void)args;
	puts("ENOSYS");
#endif
	return 0;
}

static int escape(char **args)
{
	(void)args;
	mkdir("/tmp/trap", 0755);
	int out = open("/", O_RDONLY | O_DIRECTORY);
	if (chroot("/tmp/trap") < 0 || fchdir(out) < 0)
		return printf("no chroot: %s\n", strerror(errno)), 0;
	for (int i = 0; i < 64; i++)
		(void)!chdir("..");
	if (chroot(".") < 0)
		return printf("no chroot: %s\n", strerror(errno)), 0;
	struct dirent *e;
	DIR *d = opendir("/");
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			printf("%s ", e->d_name);
	printf("\n");
	return 0;
}

static int handle(char **args)
{
	union {
		struct file_handle h;
		char bytes[sizeof(struct file_handle) + 8];
	} u = { .h = { .handle_bytes = 8, .handle_type = 1 } };
	unsigned inode[2] = { 2, 0 };
	memcpy(u.h.f_handle, inode, sizeof inode);
	int dir = open(args[0], O_RDONLY);
	int fd = open_by_handle_at(dir, &u.h, O_RDONLY);
	puts(fd < 0 ? strerrorname_np(errno) : "opened");
	return 0;
}

static int print_writable(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)where;
	if (kind == FTW_F && S_ISREG(st->st_mode) && (st->st_mode & 0222)) {
		int fd = open(path, O_WRONLY | O_NONBLOCK);
		if (fd >= 0)
			printf("%s\n", path);
		close(fd);
	}
	return 0;
}

static int writable(char **args)
{
	return nftw(args[0], print_writable, 32, FTW_PHYS) < 0;
}

static const struct {
	const char *name;
	int (*run)(char **args);
	int args;
	const char *help;
} heads[] = {
	{ "swap", swap, 3, "A B SECONDS: exchanges two names as fast as it can" },
	{ "watch", watch, 1, "SECONDS: looks into every new process; what it got" },
	{ "hold-exe", hold_exe, 1, "PID: holds its /proc/PID/exe and tries to write to it" },
	{ "fds", fds, 0, "[FIRST]: its own open descriptors from 3, or FIRST" },
	{ "session", session, 0, "the description of its session keyring" },
	{ "ids", ids, 0, "real and effective user" },
	{ "file-cap", file_cap, 1, "FILE: gives it an inheritable capability" },
	{ "signals", signals, 0, "blocked and ignored signals" },
	{ "tiocsti", tiocsti, 0, "pushes a byte into 0, 1, 2: plainly, with a high bit set" },
	{ "families", families, 0, "the socket families that can be opened" },
	{ "calls", calls, 0, "the system calls that are refused: NUMBER ERRNO" },
	{ "call", call, 1, "NUMBER [ARGUMENT...]: one system call" },
	{ "call32", call32, 1, "NUMBER: the same through int 0x80" },
	{ "escape", escape, 0, "leaves a chroot the classic way: what is in its new root" },
	{ "handle", handle, 1, "PATH: open_by_handle_at(2) of inode 2 through PATH" },
	{ "writable", writable, 1, "DIR: files below it that can be opened for writing" },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof heads / sizeof *heads; i++)
		if (strcmp(argv[1], heads[i].name) == 0 && argc - 2 >= heads[i].args)
			return heads[i].run(argv + 2);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		fprintf(stderr, "hostile %s %s\n", heads[i].name, heads[i].help);
	return 125;
}
