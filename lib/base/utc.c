/*
 * Days since 1970 to a date, by 400-year cycles counted from 1 March of year 0, so that the leap
 * day is the last of its year.
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
