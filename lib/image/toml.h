/*
 * TOML 1.0 as registries.conf and hosts.toml use it: tables, arrays of tables, dotted keys, strings
 * of all four kinds, integers, booleans, arrays, inline tables. Floating-point numbers and dates
 * occur in neither and are refused.
 */
#ifndef CSN_IMAGE_TOML_H
#define CSN_IMAGE_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "caisson.h"

enum toml_kind { TOML_STRING, TOML_INTEGER, TOML_BOOL, TOML_ARRAY, TOML_TABLE };

struct toml {
	enum toml_kind kind;
	char *key; /* in a table */
	char *string;
	int64_t integer;
	bool boolean;
	struct toml *first, *next; /* elements or members, in the file's order */
	int line;		   /* where it begins */
	/* How it came to be, for the rules about defining things twice. */
	bool closed;	/* inline, or an array with "=": nothing may be added */
	bool defined;	/* [table] was seen */
	bool of_tables; /* an array made by [[name]] */
};

/* text ends with NUL. Errors are "name:LINE: …". *ret is the root table, in the arena. */
int toml_parse(const char *text, size_t size, const char *name, struct arena *arena,
	       struct toml **ret, struct csn_error *err);
/* A member of a table; NULL when it is not there. */
const struct toml *toml_get(const struct toml *table, const char *key);

#endif
