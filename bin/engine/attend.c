/*
 * The foreground: carries standard input to a container and its output to ours, hands signals on,
 * and keeps the terminal raw meanwhile. It is put back whatever happens short of SIGKILL.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "bin/engine/engine.h"

/* Not handed on: our own faults, our children, job control of our own terminal. */
static const int kept[] = { SIGCHLD, SIGSEGV, SIGBUS,  SIGILL, SIGFPE,
			    SIGTTIN, SIGTTOU, SIGPIPE, SIGTSTP };

static void signal_set(sigset_t *set)
{
	sigfillset(set);
	for (size_t i = 0; i < COUNT(kept); i++)
		sigdelset(set, kept[i]);
}

void attend_prepare(void)
{
	sigset_t set;
	signal_set(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/* What one attendance keeps in hand. */
struct session {
	const struct attend *a;
	int signals;
	bool raw;
	struct termios saved;
	/* Input that was read and not yet taken. */
	char input[65536];
	size_t input_at, input_size;
	bool input_open, output_broken[2];
	bool has_status;
	int status;
};

static void resize(struct session *s)
{
	struct winsize size;
	if (s->a->tty && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		(void)!csn_attach_resize(s->a->attach, size.ws_row, size.ws_col, NULL);
}

static void make_raw(struct session *s)
{
	if (!s->a->tty || !s->a->input || tcgetattr(STDIN_FILENO, &s->saved) < 0)
		return;
	struct termios raw = s->saved;
	cfmakeraw(&raw);
	s->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void take_signals(struct session *s)
{
	struct signalfd_siginfo info;
	while (read(s->signals, &info, sizeof info) == sizeof info) {
		char number[16];
		if (info.ssi_signo == SIGWINCH) {
			resize(s);
			continue;
		}
		(void)snprintf(number, sizeof number, "%u", info.ssi_signo);
		if (s->a->signals)
			(void)!csn_container_kill(s->a->rt, s->a->id, number, NULL);
	}
}

/* Events until there are none. False when the stream has ended. */
static bool take_output(struct session *s)
{
	for (;;) {
		struct csn_attach_event e = CSN_ATTACH_EVENT_INIT;
		int r = csn_attach_read(s->a->attach, &e, NULL);
		if (r == -EAGAIN)
			return true;
		if (r <= 0)
			return false;
		if (e.kind == CSN_ATTACH_EXIT) {
			s->has_status = true;
			s->status = e.exit_code;
			continue;
		}
		bool is_stderr = e.stream == CSN_STREAM_STDERR;
		if (!s->output_broken[is_stderr] &&
		    write_all(is_stderr ? STDERR_FILENO : STDOUT_FILENO, e.bytes, e.length) < 0)
			s->output_broken[is_stderr] = true;
	}
}

/* Hands over what was read; then, at the end of input, that it ended. */
static void push_input(struct session *s)
{
	while (s->input_at < s->input_size) {
		int n = csn_attach_write(s->a->attach, s->input + s->input_at,
					 s->input_size - s->input_at, NULL);
		if (n < 0)
			return;
		s->input_at += (size_t)n;
	}
}

static void take_input(struct session *s)
{
	ssize_t n = read(STDIN_FILENO, s->input, sizeof s->input);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		s->input_at = 0;
		s->input_size = (size_t)n;
		push_input(s);
		return;
	}
	s->input_open = false;
}

static void carry(struct session *s)
{
	bool end_sent = !s->input_open; /* without input there is no end to tell */
	for (;;) {
		bool waiting = s->input_at < s->input_size || csn_attach_pending(s->a->attach);
		if (!s->input_open && !end_sent && !waiting) {
			end_sent = csn_attach_close_stdin(s->a->attach, NULL) != -EAGAIN;
			waiting = csn_attach_pending(s->a->attach);
		}
		struct pollfd p[] = {
			{ .fd = csn_attach_fd(s->a->attach),
			  .events = (short)(POLLIN | (waiting ? POLLOUT : 0)) },
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = s->input_open && !waiting ? STDIN_FILENO : -1, .events = POLLIN },
		};
		if (poll(p, COUNT(p), -1) < 0 && errno != EINTR)
			return;
		if (p[1].revents)
			take_signals(s);
		if (p[0].revents & POLLOUT && csn_attach_flush(s->a->attach, NULL) == 0)
			push_input(s);
		if (p[0].revents & (POLLIN | POLLHUP | POLLERR) && !take_output(s))
			return;
		if (p[2].revents)
			take_input(s);
	}
}

/* The stream ended without a word of the end: ask for the record. */
static int ask_status(const struct attend *a)
{
	struct csn_error err;
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	if (csn_container_wait(a->rt, a->id, -1, &outcome, &err) < 0)
		return engine_fail(&err, STATUS_ENGINE_ERROR);
	return outcome.exit_code;
}

int attend(const struct attend *a)
{
	static struct session s; /* its buffer is too large for a stack */
	sigset_t set;

	s = (struct session){ .a = a, .input_open = a->input };
	signal_set(&set);
	s.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	resize(&s);
	make_raw(&s);
	carry(&s);
	if (s.raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s.saved);
	close_fd(&s.signals);
	return s.has_status ? s.status : ask_status(a);
}
