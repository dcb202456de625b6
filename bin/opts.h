/*
 * Command lines from tables: parsing, --help, completion and the man-page lint read the same rows.
 *
 * "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE", clusters of short flags. Parsing stops at
 * "--", and at the first word that is no option; but options of a command that takes a known number
 * of operands may also follow them, as runc's users write "delete ID --force".
 */
#ifndef CSN_BIN_OPTS_H
#define CSN_BIN_OPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "caisson.h"

enum opt_kind {
	OPT_FLAG,    /* bool *; also --flag=true|false */
	OPT_TEXT,    /* const char ** */
	OPT_INT,     /* int *; decimal */
	OPT_LIST,    /* struct opt_list *; repeatable */
	OPT_IGNORED, /* accepted with its value for other runtimes' sake; NULL */
	OPT_IGNORED_FLAG,
};

struct opt_list {
	const char **items; /* end with NULL; NULL when there are none; freed by opt_list_free */
	size_t count;
};

struct opt {
	char letter;	   /* 0: none */
	const char *name;  /* without dashes */
	const char *value; /* "DIR" in the help; NULL for flags */
	const char *help;  /* NULL: hidden */
	enum opt_kind kind;
	void *target;
};

/* Parses argv[1…]; *ret_first is the index of the first operand. rows end with name == NULL.
 * --help and -h are always known: *ret_help. -EINVAL: "unknown option --x", "option --x needs a
 * value". With mixed set, options may follow operands: argv is put in order, options first. */
int opts_parse(const struct opt *rows, int argc, char **argv, bool mixed, int *ret_first,
	       bool *ret_help, struct csn_error *err);
void opt_list_free(struct opt_list *list);

/* One command of a program. */
struct command {
	const char *name;
	const char *operands;		    /* "CONTAINER [SIGNAL]" */
	const char *summary;		    /* one line */
	int min_operands, max_operands;	    /* -1: any number */
	const struct opt *(*options)(void); /* its rows; may be NULL */
	/* argv[0] is the first operand. The exit status. */
	int (*run)(int argc, char **argv);
};

/* Prints "Usage: PROGRAM [GLOBAL OPTIONS] NAME …", options, summary. */
void opts_print_help(const char *program, const struct command *c);
void opts_print_program_help(const char *program, const char *summary, const struct opt *globals,
			     const struct command *const *commands);
/* Finds, parses, checks the number of operands, runs; words errors on the program's log. */
int opts_run_command(const char *program, const struct command *const *commands, int argc,
		     char **argv);

#endif
