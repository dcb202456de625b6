/*
 * The contract of the Runtime interface: one suite, run against each runtime. What a runtime does
 * differently by its own documentation is a member of struct subject, so that a test says it
 * openly.
 */
#ifndef CSN_TESTS_CONTRACT_H
#define CSN_TESTS_CONTRACT_H

#include <check.h>

#include "caisson-runtime.h"

struct subject {
	const char *name;
	int (*open)(struct csn_rt **ret, struct csn_error *err);
	const char *image; /* what a test's service runs */
	bool is_real;	   /* there are processes behind it */
};

/* The one that the suite runs against. */
extern const struct subject *subject;

/* A runtime for one test, and a service of rtype "service" that runs command (NULL: the image's).
 */
struct csn_rt *subject_open(void);
struct csn_service *subject_service(const char *command);
struct csn_container_id subject_id(const char *service, uint32_t replica);
/* A runtime with a started container of that command; and the end of both. */
struct csn_rt *started(const char *service, const char *command, struct csn_container_id *ret_id);
void done(struct csn_rt *rt, const struct csn_container_id *id);

TCase *types_case(void); /* types.c: ids, signals, reasons, errors; needs no runtime */
TCase *defaults_case(
	void);		/* defaults.c: of the bare runtime and the mock, whatever the subject is */
TCase *life_case(void); /* life.c */
TCase *output_case(void);  /* output.c: logs and exec */
TCase *threads_case(void); /* threads.c */
TCase *inside_case(void);  /* inside.c: of real containers only */
TCase *reach_case(void);   /* reach.c: of real containers only */
TCase *real_case(void);	   /* real.c: of real containers only */

/* Fails with the error's text. */
#define OK(call) ck_assert_msg((call) >= 0, #call ": %s", err.text)
/* Fails unless call fails with that kind. */
#define FAILS(call, wanted)                                                                        \
	do {                                                                                       \
		ck_assert_int_lt((call), 0);                                                       \
		ck_assert_msg(err.kind == (wanted), #call ": %s", err.text);                       \
	} while (0)

#endif
