/*
 * What one full sample of a group costs: with its files kept open, and with each opened for the
 * sample. The group is made for it and holds one sleeping process in a network namespace of its
 * own, so that every file that this host has is there. Prints medians in microseconds.
 *
 *	sample [SAMPLES]
 */
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "cgroups/stats.h"

enum { FILES_MAX = 1000, WARM_UP = 100 };

static double now_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void stop(const char *what, const struct csn_error *err)
{
	fprintf(stderr, "sample: %s: %s\n", what, err->text);
	exit(1);
}

static pid_t sleeper(const struct cgroup *cg)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP | CLONE_NEWNET,
				   .exit_signal = SIGCHLD,
				   .cgroup = (uint64_t)cg->dir };
	pid_t pid = sys_clone3(&args);
	if (pid == 0)
		for (;;)
			(void)pause();
	return pid;
}

/* The two ways alternate, so that whatever else the machine does hits both alike. */
static void measure(struct cgroup_sampler *const ways[2], size_t rounds, double *times[2],
		    unsigned *ret_numbers)
{
	struct csn_error err;
	struct csn_stats *stats = stats_new();
	for (size_t i = 0; i < rounds + WARM_UP; i++)
		for (int way = 0; way < 2; way++) {
			double begin = now_us();
			if (cgroup_sampler_read(ways[way], stats, &err) < 0)
				stop("read", &err);
			if (i >= WARM_UP)
				times[way][i - WARM_UP] = now_us() - begin;
		}
	*ret_numbers = 0;
	for (int table = 0; table < CSN_TABLES; table++)
		for (size_t row = 0; row < csn_stats_rows(stats, (enum csn_table)table); row++)
			for (unsigned column = 0; column < STATS_COLUMNS_MAX; column++) {
				uint64_t value;
				*ret_numbers += csn_stats_value(stats, (enum csn_table)table, row,
								column, &value);
			}
	csn_stats_free(stats);
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 5000;
	double *times[2] = { calloc(rounds + 1, sizeof(double)),
			     calloc(rounds + 1, sizeof(double)) };
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	struct csn_error err;
	bool created;
	if (!rounds || !times[0] || !times[1])
		return 2;
	if (cgroup_create("/csn-bench-sample", ~0U, &cg, &created, &err) < 0)
		stop("group", &err);
	pid_t pid = sleeper(&cg);

	unsigned all = (1U << CSN_TABLES) - 1, kept = FILES_MAX, none = 0, numbers;
	struct cgroup_sampler *ways[2];
	if (pid < 0 || cgroup_sampler_open(&cg, pid, all, &kept, &ways[0], &err) < 0 ||
	    cgroup_sampler_open(&cg, pid, all, &none, &ways[1], &err) < 0)
		stop("open", &err);
	unsigned files = FILES_MAX - kept;
	measure(ways, rounds, times, &numbers);
	for (int way = 0; way < 2; way++) {
		qsort(times[way], rounds, sizeof(double), compare);
		cgroup_sampler_close(ways[way], &kept);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)cgroup_remove("/csn-bench-sample", NULL);
	printf("one full sample (%u files, %u numbers): %.1f us with files kept open (p90 %.1f), "
	       "%.1f us without (p90 %.1f), %.2f of it\n",
	       files, numbers, times[0][rounds / 2], times[0][rounds * 9 / 10],
	       times[1][rounds / 2], times[1][rounds * 9 / 10],
	       times[0][rounds / 2] / times[1][rounds / 2]);
	return 0;
}
