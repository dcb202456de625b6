/*
 * Writing: days since 1970 to a date, by 400-year cycles counted from 1 March of year 0, so that
 * the leap day is the last of its year.
 */
#include "base/utc.h"

#include <stdint.h>
#include <stdio.h>

enum { DAY = 86400, CYCLE = 146097, TO_MARCH_0 = 719468 };

static void print_to(time_t t, char *buf, size_t size, const char *rest)
{
	int64_t seconds = (int64_t)t % DAY, days = (int64_t)t / DAY;
	if (seconds < 0) {
		seconds += DAY;
		days--;
	}
	days += TO_MARCH_0;
	int64_t cycle = (days >= 0 ? days : days - (CYCLE - 1)) / CYCLE;
	int64_t day = days - cycle * CYCLE; /* 0 to 146096 */
	int64_t year = (day - day / 1460 + day / 36524 - day / (CYCLE - 1)) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100); /* from 1 March */
	int64_t month = (5 * of_year + 2) / 153;
	int64_t of_month = of_year - (153 * month + 2) / 5 + 1;
	month += month < 10 ? 3 : -9;
	year += cycle * 400 + (month <= 2);
	(void)snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", (int)year, (int)month,
		       (int)of_month, (int)(seconds / 3600), (int)(seconds / 60 % 60),
		       (int)(seconds % 60), rest);
}

void utc_print_seconds(time_t t, char buf[UTC_SIZE])
{
	print_to(t, buf, UTC_SIZE, "");
}

void utc_print(const struct timespec *t, char buf[UTC_SIZE])
{
	char rest[16];
	(void)snprintf(rest, sizeof rest, ".%09ld", (long)t->tv_nsec % 1000000000);
	print_to(t->tv_sec, buf, UTC_SIZE, rest);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

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

int64_t utc_parse(const char *text, size_t size, size_t *ret_size)
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
