/*
 * The one error convention: functions return 0 or a positive result, or -errno with the sentence
 * in the caller's struct csn_error. The one who sees a failure words it (fail, fail_errno); each
 * level that knows a name adds it (within); nobody logs and returns.
 */
#ifndef CSN_BASE_ERROR_H
#define CSN_BASE_ERROR_H

#include "caisson.h"

/* Words a failure. code is a positive errno value; returns -code. err may be NULL. */
int fail(struct csn_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As fail(), with errno as the code and ": <strerror>" appended. */
int fail_errno(struct csn_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<fmt>: " in front of the text of a failure that came from below; returns r. */
int within(struct csn_error *err, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Passes a failure on. The only macro that hides a return. */
#define TRY(call)                                                                                  \
	do {                                                                                       \
		int try_ = (call);                                                                 \
		if (try_ < 0)                                                                      \
			return try_;                                                               \
	} while (0)

#endif
