/*
 * Streams of logs, samples and progress: what is the same for all of them, and those whose events
 * wait in memory already.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/sized.h"

/* ---- one call of each -------------------------------------------------------------------------
 */

int csn_log_stream_next(struct csn_log_stream *stream, int timeout_ms, struct csn_log_chunk *ret,
			struct csn_error *err)
{
	struct csn_log_chunk chunk = CSN_LOG_CHUNK_INIT;
	int r = stream->ops->next(stream, timeout_ms, &chunk, err);
	if (r == 1)
		give_struct(ret, &chunk, sizeof chunk);
	return r == -EAGAIN ? r : as_kind(err, r, CSN_ERROR_INTERNAL, "");
}

int csn_log_stream_fd(const struct csn_log_stream *stream)
{
	return stream->ops->fd(stream);
}

void csn_log_stream_close(struct csn_log_stream *stream)
{
	if (stream)
		stream->ops->close(stream);
}

int csn_sample_stream_next(struct csn_sample_stream *stream, int timeout_ms,
			   struct csn_stats_sample *ret, struct csn_error *err)
{
	struct csn_stats_sample sample = CSN_STATS_SAMPLE_INIT;
	int r = stream->ops->next(stream, timeout_ms, &sample, err);
	if (r == 1)
		give_struct(ret, &sample, sizeof sample);
	return r == -EAGAIN ? r : as_kind(err, r, CSN_ERROR_INTERNAL, "");
}

int csn_sample_stream_fd(const struct csn_sample_stream *stream)
{
	return stream->ops->fd(stream);
}

void csn_sample_stream_close(struct csn_sample_stream *stream)
{
	if (stream)
		stream->ops->close(stream);
}

int csn_progress_stream_next(struct csn_progress_stream *stream, int timeout_ms,
			     struct csn_progress *ret, struct csn_error *err)
{
	struct csn_progress progress = CSN_PROGRESS_INIT;
	int r = stream->ops->next(stream, timeout_ms, &progress, err);
	if (r == 1)
		give_struct(ret, &progress, sizeof progress);
	return r == -EAGAIN ? r : as_kind(err, r, CSN_ERROR_INTERNAL, "");
}

int csn_progress_stream_fd(const struct csn_progress_stream *stream)
{
	return stream->ops->fd(stream);
}

void csn_progress_stream_close(struct csn_progress_stream *stream)
{
	if (stream)
		stream->ops->close(stream);
}

/* ---- queues -----------------------------------------------------------------------------------
 */

static void queued_free(struct queued *q)
{
	arena_free(&q->arena);
	free(q);
}

void queue_init(struct queue *q)
{
	q->first = NULL;
	q->end = &q->first;
	q->count = 0;
}

void queue_free(struct queue *q)
{
	while (q->first) {
		struct queued *gone = q->first;
		q->first = gone->next;
		queued_free(gone);
	}
	queue_init(q);
}

static void append(struct queue *q, struct queued *one)
{
	*q->end = one;
	q->end = &one->next;
	q->count++;
}

static bool append_if(struct queue *q, struct queued *one, bool ok)
{
	if (ok)
		append(q, one);
	else
		queued_free(one);
	return ok;
}

bool queue_chunk(struct queue *q, const struct csn_log_chunk *chunk)
{
	struct queued *one = calloc(1, sizeof *one);
	char *bytes = one ? arena_alloc(&one->arena, chunk->length) : NULL;
	if (!one)
		return false;
	if (bytes && chunk->length)
		memcpy(bytes, chunk->bytes, chunk->length);
	one->is.chunk = *chunk;
	one->is.chunk.bytes = bytes;
	return append_if(q, one, bytes != NULL);
}

bool queue_sample(struct queue *q, const struct csn_stats_sample *sample)
{
	struct queued *one = calloc(1, sizeof *one);
	if (!one)
		return false;
	one->is.sample = *sample;
	append(q, one);
	return true;
}

static const char *copy(struct arena *arena, const char *text, bool *ok)
{
	char *mine = text ? arena_strdup(arena, text) : NULL;
	*ok &= !text || mine;
	return mine;
}

bool queue_progress(struct queue *q, const struct csn_progress *progress)
{
	struct queued *one = calloc(1, sizeof *one);
	bool ok = true;
	size_t count = 0;
	if (!one)
		return false;
	while (progress->references && progress->references[count])
		count++;
	const char **references = arena_array(&one->arena, count + 1, sizeof *references);
	ok = references != NULL;
	for (size_t i = 0; ok && i < count; i++)
		references[i] = copy(&one->arena, progress->references[i], &ok);
	one->is.progress = *progress;
	one->is.progress.references = progress->references ? references : NULL;
	one->is.progress.id = copy(&one->arena, progress->id, &ok);
	one->is.progress.status = copy(&one->arena, progress->status ? progress->status : "", &ok);
	one->is.progress.progress = copy(&one->arena, progress->progress, &ok);
	one->is.progress.digest = copy(&one->arena, progress->digest, &ok);
	return append_if(q, one, ok);
}

/* ---- streams of them --------------------------------------------------------------------------
 */

struct from_queue {
	union {
		struct csn_log_stream log;
		struct csn_sample_stream sample;
		struct csn_progress_stream progress;
	} base;
	struct queue queue;
	struct queued *given; /* until the next call */
	bool follow;
	int event; /* readable while there is something, and at the end */
};

/* The next event: 1; 0 the end; -EAGAIN. */
static int take(struct from_queue *f, int timeout_ms, struct queued **ret, struct csn_error *err)
{
	if (f->given)
		queued_free(f->given);
	f->given = f->queue.first;
	if (!f->given) {
		if (!f->follow)
			return 0;
		uint64_t all;
		(void)!read(f->event, &all, sizeof all); /* from now on it is not readable */
		(void)poll(NULL, 0, timeout_ms);
		return fail(err, EAGAIN, "nothing is queued");
	}
	f->queue.first = f->given->next;
	*ret = f->given;
	return 1;
}

static void release(struct from_queue *f)
{
	if (f->given)
		queued_free(f->given);
	queue_free(&f->queue);
	close_fd(&f->event);
	free(f);
}

static int new_stream(struct queue *q, bool follow, struct from_queue **ret, struct csn_error *err)
{
	struct from_queue *f = calloc(1, sizeof *f);
	if (!f)
		return fail(err, ENOMEM, "out of memory");
	f->event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->event < 0) {
		free(f);
		return fail_errno(err, "eventfd");
	}
	f->follow = follow;
	f->queue = *q;
	queue_init(q);
	*ret = f;
	return 0;
}

static int log_next(struct csn_log_stream *stream, int timeout_ms, struct csn_log_chunk *ret,
		    struct csn_error *err)
{
	struct queued *one = NULL;
	int r = take((struct from_queue *)stream, timeout_ms, &one, err);
	if (r == 1)
		*ret = one->is.chunk;
	return r;
}

static int log_fd(const struct csn_log_stream *stream)
{
	return ((const struct from_queue *)stream)->event;
}

static void log_close(struct csn_log_stream *stream)
{
	release((struct from_queue *)stream);
}

int log_stream_of_queue(struct queue *q, bool follow, struct csn_log_stream **ret,
			struct csn_error *err)
{
	static const struct log_stream_operations ops = { log_next, log_fd, log_close };
	struct from_queue *f;
	TRY(new_stream(q, follow, &f, err));
	f->base.log.ops = &ops;
	*ret = &f->base.log;
	return 0;
}

static int sample_next(struct csn_sample_stream *stream, int timeout_ms,
		       struct csn_stats_sample *ret, struct csn_error *err)
{
	struct queued *one = NULL;
	int r = take((struct from_queue *)stream, timeout_ms, &one, err);
	if (r == 1)
		*ret = one->is.sample;
	return r;
}

static int sample_fd(const struct csn_sample_stream *stream)
{
	return ((const struct from_queue *)stream)->event;
}

static void sample_close(struct csn_sample_stream *stream)
{
	release((struct from_queue *)stream);
}

int sample_stream_of_queue(struct queue *q, struct csn_sample_stream **ret, struct csn_error *err)
{
	static const struct sample_stream_operations ops = { sample_next, sample_fd, sample_close };
	struct from_queue *f;
	TRY(new_stream(q, false, &f, err));
	f->base.sample.ops = &ops;
	*ret = &f->base.sample;
	return 0;
}

static int progress_next(struct csn_progress_stream *stream, int timeout_ms,
			 struct csn_progress *ret, struct csn_error *err)
{
	struct queued *one = NULL;
	int r = take((struct from_queue *)stream, timeout_ms, &one, err);
	if (r == 1)
		*ret = one->is.progress;
	return r;
}

static int progress_fd(const struct csn_progress_stream *stream)
{
	return ((const struct from_queue *)stream)->event;
}

static void progress_close(struct csn_progress_stream *stream)
{
	release((struct from_queue *)stream);
}

int progress_stream_of_queue(struct queue *q, struct csn_progress_stream **ret,
			     struct csn_error *err)
{
	static const struct progress_stream_operations ops = { progress_next, progress_fd,
							       progress_close };
	struct from_queue *f;
	TRY(new_stream(q, false, &f, err));
	f->base.progress.ops = &ops;
	*ret = &f->base.progress;
	return 0;
}
