/* Times of records, and deadlines for poll(2). */
#include <time.h>

#include "runtime/runtime.h"

/* The decimal number of exactly n digits at *at; -1 when it is none. */
static int number(const char **at, const char *end, int n)
{
	int value = 0;
	for (; n > 0; n--, (*at)++) {
		if (*at >= end || **at < '0' || **at > '9')
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

int64_t time_parse(const char *text, size_t size, size_t *ret_size)
{
	static const char separators[] = "--T::"; /* behind year, month, day, hour, minute */
	const char *at = text, *end = text + size;
	int part[6];

	for (int i = 0; i < 6; i++) {
		part[i] = number(&at, end, i == 0 ? 4 : 2);
		if (part[i] < 0 || (i < 5 && (at >= end || *at++ != separators[i])))
			return 0;
	}
	int64_t ns = 0;
	if (at < end && *at == '.') {
		int digits = 0;
		for (at++; at < end && *at >= '0' && *at <= '9'; at++, digits++)
			if (digits < 9)
				ns = ns * 10 + (*at - '0');
		for (; digits < 9; digits++)
			ns *= 10;
	}
	int64_t offset = 0;
	if (at < end && *at == 'Z') {
		at++;
	} else if (at < end && (*at == '+' || *at == '-')) {
		int sign = *at++ == '-' ? -1 : 1;
		int hours = number(&at, end, 2);
		int minutes = at < end && *at++ == ':' ? number(&at, end, 2) : -1;
		if (hours < 0 || minutes < 0)
			return 0;
		offset = sign * (hours * 3600 + minutes * 60);
	} else {
		return 0;
	}
	if (ret_size)
		*ret_size = (size_t)(at - text);
	struct tm tm = { .tm_year = part[0] - 1900,
			 .tm_mon = part[1] - 1,
			 .tm_mday = part[2],
			 .tm_hour = part[3],
			 .tm_min = part[4],
			 .tm_sec = part[5] };
	return ((int64_t)timegm(&tm) - offset) * 1000000000 + ns;
}

int64_t deadline_in(int timeout_ms)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	return timeout_ms < 0 ? -1 : ms + timeout_ms;
}

int deadline_left(int64_t deadline)
{
	if (deadline < 0)
		return -1;
	int64_t left = deadline - deadline_in(0);
	return left < 0 ? 0 : (int)left;
}
