/*
 * The health check of a container: what was asked for over what the image says over the defaults,
 * member by member as Docker has it, checked.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/httpurl.h"
#include "base/sized.h"
#include "service/service.h"

#define SECOND	    INT64_C(1000000000)
#define MILLISECOND (SECOND / 1000)

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* ---- what is run ------------------------------------------------------------------------------
 */

static int set_command(char *const *items, size_t count, struct csn_healthcheck *ret,
		       struct arena *arena, struct csn_error *err)
{
	const char **list = arena_array(arena, count + 1, sizeof *list);
	for (size_t i = 0; list && i < count; i++) {
		list[i] = arena_strdup(arena, items[i]);
		if (!list[i])
			return no_memory(err);
	}
	ret->kind = CSN_HEALTHCHECK_COMMAND;
	ret->command = list;
	return list ? 0 : no_memory(err);
}

/* The image's shell, or the usual one, with text behind it. */
static int set_shell(const char *text, const struct image_config *image,
		     struct csn_healthcheck *ret, struct arena *arena, struct csn_error *err)
{
	static char sh[] = "/bin/sh", c[] = "-c";
	static char *usual[] = { sh, c };
	size_t words = image->shell.count ? image->shell.count : COUNT(usual);
	char **all = arena_array(arena, words + 1, sizeof *all);
	if (!all)
		return no_memory(err);
	memcpy(all, image->shell.count ? image->shell.items : usual, words * sizeof *all);
	all[words] = (char *)(uintptr_t)text;
	return set_command(all, words + 1, ret, arena, err);
}

/* {"CMD", …}, {"CMD-SHELL", text}, {"NONE"}; nothing, or {""}, says nothing. */
static int take_image(const struct image_record *image, struct csn_healthcheck *ret,
		      struct arena *arena, struct csn_error *err)
{
	const struct spec_strings *test = &image->config.health.test;
	const char *kind = test->count ? test->items[0] : "";
	ret->kind = CSN_HEALTHCHECK_OFF;
	if (!*kind || strcmp(kind, "NONE") == 0)
		return 0;
	if (strcmp(kind, "CMD") == 0 && test->count > 1)
		return set_command(test->items + 1, test->count - 1, ret, arena, err);
	if (strcmp(kind, "CMD-SHELL") == 0 && test->count == 2)
		return set_shell(test->items[1], &image->config, ret, arena, err);
	return fail(err, EINVAL,
		    "image \"%s\": Healthcheck.Test: expected NONE, CMD with a command or "
		    "CMD-SHELL with one text",
		    image->reference);
}

static int check_given(const struct csn_healthcheck *given, struct csn_error *err)
{
	struct http_url url;
	bool has_command = given->command && given->command[0] && given->command[0][0];
	switch (given->kind) {
	case CSN_HEALTHCHECK_COMMAND:
		return has_command ? 0 : fail(err, EINVAL, "health check: no command given");
	case CSN_HEALTHCHECK_SHELL:
		return has_command && !given->command[1]
			       ? 0
			       : fail(err, EINVAL, "health check: expected one text for the shell");
	case CSN_HEALTHCHECK_TCP:
		return given->port >= 1 && given->port <= 65535
			       ? 0
			       : fail(err, EINVAL,
				      "health check: port: expected 1 to 65535, not %u",
				      given->port);
	case CSN_HEALTHCHECK_HTTP:
		if (given->expect_status &&
		    (given->expect_status < 100 || given->expect_status > 599))
			return fail(err, EINVAL,
				    "health check: expected status: expected 100 to 599, not %u",
				    given->expect_status);
		return within(err, http_url_parse(given->url ? given->url : "", &url, err),
			      "health check: URL");
	case CSN_HEALTHCHECK_IMAGE:
	case CSN_HEALTHCHECK_OFF:
		return 0;
	}
	return fail(err, EINVAL, "health check: unknown kind %d", (int)given->kind);
}

static int take_given(const struct csn_healthcheck *given, const struct image_record *image,
		      struct csn_healthcheck *ret, struct arena *arena, struct csn_error *err)
{
	size_t count = 0;
	TRY(check_given(given, err));
	ret->kind = given->kind;
	switch (given->kind) {
	case CSN_HEALTHCHECK_IMAGE:
		return take_image(image, ret, arena, err);
	case CSN_HEALTHCHECK_SHELL:
		return set_shell(given->command[0], &image->config, ret, arena, err);
	case CSN_HEALTHCHECK_COMMAND:
		while (given->command[count])
			count++;
		return set_command((char *const *)(uintptr_t)given->command, count, ret, arena,
				   err);
	case CSN_HEALTHCHECK_HTTP:
		ret->expect_status = given->expect_status ? given->expect_status : 200;
		ret->url = arena_strdup(arena, given->url);
		return ret->url ? 0 : no_memory(err);
	case CSN_HEALTHCHECK_TCP:
		ret->port = given->port;
		return 0;
	case CSN_HEALTHCHECK_OFF:
		break;
	}
	return 0;
}

/* ---- when -------------------------------------------------------------------------------------
 */

static int decide_time(const char *name, int64_t given, int64_t of_image, int64_t usual,
		       int64_t *ret, const struct image_record *image, struct csn_error *err)
{
	int64_t ns = given ? given : of_image;
	*ret = ns ? ns : usual;
	if (ns == 0 || ns >= MILLISECOND)
		return 0;
	return given ? fail(err, EINVAL, "health check: %s: expected at least 1 millisecond", name)
		     : fail(err, EINVAL,
			    "image \"%s\": Healthcheck: %s: expected at least 1 millisecond",
			    image->reference, name);
}

static int decide_times(const struct csn_healthcheck *g, const struct image_record *image,
			struct csn_healthcheck *r, struct csn_error *err)
{
	const struct image_health *i = &image->config.health;
	const struct {
		const char *name;
		int64_t given, image, usual, *ret;
	} rows[] = {
		{ "interval", g->interval_ns, i->interval, 30 * SECOND, &r->interval_ns },
		{ "timeout", g->timeout_ns, i->timeout, 30 * SECOND, &r->timeout_ns },
		{ "start period", g->start_period_ns, i->start_period, 0, &r->start_period_ns },
		{ "start interval", g->start_interval_ns, i->start_interval, 5 * SECOND,
		  &r->start_interval_ns },
	};
	for (size_t n = 0; n < COUNT(rows); n++)
		TRY(decide_time(rows[n].name, rows[n].given, rows[n].image, rows[n].usual,
				rows[n].ret, image, err));
	if (i->retries < 0 || i->retries > INT32_MAX)
		return fail(err, EINVAL, "image \"%s\": Healthcheck: retries: expected 0 or more",
			    image->reference);
	r->retries = g->retries ? g->retries : i->retries ? (unsigned)i->retries : 3;
	return 0;
}

int service_health_decide(const struct csn_healthcheck *given, const struct image_record *image,
			  struct csn_healthcheck *ret, struct arena *arena, struct csn_error *err)
{
	struct csn_healthcheck mine = CSN_HEALTHCHECK_INIT, r = CSN_HEALTHCHECK_INIT;
	TRY(take_struct(&mine, sizeof mine, given, "struct csn_healthcheck", err));
	TRY(take_given(&mine, image, &r, arena, err));
	if (r.kind != CSN_HEALTHCHECK_OFF)
		TRY(decide_times(&mine, image, &r, err));
	*ret = r;
	return 0;
}
