/*
 * The mock: a runtime of names and numbers in memory, for the tests of an agent. It answers exactly
 * as the interface's own mock does, oddities included: an unknown container may be started, stopped
 * and removed, logs are those of any container, and a kill always leaves 137.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/mock.h"
#include "base/error.h"

#define PULL_MS 100
#define WAIT_MS 50

struct mock_container {
	char name[CSN_CONTAINER_ID_TEXT];
	struct csn_container_state state;
	int pid; /* 0: none */
	struct mock_container *next;
};

struct mock {
	struct csn_rt base;
	pthread_mutex_t lock;
	struct mock_container *containers; /* under the lock */
	struct mock_queues queues;
};

static struct mock *mock_of(struct csn_rt *rt)
{
	return (struct mock *)rt;
}

static void unlock(pthread_mutex_t **lock)
{
	(void)pthread_mutex_unlock(*lock);
}

static pthread_mutex_t *locked(struct mock *m)
{
	(void)pthread_mutex_lock(&m->lock);
	return &m->lock;
}

#define HOLD(m)                                                                                    \
	pthread_mutex_t *held AUTO(unlock)                                                         \
	= locked(m);                                                                               \
	(void)held

static struct mock_container *find(struct mock *m, const struct container_ref *c)
{
	for (struct mock_container *at = m->containers; at; at = at->next)
		if (strcmp(at->name, c->text) == 0)
			return at;
	return NULL;
}

static int not_found(const struct container_ref *c, struct csn_error *err)
{
	return fail_kind(err, CSN_ERROR_NOT_FOUND, c->text, "container not found");
}

/* A copy of what is known of a container. */
static int look(struct csn_rt *rt, const struct container_ref *c, struct mock_container *ret,
		struct csn_error *err)
{
	struct mock *m = mock_of(rt);
	HOLD(m);
	const struct mock_container *found = find(m, c);
	if (!found)
		return not_found(c, err);
	*ret = *found;
	return 0;
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* ---- life --------------------------------------------------------------------------------------
 */

static int mock_pull(struct csn_rt *rt, const char *image, enum csn_pull_policy policy,
		     const struct csn_registry_options *auth, struct csn_error *err)
{
	(void)rt;
	(void)policy;
	(void)auth;
	(void)image;
	(void)err;
	sleep_ms(PULL_MS);
	return 0;
}

static int mock_create(struct csn_rt *rt, const struct container_ref *c,
		       const struct csn_service *service, struct csn_error *err)
{
	struct mock *m = mock_of(rt);
	(void)service;
	HOLD(m);
	struct mock_container *mine = find(m, c);
	if (!mine) {
		mine = calloc(1, sizeof *mine);
		if (!mine)
			return fail(err, ENOMEM, "out of memory");
		(void)snprintf(mine->name, sizeof mine->name, "%s", c->text);
		mine->next = m->containers;
		m->containers = mine;
	}
	mine->state = (struct csn_container_state)CSN_CONTAINER_STATE_INIT;
	mine->pid = 0;
	return 0;
}

static int mock_start(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err)
{
	struct mock *m = mock_of(rt);
	(void)err;
	HOLD(m);
	struct mock_container *mine = find(m, c);
	if (mine) {
		mine->state.state = CSN_STATE_RUNNING;
		mine->pid = (int)getpid();
	}
	return 0;
}

static void end(struct mock_container *c, int code)
{
	c->state.state = CSN_STATE_EXITED;
	c->state.exit_code = code;
}

static int mock_stop(struct csn_rt *rt, const struct container_ref *c, int timeout_ms,
		     struct csn_error *err)
{
	struct mock *m = mock_of(rt);
	(void)timeout_ms;
	(void)err;
	HOLD(m);
	struct mock_container *mine = find(m, c);
	if (mine)
		end(mine, 0);
	return 0;
}

static int mock_kill(struct csn_rt *rt, const struct container_ref *c, const char *signal,
		     struct csn_error *err)
{
	struct mock *m = mock_of(rt);
	(void)signal;
	HOLD(m);
	struct mock_container *mine = find(m, c);
	if (!mine)
		return not_found(c, err);
	end(mine, 137);
	return 0;
}

static int mock_remove(struct csn_rt *rt, const struct container_ref *c, struct csn_error *err)
{
	struct mock *m = mock_of(rt);
	(void)err;
	HOLD(m);
	for (struct mock_container **at = &m->containers; *at; at = &(*at)->next) {
		if (strcmp((*at)->name, c->text) == 0) {
			struct mock_container *gone = *at;
			*at = gone->next;
			free(gone);
			break;
		}
	}
	return 0;
}

/* ---- facts -------------------------------------------------------------------------------------
 */

static int mock_state(struct csn_rt *rt, const struct container_ref *c,
		      struct csn_container_state *ret, struct csn_error *err)
{
	struct mock_container mine;
	TRY(look(rt, c, &mine, err));
	*ret = mine.state;
	return 0;
}

static int mock_pid(struct csn_rt *rt, const struct container_ref *c, int *ret,
		    struct csn_error *err)
{
	struct mock_container mine;
	TRY(look(rt, c, &mine, err));
	*ret = mine.pid;
	return 0;
}

static int mock_ip(struct csn_rt *rt, const struct container_ref *c, char ret[46],
		   struct csn_error *err)
{
	struct mock_container mine;
	TRY(look(rt, c, &mine, err));
	(void)snprintf(ret, 46, "172.17.0.%u", (c->id->replica + 2) & 0xff);
	return 0;
}

static int mock_stats(struct csn_rt *rt, const struct container_ref *c, struct csn_rt_stats *ret,
		      struct csn_error *err)
{
	struct mock_container mine;
	struct timespec now;
	TRY(look(rt, c, &mine, err));
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ret->cpu_usage_usec = 1000000;
	ret->memory_bytes = 50 << 20;
	ret->memory_limit = 256 << 20;
	ret->timestamp_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	return 0;
}

static int mock_wait(struct csn_rt *rt, const struct container_ref *c, int timeout_ms,
		     int *ret_code, struct csn_error *err)
{
	struct mock_container mine;
	(void)timeout_ms;
	TRY(look(rt, c, &mine, err));
	if (mine.state.state == CSN_STATE_EXITED) {
		*ret_code = mine.state.exit_code;
	} else if (mine.state.state == CSN_STATE_FAILED) {
		*ret_code = 1;
	} else {
		sleep_ms(WAIT_MS);
		*ret_code = 0;
	}
	return 0;
}

static int mock_list_images(struct csn_rt *rt, struct csn_images **ret, struct csn_error *err)
{
	(void)rt;
	(void)err;
	*ret = NULL; /* none */
	return 0;
}

static int mock_remove_image(struct csn_rt *rt, const char *image, bool force,
			     struct csn_error *err)
{
	(void)rt;
	(void)image;
	(void)force;
	(void)err;
	return 0;
}

static int mock_tag_image(struct csn_rt *rt, const char *source, const char *target,
			  struct csn_error *err)
{
	(void)rt;
	(void)source;
	(void)target;
	(void)err;
	return 0;
}

static int mock_prune_images(struct csn_rt *rt, struct csn_texts **ret_deleted, uint64_t *ret_bytes,
			     struct csn_error *err)
{
	(void)rt;
	(void)err;
	*ret_deleted = NULL; /* none */
	*ret_bytes = 0;
	return 0;
}

/* ---- streams ----------------------------------------------------------------------------------
 */

static int mock_logs_stream(struct csn_rt *rt, const struct container_ref *c,
			    const struct csn_logs_stream_options *options,
			    struct csn_log_stream **ret, struct csn_error *err)
{
	struct queue q;
	mock_queues_take(&mock_of(rt)->queues, MOCK_LOGS, c->text, &q);
	int r = log_stream_of_queue(&q, options->follow, ret, err);
	queue_free(&q);
	return r;
}

static int mock_stats_stream(struct csn_rt *rt, const struct container_ref *c, int interval_ms,
			     struct csn_sample_stream **ret, struct csn_error *err)
{
	struct queue q;
	(void)interval_ms;
	mock_queues_take(&mock_of(rt)->queues, MOCK_SAMPLES, c->text, &q);
	int r = sample_stream_of_queue(&q, ret, err);
	queue_free(&q);
	return r;
}

static int mock_pull_stream(struct csn_rt *rt, const char *image,
			    const struct csn_registry_options *auth,
			    struct csn_progress_stream **ret, struct csn_error *err)
{
	struct queue q;
	(void)auth;
	mock_queues_take(&mock_of(rt)->queues, MOCK_PROGRESS, image, &q);
	int r = progress_stream_of_queue(&q, ret, err);
	queue_free(&q);
	return r;
}

/* ---- logs and exec ------------------------------------------------------------------------------
 */

struct line {
	enum csn_stream stream;
	const char *text;
};

static int give_lines(const struct line *lines, size_t count, const char *source,
		      struct csn_log_entries **ret, struct csn_error *err)
{
	struct timespec now;
	struct csn_log_entries *entries = log_entries_new();
	bool ok = entries != NULL;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; ok && i < count; i++) {
		const struct csn_log_entry e = {
			.timestamp_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
			.stream = lines[i].stream,
			.message = lines[i].text,
			.message_size = strlen(lines[i].text),
			.source = CSN_LOG_CONTAINER,
			.source_id = source,
		};
		ok = log_entries_add(entries, &e);
	}
	if (!ok) {
		csn_log_entries_free(entries);
		return fail(err, ENOMEM, "out of memory");
	}
	*ret = entries;
	return 0;
}

static int mock_logs(struct csn_rt *rt, const struct container_ref *c, uint64_t tail,
		     struct csn_log_entries **ret, struct csn_error *err)
{
	static const struct line lines[] = { { CSN_STREAM_STDOUT, "mock log line 1" },
					     { CSN_STREAM_STDERR, "mock error line" } };
	(void)rt;
	(void)c;
	size_t skip = tail < COUNT(lines) ? COUNT(lines) - (size_t)tail : 0;
	return give_lines(lines + skip, COUNT(lines) - skip, "mock", ret, err);
}

static int mock_all_logs(struct csn_rt *rt, const struct container_ref *c,
			 struct csn_log_entries **ret, struct csn_error *err)
{
	static const char *const said[] = { "Container started", "Executing command...",
					    "Command completed successfully" };
	struct mock_container mine;
	char texts[COUNT(said)][CSN_CONTAINER_ID_TEXT + 40];
	struct line lines[COUNT(said)];

	TRY(look(rt, c, &mine, err));
	for (size_t i = 0; i < COUNT(said); i++) {
		(void)snprintf(texts[i], sizeof texts[i], "[%s] %s", c->text, said[i]);
		lines[i] = (struct line){ CSN_STREAM_STDOUT, texts[i] };
	}
	return give_lines(lines, COUNT(said), c->text, ret, err);
}

/* Says the command back. */
static int mock_exec(struct csn_rt *rt, const struct container_ref *c, const char *const *argv,
		     int timeout_ms, struct csn_exec_result *ret, struct csn_error *err)
{
	size_t size = 0;
	(void)rt;
	(void)c;
	(void)timeout_ms;

	for (size_t i = 0; argv[i]; i++)
		size += strlen(argv[i]) + 1;
	auto_mem char *out = malloc(size);
	char *nothing = calloc(1, 1);
	if (!out || !nothing) {
		free(nothing);
		return fail(err, ENOMEM, "out of memory");
	}
	char *at = out;
	for (size_t i = 0; argv[i]; i++) {
		if (i > 0)
			*at++ = ' ';
		at = stpcpy(at, argv[i]);
	}
	ret->exit_code = 0;
	ret->out_size = (size_t)(at - out);
	ret->out = take_ptr(out);
	ret->err = nothing;
	ret->err_size = 0;
	return 0;
}

/* ---- open and close -----------------------------------------------------------------------------
 */

static void mock_close(struct csn_rt *rt)
{
	struct mock *m = mock_of(rt);
	while (m->containers) {
		struct mock_container *gone = m->containers;
		m->containers = gone->next;
		free(gone);
	}
	(void)pthread_mutex_destroy(&m->lock);
	mock_queues_done(&m->queues);
	free(m);
}

#define REQUIRED_ROWS                                                                              \
	.close = mock_close, .pull_image = mock_pull, .create = mock_create, .start = mock_start,  \
	.stop = mock_stop, .remove = mock_remove, .state = mock_state, .pid = mock_pid,            \
	.ip = mock_ip, .wait = mock_wait, .logs = mock_logs, .all_logs = mock_all_logs,            \
	.exec = mock_exec, .stats = mock_stats

static const struct rt_operations operations = {
	.name = "mock",
	REQUIRED_ROWS,
	.list_images = mock_list_images,
	.remove_image = mock_remove_image,
	.prune_images = mock_prune_images,
	.tag_image = mock_tag_image,
	.kill = mock_kill,
	.logs_stream = mock_logs_stream,
	.stats_stream = mock_stats_stream,
	.pull_stream = mock_pull_stream,
};

static const struct rt_operations bare_operations = { .name = "bare", REQUIRED_ROWS };

struct mock_queues *mock_queues_of(struct csn_rt *rt)
{
	return rt->ops == &operations ? &mock_of(rt)->queues : NULL;
}

static int open_mock(const struct rt_operations *ops, struct csn_rt **ret, struct csn_error *err)
{
	struct mock *m = calloc(1, sizeof *m);
	if (!m)
		return as_kind(err, fail(err, ENOMEM, "out of memory"), CSN_ERROR_INTERNAL, "");
	m->base.ops = ops;
	(void)pthread_mutex_init(&m->lock, NULL);
	mock_queues_init(&m->queues);
	*ret = &m->base;
	return 0;
}

int csn_rt_open_mock(struct csn_rt **ret, struct csn_error *err)
{
	return open_mock(&operations, ret, err);
}

int csn_rt_open_bare(struct csn_rt **ret, struct csn_error *err)
{
	return open_mock(&bare_operations, ret, err);
}
