/*
 * What network tests run inside and outside of containers; linked statically, so that it runs in an
 * empty root file system.
 *
 *	netprobe show			addresses, the default route and resolv.conf, as they are at
 *					the first instruction
 *	netprobe serve PORT TEXT [sctp]	answers "TEXT PEER" by TCP and UDP (and SCTP), PEER being
 *whom it sees netprobe can sctp		this kernel has it netprobe ask tcp|udp|sctp ADDRESS
 *PORT [SOURCE]	prints the answer; within a second, or fails netprobe listen tcp|udp ADDRESS PORT
 *holds a port and says "ready" netprobe sleep			until it is killed
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int fail(const char *what)
{
	fprintf(stderr, "netprobe: %s: %s\n", what, strerror(errno));
	return 1;
}

static socklen_t address(const char *text, const char *port, union address *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->any.sa_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	ret->v4.sin_port = htons((uint16_t)atoi(port));
	void *at = ret->any.sa_family == AF_INET6 ? (void *)&ret->v6.sin6_addr
						  : (void *)&ret->v4.sin_addr;
	if (inet_pton(ret->any.sa_family, text, at) != 1)
		exit(fail(text));
	return ret->any.sa_family == AF_INET6 ? sizeof ret->v6 : sizeof ret->v4;
}

/* IPv4 in IPv6 is shown as IPv4. */
static const char *print(const union address *a)
{
	static char text[INET6_ADDRSTRLEN];
	const void *at = a->any.sa_family == AF_INET6 ? (const void *)&a->v6.sin6_addr
						      : (const void *)&a->v4.sin_addr;
	if (!inet_ntop(a->any.sa_family, at, text, sizeof text))
		return "?";
	return strncmp(text, "::ffff:", 7) == 0 ? text + 7 : text;
}

static void limit(int fd)
{
	const struct timeval second = { .tv_sec = 1 };
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
}

static int make_socket(const char *protocol, int family)
{
	int type = strcmp(protocol, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	int number = strcmp(protocol, "sctp") == 0 ? IPPROTO_SCTP : 0;
	int fd = socket(family, type | SOCK_CLOEXEC, number);
	if (fd < 0)
		exit(fail("socket"));
	return fd;
}

static int ask(int argc, char **argv)
{
	union address to, from;
	char answer[512];
	socklen_t size = address(argv[3], argv[4], &to);
	int fd = make_socket(argv[2], to.any.sa_family);
	limit(fd);
	if (argc > 5) {
		socklen_t own = address(argv[5], "0", &from);
		if (bind(fd, &from.any, own) < 0)
			return fail(argv[5]);
	}
	if (connect(fd, &to.any, size) < 0 || send(fd, "?", 1, MSG_NOSIGNAL) != 1)
		return fail("connect");
	ssize_t n = recv(fd, answer, sizeof answer - 1, 0);
	if (n <= 0)
		return fail("recv");
	answer[n] = '\0';
	puts(answer);
	return 0;
}

static int bind_any(const char *protocol, const char *port)
{
	union address here;
	int on = 1, off = 0;
	int probe = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = address(probe < 0 ? "0.0.0.0" : "::", port, &here);
	if (probe >= 0)
		close(probe);
	int fd = make_socket(protocol, here.any.sa_family);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, &here.any, size) < 0)
		exit(fail("bind"));
	return fd;
}

static void answer(int fd, bool udp, const char *text)
{
	char whole[512], question[8];
	union address peer;
	socklen_t size = sizeof peer;
	int one = udp ? fd : accept(fd, &peer.any, &size);
	if (one < 0)
		return;
	if (!udp)
		limit(one);
	ssize_t n = recvfrom(one, question, sizeof question, 0, udp ? &peer.any : NULL,
			     udp ? &size : NULL);
	if (n > 0) {
		int length = snprintf(whole, sizeof whole, "%s %s", text, print(&peer));
		(void)!sendto(one, whole, (size_t)length, MSG_NOSIGNAL, udp ? &peer.any : NULL,
			      udp ? size : 0);
	}
	if (!udp)
		close(one);
}

static int serve(char **argv)
{
	struct pollfd fds[3] = { { .fd = bind_any("tcp", argv[2]), .events = POLLIN },
				 { .fd = bind_any("udp", argv[2]), .events = POLLIN },
				 { .fd = -1 } };
	if (argv[4])
		fds[2] = (struct pollfd){ .fd = bind_any("sctp", argv[2]), .events = POLLIN };
	if (listen(fds[0].fd, 64) < 0 || (argv[4] && listen(fds[2].fd, 64) < 0))
		return fail("listen");
	puts("ready");
	(void)fflush(stdout);
	for (;;) {
		(void)poll(fds, 3, -1);
		for (int i = 0; i < 3; i++)
			if (fds[i].revents)
				answer(fds[i].fd, i == 1, argv[3]);
	}
}

static int hold(char **argv)
{
	union address here;
	socklen_t size = address(argv[3], argv[4], &here);
	int fd = make_socket(argv[2], here.any.sa_family);
	if (bind(fd, &here.any, size) < 0 || (strcmp(argv[2], "tcp") == 0 && listen(fd, 1) < 0))
		return fail("listen");
	puts("ready");
	(void)fflush(stdout);
	for (;;)
		pause();
}

static void show_file(const char *path)
{
	char text[4096];
	FILE *f = fopen(path, "re");
	while (f && fgets(text, sizeof text, f))
		fputs(text, stdout);
	if (f)
		fclose(f);
}

static void show_default_route(void)
{
	char line[256], name[32];
	unsigned destination, gateway;
	FILE *f = fopen("/proc/net/route", "re");
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%31s %x %x", name, &destination, &gateway) != 3 || destination)
			continue;
		const union address a = { .v4 = { .sin_family = AF_INET,
						  .sin_addr.s_addr = gateway } };
		printf("default %s %s\n", print(&a), name);
	}
	if (f)
		fclose(f);
}

static int show(void)
{
	struct ifaddrs *all;
	if (getifaddrs(&all) < 0)
		return fail("getifaddrs");
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		if (i->ifa_addr &&
		    (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6))
			printf("address %s %s%s\n", i->ifa_name,
			       print((const union address *)(const void *)i->ifa_addr),
			       i->ifa_flags & IFF_UP ? "" : " down");
	freeifaddrs(all);
	show_default_route();
	show_file("/etc/resolv.conf");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (strcmp(what, "show") == 0)
		return show();
	if (strcmp(what, "ask") == 0 && argc > 4)
		return ask(argc, argv);
	if (strcmp(what, "serve") == 0 && argc > 3)
		return serve(argv);
	if (strcmp(what, "can") == 0 && argc > 2)
		return make_socket(argv[2], AF_INET) < 0;
	if (strcmp(what, "listen") == 0 && argc > 4)
		return hold(argv);
	if (strcmp(what, "sleep") == 0)
		for (;;)
			pause();
	fputs("netprobe: show, serve, ask, can, listen, sleep\n", stderr);
	return 2;
}
