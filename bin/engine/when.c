/* Points in time as people write them in options. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bin/engine/engine.h"

/* "90s", "10m", "2h", "1d": so long ago. */
static bool parse_ago(const char *text, int64_t *ret)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno || end == text || n < 0 || !*end || end[1])
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (units[i].letter == *end && n < INT64_MAX / 1000000000 / units[i].seconds) {
			*ret = print_now() - n * units[i].seconds * 1000000000;
			return true;
		}
	return false;
}

static bool parse_seconds(const char *text, int64_t *ret)
{
	char *end;
	errno = 0;
	double n = strtod(text, &end);
	if (errno || end == text || *end || !(n >= 0 && n < 9e9))
		return false;
	*ret = (int64_t)(n * 1e9);
	return true;
}

/* "2026-11-24T13:05:00.5Z", "2026-11-24T13:05:00" (UTC) */
static bool parse_date(const char *text, int64_t *ret)
{
	struct tm tm = { 0 };
	char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return false;
	double fraction = 0;
	long hours = 0, minutes = 0;
	if (*rest == '.')
		fraction = strtod(rest, &rest);
	if (*rest == '+' || *rest == '-') {
		int sign = *rest == '-' ? -1 : 1;
		hours = sign * strtol(rest + 1, &rest, 10);
		minutes = *rest == ':' ? sign * strtol(rest + 1, &rest, 10) : 0;
	} else if (*rest == 'Z') {
		rest++;
	}
	if (*rest)
		return false;
	*ret = ((int64_t)timegm(&tm) - hours * 3600 - minutes * 60) * 1000000000 +
	       (int64_t)(fraction * 1e9);
	return true;
}

int when_parse(const char *option, const char *text, int64_t *ret)
{
	*ret = 0;
	if (!text || parse_ago(text, ret) || parse_seconds(text, ret) || parse_date(text, ret)) {
		*ret += text && *ret == 0; /* 0 says "not given" */
		return 0;
	}
	return engine_fail_text(STATUS_FAILED,
				"%s: expected a time such as 2026-11-24T13:05:00Z, seconds since "
				"1970 or 10m, not \"%s\"",
				option, text);
}
