/*
 * The programs' log. One write(2) a line on an O_APPEND descriptor, so that lines of several
 * processes never mix.
 */
#include "base/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utc.h"

static struct {
	int fd;
	bool json, file;
	enum log_level level;
} the_log = { .fd = STDERR_FILENO, .level = LOG_LEVEL_WARNING };

static const char *const level_names[] = { "error", "warning", "info", "debug" };

int log_open(const struct log_config *config, struct csn_error *err)
{
	the_log.json = config->json;
	the_log.level = config->level;
	if (!config->path)
		return 0;

	int fd = open(config->path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail_errno(err, "--log %s", config->path);
	the_log.fd = fd;
	the_log.file = true;
	return 0;
}

bool log_to_file(void)
{
	return the_log.file;
}

/* msg="…" with quotes and backslashes escaped. */
static void put_quoted(char *line, size_t size, size_t *at, const char *text)
{
	for (; *text && *at + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			line[(*at)++] = '\\';
		line[(*at)++] = *text;
	}
}

static void write_text(const char *when, const char *level, const char *msg)
{
	char line[1400];
	int n = snprintf(line, sizeof line, "time=\"%s\" level=%s msg=\"", when, level);
	size_t at = n < 0 ? 0 : (size_t)n;
	put_quoted(line, sizeof line, &at, msg);
	line[at++] = '"';
	line[at++] = '\n';
	(void)write_all(the_log.fd, line, at);
}

static void write_json(const char *when, const char *level, const char *msg)
{
	struct json_out out = JSON_OUT_COMPACT;
	json_open_object(&out, NULL);
	json_put_string(&out, "level", level);
	json_put_string(&out, "msg", msg);
	json_put_string(&out, "time", when);
	json_close_object(&out);

	auto_mem char *text = NULL;
	if (json_out_take(&out, &text, NULL) == 0) {
		size_t len = strlen(text);
		text[len] = '\n'; /* over the NUL: the length is known */
		(void)write_all(the_log.fd, text, len + 1);
	}
}

void log_line(enum log_level level, const char *fmt, ...)
{
	if (level > the_log.level)
		return;

	char msg[1024], when[UTC_SIZE];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);

	utc_print_seconds(time(NULL), when);
	(the_log.json ? write_json : write_text)(when, level_names[level], msg);
}
