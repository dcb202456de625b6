/*
 * The foreground: wait for our child, hand on signals, and, with a terminal, carry bytes between
 * the caller's standard streams and the pty.
 *
 * The caller's terminal is raw meanwhile and is put back whatever happens short of SIGKILL.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sys.h"
#include "host/host.h"
#include "host/launch.h"

int host_wait(const struct host_process *p, int *ret_status, struct csn_error *err)
{
	siginfo_t info = { 0 };
	while (waitid(P_PID, (id_t)p->pid, &info, WEXITED) < 0)
		if (errno != EINTR)
			return fail_errno(err, "wait for process %d", (int)p->pid);
	*ret_status = info.si_code == CLD_EXITED ? info.si_status & 0xff : 128 + info.si_status;
	return 0;
}

struct attendance {
	const struct host_process *process;
	int signals;
	bool raw;
	struct termios saved;
	bool input_open;
};

static void make_raw(struct attendance *a)
{
	if (tcgetattr(STDIN_FILENO, &a->saved) < 0)
		return;
	struct termios raw = a->saved;
	cfmakeraw(&raw);
	a->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static int open_signals(struct csn_error *err)
{
	sigset_t all;
	sigfillset(&all);
	/* What we cannot or must not hand on: faults of our own, job control, our children. */
	static const int ours[] = { SIGCHLD, SIGSEGV, SIGBUS,  SIGILL,
				    SIGFPE,  SIGTTIN, SIGTTOU, SIGPIPE };
	for (size_t i = 0; i < COUNT(ours); i++)
		sigdelset(&all, ours[i]);
	if (sigprocmask(SIG_BLOCK, &all, NULL) < 0)
		return fail_errno(err, "sigprocmask");
	int fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? fail_errno(err, "signalfd") : fd;
}

static void hand_on_signals(struct attendance *a)
{
	struct signalfd_siginfo info;
	while (read(a->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGWINCH && a->process->tty_master >= 0)
			forward_window_size(a->process->tty_master);
		else
			(void)sys_pidfd_send_signal(a->process->pidfd, (int)info.ssi_signo, NULL,
						    0);
	}
}

/* One read and as many writes as it takes. 0 when the source has ended. */
static int carry(int from, int to)
{
	char buf[16384];
	ssize_t n = read(from, buf, sizeof buf);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : 0;
	if (n == 0)
		return 0;
	return write_all(to, buf, (size_t)n) == 0;
}

/* The end of input is ^D of a pty in canonical mode: its VEOF character. */
static void end_input(struct attendance *a)
{
	struct termios t;
	a->input_open = false;
	if (tcgetattr(a->process->tty_master, &t) == 0 && (t.c_lflag & ICANON))
		(void)!write(a->process->tty_master, &t.c_cc[VEOF], 1);
}

static void attend(struct attendance *a)
{
	int master = a->process->tty_master;
	struct pollfd fds[] = {
		{ .fd = a->process->pidfd, .events = POLLIN },
		{ .fd = a->signals, .events = POLLIN },
		{ .fd = master, .events = POLLIN },
		{ .fd = a->input_open ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = a->process->notify, .events = POLLIN },
	};
	for (;;) {
		if (poll(fds, COUNT(fds), -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			hand_on_signals(a);
		if (fds[2].revents && !carry(master, STDOUT_FILENO))
			fds[2].fd = -1;
		if (fds[3].revents && !carry(STDIN_FILENO, master)) {
			end_input(a);
			fds[3].fd = -1;
		}
		if (fds[4].revents)
			(void)notify_pass(a->process, false);
		if (fds[0].revents)
			break;
	}
	/* What the program said and wrote last is still in the socket and in the pty. */
	struct pollfd told = { .fd = a->process->notify, .events = POLLIN };
	while (told.fd >= 0 && poll(&told, 1, 0) > 0)
		(void)notify_pass(a->process, false);
	struct pollfd rest = { .fd = fds[2].fd, .events = POLLIN };
	while (rest.fd >= 0 && poll(&rest, 1, 0) > 0 && (rest.revents & POLLIN))
		if (!carry(master, STDOUT_FILENO))
			break;
}

int host_attend(const struct host_process *p, int *ret_status, struct csn_error *err)
{
	struct attendance a = { .process = p, .input_open = p->tty_master >= 0 };
	auto_fd signals = open_signals(err);
	TRY(signals);
	a.signals = signals;

	if (p->tty_master >= 0)
		make_raw(&a);
	attend(&a);
	if (a.raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &a.saved);
	return host_wait(p, ret_status, err);
}
