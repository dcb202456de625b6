/* From the options of create and run to a health check. */
#include "bin/engine/health.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/quantity.h"

struct health_args health_args;

static int parse_number(const char *option, const char *text, long max, unsigned *ret,
			struct csn_error *err)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 1 || n > max)
		return fail(err, EINVAL, "--%s \"%s\": expected a number from 1 to %ld", option,
			    text, max);
	*ret = (unsigned)n;
	return 0;
}

static int collect_times(struct csn_healthcheck *ret, struct csn_error *err)
{
	const struct {
		const char *option, *text;
		int64_t *to;
	} rows[] = {
		{ "health-interval", health_args.interval, &ret->interval_ns },
		{ "health-timeout", health_args.timeout, &ret->timeout_ns },
		{ "health-start-period", health_args.start_period, &ret->start_period_ns },
		{ "health-start-interval", health_args.start_interval, &ret->start_interval_ns },
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].text && duration_parse(rows[i].text, rows[i].to) < 0)
			return fail(err, EINVAL, "--%s \"%s\": expected a time such as 1m30s",
				    rows[i].option, rows[i].text);
	if (health_args.retries)
		return parse_number("health-retries", health_args.retries, INT32_MAX, &ret->retries,
				    err);
	return 0;
}

/* At most one kind, and none with --no-healthcheck. */
static int collect_kind(struct csn_healthcheck *ret, const char *command[2], struct csn_error *err)
{
	const struct {
		const char *given;
		enum csn_healthcheck_kind kind;
	} rows[] = {
		{ health_args.command, CSN_HEALTHCHECK_SHELL },
		{ health_args.port, CSN_HEALTHCHECK_TCP },
		{ health_args.url, CSN_HEALTHCHECK_HTTP },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!rows[i].given)
			continue;
		if (ret->kind != CSN_HEALTHCHECK_IMAGE)
			return fail(err, EINVAL,
				    "--health-cmd, --health-tcp, --health-http: expected one of "
				    "them");
		ret->kind = rows[i].kind;
	}
	command[0] = health_args.command;
	command[1] = NULL;
	ret->command = health_args.command ? command : NULL;
	ret->url = health_args.url;
	if (health_args.port)
		TRY(parse_number("health-tcp", health_args.port, 65535, &ret->port, err));
	if (health_args.status && !health_args.url)
		return fail(err, EINVAL, "--health-status: goes with --health-http");
	if (health_args.status)
		return parse_number("health-status", health_args.status, 599, &ret->expect_status,
				    err);
	return 0;
}

int health_collect(struct csn_healthcheck *ret, const char *command[2], struct csn_error *err)
{
	const struct health_args *a = &health_args;
	*ret = (struct csn_healthcheck)CSN_HEALTHCHECK_INIT;
	TRY(collect_kind(ret, command, err));
	TRY(collect_times(ret, err));
	if (!a->off)
		return 0;
	if (ret->kind != CSN_HEALTHCHECK_IMAGE || a->interval || a->timeout || a->start_period ||
	    a->start_interval || a->retries)
		return fail(err, EINVAL,
			    "--no-healthcheck: does not go with other options of "
			    "health checks");
	ret->kind = CSN_HEALTHCHECK_OFF;
	return 0;
}
