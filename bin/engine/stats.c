/* csn stats: what containers use, as a table that repaints itself, as JSON, or for Prometheus. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bin/engine/engine.h"
#include "bin/out.h"

enum how { HOW_TABLE, HOW_JSON, HOW_PROMETHEUS };

static const char *format = "table", *interval = "1";
static bool no_stream, whole;

static const struct opt options[] = {
	{ 0, "no-stream", NULL, "one look, then end", OPT_FLAG, &no_stream },
	{ 0, "interval", "SECONDS", "time between two looks (1)", OPT_TEXT, &interval },
	{ 0, "no-trunc", NULL, "print whole ids", OPT_FLAG, &whole },
	{ 0, "format", "FORMAT", "table, json (a line a container) or prometheus (one look)",
	  OPT_TEXT, &format },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

/* ---- the table --------------------------------------------------------------------------------
 */

static uint64_t sum(const struct csn_stats *s, enum csn_table table, unsigned column)
{
	uint64_t total = 0, value;
	for (size_t row = 0; row < csn_stats_rows(s, table); row++)
		if (csn_stats_value(s, table, row, column, &value))
			total += value;
	return total;
}

static void put_percent(struct out_table *t, const struct csn_stats *s,
			bool (*get)(const struct csn_stats *s, double *ret))
{
	char text[32] = "--";
	double percent;
	if (get(s, &percent))
		(void)snprintf(text, sizeof text, "%.2f%%", percent);
	out_table_add(t, text);
}

static void put_pair(struct out_table *t, bool known, uint64_t a, uint64_t b)
{
	char first[24], second[24], text[64];
	print_size(first, sizeof first, a);
	print_size(second, sizeof second, b);
	(void)snprintf(text, sizeof text, "%s / %s", first,
		       b == CSN_NO_LIMIT ? "no limit" : second);
	out_table_add(t, known ? text : "--");
}

static void put_memory(struct out_table *t, const struct csn_stats *s)
{
	uint64_t used = 0, max = CSN_NO_LIMIT;
	bool known = csn_stats_value(s, CSN_TABLE_MEMORY, 0, CSN_MEMORY_WORKING_SET, &used) ||
		     csn_stats_value(s, CSN_TABLE_MEMORY, 0, CSN_MEMORY_CURRENT, &used);
	(void)csn_stats_value(s, CSN_TABLE_MEMORY, 0, CSN_MEMORY_MAX, &max);
	put_pair(t, known, used, max);
	put_percent(t, s, csn_stats_memory_percent);
}

static void put_pids(struct out_table *t, const struct csn_stats *s)
{
	char text[24];
	uint64_t pids = 0;
	bool known = csn_stats_value(s, CSN_TABLE_PIDS, 0, CSN_PIDS_CURRENT, &pids);
	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)pids);
	out_table_add(t, known ? text : "--");
}

static void put_container(struct out_table *t, const struct csn_stats *s)
{
	char id[CSN_ID_SIZE];
	(void)snprintf(id, sizeof id, "%.*s", whole ? CSN_ID_SIZE - 1 : 12, csn_stats_id(s));
	out_table_add(t, id);
	out_table_add(t, csn_stats_name(s));
	put_percent(t, s, csn_stats_cpu_percent);
	put_memory(t, s);
	put_pair(t, csn_stats_rows(s, CSN_TABLE_NETWORK),
		 sum(s, CSN_TABLE_NETWORK, CSN_NETWORK_RX_BYTES),
		 sum(s, CSN_TABLE_NETWORK, CSN_NETWORK_TX_BYTES));
	put_pair(t, csn_stats_rows(s, CSN_TABLE_IO), sum(s, CSN_TABLE_IO, CSN_IO_READ_BYTES),
		 sum(s, CSN_TABLE_IO, CSN_IO_WRITE_BYTES));
	put_pids(t, s);
}

/* As many as there is room for. */
static size_t rows_of_screen(void)
{
	struct winsize size;
	return isatty(STDOUT_FILENO) && !no_stream &&
			       ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2
		       ? size.ws_row - 2U
		       : SIZE_MAX;
}

static void print_table(const struct csn_sampler *sampler)
{
	static const char *const heads[] = { "CONTAINER ID",	  "NAME",  "CPU %",
					     "MEM USAGE / LIMIT", "MEM %", "NET I/O",
					     "BLOCK I/O",	  "PIDS" };
	struct out_table t = { .columns = COUNT(heads) };
	const struct csn_stats *s;
	size_t room = rows_of_screen();
	out_table_row(&t, heads);
	for (size_t i = 0; i < room && (s = csn_sampler_get(sampler, i)); i++)
		put_container(&t, s);
	/* Over what stood there: no flicker, and nothing of it is left. */
	bool repaint = isatty(STDOUT_FILENO) && !no_stream;
	if (repaint)
		fputs("\033[H\033[J", stdout);
	out_table_print(&t);
}

/* ---- the command ------------------------------------------------------------------------------
 */

/* Every container has a dozen files or more that are best kept open. */
static unsigned raise_files(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < 256)
		return 0;
	return limit.rlim_cur > 1U << 20 ? 1U << 20 : (unsigned)limit.rlim_cur - 128;
}

static int parse_interval(struct itimerspec *ret)
{
	char *end;
	errno = 0;
	double seconds = strtod(interval, &end);
	if (errno || end == interval || *end || !(seconds >= 0.01 && seconds <= 86400))
		return engine_fail_text(STATUS_FAILED,
					"--interval: expected 0.01 to 86400 seconds, not \"%s\"",
					interval);
	ret->it_interval.tv_sec = (time_t)seconds;
	ret->it_interval.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9);
	ret->it_value = ret->it_interval;
	return 0;
}

static int parse_format(enum how *ret)
{
	static const char *const names[] = { "table", "json", "prometheus" };
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], format) == 0) {
			*ret = (enum how)i;
			return 0;
		}
	return engine_fail_text(STATUS_FAILED,
				"--format: expected table, json or prometheus, not \"%s\"", format);
}

static void print_all(const struct csn_sampler *sampler, enum how how)
{
	const struct csn_stats *s;
	if (how == HOW_PROMETHEUS)
		print_stats_prometheus(sampler);
	else if (how == HOW_TABLE)
		print_table(sampler);
	else
		for (size_t i = 0; (s = csn_sampler_get(sampler, i)); i++)
			(void)print_stats_json(s);
}

/* A look at each tick; the first one that is printed knows what went on since the one before. */
static int look(struct csn_sampler *sampler, enum how how, const struct itimerspec *every, bool all)
{
	struct csn_error err;
	uint64_t ticks;
	auto_fd timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (timer < 0 || timerfd_settime(timer, 0, every, NULL) < 0)
		return engine_fail_text(STATUS_FAILED, "timer: %s", strerror(errno));
	bool once = no_stream || how == HOW_PROMETHEUS;
	bool begun = true;
	/* Counters need no look before. */
	for (bool first = how != HOW_PROMETHEUS;; first = false) {
		int count = csn_sampler_take(sampler, &err);
		if (count < 0)
			return engine_fail(&err, STATUS_FAILED);
		if (begun && !all && count == 0)
			return engine_fail_text(STATUS_FAILED, "no such container is running");
		begun = false;
		if (!first || !once) {
			print_all(sampler, how);
			/* A reader that went away is no failure of ours. */
			if (fflush(stdout) != 0)
				return errno == EPIPE ? 0 : STATUS_FAILED;
		}
		if ((once && !first) || (!all && count == 0))
			return 0;
		if (read(timer, &ticks, sizeof ticks) < 0 && errno != EINTR)
			return engine_fail_text(STATUS_FAILED, "timer: %s", strerror(errno));
	}
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_sampler *sampler = NULL;
	struct csn_sampler_options o = CSN_SAMPLER_OPTIONS_INIT;
	struct itimerspec every = { 0 };
	enum how how = HOW_TABLE;

	if (parse_format(&how) || parse_interval(&every))
		return STATUS_FAILED;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (argc > 0)
		o.containers = (const char *const *)argv;
	if (how == HOW_TABLE)
		o.tables = 1U << CSN_TABLE_CPU | 1U << CSN_TABLE_MEMORY | 1U << CSN_TABLE_IO |
			   1U << CSN_TABLE_NETWORK | 1U << CSN_TABLE_PIDS;
	o.max_files = raise_files();
	if (csn_sampler_open(rt, &o, &sampler, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	int status = look(sampler, how, &every, argc == 0);
	csn_sampler_close(sampler);
	return status;
}

const struct command command_stats = {
	"stats", "[CONTAINER…]", "show what running containers use", 0, -1, get_options, run
};
