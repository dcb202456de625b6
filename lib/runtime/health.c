/*
 * How a container is by its health check: what its checker last wrote, in the light of whether it
 * runs. Reads, locks nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "caisson-health.h"
#include "monitor/health.h"
#include "runtime/runtime.h"

const char *csn_health_status_name(enum csn_health_status status)
{
	static const char *const names[] = { "none", "starting", "healthy", "unhealthy" };
	return (size_t)status < COUNT(names) ? names[status] : "none";
}

/* The run directory's, and when it has ended what was kept of that. */
static int read_record(struct csn_runtime *rt, const struct container *c, bool ended,
		       struct health_record *ret, struct arena *arena, struct csn_error *err)
{
	auto_fd dir =
		openat(rt->monitor_dir, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = dir < 0 ? -errno : health_record_read(dir, ret, arena, err);
	return r == -ENOENT && ended ? health_record_read(c->dir, ret, arena, err) : r;
}

/* One that has ended is unhealthy, as Docker has it. */
int health_read(struct csn_runtime *rt, const struct container *c, const struct facts *f,
		struct health_record *ret, struct arena *arena, struct csn_error *err)
{
	*ret = (struct health_record){ .status = CSN_HEALTH_NONE };
	bool running = facts_running(f), ended = f->has_exit || f->lost;
	if (faccessat(c->dir, HEALTHCHECK_NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!running && !ended))
		return 0;
	int r = read_record(rt, c, ended, ret, arena, err);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT)
		*ret = (struct health_record){ .status = CSN_HEALTH_STARTING };
	if (ended)
		ret->status = CSN_HEALTH_UNHEALTHY;
	return 0;
}

/* Not inside of a character. */
static void copy_output(char *to, size_t size, const char *from)
{
	size_t n = strlen(from);
	if (n >= size) {
		n = size - 1;
		while (n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(to, from, n);
	to[n] = '\0';
}

int csn_container_health(struct csn_runtime *rt, const char *container, struct csn_health *ret,
			 struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct health_record r;
	TRY(container_find(rt, container, &c, err));
	facts_read(rt, &c, false, &f);
	TRY(health_read(rt, &c, &f, &r, &arena, err));
	struct csn_health h = CSN_HEALTH_INIT;
	h.status = r.status;
	h.failing_streak = r.failing_streak;
	if (r.log_count) {
		const struct health_result *last = &r.log[r.log_count - 1];
		h.started_at_ns = last->started_at_ns;
		h.ended_at_ns = last->ended_at_ns;
		h.exit_code = last->exit_code;
		copy_output(h.output, sizeof h.output, last->output);
	}
	give_struct(ret, &h, sizeof h);
	return 0;
}

void health_put(struct csn_runtime *rt, const struct container *c, const struct facts *f,
		struct json_out *o)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct health_record r;
	if (health_read(rt, c, f, &r, &arena, NULL) < 0 || r.status == CSN_HEALTH_NONE)
		return;
	json_open_object(o, "health");
	json_put_string(o, "status", csn_health_status_name(r.status));
	json_put_u64(o, "failing_streak", r.failing_streak);
	health_put_log(o, &r);
	json_close_object(o);
}
