/*
 * Times whole commands against each other: in every round each command runs once, so that whatever
 * else the machine does hits all of them alike. Prints medians, 90th percentiles and ratios.
 *
 *	interleave ROUNDS JSON-FILE NAME COMMAND [NAME COMMAND ...]
 *
 * A COMMAND is parted at spaces; there is no shell. The first three rounds are warm-up. A command
 * that fails ends everything: a time of a failure is no time.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { WARM_UP = 3, WORDS_MAX = 64, CONTESTANTS_MAX = 16 };

struct contestant {
	const char *name;
	char *words[WORDS_MAX];
	double *ms;
};

extern char **environ;

static double now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double run_once(const struct contestant *c)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status = -1;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	double start = now_ms();
	int r = posix_spawnp(&pid, c->words[0], &actions, NULL, c->words, environ);
	if (r == 0)
		(void)waitpid(pid, &status, 0);
	double taken = now_ms() - start;
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0 || status != 0) {
		fprintf(stderr, "%s: %s\n", c->name, r ? strerror(r) : "the command failed");
		exit(1);
	}
	return taken;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double quantile(const struct contestant *c, size_t rounds, double q)
{
	return c->ms[(size_t)((double)(rounds - 1) * q)];
}

static const struct contestant *find(const struct contestant *c, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(c[i].name, name) == 0)
			return &c[i];
	return NULL;
}

static void print_ratio(const struct contestant *c, const struct contestant *to, size_t rounds)
{
	if (to)
		printf("  %7.2f", quantile(c, rounds, 0.5) / quantile(to, rounds, 0.5));
	else
		printf("  %7s", "-");
}

static void print_text(const struct contestant *c, size_t count, size_t rounds)
{
	const struct contestant *floor = find(c, count, "floor"), *crun = find(c, count, "crun");
	printf("%-10s  %9s  %9s  %7s  %7s   (%zu rounds, milliseconds)\n", "", "median", "p90",
	       "/floor", "/crun", rounds);
	for (size_t i = 0; i < count; i++) {
		printf("%-10s  %9.3f  %9.3f", c[i].name, quantile(&c[i], rounds, 0.5),
		       quantile(&c[i], rounds, 0.9));
		print_ratio(&c[i], floor, rounds);
		print_ratio(&c[i], crun, rounds);
		putchar('\n');
	}
}

static int print_json(const char *path, const struct contestant *c, size_t count, size_t rounds)
{
	FILE *f = fopen(path, "we");
	if (!f) {
		perror(path);
		return 1;
	}
	fprintf(f, "{\"rounds\":%zu,\"unit\":\"ms\",\"results\":[", rounds);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "%s{\"name\":\"%s\",\"median\":%.4f,\"p90\":%.4f,\"min\":%.4f}",
			i ? "," : "", c[i].name, quantile(&c[i], rounds, 0.5),
			quantile(&c[i], rounds, 0.9), c[i].ms[0]);
	fprintf(f, "]}\n");
	return fclose(f) != 0;
}

static void part(char *command, struct contestant *c)
{
	size_t n = 0;
	char *save = NULL;
	for (char *w = strtok_r(command, " ", &save); w && n < WORDS_MAX - 1;
	     w = strtok_r(NULL, " ", &save))
		c->words[n++] = w;
}

int main(int argc, char **argv)
{
	static struct contestant contestants[CONTESTANTS_MAX];
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	size_t count = argc > 4 ? (size_t)(argc - 3) / 2 : 0;

	if (!rounds || !count || count > CONTESTANTS_MAX || argc % 2 == 0) {
		fprintf(stderr,
			"Usage: interleave ROUNDS JSON-FILE NAME COMMAND [NAME COMMAND...]\n");
		return 2;
	}
	for (size_t i = 0; i < count; i++) {
		contestants[i].name = argv[3 + 2 * i];
		contestants[i].ms = calloc(rounds, sizeof(double));
		part(argv[4 + 2 * i], &contestants[i]);
		if (!contestants[i].ms || !contestants[i].words[0])
			return 2;
	}
	for (size_t r = 0; r < rounds + WARM_UP; r++)
		for (size_t i = 0; i < count; i++) {
			double ms = run_once(&contestants[i]);
			if (r >= WARM_UP)
				contestants[i].ms[r - WARM_UP] = ms;
		}
	for (size_t i = 0; i < count; i++)
		qsort(contestants[i].ms, rounds, sizeof(double), compare);
	print_text(contestants, count, rounds);
	return print_json(argv[2], contestants, count, rounds);
}
