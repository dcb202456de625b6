/*
 * Exec over the attach protocol: events of the connection become events of the stream, and a
 * connection that ends without an exit is an error.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "agent/native.h"
#include "base/deadline.h"
#include "base/error.h"

/* ---- the stream ------------------------------------------------------------------------------ */

struct attached {
	struct csn_exec_stream base;
	struct csn_attach *attach;
	bool exited, has_input, has_terminal;
};

/* Waits for news of the connection, and for room when something is still to be sent. */
static int await(struct csn_attach *attach, short events, int64_t deadline, struct csn_error *err)
{
	if (csn_attach_pending(attach))
		events |= POLLOUT;
	struct pollfd p = { csn_attach_fd(attach), events, 0 };
	int n = poll(&p, 1, deadline_left(deadline));
	if (n == 0)
		return -EAGAIN;
	if (n < 0 && errno != EINTR)
		return fail_errno(err, "exec: poll");
	/* Somebody who is gone shows where it is read. */
	if (csn_attach_pending(attach))
		(void)!csn_attach_flush(attach, NULL);
	return 0;
}

/* An event of the connection; -EAGAIN when none comes until then. */
static int next_event(struct attached *a, int64_t deadline, struct csn_attach_event *ret,
		      struct csn_error *err)
{
	for (;;) {
		int r = csn_attach_read(a->attach, ret, err);
		if (r != -EAGAIN)
			return r;
		TRY(await(a->attach, POLLIN, deadline, err));
	}
}

static int attached_next(struct csn_exec_stream *stream, int timeout_ms, struct csn_exec_event *ret,
			 struct csn_error *err)
{
	struct attached *a = (struct attached *)stream;
	struct csn_attach_event e = CSN_ATTACH_EVENT_INIT;

	if (a->exited)
		return 0;
	int r = next_event(a, deadline_in(timeout_ms), &e, err);
	if (r == 0)
		return fail(err, EIO, "exec: the connection ended before the process did");
	if (r < 0)
		return r;
	if (e.kind == CSN_ATTACH_EXIT) {
		a->exited = true;
		ret->kind = CSN_EXEC_EXIT;
		ret->exit_code = e.exit_code;
		return 1;
	}
	ret->kind = e.stream == CSN_STREAM_STDERR ? CSN_EXEC_STDERR : CSN_EXEC_STDOUT;
	ret->bytes = e.bytes;
	ret->length = e.length;
	return 1;
}

static int attached_fd(const struct csn_exec_stream *stream)
{
	return csn_attach_fd(((const struct attached *)stream)->attach);
}

static void attached_close(struct csn_exec_stream *stream)
{
	struct attached *a = (struct attached *)stream;
	csn_attach_close(a->attach);
	free(a);
}

/* ---- input ----------------------------------------------------------------------------------- */

/* Until what was taken is sent. */
static int send_pending(struct csn_attach *attach, int64_t deadline, struct csn_error *err)
{
	while (csn_attach_pending(attach)) {
		int r = csn_attach_flush(attach, err);
		if (r != -EAGAIN)
			return r;
		TRY(await(attach, POLLOUT, deadline, err));
	}
	return 0;
}

int attach_send(struct csn_attach *attach, const void *bytes, size_t size, int64_t deadline,
		struct csn_error *err)
{
	TRY(send_pending(attach, deadline, err));
	return csn_attach_write(attach, bytes, size, err);
}

int attach_end_input(struct csn_attach *attach, int64_t deadline, struct csn_error *err)
{
	TRY(send_pending(attach, deadline, err));
	TRY(csn_attach_close_stdin(attach, err));
	return send_pending(attach, deadline, err);
}

int attach_send_all(struct csn_attach *attach, const char *bytes, size_t size, int64_t deadline,
		    struct csn_error *err)
{
	while (size) {
		int n = attach_send(attach, bytes, size, deadline, err);
		TRY(n);
		bytes += n;
		size -= (size_t)n;
	}
	return send_pending(attach, deadline, err);
}

static int attached_write(struct csn_exec_stream *stream, const void *bytes, size_t size,
			  int timeout_ms, struct csn_error *err)
{
	struct attached *a = (struct attached *)stream;
	if (!a->has_input)
		return fail(err, EPIPE, "exec: it takes no input");
	return attach_send(a->attach, bytes, size, deadline_in(timeout_ms), err);
}

static int attached_close_input(struct csn_exec_stream *stream, int timeout_ms,
				struct csn_error *err)
{
	struct attached *a = (struct attached *)stream;
	return a->has_input ? attach_end_input(a->attach, deadline_in(timeout_ms), err) : 0;
}

static int attached_resize(struct csn_exec_stream *stream, unsigned rows, unsigned columns,
			   struct csn_error *err)
{
	struct attached *a = (struct attached *)stream;
	return a->has_terminal ? csn_attach_resize(a->attach, rows, columns, err) : 0;
}

int exec_stream_of_attach(struct csn_attach *attach, bool has_input, bool has_terminal,
			  struct csn_exec_stream **ret, struct csn_error *err)
{
	static const struct exec_stream_operations ops = { attached_next,	 attached_fd,
							   attached_close,	 attached_write,
							   attached_close_input, attached_resize };
	struct attached *a = calloc(1, sizeof *a);
	if (!a) {
		csn_attach_close(attach);
		return fail(err, ENOMEM, "out of memory");
	}
	a->base.ops = &ops;
	a->attach = attach;
	a->has_input = has_input;
	a->has_terminal = has_terminal;
	*ret = &a->base;
	return 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* A text that grows, with a 0 behind its end. */
struct text {
	char *bytes;
	size_t size, capacity;
};

static bool append(struct text *t, const char *bytes, size_t size)
{
	if (!t->bytes || t->capacity - t->size <= size) {
		size_t capacity = 2 * (t->size + size) + 256;
		char *grown = realloc(t->bytes, capacity);
		if (!grown)
			return false;
		t->bytes = grown;
		t->capacity = capacity;
	}
	if (size)
		memcpy(t->bytes + t->size, bytes, size);
	t->size += size;
	t->bytes[t->size] = '\0';
	return true;
}

static int collect(struct csn_exec_stream *stream, int64_t deadline, struct text *texts,
		   int *ret_code, struct csn_error *err)
{
	struct csn_exec_event e = CSN_EXEC_EVENT_INIT;
	bool ok = append(&texts[0], NULL, 0) && append(&texts[1], NULL, 0);
	while (ok) {
		int r = stream->ops->next(stream, deadline_left(deadline), &e, err);
		if (r == -EAGAIN)
			return -ETIMEDOUT;
		if (r <= 0)
			return r;
		if (e.kind == CSN_EXEC_EXIT)
			*ret_code = e.exit_code;
		else
			ok = append(&texts[e.kind == CSN_EXEC_STDERR], e.bytes, e.length);
	}
	return fail(err, ENOMEM, "out of memory");
}

int exec_stream_collect(struct csn_exec_stream *stream, int timeout_ms, struct csn_exec_result *ret,
			struct csn_error *err)
{
	struct text texts[2] = { { 0 }, { 0 } };
	int code = 0;
	int r = collect(stream, deadline_in(timeout_ms), texts, &code, err);
	if (r < 0) {
		free(texts[0].bytes);
		free(texts[1].bytes);
		return r;
	}
	ret->exit_code = code;
	ret->out = texts[0].bytes;
	ret->out_size = texts[0].size;
	ret->err = texts[1].bytes;
	ret->err_size = texts[1].size;
	return 0;
}
