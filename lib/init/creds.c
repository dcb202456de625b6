/*
 * Who the program is: label, groups, ids, capabilities, working directory. The order is fixed by
 * the kernel: the bounding set needs CAP_SETPCAP, ids are changed while capabilities are kept,
 * ambient ones need their permitted and inheritable bits first.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "init/child.h"

static int write_label(struct child *c, const char *file, const char *fallback, const char *text)
{
	int proc = private_proc(c);
	if (proc < 0)
		return proc;

	step_fd fd = openat(proc, file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && fallback)
		fd = openat(proc, fallback, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	size_t len = __builtin_strlen(text);
	ssize_t n = write(fd, text, len);
	return n < 0 ? -errno : (size_t)n != len ? -EIO : 0;
}

int step_labels(struct child *c)
{
	const struct plan *p = c->plan;
	int r = 0;

	if (p->apparmor_exec)
		r = write_label(c, "thread-self/attr/apparmor/exec", "thread-self/attr/exec",
				p->apparmor_exec);
	if (r < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "process.apparmorProfile", r);
	if (p->selinux_exec)
		r = write_label(c, "thread-self/attr/exec", NULL, p->selinux_exec);
	if (r < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "process.selinuxLabel", r);
	return 0;
}

/* Resolved by openat2 from the root: "/proc/self/fd/N" cannot lead out (CVE-2024-21626). */
static int enter_cwd(const struct child *c)
{
	const struct plan *p = c->plan;
	const uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	const uint64_t flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

	step_fd fd = sys_openat2(c->root, p->cwd, flags, 0, resolve);
	if (fd < 0 && errno == ENOENT && !p->exec_only) {
		step_fd made = inroot_make(c, p->cwd, 0);
		if (made < 0)
			return made;
		fd = sys_openat2(c->root, p->cwd, flags, 0, resolve);
	}
	return fd < 0 || fchdir(fd) < 0 ? -errno : 0;
}

int step_cwd(struct child *c)
{
	const struct plan *p = c->plan;

	/* pivot_root, or setns, has left us in "/". */
	bool there = p->cwd[0] == '/' && p->cwd[1] == '\0';
	int r = there ? 0 : enter_cwd(c);
	if (r < 0)
		return report_at(c, SYNC_DETAIL_CWD, 0, p->cwd, r);

	/* A directory that is not below our root has no such name. */
	char where[PATH_MAX];
	if (syscall(SYS_getcwd, where, sizeof where) < 0 || where[0] != '/')
		return report_at(c, SYNC_DETAIL_CWD, 0, p->cwd, -EXDEV);
	return 0;
}

/* Pipes that the caller gave as stdio: the program may want to open them again by
 * /proc/self/fd/N, which asks for the inode's owner. */
static void own_stdio(uid_t uid)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;
		if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid != uid)
			(void)!fchown(fd, uid, (gid_t)-1);
	}
}

int step_user(struct child *c)
{
	const struct plan *p = c->plan;
	uint64_t have = p->inherited_bounding ? p->inherited_bounding : UINT64_MAX;

	if (p->caps.set)
		for (int cap = 0; cap < 64; cap++) {
			if (!(have & ~p->caps.bounding & (UINT64_C(1) << cap)))
				continue;
			if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
				if (errno == EINVAL)
					break; /* past the kernel's last capability */
				return -errno;
			}
		}
	if (p->uid) {
		if (!p->terminal)
			own_stdio(p->uid);
		if (p->caps.set && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
			return -errno;
	}
	if (p->set_groups && syscall(SYS_setgroups, p->groups_count, p->groups) < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "process.user.additionalGids", -errno);
	if (p->ids_stand) {
		umask(p->umask);
		return 0;
	}
	if (syscall(SYS_setresgid, p->gid, p->gid, p->gid) < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "process.user.gid", -errno);
	if (syscall(SYS_setresuid, p->uid, p->uid, p->uid) < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "process.user.uid", -errno);
	umask(p->umask);
	return 0;
}

int step_capabilities(struct child *c)
{
	const struct plan_caps *caps = &c->plan->caps;

	if (c->plan->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (!caps->set)
		return 0;

	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(caps->effective >> (32 * i));
		data[i].permitted = (uint32_t)(caps->permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(caps->inheritable >> (32 * i));
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "process.capabilities", -errno);

	/* capset has cleared every ambient one that is not both of these. */
	if ((caps->permitted & caps->inheritable) &&
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (unsigned long cap = 0; cap < 64; cap++)
		if (caps->ambient & (UINT64_C(1) << cap) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return report_at(c, SYNC_DETAIL_PATH, 0, "process.capabilities.ambient",
					 -errno);
	return 0;
}
