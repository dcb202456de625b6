/* How csn prints: formats, times, sizes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "bin/engine/engine.h"

#define SECOND 1000000000LL

int print_format(const char *format, bool *ret_json)
{
	*ret_json = strcmp(format, "json") == 0;
	if (*ret_json || strcmp(format, "table") == 0)
		return 0;
	(void)engine_fail_text(0, "--format: expected table or json, not \"%s\"", format);
	return -EINVAL;
}

int print_json(struct json_out *o)
{
	struct csn_error err;
	auto_mem char *text = NULL;
	if (json_out_take(o, &text, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	puts(text);
	return 0;
}

void print_time(char *buf, size_t size, int64_t ns)
{
	time_t seconds = (time_t)(ns / SECOND);
	struct tm tm;
	size_t n = gmtime_r(&seconds, &tm) ? strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm) : 0;
	(void)snprintf(buf + n, size - n, ".%09lldZ", (long long)(ns % SECOND));
}

void print_json_time(struct json_out *o, const char *key, int64_t ns)
{
	char buf[48];
	print_time(buf, sizeof buf, ns);
	json_put_string(o, key, ns ? buf : NULL);
}

int64_t print_now(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

void print_duration(char *buf, size_t size, int64_t ns)
{
	/* Up to `below` seconds: count units of `unit`, or the fixed words. */
	static const struct {
		int64_t below, unit;
		const char *words;
	} rows[] = {
		{ 1, 0, "Less than a second" },
		{ 2, 0, "1 second" },
		{ 60, 1, "seconds" },
		{ 120, 0, "About a minute" },
		{ 3600, 60, "minutes" },
		{ 7200, 0, "About an hour" },
		{ 48 * 3600, 3600, "hours" },
		{ 14 * 86400, 86400, "days" },
		{ 60 * 86400, 7 * 86400, "weeks" },
		{ 730 * 86400LL, 30 * 86400, "months" },
		{ INT64_MAX, 365 * 86400, "years" },
	};
	int64_t seconds = ns / SECOND;
	size_t i = 0;
	while (i + 1 < COUNT(rows) && seconds >= rows[i].below)
		i++;
	if (rows[i].unit)
		(void)snprintf(buf, size, "%" PRId64 " %s", seconds / rows[i].unit, rows[i].words);
	else
		(void)snprintf(buf, size, "%s", rows[i].words);
}

void print_size(char *buf, size_t size, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes;
	size_t i = 0;
	for (; value >= 1000 && i + 1 < COUNT(units); i++)
		value /= 1000;
	(void)snprintf(buf, size, "%.*f%s",
		       i == 0 || value >= 100 ? 0
		       : value >= 10	      ? 1
					      : 2,
		       value, units[i]);
}

const char *print_reference(const char *reference)
{
	static const char *const prefixes[] = { "docker.io/library/", "docker.io/" };
	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (strncmp(reference, prefixes[i], strlen(prefixes[i])) == 0)
			return reference + strlen(prefixes[i]);
	return reference;
}

void print_image_json(struct json_out *o, const struct csn_image_info *i)
{
	json_open_object(o, NULL);
	json_put_string(o, "reference", i->reference);
	json_put_string(o, "digest", i->digest);
	json_put_string(o, "id", i->id);
	json_put_string(o, "created_at", i->created[0] ? i->created : NULL);
	json_put_string(o, "architecture", i->architecture);
	json_put_string(o, "os", i->os);
	json_put_u64(o, "size_bytes", i->size_bytes);
	json_close_object(o);
}

void print_progress(void *data, const struct csn_image_progress *p)
{
	char *last = data; /* the layer of the line before, so that each gets one */
	char done[24], total[24];

	if (p->warning) {
		fprintf(stderr, "warning: %s\n", p->warning);
		return;
	}
	if (!p->layer || (p->total && p->bytes < p->total))
		return;
	if (strncmp(last, p->layer, 79) == 0)
		return;
	(void)snprintf(last, 80, "%s", p->layer);
	print_size(done, sizeof done, p->bytes);
	print_size(total, sizeof total, p->total);
	fprintf(stderr, "layer %.19s: %s%s%s\n", p->layer, done, p->total ? " of " : "",
		p->total ? total : "");
}
