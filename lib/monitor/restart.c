/*
 * The decision about a restart, and restart.json. See restart.h.
 *
 * The back-off is Docker's: 100 ms, doubled with each restart up to a minute, and anew once a run
 * has lasted for ten seconds. A delay that was asked for replaces it. What a host agent calls a
 * crash loop (five restarts in five minutes) waits for half a minute at least, either way.
 */
#include "monitor/restart.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

#define NAME "restart.json"

enum { HISTORY_MAX = 4096 };

bool restart_wanted(const struct restart_policy *p, int exit_code, uint32_t restarts)
{
	if (p->kind == CSN_RESTART_ON_FAILURE)
		return exit_code != 0 && (p->max_restarts == 0 || restarts < p->max_restarts);
	return p->kind != CSN_RESTART_NO;
}

static int64_t nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static int64_t back_off(const struct restart_history *h, const struct exit_record *end)
{
	int64_t ran = end->started_at.tv_sec
			      ? nanoseconds(&end->finished_at) - nanoseconds(&end->started_at)
			      : 0;
	if (h->backoff_ms <= 0 || ran >= (int64_t)BACKOFF_RESET_S * 1000000000)
		return BACKOFF_FIRST_MS;
	return h->backoff_ms > BACKOFF_MAX_MS / 2 ? BACKOFF_MAX_MS : h->backoff_ms * 2;
}

/* Times of a clock that was set back are in the future: they count for nothing. */
static bool is_loop(const struct restart_history *h, int64_t now_ns)
{
	for (int i = 0; i < LOOP_RESTARTS; i++)
		if (h->recent_ns[i] <= 0 || h->recent_ns[i] > now_ns ||
		    now_ns - h->recent_ns[i] >= (int64_t)LOOP_WINDOW_S * 1000000000)
			return false;
	return true;
}

int64_t restart_decide(const struct restart_policy *p, const struct exit_record *end,
		       int64_t now_ns, struct restart_history *history)
{
	if (!restart_wanted(p, end->exit_code, history->count))
		return -1;
	history->backoff_ms = back_off(history, end);
	history->crash_loop = is_loop(history, now_ns);
	memmove(history->recent_ns + 1, history->recent_ns,
		sizeof history->recent_ns - sizeof history->recent_ns[0]);
	history->recent_ns[0] = now_ns;
	history->count++;
	int64_t delay = p->delay_ms > 0 ? p->delay_ms : history->backoff_ms;
	return history->crash_loop && delay < LOOP_DELAY_MS ? LOOP_DELAY_MS : delay;
}

/* ---- words ----------------------------------------------------------------------------------- */

static const char *const kinds[] = { "no", "always", "unless-stopped", "on-failure" };

const char *csn_restart_kind_name(enum csn_restart_kind kind)
{
	return (size_t)kind < COUNT(kinds) ? kinds[kind] : "unknown";
}

int restart_kind_parse(const char *text, enum csn_restart_kind *ret)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i], text) == 0) {
			*ret = (enum csn_restart_kind)i;
			return 0;
		}
	return -EINVAL;
}

/* ---- restart.json ---------------------------------------------------------------------------- */

struct history_row {
	struct restart_history history;
	struct {
		int64_t *items;
		size_t count;
	} recent;
};

static const struct json_elements times = { sizeof(int64_t), decode_i64, NULL, 0, 0 };

#define ROW(name, decode, member)                                                                  \
	{                                                                                          \
		name, decode, offsetof(struct history_row, history.member)                         \
	}
static const struct json_field fields[] = {
	ROW("count", decode_u32, count),
	ROW("backoff_ms", decode_i64, backoff_ms),
	ROW("crash_loop", decode_bool, crash_loop),
	{ "recent_ns", decode_array, offsetof(struct history_row, recent), &times },
	{ 0 },
};

void restart_history_read(int container_dir, struct restart_history *ret)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct history_row row = { 0 };
	auto_mem char *text = NULL;
	size_t size = 0;
	*ret = (struct restart_history){ 0 };
	if (file_read(container_dir, NAME, HISTORY_MAX, &text, &size, NULL) < 0 ||
	    json_decode(text, size, NAME, fields, &row, &arena, NULL) < 0)
		return;
	*ret = row.history;
	for (size_t i = 0; i < row.recent.count && i < LOOP_RESTARTS; i++)
		ret->recent_ns[i] = row.recent.items[i];
}

int restart_history_write(int container_dir, const struct restart_history *h, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	json_put_u64(&o, "count", h->count);
	json_put_i64(&o, "backoff_ms", h->backoff_ms);
	json_put_bool(&o, "crash_loop", h->crash_loop);
	json_open_array(&o, "recent_ns");
	for (int i = 0; i < LOOP_RESTARTS; i++)
		json_put_i64(&o, NULL, h->recent_ns[i]);
	json_close_array(&o);
	json_close_object(&o);

	size_t size = o.size;
	auto_mem char *text = NULL;
	TRY(json_out_take(&o, &text, err));
	return file_write_atomic(container_dir, NAME, text, size, 0600, false, err);
}

bool restart_is_forbidden(int container_dir)
{
	return faccessat(container_dir, STOPPED_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
