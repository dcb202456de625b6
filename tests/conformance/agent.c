/*
 * A seccomp agent (config-linux.md "The Container Process State"): listens on a socket, writes what
 * arrives with the descriptor to a file, and answers every notified call with EMEDIUMTYPE until the
 * filter has no process left.
 *
 *	agent SOCKET FILE
 *
 * FILE gets the document as it came in the first message, then lines: "fds N" (descriptors of that
 * message), "more M" (messages after it), "answered K".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FDS_MAX = 8 };

static void must(long r, const char *what)
{
	if (r < 0) {
		perror(what);
		exit(1);
	}
}

static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fd, "socket");
	must(bind(fd, (const struct sockaddr *)&address, sizeof address), path);
	must(listen(fd, 1), "listen");
	return fd;
}

/* One message: its bytes to out, its descriptors to fds. Their number; -1 at the end. */
static int receive(int conn, FILE *out, int *fds)
{
	char text[65536];
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = text, .iov_len = sizeof text };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof control.bytes };
	ssize_t n = recvmsg(conn, &msg, MSG_CMSG_CLOEXEC);
	must(n, "recvmsg");
	if (n == 0)
		return -1;
	(void)fwrite(text, 1, (size_t)n, out);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return 0;
	size_t size = c->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(c), size);
	return (int)(size / sizeof(int));
}

static int answer_all(int listener)
{
	struct pollfd wait = { .fd = listener, .events = POLLIN };
	int answered = 0;
	while (poll(&wait, 1, 20000) > 0 && (wait.revents & POLLIN)) {
		struct seccomp_notif request = { 0 };
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
			continue;
		struct seccomp_notif_resp response = { .id = request.id, .error = -EMEDIUMTYPE };
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0)
			answered++;
	}
	return answered;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "Usage: agent SOCKET FILE\n");
		return 2;
	}
	int server = listen_on(argv[1]);
	int conn = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	must(conn, "accept");
	FILE *out = fopen(argv[2], "we");
	must(out ? 0 : -1, argv[2]);

	int fds[FDS_MAX], spare[FDS_MAX], more = 0;
	int count = receive(conn, out, fds);
	while (receive(conn, out, spare) >= 0)
		more++;
	fprintf(out, "\nfds %d\nmore %d\n", count, more);
	(void)fflush(out);
	fprintf(out, "answered %d\n", count > 0 ? answer_all(fds[0]) : 0);
	return fclose(out) != 0;
}
