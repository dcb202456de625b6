/* The option parser: one loop over rows. Words are as runc's users know them. */
#include "bin/opts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"

static bool takes_value(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_IGNORED_FLAG;
}

static int add_to_list(struct opt_list *list, const char *value, struct csn_error *err)
{
	const char **grown = realloc(list->items, (list->count + 2) * sizeof *grown);
	if (!grown)
		return fail(err, ENOMEM, "out of memory");
	list->items = grown;
	list->items[list->count++] = value;
	list->items[list->count] = NULL;
	return 0;
}

void opt_list_free(struct opt_list *list)
{
	free(list->items);
	*list = (struct opt_list){ 0 };
}

static int parse_flag(const struct opt *o, const char *value, struct csn_error *err)
{
	bool on = !value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
	bool off = value && (strcmp(value, "false") == 0 || strcmp(value, "0") == 0);
	if (!on && !off)
		return fail(err, EINVAL, "option --%s: expected true or false, not \"%s\"", o->name,
			    value);
	*(bool *)o->target = on;
	return 0;
}

static int parse_int(const struct opt *o, const char *value, struct csn_error *err)
{
	char *end;
	errno = 0;
	long n = strtol(value, &end, 10);
	if (errno || end == value || *end || n < -2147483647L || n > 2147483647L)
		return fail(err, EINVAL, "option --%s: expected a number, not \"%s\"", o->name,
			    value);
	*(int *)o->target = (int)n;
	return 0;
}

static int apply(const struct opt *o, const char *value, struct csn_error *err)
{
	switch (o->kind) {
	case OPT_FLAG:
		return parse_flag(o, value, err);
	case OPT_TEXT:
		*(const char **)o->target = value;
		return 0;
	case OPT_INT:
		return parse_int(o, value, err);
	case OPT_LIST:
		return add_to_list(o->target, value, err);
	case OPT_IGNORED:
	case OPT_IGNORED_FLAG:
		return 0;
	}
	return 0;
}

static const struct opt *find_long(const struct opt *rows, const char *name, size_t length)
{
	for (; rows && rows->name; rows++)
		if (strlen(rows->name) == length && strncmp(rows->name, name, length) == 0)
			return rows;
	return NULL;
}

static const struct opt *find_short(const struct opt *rows, char letter)
{
	for (; rows && rows->name; rows++)
		if (rows->letter == letter)
			return rows;
	return NULL;
}

struct words {
	int argc, at;
	char **argv;
	bool *ret_help;
};

static int parse_long(const struct opt *rows, struct words *w, struct csn_error *err)
{
	const char *word = w->argv[w->at] + 2;
	size_t length = strcspn(word, "=");
	const char *value = word[length] == '=' ? word + length + 1 : NULL;
	const struct opt *o = find_long(rows, word, length);

	if (!o && length == 4 && strncmp(word, "help", 4) == 0) {
		*w->ret_help = true;
		return 0;
	}
	if (!o)
		return fail(err, EINVAL, "unknown option --%.*s", (int)length, word);
	if (takes_value(o) && !value) {
		if (w->at + 1 >= w->argc)
			return fail(err, EINVAL, "option --%s needs a value", o->name);
		value = w->argv[++w->at];
	}
	return apply(o, value, err);
}

/* "-dit", "-b DIR", "-bDIR". */
static int parse_cluster(const struct opt *rows, struct words *w, struct csn_error *err)
{
	for (const char *p = w->argv[w->at] + 1; *p; p++) {
		const struct opt *o = find_short(rows, *p);
		if (!o && *p == 'h') {
			*w->ret_help = true;
			continue;
		}
		if (!o)
			return fail(err, EINVAL, "unknown option -%c", *p);
		if (!takes_value(o)) {
			TRY(apply(o, NULL, err));
			continue;
		}
		const char *value = p[1] ? p + 1 + (p[1] == '=') : NULL;
		if (!value && w->at + 1 >= w->argc)
			return fail(err, EINVAL, "option -%c needs a value", *p);
		return apply(o, value ? value : w->argv[++w->at], err);
	}
	return 0;
}

/* Brings the words from first up to end in front of those that begin at to. */
static void move_words(char **argv, int to, int first, int end)
{
	for (; first < end; first++, to++) {
		char *word = argv[first];
		memmove(&argv[to + 1], &argv[to], (size_t)(first - to) * sizeof *argv);
		argv[to] = word;
	}
}

int opts_parse(const struct opt *rows, int argc, char **argv, bool mixed, int *ret_first,
	       bool *ret_help, struct csn_error *err)
{
	struct words w = { .argc = argc, .argv = argv, .ret_help = ret_help };
	int options = 1; /* where the next word that is an option goes */

	*ret_help = false;
	for (w.at = 1; w.at < argc; w.at++) {
		const char *word = argv[w.at];
		int first = w.at;
		if (word[0] != '-' || word[1] == '\0') {
			if (!mixed)
				break;
			continue;
		}
		bool end = strcmp(word, "--") == 0;
		if (!end)
			TRY(word[1] == '-' ? parse_long(rows, &w, err)
					   : parse_cluster(rows, &w, err));
		move_words(argv, options, first, w.at + 1);
		options += w.at + 1 - first;
		if (end)
			break;
	}
	*ret_first = options;
	return 0;
}

/* ---- help ------------------------------------------------------------------------------------ */

static void print_options(const struct opt *rows)
{
	char left[64];
	const char *help = find_short(rows, 'h') ? "    --help" : "-h, --help";
	for (; rows && rows->name; rows++) {
		if (!rows->help)
			continue;
		int n = rows->letter
				? snprintf(left, sizeof left, "-%c, --%s", rows->letter, rows->name)
				: snprintf(left, sizeof left, "    --%s", rows->name);
		if (rows->value && n > 0 && (size_t)n < sizeof left)
			(void)snprintf(left + n, sizeof left - (size_t)n, " %s", rows->value);
		printf("  %-30s %s\n", left, rows->help);
	}
	printf("  %-30s %s\n", help, "show this help");
}

void opts_print_help(const char *program, const struct command *c)
{
	printf("Usage: %s [GLOBAL OPTIONS] %s [OPTIONS]%s%s\n\n%s\n\nOptions:\n", program, c->name,
	       c->operands ? " " : "", c->operands ? c->operands : "", c->summary);
	print_options(c->options ? c->options() : NULL);
}

void opts_print_program_help(const char *program, const char *summary, const struct opt *globals,
			     const struct command *const *commands)
{
	printf("Usage: %s [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\n%s\n\nCommands:\n",
	       program, summary);
	for (; *commands; commands++)
		if ((*commands)->summary)
			printf("  %-12s %s\n", (*commands)->name, (*commands)->summary);
	printf("\nGlobal options:\n");
	print_options(globals);
	printf("\n%s COMMAND --help shows the options of a command.\n", program);
}

static int usage_error(const char *program, const struct command *c, const char *text)
{
	log_line(LOG_LEVEL_ERROR, "%s", text);
	if (log_to_file())
		fprintf(stderr, "%s\n", text);
	fprintf(stderr, "see '%s %s --help'\n", program, c->name);
	return 1;
}

int opts_run_command(const char *program, const struct command *const *commands, int argc,
		     char **argv)
{
	struct csn_error err;
	char text[600];
	bool help;
	int first;

	while (*commands && strcmp((*commands)->name, argv[0]) != 0)
		commands++;
	const struct command *c = *commands;
	if (!c) {
		(void)snprintf(text, sizeof text, "unknown command \"%s\"", argv[0]);
		log_line(LOG_LEVEL_ERROR, "%s", text);
		if (log_to_file())
			fprintf(stderr, "%s\n", text);
		fprintf(stderr, "see '%s --help'\n", program);
		return 1;
	}
	if (opts_parse(c->options ? c->options() : NULL, argc, argv, c->max_operands >= 0, &first,
		       &help, &err) < 0)
		return usage_error(program, c, err.text);
	if (help) {
		opts_print_help(program, c);
		return 0;
	}
	int operands = argc - first;
	if (operands < c->min_operands || (c->max_operands >= 0 && operands > c->max_operands)) {
		(void)snprintf(text, sizeof text, "%s: expected %s%s", c->name,
			       operands < c->min_operands || !c->operands ? "" : "no more than ",
			       c->operands ? c->operands : "no arguments");
		return usage_error(program, c, text);
	}
	return c->run(operands, argv + first);
}
