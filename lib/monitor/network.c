/*
 * The container's network, seen from the monitor: a namespace that comes from whoever starts the
 * container (who knows networks; we do not even link what speaks to them), and at the end a program
 * that takes addresses and ports back. <run-root>/network/owners/<id> is there as long as there is
 * something to take back.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdpass.h"
#include "monitor/supervise.h"

#define PROGRAM "caisson-network"

int network_receive(int fd, struct csn_error *err)
{
	char byte;
	int ns = -1;
	ssize_t n = recv_with_fd(fd, &byte, 1, &ns);
	(void)close(fd);
	if (n > 0 && ns >= 0)
		return ns;
	return fail(err, n < 0 ? (int)-n : ECANCELED, "the network could not be set up");
}

/* Opened now: what is at that path when the container ends may be another version. */
int network_open_program(const char *path, struct csn_error *err)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "%s", path) : fd;
}

void network_leave(const struct supervision *s)
{
	char path[40], owner[4096];
	static char *const no_env[] = { NULL };
	const char *argv[] = { PROGRAM,	    "--root", s->root, "--run-root",
			       s->run_root, "--id",   s->id,   NULL };
	pid_t pid;

	(void)snprintf(owner, sizeof owner, "%s/network/owners/%s", s->run_root, s->id);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", s->fds[FD_NETWORK]);
	if (s->fds[FD_NETWORK] < 0 || access(owner, F_OK) < 0)
		return;
	if (posix_spawn(&pid, path, NULL, NULL, (char *const *)(uintptr_t)argv, no_env) == 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
}
