/*
 * The attach stream: frames over a socket to the monitor (monitor.h). Never waits: what does not
 * go out at once stays in a buffer of one frame until the caller's poll(2) says that there is room.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fdpass.h"
#include "runtime/runtime.h"

#define PAYLOAD_MAX 65536 /* of one frame out */
#define IN_SIZE	    (sizeof(struct attach_header) + PAYLOAD_MAX)

struct csn_attach {
	int sock;
	bool ended;
	/* What came, not yet given out: in[in_at..in_size). */
	char *in;
	size_t in_at, in_size;
	size_t left; /* bytes of the current frame's payload still to come or to give out */
	uint8_t type;
	/* What was taken, not yet sent: out[out_at..out_size). */
	char *out;
	size_t out_at, out_size;
};

int attach_new(int sock, struct csn_attach **ret, struct csn_error *err)
{
	auto_fd fd = sock;
	struct csn_attach *a = calloc(1, sizeof *a);
	char *in = malloc(IN_SIZE), *out = malloc(IN_SIZE);
	if (!a || !in || !out) {
		free(a);
		free(in);
		free(out);
		return fail(err, ENOMEM, "out of memory");
	}
	*a = (struct csn_attach){ .sock = take_fd(&fd), .in = in, .out = out };
	*ret = a;
	return 0;
}

void csn_attach_close(struct csn_attach *attach)
{
	if (!attach)
		return;
	close_fd(&attach->sock);
	free(attach->in);
	free(attach->out);
	free(attach);
}

int csn_container_attach(struct csn_runtime *rt, const char *container, struct csn_attach **ret,
			 struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	TRY(container_find(rt, container, &c, err));
	facts_read(rt, &c, false, &f);
	if (!facts_running(&f))
		return fail(err, ESRCH, "container \"%s\" is not running", container);
	if (f.monitor_fd < 0)
		return fail(err, ECONNREFUSED,
			    "container \"%s\" runs without its monitor: nothing to attach to",
			    container);

	auto_fd dir = openat(rt->monitor_dir, c.id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail_errno(err, "container \"%s\": open its run directory", container);
	int sock = unix_connect_at(dir, "attach.sock", SOCK_STREAM, err);
	if (sock < 0)
		return within(err, sock, "container \"%s\"", container);
	return attach_new(sock, ret, err);
}

int csn_attach_fd(const struct csn_attach *attach)
{
	return attach->sock;
}

/* ---- in ---------------------------------------------------------------------------------------
 */

/* Reads what is there. 1 something came, 0 the end, -EAGAIN, -errno. */
static int fill(struct csn_attach *a)
{
	if (a->in_at == a->in_size)
		a->in_at = a->in_size = 0;
	if (a->in_at) {
		memmove(a->in, a->in + a->in_at, a->in_size - a->in_at);
		a->in_size -= a->in_at;
		a->in_at = 0;
	}
	for (;;) {
		ssize_t n = recv(a->sock, a->in + a->in_size, IN_SIZE - a->in_size, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ECONNRESET)
			return 0;
		if (n < 0)
			return -errno;
		a->in_size += (size_t)n;
		return n > 0;
	}
}

/* Makes sure that size bytes are buffered. */
static int need(struct csn_attach *a, size_t size)
{
	while (a->in_size - a->in_at < size) {
		int r = fill(a);
		if (r <= 0)
			return r;
	}
	return 1;
}

static int read_exit(struct csn_attach *a, struct csn_attach_event *e)
{
	uint32_t status = 0;
	int r = need(a, sizeof status);
	if (r <= 0)
		return r;
	memcpy(&status, a->in + a->in_at, sizeof status);
	a->in_at += sizeof status;
	a->left = 0;
	a->ended = true;
	e->kind = CSN_ATTACH_EXIT;
	e->exit_code = (int)(status & 0xff);
	return 1;
}

/* As much of the current frame as is there: a large frame comes in pieces. */
static int read_payload(struct csn_attach *a, struct csn_attach_event *e)
{
	if (a->type == ATTACH_EXIT && a->left == sizeof(uint32_t))
		return read_exit(a, e);
	int r = need(a, 1);
	if (r <= 0)
		return r;
	size_t size = a->in_size - a->in_at;
	if (size > a->left)
		size = a->left;
	e->kind = CSN_ATTACH_OUTPUT;
	e->stream = a->type == ATTACH_STDERR ? CSN_STREAM_STDERR : CSN_STREAM_STDOUT;
	e->bytes = a->in + a->in_at;
	e->length = size;
	a->in_at += size;
	a->left -= size;
	return 1;
}

static int read_event(struct csn_attach *a, struct csn_attach_event *e)
{
	while (!a->ended) {
		if (a->left) {
			int r = read_payload(a, e);
			/* Frames of a kind that we do not know are passed over. */
			if (r > 0 && e->kind == CSN_ATTACH_OUTPUT && a->type != ATTACH_STDOUT &&
			    a->type != ATTACH_STDERR)
				continue;
			return r;
		}
		struct attach_header h;
		int r = need(a, sizeof h);
		if (r <= 0)
			return r;
		memcpy(&h, a->in + a->in_at, sizeof h);
		a->in_at += sizeof h;
		a->type = h.type;
		a->left = h.length;
	}
	return 0;
}

int csn_attach_read(struct csn_attach *attach, struct csn_attach_event *ret, struct csn_error *err)
{
	struct csn_attach_event e = CSN_ATTACH_EVENT_INIT;
	int r = read_event(attach, &e);
	if (r == -EAGAIN)
		return fail(err, EAGAIN, "nothing has come yet");
	if (r < 0)
		return fail(err, -r, "attach: %s", strerror(-r));
	if (r > 0)
		give_struct(ret, &e, sizeof e);
	return r;
}

/* ---- out --------------------------------------------------------------------------------------
 */

bool csn_attach_pending(const struct csn_attach *attach)
{
	return attach->out_at < attach->out_size;
}

int csn_attach_flush(struct csn_attach *attach, struct csn_error *err)
{
	while (csn_attach_pending(attach)) {
		ssize_t n = send(attach->sock, attach->out + attach->out_at,
				 attach->out_size - attach->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "attach");
		attach->out_at += (size_t)n;
	}
	return 0;
}

/* Takes one frame and sends what goes. */
static int send_frame(struct csn_attach *a, uint8_t type, const void *payload, size_t size,
		      struct csn_error *err)
{
	TRY(csn_attach_flush(a, err));
	const struct attach_header h = { .type = type, .length = (uint32_t)size };
	memcpy(a->out, &h, sizeof h);
	if (size)
		memcpy(a->out + sizeof h, payload, size);
	a->out_at = 0;
	a->out_size = sizeof h + size;
	int r = csn_attach_flush(a, err);
	return r == -EAGAIN ? 0 : r;
}

int csn_attach_write(struct csn_attach *attach, const void *bytes, size_t size,
		     struct csn_error *err)
{
	if (size > PAYLOAD_MAX)
		size = PAYLOAD_MAX;
	if (size)
		TRY(send_frame(attach, ATTACH_STDIN, bytes, size, err));
	return (int)size;
}

int csn_attach_close_stdin(struct csn_attach *attach, struct csn_error *err)
{
	return send_frame(attach, ATTACH_STDIN_EOF, NULL, 0, err);
}

int csn_attach_resize(struct csn_attach *attach, unsigned rows, unsigned columns,
		      struct csn_error *err)
{
	const uint16_t size[2] = { (uint16_t)rows, (uint16_t)columns };
	if (rows > UINT16_MAX || columns > UINT16_MAX)
		return fail(err, EINVAL, "terminal of %u rows and %u columns", rows, columns);
	return send_frame(attach, ATTACH_RESIZE, size, sizeof size, err);
}
