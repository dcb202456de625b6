/*
 * What it costs to wait for a container's end.
 *
 *	wake ROOT RUN-ROOT after CONTAINER FILE	how late csn_container_wait tells of the end: from
 *		the time that the container's program (`last`) wrote into FILE, the median of many
 *	wake ROOT RUN-ROOT while CONTAINER...	the CPU time of this process while a thread for
 *		each of them waits, over five seconds
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "caisson.h"

enum { ROUNDS = 101, MAX_WAITERS = 1000, QUIET_SECONDS = 5, SETTLE_SECONDS = 2 };

static struct csn_runtime *rt;

static double micros(const struct timespec *t)
{
	return (double)t->tv_sec * 1e6 + (double)t->tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Microseconds from the end of the program to ours, or negative. */
static double one_end(const char *container, const char *file)
{
	struct csn_wait_outcome o = CSN_WAIT_OUTCOME_INIT;
	struct csn_error err = { 0 };
	struct timespec end, now;
	(void)unlink(file);
	if (csn_container_start(rt, container, NULL, &err) < 0 ||
	    csn_container_wait(rt, container, 60000, &o, &err) < 0) {
		fprintf(stderr, "wake: %s\n", err.text);
		return -1;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, &end, sizeof end);
	if (fd >= 0)
		(void)close(fd);
	if (o.exit_code != 0 || n != sizeof end) {
		fprintf(stderr, "wake: the program ended with %d and left no time\n", o.exit_code);
		return -1;
	}
	return micros(&now) - micros(&end);
}

static int after(char **args)
{
	static double took[ROUNDS];
	for (int i = 0; i < ROUNDS; i++)
		if ((took[i] = one_end(args[0], args[1])) < 0)
			return 1;
	qsort(took, ROUNDS, sizeof *took, compare);
	printf("wait: told %.0f us after the end at the median of %d, %.0f at the 95th of a "
	       "hundred "
	       "(target: 2000)\n",
	       took[ROUNDS / 2], ROUNDS, took[ROUNDS * 95 / 100]);
	return 0;
}

static atomic_int wrong;

static void *waiter(void *container)
{
	struct csn_wait_outcome o = CSN_WAIT_OUTCOME_INIT;
	struct csn_error err = { 0 };
	int r = csn_container_wait(rt, container, (SETTLE_SECONDS + QUIET_SECONDS + 2) * 1000, &o,
				   &err);
	if (r != -ETIMEDOUT && atomic_fetch_add(&wrong, 1) == 0)
		fprintf(stderr, "wake: %s\n", r < 0 ? err.text : "it ended");
	return NULL;
}

static double cpu_of(int who)
{
	struct rusage u;
	(void)getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

/* Milliseconds on a CPU of all threads but this one, which measures. */
static double cpu_ms(void)
{
	return cpu_of(RUSAGE_SELF) - cpu_of(RUSAGE_THREAD);
}

static int meanwhile(char **containers)
{
	static pthread_t threads[MAX_WAITERS];
	int n = 0;
	while (containers[n] && n < MAX_WAITERS) {
		int r = pthread_create(&threads[n], NULL, waiter, containers[n]);
		if (r) {
			fprintf(stderr, "wake: a thread: %s\n", strerror(r));
			return 1;
		}
		n++;
	}
	(void)sleep(SETTLE_SECONDS);
	double before = cpu_ms();
	(void)sleep(QUIET_SECONDS);
	double spent = cpu_ms() - before;
	for (int i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	printf("wait: %.3f ms of CPU in %d seconds while %d threads wait for a container each "
	       "(target: 0)\n",
	       spent, QUIET_SECONDS, n - atomic_load(&wrong));
	return atomic_load(&wrong) > 0;
}

int main(int argc, char **argv)
{
	struct csn_config config = CSN_CONFIG_INIT;
	struct csn_error err;
	if (argc < 5 || (strcmp(argv[3], "after") == 0 && argc != 6)) {
		fputs("usage: wake ROOT RUN-ROOT after CONTAINER FILE | while CONTAINER...\n",
		      stderr);
		return 2;
	}
	config.root = argv[1];
	config.run_root = argv[2];
	if (csn_runtime_open_native(&config, &rt, &err) < 0) {
		fprintf(stderr, "wake: %s\n", err.text);
		return 1;
	}
	int r = strcmp(argv[3], "after") == 0 ? after(argv + 4) : meanwhile(argv + 4);
	csn_runtime_close(rt);
	return r;
}
