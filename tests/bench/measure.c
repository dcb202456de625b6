/*
 * measure [--also PID] COMMAND ARG...
 *
 * Runs a command and prints "wall_seconds cpu_seconds peak_mib" on standard output (the command's
 * own goes to /dev/null): CPU of it and all its descendants, and the largest sum of their
 * proportional set sizes, sampled every 10 ms. --also adds a daemon that does the work for it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIDS_MAX 4096

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of /proc/PID/stat: parent, and CPU seconds with those of reaped children. */
static double read_stat(int pid, int *ret_parent)
{
	char path[64], text[1024];
	unsigned long u = 0, s = 0, cu = 0, cs = 0;
	const char *end;

	*ret_parent = 0;
	(void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	end = strrchr(text, ')');
	if (!end || sscanf(end, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu",
			   ret_parent, &u, &s, &cu, &cs) != 5)
		return 0;
	return (double)(u + s + cu + cs) / (double)sysconf(_SC_CLK_TCK);
}

static long read_pss(int pid)
{
	char path[64], line[256];
	long kib = 0;

	(void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Pss: %ld", &kib) == 1)
			break;
	if (f)
		(void)fclose(f);
	return kib;
}

/* Sum over top, its descendants, and the daemon with its descendants. */
static long sum_pss(int top, int also)
{
	static int pids[PIDS_MAX], parents[PIDS_MAX];
	int count = 0;
	long kib = 0;
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d)) && count < PIDS_MAX) {
		pids[count] = atoi(e->d_name);
		if (pids[count] > 0) {
			(void)read_stat(pids[count], &parents[count]);
			count++;
		}
	}
	if (d)
		(void)closedir(d);
	for (int i = 0; i < count; i++)
		for (int p = pids[i], steps = 0; p > 1 && steps < 20; steps++) {
			if (p == top || p == also) {
				kib += read_pss(pids[i]);
				break;
			}
			int j = 0;
			while (j < count && pids[j] != p)
				j++;
			p = j < count ? parents[j] : 0;
		}
	return kib;
}

static int run(char **argv)
{
	int null = open("/dev/null", O_RDWR);

	(void)dup2(null, STDOUT_FILENO);
	(void)execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	int also = 0, status = 0, parent;
	struct rusage r;
	long peak = 0;

	argv++, argc--;
	if (argc > 2 && strcmp(argv[0], "--also") == 0) {
		also = atoi(argv[1]);
		argv += 2;
	}
	if (!argv[0])
		return 2;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	double before = also ? read_stat(also, &parent) : 0, start = now();
	pid_t pid = fork();
	if (pid == 0)
		return run(argv);
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	while (poll(&p, 1, 10) == 0) {
		long kib = sum_pss(pid, also);
		peak = kib > peak ? kib : peak;
	}
	double wall = now() - start;
	(void)waitpid(pid, &status, 0);
	while (waitpid(-1, NULL, 0) > 0)
		;
	(void)getrusage(RUSAGE_CHILDREN, &r);
	double cpu = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
		     (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
	if (also)
		cpu += read_stat(also, &parent) - before;
	printf("%.2f %.2f %.0f\n", wall, cpu, (double)peak / 1024);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
