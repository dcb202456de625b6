/*
 * Network namespaces. Making one and opening sockets in one need the calling thread to be in it
 * for a moment; its other threads notice nothing. If the way back were refused the thread would be
 * lost in a foreign namespace, so the way back is opened first.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "netns/netns.h"

static int open_own(struct csn_error *err)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "open /proc/thread-self/ns/net") : fd;
}

static int go_back(int home, int r, struct csn_error *err)
{
	if (setns(home, CLONE_NEWNET) < 0)
		return fail_errno(err, "return to the network namespace");
	return r;
}

int netns_sysctl(const char *path, const char *value, struct csn_error *err)
{
	char full[200];
	(void)snprintf(full, sizeof full, "/proc/sys/%s", path);
	return file_write_text(AT_FDCWD, full, value, err);
}

/*
 * A procfs of our own, mounted nowhere. In the host's, /proc/sys/net has one name for each network
 * namespace that somebody looked into, and finding ours among a thousand of that name takes longer
 * than making it.
 */
static int open_procfs(struct csn_error *err)
{
	auto_fd fs = fsopen("proc", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail_errno(err, "procfs");
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return fd < 0 ? fail_errno(err, "procfs") : fd;
}

/* Before any link exists: "default" is what new ones begin with, "lo" is there. */
static int set_up(bool ipv6, struct csn_error *err)
{
	static const struct {
		const char *path, *value;
		bool ipv6;
	} rows[] = { { "sys/net/ipv6/conf/default/disable_ipv6", "1", false },
		     { "sys/net/ipv6/conf/lo/disable_ipv6", "1", false },
		     { "sys/net/ipv6/conf/default/accept_dad", "0", true },
		     { "sys/net/ipv6/conf/default/accept_ra", "0", true } };
	auto_fd proc = open_procfs(err);
	TRY(proc);
	if (faccessat(proc, "sys/net/ipv6", F_OK, 0) < 0)
		return ipv6 ? fail(err, EOPNOTSUPP, "this kernel has no IPv6") : 0;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].ipv6 == ipv6)
			TRY(file_write_text(proc, rows[i].path, rows[i].value, err));
	return 0;
}

int netns_create(bool ipv6, int *ret_fd, struct csn_error *err)
{
	auto_fd home = open_own(err);
	TRY(home);
	if (unshare(CLONE_NEWNET) < 0)
		return fail_errno(err, "make a network namespace");
	int r = set_up(ipv6, err);
	int fd = r < 0 ? r : open_own(err);
	if (fd < 0)
		return go_back(home, fd, err);
	r = go_back(home, 0, err);
	if (r < 0) {
		close_fd(&fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int netns_run(int ns_fd, int (*fn)(void *data, struct csn_error *err), void *data,
	      struct csn_error *err)
{
	auto_fd home = open_own(err);
	TRY(home);
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return fail_errno(err, "enter the network namespace");
	return go_back(home, fn(data, err), err);
}

int netns_pin(int ns_fd, int dir_fd, const char *name, struct csn_error *err)
{
	char from[40], to[40];
	auto_fd file =
		openat(dir_fd, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return fail_errno(err, "pin network namespace \"%s\"", name);
	(void)snprintf(from, sizeof from, "/proc/self/fd/%d", ns_fd);
	(void)snprintf(to, sizeof to, "/proc/self/fd/%d", file);
	if (mount(from, to, NULL, MS_BIND, NULL) == 0)
		return 0;
	int r = fail_errno(err, "pin network namespace \"%s\"", name);
	(void)unlinkat(dir_fd, name, 0);
	return r;
}

int netns_unpin(int dir_fd, const char *name, struct csn_error *err)
{
	char path[40];
	/* By the path in the directory: an fd of the pin itself would keep it busy. */
	char full[300];
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", dir_fd);
	(void)snprintf(full, sizeof full, "%s/%s", path, name);
	while (umount2(full, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return fail_errno(err, "unpin network namespace \"%s\"", name);
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return fail_errno(err, "unpin network namespace \"%s\"", name);
	return 0;
}
