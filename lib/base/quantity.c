/* Durations and sizes as people write them in deployments: digits and a unit of a table. */
#include "base/quantity.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* Digits at *at; -ERANGE when they are too many. */
static int read_number(const char **at, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;
	if (**at < '0' || **at > '9')
		return -EINVAL;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		uint64_t digit = (uint64_t)(**at - '0');
		if (n > (max - digit) / 10)
			return -ERANGE;
		n = n * 10 + digit;
	}
	*ret = n;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit *find_unit(const struct unit *units, size_t count, const char *text,
				    size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(units[i].name) == size && memcmp(units[i].name, text, size) == 0)
			return &units[i];
	return NULL;
}

#define SECOND 1000000000ull
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

int duration_parse(const char *text, int64_t *ret_ns)
{
	static const struct unit units[] = {
		{ "ns", 1 },	       { "nsec", 1 },	      { "us", 1000 },
		{ "usec", 1000 },      { "ms", 1000000 },     { "msec", 1000000 },
		{ "s", SECOND },       { "sec", SECOND },     { "secs", SECOND },
		{ "second", SECOND },  { "seconds", SECOND }, { "m", MINUTE },
		{ "min", MINUTE },     { "mins", MINUTE },    { "minute", MINUTE },
		{ "minutes", MINUTE }, { "h", HOUR },	      { "hr", HOUR },
		{ "hrs", HOUR },       { "hour", HOUR },      { "hours", HOUR },
		{ "d", DAY },	       { "day", DAY },	      { "days", DAY },
		{ "w", 7 * DAY },      { "week", 7 * DAY },   { "weeks", 7 * DAY },
	};
	const char *at = text + strspn(text, " ");
	uint64_t total = 0;

	if (!*at)
		return -EINVAL;
	if (strcmp(at, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	while (*at) {
		uint64_t n = 0;
		int r = read_number(&at, INT64_MAX, &n);
		if (r < 0)
			return r;
		size_t size = strspn(at, "abcdefghijklmnopqrstuvwxyz");
		const struct unit *unit = find_unit(units, COUNT(units), at, size);
		if (!unit)
			return -EINVAL;
		if (n > ((uint64_t)INT64_MAX - total) / unit->factor)
			return -ERANGE;
		total += n * unit->factor;
		at += size;
		at += strspn(at, " ");
	}
	*ret_ns = (int64_t)total;
	return 0;
}

int bytes_parse(const char *text, uint64_t *ret)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "Ki", 1ull << 10 },
		{ "Mi", 1ull << 20 },
		{ "Gi", 1ull << 30 },
		{ "Ti", 1ull << 40 },
		{ "K", 1000 },
		{ "k", 1000 },
		{ "M", 1000000 },
		{ "m", 1000000 },
		{ "G", 1000000000 },
		{ "g", 1000000000 },
		{ "T", 1000000000000 },
		{ "t", 1000000000000 },
	};
	const char *at = text;
	uint64_t n = 0;
	int r = read_number(&at, UINT64_MAX, &n);
	if (r < 0)
		return r;
	const struct unit *unit = find_unit(units, COUNT(units), at, strlen(at));
	if (!unit)
		return -EINVAL;
	if (n > UINT64_MAX / unit->factor)
		return -ERANGE;
	*ret = n * unit->factor;
	return 0;
}
