/* caisson ps: the processes of a container, as ps(1) shows them or as host pids. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bin/oci/oci.h"

static const char *format = "table";

static const struct opt options[] = {
	{ 'f', "format", "FORMAT", "table or json", OPT_TEXT, &format },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static void print_json(const pid_t *pids, size_t count)
{
	putchar('[');
	for (size_t i = 0; i < count; i++)
		printf("%s%d", i ? "," : "", (int)pids[i]);
	puts("]");
}

static bool is_listed(const pid_t *pids, size_t count, long pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* Index of the column PID in ps's heading, or -1. */
static int pid_column(const char *heading)
{
	auto_mem char *copy = strdup(heading);
	char *save = NULL;
	int column = 0;
	for (char *word = copy ? strtok_r(copy, " \n", &save) : NULL; word;
	     word = strtok_r(NULL, " \n", &save), column++)
		if (strcmp(word, "PID") == 0)
			return column;
	return -1;
}

static long pid_in(const char *line, int column)
{
	auto_mem char *copy = strdup(line);
	char *save = NULL, *word = copy ? strtok_r(copy, " \n", &save) : NULL;
	for (; word && column > 0; column--)
		word = strtok_r(NULL, " \n", &save);
	return word ? strtol(word, NULL, 10) : -1;
}

static int filter(FILE *ps, const pid_t *pids, size_t count)
{
	auto_mem char *line = NULL;
	size_t size = 0;
	int column = getline(&line, &size, ps) < 0 ? -1 : pid_column(line);
	if (column < 0)
		return oci_fail_text(1, "ps: no PID column in its output");
	fputs(line, stdout);
	while (getline(&line, &size, ps) >= 0)
		if (is_listed(pids, count, pid_in(line, column)))
			fputs(line, stdout);
	return 0;
}

/* ps_args has a place for the program's name in front. */
static int print_table(char **ps_args, const pid_t *pids, size_t count)
{
	char *fallback[] = { NULL, (char[]){ "-ef" }, NULL };
	int pair[2];
	if (!ps_args[0])
		ps_args = fallback + 1;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return oci_fail_text(1, "pipe: %s", strerror(errno));
	pid_t child = fork();
	if (child == 0) {
		ps_args[-1] = (char[]){ "ps" };
		(void)dup2(pair[1], STDOUT_FILENO);
		(void)close(pair[0]);
		(void)close(pair[1]);
		(void)execvp("ps", ps_args - 1);
		_exit(127);
	}
	(void)close(pair[1]);
	FILE *ps = fdopen(pair[0], "r");
	int status = ps && child > 0 ? filter(ps, pids, count) : oci_fail_text(1, "cannot run ps");
	if (ps)
		(void)fclose(ps);
	if (child > 0)
		(void)waitpid(child, NULL, 0);
	return status;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	auto_mem pid_t *pids = NULL;
	size_t count = 0;
	(void)argc;
	bool json = strcmp(format, "json") == 0;

	int status = oci_need_root();
	if (status)
		return status;
	if (!json && strcmp(format, "table") != 0)
		return oci_fail_text(1, "--format: expected table or json, not \"%s\"", format);
	if (host_pids(oci_context(), argv[0], &pids, &count, &err) < 0)
		return oci_fail(&err, 1);
	if (json)
		print_json(pids, count);
	else
		status = print_table(argv + 1, pids, count);
	return status;
}

const struct command command_ps = {
	"ps", "CONTAINER [PS OPTIONS]", "list the processes of a container", 1, -1, get_options, run
};
