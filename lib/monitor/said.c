/*
 * What a container's caisson-init says of the program that it ran: its wait status, over a pipe
 * that is fd 3 of it and of nobody else. The kernel keeps the init of a pid namespace from ending
 * itself by a signal, so its exit code 143 alone does not tell a SIGTERM from exit(143).
 *
 * It is a container's word: believed only where it explains the exit code that the kernel tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "monitor/supervise.h"

enum { SAID_FD = 3 };

/* /dev/null, which is our standard input: nothing else gets that number meanwhile. */
static int occupy(void)
{
	return dup3(STDIN_FILENO, SAID_FD, O_CLOEXEC) < 0 ? -errno : 0;
}

int said_reserve(struct start_request *req)
{
	int *const ours[] = { &req->status_fd, &req->attach_fd, &req->network_fd, &req->pid_fd,
			      &req->lock_fd };
	for (size_t i = 0; i < COUNT(ours); i++)
		if (*ours[i] == SAID_FD) {
			*ours[i] = fcntl(SAID_FD, F_DUPFD_CLOEXEC, SAID_FD + 1);
			if (*ours[i] < 0)
				return -errno;
		}
	return occupy();
}

int said_lend(int *ret_read_end, struct csn_error *err)
{
	int pair[2];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe");
	*ret_read_end = pair[0];
	auto_fd theirs = pair[1];
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 || dup2(theirs, SAID_FD) < 0)
		return fail_errno(err, "fd of caisson-init");
	return 1;
}

int said_lent(void)
{
	return occupy();
}

void said_read(const struct supervision *s, struct exit_record *end)
{
	int status = 0;
	if (s->fds[FD_SAID] < 0 || end->reason != EXIT_EXITED ||
	    read(s->fds[FD_SAID], &status, sizeof status) != sizeof status ||
	    !WIFSIGNALED(status) || end->exit_code != 128 + WTERMSIG(status))
		return;
	end->reason = EXIT_SIGNAL;
	end->signal = WTERMSIG(status);
	end->core_dumped = WCOREDUMP(status);
}
