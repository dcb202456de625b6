/*
 * Retiring the file of a log: see logfiles.h for what is there at each moment. Nobody else changes
 * these files while the monitor lives, so numbers are looked for without a lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "monitor/logfiles.h"
#include "monitor/logs.h"

struct outdated {
	int dir;
	uint64_t until; /* and that one, too */
};

static bool remove_outdated(void *data, uint64_t number)
{
	const struct outdated *o = data;
	char name[LOG_NAME_MAX];
	log_file_name(number, name);
	if (number <= o->until)
		(void)unlinkat(o->dir, name, 0);
	return true;
}

/* The number under which the file is known from now on. */
static int number_it(const struct log_file *log, uint64_t *ret)
{
	struct log_range range = { .from = 1, .to = UINT64_MAX };
	char name[LOG_NAME_MAX];
	int r = log_files_range(log->dir, &range);
	if (r < 0)
		return r;
	*ret = range.highest;
	log_file_name(range.highest, name);
	/* A monitor was killed here: it has its number. */
	if (range.highest && log_file_is(log->dir, name, log->fd))
		return 0;
	log_file_name(++*ret, name);
	return linkat(log->dir, LOG_NAME, log->dir, name, 0) < 0 ? -errno : 0;
}

int log_rotate(struct log_file *log)
{
	uint64_t number = 0;
	auto_fd next =
		openat(log->dir, LOG_NEXT,
		       O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = next < 0 ? -errno : 0;
	if (r == 0 && log->max_files > 1)
		r = number_it(log, &number);
	if (r == 0 && renameat(log->dir, LOG_NEXT, log->dir, LOG_NAME) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(log->dir, LOG_NEXT, 0);
		return r;
	}
	close_fd(&log->fd);
	log->fd = take_fd(&next);
	struct outdated o = { log->dir, number < log->max_files ? 0 : number + 1 - log->max_files };
	if (o.until)
		(void)log_files_each(log->dir, remove_outdated, &o);
	return 0;
}
