/*
 * Signals and ends in the words of the interface. Its table of numbers is part of it, wrong rows
 * included (17 and 18 are not what Linux calls them), because callers compare with it; what really
 * ended a container is in its outcome.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/json.h"
#include "base/names.h"
#include "base/sized.h"
#include "base/utc.h"

static const char *const allowed[] = { "SIGKILL", "SIGTERM", "SIGINT",
				       "SIGHUP",  "SIGUSR1", "SIGUSR2" };

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Trimmed, upper case, with SIG in front; cut to size. */
static void canonical(const char *text, char *ret, size_t size)
{
	static const char blanks[] = " \t\n\v\f\r";
	text += strspn(text, blanks);
	size_t n = strlen(text), at = 0;
	while (n > 0 && strchr(blanks, text[n - 1]))
		n--;
	bool has_sig =
		n >= 3 && upper(text[0]) == 'S' && upper(text[1]) == 'I' && upper(text[2]) == 'G';
	if (n > 0 && !has_sig)
		at = (size_t)snprintf(ret, size, "SIG");
	for (size_t i = 0; i < n && at < size - 1; i++)
		ret[at++] = upper(text[i]);
	ret[at] = '\0';
}

int csn_validate_signal(const char *text, const char **ret_name, struct csn_error *err)
{
	char name[100], reason[200];
	canonical(text, name, sizeof name);
	if (!name[0])
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "signal must not be empty");
	for (size_t i = 0; i < COUNT(allowed); i++) {
		if (strcmp(allowed[i], name) == 0) {
			*ret_name = allowed[i];
			return 0;
		}
	}
	(void)snprintf(reason, sizeof reason,
		       "unsupported signal '%s'; allowed: SIGKILL, SIGTERM, SIGINT, SIGHUP, "
		       "SIGUSR1, SIGUSR2",
		       name);
	return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", reason);
}

const char *csn_signal_name_from_exit_code(int code, char buf[24])
{
	static const char *const names[] = {
		[1] = "SIGHUP",	  [2] = "SIGINT",   [3] = "SIGQUIT",  [4] = "SIGILL",
		[6] = "SIGABRT",  [7] = "SIGBUS",   [8] = "SIGFPE",   [9] = "SIGKILL",
		[10] = "SIGUSR1", [11] = "SIGSEGV", [12] = "SIGUSR2", [13] = "SIGPIPE",
		[14] = "SIGALRM", [15] = "SIGTERM", [17] = "SIGSTOP", [18] = "SIGCONT",
	};
	if (code <= 128)
		return NULL;
	int number = code - 128;
	if ((size_t)number < COUNT(names) && names[number])
		return names[number];
	(void)snprintf(buf, 24, "signal_%d", number);
	return buf;
}

/* ---- reasons and outcomes -------------------------------------------------------------------- */

static int parse_reason(const char *name, enum csn_wait_reason *ret, struct csn_error *err)
{
	for (int i = CSN_WAIT_EXITED; i <= CSN_WAIT_RUNTIME_ERROR; i++) {
		if (strcmp(csn_wait_reason_name((enum csn_wait_reason)i), name) == 0) {
			*ret = (enum csn_wait_reason)i;
			return 0;
		}
	}
	return fail(err, EINVAL,
		    "expected exited, signal, oom_killed or runtime_error, not \"%.100s\"", name);
}

int csn_wait_reason_parse(const char *name, enum csn_wait_reason *ret, struct csn_error *err)
{
	return as_kind(err, parse_reason(name, ret, err), CSN_ERROR_INVALID_SPEC, "");
}

static const char *const conditions[] = { [CSN_WAIT_NOT_RUNNING] = "not-running",
					  [CSN_WAIT_NEXT_EXIT] = "next-exit",
					  [CSN_WAIT_REMOVED] = "removed" };

const char *csn_wait_condition_name(enum csn_wait_condition condition)
{
	return (size_t)condition < COUNT(conditions) ? conditions[condition] : "unknown";
}

int csn_wait_condition_parse(const char *name, enum csn_wait_condition *ret, struct csn_error *err)
{
	char reason[200];
	for (size_t i = 0; i < COUNT(conditions); i++) {
		if (strcmp(conditions[i], name[0] ? name : conditions[0]) == 0) {
			*ret = (enum csn_wait_condition)i;
			return 0;
		}
	}
	(void)snprintf(reason, sizeof reason,
		       "expected not-running, next-exit or removed, not \"%.100s\"", name);
	return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", reason);
}

int csn_wait_outcome_to_json(const struct csn_wait_outcome *outcome, char **ret_json,
			     struct csn_error *err)
{
	struct csn_wait_outcome w = CSN_WAIT_OUTCOME_INIT;
	struct json_out o = JSON_OUT_COMPACT;
	char finished[UTC_SIZE];

	int r = take_struct(&w, sizeof w, outcome, "struct csn_wait_outcome", err);
	if (r < 0)
		return as_kind(err, r, CSN_ERROR_INVALID_SPEC, "");
	struct timespec at = { w.finished_at_ns / 1000000000, w.finished_at_ns % 1000000000 };
	utc_print(&at, finished);
	json_open_object(&o, NULL);
	json_put_i64(&o, "exit_code", w.exit_code);
	json_put_string(&o, "reason", csn_wait_reason_name(w.reason));
	json_put_string(&o, "signal", w.signal_name[0] ? w.signal_name : NULL);
	json_put_string(&o, "finished_at", w.finished_at_ns ? finished : NULL);
	json_close_object(&o);
	return as_kind(err, json_out_take(&o, ret_json, err), CSN_ERROR_INTERNAL, "");
}

struct outcome_row {
	int32_t exit_code;
	char *reason, *signal, *finished_at;
};

static const struct json_field outcome_fields[] = {
	{ "exit_code", decode_i32, offsetof(struct outcome_row, exit_code), NULL, JSON_REQUIRED },
	{ "reason", decode_string, offsetof(struct outcome_row, reason), NULL, JSON_REQUIRED },
	{ "signal", decode_text, offsetof(struct outcome_row, signal) },
	{ "finished_at", decode_text, offsetof(struct outcome_row, finished_at) },
	{ 0 }
};

static int decode_outcome(const char *json, size_t size, struct arena *arena,
			  struct csn_wait_outcome *ret, struct csn_error *err)
{
	struct outcome_row row = { 0 };
	TRY(json_decode(json, size, "outcome", outcome_fields, &row, arena, err));
	TRY(within(err, parse_reason(row.reason, &ret->reason, err), "outcome: reason"));
	ret->exit_code = row.exit_code;
	if (row.signal) {
		int number = signal_number(row.signal);
		ret->signal = number > 0 ? number : 0;
		(void)snprintf(ret->signal_name, sizeof ret->signal_name, "%s", row.signal);
	}
	if (row.finished_at) {
		ret->finished_at_ns = utc_parse(row.finished_at, strlen(row.finished_at), NULL);
		if (!ret->finished_at_ns)
			return fail(err, EINVAL, "outcome: finished_at: expected an RFC 3339 time");
	}
	return 0;
}

int csn_wait_outcome_from_json(const char *json, size_t size, struct csn_wait_outcome *ret,
			       struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_wait_outcome w = CSN_WAIT_OUTCOME_INIT;
	TRY(as_kind(err, decode_outcome(json, size, &arena, &w, err), CSN_ERROR_INVALID_SPEC, ""));
	give_struct(ret, &w, sizeof w);
	return 0;
}

/* ---- percentages ----------------------------------------------------------------------------- */

double csn_memory_percent(const struct csn_rt_stats *stats)
{
	if (stats->memory_limit == 0 || stats->memory_limit == UINT64_MAX)
		return 0.0;
	return (double)stats->memory_bytes / (double)stats->memory_limit * 100.0;
}

double csn_cpu_percent(const struct csn_rt_stats *previous, const struct csn_rt_stats *current,
		       unsigned cpus)
{
	double usec = (double)(current->timestamp_ns - previous->timestamp_ns) / 1000.0;
	if (usec <= 0.0 || cpus == 0 || current->cpu_usage_usec <= previous->cpu_usage_usec)
		return 0.0;
	return (double)(current->cpu_usage_usec - previous->cpu_usage_usec) / (usec * cpus) * 100.0;
}
