/*
 * The other end of --console-socket: receives one terminal and talks to it.
 *
 *	recvtty SOCKET [INPUT]
 *
 * Makes SOCKET in the working directory, waits for the pty master, writes INPUT to it, and copies
 * what comes back to standard output until the terminal is closed. The size of the terminal is
 * set to 40 x 132 first.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdpass.h"
#include "base/file.h"

static int copy_until_closed(int tty)
{
	char buf[4096];
	struct pollfd poll_fd = { .fd = tty, .events = POLLIN };

	while (poll(&poll_fd, 1, 60000) > 0) {
		ssize_t n = read(tty, buf, sizeof buf);
		if (n <= 0)
			return 0; /* EIO: the last process of the terminal is gone */
		if (write_all(STDOUT_FILENO, buf, (size_t)n) < 0)
			return 1;
	}
	fprintf(stderr, "recvtty: nothing was said for a minute\n");
	return 1;
}

int main(int argc, char **argv)
{
	const struct winsize size = { .ws_row = 40, .ws_col = 132 };
	struct csn_error err;
	char name[64];
	int tty;

	if (argc < 2) {
		fprintf(stderr, "Usage: recvtty SOCKET [INPUT]\n");
		return 2;
	}
	auto_fd here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd listener = unix_listen(here, argv[1], SOCK_STREAM, 0600, &err);
	if (listener < 0) {
		fprintf(stderr, "recvtty: %s\n", err.text);
		return 1;
	}
	auto_fd sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (sock < 0 || recv_with_fd(sock, name, sizeof name, &tty) <= 0 || tty < 0) {
		fprintf(stderr, "recvtty: no terminal came\n");
		return 1;
	}
	if (ioctl(tty, TIOCSWINSZ, &size) < 0)
		perror("recvtty: TIOCSWINSZ");
	if (argc > 2 && write_all(tty, argv[2], strlen(argv[2])) < 0) {
		fprintf(stderr, "recvtty: cannot write to the terminal\n");
		return 1;
	}
	return copy_until_closed(tty);
}
