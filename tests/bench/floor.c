/*
 * The floor: the container of `runc spec` as bare system calls and nothing else. No config, no
 * state, no errors told well, no care for hostile images. What it costs is what the kernel asks
 * for; a runtime is judged by how close it comes.
 *
 *	floor ROOTFS CGROUP PROGRAM [ARGUMENT...]
 *
 * CGROUP is a directory to make below the cgroup2 mount; it is removed at the end. The exit status
 * is the program's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/sys.h"

static void must(long r, const char *what)
{
	if (r < 0) {
		perror(what);
		_exit(125);
	}
}

static const struct {
	const char *target, *type;
	unsigned long flags;
	const char *data;
} mounts[] = {
	{ "proc", "proc", 0, NULL },
	{ "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k" },
	{ "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "dev/shm", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k" },
	{ "dev/mqueue", "mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
	{ "sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL },
	{ "sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL },
};
static const struct {
	const char *path;
	unsigned major, minor;
} devices[] = { { "dev/null", 1, 3 },	{ "dev/zero", 1, 5 },	 { "dev/full", 1, 7 },
		{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };
static const struct {
	const char *target, *path;
} links[] = { { "/proc/self/fd", "dev/fd" },
	      { "/proc/self/fd/0", "dev/stdin" },
	      { "/proc/self/fd/1", "dev/stdout" },
	      { "/proc/self/fd/2", "dev/stderr" },
	      { "pts/ptmx", "dev/ptmx" } };
static const char *const masked[] = { "proc/acpi",	  "proc/asound",	"proc/kcore",
				      "proc/keys",	  "proc/latency_stats", "proc/timer_list",
				      "proc/timer_stats", "proc/sched_debug",	"sys/firmware",
				      "proc/scsi" };
static const char *const readonly[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys",
					"proc/sysrq-trigger" };

static void make_mounts(const char *rootfs)
{
	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
	must(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "bind root");
	must(chdir(rootfs), "chdir");
	for (size_t i = 0; i < COUNT(mounts); i++) {
		(void)mkdir(mounts[i].target, 0755);
		must(mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
			   mounts[i].data),
		     mounts[i].target);
	}
	umask(0);
	for (size_t i = 0; i < COUNT(devices); i++)
		must(mknod(devices[i].path, S_IFCHR | 0666,
			   makedev(devices[i].major, devices[i].minor)),
		     devices[i].path);
	for (size_t i = 0; i < COUNT(links); i++)
		must(symlink(links[i].target, links[i].path), links[i].path);
	for (size_t i = 0; i < COUNT(readonly); i++) {
		if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) < 0)
			continue; /* not every kernel has all of them */
		must(mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL),
		     readonly[i]);
	}
	for (size_t i = 0; i < COUNT(masked); i++)
		if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) < 0 && errno == ENOTDIR)
			must(mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL), masked[i]);
}

static void drop_privileges(void)
{
	const uint32_t kept = 1U << CAP_AUDIT_WRITE | 1U << CAP_KILL | 1U << CAP_NET_BIND_SERVICE;
	for (int cap = 0; cap < 64; cap++)
		if ((cap >= 32 || !(kept & 1U << cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = kept, .permitted = kept } };
	must(syscall(SYS_capset, &header, data), "capset");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

_Noreturn static void child(const char *rootfs, char **argv)
{
	char *const env[] = { (char[]){ "PATH=/bin" }, NULL };
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	must(unshare(CLONE_NEWCGROUP), "cgroup namespace");
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(ioctl(sock, SIOCSIFFLAGS, &ifr), "lo");
	make_mounts(rootfs);
	must(sys_pivot_root(".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount");
	must(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), "read-only root");
	must(sethostname("floor", 5), "hostname");
	must(setsid(), "setsid");
	umask(022);
	drop_privileges();
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	(void)execve(argv[0], argv, env);
	must(-1, argv[0]);
	_exit(125);
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "Usage: floor ROOTFS CGROUP PROGRAM [ARGUMENT...]\n");
		return 125;
	}
	must(mkdir(argv[2], 0755), argv[2]);
	int cgroup = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(cgroup, argv[2]);
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
					    CLONE_NEWNS | CLONE_NEWNET | CLONE_INTO_CGROUP,
				   .cgroup = (uint64_t)cgroup,
				   .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);
	must(pid, "clone3");
	if (pid == 0)
		child(argv[1], argv + 3);

	int status = 0;
	must(waitpid(pid, &status, 0), "waitpid");
	must(rmdir(argv[2]), "rmdir");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
