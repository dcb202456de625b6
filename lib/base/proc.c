/*
 * Facts about processes. /proc/PID/stat is parsed from its last ')': the name before it may hold
 * anything, newlines and parentheses included.
 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

int proc_stat(pid_t pid, char *ret_state, uint64_t *ret_start_time)
{
	char path[32], buf[1024];
	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);
	if (n <= 0)
		return -ESRCH;
	buf[n] = '\0';

	/* After the name: field 3 is the state, field 22 the start time. */
	char *p = strrchr(buf, ')');
	if (!p || p[1] != ' ' || !p[2])
		return -ESRCH;
	*ret_state = p[2];
	p += 2;
	for (int field = 3; field < 22; field++) {
		p = strchr(p, ' ');
		if (!p)
			return -ESRCH;
		p++;
	}
	*ret_start_time = strtoull(p, NULL, 10);
	return 0;
}

bool proc_alive(pid_t pid, uint64_t start_time)
{
	char state;
	uint64_t started;
	return pid > 0 && proc_stat(pid, &state, &started) == 0 && started == start_time &&
	       state != 'Z' && state != 'X';
}

int proc_pidfd(pid_t pid, uint64_t start_time)
{
	auto_fd fd = sys_pidfd_open(pid, 0);
	if (fd < 0)
		return -errno;
	/* The fd pins the process; only now does the comparison prove anything. */
	return proc_alive(pid, start_time) ? take_fd(&fd) : -ESRCH;
}

const char *proc_boot_id(void)
{
	static _Thread_local char id[37];
	if (id[0])
		return id;
	auto_fd fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, id, 36) != 36)
		id[0] = '\0';
	return id;
}

int proc_exit_status(int pidfd, int *ret_status)
{
	enum { TRIES = 100 };
	for (int i = 0; i < TRIES; i++) {
		struct sys_pidfd_info info = { .mask = SYS_PIDFD_INFO_EXIT };
		if (ioctl(pidfd, SYS_PIDFD_GET_INFO, &info) < 0)
			return -EOPNOTSUPP;
		if (info.mask & SYS_PIDFD_INFO_EXIT) {
			*ret_status = info.exit_code;
			return 0;
		}
		const struct timespec nap = { .tv_nsec = 1000000 };
		(void)nanosleep(&nap, NULL);
	}
	return -EOPNOTSUPP;
}
