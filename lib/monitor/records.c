/*
 * container.json and exit.json: written whole and by rename, read by tables. Linked by the monitor
 * and by libcaisson.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/names.h"
#include "base/utc.h"
#include "monitor/monitor.h"
#include "monitor/restart.h"

enum { RECORD_MAX = 4 << 20 };

/* ---- container.json -------------------------------------------------------------------------- */

struct strings {
	char **items;
	size_t count;
	bool set;
};
struct engine_row {
	struct engine_record record;
	struct strings command, layers;
	char *restart; /* its kind */
};

#define ROW(name, decode, member, presence)                                                        \
	{                                                                                          \
		name, decode, offsetof(struct engine_row, member), NULL, presence, 0, 0            \
	}
static const struct json_field engine_fields[] = {
	ROW("id", decode_string, record.id, JSON_REQUIRED),
	ROW("name", decode_string, record.name, JSON_REQUIRED),
	ROW("first_name", decode_text, record.first_name, JSON_OPTIONAL),
	ROW("image", decode_string, record.image, JSON_REQUIRED),
	ROW("image_digest", decode_string, record.image_digest, JSON_OPTIONAL),
	ROW("command", decode_strings, command, JSON_REQUIRED),
	ROW("created", decode_string, record.created, JSON_REQUIRED),
	ROW("tty", decode_bool, record.tty, JSON_OPTIONAL),
	ROW("stdin_open", decode_bool, record.stdin_open, JSON_OPTIONAL),
	ROW("auto_remove", decode_bool, record.auto_remove, JSON_OPTIONAL),
	ROW("log_max_size", decode_u64, record.log_max_size, JSON_OPTIONAL),
	ROW("log_max_files", decode_u32, record.log_max_files, JSON_OPTIONAL),
	ROW("stop_signal", decode_text, record.stop_signal, JSON_OPTIONAL),
	ROW("stop_timeout_s", decode_i64, record.stop_timeout_s, JSON_OPTIONAL),
	ROW("layers", decode_strings, layers, JSON_REQUIRED),
	ROW("read_only", decode_bool, record.read_only, JSON_OPTIONAL),
	ROW("cgroup", decode_string, record.cgroup, JSON_REQUIRED),
	ROW("network", decode_text, record.network, JSON_OPTIONAL),
	ROW("init", decode_bool, record.init, JSON_OPTIONAL),
	ROW("restart", decode_text, restart, JSON_OPTIONAL),
	ROW("restart_max", decode_u32, record.restart.max_restarts, JSON_OPTIONAL),
	ROW("restart_delay_ms", decode_i64, record.restart.delay_ms, JSON_OPTIONAL),
	{ NULL, NULL, 0, NULL, 0, 0, 0 },
};
#undef ROW

int engine_record_read(int container_dir, struct engine_record *ret, struct arena *arena,
		       struct csn_error *err)
{
	struct engine_row row = { 0 };
	auto_mem char *text = NULL;
	size_t size = 0;
	TRY(file_read(container_dir, "container.json", RECORD_MAX, &text, &size, err));
	TRY(json_decode(text, size, "container.json", engine_fields, &row, arena, err));
	row.record.command = row.command.items;
	row.record.command_count = row.command.count;
	row.record.layers = row.layers.items;
	row.record.layers_count = row.layers.count;
	if (row.restart && restart_kind_parse(row.restart, &row.record.restart.kind) < 0)
		return fail(err, EINVAL, "container.json: restart: unknown policy \"%.50s\"",
			    row.restart);
	*ret = row.record;
	return 0;
}

static void put_strings(struct json_out *o, const char *key, char *const *items, size_t count)
{
	json_open_array(o, key);
	for (size_t i = 0; i < count; i++)
		json_put_string(o, NULL, items[i]);
	json_close_array(o);
}

int engine_record_write(int container_dir, const struct engine_record *r, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	json_put_string(&o, "id", r->id);
	json_put_string(&o, "name", r->name);
	json_put_string(&o, "first_name", r->first_name);
	json_put_string(&o, "image", r->image);
	json_put_string(&o, "image_digest", r->image_digest);
	put_strings(&o, "command", r->command, r->command_count);
	json_put_string(&o, "created", r->created);
	json_put_bool(&o, "tty", r->tty);
	json_put_bool(&o, "stdin_open", r->stdin_open);
	json_put_bool(&o, "auto_remove", r->auto_remove);
	json_put_u64(&o, "log_max_size", r->log_max_size);
	json_put_u64(&o, "log_max_files", r->log_max_files);
	json_put_string(&o, "stop_signal", r->stop_signal);
	json_put_i64(&o, "stop_timeout_s", r->stop_timeout_s);
	put_strings(&o, "layers", r->layers, r->layers_count);
	json_put_bool(&o, "read_only", r->read_only);
	json_put_string(&o, "cgroup", r->cgroup);
	json_put_string(&o, "network", r->network);
	json_put_bool(&o, "init", r->init);
	json_put_string(&o, "restart", csn_restart_kind_name(r->restart.kind));
	json_put_u64(&o, "restart_max", r->restart.max_restarts);
	json_put_i64(&o, "restart_delay_ms", r->restart.delay_ms);
	json_close_object(&o);

	size_t size = o.size;
	auto_mem char *text = NULL;
	TRY(json_out_take(&o, &text, err));
	return file_write_atomic(container_dir, "container.json", text, size, 0600, true, err);
}

/* ---- exit.json ------------------------------------------------------------------------------- */

static const char *const reasons[] = { "exited", "signal", "oom_killed", "runtime_error" };

const char *exit_reason_name(enum exit_reason r)
{
	return reasons[r];
}

struct exit_row {
	char *reason, *signal, *started_at, *finished_at, *error;
	int32_t exit_code;
	bool core_dumped, restarting;
	uint64_t oom_kills, memory_peak;
};

static int decode_reason(struct json_decoder *d, const struct json_node *v,
			 const struct json_field *f, void *out)
{
	const char *name = node_string(v, NULL);
	for (size_t i = 0; name && i < COUNT(reasons); i++)
		if (strcmp(reasons[i], name) == 0)
			return decode_string(d, v, f, out);
	return json_expected(d, "exited, signal, oom_killed or runtime_error");
}

#define ROW(name, decode, member, presence)                                                        \
	{                                                                                          \
		name, decode, offsetof(struct exit_row, member), NULL, presence, 0, 0              \
	}
static const struct json_field exit_fields[] = {
	ROW("exit_code", decode_i32, exit_code, JSON_REQUIRED),
	ROW("reason", decode_reason, reason, JSON_REQUIRED),
	ROW("signal", decode_text, signal, JSON_OPTIONAL),
	ROW("core_dumped", decode_bool, core_dumped, JSON_OPTIONAL),
	ROW("restarting", decode_bool, restarting, JSON_OPTIONAL),
	ROW("oom_kills", decode_u64, oom_kills, JSON_OPTIONAL),
	ROW("memory_peak", decode_u64, memory_peak, JSON_OPTIONAL),
	ROW("started_at", decode_text, started_at, JSON_OPTIONAL),
	ROW("finished_at", decode_text, finished_at, JSON_OPTIONAL),
	ROW("error", decode_text, error, JSON_OPTIONAL),
	{ NULL, NULL, 0, NULL, 0, 0, 0 },
};
#undef ROW

static struct timespec parse_time(const char *text)
{
	int64_t ns = text ? utc_parse(text, strlen(text), NULL) : 0;
	return (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
}

int exit_record_read(int container_dir, struct exit_record *ret, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct exit_row row = { 0 };
	auto_mem char *text = NULL;
	size_t size = 0, reason = 0;
	TRY(file_read(container_dir, "exit.json", RECORD_MAX, &text, &size, err));
	TRY(json_decode(text, size, "exit.json", exit_fields, &row, &arena, err));

	while (strcmp(reasons[reason], row.reason) != 0)
		reason++;
	*ret = (struct exit_record){
		.reason = (enum exit_reason)reason,
		.exit_code = row.exit_code,
		.signal = row.signal ? signal_number(row.signal) : 0,
		.core_dumped = row.core_dumped,
		.restarting = row.restarting,
		.oom_kills = row.oom_kills,
		.memory_peak = row.memory_peak,
		.started_at = parse_time(row.started_at),
		.finished_at = parse_time(row.finished_at),
	};
	if (row.error)
		(void)snprintf(ret->error, sizeof ret->error, "%s", row.error);
	return 0;
}

int exit_record_write(int container_dir, const struct exit_record *r, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	char started[UTC_SIZE], finished[UTC_SIZE];
	utc_print(&r->started_at, started);
	utc_print(&r->finished_at, finished);

	json_open_object(&o, NULL);
	json_put_i64(&o, "exit_code", r->exit_code);
	json_put_string(&o, "reason", exit_reason_name(r->reason));
	json_put_string(&o, "signal", r->signal ? signal_name(r->signal) : NULL);
	json_put_bool(&o, "core_dumped", r->core_dumped);
	json_put_bool(&o, "restarting", r->restarting);
	json_put_u64(&o, "oom_kills", r->oom_kills);
	json_put_u64(&o, "memory_peak", r->memory_peak);
	json_put_string(&o, "started_at", r->started_at.tv_sec ? started : NULL);
	json_put_string(&o, "finished_at", r->finished_at.tv_sec ? finished : NULL);
	json_put_string(&o, "error", r->error[0] ? r->error : NULL);
	json_close_object(&o);

	size_t size = o.size;
	auto_mem char *text = NULL;
	TRY(json_out_take(&o, &text, err));
	return file_write_atomic(container_dir, "exit.json", text, size, 0600, true, err);
}

/* ---- a program that cannot be run -------------------------------------------------------------
 */

int start_exit_code(const struct csn_error *err)
{
	static const struct {
		int code, status;
	} rows[] = { { ENOENT, 127 },  { ENOTDIR, 127 }, { EACCES, 126 },
		     { EPERM, 126 },   { EISDIR, 126 },	 { ENOEXEC, 126 },
		     { ETXTBSY, 126 }, { ELOOP, 126 },	 { E2BIG, 126 } };
	/* Words of the program itself; the same codes from elsewhere mean something else. */
	if (!err || !strstr(err->text, "exec: \""))
		return 125;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].code == err->code)
			return rows[i].status;
	return 126;
}
