/*
 * Health checks without containers: what options and image make together, URLs, what results mean,
 * and what is on disk.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/native.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/httpurl.h"
#include "caisson-runtime.h"
#include "monitor/health.h"
#include "service/service.h"

#define SECOND	  INT64_C(1000000000)
#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct arena arena;
static struct csn_error err;

static void begin(void)
{
	arena = (struct arena){ 0 };
}

static void end(void)
{
	arena_free(&arena);
}

/* ---- deciding ---------------------------------------------------------------------------------
 */

static const char full[] =
	"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl -f x\"],\"Interval\":7000000000,"
	"\"Timeout\":2000000000,\"StartPeriod\":9000000000,\"StartInterval\":1000000000,"
	"\"Retries\":5}";

static int decide(const char *image_config, const struct csn_healthcheck *given,
		  struct csn_healthcheck *ret)
{
	struct image_record image;
	char *text =
		arena_printf(&arena,
			     "{\"reference\":\"x:1\",\"digest\":\"d\",\"id\":\"i\",\"layers\":[],"
			     "\"config\":{%s}}",
			     image_config);
	ck_assert_int_eq(image_record_parse(text, strlen(text), "x.json", &image, &arena, &err), 0);
	return service_health_decide(given, &image, ret, &arena, &err);
}

START_TEST(image_and_defaults)
{
	struct csn_healthcheck c;
	ck_assert_int_eq(decide("", NULL, &c), 0);
	ck_assert_int_eq(c.kind, CSN_HEALTHCHECK_OFF);
	ck_assert_int_eq(decide("\"Healthcheck\":{\"Test\":[\"NONE\"]}", NULL, &c), 0);
	ck_assert_int_eq(c.kind, CSN_HEALTHCHECK_OFF);

	ck_assert_int_eq(decide("\"Healthcheck\":{\"Test\":[\"CMD\",\"a\",\"b\"]}", NULL, &c), 0);
	ck_assert_int_eq(c.kind, CSN_HEALTHCHECK_COMMAND);
	ck_assert_str_eq(c.command[1], "b");
	ck_assert_ptr_null(c.command[2]);
	ck_assert_int_eq(c.interval_ns, 30 * SECOND);
	ck_assert_int_eq(c.timeout_ns, 30 * SECOND);
	ck_assert_int_eq(c.start_period_ns, 0);
	ck_assert_int_eq(c.start_interval_ns, 5 * SECOND);
	ck_assert_uint_eq(c.retries, 3);

	ck_assert_int_eq(decide(full, NULL, &c), 0);
	ck_assert_str_eq(c.command[0], "/bin/sh");
	ck_assert_str_eq(c.command[2], "curl -f x");
	ck_assert_int_eq(c.interval_ns, 7 * SECOND);
	ck_assert_int_eq(c.timeout_ns, 2 * SECOND);
	ck_assert_int_eq(c.start_period_ns, 9 * SECOND);
	ck_assert_int_eq(c.start_interval_ns, SECOND);
	ck_assert_uint_eq(c.retries, 5);
}
END_TEST

START_TEST(options_over_image)
{
	struct csn_healthcheck o = CSN_HEALTHCHECK_INIT, c;

	o.timeout_ns = 3 * SECOND;
	ck_assert_int_eq(decide(full, &o, &c), 0);
	ck_assert_str_eq(c.command[2], "curl -f x");
	ck_assert_int_eq(c.timeout_ns, 3 * SECOND);
	ck_assert_int_eq(c.interval_ns, 7 * SECOND);

	o.kind = CSN_HEALTHCHECK_SHELL;
	o.command = LIST("true");
	ck_assert_int_eq(decide("\"Shell\":[\"/bin/ash\",\"-ec\"]", &o, &c), 0);
	ck_assert_str_eq(c.command[0], "/bin/ash");
	ck_assert_str_eq(c.command[1], "-ec");
	ck_assert_str_eq(c.command[2], "true");

	o.kind = CSN_HEALTHCHECK_HTTP;
	o.url = "http://localhost:81/x";
	ck_assert_int_eq(decide(full, &o, &c), 0);
	ck_assert_int_eq(c.kind, CSN_HEALTHCHECK_HTTP);
	ck_assert_uint_eq(c.expect_status, 200);
	ck_assert_ptr_null(c.command);

	o.kind = CSN_HEALTHCHECK_OFF;
	ck_assert_int_eq(decide(full, &o, &c), 0);
	ck_assert_int_eq(c.kind, CSN_HEALTHCHECK_OFF);
}
END_TEST

static const struct {
	const char *image;
	struct csn_healthcheck given;
	const char *text;
} refused[] = {
#define GIVEN(...)                                                                                 \
	{                                                                                          \
		.size = sizeof(struct csn_healthcheck), __VA_ARGS__                                \
	}
	{ "\"Healthcheck\":{\"Test\":[\"CMD\"]}", GIVEN(.port = 0),
	  "image \"x:1\": Healthcheck.Test: expected NONE, CMD with a command or CMD-SHELL with "
	  "one "
	  "text" },
	{ "\"Healthcheck\":{\"Test\":[\"WHAT\",\"x\"]}", GIVEN(.port = 0),
	  "image \"x:1\": Healthcheck.Test: expected NONE, CMD with a command or CMD-SHELL with "
	  "one "
	  "text" },
	{ "\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":-1}", GIVEN(.port = 0),
	  "image \"x:1\": Healthcheck: interval: expected at least 1 millisecond" },
	{ "\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Retries\":-1}", GIVEN(.port = 0),
	  "image \"x:1\": Healthcheck: retries: expected 0 or more" },
	{ "", GIVEN(.kind = CSN_HEALTHCHECK_TCP),
	  "health check: port: expected 1 to 65535, not 0" },
	{ "", GIVEN(.kind = CSN_HEALTHCHECK_TCP, .port = 1, .timeout_ns = 10),
	  "health check: timeout: expected at least 1 millisecond" },
	{ "", GIVEN(.kind = CSN_HEALTHCHECK_COMMAND), "health check: no command given" },
	{ "", GIVEN(.kind = CSN_HEALTHCHECK_HTTP, .url = "http://127.0.0.1/", .expect_status = 9),
	  "health check: expected status: expected 100 to 599, not 9" },
	{ "", GIVEN(.kind = (enum csn_healthcheck_kind)99), "health check: unknown kind 99" },
};

START_TEST(refuses)
{
	struct csn_healthcheck c;
	ck_assert_int_eq(decide(refused[_i].image, &refused[_i].given, &c), -EINVAL);
	ck_assert_str_eq(err.text, refused[_i].text);
}
END_TEST

/* ---- URLs --------------------------------------------------------------------------------------
 */

static const struct {
	const char *text, *host, *target;
	int port; /* or -errno */
} urls[] = {
	{ "http://localhost", "localhost", "", 80 },
	{ "http://127.0.0.1:8080/health?x=1", "127.0.0.1", "/health?x=1", 8080 },
	{ "HTTP://10.1.2.3/", "10.1.2.3", "/", 80 },
	{ "http://[::1]:65535?q", "::1", "?q", 65535 },
	{ "http://[fe80::1]/", "fe80::1", "/", 80 },
	{ "https://localhost/", NULL, NULL, -EOPNOTSUPP },
	{ "http://example.com/", NULL, NULL, -EINVAL },
	{ "http://user@127.0.0.1/", NULL, NULL, -EINVAL },
	{ "http://127.0.0.1:0/", NULL, NULL, -EINVAL },
	{ "http://127.0.0.1:65536/", NULL, NULL, -EINVAL },
	{ "http://127.0.0.1:/", NULL, NULL, -EINVAL },
	{ "http://127.0.0.1:8x/", NULL, NULL, -EINVAL },
	{ "http://::1/", NULL, NULL, -EINVAL },
	{ "http://[::1/", NULL, NULL, -EINVAL },
	{ "http://[127.0.0.1]/", NULL, NULL, -EINVAL },
	{ "http:///x", NULL, NULL, -EINVAL },
	{ "http://localhost/\r\nX: y", NULL, NULL, -EINVAL },
	{ "http://localhost/a b", NULL, NULL, -EINVAL },
	{ "http://localhost/#x", NULL, NULL, -EINVAL },
	{ "ftp://localhost/", NULL, NULL, -EINVAL },
	{ "", NULL, NULL, -EINVAL },
};

START_TEST(reads_urls)
{
	struct http_url u;
	int r = http_url_parse(urls[_i].text, &u, &err);
	if (urls[_i].port < 0) {
		ck_assert_int_eq(r, urls[_i].port);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", urls[_i].text, err.text);
	ck_assert_str_eq(u.host, urls[_i].host);
	ck_assert_str_eq(u.target, urls[_i].target);
	ck_assert_int_eq(u.port, urls[_i].port);
}
END_TEST

/* ---- judging ----------------------------------------------------------------------------------
 */

static bool judge(struct health_record *r, int64_t at_s, int exit_code)
{
	static char nothing[] = "";
	struct csn_healthcheck check = CSN_HEALTHCHECK_INIT;
	check.retries = 3;
	check.start_period_ns = 10 * SECOND;
	const struct health_result result = { .started_at_ns = at_s * SECOND,
					      .ended_at_ns = at_s * SECOND + 1,
					      .exit_code = exit_code,
					      .output = nothing };
	return health_judge(r, &result, &check, 100 * SECOND);
}

START_TEST(counts_failures)
{
	struct health_record r = { .status = CSN_HEALTH_STARTING };
	/* Spared, however many. */
	for (int i = 0; i < 9; i++)
		ck_assert(!judge(&r, 101 + i, 1));
	ck_assert_int_eq(r.status, CSN_HEALTH_STARTING);
	ck_assert_uint_eq(r.failing_streak, 0);
	ck_assert_uint_eq(r.log_count, HEALTH_LOG);
	ck_assert_int_eq(r.log[HEALTH_LOG - 1].started_at_ns, 109 * SECOND);
	ck_assert_int_eq(r.log[0].started_at_ns, 105 * SECOND);

	ck_assert(!judge(&r, 110, 1));
	ck_assert(!judge(&r, 111, -1));
	ck_assert_uint_eq(r.failing_streak, 2);
	ck_assert(judge(&r, 112, 1));
	ck_assert_int_eq(r.status, CSN_HEALTH_UNHEALTHY);
	ck_assert(!judge(&r, 113, 1));
	ck_assert_uint_eq(r.failing_streak, 4);
	ck_assert(judge(&r, 114, 0));
	ck_assert_int_eq(r.status, CSN_HEALTH_HEALTHY);
	ck_assert_uint_eq(r.failing_streak, 0);
}
END_TEST

START_TEST(success_ends_the_start_period)
{
	struct csn_healthcheck check = CSN_HEALTHCHECK_INIT;
	struct health_record r = { .status = CSN_HEALTH_STARTING };
	check.interval_ns = 30;
	check.start_interval_ns = 2;
	check.start_period_ns = 10 * SECOND;
	ck_assert_int_eq(health_delay(&r, &check, 100 * SECOND, 101 * SECOND), 2);
	ck_assert_int_eq(health_delay(&r, &check, 100 * SECOND, 110 * SECOND), 30);
	ck_assert(judge(&r, 101, 0));
	ck_assert_int_eq(health_delay(&r, &check, 100 * SECOND, 101 * SECOND), 30);
	/* Still early, but it counts now. */
	ck_assert(!judge(&r, 102, 1));
	ck_assert_uint_eq(r.failing_streak, 1);
}
END_TEST

/* ---- on disk ----------------------------------------------------------------------------------
 */

START_TEST(is_kept_whole)
{
	char dir[] = "/tmp/test_health.XXXXXX", output[] = "a \"b\"\n\xff";
	struct csn_healthcheck check = CSN_HEALTHCHECK_INIT, back;
	struct health_record r = { .status = CSN_HEALTH_UNHEALTHY, .failing_streak = 4 }, got;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	auto_fd fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(healthcheck_read(fd, &back, &arena, &err), -ENOENT);
	ck_assert_int_eq(health_record_read(fd, &got, &arena, &err), -ENOENT);
	check.kind = CSN_HEALTHCHECK_HTTP;
	check.url = "http://[::1]/";
	check.expect_status = 204;
	check.interval_ns = 1;
	check.timeout_ns = 2;
	check.start_period_ns = 3;
	check.start_interval_ns = 4;
	check.retries = 5;
	ck_assert_msg(healthcheck_write(fd, &check, &err) == 0, "%s", err.text);
	ck_assert_msg(healthcheck_read(fd, &back, &arena, &err) == 0, "%s", err.text);
	ck_assert_int_eq(back.kind, CSN_HEALTHCHECK_HTTP);
	ck_assert_str_eq(back.url, check.url);
	ck_assert_uint_eq(back.expect_status, 204);
	ck_assert_int_eq(back.interval_ns, 1);
	ck_assert_int_eq(back.timeout_ns, 2);
	ck_assert_int_eq(back.start_period_ns, 3);
	ck_assert_int_eq(back.start_interval_ns, 4);
	ck_assert_uint_eq(back.retries, 5);

	r.log[r.log_count++] = (struct health_result){ 5, 1600000000123456789, -1, output };
	ck_assert_msg(health_record_write(fd, &r, &err) == 0, "%s", err.text);
	ck_assert_msg(health_record_read(fd, &got, &arena, &err) == 0, "%s", err.text);
	ck_assert_int_eq(got.status, CSN_HEALTH_UNHEALTHY);
	ck_assert_uint_eq(got.failing_streak, 4);
	ck_assert_uint_eq(got.log_count, 1);
	ck_assert_int_eq(got.log[0].ended_at_ns, 1600000000123456789);
	ck_assert_int_eq(got.log[0].exit_code, -1);
	ck_assert_str_eq(got.log[0].output, "a \"b\"\n\xef\xbf\xbd");
	ck_assert_int_eq(remove_tree(AT_FDCWD, dir, NULL), 0);
}
END_TEST

/* ---- services ---------------------------------------------------------------------------------
 */

static int options_of(const struct csn_service *s, struct csn_container_options *ret)
{
	static const struct csn_rt_options options = CSN_RT_OPTIONS_INIT;
	static const struct csn_container_id id = { "web", "default", 1, 0 };
	static const struct container_ref c = { .id = &id, .text = "web-1" };
	const struct making m = { s, &c, &options, &arena };
	return service_options(&m, ret, &err);
}

static struct csn_service *services[8];
static size_t services_count;

static int of_service(const char *health, const struct csn_healthcheck **ret)
{
	char text[1000];
	struct csn_service *s = NULL;
	struct csn_container_options o;
	(void)snprintf(text, sizeof text,
		       "rtype: service\nimage: {name: x}\n"
		       "endpoints: [{name: a, protocol: tcp, port: 1}, {name: b, protocol: "
		       "http, port: 80, target_port: 81}]\n%s",
		       health);
	int r = csn_service_parse(text, strlen(text), CSN_FORMAT_YAML, NULL, &s, &err);
	ck_assert_msg(r == 0, "%s", err.text);
	r = options_of(s, &o);
	*ret = r < 0 ? NULL : o.healthcheck;
	services[services_count++] = s;
	return r;
}

/* What of a service's logs maps: a quarter of the size for each of four files. */
START_TEST(service_logs)
{
	struct csn_service *s = NULL;
	struct csn_container_options o;
	struct service_log log;
	static const char disk[] = "rtype: service\nimage: {name: x}\n"
				   "logs: {destination: disk, max_size_bytes: 4096}\n";
	static const char memory[] = "rtype: service\nimage: {name: x}\n"
				     "logs: {destination: memory}\n";
	ck_assert_int_eq(csn_service_parse(disk, sizeof disk - 1, CSN_FORMAT_YAML, NULL, &s, &err),
			 0);
	ck_assert_int_eq(options_of(s, &o), 0);
	ck_assert_int_eq(service_log_decide(o.log_options, &log, &err), 0);
	ck_assert_uint_eq(log.max_size, 1024);
	ck_assert_uint_eq(log.max_files, 4);
	csn_service_free(s);
	ck_assert_int_eq(
		csn_service_parse(memory, sizeof memory - 1, CSN_FORMAT_YAML, NULL, &s, &err), 0);
	ck_assert_int_lt(options_of(s, &o), 0);
	ck_assert_int_eq(err.kind, CSN_ERROR_UNSUPPORTED);
	csn_service_free(s);
}
END_TEST

START_TEST(service_health)
{
	const struct csn_healthcheck *c;
	ck_assert_int_eq(of_service("", &c), 0);
	ck_assert_ptr_null(c);

	ck_assert_msg(of_service("health: {check: {type: tcp, port: 0}}", &c) == 0, "%s", err.text);
	ck_assert_int_eq(c->kind, CSN_HEALTHCHECK_TCP);
	ck_assert_uint_eq(c->port, 81);
	ck_assert_int_eq(c->interval_ns, 10 * SECOND);
	ck_assert_int_eq(c->timeout_ns, 5 * SECOND);
	ck_assert_int_eq(c->start_period_ns, 5 * SECOND);
	ck_assert_int_eq(c->start_interval_ns, 5 * SECOND);
	ck_assert_uint_eq(c->retries, 3);

	ck_assert_int_eq(of_service("health: {interval: 2s, start_grace: 60s, retries: 1, "
				    "check: {type: command, command: 'a b'}}",
				    &c),
			 0);
	ck_assert_int_eq(c->kind, CSN_HEALTHCHECK_SHELL);
	ck_assert_str_eq(c->command[0], "a b");
	ck_assert_int_eq(c->start_interval_ns, 2 * SECOND);
	ck_assert_uint_eq(c->retries, 1);

	ck_assert_int_eq(of_service("health: {check: {type: http, url: 'https://localhost/'}}", &c),
			 -EOPNOTSUPP);
	ck_assert_int_eq(err.kind, CSN_ERROR_UNSUPPORTED);
	ck_assert_int_lt(of_service("health: {check: {type: http, url: 'http://db/'}}", &c), 0);
	ck_assert_int_eq(err.kind, CSN_ERROR_INVALID_SPEC);
	ck_assert_ptr_nonnull(strstr(err.text, "health.check.url"));
	while (services_count)
		csn_service_free(services[--services_count]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health");
	TCase *tc = tcase_create("health");
	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, image_and_defaults);
	tcase_add_test(tc, options_over_image);
	tcase_add_loop_test(tc, refuses, 0, (int)COUNT(refused));
	tcase_add_loop_test(tc, reads_urls, 0, (int)COUNT(urls));
	tcase_add_test(tc, counts_failures);
	tcase_add_test(tc, success_ends_the_start_period);
	tcase_add_test(tc, is_kept_whole);
	tcase_add_test(tc, service_logs);
	tcase_add_test(tc, service_health);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
