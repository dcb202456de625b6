/* caisson events: statistics and OOM events of a container, a line of JSON each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bin/oci/oci.h"

static const char *interval = "5s";
static bool stats;

static const struct opt options[] = {
	{ 0, "interval", "DURATION", "time between two statistics, such as 500ms or 5s (5s)",
	  OPT_TEXT, &interval },
	{ 0, "stats", NULL, "print the statistics once and end", OPT_FLAG, &stats },
	{ 0 },
};

const struct opt *events_options(void)
{
	return options;
}

/* "1m30s", as Go's durations are; a plain number is seconds. */
static int parse_interval(int *ret_ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = { { "ms", 1 },    { "us", 0.001 },	{ "s", 1000 },
		      { "m", 60000 }, { "h", 3600000 }, { "", 1000 } };
	double ms = 0;
	const char *p = interval;
	while (*p) {
		char *end;
		double n = strtod(p, &end);
		size_t length = strspn(end, "hmsu"), i = 0;
		while (i < COUNT(units) && (strlen(units[i].unit) != length ||
					    strncmp(units[i].unit, end, length) != 0))
			i++;
		/* A number without a unit stands alone. */
		if (end == p || !(n >= 0) || i == COUNT(units) || (length == 0 && p != interval))
			break;
		ms += n * units[i].ms;
		p = end + length;
		if (length == 0)
			break;
	}
	if (*p || !(ms >= 1 && ms <= 86400000))
		return oci_fail_text(
			1, "--interval: expected a duration from 1ms to 24h such as 5s, not \"%s\"",
			interval);
	*ret_ms = (int)ms;
	return 0;
}

static int print_event(void *data, const char *json)
{
	(void)data;
	/* A reader that went away ends it, which is no failure. */
	return puts(json) < 0 || fflush(stdout) != 0;
}

int events_show(const char *id, host_event_fn print)
{
	struct csn_error err;
	int ms = 0;
	int status = oci_need_root();
	if (status == 0)
		status = parse_interval(&ms);
	if (status)
		return status;
	if (host_events(oci_context(), id, stats ? 0 : ms, print, NULL, &err) < 0)
		return oci_fail(&err, 1);
	return 0;
}

static int run(int argc, char **argv)
{
	(void)argc;
	return events_show(argv[0], print_event);
}

const struct command command_events = {
	"events",	"CONTAINER", "show statistics and OOM events of a container", 1, 1,
	events_options, run
};
