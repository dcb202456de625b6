/*
 * One runtime, sixteen threads: mixed operations on a few containers, so that they meet. What each
 * call answers depends on the others; that it answers with a kind, and that nothing is left, does
 * not.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "contract.h"

enum { THREADS = 16, IDS = 6 };

struct worker {
	struct csn_rt *rt;
	const struct csn_service *service;
	unsigned seed;
	int operations, unworded;
};

typedef int operation(struct worker *w, const struct csn_container_id *id, struct csn_error *err);

static int do_create(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	return csn_rt_create_container(w->rt, id, w->service, err);
}

static int do_start(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	return csn_rt_start_container(w->rt, id, err);
}

static int do_stop(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	return csn_rt_stop_container(w->rt, id, 10, err);
}

static int do_kill(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	return csn_rt_kill_container(w->rt, id, NULL, err);
}

static int do_remove(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	return csn_rt_remove_container(w->rt, id, err);
}

static int do_state(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	return csn_rt_container_state(w->rt, id, &state, err);
}

static int do_stats(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	struct csn_rt_stats stats = CSN_RT_STATS_INIT;
	return csn_rt_get_container_stats(w->rt, id, &stats, err);
}

static int do_pid(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	int pid;
	return csn_rt_get_container_pid(w->rt, id, &pid, err);
}

static int do_logs(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	struct csn_log_entries *entries = NULL;
	int r = csn_rt_container_logs(w->rt, id, 10, &entries, err);
	csn_log_entries_free(entries);
	return r;
}

static int do_exec(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	static const char *const argv[] = { "true", NULL };
	struct csn_exec_result result = CSN_EXEC_RESULT_INIT;
	int r = csn_rt_exec(w->rt, id, argv, 20000, &result, err);
	csn_exec_result_done(&result);
	return r;
}

static int do_logs_stream(struct worker *w, const struct csn_container_id *id,
			  struct csn_error *err)
{
	struct csn_log_chunk chunk = CSN_LOG_CHUNK_INIT;
	struct csn_log_stream *stream = NULL;
	int r = csn_rt_logs_stream(w->rt, id, NULL, &stream, err);
	while (r >= 0 && (r = csn_log_stream_next(stream, 0, &chunk, err)) == 1)
		;
	csn_log_stream_close(stream);
	return r;
}

static int do_stats_stream(struct worker *w, const struct csn_container_id *id,
			   struct csn_error *err)
{
	struct csn_stats_sample sample = CSN_STATS_SAMPLE_INIT;
	struct csn_sample_stream *stream = NULL;
	int r = csn_rt_stats_stream(w->rt, id, 100, &stream, err);
	if (r >= 0)
		r = csn_sample_stream_next(stream, 1000, &sample, err);
	csn_sample_stream_close(stream);
	return r == -EAGAIN ? 0 : r;
}

static int do_details(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	struct csn_container_details *d = NULL;
	int r = csn_rt_inspect_detailed(w->rt, id, &d, err);
	csn_container_details_free(d);
	return r;
}

static int do_list(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	struct csn_container_summaries *list = NULL;
	(void)id;
	int r = csn_rt_list_containers(w->rt, &list, err);
	csn_container_summaries_free(list);
	return r;
}

static int do_top(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	struct csn_top *top = NULL;
	int r = csn_rt_top_container(w->rt, id, NULL, &top, err);
	if (r >= 0)
		csn_top_free(top);
	return r;
}

static int do_rename(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	char name[40];
	(void)snprintf(name, sizeof name, "other-%u", (unsigned)rand_r(&w->seed) % 20);
	return csn_rt_rename_container(w->rt, id, name, err);
}

static int do_wait(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	struct csn_wait_outcome o = CSN_WAIT_OUTCOME_INIT;
	return csn_rt_wait_outcome_with_condition(
		w->rt, id, (enum csn_wait_condition)(rand_r(&w->seed) % 3), 5, &o, err);
}

static int do_pause(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	int r = csn_rt_pause_container(w->rt, id, err);
	return r < 0 ? r : csn_rt_unpause_container(w->rt, id, err);
}

static int do_head(struct worker *w, const struct csn_container_id *id, struct csn_error *err)
{
	struct csn_path_stat st = CSN_PATH_STAT_INIT;
	return csn_rt_archive_head(w->rt, id, "/etc/passwd", &st, err);
}

static void *work(void *data)
{
	static operation *const operations[] = {
		do_create, do_start,	   do_start,	    do_stop,	do_kill,
		do_remove, do_state,	   do_stats,	    do_pid,	do_logs,
		do_exec,   do_logs_stream, do_stats_stream, do_details, do_list,
		do_top,	   do_rename,	   do_wait,	    do_pause,	do_head
	};
	struct worker *w = data;
	for (int i = 0; i < w->operations; i++) {
		struct csn_container_id id = { "meet", "default", 0, 0 };
		struct csn_error err = { 0 };
		id.replica = (uint32_t)rand_r(&w->seed) % IDS;
		size_t which = (size_t)rand_r(&w->seed) % (sizeof operations / sizeof *operations);
		if (operations[which](w, &id, &err) < 0)
			w->unworded += err.kind == CSN_ERROR_NONE || !err.text[0];
	}
	return NULL;
}

START_TEST(threads_share_a_runtime)
{
	struct csn_rt *rt = subject_open();
	struct csn_service *service = subject_service("sleep 60");
	const char *asked = getenv("CSN_THREAD_OPERATIONS");
	int all = asked ? atoi(asked) : subject->is_real ? 480 : 10000;
	pthread_t threads[THREADS];
	struct worker workers[THREADS];
	struct csn_error err;
	struct stat standard[3], now;

	for (int fd = 0; fd < 3; fd++)
		ck_assert_int_eq(fstat(fd, &standard[fd]), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ rt, service, i + 1, all / THREADS, 0 };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(workers[i].unworded, 0);
	}
	for (uint32_t n = 0; n < IDS; n++) {
		struct csn_container_id id = subject_id("meet", n);
		OK(csn_rt_remove_container(rt, &id, &err));
	}
	csn_service_free(service);
	csn_rt_close(rt);
	/* What is the caller's is untouched: an fd closed twice would be one of these by now. */
	for (int fd = 0; fd < 3; fd++) {
		ck_assert_int_eq(fstat(fd, &now), 0);
		ck_assert(now.st_dev == standard[fd].st_dev && now.st_ino == standard[fd].st_ino);
	}
	/* No child of ours is left, not even a dead one. */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

TCase *threads_case(void)
{
	TCase *c = tcase_create("threads");
	tcase_set_timeout(c, 500);
	tcase_add_test(c, threads_share_a_runtime);
	return c;
}
