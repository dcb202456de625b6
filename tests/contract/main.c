/*
 * test_contract [RUNTIME]: "mock" (the default) or "native", which needs root, $CSN_TEST_ROOT and
 * $CSN_TEST_RUN_ROOT with an image box:latest that has a busybox shell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

const struct subject *subject;

static int open_native(struct csn_rt **ret, struct csn_error *err)
{
	struct csn_config config = CSN_CONFIG_INIT;
	config.root = getenv("CSN_TEST_ROOT");
	config.run_root = getenv("CSN_TEST_RUN_ROOT");
	ck_assert_msg(config.root && config.run_root, "CSN_TEST_ROOT and CSN_TEST_RUN_ROOT");
	return csn_rt_open_native(&config, ret, err);
}

static const struct subject subjects[] = {
	{ "mock", csn_rt_open_mock, "test:latest", false },
	{ "native", open_native, "box:latest", true },
};

struct csn_rt *subject_open(void)
{
	struct csn_rt *rt = NULL;
	struct csn_error err;
	OK(subject->open(&rt, &err));
	ck_assert_str_eq(csn_rt_name(rt), subject->name);
	return rt;
}

struct csn_service *subject_service(const char *command)
{
	char text[1000];
	struct csn_service *service = NULL;
	struct csn_error err;
	int n = snprintf(text, sizeof text,
			 "{\"rtype\": \"service\", \"network_mode\": \"none\","
			 " \"image\": {\"name\": \"%s\"}%s%s%s,"
			 " \"endpoints\": [{\"name\": \"http\", \"protocol\": \"http\","
			 " \"port\": 8080}]}",
			 subject->image,
			 command ? ", \"command\": {\"args\": [\"sh\", \"-c\", \"" : "",
			 command ? command : "", command ? "\"]}" : "");
	ck_assert_int_lt(n, (int)sizeof text);
	OK(csn_service_parse(text, (size_t)n, CSN_FORMAT_JSON, NULL, &service, &err));
	return service;
}

struct csn_container_id subject_id(const char *service, uint32_t replica)
{
	struct csn_container_id id;
	struct csn_error err;
	OK(csn_container_id_make(service, replica, &id, &err));
	return id;
}

struct csn_rt *started(const char *service, const char *command, struct csn_container_id *id)
{
	struct csn_rt *rt = subject_open();
	struct csn_service *s = subject_service(command);
	struct csn_error err;
	*id = subject_id(service, 1);
	OK(csn_rt_create_container(rt, id, s, &err));
	OK(csn_rt_start_container(rt, id, &err));
	csn_service_free(s);
	return rt;
}

void done(struct csn_rt *rt, const struct csn_container_id *id)
{
	struct csn_error err;
	OK(csn_rt_remove_container(rt, id, &err));
	csn_rt_close(rt);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "mock";
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
		if (strcmp(subjects[i].name, name) == 0)
			subject = &subjects[i];
	if (!subject) {
		fprintf(stderr, "test_contract: no runtime \"%s\"\n", name);
		return 2;
	}
	Suite *suite = suite_create(name);
	suite_add_tcase(suite, types_case());
	suite_add_tcase(suite, defaults_case());
	suite_add_tcase(suite, life_case());
	suite_add_tcase(suite, output_case());
	suite_add_tcase(suite, threads_case());
	if (subject->is_real) {
		suite_add_tcase(suite, real_case());
		suite_add_tcase(suite, reach_case());
		suite_add_tcase(suite, inside_case());
	}
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
