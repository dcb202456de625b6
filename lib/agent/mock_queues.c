/*
 * What the mock's streams are to say, queued by whoever tests: by kind, and by the container's id
 * or the image. A stream takes the whole queue when it is opened.
 */
#include "agent/mock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/sized.h"

struct mock_queue {
	struct mock_queue *next;
	enum mock_kind kind;
	struct queue events;
	char name[]; /* of the container or image */
};

void mock_queues_init(struct mock_queues *q)
{
	q->first = NULL;
	(void)pthread_mutex_init(&q->lock, NULL);
}

void mock_queues_done(struct mock_queues *q)
{
	while (q->first) {
		struct mock_queue *gone = q->first;
		q->first = gone->next;
		queue_free(&gone->events);
		free(gone);
	}
	(void)pthread_mutex_destroy(&q->lock);
}

static struct mock_queue *find(struct mock_queues *q, enum mock_kind kind, const char *name)
{
	for (struct mock_queue *at = q->first; at; at = at->next)
		if (at->kind == kind && strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

void mock_queues_take(struct mock_queues *q, enum mock_kind kind, const char *name,
		      struct queue *ret)
{
	queue_init(ret);
	(void)pthread_mutex_lock(&q->lock);
	struct mock_queue *mine = find(q, kind, name);
	if (mine && mine->events.first) {
		*ret = mine->events;
		queue_init(&mine->events);
	}
	(void)pthread_mutex_unlock(&q->lock);
}

static struct mock_queue *find_or_make(struct mock_queues *q, enum mock_kind kind, const char *name)
{
	struct mock_queue *mine = find(q, kind, name);
	if (mine)
		return mine;
	mine = calloc(1, sizeof *mine + strlen(name) + 1);
	if (!mine)
		return NULL;
	mine->kind = kind;
	queue_init(&mine->events);
	(void)strcpy(mine->name, name);
	mine->next = q->first;
	q->first = mine;
	return mine;
}

static bool put(struct queue *q, enum mock_kind kind, const void *event)
{
	return kind == MOCK_LOGS      ? queue_chunk(q, event)
	       : kind == MOCK_SAMPLES ? queue_sample(q, event)
				      : queue_progress(q, event);
}

static int add(struct csn_rt *rt, enum mock_kind kind, const char *name, const void *event,
	       struct csn_error *err)
{
	struct mock_queues *q = mock_queues_of(rt);
	if (!q)
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "this runtime is no mock");
	(void)pthread_mutex_lock(&q->lock);
	struct mock_queue *mine = find_or_make(q, kind, name);
	bool ok = mine && put(&mine->events, kind, event);
	(void)pthread_mutex_unlock(&q->lock);
	return ok ? 0 : as_kind(err, fail(err, ENOMEM, "out of memory"), CSN_ERROR_INTERNAL, "");
}

/* ---- what a test calls ------------------------------------------------------------------------
 */

int csn_rt_mock_queue_log(struct csn_rt *rt, const struct csn_container_id *id,
			  const struct csn_log_chunk *chunk, struct csn_error *err)
{
	struct csn_log_chunk mine = CSN_LOG_CHUNK_INIT;
	struct container_ref c;
	TRY(refer(id, &c, err));
	TRY(as_kind(err, take_struct(&mine, sizeof mine, chunk, "struct csn_log_chunk", err),
		    CSN_ERROR_INVALID_SPEC, ""));
	return add(rt, MOCK_LOGS, c.text, &mine, err);
}

int csn_rt_mock_queue_sample(struct csn_rt *rt, const struct csn_container_id *id,
			     const struct csn_stats_sample *sample, struct csn_error *err)
{
	struct csn_stats_sample mine = CSN_STATS_SAMPLE_INIT;
	struct container_ref c;
	TRY(refer(id, &c, err));
	TRY(as_kind(err, take_struct(&mine, sizeof mine, sample, "struct csn_stats_sample", err),
		    CSN_ERROR_INVALID_SPEC, ""));
	return add(rt, MOCK_SAMPLES, c.text, &mine, err);
}

int csn_rt_mock_queue_progress(struct csn_rt *rt, const char *image,
			       const struct csn_progress *progress, struct csn_error *err)
{
	struct csn_progress mine = CSN_PROGRESS_INIT;
	TRY(as_kind(err, take_struct(&mine, sizeof mine, progress, "struct csn_progress", err),
		    CSN_ERROR_INVALID_SPEC, ""));
	return add(rt, MOCK_PROGRESS, image, &mine, err);
}
