/*
 * Health checks on disk, and what their results mean. Linked by the monitor and by libcaisson.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utc.h"
#include "monitor/health.h"

enum { RECORD_MAX = 1 << 20 };

/* ---- healthcheck.json ------------------------------------------------------------------------ */

static const struct {
	enum csn_healthcheck_kind kind;
	const char *name;
} kinds[] = {
	{ CSN_HEALTHCHECK_COMMAND, "command" },
	{ CSN_HEALTHCHECK_TCP, "tcp" },
	{ CSN_HEALTHCHECK_HTTP, "http" },
};

struct check_row {
	struct csn_healthcheck check;
	struct {
		char **items;
		size_t count;
		bool set;
	} command;
	uint32_t port, expect_status, retries;
	char *url;
};

static int decode_kind(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	const char *name = node_string(v, NULL);
	(void)f;
	for (size_t i = 0; name && i < COUNT(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*(enum csn_healthcheck_kind *)out = kinds[i].kind;
			return 0;
		}
	}
	return json_expected(d, "command, tcp or http");
}

static const struct json_field check_fields[] = {
	REQUIRED("kind", decode_kind, struct check_row, check.kind),
	FIELD("command", decode_strings, struct check_row, command),
	FIELD("port", decode_u32, struct check_row, port),
	FIELD("url", decode_string, struct check_row, url),
	FIELD("expect_status", decode_u32, struct check_row, expect_status),
	REQUIRED("interval_ns", decode_i64, struct check_row, check.interval_ns),
	REQUIRED("timeout_ns", decode_i64, struct check_row, check.timeout_ns),
	REQUIRED("start_period_ns", decode_i64, struct check_row, check.start_period_ns),
	REQUIRED("start_interval_ns", decode_i64, struct check_row, check.start_interval_ns),
	REQUIRED("retries", decode_u32, struct check_row, retries),
	FIELDS_END,
};

int healthcheck_read(int container_dir, struct csn_healthcheck *ret, struct arena *arena,
		     struct csn_error *err)
{
	struct check_row row = { .check = CSN_HEALTHCHECK_INIT };
	auto_mem char *text = NULL;
	size_t size = 0;
	TRY(file_read(container_dir, HEALTHCHECK_NAME, RECORD_MAX, &text, &size, err));
	TRY(json_decode(text, size, HEALTHCHECK_NAME, check_fields, &row, arena, err));
	row.check.command = (const char *const *)row.command.items;
	row.check.port = row.port;
	row.check.url = row.url;
	row.check.expect_status = row.expect_status;
	row.check.retries = row.retries;
	*ret = row.check;
	return 0;
}

int healthcheck_write(int container_dir, const struct csn_healthcheck *c, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kinds[i].kind == c->kind)
			json_put_string(&o, "kind", kinds[i].name);
	json_open_array(&o, "command");
	for (const char *const *word = c->command; word && *word; word++)
		json_put_string(&o, NULL, *word);
	json_close_array(&o);
	json_put_u64(&o, "port", c->port);
	json_put_string(&o, "url", c->url);
	json_put_u64(&o, "expect_status", c->expect_status);
	json_put_i64(&o, "interval_ns", c->interval_ns);
	json_put_i64(&o, "timeout_ns", c->timeout_ns);
	json_put_i64(&o, "start_period_ns", c->start_period_ns);
	json_put_i64(&o, "start_interval_ns", c->start_interval_ns);
	json_put_u64(&o, "retries", c->retries);
	json_close_object(&o);

	size_t size = o.size;
	auto_mem char *text = NULL;
	TRY(json_out_take(&o, &text, err));
	return file_write_atomic(container_dir, HEALTHCHECK_NAME, text, size, 0600, false, err);
}

/* ---- health.json ----------------------------------------------------------------------------- */

static const char *const statuses[] = { "none", "starting", "healthy", "unhealthy" };

static int decode_status(struct json_decoder *d, const struct json_node *v,
			 const struct json_field *f, void *out)
{
	const char *name = node_string(v, NULL);
	(void)f;
	for (size_t i = 0; name && i < COUNT(statuses); i++) {
		if (strcmp(statuses[i], name) == 0) {
			*(enum csn_health_status *)out = (enum csn_health_status)i;
			return 0;
		}
	}
	return json_expected(d, "none, starting, healthy or unhealthy");
}

static int decode_time(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	size_t size = 0;
	const char *text = node_string(v, &size);
	(void)f;
	*(int64_t *)out = text ? utc_parse(text, size, NULL) : 0;
	return *(int64_t *)out ? 0 : json_expected(d, "a time");
}

struct record_row {
	enum csn_health_status status;
	uint32_t failing_streak;
	struct {
		struct health_result *items;
		size_t count;
	} log;
};

static const struct json_field result_fields[] = {
	REQUIRED("start", decode_time, struct health_result, started_at_ns),
	REQUIRED("end", decode_time, struct health_result, ended_at_ns),
	REQUIRED("exit_code", decode_i32, struct health_result, exit_code),
	REQUIRED("output", decode_string, struct health_result, output),
	FIELDS_END,
};
static const struct json_elements results = { .element_size = sizeof(struct health_result),
					      .decode = decode_object,
					      .detail = result_fields };
static const struct json_field record_fields[] = {
	REQUIRED("status", decode_status, struct record_row, status),
	REQUIRED("failing_streak", decode_u32, struct record_row, failing_streak),
	REQUIRED_IN("log", decode_array, struct record_row, log, &results),
	FIELDS_END,
};

int health_record_read(int dir, struct health_record *ret, struct arena *arena,
		       struct csn_error *err)
{
	struct record_row row = { 0 };
	auto_mem char *text = NULL;
	size_t size = 0;
	TRY(file_read(dir, HEALTH_NAME, RECORD_MAX, &text, &size, err));
	TRY(json_decode(text, size, HEALTH_NAME, record_fields, &row, arena, err));
	size_t count = row.log.count < HEALTH_LOG ? row.log.count : HEALTH_LOG;
	*ret = (struct health_record){ .status = row.status,
				       .failing_streak = row.failing_streak,
				       .log_count = count };
	if (count)
		memcpy(ret->log, row.log.items + row.log.count - count, count * sizeof *ret->log);
	return 0;
}

void health_put_log(struct json_out *o, const struct health_record *r)
{
	char when[UTC_SIZE];
	json_open_array(o, "log");
	for (size_t i = 0; i < r->log_count; i++) {
		const struct health_result *l = &r->log[i];
		const struct timespec start = { l->started_at_ns / 1000000000,
						l->started_at_ns % 1000000000 };
		const struct timespec end = { l->ended_at_ns / 1000000000,
					      l->ended_at_ns % 1000000000 };
		json_open_object(o, NULL);
		utc_print(&start, when);
		json_put_string(o, "start", when);
		utc_print(&end, when);
		json_put_string(o, "end", when);
		json_put_i64(o, "exit_code", l->exit_code);
		json_put_bytes(o, "output", l->output, strlen(l->output));
		json_close_object(o);
	}
	json_close_array(o);
}

int health_record_write(int dir, const struct health_record *r, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	json_put_string(&o, "status", statuses[r->status]);
	json_put_u64(&o, "failing_streak", r->failing_streak);
	health_put_log(&o, r);
	json_close_object(&o);

	size_t size = o.size;
	auto_mem char *text = NULL;
	TRY(json_out_take(&o, &text, err));
	return file_write_atomic(dir, HEALTH_NAME, text, size, 0600, false, err);
}

/* ---- judging --------------------------------------------------------------------------------- */

static void remember(struct health_record *r, const struct health_result *result)
{
	if (r->log_count == HEALTH_LOG)
		memmove(r->log, r->log + 1, --r->log_count * sizeof *r->log);
	r->log[r->log_count++] = *result;
}

bool health_judge(struct health_record *r, const struct health_result *result,
		  const struct csn_healthcheck *check, int64_t container_started_at_ns)
{
	enum csn_health_status before = r->status;
	bool spared = r->status == CSN_HEALTH_STARTING &&
		      result->started_at_ns - container_started_at_ns < check->start_period_ns;
	remember(r, result);
	if (result->exit_code == 0) {
		r->status = CSN_HEALTH_HEALTHY;
		r->failing_streak = 0;
	} else if (!spared && ++r->failing_streak >= check->retries) {
		r->status = CSN_HEALTH_UNHEALTHY;
	}
	return r->status != before;
}

int64_t health_delay(const struct health_record *r, const struct csn_healthcheck *check,
		     int64_t container_started_at_ns, int64_t now_ns)
{
	bool early = r->status == CSN_HEALTH_STARTING &&
		     now_ns - container_started_at_ns < check->start_period_ns;
	return early ? check->start_interval_ns : check->interval_ns;
}
