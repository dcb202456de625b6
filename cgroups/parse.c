/*
 * From the text of a group's file to rows of a sample. The kernel's forms are few: one value, lines
 * of key and value, lines of a name and key=value pairs. What does not read as expected is left
 * out: a number that is not there is better than a wrong one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroups/stats.h"

/* A decimal number or "max" at *at, and past it. */
static bool take_number(const char **at, uint64_t *ret)
{
	const char *p = *at;
	uint64_t n = 0;
	if (strncmp(p, "max", 3) == 0) {
		*ret = CSN_NO_LIMIT;
		*at = p + 3;
		return true;
	}
	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (p == *at)
		return false;
	*ret = n;
	*at = p;
	return true;
}

static bool whole_number(const char *text, uint64_t *ret)
{
	uint64_t n;
	if (!take_number(&text, &n) || *text)
		return false;
	*ret = n;
	return true;
}

/* Cuts the next line off *text; NULL at the end. */
static char *next_line(char **text)
{
	char *line = *text;
	if (!line || !*line)
		return NULL;
	char *end = strchr(line, '\n');
	if (end)
		*end++ = '\0';
	*text = end;
	return line;
}

/* Cuts the next word off *line; NULL at the end. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " \t");
	if (!*word)
		return NULL;
	char *end = word + strcspn(word, " \t");
	if (*end)
		*end++ = '\0';
	*line = end;
	return word;
}

/* The column of a key. Files mostly have the keys in the order of the table: *hint is where the
 * last one was. */
static bool find_key(const struct stats_key *keys, const char *name, size_t *hint, unsigned *ret)
{
	size_t from = *hint;
	for (int pass = 0; pass < 2; pass++, from = 0)
		for (size_t i = from; keys[i].name; i++)
			if (strcmp(keys[i].name, name) == 0) {
				*ret = keys[i].column;
				*hint = i + 1;
				return true;
			}
	return false;
}

/* ---- one row ----------------------------------------------------------------------------------
 */

int parse_single(const struct stats_file *file, const char *label, char *text, struct csn_stats *s)
{
	uint64_t value;
	char *line = next_line(&text);
	if (!line || !whole_number(line, &value))
		return 0;
	int row = stats_row(s, file->table, label);
	if (row >= 0)
		stats_set(s, file->table, row, file->column, value);
	return row < 0 ? row : 0;
}

int parse_keyed(const struct stats_file *file, const char *label, char *text, struct csn_stats *s)
{
	size_t hint = 0;
	int row = -1;
	for (char *line; (line = next_line(&text));) {
		uint64_t value;
		unsigned column;
		char *key = next_word(&line);
		if (!key || !find_key(file->keys, key, &hint, &column) ||
		    !whole_number(line, &value))
			continue;
		if (row < 0)
			row = stats_row(s, file->table, label);
		if (row < 0)
			return row;
		stats_set(s, file->table, row, column, value);
	}
	return 0;
}

/* "max 100000" */
int parse_cpu_max(const struct stats_file *file, const char *label, char *text, struct csn_stats *s)
{
	uint64_t quota, period;
	char *line = next_line(&text), *first = line ? next_word(&line) : NULL;
	if (!first || !whole_number(first, &quota) || !whole_number(line, &period))
		return 0;
	int row = stats_row(s, file->table, label);
	if (row < 0)
		return row;
	stats_set(s, file->table, row, CSN_CPU_QUOTA, quota);
	stats_set(s, file->table, row, CSN_CPU_PERIOD, period);
	return 0;
}

/* How many CPUs "0-3,7" is. */
int parse_cpus(const struct stats_file *file, const char *label, char *text, struct csn_stats *s)
{
	uint64_t count = 0;
	const char *p = text;
	while (*p && *p != '\n') {
		uint64_t from, to;
		if (!take_number(&p, &from))
			return 0;
		to = from;
		if (*p == '-') {
			p++;
			if (!take_number(&p, &to))
				return 0;
		}
		if (to < from || to == CSN_NO_LIMIT)
			return 0;
		count += to - from + 1;
		p += *p == ',';
	}
	int row = count ? stats_row(s, file->table, label) : 0;
	if (count && row >= 0)
		stats_set(s, file->table, row, CSN_CPU_CPUS, count);
	return row < 0 ? row : 0;
}

/* ---- pressure ---------------------------------------------------------------------------------
 */

/* "12.34" in hundredths. */
static bool hundredths(const char *text, uint64_t *ret)
{
	uint64_t whole, part;
	if (!take_number(&text, &whole) || whole > 100 || text[0] != '.' || strlen(text) != 3 ||
	    !whole_number(text + 1, &part))
		return false;
	*ret = whole * 100 + part;
	return true;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same for full. */
int parse_pressure(const struct stats_file *file, const char *label, char *text,
		   struct csn_stats *s)
{
	(void)label;
	static const char *const names[] = { "avg10=", "avg60=", "avg300=", "total=" };
	char resource[16];
	size_t length = strcspn(file->name, ".");
	if (length >= sizeof resource)
		return 0;
	memcpy(resource, file->name, length);
	resource[length] = '\0';
	int row = stats_row(s, file->table, resource);
	for (char *line; row >= 0 && (line = next_line(&text));) {
		const char *kind = next_word(&line);
		if (!kind || (strcmp(kind, "some") != 0 && strcmp(kind, "full") != 0))
			continue;
		unsigned first = kind[0] == 's' ? CSN_PRESSURE_SOME_AVG10 : CSN_PRESSURE_FULL_AVG10;
		for (char *word; (word = next_word(&line));)
			for (unsigned i = 0; i < 4; i++) {
				uint64_t value;
				size_t n = strlen(names[i]);
				if (strncmp(word, names[i], n) == 0 &&
				    (i < 3 ? hundredths(word + n, &value)
					   : whole_number(word + n, &value)))
					stats_set(s, file->table, row, first + i, value);
			}
	}
	return row < 0 ? row : 0;
}

/* ---- a row for each thing ---------------------------------------------------------------------
 */

/* "8:0 rbytes=1 wbytes=2" */
int parse_devices(const struct stats_file *file, const char *label, char *text, struct csn_stats *s)
{
	(void)label;
	for (char *line; (line = next_line(&text));) {
		size_t hint = 0;
		int row = -1;
		char *name = next_word(&line);
		for (char *word; name && (word = next_word(&line));) {
			uint64_t value;
			unsigned column;
			char *equals = strchr(word, '=');
			if (!equals)
				continue;
			*equals = '\0';
			if (!find_key(file->keys, word, &hint, &column) ||
			    !whole_number(equals + 1, &value))
				continue;
			if (row < 0)
				row = stats_row(s, file->table, name);
			if (row < 0)
				return row;
			stats_set(s, file->table, row, column, value);
		}
	}
	return 0;
}

/* "default 100" and "8:0 50"; io.bfq.weight without devices is "100" in old kernels. */
int parse_weights(const struct stats_file *file, const char *label, char *text, struct csn_stats *s)
{
	(void)label;
	for (char *line; (line = next_line(&text));) {
		uint64_t value;
		const char *name = next_word(&line), *number = line;
		if (!name)
			continue;
		if (!*line) {
			number = name;
			name = "default";
		}
		if (!whole_number(number, &value))
			continue;
		int row = stats_row(s, file->table, name);
		if (row < 0)
			return row;
		stats_set(s, file->table, row, file->column, value);
	}
	return 0;
}

/* "name 5": a row a line; misc.* files share their rows. */
int parse_labelled(const struct stats_file *file, const char *label, char *text,
		   struct csn_stats *s)
{
	(void)label;
	for (char *line; (line = next_line(&text));) {
		uint64_t value;
		char *name = next_word(&line);
		if (!name || !whole_number(line, &value))
			continue;
		/* misc.events says "name.max 5" */
		char *dot = strchr(name, '.');
		if (dot)
			*dot = '\0';
		int row = stats_row(s, file->table, name);
		if (row < 0)
			return row;
		stats_set(s, file->table, row, file->column, value);
	}
	return 0;
}

/* memory.stat: every line is new. What could go at once is not in the working set. */
int parse_all(const struct stats_file *file, const char *label, char *text, struct csn_stats *s)
{
	(void)label;
	for (char *line; (line = next_line(&text));) {
		uint64_t value, current;
		char *name = next_word(&line);
		if (!name || !whole_number(line, &value))
			continue;
		int row = stats_add_row(s, file->table, name);
		if (row < 0)
			return row;
		stats_set(s, file->table, row, file->column, value);
		if (strcmp(name, "inactive_file") == 0 &&
		    csn_stats_value(s, CSN_TABLE_MEMORY, 0, CSN_MEMORY_CURRENT, &current))
			stats_set(s, CSN_TABLE_MEMORY, 0, CSN_MEMORY_WORKING_SET,
				  current > value ? current - value : 0);
	}
	return 0;
}

/* "anon N0=1 N1=2": a row for each node. */
int parse_numa(const struct stats_file *file, const char *label, char *text, struct csn_stats *s)
{
	(void)label;
	size_t hint = 0;
	for (char *line; (line = next_line(&text));) {
		unsigned column;
		char *name = next_word(&line);
		if (!name || !find_key(file->keys, name, &hint, &column))
			continue;
		for (char *word; (word = next_word(&line));) {
			uint64_t value;
			char *equals = strchr(word, '=');
			if (!equals || !whole_number(equals + 1, &value))
				continue;
			*equals = '\0';
			int row = stats_row(s, file->table, word);
			if (row < 0)
				return row;
			stats_set(s, file->table, row, column, value);
		}
	}
	return 0;
}
