/* Appending to the journal: see journal.h. Linked by the monitor and by libcaisson. */
#include "monitor/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/names.h"
#include "base/utc.h"

static void put_if(struct json_out *o, const char *key, const char *value)
{
	if (value)
		json_put_string(o, key, value);
}

static void put_end(struct json_out *o, const struct exit_record *end)
{
	bool by_signal = end->reason == EXIT_SIGNAL && end->signal > 0;
	json_put_i64(o, "exit_code", end->exit_code);
	json_put_string(o, "reason", exit_reason_name(end->reason));
	json_put_string(o, "signal", by_signal ? signal_name(end->signal) : NULL);
	json_put_bool(o, "core_dumped", end->core_dumped);
	json_put_u64(o, "oom_kills", end->oom_kills);
	json_put_string(o, "error", end->error[0] ? end->error : NULL);
}

static int print_event(const struct journal_event *e, char **ret, size_t *ret_size,
		       struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	char time[UTC_SIZE];
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	utc_print(&now, time);
	json_open_object(&o, NULL);
	json_put_string(&o, "time", time);
	json_put_string(&o, "type", e->type);
	json_put_string(&o, "action", e->action);
	put_if(&o, "id", e->id);
	put_if(&o, "name", e->name);
	put_if(&o, "image", e->image);
	put_if(&o, "signal", e->signal);
	if (e->oom_kills)
		json_put_u64(&o, "oom_kills", e->oom_kills);
	if (e->end)
		put_end(&o, e->end);
	json_close_object(&o);
	*ret_size = o.size;
	TRY(json_out_take(&o, ret, err));
	(*ret)[(*ret_size)++] = '\n'; /* over the NUL, which nobody needs */
	return 0;
}

/* The file as it is now, locked: one that was renamed while we waited for the lock is old. */
static int open_locked(int dir, struct csn_error *err)
{
	for (int tries = 0; tries < 100; tries++) {
		struct stat mine, named;
		auto_fd fd = openat(dir, JOURNAL_NAME,
				    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return fail_errno(err, "open " JOURNAL_NAME);
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return fail_errno(err, "lock " JOURNAL_NAME);
		if (fstat(fd, &mine) == 0 &&
		    fstatat(dir, JOURNAL_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		    mine.st_ino == named.st_ino && mine.st_dev == named.st_dev)
			return take_fd(&fd);
	}
	return fail(err, EAGAIN, JOURNAL_NAME ": it keeps being replaced");
}

/* A line is there whole or not at all, also on a full disk. */
static int append(int fd, const char *line, size_t size, off_t *ret_end, struct csn_error *err)
{
	off_t end = lseek(fd, 0, SEEK_END);
	int r = end < 0 ? -errno : write_all(fd, line, size);
	if (r < 0) {
		if (end >= 0)
			(void)!ftruncate(fd, end);
		return fail(err, -r, "write " JOURNAL_NAME ": %s", strerror(-r));
	}
	*ret_end = end + (off_t)size;
	return 0;
}

int journal_add(const char *run_root, const struct journal_event *event, struct csn_error *err)
{
	auto_fd dir = open(run_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd fd = dir < 0 ? fail_errno(err, "%s", run_root) : open_locked(dir, err);
	if (fd < 0)
		return fd;

	/* Under the lock, so that times are in order. */
	auto_mem char *line = NULL;
	size_t size = 0;
	off_t end = 0;
	TRY(print_event(event, &line, &size, err));
	TRY(append(fd, line, size, &end, err));
	if (end >= JOURNAL_MAX && renameat(dir, JOURNAL_NAME, dir, JOURNAL_OLD) < 0)
		return fail_errno(err, "rename " JOURNAL_NAME);
	return 0;
}
