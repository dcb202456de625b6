/*
 * Lists of log entries, and an entry as JSON.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utc.h"

struct csn_log_entries {
	struct arena arena; /* texts */
	struct csn_log_entry *items;
	size_t count, capacity;
};

struct csn_log_entries *log_entries_new(void)
{
	return calloc(1, sizeof(struct csn_log_entries));
}

static char *copy(struct arena *arena, const char *text, size_t size, bool *ok)
{
	char *p = text ? arena_alloc(arena, size + 1) : NULL;
	if (p)
		memcpy(p, text, size);
	*ok &= p || !text;
	return p;
}

static char *copy_text(struct arena *arena, const char *text, bool *ok)
{
	return copy(arena, text, text ? strlen(text) : 0, ok);
}

bool log_entries_add(struct csn_log_entries *entries, const struct csn_log_entry *entry)
{
	if (entries->count == entries->capacity) {
		size_t capacity = entries->capacity ? 2 * entries->capacity : 64;
		struct csn_log_entry *grown =
			realloc(entries->items, capacity * sizeof *entries->items);
		if (!grown)
			return false;
		entries->items = grown;
		entries->capacity = capacity;
	}
	bool ok = true;
	struct csn_log_entry mine = *entry;
	mine.message = copy(&entries->arena, entry->message, entry->message_size, &ok);
	mine.source_id = copy_text(&entries->arena, entry->source_id, &ok);
	mine.service = copy_text(&entries->arena, entry->service, &ok);
	mine.deployment = copy_text(&entries->arena, entry->deployment, &ok);
	if (ok)
		entries->items[entries->count++] = mine;
	return ok;
}

size_t csn_log_entries_count(const struct csn_log_entries *entries)
{
	return entries->count;
}

const struct csn_log_entry *csn_log_entries_get(const struct csn_log_entries *entries, size_t index)
{
	return &entries->items[index];
}

void csn_log_entries_free(struct csn_log_entries *entries)
{
	if (!entries)
		return;
	arena_free(&entries->arena);
	free(entries->items);
	free(entries);
}

const char *csn_stream_name(enum csn_stream stream)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	return (size_t)stream < COUNT(names) ? names[stream] : "unknown";
}

int csn_log_entry_to_json(const struct csn_log_entry *entry, char **ret_json, struct csn_error *err)
{
	static const char *const sources[] = { "container", "job", "build", "daemon" };
	struct json_out o = JSON_OUT_COMPACT;
	struct timespec at = { entry->timestamp_ns / 1000000000, entry->timestamp_ns % 1000000000 };
	char time[UTC_SIZE];

	utc_print(&at, time);
	json_open_object(&o, NULL);
	json_put_string(&o, "timestamp", time);
	json_put_string(&o, "stream", csn_stream_name(entry->stream));
	json_put_bytes(&o, "message", entry->message, entry->message_size);
	json_open_object(&o, "source");
	json_put_string(&o, "type", sources[entry->source]);
	if (entry->source != CSN_LOG_DAEMON)
		json_put_string(&o, "id", entry->source_id ? entry->source_id : "");
	json_close_object(&o);
	if (entry->service)
		json_put_string(&o, "service", entry->service);
	if (entry->deployment)
		json_put_string(&o, "deployment", entry->deployment);
	json_close_object(&o);
	return as_kind(err, json_out_take(&o, ret_json, err), CSN_ERROR_INTERNAL, "");
}
