/*
 * Clients of the attach protocol. Output is sent straight from the reader's buffer: a client that
 * cannot take a whole frame at once is dropped, but for the starter's, which holds reading back
 * until it can. Input goes on in pieces that a pipe takes whole.
 */
#include "monitor/attach.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { BACKLOG = 1 << 20, EXIT_WAIT_MS = 2000 };

void attach_init(struct attach *a, int stdin_fd, bool tty)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		a->clients[i].fd = -1;
	a->stdin_fd = stdin_fd;
	a->stdin_is_tty = tty;
}

void attach_drop(struct client *c)
{
	close_fd(&c->fd);
	*c = (struct client){ .fd = -1 };
}

bool attach_add(struct attach *a, int fd, bool lossless)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (a->clients[i].fd >= 0)
			continue;
		int size = BACKLOG;
		if (!lossless && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
			(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
		a->clients[i] = (struct client){ .fd = fd, .lossless = lossless };
		return true;
	}
	(void)close(fd);
	return false;
}

/* ---- output ---------------------------------------------------------------------------------- */

/* It takes no more output. Who hung up may have sent input before, which counts. */
static void fall_silent(struct client *c, int why)
{
	if (why != EPIPE && why != ECONNRESET) {
		attach_drop(c);
		return;
	}
	c->deaf = true;
	c->pending_head_size = c->pending_size = 0;
}

void attach_flush(struct attach *a, struct client *c)
{
	(void)a;
	while (c->fd >= 0 && c->pending_head_size + c->pending_size) {
		const char *head = (const char *)&c->pending_head;
		struct iovec iov[2] = {
			{ (char *)(uintptr_t)head + sizeof c->pending_head - c->pending_head_size,
			  c->pending_head_size },
			{ (char *)(uintptr_t)c->pending, c->pending_size },
		};
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
		ssize_t n = sendmsg(c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && c->lossless)
			return;
		if (n < 0) {
			fall_silent(c, errno);
			return;
		}
		size_t sent = (size_t)n;
		size_t of_head = sent < c->pending_head_size ? sent : c->pending_head_size;
		c->pending_head_size -= of_head;
		c->pending += sent - of_head;
		c->pending_size -= sent - of_head;
	}
}

void attach_send(struct attach *a, enum attach_type type, const char *bytes, size_t size)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &a->clients[i];
		if (c->fd < 0 || c->deaf)
			continue;
		c->pending_head =
			(struct attach_header){ .type = (uint8_t)type, .length = (uint32_t)size };
		c->pending_head_size = sizeof c->pending_head;
		c->pending = bytes;
		c->pending_size = size;
		attach_flush(a, c);
	}
}

bool attach_blocked(const struct attach *a)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (a->clients[i].fd >= 0 &&
		    a->clients[i].pending_head_size + a->clients[i].pending_size)
			return true;
	return false;
}

/* ---- input ----------------------------------------------------------------------------------- */

static void close_input(struct attach *a)
{
	if (a->stdin_fd < 0)
		return;
	if (a->stdin_is_tty) {
		/* The end of a terminal's input is its VEOF character. */
		struct termios t;
		if (tcgetattr(a->stdin_fd, &t) == 0)
			(void)!write(a->stdin_fd, &t.c_cc[VEOF], 1);
		return;
	}
	close_fd(&a->stdin_fd);
}

bool attach_feed(struct attach *a)
{
	while (a->waiting_at < a->waiting_size) {
		ssize_t n = a->stdin_fd < 0 ? -1
					    : write(a->stdin_fd, a->waiting + a->waiting_at,
						    a->waiting_size - a->waiting_at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && a->stdin_fd >= 0)
			return false;
		if (n < 0) { /* nobody reads any more */
			if (!a->stdin_is_tty)
				close_fd(&a->stdin_fd);
			break;
		}
		a->waiting_at += (size_t)n;
	}
	a->waiting_at = a->waiting_size = 0;
	return true;
}

static void resize(struct attach *a, const char *payload, size_t size)
{
	uint16_t cells[2];
	if (!a->stdin_is_tty || a->stdin_fd < 0 || size != sizeof cells)
		return;
	memcpy(cells, payload, sizeof cells);
	struct winsize w = { .ws_row = cells[0], .ws_col = cells[1] };
	(void)ioctl(a->stdin_fd, TIOCSWINSZ, &w);
}

/* A piece of the payload of c's frame has come. Only input may be longer than a piece. */
static void take_payload(struct attach *a, struct client *c, const char *bytes, size_t size)
{
	if (c->head.type == ATTACH_STDIN) {
		memcpy(a->waiting, bytes, size);
		a->waiting_size = size;
		a->waiting_at = 0;
		(void)attach_feed(a);
	} else if (c->head.type == ATTACH_RESIZE) {
		resize(a, bytes, size);
	}
}

void attach_read(struct attach *a, struct client *c)
{
	char bytes[STDIN_CHUNK];
	bool head = c->head_size < sizeof c->head;
	size_t room = head		       ? sizeof c->head - c->head_size
		      : c->left < sizeof bytes ? c->left
					       : sizeof bytes;
	ssize_t n = recv(c->fd, head ? (char *)&c->head + c->head_size : bytes, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* A starter that goes away leaves the container alone, but for its open input. */
		if (c->lossless && !a->stdin_is_tty)
			close_input(a);
		attach_drop(c);
		return;
	}
	if (head) {
		c->head_size += (size_t)n;
		c->left = c->head_size == sizeof c->head ? c->head.length : 0;
		if (c->head_size == sizeof c->head && c->head.type == ATTACH_STDIN_EOF)
			close_input(a);
	} else {
		c->left -= (uint32_t)n;
		take_payload(a, c, bytes, (size_t)n);
	}
	if (c->head_size == sizeof c->head && c->left == 0)
		c->head_size = 0;
}

void attach_end(struct attach *a, uint32_t status)
{
	struct client *starter = NULL;
	attach_send(a, ATTACH_EXIT, (const char *)&status, sizeof status);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (a->clients[i].fd >= 0 && a->clients[i].lossless)
			starter = &a->clients[i];
	while (starter && starter->fd >= 0 && starter->pending_head_size + starter->pending_size) {
		struct pollfd p = { .fd = starter->fd, .events = POLLOUT };
		if (poll(&p, 1, EXIT_WAIT_MS) <= 0)
			break;
		attach_flush(a, starter);
	}
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		attach_drop(&a->clients[i]);
}
