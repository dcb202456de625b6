/*
 * The programs' log: what --log, --log-format and --debug ask for. Libraries do not log.
 *
 *	text	time="2026-11-24T13:05:00Z" level=error msg="…"
 *	json	{"level":"error","msg":"…","time":"2026-11-24T13:05:00Z"}
 */
#ifndef CSN_BASE_LOG_H
#define CSN_BASE_LOG_H

#include <stdbool.h>

#include "caisson.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_config {
	const char *path; /* NULL: standard error */
	bool json;
	enum log_level level;
};

int log_open(const struct log_config *config, struct csn_error *err);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* True when the log goes to a file, so that errors are repeated plainly on standard error. */
bool log_to_file(void);

#endif
