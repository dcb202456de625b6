/*
 * What a runtime answers that can do only what the interface requires, and what the mock's streams
 * say that a test filled.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"

static struct csn_rt *bare(void)
{
	struct csn_rt *rt = NULL;
	struct csn_error err;
	OK(csn_rt_open_bare(&rt, &err));
	return rt;
}

static struct csn_rt *mock(void)
{
	struct csn_rt *rt = NULL;
	struct csn_error err;
	OK(csn_rt_open_mock(&rt, &err));
	return rt;
}

/* A test that a method of the bare runtime is not there, by the words. */
#define UNSUPPORTED_TEST(name, method, ...)                                                        \
	START_TEST(name)                                                                           \
	{                                                                                          \
		struct csn_rt *rt = bare();                                                        \
		struct csn_container_id id = subject_id("stream-test", 0);                         \
		struct csn_error err;                                                              \
		(void)id;                                                                          \
		FAILS(__VA_ARGS__, CSN_ERROR_UNSUPPORTED);                                         \
		ck_assert_str_eq(err.text, "Operation not supported by this runtime: " method      \
					   " is not supported by this runtime");                   \
		ck_assert_int_eq(err.code, EOPNOTSUPP);                                            \
		csn_rt_close(rt);                                                                  \
	}                                                                                          \
	END_TEST

static struct csn_log_stream *logs;
static struct csn_sample_stream *samples;
static struct csn_progress_stream *progress;
static struct csn_exec_stream *exec;
static struct csn_image_details *details;
static struct csn_image_history *history;
static struct csn_texts *texts;
static struct csn_ports *ports;
static struct csn_top *top;
static struct csn_changes *changes;
static struct csn_path_stat path_stat = CSN_PATH_STAT_INIT;
static const struct csn_exec_options no_options = CSN_EXEC_OPTIONS_INIT;
static const char *const names[] = { "alpine", NULL };
static char *text;
static uint64_t bytes;

UNSUPPORTED_TEST(default_logs_stream_is_unsupported, "logs_stream",
		 csn_rt_logs_stream(rt, &id, NULL, &logs, &err))
UNSUPPORTED_TEST(default_stats_stream_is_unsupported, "stats_stream",
		 csn_rt_stats_stream(rt, &id, 0, &samples, &err))
UNSUPPORTED_TEST(default_archive_get_is_unsupported, "archive_get",
		 csn_rt_archive_get(rt, &id, "/etc/hosts", -1, &err))
UNSUPPORTED_TEST(default_archive_put_is_unsupported, "archive_put",
		 csn_rt_archive_put(rt, &id, "/tmp", -1, NULL, &err))
UNSUPPORTED_TEST(default_archive_head_is_unsupported, "archive_head",
		 csn_rt_archive_head(rt, &id, "/etc/hosts", &path_stat, &err))
UNSUPPORTED_TEST(default_exec_pty_is_unsupported, "exec_pty",
		 csn_rt_exec_pty(rt, &id, &no_options, &exec, &err))
UNSUPPORTED_TEST(default_inspect_image_native_is_unsupported, "inspect_image_native",
		 csn_rt_inspect_image_native(rt, "alpine", &details, &err))
UNSUPPORTED_TEST(default_image_history_is_unsupported, "image_history",
		 csn_rt_image_history(rt, "alpine", &history, &err))
UNSUPPORTED_TEST(default_search_images_is_unsupported, "search_images",
		 csn_rt_search_images(rt, "nginx", 10, &text, &err))
UNSUPPORTED_TEST(default_save_images_is_unsupported, "save_images",
		 csn_rt_save_images(rt, names, -1, &err))
UNSUPPORTED_TEST(default_load_images_is_unsupported, "load_images",
		 csn_rt_load_images(rt, -1, false, &progress, &err))
UNSUPPORTED_TEST(default_import_image_is_unsupported, "import_image",
		 csn_rt_import_image(rt, -1, NULL, NULL, &text, &err))
UNSUPPORTED_TEST(default_export_container_fs_is_unsupported, "export_container_fs",
		 csn_rt_export_container_fs(rt, &id, -1, &err))
UNSUPPORTED_TEST(default_commit_container_is_unsupported, "commit_container",
		 csn_rt_commit_container(rt, &id, NULL, &text, &err))
UNSUPPORTED_TEST(default_list_images_is_unsupported, "list_images",
		 csn_rt_list_images(rt, (struct csn_images **)&texts, &err))
UNSUPPORTED_TEST(default_remove_image_is_unsupported, "remove_image",
		 csn_rt_remove_image(rt, "alpine", false, &err))
UNSUPPORTED_TEST(default_prune_images_is_unsupported, "prune_images",
		 csn_rt_prune_images(rt, &texts, &bytes, &err))
UNSUPPORTED_TEST(default_kill_container_is_unsupported, "kill_container",
		 csn_rt_kill_container(rt, &id, NULL, &err))
UNSUPPORTED_TEST(default_tag_image_is_unsupported, "tag_image",
		 csn_rt_tag_image(rt, "a", "b", &err))
UNSUPPORTED_TEST(default_rename_container_is_unsupported, "rename_container",
		 csn_rt_rename_container(rt, &id, "other", &err))
UNSUPPORTED_TEST(default_pause_container_is_unsupported, "pause_container",
		 csn_rt_pause_container(rt, &id, &err))
UNSUPPORTED_TEST(default_unpause_container_is_unsupported, "unpause_container",
		 csn_rt_unpause_container(rt, &id, &err))
UNSUPPORTED_TEST(default_update_container_resources_is_unsupported, "update_container_resources",
		 csn_rt_update_container_resources(rt, &id, NULL, &texts, &err))
UNSUPPORTED_TEST(default_top_container_is_unsupported, "top_container",
		 csn_rt_top_container(rt, &id, NULL, &top, &err))
UNSUPPORTED_TEST(default_changes_container_is_unsupported, "changes_container",
		 csn_rt_changes_container(rt, &id, &changes, &err))
UNSUPPORTED_TEST(default_port_mappings_container_is_unsupported, "port_mappings_container",
		 csn_rt_port_mappings_container(rt, &id, &ports, &err))
UNSUPPORTED_TEST(default_prune_containers_is_unsupported, "prune_containers",
		 csn_rt_prune_containers(rt, &texts, &bytes, &err))
UNSUPPORTED_TEST(default_write_stdin_is_unsupported, "write_stdin",
		 csn_rt_write_stdin(rt, &id, "x", 1, 0, &err))
UNSUPPORTED_TEST(default_close_stdin_is_unsupported, "close_stdin",
		 csn_rt_close_stdin(rt, &id, &err))

/* Those whose default is an answer. */
START_TEST(defaults_that_answer)
{
	static const char *const argv[] = { "echo", "a", NULL };
	struct csn_rt *rt = bare();
	struct csn_container_id id = subject_id("defaults", 0);
	struct csn_container_summaries *list = NULL;
	struct csn_container_details *d = NULL;
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	struct csn_exec_result result = CSN_EXEC_RESULT_INIT;
	struct csn_service *s = subject_service(NULL);
	struct csn_error err;
	uint16_t port = 7;

	ck_assert_str_eq(csn_rt_name(rt), "bare");
	ck_assert_int_eq(csn_rt_overlay_attach_kind(rt), CSN_OVERLAY_HOST_NETNS);
	OK(csn_rt_list_containers(rt, &list, &err));
	ck_assert_uint_eq(csn_container_summaries_count(list), 0);
	csn_container_summaries_free(list);
	OK(csn_rt_inspect_detailed(rt, &id, &d, &err)); /* of nobody */
	ck_assert(!d->ports_count && !d->networks_count && !d->ipv4 && !d->health &&
		  !d->has_exit_code);
	csn_container_details_free(d);
	OK(csn_rt_get_container_port_override(rt, &id, &port, &err));
	ck_assert_uint_eq(port, 0);
	OK(csn_rt_sync_container_volumes(rt, &id, &err));

	OK(csn_rt_create_container(rt, &id, s, &err));
	csn_service_free(s);
	OK(csn_rt_start_container(rt, &id, &err));
	OK(csn_rt_wait_outcome_with_condition(rt, &id, CSN_WAIT_REMOVED, 1000, &outcome, &err));
	ck_assert_int_eq(outcome.reason, CSN_WAIT_EXITED);
	o.command = argv;
	o.user = "nobody";
	OK(csn_rt_exec_with_opts(rt, &id, &o, 1000, &result, &err));
	ck_assert_str_eq(result.out, "echo a");
	csn_exec_result_done(&result);
	csn_rt_close(rt);
}
END_TEST

/* ---- progress -------------------------------------------------------------------------------- */

START_TEST(default_pull_image_stream_synthesizes_progress)
{
	struct csn_rt *rt = bare();
	struct csn_progress_stream *stream = NULL;
	struct csn_progress p = CSN_PROGRESS_INIT;
	struct csn_error err;
	OK(csn_rt_pull_image_stream(rt, "alpine:latest", NULL, &stream, &err));
	ck_assert_int_eq(csn_progress_stream_next(stream, 1000, &p, &err), 1);
	ck_assert_int_eq(p.kind, CSN_PROGRESS_STATUS);
	ck_assert_str_eq(p.status, "Pulling from alpine:latest");
	ck_assert_int_eq(csn_progress_stream_next(stream, 1000, &p, &err), 1);
	ck_assert_int_eq(p.kind, CSN_PROGRESS_DONE);
	ck_assert_str_eq(p.references[0], "alpine:latest");
	ck_assert_ptr_null(p.references[1]);
	ck_assert_ptr_null(p.digest);
	ck_assert_int_eq(csn_progress_stream_next(stream, 1000, &p, &err), 0);
	csn_progress_stream_close(stream);
	csn_rt_close(rt);
}
END_TEST

START_TEST(load_progress_serializes_with_kind_discriminator)
{
	static const char *const references[] = { "alpine:latest", NULL };
	struct csn_progress p = CSN_PROGRESS_INIT;
	struct csn_error err;
	char *json = NULL;
	p.id = "abc";
	p.status = "Loading layer";
	OK(csn_progress_to_json(&p, &json, &err));
	ck_assert_str_eq(json, "{\"kind\":\"status\",\"id\":\"abc\",\"status\":\"Loading layer\"}");
	csn_free(json);
	p = (struct csn_progress)CSN_PROGRESS_INIT;
	p.kind = CSN_PROGRESS_DONE;
	p.references = references;
	OK(csn_progress_to_json(&p, &json, &err));
	ck_assert_str_eq(json, "{\"kind\":\"done\",\"references\":[\"alpine:latest\"]}");
	csn_free(json);
}
END_TEST

START_TEST(mock_pull_image_stream_yields_queued_progress_in_order)
{
	static const char *const references[] = { "alpine:latest", NULL };
	struct csn_rt *rt = mock();
	struct csn_progress_stream *stream = NULL;
	struct csn_progress p = CSN_PROGRESS_INIT;
	struct csn_error err;

	p.id = "layer-1";
	p.status = "Pulling fs layer";
	OK(csn_rt_mock_queue_progress(rt, "alpine:latest", &p, &err));
	p.status = "Downloading";
	p.progress = "[==>  ] 1MB/4MB";
	p.current = 1 << 20;
	p.total = 4 << 20;
	OK(csn_rt_mock_queue_progress(rt, "alpine:latest", &p, &err));
	p = (struct csn_progress)CSN_PROGRESS_INIT;
	p.kind = CSN_PROGRESS_DONE;
	p.references = references;
	p.digest = "sha256:deadbeef";
	OK(csn_rt_mock_queue_progress(rt, "alpine:latest", &p, &err));

	OK(csn_rt_pull_image_stream(rt, "alpine:latest", NULL, &stream, &err));
	ck_assert_int_eq(csn_progress_stream_next(stream, 0, &p, &err), 1);
	ck_assert_str_eq(p.status, "Pulling fs layer");
	ck_assert_str_eq(p.id, "layer-1");
	ck_assert_int_eq(csn_progress_stream_next(stream, 0, &p, &err), 1);
	ck_assert_str_eq(p.status, "Downloading");
	ck_assert_str_eq(p.progress, "[==>  ] 1MB/4MB");
	ck_assert(p.current == 1 << 20 && p.total == 4 << 20);
	ck_assert_int_eq(csn_progress_stream_next(stream, 0, &p, &err), 1);
	ck_assert_int_eq(p.kind, CSN_PROGRESS_DONE);
	ck_assert_str_eq(p.references[0], "alpine:latest");
	ck_assert_str_eq(p.digest, "sha256:deadbeef");
	ck_assert_int_eq(csn_progress_stream_next(stream, 0, &p, &err), 0);
	csn_progress_stream_close(stream);
	csn_rt_close(rt);
}
END_TEST

/* ---- logs and samples ------------------------------------------------------------------------ */

static void queue_line(struct csn_rt *rt, const struct csn_container_id *id, enum csn_stream stream,
		       const char *line)
{
	struct csn_log_chunk chunk = CSN_LOG_CHUNK_INIT;
	struct csn_error err;
	chunk.stream = stream;
	chunk.bytes = line;
	chunk.length = strlen(line);
	OK(csn_rt_mock_queue_log(rt, id, &chunk, &err));
}

START_TEST(mock_logs_stream_yields_queued_items_in_order)
{
	static const struct {
		enum csn_stream stream;
		const char *text;
	} lines[] = { { CSN_STREAM_STDOUT, "first" },
		      { CSN_STREAM_STDERR, "second" },
		      { CSN_STREAM_STDOUT, "third" } };
	struct csn_rt *rt = mock();
	struct csn_container_id id = subject_id("logs-order", 0);
	struct csn_log_chunk chunk = CSN_LOG_CHUNK_INIT;
	struct csn_log_stream *stream = NULL;
	struct csn_error err;
	for (size_t i = 0; i < 3; i++)
		queue_line(rt, &id, lines[i].stream, lines[i].text);
	OK(csn_rt_logs_stream(rt, &id, NULL, &stream, &err));
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(csn_log_stream_next(stream, 0, &chunk, &err), 1);
		ck_assert_int_eq(chunk.stream, lines[i].stream);
		ck_assert_uint_eq(chunk.length, strlen(lines[i].text));
		ck_assert_int_eq(memcmp(chunk.bytes, lines[i].text, chunk.length), 0);
		ck_assert_int_eq(chunk.timestamp_ns, 0);
	}
	ck_assert_int_eq(csn_log_stream_next(stream, 0, &chunk, &err), 0);
	csn_log_stream_close(stream);
	csn_rt_close(rt);
}
END_TEST

START_TEST(mock_logs_stream_empty_queue_ends_immediately_when_not_follow)
{
	struct csn_rt *rt = mock();
	struct csn_container_id id = subject_id("logs-empty", 0);
	struct csn_log_chunk chunk = CSN_LOG_CHUNK_INIT;
	struct csn_logs_stream_options o = CSN_LOGS_STREAM_OPTIONS_INIT;
	struct csn_log_stream *stream = NULL;
	struct csn_error err;
	OK(csn_rt_logs_stream(rt, &id, &o, &stream, &err));
	ck_assert_int_eq(csn_log_stream_next(stream, 500, &chunk, &err), 0);
	csn_log_stream_close(stream);

	/* One that follows waits. */
	o.follow = true;
	queue_line(rt, &id, CSN_STREAM_STDOUT, "line");
	OK(csn_rt_logs_stream(rt, &id, &o, &stream, &err));
	struct pollfd p = { csn_log_stream_fd(stream), POLLIN, 0 };
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	ck_assert_int_eq(csn_log_stream_next(stream, 0, &chunk, &err), 1);
	ck_assert_int_eq(csn_log_stream_next(stream, 10, &chunk, &err), -EAGAIN);
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	csn_log_stream_close(stream);
	csn_rt_close(rt);
}
END_TEST

START_TEST(mock_stats_stream_yields_queued_samples_in_order)
{
	struct csn_rt *rt = mock();
	struct csn_container_id id = subject_id("stats-order", 0);
	struct csn_stats_sample sample = CSN_STATS_SAMPLE_INIT;
	struct csn_sample_stream *stream = NULL;
	struct csn_error err;
	for (uint64_t cpu = 100; cpu <= 300; cpu += 100) {
		sample.cpu_total_ns = cpu;
		OK(csn_rt_mock_queue_sample(rt, &id, &sample, &err));
	}
	OK(csn_rt_stats_stream(rt, &id, 0, &stream, &err));
	for (uint64_t cpu = 100; cpu <= 300; cpu += 100) {
		ck_assert_int_eq(csn_sample_stream_next(stream, 0, &sample, &err), 1);
		ck_assert_uint_eq(sample.cpu_total_ns, cpu);
	}
	ck_assert_int_eq(csn_sample_stream_next(stream, 0, &sample, &err), 0);
	csn_sample_stream_close(stream);
	csn_rt_close(rt);
}
END_TEST

START_TEST(queues_are_of_mocks)
{
	struct csn_rt *rt = bare();
	struct csn_container_id id = subject_id("queue", 0);
	struct csn_stats_sample sample = CSN_STATS_SAMPLE_INIT;
	struct csn_error err;
	FAILS(csn_rt_mock_queue_sample(rt, &id, &sample, &err), CSN_ERROR_INVALID_SPEC);
	csn_rt_close(rt);
}
END_TEST

/* ---- types ----------------------------------------------------------------------------------- */

START_TEST(commit_options_default_is_no_op_pause_false)
{
	const struct csn_rt_commit_options o = CSN_RT_COMMIT_OPTIONS_INIT;
	ck_assert(!o.repo && !o.tag && !o.comment && !o.author && !o.pause && !o.changes);
}
END_TEST

START_TEST(image_inspect_info_default_round_trips_via_serde)
{
	const struct csn_image_details nothing = CSN_IMAGE_DETAILS_INIT;
	struct csn_image_details *back = NULL;
	struct csn_error err;
	char *json = NULL, *again = NULL;
	OK(csn_image_details_to_json(&nothing, &json, &err));
	OK(csn_image_details_from_json(json, strlen(json), &back, &err));
	ck_assert_int_eq(memcmp(back, &nothing, sizeof nothing), 0);
	csn_image_details_free(back);
	csn_free(json);

	static const char *const tags[] = { "docker.io/a:1", "docker.io/a:2", NULL };
	static const char *const labels[] = { "a=", "b=c=d", NULL };
	struct csn_image_details full = CSN_IMAGE_DETAILS_INIT;
	full.id = "sha256:abc";
	full.repo_tags = full.env = full.cmd = tags;
	full.user = "12:34";
	full.size_bytes = 123;
	full.has_size = true;
	full.labels = labels;
	OK(csn_image_details_to_json(&full, &json, &err));
	OK(csn_image_details_from_json(json, strlen(json), &back, &err));
	ck_assert_str_eq(back->repo_tags[1], "docker.io/a:2");
	ck_assert_str_eq(back->labels[1], "b=c=d");
	ck_assert_uint_eq(back->size_bytes, 123);
	OK(csn_image_details_to_json(back, &again, &err));
	ck_assert_str_eq(json, again);
	csn_image_details_free(back);
	csn_free(json);
	csn_free(again);
	FAILS(csn_image_details_from_json("{\"size\": \"x\"}", 13, &back, &err),
	      CSN_ERROR_INVALID_SPEC);
	ck_assert_ptr_nonnull(strstr(err.text, "size"));
}
END_TEST

START_TEST(log_channel_serializes_as_snake_case)
{
	ck_assert_str_eq(csn_stream_name(CSN_STREAM_STDIN), "stdin");
	ck_assert_str_eq(csn_stream_name(CSN_STREAM_STDOUT), "stdout");
	ck_assert_str_eq(csn_stream_name(CSN_STREAM_STDERR), "stderr");
}
END_TEST

START_TEST(wait_conditions_by_name)
{
	enum csn_wait_condition c;
	struct csn_error err;
	OK(csn_wait_condition_parse("", &c, &err));
	ck_assert_int_eq(c, CSN_WAIT_NOT_RUNNING);
	for (int i = CSN_WAIT_NOT_RUNNING; i <= CSN_WAIT_REMOVED; i++) {
		OK(csn_wait_condition_parse(csn_wait_condition_name((enum csn_wait_condition)i), &c,
					    &err));
		ck_assert_int_eq((int)c, i);
	}
	FAILS(csn_wait_condition_parse("next_exit", &c, &err), CSN_ERROR_INVALID_SPEC);
}
END_TEST

START_TEST(states_by_name)
{
	static const char *const states[] = { "pending",  "initializing", "running",
					      "stopping", "exited",	  "failed" };
	for (int i = CSN_STATE_PENDING; i <= CSN_STATE_FAILED; i++)
		ck_assert_str_eq(csn_state_name((enum csn_state)i), states[i]);
}
END_TEST

static void add_unsupported(TCase *c)
{
	tcase_add_test(c, default_logs_stream_is_unsupported);
	tcase_add_test(c, default_stats_stream_is_unsupported);
	tcase_add_test(c, default_archive_get_is_unsupported);
	tcase_add_test(c, default_archive_put_is_unsupported);
	tcase_add_test(c, default_archive_head_is_unsupported);
	tcase_add_test(c, default_exec_pty_is_unsupported);
	tcase_add_test(c, default_inspect_image_native_is_unsupported);
	tcase_add_test(c, default_image_history_is_unsupported);
	tcase_add_test(c, default_search_images_is_unsupported);
	tcase_add_test(c, default_save_images_is_unsupported);
	tcase_add_test(c, default_load_images_is_unsupported);
	tcase_add_test(c, default_import_image_is_unsupported);
	tcase_add_test(c, default_export_container_fs_is_unsupported);
	tcase_add_test(c, default_commit_container_is_unsupported);
	tcase_add_test(c, default_list_images_is_unsupported);
	tcase_add_test(c, default_remove_image_is_unsupported);
	tcase_add_test(c, default_prune_images_is_unsupported);
	tcase_add_test(c, default_kill_container_is_unsupported);
	tcase_add_test(c, default_tag_image_is_unsupported);
	tcase_add_test(c, default_rename_container_is_unsupported);
	tcase_add_test(c, default_pause_container_is_unsupported);
	tcase_add_test(c, default_unpause_container_is_unsupported);
	tcase_add_test(c, default_update_container_resources_is_unsupported);
	tcase_add_test(c, default_top_container_is_unsupported);
	tcase_add_test(c, default_changes_container_is_unsupported);
	tcase_add_test(c, default_port_mappings_container_is_unsupported);
	tcase_add_test(c, default_prune_containers_is_unsupported);
	tcase_add_test(c, default_write_stdin_is_unsupported);
	tcase_add_test(c, default_close_stdin_is_unsupported);
}

TCase *defaults_case(void)
{
	TCase *c = tcase_create("defaults");
	add_unsupported(c);
	tcase_add_test(c, defaults_that_answer);
	tcase_add_test(c, default_pull_image_stream_synthesizes_progress);
	tcase_add_test(c, load_progress_serializes_with_kind_discriminator);
	tcase_add_test(c, mock_pull_image_stream_yields_queued_progress_in_order);
	tcase_add_test(c, mock_logs_stream_yields_queued_items_in_order);
	tcase_add_test(c, mock_logs_stream_empty_queue_ends_immediately_when_not_follow);
	tcase_add_test(c, mock_stats_stream_yields_queued_samples_in_order);
	tcase_add_test(c, queues_are_of_mocks);
	tcase_add_test(c, commit_options_default_is_no_op_pause_false);
	tcase_add_test(c, image_inspect_info_default_round_trips_via_serde);
	tcase_add_test(c, log_channel_serializes_as_snake_case);
	tcase_add_test(c, wait_conditions_by_name);
	tcase_add_test(c, states_by_name);
	return c;
}
