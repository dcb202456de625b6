/*
 * The child's end of the exchange (sync.h). A message of an unexpected type, or the end of file,
 * means that the host gave up: the child must not go on.
 */
#include <sys/socket.h>

#include "init/child.h"

int sync_say(struct child *c, enum sync_type type, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct sync_msg msg = { .type = type };
	struct iovec iov = { .iov_base = &msg, .iov_len = sizeof msg };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (type == SYNC_REPORT) {
		msg = c->report;
		msg.type = SYNC_REPORT;
	}
	if (fd >= 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = sizeof control.bytes;
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		__builtin_memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	}
	for (;;) {
		if (sendmsg(c->sync, &header, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

int sync_expect(struct child *c, enum sync_type type)
{
	struct sync_msg msg;
	for (;;) {
		ssize_t n = recv(c->sync, &msg, sizeof msg, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		return n == sizeof msg && msg.type == (uint32_t)type ? 0 : -EPROTO;
	}
}

void sync_warn(struct child *c, const char *text)
{
	struct sync_msg kept = c->report;
	report_at(c, SYNC_DETAIL_WARNING, 0, text, 0);
	c->report.error = 0;
	(void)sync_say(c, SYNC_REPORT, -1);
	c->report = kept;
}
