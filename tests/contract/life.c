/* The life of a container, and what is known of it. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"

#define SLEEPER "trap : TERM; while :; do sleep 0.1; done"

/* A container that has been created, and is gone when the test is over. */
struct life {
	struct csn_rt *rt;
	struct csn_container_id id;
};

static struct life make(const char *service, uint32_t replica, const char *command)
{
	struct life l = { subject_open(), subject_id(service, replica) };
	struct csn_error err;
	struct csn_service *s = subject_service(command);
	OK(csn_rt_pull_image(l.rt, subject->image, &err));
	OK(csn_rt_create_container(l.rt, &l.id, s, &err));
	csn_service_free(s);
	return l;
}

static void unmake(struct life *l)
{
	struct csn_error err;
	OK(csn_rt_remove_container(l->rt, &l->id, &err));
	csn_rt_close(l->rt);
}

static struct csn_container_state state_of(struct life *l)
{
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	struct csn_error err;
	OK(csn_rt_container_state(l->rt, &l->id, &state, &err));
	return state;
}

START_TEST(test_mock_runtime)
{
	struct life l = make("test", 1, SLEEPER);
	struct csn_error err;
	ck_assert_int_eq(state_of(&l).state, CSN_STATE_PENDING);
	OK(csn_rt_start_container(l.rt, &l.id, &err));
	ck_assert_int_eq(state_of(&l).state, CSN_STATE_RUNNING);
	unmake(&l);
}
END_TEST

START_TEST(mock_kill_container_defaults_to_sigkill)
{
	struct life l = make("kill-me", 0, SLEEPER);
	struct csn_error err;
	int code;
	OK(csn_rt_start_container(l.rt, &l.id, &err));
	OK(csn_rt_kill_container(l.rt, &l.id, NULL, &err));
	OK(csn_rt_wait_container(l.rt, &l.id, 10000, &code, &err));
	ck_assert_int_eq(code, 137);
	ck_assert_int_eq(state_of(&l).state, CSN_STATE_EXITED);
	ck_assert_int_eq(state_of(&l).exit_code, 137);
	unmake(&l);
}
END_TEST

START_TEST(mock_kill_container_rejects_bogus_signal)
{
	struct life l = make("kill-me", 1, SLEEPER);
	struct csn_container_id nobody = subject_id("nobody", 1);
	struct csn_error err;
	OK(csn_rt_start_container(l.rt, &l.id, &err));
	FAILS(csn_rt_kill_container(l.rt, &l.id, "SIGFOO", &err), CSN_ERROR_INVALID_SPEC);
	ck_assert_int_eq(state_of(&l).state, CSN_STATE_RUNNING);
	/* The signal is looked at before the container. */
	FAILS(csn_rt_kill_container(l.rt, &nobody, "SIGFOO", &err), CSN_ERROR_INVALID_SPEC);
	FAILS(csn_rt_kill_container(l.rt, &nobody, NULL, &err), CSN_ERROR_NOT_FOUND);
	unmake(&l);
}
END_TEST

START_TEST(default_wait_outcome_delegates_to_wait_container)
{
	struct life l = make("job", 1, "sleep 0.2");
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	struct csn_error err;
	OK(csn_rt_start_container(l.rt, &l.id, &err));
	OK(csn_rt_wait_outcome(l.rt, &l.id, 10000, &outcome, &err));
	ck_assert_int_eq(outcome.exit_code, 0);
	ck_assert_int_eq(outcome.reason, CSN_WAIT_EXITED);
	ck_assert_int_eq(outcome.signal, 0);
	ck_assert_str_eq(outcome.signal_name, "");
	ck_assert_int_eq(outcome.finished_at_ns != 0, subject->is_real);
	unmake(&l);
}
END_TEST

START_TEST(stop_then_state)
{
	struct life l = make("stop-me", 1, SLEEPER);
	struct csn_error err;
	int code;
	OK(csn_rt_start_container(l.rt, &l.id, &err));
	OK(csn_rt_stop_container(l.rt, &l.id, 200, &err));
	ck_assert_int_eq(state_of(&l).state, CSN_STATE_EXITED);
	OK(csn_rt_wait_container(l.rt, &l.id, 10000, &code, &err));
	ck_assert_int_eq(code, subject->is_real ? 137 : 0);
	OK(csn_rt_stop_container(l.rt, &l.id, 200, &err));
	unmake(&l);
}
END_TEST

START_TEST(remove_is_idempotent)
{
	struct life l = make("gone", 1, SLEEPER);
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	struct csn_error err;
	OK(csn_rt_remove_container(l.rt, &l.id, &err));
	OK(csn_rt_remove_container(l.rt, &l.id, &err));
	FAILS(csn_rt_container_state(l.rt, &l.id, &state, &err), CSN_ERROR_NOT_FOUND);
	unmake(&l);
}
END_TEST

START_TEST(create_replaces_a_leftover)
{
	struct life l = make("again", 1, SLEEPER);
	struct csn_service *s = subject_service(SLEEPER);
	struct csn_error err;
	OK(csn_rt_start_container(l.rt, &l.id, &err));
	OK(csn_rt_create_container(l.rt, &l.id, s, &err));
	ck_assert_int_eq(state_of(&l).state, CSN_STATE_PENDING);
	csn_service_free(s);
	unmake(&l);
}
END_TEST

/* Every method that looks a container up, of one that nobody made. */
START_TEST(unknown_containers_are_not_found)
{
	struct csn_rt *rt = subject_open();
	struct csn_container_id id = subject_id("nobody", 7);
	struct csn_rt_stats stats = CSN_RT_STATS_INIT;
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	struct csn_log_entries *entries;
	struct csn_error err;
	char ip[46];
	int n;

	FAILS(csn_rt_get_container_pid(rt, &id, &n, &err), CSN_ERROR_NOT_FOUND);
	FAILS(csn_rt_get_container_ip(rt, &id, ip, &err), CSN_ERROR_NOT_FOUND);
	FAILS(csn_rt_get_container_stats(rt, &id, &stats, &err), CSN_ERROR_NOT_FOUND);
	FAILS(csn_rt_wait_container(rt, &id, 1000, &n, &err), CSN_ERROR_NOT_FOUND);
	FAILS(csn_rt_wait_outcome(rt, &id, 1000, &outcome, &err), CSN_ERROR_NOT_FOUND);
	FAILS(csn_rt_wait_fd(rt, &id, &n, &err), CSN_ERROR_NOT_FOUND);
	FAILS(csn_rt_get_logs(rt, &id, &entries, &err), CSN_ERROR_NOT_FOUND);
	/* A mock starts and stops whatever it is told to; real ones must be there. */
	if (subject->is_real) {
		FAILS(csn_rt_start_container(rt, &id, &err), CSN_ERROR_START_FAILED);
		FAILS(csn_rt_stop_container(rt, &id, 100, &err), CSN_ERROR_NOT_FOUND);
	} else {
		OK(csn_rt_start_container(rt, &id, &err));
		OK(csn_rt_stop_container(rt, &id, 100, &err));
	}
	csn_rt_close(rt);
}
END_TEST

START_TEST(facts_of_a_running_container)
{
	struct life l = make("facts", 3, SLEEPER);
	struct csn_rt_stats stats = CSN_RT_STATS_INIT;
	struct csn_error err;
	char ip[46] = "?", ns[64] = "?";
	uint16_t port = 9;
	int pid = -1;

	OK(csn_rt_get_container_pid(l.rt, &l.id, &pid, &err));
	ck_assert_int_eq(pid, 0);
	OK(csn_rt_start_container(l.rt, &l.id, &err));
	OK(csn_rt_get_container_pid(l.rt, &l.id, &pid, &err));
	ck_assert_int_gt(pid, 0);
	OK(csn_rt_get_container_ip(l.rt, &l.id, ip, &err));
	ck_assert_str_eq(ip, subject->is_real ? "" : "172.17.0.5"); /* network_mode is none */
	OK(csn_rt_get_container_port_override(l.rt, &l.id, &port, &err));
	ck_assert_uint_eq(port, 0);
	OK(csn_rt_get_container_namespace_id(l.rt, &l.id, ns, &err));
	ck_assert_str_eq(ns, "");
	OK(csn_rt_get_container_stats(l.rt, &l.id, &stats, &err));
	ck_assert_int_gt(stats.timestamp_ns, 0);
	ck_assert_uint_gt(stats.cpu_usage_usec, 0);
	if (!subject->is_real) {
		ck_assert_uint_eq(stats.cpu_usage_usec, 1000000);
		ck_assert_uint_eq(stats.memory_bytes, 52428800);
		ck_assert_uint_eq(stats.memory_limit, 268435456);
	}
	OK(csn_rt_sync_container_volumes(l.rt, &l.id, &err));
	unmake(&l);
}
END_TEST

START_TEST(waiting_can_be_polled)
{
	struct life l = make("poll", 1, "sleep 0.1");
	struct pollfd p = { .fd = -1, .events = POLLIN };
	struct csn_error err;
	int code;
	OK(csn_rt_start_container(l.rt, &l.id, &err));
	OK(csn_rt_wait_fd(l.rt, &l.id, &p.fd, &err));
	ck_assert_int_eq(poll(&p, 1, 10000), 1);
	OK(csn_rt_wait_container(l.rt, &l.id, 1000, &code, &err));
	ck_assert_int_eq(code, 0);
	(void)close(p.fd);
	unmake(&l);
}
END_TEST

START_TEST(images_of_the_runtime)
{
	struct csn_rt *rt = subject_open();
	struct csn_images *images = NULL;
	struct csn_error err;
	OK(csn_rt_list_images(rt, &images, &err));
	ck_assert_uint_eq(csn_images_count(images) > 0, subject->is_real);
	csn_images_free(images);
	FAILS(csn_rt_pull_image(rt, "", &err), CSN_ERROR_INVALID_SPEC);
	OK(csn_rt_pull_image_with_policy(rt, subject->image, CSN_PULL_NEVER, NULL, &err));
	if (subject->is_real) {
		FAILS(csn_rt_pull_image_with_policy(rt, "nobody/has:this", CSN_PULL_NEVER, NULL,
						    &err),
		      CSN_ERROR_PULL_FAILED);
		ck_assert_ptr_nonnull(strstr(err.text, "Failed to pull image 'nobody/has:this': "));
	}
	if (subject->is_real)
		FAILS(csn_rt_remove_image(rt, "nobody/has:this", false, &err), CSN_ERROR_NOT_FOUND);
	else
		OK(csn_rt_remove_image(rt, "nobody/has:this", false, &err));
	csn_rt_close(rt);
}
END_TEST

TCase *life_case(void)
{
	TCase *c = tcase_create("life");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, test_mock_runtime);
	tcase_add_test(c, mock_kill_container_defaults_to_sigkill);
	tcase_add_test(c, mock_kill_container_rejects_bogus_signal);
	tcase_add_test(c, default_wait_outcome_delegates_to_wait_container);
	tcase_add_test(c, stop_then_state);
	tcase_add_test(c, remove_is_idempotent);
	tcase_add_test(c, create_replaces_a_leftover);
	tcase_add_test(c, unknown_containers_are_not_found);
	tcase_add_test(c, facts_of_a_running_container);
	tcase_add_test(c, waiting_can_be_polled);
	tcase_add_test(c, images_of_the_runtime);
	return c;
}
