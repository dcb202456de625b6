/* Tables: measure, then print. */
#include "bin/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_WIDTH = 12, PADDING = 3 };

void out_table_add(struct out_table *t, const char *cell)
{
	char **grown = realloc(t->cells, (t->count + 1) * sizeof *grown);
	if (!grown)
		return;
	t->cells = grown;
	t->cells[t->count++] = strdup(cell ? cell : "");
}

void out_table_row(struct out_table *t, const char *const *cells)
{
	for (size_t i = 0; i < t->columns; i++)
		out_table_add(t, cells[i]);
}

/* In characters: UTF-8's continuation bytes take no room. */
static size_t text_width(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static size_t width_of(const struct out_table *t, size_t column)
{
	size_t width = MIN_WIDTH - PADDING;
	for (size_t i = column; i < t->count; i += t->columns) {
		size_t n = t->cells[i] ? text_width(t->cells[i]) : 0;
		if (n > width)
			width = n;
	}
	return width + PADDING;
}

void out_table_print(struct out_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		size_t column = i % t->columns;
		bool last = column + 1 == t->columns;
		const char *cell = t->cells[i] ? t->cells[i] : "";
		size_t pad = last ? 0 : width_of(t, column) - text_width(cell);
		printf("%s%*s%s", cell, (int)pad, "", last ? "\n" : "");
	}
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct out_table){ .columns = t->columns };
}
