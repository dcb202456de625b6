/*
 * How long the library takes for the last lines of a container's log: from opening it to the last
 * line, the median of many times.
 *
 *	tail ROOT RUN-ROOT CONTAINER LINES
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "caisson.h"

enum { ROUNDS = 101 };

static double now_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	static double took[ROUNDS];
	struct csn_config config = CSN_CONFIG_INIT;
	struct csn_logs_options o = CSN_LOGS_OPTIONS_INIT;
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	struct csn_runtime *rt = NULL;
	struct csn_error err;
	long lines = 0;
	if (argc != 5)
		return 2;
	config.root = argv[1];
	config.run_root = argv[2];
	o.tail = atoi(argv[4]);
	if (csn_runtime_open_native(&config, &rt, &err) < 0) {
		fprintf(stderr, "tail: %s\n", err.text);
		return 1;
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct csn_logs *logs = NULL;
		double start = now_us();
		if (csn_container_logs(rt, argv[3], &o, &logs, &err) < 0) {
			fprintf(stderr, "tail: %s\n", err.text);
			return 1;
		}
		while (csn_logs_next(logs, 0, &line, &err) > 0)
			lines++;
		csn_logs_close(logs);
		took[i] = now_us() - start;
	}
	csn_runtime_close(rt);
	qsort(took, ROUNDS, sizeof *took, compare);
	printf("the last %ld lines: %.0f us (target: 2000)\n", lines / ROUNDS, took[ROUNDS / 2]);
	return 0;
}
