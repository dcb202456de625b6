/*
 * From the first image of the monitor to the second: a struct as words of argv, fds by number.
 * Everything that is not named there is closed by the kernel at execve.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "monitor/supervise.h"

enum { WORDS = 14 };

void supervision_exec(const struct supervision *s, const char *mode)
{
	char fds[FD_COUNT * 12] = "", pid[16], started[48], oom[48], log[40];
	size_t at = 0;

	for (int i = 0; i < FD_COUNT; i++) {
		at += (size_t)snprintf(fds + at, sizeof fds - at, "%s%d", i ? "," : "", s->fds[i]);
		if (s->fds[i] >= 0)
			(void)fcntl(s->fds[i], F_SETFD, 0);
	}
	(void)snprintf(pid, sizeof pid, "%d", (int)s->pid);
	(void)snprintf(started, sizeof started, "%lld.%ld", (long long)s->started.tv_sec,
		       (long)s->started.tv_nsec);
	(void)snprintf(oom, sizeof oom, "%" PRIu64 ",%" PRIu64, s->oom_kills, s->oom_group_kills);
	(void)snprintf(log, sizeof log, "%" PRIu64 ",%u", s->log_max_size, s->log_max_files);
	const char *argv[WORDS + 1] = { "caisson-monitor",
					mode,
					s->root,
					s->run_root,
					s->id,
					s->cgroup,
					s->name,
					s->image,
					s->restarter ? s->restarter : "",
					s->auto_remove ? "auto-remove" : "keep",
					pid,
					started,
					oom,
					log,
					NULL };
	const char *with_fds[WORDS + 2];
	memcpy(with_fds, argv, sizeof argv);
	with_fds[WORDS] = fds;
	with_fds[WORDS + 1] = NULL;
	static char *const no_env[] = { NULL };
	(void)execve("/proc/self/exe", (char *const *)(uintptr_t)with_fds, no_env);
}

int supervision_parse(int argc, char **argv, struct supervision *ret)
{
	if (argc != WORDS + 1)
		return -EINVAL;
	ret->root = argv[2];
	ret->run_root = argv[3];
	ret->id = argv[4];
	ret->cgroup = argv[5];
	ret->name = argv[6];
	ret->image = argv[7];
	ret->restarter = argv[8];
	ret->auto_remove = strcmp(argv[9], "auto-remove") == 0;
	ret->pid = (pid_t)atoi(argv[10]);
	char *rest;
	ret->started.tv_sec = strtoll(argv[11], &rest, 10);
	ret->started.tv_nsec = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
	ret->oom_kills = strtoull(argv[12], &rest, 10);
	ret->oom_group_kills = *rest == ',' ? strtoull(rest + 1, NULL, 10) : 0;

	ret->log_max_size = strtoull(argv[13], &rest, 10);
	ret->log_max_files = *rest == ',' ? (unsigned)strtoul(rest + 1, NULL, 10) : 1;

	const char *p = argv[14];
	for (int i = 0; i < FD_COUNT; i++) {
		char *end;
		ret->fds[i] = (int)strtol(p, &end, 10);
		if (end == p || (*end != ',' && *end != '\0'))
			return -EINVAL;
		if (ret->fds[i] >= 0)
			(void)fcntl(ret->fds[i], F_SETFD, FD_CLOEXEC);
		p = *end ? end + 1 : end;
	}
	return ret->pid > 0 ? 0 : -EINVAL;
}
