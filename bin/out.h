/* What programs print for people: tables with aligned columns. */
#ifndef CSN_BIN_OUT_H
#define CSN_BIN_OUT_H

#include <stdbool.h>
#include <stddef.h>

/* Rows of cells (strings are borrowed until out_table_print); the first row is the heading. */
struct out_table {
	size_t columns;
	char **cells; /* malloc'd copies, row by row */
	size_t count;
};

void out_table_add(struct out_table *t, const char *cell); /* NULL prints as "" */
/* A whole row: as many cells as there are columns. */
void out_table_row(struct out_table *t, const char *const *cells);
/* Columns are as wide as their widest cell (at least 12), with three spaces between. Frees. */
void out_table_print(struct out_table *t);

#endif
