/*
 * Samples as JSON and as Prometheus' text format. Both are loops over the tables of caisson.h: a
 * number that the library learns to read appears in both.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "bin/engine/engine.h"

static bool is_raw(enum csn_table table)
{
	return table == CSN_TABLE_MEMORY_STAT; /* one column; the label says what it is */
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static void json_name(char *buf, size_t size, const struct csn_column *c)
{
	static const char *const units[] = { [CSN_UNIT_COUNT] = "",
					     [CSN_UNIT_BYTES] = "_bytes",
					     [CSN_UNIT_MICROSECONDS] = "_usec",
					     [CSN_UNIT_HUNDREDTHS_OF_PERCENT] = "_percent" };
	(void)snprintf(buf, size, "%s%s", c->name, units[c->unit]);
}

/* A limit that is none is null; a number that is not known is not there. */
static void put_number(struct json_out *o, const char *key, const struct csn_column *c,
		       uint64_t value)
{
	if (c->kind == CSN_KIND_LIMIT && value == CSN_NO_LIMIT)
		json_put_null(o, key);
	else if (c->unit == CSN_UNIT_HUNDREDTHS_OF_PERCENT)
		json_put_double(o, key, (double)value / 100);
	else
		json_put_u64(o, key, value);
}

static void put_row(struct json_out *o, const struct csn_stats *s, enum csn_table table, size_t row)
{
	const struct csn_column *c;
	for (unsigned i = 0; (c = csn_table_column(table, i)); i++) {
		char name[64];
		uint64_t value;
		if (!csn_stats_value(s, table, row, i, &value))
			continue;
		json_name(name, sizeof name, c);
		put_number(o, is_raw(table) ? csn_stats_row_label(s, table, row) : name, c, value);
	}
}

static void put_table(struct json_out *o, const struct csn_stats *s, enum csn_table table)
{
	size_t rows = csn_stats_rows(s, table);
	if (!rows)
		return;
	json_open_object(o, csn_table_name(table));
	for (size_t row = 0; row < rows; row++) {
		bool nested = csn_table_label(table) && !is_raw(table);
		if (nested)
			json_open_object(o, csn_stats_row_label(s, table, row));
		put_row(o, s, table, row);
		if (nested)
			json_close_object(o);
	}
	json_close_object(o);
}

static void put_percent(struct json_out *o, const char *key, const struct csn_stats *s,
			bool (*get)(const struct csn_stats *s, double *ret))
{
	double percent;
	if (get(s, &percent))
		json_put_double(o, key, percent);
	else
		json_put_null(o, key);
}

int print_stats_json(const struct csn_stats *s)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	print_json_time(&o, "time", print_now());
	json_put_i64(&o, "monotonic_ns", csn_stats_time_ns(s));
	json_put_string(&o, "id", csn_stats_id(s));
	json_put_string(&o, "name", csn_stats_name(s));
	json_put_string(&o, "image", csn_stats_image(s));
	put_percent(&o, "cpu_percent", s, csn_stats_cpu_percent);
	put_percent(&o, "memory_percent", s, csn_stats_memory_percent);
	for (int table = 0; table < CSN_TABLES; table++)
		put_table(&o, s, (enum csn_table)table);
	json_close_object(&o);
	return print_json(&o);
}

/* ---- Prometheus -------------------------------------------------------------------------------
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/: samples of one metric stand
 * together, behind its HELP and TYPE; base units; counters end in _total.
 */

static void metric_name(char *buf, size_t size, enum csn_table table, const struct csn_column *c)
{
	static const char *const units[] = { [CSN_UNIT_COUNT] = "",
					     [CSN_UNIT_BYTES] = "_bytes",
					     [CSN_UNIT_MICROSECONDS] = "_seconds",
					     [CSN_UNIT_HUNDREDTHS_OF_PERCENT] = "_ratio" };
	if (is_raw(table))
		(void)snprintf(buf, size, "caisson_%s", csn_table_name(table));
	else
		(void)snprintf(buf, size, "caisson_%s_%s%s%s", csn_table_name(table), c->name,
			       units[c->unit], c->kind == CSN_KIND_COUNTER ? "_total" : "");
}

static void print_label(const char *name, const char *value, const char *comma)
{
	printf("%s=\"", name);
	for (; *value; value++)
		if (*value == '\n')
			fputs("\\n", stdout);
		else if (*value == '"' || *value == '\\')
			printf("\\%c", *value);
		else
			putchar(*value);
	printf("\"%s", comma);
}

static void print_number(const struct csn_column *c, uint64_t value)
{
	if (c->kind == CSN_KIND_LIMIT && value == CSN_NO_LIMIT)
		puts("+Inf");
	else if (c->unit == CSN_UNIT_MICROSECONDS)
		printf("%" PRIu64 ".%06" PRIu64 "\n", value / 1000000, value % 1000000);
	else if (c->unit == CSN_UNIT_HUNDREDTHS_OF_PERCENT)
		printf("%" PRIu64 ".%04" PRIu64 "\n", value / 10000, value % 10000);
	else
		printf("%" PRIu64 "\n", value);
}

static void print_heading(const char *metric, const struct csn_column *c)
{
	printf("# HELP %s %s.\n# TYPE %s %s\n", metric, c->help, metric,
	       c->kind == CSN_KIND_COUNTER ? "counter" : "gauge");
}

static void print_metric(const struct csn_sampler *sampler, enum csn_table table, unsigned column)
{
	const struct csn_column *c = csn_table_column(table, column);
	const struct csn_stats *s;
	const char *label = csn_table_label(table);
	char metric[128];
	bool headed = false;

	metric_name(metric, sizeof metric, table, c);
	for (size_t i = 0; (s = csn_sampler_get(sampler, i)); i++)
		for (size_t row = 0; row < csn_stats_rows(s, table); row++) {
			uint64_t value;
			if (!csn_stats_value(s, table, row, column, &value))
				continue;
			if (!headed)
				print_heading(metric, c);
			headed = true;
			printf("%s{", metric);
			print_label("id", csn_stats_id(s), ",");
			print_label("name", csn_stats_name(s), label ? "," : "");
			if (label)
				print_label(label, csn_stats_row_label(s, table, row), "");
			fputs("} ", stdout);
			print_number(c, value);
		}
}

static void print_info(const struct csn_sampler *sampler)
{
	const struct csn_stats *s;
	if (!csn_sampler_get(sampler, 0))
		return;
	puts("# HELP caisson_container_info A container that runs.\n"
	     "# TYPE caisson_container_info gauge");
	for (size_t i = 0; (s = csn_sampler_get(sampler, i)); i++) {
		fputs("caisson_container_info{", stdout);
		print_label("id", csn_stats_id(s), ",");
		print_label("name", csn_stats_name(s), ",");
		print_label("image", csn_stats_image(s), "");
		puts("} 1");
	}
}

void print_stats_prometheus(const struct csn_sampler *sampler)
{
	print_info(sampler);
	for (int table = 0; table < CSN_TABLES; table++)
		for (unsigned column = 0; csn_table_column((enum csn_table)table, column); column++)
			print_metric(sampler, (enum csn_table)table, column);
}
