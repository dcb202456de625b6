/*
 * Runs a command and does something to it right before its N-th system call.
 *
 *	fault [--child] count COMMAND...	nothing; prints how many calls it makes
 *	fault [--child] kill N COMMAND...	SIGKILL
 *	fault [--child] ERRNO N COMMAND...	the call is not made and fails: ENOMEM, EPERM, …
 *
 * Counted are the calls of the command itself, or with --child those of the first process that it
 * clones, up to its execve. Nobody else is traced: a container lives on when its runtime is killed.
 *
 * Exit status: the command's; 137 after kill; 124 when it had not ended after FAULT_TIMEOUT seconds
 * (10), 120 when N is beyond its last call, 128 + signal when it crashed.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	bool child, kill;
	int error;
	long at; /* 0: count only */
} want;

static pid_t command, victim;
static long calls;
static bool inside, refuse, hit;

static volatile sig_atomic_t late;

static void on_alarm(int sig)
{
	(void)sig;
	late = 1;
	kill(command, SIGKILL);
	if (victim > 0)
		kill(victim, SIGKILL);
}

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* The call is not made. */
static void skip_call(pid_t pid)
{
#if defined(__x86_64__)
	if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), -1L) < 0)
		die("skip");
#elif defined(__aarch64__)
	int none = -1;
	struct iovec iov = { &none, sizeof none };
	if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &iov) < 0)
		die("skip");
#else
#error "the registers of this architecture are not known"
#endif
}

static void set_result(pid_t pid, long result)
{
#if defined(__x86_64__)
	if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), result) < 0)
		die("result");
#elif defined(__aarch64__)
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof regs };
	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov) < 0)
		die("result");
	regs.regs[0] = (unsigned long long)result;
	if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov) < 0)
		die("result");
#endif
}

/* The call that the process is about to make. */
static long number_of(pid_t pid)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0)
		return -1;
	return (long)info.entry.nr;
}

static void make_fail(pid_t pid)
{
	long number = number_of(pid);
	/* These do not come back, so they cannot fail. */
	if (number == SYS_exit_group || number == SYS_exit)
		return;
	/* Whatever close(2) returns, it has closed. */
	if (number != SYS_close)
		skip_call(pid);
	refuse = true;
}

static void on_call(pid_t pid)
{
	inside = !inside;
	if (inside) {
		calls++;
		if (calls != want.at)
			return;
		hit = true;
		if (want.kill)
			kill(pid, SIGKILL);
		else
			make_fail(pid);
	} else if (refuse) {
		set_result(pid, -want.error);
		refuse = false;
	}
}

/* One stop of a traced process. False: leave it alone from here. */
static bool on_stop(pid_t pid, int status, int *ret_signal)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	*ret_signal = 0;
	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_CLONE ||
	    event == PTRACE_EVENT_VFORK) {
		unsigned long number = 0;
		(void)ptrace(PTRACE_GETEVENTMSG, pid, 0, &number);
		if (victim == 0 && want.child)
			victim = (pid_t)number;
	} else if (event == PTRACE_EVENT_EXEC) {
		return !(want.child && pid == victim);
	} else if (event == PTRACE_EVENT_STOP) {
		/* born, or stopped with its group */
	} else if (sig == (SIGTRAP | 0x80)) {
		if (pid == victim)
			on_call(pid);
	} else {
		*ret_signal = sig;
	}
	return true;
}

static int follow(void)
{
	int status, result = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || (pid < 0 && errno == EINTR)) {
		if (pid < 0)
			continue;
		if (WIFSTOPPED(status)) {
			int sig;
			bool on = on_stop(pid, status, &sig);
			(void)ptrace(on ? PTRACE_SYSCALL : PTRACE_DETACH, pid, 0, sig);
		} else if (pid == command) {
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			break;
		}
	}
	return late ? 124 : result;
}

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "ENOMEM", ENOMEM }, { "EPERM", EPERM },   { "EIO", EIO },	  { "EINTR", EINTR },
	{ "ENOSPC", ENOSPC }, { "EMFILE", EMFILE }, { "EAGAIN", EAGAIN }, { "EBUSY", EBUSY },
	{ "EACCES", EACCES }, { "ENOENT", ENOENT },
};

static char **parse(char **argv)
{
	char **arg = argv + 1;
	if (*arg && strcmp(*arg, "--child") == 0) {
		want.child = true;
		arg++;
	}
	if (!*arg)
		die("a mode is missing");
	const char *mode = *arg++;
	if (strcmp(mode, "count") == 0)
		return arg;
	want.kill = strcmp(mode, "kill") == 0;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (strcmp(mode, errors[i].name) == 0)
			want.error = errors[i].number;
	if (!*arg || (!want.kill && !want.error) || (want.at = atol(*arg)) <= 0) {
		errno = EINVAL;
		die(mode);
	}
	return arg + 1;
}

int main(int argc, char **argv)
{
	char **program = parse(argv);
	const char *timeout = getenv("FAULT_TIMEOUT");
	long options = PTRACE_O_TRACESYSGOOD;
	int status;
	(void)argc;

	command = fork();
	if (command == 0) {
		raise(SIGSTOP);
		execvp(program[0], program);
		die(program[0]);
	}
	if (waitpid(command, &status, WUNTRACED) < 0)
		die("wait");
	if (want.child)
		options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORK |
			   PTRACE_O_TRACEEXEC;
	else
		victim = command;
	if (ptrace(PTRACE_SEIZE, command, 0, options) < 0)
		die("seize");
	struct sigaction act = { .sa_handler = on_alarm };
	sigaction(SIGALRM, &act, NULL);
	alarm(timeout ? (unsigned)atoi(timeout) : 10);
	kill(command, SIGCONT);

	int result = follow();
	if (!want.at)
		fprintf(stderr, "%ld\n", calls);
	return want.at && !hit && result != 124 ? 120 : result;
}
