/*
 * Health checks that are connections, made from inside the container's network namespace. Nothing
 * is looked up: the addresses are the loopback's and those of the container's own links, or the one
 * that was given. Of an HTTP answer only the status line is read.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/httpurl.h"
#include "monitor/probe.h"

enum { ADDRESSES_MAX = 32, STATUS_LINE_MAX = 512 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};
struct addresses {
	union address items[ADDRESSES_MAX];
	size_t count;
};

static bool enter_network(struct probe *p)
{
	const struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0 } };
	if (setns(p->s->fds[FD_INIT], CLONE_NEWNET) < 0) {
		probe_say(p, "enter the container's network: %s", strerror(errno));
		return false;
	}
	/* What answers is the container's: it meets somebody without rights. */
	if (syscall(SYS_capset, &head, none) < 0) {
		probe_say(p, "give up capabilities: %s", strerror(errno));
		return false;
	}
	return true;
}

/* ---- where ------------------------------------------------------------------------------------
 */

static void add_literal(struct addresses *a, const char *text)
{
	union address *at = &a->items[a->count];
	*at = (union address){ 0 };
	if (inet_pton(AF_INET, text, &at->v4.sin_addr) == 1)
		at->any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &at->v6.sin6_addr) == 1)
		at->any.sa_family = AF_INET6;
	else
		return;
	a->count++;
}

static void add_link(struct addresses *a, const struct ifaddrs *i)
{
	if (!i->ifa_addr || (i->ifa_flags & IFF_LOOPBACK) || a->count == ADDRESSES_MAX)
		return;
	union address *at = &a->items[a->count];
	*at = (union address){ 0 };
	if (i->ifa_addr->sa_family == AF_INET)
		memcpy(&at->v4, i->ifa_addr, sizeof at->v4);
	else if (i->ifa_addr->sa_family == AF_INET6)
		memcpy(&at->v6, i->ifa_addr, sizeof at->v6);
	else
		return;
	a->count++;
}

/* The loopback first: it is nearly always right. */
static void add_own(struct addresses *a)
{
	struct ifaddrs *all = NULL;
	add_literal(a, "127.0.0.1");
	add_literal(a, "::1");
	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		add_link(a, i);
	freeifaddrs(all);
}

static void set_port(union address *a, uint16_t port)
{
	if (a->any.sa_family == AF_INET)
		a->v4.sin_port = htons(port);
	else
		a->v6.sin6_port = htons(port);
}

/* ---- connecting -------------------------------------------------------------------------------
 */

/* -ETIMEDOUT when the time is up. */
static int wait_for(struct probe *p, int fd, short events)
{
	for (;;) {
		struct pollfd one = { .fd = fd, .events = events };
		int n = poll(&one, 1, probe_left(p));
		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int connect_one(struct probe *p, const union address *a)
{
	auto_fd fd =
		socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	socklen_t size = a->any.sa_family == AF_INET ? sizeof a->v4 : sizeof a->v6;
	int why = 0;
	if (fd < 0)
		return -errno;
	if (connect(fd, &a->any, size) == 0)
		return take_fd(&fd);
	if (errno != EINPROGRESS)
		return -errno;
	int r = wait_for(p, fd, POLLOUT);
	size = sizeof why;
	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size) < 0)
		r = -errno;
	if (r == 0)
		r = -why;
	return r < 0 ? r : take_fd(&fd);
}

/* What the first address said is told: of several it is the likeliest. */
static int connect_any(struct probe *p, struct addresses *a, uint16_t port)
{
	int first = 0;
	for (size_t i = 0; i < a->count; i++) {
		set_port(&a->items[i], port);
		int fd = connect_one(p, &a->items[i]);
		if (fd >= 0 || fd == -ETIMEDOUT)
			return fd;
		first = first ? first : fd;
	}
	return first ? first : -EADDRNOTAVAIL;
}

static int say_failure(struct probe *p, uint16_t port, int r)
{
	if (r == -ETIMEDOUT && probe_left(p) == 0)
		return probe_is_late(p);
	probe_say(p, "connect to port %u: %s", port, strerror(-r));
	return 1;
}

int probe_tcp(struct probe *p)
{
	struct addresses a = { .count = 0 };
	uint16_t port = (uint16_t)p->check->port;
	if (!enter_network(p))
		return -1;
	add_own(&a);
	auto_fd fd = connect_any(p, &a, port);
	if (fd < 0)
		return say_failure(p, port, fd);
	probe_say(p, "port %u takes connections", port);
	return 0;
}

/* ---- HTTP -------------------------------------------------------------------------------------
 */

static int send_request(struct probe *p, int fd, const struct http_url *url)
{
	char request[4096];
	int size = snprintf(request, sizeof request,
			    "GET %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: caisson\r\n"
			    "Accept: */*\r\nConnection: close\r\n\r\n",
			    url->target[0] == '/' ? "" : "/", url->target, url->authority);
	if (size < 0 || (size_t)size >= sizeof request)
		return -ENAMETOOLONG;
	for (size_t at = 0; at < (size_t)size;) {
		ssize_t n = send(fd, request + at, (size_t)size - at, MSG_NOSIGNAL);
		if (n >= 0)
			at += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
		else
			TRY(wait_for(p, fd, POLLOUT));
	}
	return 0;
}

/* The first line of the answer, without its end. */
static int read_status_line(struct probe *p, int fd, char line[STATUS_LINE_MAX])
{
	for (size_t at = 0; at < STATUS_LINE_MAX - 1;) {
		ssize_t n = recv(fd, line + at, STATUS_LINE_MAX - 1 - at, 0);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		if (n < 0) {
			TRY(wait_for(p, fd, POLLIN));
			continue;
		}
		at += (size_t)n;
		line[at] = '\0';
		size_t end = strcspn(line, "\r\n");
		if (end < at) {
			line[end] = '\0';
			return 0;
		}
	}
	return -EPROTO;
}

/* "HTTP/1.1 200 OK", with a code of three digits. */
static int status_of(const char *line)
{
	unsigned major, minor, code;
	int end = 0;
	if (sscanf(line, "HTTP/%1u.%1u %3u%n", &major, &minor, &code, &end) != 3 || code < 100 ||
	    (line[end] != '\0' && line[end] != ' '))
		return -EPROTO;
	return (int)code;
}

static int judge_answer(struct probe *p, const char *line)
{
	int status = status_of(line);
	if (status < 0) {
		probe_say(p, "no HTTP answer: ");
		probe_add(p, line, strlen(line));
		return 1;
	}
	probe_add(p, line, strlen(line));
	if (status == (int)p->check->expect_status)
		return 0;
	probe_say(p, " (expected %u)", p->check->expect_status);
	return 1;
}

int probe_http(struct probe *p)
{
	char line[STATUS_LINE_MAX];
	struct http_url url;
	struct csn_error err;
	struct addresses a = { .count = 0 };

	if (http_url_parse(p->check->url ? p->check->url : "", &url, &err) < 0) {
		probe_say(p, "%s", err.text);
		return -1;
	}
	if (!enter_network(p))
		return -1;
	if (strcasecmp(url.host, "localhost") == 0)
		add_own(&a);
	else
		add_literal(&a, url.host);
	auto_fd fd = connect_any(p, &a, url.port);
	if (fd < 0)
		return say_failure(p, url.port, fd);
	int r = send_request(p, fd, &url);
	if (r == 0)
		r = read_status_line(p, fd, line);
	if (r == -ETIMEDOUT)
		return probe_is_late(p);
	if (r == 0)
		return judge_answer(p, line);
	probe_say(p, "port %u: %s", url.port, strerror(-r));
	return 1;
}
