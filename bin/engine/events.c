/* csn events: what happens to containers and images, a line an event, as it happens. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bin/engine/engine.h"

static const char *format = "json", *since, *until;
static struct opt_list filters;

static const struct opt options[] = {
	{ 0, "since", "TIME", "also earlier ones: RFC 3339, seconds since 1970, or \"10m\" ago",
	  OPT_TEXT, &since },
	{ 0, "until", "TIME", "stop at this time", OPT_TEXT, &until },
	{ 'f', "filter", "KEY=VALUE", "only these: type, action, container, image; repeatable",
	  OPT_LIST, &filters },
	{ 0, "format", "FORMAT", "json (a line an object) or table", OPT_TEXT, &format },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

/* A container by name, id or the beginning of an id. */
static bool is_container(const struct csn_event *e, const char *value)
{
	size_t length = strlen(value);
	return strcmp(e->type, "container") == 0 && length &&
	       (strcmp(e->name, value) == 0 || strncmp(e->id, value, length) == 0);
}

/* By its reference, as it is or as short as people write it. */
static bool is_image(const struct csn_event *e, const char *value)
{
	const char *reference = print_reference(e->image);
	size_t length = strlen(value);
	return strcmp(e->image, value) == 0 || strcmp(reference, value) == 0 ||
	       (length && strncmp(reference, value, length) == 0 &&
		strcmp(reference + length, ":latest") == 0);
}

static bool is_type(const struct csn_event *e, const char *value)
{
	return strcmp(e->type, value) == 0;
}

static bool is_action(const struct csn_event *e, const char *value)
{
	return strcmp(e->action, value) == 0;
}

static const struct filter {
	const char *key;
	bool (*matches)(const struct csn_event *e, const char *value);
} known[] = {
	{ "type", is_type },	       { "action", is_action }, { "event", is_action },
	{ "container", is_container }, { "image", is_image },
};

/* The row of a filter, and its value; NULL when there is no such row. */
static const struct filter *find_filter(const char *text, const char **ret_value)
{
	const char *equals = strchr(text, '=');
	for (size_t i = 0; equals && i < sizeof known / sizeof *known; i++)
		if (strlen(known[i].key) == (size_t)(equals - text) &&
		    strncmp(known[i].key, text, (size_t)(equals - text)) == 0) {
			*ret_value = equals + 1;
			return &known[i];
		}
	return NULL;
}

static int check_filters(void)
{
	const char *value;
	for (size_t i = 0; i < filters.count; i++)
		if (!find_filter(filters.items[i], &value))
			return engine_fail_text(STATUS_FAILED,
						"--filter: expected type=, action=, container= or "
						"image=, not \"%s\"",
						filters.items[i]);
	return 0;
}

/* Of each key that was given one value must match. */
static bool is_wanted(const struct csn_event *e)
{
	for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
		bool asked = false, matched = false;
		for (size_t i = 0; i < filters.count && !matched; i++) {
			const char *value;
			if (find_filter(filters.items[i], &value) != &known[k])
				continue;
			asked = true;
			matched = known[k].matches(e, value);
		}
		if (asked && !matched)
			return false;
	}
	return true;
}

static void print_line(const struct csn_event *e)
{
	char when[48];
	print_time(when, sizeof when, e->time_ns);
	printf("%s %s %s", when, e->type, e->action);
	if (strcmp(e->type, "container") == 0)
		printf(" %.12s %s", e->id, e->name);
	printf(" %s", print_reference(e->image));
	if (strcmp(e->action, "die") == 0)
		printf(" %s %d", e->reason, e->exit_code);
	if (e->signal[0])
		printf(" %s", e->signal);
	if (e->oom_kills)
		printf(" (%llu killed by the OOM killer)", (unsigned long long)e->oom_kills);
	if (e->error[0])
		printf(": %s", e->error);
	putchar('\n');
}

static int print_events(struct csn_events *events, bool json)
{
	struct csn_error err;
	struct csn_event e = CSN_EVENT_INIT;
	int r;
	while ((r = csn_events_next(events, -1, &e, &err)) > 0) {
		if (!is_wanted(&e))
			continue;
		if (json)
			puts(e.json);
		else
			print_line(&e);
		/* Each at once. A reader that went away is no failure of ours. */
		if (fflush(stdout) != 0)
			return errno == EPIPE ? 0 : STATUS_FAILED;
	}
	return r < 0 ? engine_fail(&err, STATUS_FAILED) : 0;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_events *events = NULL;
	struct csn_events_options o = CSN_EVENTS_OPTIONS_INIT;
	bool json;
	(void)argc;
	(void)argv;

	if (print_format(format, &json) < 0 || check_filters() ||
	    when_parse("--since", since, &o.since_ns) || when_parse("--until", until, &o.until_ns))
		return STATUS_FAILED;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_events_open(rt, &o, &events, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	int status = print_events(events, json);
	csn_events_close(events);
	return status;
}

const struct command command_events = {
	"events", NULL, "show what happens to containers and images", 0, 0, get_options, run
};
