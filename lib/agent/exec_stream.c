/*
 * Streams of exec events, and the one that a runtime without streams gets: what a buffered exec
 * gave, at most one event for each of its streams, and then the exit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/sized.h"

void csn_exec_result_done(struct csn_exec_result *result)
{
	free(result->out);
	free(result->err);
	result->out = result->err = NULL;
	result->out_size = result->err_size = 0;
}

struct buffered {
	struct csn_exec_stream base;
	struct csn_exec_result result;
	int event; /* always readable */
	int step;
};

static int buffered_next(struct csn_exec_stream *stream, int timeout_ms, struct csn_exec_event *ret,
			 struct csn_error *err)
{
	struct buffered *b = (struct buffered *)stream;
	(void)timeout_ms;
	(void)err;

	const struct csn_exec_event events[] = {
		{ sizeof *events, CSN_EXEC_STDOUT, b->result.out, b->result.out_size, 0 },
		{ sizeof *events, CSN_EXEC_STDERR, b->result.err, b->result.err_size, 0 },
		{ sizeof *events, CSN_EXEC_EXIT, NULL, 0, b->result.exit_code },
	};
	while ((size_t)b->step < COUNT(events)) {
		const struct csn_exec_event *e = &events[b->step++];
		if (e->kind != CSN_EXEC_EXIT && e->length == 0)
			continue;
		*ret = *e;
		return 1;
	}
	return 0;
}

static int buffered_fd(const struct csn_exec_stream *stream)
{
	return ((const struct buffered *)stream)->event;
}

static void buffered_close(struct csn_exec_stream *stream)
{
	struct buffered *b = (struct buffered *)stream;
	csn_exec_result_done(&b->result);
	close_fd(&b->event);
	free(b);
}

int exec_stream_of_result(struct csn_exec_result *result, struct csn_exec_stream **ret,
			  struct csn_error *err)
{
	static const struct exec_stream_operations ops = { buffered_next,  buffered_fd,
							   buffered_close, NULL,
							   NULL,	   NULL };
	auto_fd event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	struct buffered *b = malloc(sizeof *b);
	if (event < 0 || !b) {
		free(b);
		return fail(err, ENOMEM, "out of memory");
	}
	*b = (struct buffered){ { &ops }, *result, take_fd(&event), 0 };
	result->out = result->err = NULL;
	*ret = &b->base;
	return 0;
}

int csn_exec_stream_next(struct csn_exec_stream *stream, int timeout_ms, struct csn_exec_event *ret,
			 struct csn_error *err)
{
	struct csn_exec_event event = CSN_EXEC_EVENT_INIT;
	int r = stream->ops->next(stream, timeout_ms, &event, err);
	if (r == 1)
		give_struct(ret, &event, sizeof event);
	return r == -EAGAIN ? r : as_kind(err, r, CSN_ERROR_INTERNAL, "");
}

int csn_exec_stream_fd(const struct csn_exec_stream *stream)
{
	return stream->ops->fd(stream);
}

void csn_exec_stream_close(struct csn_exec_stream *stream)
{
	if (stream)
		stream->ops->close(stream);
}

int csn_exec_stream_write(struct csn_exec_stream *stream, const void *bytes, size_t size,
			  int timeout_ms, struct csn_error *err)
{
	int r = stream->ops->write ? stream->ops->write(stream, bytes, size, timeout_ms, err)
				   : fail(err, EPIPE, "exec: it takes no input");
	return r == -EAGAIN ? r : as_kind(err, r, CSN_ERROR_INTERNAL, "");
}

int csn_exec_stream_close_stdin(struct csn_exec_stream *stream, int timeout_ms,
				struct csn_error *err)
{
	int r = stream->ops->close_input ? stream->ops->close_input(stream, timeout_ms, err) : 0;
	return r == -EAGAIN ? r : as_kind(err, r, CSN_ERROR_INTERNAL, "");
}

int csn_exec_stream_resize(struct csn_exec_stream *stream, unsigned rows, unsigned columns,
			   struct csn_error *err)
{
	int r = stream->ops->resize ? stream->ops->resize(stream, rows, columns, err) : 0;
	return as_kind(err, r, CSN_ERROR_INTERNAL, "");
}
