/*
 * After a reboot, or when a monitor was killed: starting what its policy wants to run. Whether an
 * end is followed by a start is decided as the monitor decides it. What was stopped by hand stays
 * so, but for "always", once the run root is another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/utc.h"
#include "monitor/restart.h"
#include "runtime/runtime.h"

#define GENERATION_NAME "generation"

/* ---- the life of a run root -------------------------------------------------------------------
 */

/* A file without its line end; an empty text when it cannot be read. */
static void read_line(int dir, const char *path, char *ret, size_t size)
{
	auto_fd fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, size - 1);
	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

/* "<boot id> <random>": a run root that outlives a boot, or is made anew in it, is another one. */
int restart_generation(struct csn_runtime *rt, char ret[GENERATION_SIZE], struct csn_error *err)
{
	char boot[40];
	uint64_t random;
	read_line(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot, sizeof boot);
	auto_fd lock = lock_dir(rt->run_dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	read_line(rt->run_dir, GENERATION_NAME, ret, GENERATION_SIZE);
	if (boot[0] && strncmp(ret, boot, strlen(boot)) == 0 && strlen(ret) > strlen(boot))
		return 0;
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return fail_errno(err, "getrandom");
	(void)snprintf(ret, GENERATION_SIZE, "%s %016llx", boot, (unsigned long long)random);
	return file_write_atomic(rt->run_dir, GENERATION_NAME, ret, strlen(ret), 0600, false, err);
}

/* ---- what is wanted ---------------------------------------------------------------------------
 */

struct starting {
	struct csn_runtime *rt;
	char generation[GENERATION_SIZE];
	struct wanted {
		int64_t created; /* oldest first: the others may lean on it */
		char id[CSN_ID_SIZE];
	} * items;
	size_t count, capacity;
};

static void starting_done(struct starting *s)
{
	free(s->items);
}

/* Its end, as its policy sees it. Somebody who holds its lock is at work on it. */
static bool is_wanted(struct starting *s, const struct container *c, const struct engine_record *r)
{
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct restart_history h;
	char stopped[GENERATION_SIZE];
	auto_fd lock = lock_dir(c->dir, LOCK_EX | LOCK_NB, NULL);
	if (lock < 0 || r->restart.kind == CSN_RESTART_NO)
		return false;
	facts_read(s->rt, c, true, &f);
	if (facts_running(&f) || f.monitor_fd >= 0 || !(f.has_exit || f.lost))
		return false;
	read_line(c->dir, STOPPED_NAME, stopped, sizeof stopped);
	if (stopped[0] &&
	    (r->restart.kind != CSN_RESTART_ALWAYS || strcmp(stopped, s->generation) == 0))
		return false;
	/* The one that was decided and did not come about does not count. */
	restart_history_read(c->dir, &h);
	return restart_wanted(&r->restart, f.exit.exit_code,
			      h.count - (h.count && f.has_exit && f.exit.restarting));
}

static int add_wanted(void *data, const char *id)
{
	struct starting *s = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record r = { 0 };
	if (container_open(s->rt, id, &c, NULL) < 0 ||
	    engine_record_read(c.dir, &r, &arena, NULL) < 0 || !is_wanted(s, &c, &r))
		return 0;
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 16;
		struct wanted *grown = reallocarray(s->items, capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		s->items = grown;
		s->capacity = capacity;
	}
	struct wanted *w = &s->items[s->count++];
	w->created = utc_parse(r.created, strlen(r.created), NULL);
	memcpy(w->id, id, CSN_ID_SIZE);
	return 0;
}

static int oldest_first(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	return x->created != y->created ? (x->created > y->created) - (x->created < y->created)
					: strcmp(x->id, y->id);
}

int csn_start_wanted(struct csn_runtime *rt,
		     void (*tell)(void *data, const char *container,
				  const struct csn_error *failure),
		     void *data, struct csn_error *err)
{
	struct starting s AUTO(starting_done) = { .rt = rt };
	int started = 0;
	TRY(restart_generation(rt, s.generation, err));
	TRY(container_each(rt, add_wanted, &s, err));
	if (s.count)
		qsort(s.items, s.count, sizeof *s.items, oldest_first);
	for (size_t i = 0; i < s.count; i++) {
		struct csn_error why;
		int r = csn_container_start(rt, s.items[i].id, NULL, &why);
		if (r == -EALREADY || r == -ENOENT) /* somebody else did, or removed it */
			continue;
		started += r == 0;
		if (tell)
			tell(data, s.items[i].id, r < 0 ? &why : NULL);
	}
	return started;
}
