/*
 * A sample: tables of rows, rows of numbers with a bit for each that is there. Labels and numbers
 * lie in two blocks that are used again for the next sample, so that sampling allocates nothing
 * once it has seen the largest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroups/stats.h"

struct csn_stats *stats_new(void)
{
	return calloc(1, sizeof(struct csn_stats));
}

void csn_stats_free(struct csn_stats *stats)
{
	if (!stats)
		return;
	for (size_t i = 0; i < CSN_TABLES; i++)
		free(stats->tables[i].rows);
	free(stats->values);
	free(stats->labels);
	free(stats->name);
	free(stats->image);
	free(stats);
}

void stats_clear(struct csn_stats *s)
{
	for (size_t i = 0; i < CSN_TABLES; i++)
		s->tables[i].count = 0;
	s->values_count = s->labels_count = 0;
	s->has_cpu_percent = false;
}

/* Room for `more` elements behind `count`. */
static bool reserve(void *block, size_t *capacity, size_t count, size_t more, size_t element)
{
	if (count + more <= *capacity)
		return true;
	size_t grown = (count + more) * 2;
	void **p = block;
	void *bytes = reallocarray(*p, grown, element);
	if (!bytes)
		return false;
	*p = bytes;
	*capacity = grown;
	return true;
}

int stats_add_row(struct csn_stats *s, enum csn_table table, const char *label)
{
	size_t length = strlen(label) + 1, columns = stats_columns(table);
	if (!reserve(&s->tables[table].rows, &s->tables[table].capacity, s->tables[table].count, 1,
		     sizeof(struct stats_row)) ||
	    !reserve(&s->labels, &s->labels_capacity, s->labels_count, length, 1) ||
	    !reserve(&s->values, &s->values_capacity, s->values_count, columns, sizeof(uint64_t)))
		return -ENOMEM;
	size_t row = s->tables[table].count++;
	s->tables[table].rows[row] =
		(struct stats_row){ .label = s->labels_count, .values = s->values_count };
	memcpy(s->labels + s->labels_count, label, length);
	s->labels_count += length;
	s->values_count += columns;
	return (int)row;
}

int stats_row(struct csn_stats *s, enum csn_table table, const char *label)
{
	for (size_t i = s->tables[table].count; i-- > 0;)
		if (strcmp(s->labels + s->tables[table].rows[i].label, label) == 0)
			return (int)i;
	return stats_add_row(s, table, label);
}

void stats_set(struct csn_stats *s, enum csn_table table, int row, unsigned column, uint64_t value)
{
	struct stats_row *r = &s->tables[table].rows[row];
	s->values[r->values + column] = value;
	r->present |= UINT64_C(1) << column;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

const char *csn_stats_id(const struct csn_stats *stats)
{
	return stats->id;
}

const char *csn_stats_name(const struct csn_stats *stats)
{
	return stats->name ? stats->name : "";
}

const char *csn_stats_image(const struct csn_stats *stats)
{
	return stats->image ? stats->image : "";
}

int64_t csn_stats_time_ns(const struct csn_stats *stats)
{
	return stats->time_ns;
}

size_t csn_stats_rows(const struct csn_stats *stats, enum csn_table table)
{
	return (size_t)table < CSN_TABLES ? stats->tables[table].count : 0;
}

static const struct stats_row *row_at(const struct csn_stats *s, enum csn_table table, size_t row)
{
	return row < csn_stats_rows(s, table) ? &s->tables[table].rows[row] : NULL;
}

const char *csn_stats_row_label(const struct csn_stats *stats, enum csn_table table, size_t row)
{
	const struct stats_row *r = row_at(stats, table, row);
	return r ? stats->labels + r->label : "";
}

bool csn_stats_value(const struct csn_stats *stats, enum csn_table table, size_t row,
		     unsigned column, uint64_t *ret)
{
	const struct stats_row *r = row_at(stats, table, row);
	if (!r || column >= STATS_COLUMNS_MAX || !(r->present >> column & 1))
		return false;
	*ret = stats->values[r->values + column];
	return true;
}

bool csn_stats_cpu_percent(const struct csn_stats *stats, double *ret)
{
	if (stats->has_cpu_percent)
		*ret = stats->cpu_percent;
	return stats->has_cpu_percent;
}

bool csn_stats_memory_percent(const struct csn_stats *stats, double *ret)
{
	uint64_t used, max;
	if (!csn_stats_value(stats, CSN_TABLE_MEMORY, 0, CSN_MEMORY_MAX, &max) ||
	    max == CSN_NO_LIMIT ||
	    (!csn_stats_value(stats, CSN_TABLE_MEMORY, 0, CSN_MEMORY_WORKING_SET, &used) &&
	     !csn_stats_value(stats, CSN_TABLE_MEMORY, 0, CSN_MEMORY_CURRENT, &used)))
		return false;
	/* A limit may have been lowered below what is used, even to nothing. */
	*ret = used >= max ? 100 : 100 * (double)used / (double)max;
	return true;
}
