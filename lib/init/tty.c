/*
 * The terminal: a pty of the container's own devpts. The master goes to the host; the peer is
 * taken from the master (TIOCGPTPEER, Linux 4.13) and never by the name /dev/pts/N, which a
 * process of the container could have replaced.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "init/child.h"

static int bind_console(struct child *c, int peer)
{
	step_fd target = inroot_make(c, "/dev/console", INROOT_FILE | INROOT_NOFOLLOW);
	if (target < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "/dev/console", target);
	step_fd tree = open_tree(peer, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return tree < 0 ? -errno : attach_tree(tree, target);
}

static int open_master(struct child *c)
{
	step_fd fd = sys_openat2(c->root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0,
				 RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	struct statfs fs;
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return report_at(c, SYNC_DETAIL_PATH, 0, "/dev/pts/ptmx", -errno);
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return report_at(c, SYNC_DETAIL_PATH, 0, "/dev/pts/ptmx", -ENODEV);
	return take_fd(&fd);
}

static bool is_null(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static int open_null(const struct child *c, uint64_t flags)
{
	bool ours = c->null_dir >= 0;
	step_fd fd = sys_openat2(ours ? c->null_dir : c->root, ours ? "null" : "/dev/null",
				 flags | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	return fd >= 0 && is_null(fd) ? take_fd(&fd) : -ENODEV;
}

/* Looked at before it is opened, unless we made it: to open some devices is to do something. */
static bool may_open_null(const struct child *c)
{
	if (c->null_dir >= 0)
		return true;
	step_fd seen = open_null(c, O_PATH);
	return seen >= 0;
}

/*
 * The host's /dev/null as a standard stream is a file of the host's /dev: who has it has a way to
 * that mount, and criu(8) cannot save it. The container's own node is as good; where that is not
 * what it should be, the host's stays.
 */
static void own_null(struct child *c)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (!is_null(fd) || !may_open_null(c))
			continue;
		step_fd own = open_null(c, O_RDWR);
		if (own >= 0)
			(void)dup3(own, fd, 0);
	}
}

int step_terminal(struct child *c)
{
	const struct plan *p = c->plan;
	if (!p->terminal) {
		own_null(c);
		return 0;
	}

	step_fd master = open_master(c);
	if (master < 0)
		return master;
	int unlock = 0;
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	step_fd peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (peer < 0)
		return -errno;

	if (p->rows || p->cols) {
		struct winsize size = { .ws_row = p->rows, .ws_col = p->cols };
		if (ioctl(master, TIOCSWINSZ, &size) < 0)
			return -errno;
	}
	if (p->bind_console) {
		int r = bind_console(c, peer);
		if (r < 0)
			return r;
	}
	int r = sync_say(c, SYNC_TTY, master);
	if (r < 0)
		return r;

	if (p->uid && fchown(peer, p->uid, (gid_t)-1) < 0)
		return -errno;
	for (int fd = 0; fd <= 2; fd++)
		if (dup3(peer, fd, 0) < 0)
			return -errno;
	return ioctl(0, TIOCSCTTY, 0) < 0 ? -errno : 0;
}
