/*
 * The files of a log, one after the other: see logfile.h.
 *
 * A file is known by being open, not by its name. It is the last one as long as container.log is
 * that file; what is added to it between a read and that question is read after it.
 */
#include "runtime/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "monitor/logfiles.h"
#include "runtime/runtime.h"

enum { TRIES = 100 }; /* against a log that is retired faster than we look */

void log_source_close(struct log_source *s)
{
	close_fd(&s->fd);
}

static int open_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_numbered(int dir, uint64_t number)
{
	char name[LOG_NAME_MAX];
	log_file_name(number, name);
	return open_file(dir, name);
}

/* The file takes the place of the one that is open. */
static void replace(struct log_source *s, int fd, uint64_t number)
{
	close_fd(&s->fd);
	s->fd = fd;
	s->number = number;
	s->retired = false;
}

/* container.log; its number is the one that comes next, unless it has just been given one. */
int log_source_newest(struct log_source *s)
{
	struct log_range range = { .from = 1, .to = UINT64_MAX };
	char name[LOG_NAME_MAX];
	auto_fd fd = open_file(s->dir, LOG_NAME);
	if (fd < 0)
		return fd;
	int r = log_files_range(s->dir, &range);
	if (r < 0)
		return r;
	/* Retired since it was opened: it may be any of the last ones. */
	for (uint64_t n = range.highest; n && n >= range.lowest; n--) {
		log_file_name(n, name);
		if (log_file_is(s->dir, name, fd)) {
			replace(s, take_fd(&fd), n);
			return 0;
		}
	}
	replace(s, take_fd(&fd), range.highest + 1);
	return 0;
}

/* The lowest of at least `from`, else container.log. */
static int open_from(struct log_source *s, uint64_t from)
{
	for (int tries = 0; tries < TRIES; tries++) {
		struct log_range range = { .from = from, .to = UINT64_MAX };
		int r = log_files_range(s->dir, &range);
		if (r < 0)
			return r;
		if (range.lowest) {
			int fd = open_numbered(s->dir, range.lowest);
			if (fd == -ENOENT)
				continue;
			if (fd < 0)
				return fd;
			replace(s, fd, range.lowest);
			return 0;
		}
		auto_fd fd = open_file(s->dir, LOG_NAME);
		if (fd < 0)
			return fd;
		/* Nothing was retired before it was opened: it is the one. */
		r = log_files_range(s->dir, &range);
		if (r < 0)
			return r;
		if (!range.lowest) {
			replace(s, take_fd(&fd), from);
			return 0;
		}
	}
	return -EBUSY;
}

int log_source_oldest(struct log_source *s)
{
	return open_from(s, 1);
}

int log_source_before(const struct log_source *s, struct log_source *ret)
{
	struct log_range range = { .from = 1, .to = s->number - 1 };
	for (int tries = 0; tries < TRIES; tries++) {
		int r = log_files_range(s->dir, &range);
		if (r < 0 || range.highest == 0)
			return r;
		int fd = open_numbered(s->dir, range.highest);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		*ret = (struct log_source){ .dir = s->dir, .fd = fd, .number = range.highest };
		return 1;
	}
	return -EBUSY;
}

int log_source_advance(struct log_source *s, bool *ret_next)
{
	*ret_next = false;
	if (!s->retired) {
		s->retired = !log_file_is(s->dir, LOG_NAME, s->fd);
		return s->retired;
	}
	int r = open_from(s, s->number + 1);
	*ret_next = r == 0;
	return r < 0 ? r : 1;
}

/* ---- inspect ----------------------------------------------------------------------------------
 */

struct kept {
	int dir;
	uint64_t files, bytes;
};

static bool add_file(void *data, uint64_t number)
{
	struct kept *k = data;
	char name[LOG_NAME_MAX];
	struct stat st;
	log_file_name(number, name);
	if (fstatat(k->dir, number ? name : LOG_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		k->files++;
		k->bytes += (uint64_t)st.st_size;
	}
	return true;
}

/* The run directory's count while it runs, then what was kept of it. */
static uint64_t read_dropped(struct csn_runtime *rt, const struct container *c)
{
	auto_mem char *text = NULL;
	size_t size;
	auto_fd run =
		openat(rt->monitor_dir, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if ((run < 0 || file_read(run, LOG_DROPPED, 100, &text, &size, NULL) < 0) &&
	    file_read(c->dir, LOG_DROPPED, 100, &text, &size, NULL) < 0)
		return 0;
	return strtoull(text, NULL, 10);
}

void logs_put(struct csn_runtime *rt, const struct container *c, const struct engine_record *r,
	      struct json_out *o)
{
	struct kept k = { .dir = c->dir };
	(void)add_file(&k, 0);
	(void)log_files_each(c->dir, add_file, &k);
	json_open_object(o, "log");
	if (r->log_max_size) {
		json_put_u64(o, "max_size_bytes", r->log_max_size);
		json_put_u64(o, "max_files", r->log_max_files);
	} else {
		json_put_null(o, "max_size_bytes");
		json_put_null(o, "max_files");
	}
	json_put_u64(o, "files", k.files);
	json_put_u64(o, "size_bytes", k.bytes);
	json_put_u64(o, "dropped_bytes", read_dropped(rt, c));
	json_close_object(o);
}
