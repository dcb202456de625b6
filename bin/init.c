/*
 * caisson-init: the first process of a container that asked for one (--init). It starts the program
 *as its child, hands every signal on to it, reaps whatever orphans the container leaves, and ends
 *when the program has: with its exit code, or 128+N when signal N ended it.
 *
 * Static, for it runs among any image's files, and bound read-only over nothing of theirs
 * (/dev/init). It allocates nothing and knows nothing of caisson but this: a pipe on fd 3, when
 *there is one, is the monitor's and gets the program's wait status, because the kernel keeps an
 *init from ending itself by a signal.
 *
 *	/dev/init -- PROGRAM [ARGUMENT…]
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_FD = 3, NOT_FOUND = 127, CANNOT_RUN = 126, FAILED = 125 };

static void complain(const char *what, const char *why)
{
	char line[512];
	int n = snprintf(line, sizeof line, "caisson-init: %.300s: %s\n", what, why);
	(void)!write(STDERR_FILENO, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

/* Nobody else may have it: our child would keep it open. */
static bool has_monitor(void)
{
	struct stat st;
	int flags = fcntl(STATUS_FD, F_GETFL);
	return flags >= 0 && (flags & O_ACCMODE) == O_WRONLY && fstat(STATUS_FD, &st) == 0 &&
	       S_ISFIFO(st.st_mode) && fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC) == 0;
}

/* A process group of its own, in front of the terminal if there is one: what is typed there goes to
 * the program and its children and not to us. */
static void take_terminal(void)
{
	(void)setpgid(0, 0);
	if (isatty(STDIN_FILENO))
		(void)tcsetpgrp(STDIN_FILENO, getpid());
}

__attribute__((noreturn)) static void run(char **argv, const sigset_t *mask)
{
	take_terminal(); /* SIGTTOU is still blocked */
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	int why = errno;
	complain(argv[0], strerror(why));
	_exit(why == ENOENT || why == ENOTDIR ? NOT_FOUND : CANNOT_RUN);
}

/* Everybody who has ended. True: the program is among them. */
static bool reap(pid_t program, int *ret_status)
{
	bool ended = false;
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0)
			return ended;
		if (pid == program) {
			ended = true;
			*ret_status = status;
		}
	}
}

static int attend(pid_t program, const sigset_t *all)
{
	for (;;) {
		siginfo_t info;
		int status = 0, number = sigwaitinfo(all, &info);
		if (number == SIGCHLD) {
			if (reap(program, &status))
				return status;
		} else if (number > 0) {
			/* The kernel's own about our terminal concern whoever is in front of it. */
			(void)kill(program, number);
		}
	}
}

int main(int argc, char **argv)
{
	sigset_t all, before;
	if (argc > 1 && strcmp(argv[1], "--") == 0)
		argv++, argc--;
	if (argc < 2) {
		complain("usage", "/dev/init -- PROGRAM [ARGUMENT…]");
		return FAILED;
	}
	bool monitored = has_monitor();
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	/* In somebody else's pid namespace orphans would not be ours. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

	pid_t program = fork();
	if (program == 0)
		run(argv + 1, &before);
	if (program < 0) {
		complain(argv[1], strerror(errno));
		return FAILED;
	}
	int status = attend(program, &all);
	if (monitored)
		(void)!write(STATUS_FD, &status, sizeof status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
