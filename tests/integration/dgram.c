/*
 * Datagrams over AF_UNIX for tests of sd_notify(3).
 *
 *	dgram recv PATH COUNT		binds PATH and prints COUNT messages, each followed by "--"
 *	dgram send TEXT			sends TEXT to $NOTIFY_SOCKET
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int receive(int sock, const struct sockaddr_un *address, int count)
{
	char text[4096];
	if (bind(sock, (const struct sockaddr *)address, sizeof *address) < 0)
		return fail("bind");
	for (; count > 0; count--) {
		ssize_t n = recv(sock, text, sizeof text - 1, 0);
		if (n < 0)
			return fail("recv");
		text[n] = '\0';
		printf("%s%s--\n", text, n && text[n - 1] != '\n' ? "\n" : "");
		(void)fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int receives = argc == 4 && strcmp(argv[1], "recv") == 0;
	const char *path = receives ? argv[2] : getenv("NOTIFY_SOCKET");
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || argc < 3 || !path || strlen(path) >= sizeof address.sun_path)
		return fail("dgram");
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (receives)
		return receive(sock, &address, atoi(argv[3]));
	if (sendto(sock, argv[2], strlen(argv[2]), 0, (const struct sockaddr *)&address,
		   sizeof address) < 0)
		return fail("sendto");
	return 0;
}
