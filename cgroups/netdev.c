/*
 * Counters of network interfaces as a process sees them. /proc/PID/net/dev is of the process's
 * network namespace; a namespace that is also ours says nothing about the container.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cgroups/stats.h"

int netdev_open(pid_t pid)
{
	char path[64];
	struct stat ours, theirs;
	(void)snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
	if (stat(path, &theirs) < 0 || stat("/proc/self/ns/net", &ours) < 0 ||
	    (ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev))
		return -1;
	(void)snprintf(path, sizeof path, "/proc/%d/net/dev", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int stats_add_interface(struct csn_stats *s, const char *name, const uint64_t counters[8])
{
	int row = stats_row(s, CSN_TABLE_NETWORK, name);
	for (unsigned i = 0; row >= 0 && i < 8; i++)
		stats_set(s, CSN_TABLE_NETWORK, row, i, counters[i]);
	return row < 0 ? row : 0;
}

/* bytes packets errs drop and four more of receiving, then the same of sending. */
int netdev_parse(char *text, struct csn_stats *s)
{
	char *save = NULL;
	int lines = 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *colon = strrchr(line, ':'); /* a name may have some, the numbers have not */
		if (++lines <= 2 || !colon)
			continue; /* the heading */
		*colon = '\0';
		line += strspn(line, " ");
		unsigned long long n[12];
		if (strcmp(line, "lo") == 0 ||
		    sscanf(colon + 1, "%llu%llu%llu%llu%*u%*u%*u%*u%llu%llu%llu%llu", &n[0], &n[1],
			   &n[2], &n[3], &n[4], &n[5], &n[6], &n[7]) != 8)
			continue;
		const uint64_t counters[8] = { n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7] };
		int r = stats_add_interface(s, line, counters);
		if (r < 0)
			return r;
	}
	return 0;
}
