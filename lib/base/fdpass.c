/*
 * AF_UNIX by path. A path longer than sun_path (108 bytes) is reached through the directory's
 * entry in /proc/self/fd, so that deep state directories work.
 */
#include "base/fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/error.h"

static int address_at(int dir_fd, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int n = snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%s", dir_fd, name);
	return n < 0 || (size_t)n >= sizeof ret->sun_path ? -ENAMETOOLONG : 0;
}

static int connect_to(const struct sockaddr_un *address, int type)
{
	auto_fd fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
		return -errno;
	return take_fd(&fd);
}

int unix_connect(const char *path, int type, struct csn_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int r;

	if (len < sizeof address.sun_path) {
		memcpy(address.sun_path, path, len + 1);
		r = connect_to(&address, type);
	} else {
		const char *slash = strrchr(path, '/');
		auto_mem char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : NULL;
		auto_fd dir_fd = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
		r = dir_fd < 0 ? -ENAMETOOLONG : address_at(dir_fd, slash + 1, &address);
		if (r == 0)
			r = connect_to(&address, type);
	}
	return r < 0 ? fail(err, -r, "connect to %s: %s", path, strerror(-r)) : r;
}

int unix_connect_at(int dir_fd, const char *name, int type, struct csn_error *err)
{
	struct sockaddr_un address;
	int r = address_at(dir_fd, name, &address);
	if (r == 0)
		r = connect_to(&address, type);
	return r < 0 ? fail(err, -r, "connect to %s: %s", name, strerror(-r)) : r;
}

int unix_bind(int dir_fd, const char *name, int type, mode_t mode, struct csn_error *err)
{
	struct sockaddr_un address;
	if (address_at(dir_fd, name, &address) < 0)
		return fail(err, ENAMETOOLONG, "listen on %s: name too long", name);

	auto_fd fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno(err, "socket");
	/* The mode of the socket's inode is that of the descriptor, less the umask. */
	if (fchmod(fd, mode) < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		return fail_errno(err, "listen on %s", name);
	return take_fd(&fd);
}

int unix_listen(int dir_fd, const char *name, int type, mode_t mode, struct csn_error *err)
{
	auto_fd fd = unix_bind(dir_fd, name, type, mode, err);
	if (fd < 0)
		return fd;
	if (listen(fd, 16) < 0)
		return fail_errno(err, "listen on %s", name);
	return take_fd(&fd);
}

int send_with_fd(int sock, const void *data, size_t size, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof control.bytes;
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	}
	for (;;) {
		ssize_t n = sendmsg(sock, &msg, MSG_NOSIGNAL);
		if (n >= 0)
			return (size_t)n == size ? 0 : -EIO;
		if (errno != EINTR)
			return -errno;
	}
}

/* Keeps the first fd of a message and closes the others. */
static int take_first_fd(struct msghdr *msg)
{
	int kept = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (kept < 0)
				kept = fd;
			else
				close_fd(&fd);
		}
	}
	return kept;
}

ssize_t recv_with_fd(int sock, void *data, size_t size, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof control.bytes };
	for (;;) {
		ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		*ret_fd = take_first_fd(&msg);
		return n;
	}
}
