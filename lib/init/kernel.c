/*
 * Kernel settings that belong to the container's namespaces, and the three trusted things that
 * steps borrow: the host's /dev/null, a procfs of our own, and the way onto a target.
 */
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "init/child.h"

int attach_at(int tree, int dir, const char *name)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (name[0] ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
	return move_mount(tree, "", dir, name, flags) < 0 ? -errno : 0;
}

int attach_tree(int tree, int target)
{
	return attach_at(tree, target, "");
}

/* Never a path of the container: its /dev/null may be anything (CVE-2025-31133). */
int host_null(struct child *c)
{
	if (c->null >= 0)
		return c->null;

	step_fd fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return -ENODEV;
	return c->null = take_fd(&fd);
}

/* A procfs that is mounted nowhere cannot be covered or faked by the image (CVE-2019-16884). */
int private_proc(struct child *c)
{
	if (c->proc >= 0)
		return c->proc;

	step_fd fs = fsopen("proc", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : (c->proc = fd);
}

int step_keyring(struct child *c)
{
	if (!c->plan->new_keyring)
		return 0;
	/* A kernel without keyrings, or an exhausted quota, is no reason to fail. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, c->plan->keyring_name) < 0 &&
	    errno != ENOSYS && errno != EDQUOT)
		return -errno;
	return 0;
}

int step_loopback(struct child *c)
{
	if (!c->plan->loopback_up)
		return 0;

	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	step_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}

int step_hostname(struct child *c)
{
	const struct plan *p = c->plan;

	if (p->hostname && sethostname(p->hostname, __builtin_strlen(p->hostname)) < 0)
		return -errno;
	if (p->domainname && setdomainname(p->domainname, __builtin_strlen(p->domainname)) < 0)
		return -errno;
	return 0;
}

static int write_sysctl(int sys, const struct plan_sysctl *s)
{
	step_fd fd = sys_openat2(sys, s->path, O_WRONLY | O_CLOEXEC, 0,
				 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (fd < 0)
		return -errno;
	size_t len = __builtin_strlen(s->value);
	ssize_t n = write(fd, s->value, len);
	return n < 0 ? -errno : (size_t)n != len ? -EIO : 0;
}

int step_sysctl(struct child *c)
{
	if (!c->plan->sysctls_count)
		return 0;

	int proc = private_proc(c);
	if (proc < 0)
		return proc;
	step_fd sys = openat(proc, "sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (sys < 0)
		return -errno;
	for (size_t i = 0; i < c->plan->sysctls_count; i++) {
		int r = write_sysctl(sys, &c->plan->sysctls[i]);
		if (r < 0)
			return report_at(c, SYNC_DETAIL_SYSCTL, i, c->plan->sysctls[i].path, r);
	}
	return 0;
}
