/*
 * From a service's health to the engine's check. The grace after the start is Docker's start
 * period: a check that fails in it does not count, one that succeeds ends it, and the first one
 * comes when it is over or earlier.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/native.h"
#include "base/error.h"
#include "base/httpurl.h"
#include "caisson-health.h"
#include "service/deployment.h"

#define SECOND		 INT64_C(1000000000)
#define INTERVAL_DEFAULT (10 * SECOND)
#define PORT_DEFAULT	 8080

static int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Where its first endpoint that speaks HTTP is. */
static unsigned endpoint_port(const struct service_spec *s)
{
	static const char *const protocols[] = { "http", "https", "websocket" };
	for (size_t i = 0; i < s->endpoints.count; i++) {
		const struct service_endpoint *e = &s->endpoints.items[i];
		for (size_t k = 0; e->protocol && k < sizeof protocols / sizeof *protocols; k++)
			if (strcmp(e->protocol, protocols[k]) == 0)
				return e->target_port ? e->target_port : e->port;
	}
	return PORT_DEFAULT;
}

static int set_url(const char *text, struct csn_healthcheck *c, struct csn_error *err)
{
	struct http_url url;
	struct csn_error why;
	char reason[400];
	int r = http_url_parse(text, &url, &why);
	c->url = text;
	if (r == 0)
		return 0;
	(void)snprintf(reason, sizeof reason, "service: health.check.url: %.300s", why.text);
	return fail_kind(err, r == -EOPNOTSUPP ? CSN_ERROR_UNSUPPORTED : CSN_ERROR_INVALID_SPEC, "",
			 reason);
}

static int set_check(const struct service_spec *s, struct csn_healthcheck *c, struct arena *arena,
		     struct csn_error *err)
{
	const struct service_health *h = &s->health;
	const char **command = arena_array(arena, 2, sizeof *command);
	if (!command)
		return fail(err, ENOMEM, "out of memory");
	switch (h->kind) {
	case CHECK_TCP:
		c->kind = CSN_HEALTHCHECK_TCP;
		c->port = h->port ? h->port : endpoint_port(s);
		return 0;
	case CHECK_HTTP:
		c->kind = CSN_HEALTHCHECK_HTTP;
		c->expect_status = h->expect_status;
		return set_url(h->url, c, err);
	case CHECK_COMMAND:
		c->kind = CSN_HEALTHCHECK_SHELL;
		command[0] = h->command;
		c->command = command;
		return 0;
	}
	return 0;
}

int service_healthcheck(const struct service_spec *s, const struct csn_healthcheck **ret,
			struct arena *arena, struct csn_error *err)
{
	const struct service_health *h = &s->health;
	struct csn_healthcheck *c = arena_alloc(arena, sizeof *c);
	*ret = NULL;
	if (!h->set)
		return 0;
	if (!c)
		return fail(err, ENOMEM, "out of memory");
	*c = (struct csn_healthcheck)CSN_HEALTHCHECK_INIT;
	c->interval_ns = h->interval_ns ? h->interval_ns : INTERVAL_DEFAULT;
	c->timeout_ns = h->timeout_ns;
	c->retries = h->retries;
	c->start_period_ns = h->start_grace_ns;
	c->start_interval_ns = lesser(lesser(h->start_grace_ns, c->interval_ns), 5 * SECOND);
	TRY(set_check(s, c, arena, err));
	*ret = c;
	return 0;
}
