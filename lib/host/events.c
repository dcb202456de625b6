/*
 * `events`: statistics and OOM events of a container as runc prints them, a line of JSON each. The
 * layout is that of cgroup v1, which runc keeps on v2; what v2 does not have is 0 or left out.
 *
 * Nothing is asked again and again: the OOM killer's work shows by POLLPRI on memory.events, the
 * end by the pidfd of init and cgroup.events, the interval by the timeout of the same poll.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "base/proc.h"
#include "cgroups/stats.h"
#include "host/launch.h"
#include "host/manager.h"

/* ---- a sample as runc's JSON ------------------------------------------------------------------
 */

static uint64_t number(const struct csn_stats *s, enum csn_table table, size_t row, unsigned column)
{
	uint64_t value = 0;
	(void)csn_stats_value(s, table, row, column, &value);
	return value;
}

#define CPU(column)    number(s, CSN_TABLE_CPU, 0, CSN_CPU_##column)
#define MEMORY(column) number(s, CSN_TABLE_MEMORY, 0, CSN_MEMORY_##column)

static void put_pressure_half(struct json_out *o, const char *key, const struct csn_stats *s,
			      size_t row, unsigned first)
{
	static const char *const names[] = { "avg10", "avg60", "avg300" };
	json_open_object(o, key);
	for (unsigned i = 0; i < COUNT(names); i++)
		json_put_double(o, names[i],
				(double)number(s, CSN_TABLE_PRESSURE, row, first + i) / 100);
	json_put_u64(o, "total", number(s, CSN_TABLE_PRESSURE, row, first + 3));
	json_close_object(o);
}

static void put_pressure(struct json_out *o, const struct csn_stats *s, const char *resource)
{
	for (size_t row = 0; row < csn_stats_rows(s, CSN_TABLE_PRESSURE); row++) {
		if (strcmp(csn_stats_row_label(s, CSN_TABLE_PRESSURE, row), resource) != 0)
			continue;
		json_open_object(o, "psi");
		put_pressure_half(o, "some", s, row, CSN_PRESSURE_SOME_AVG10);
		put_pressure_half(o, "full", s, row, CSN_PRESSURE_FULL_AVG10);
		json_close_object(o);
	}
}

static void put_cpu(struct json_out *o, const struct csn_stats *s)
{
	json_open_object(o, "cpu");
	json_open_object(o, "usage");
	json_put_u64(o, "total", CPU(USAGE) * 1000);
	json_put_u64(o, "kernel", CPU(SYSTEM) * 1000);
	json_put_u64(o, "user", CPU(USER) * 1000);
	json_close_object(o);
	json_open_object(o, "throttling");
	json_put_u64(o, "periods", CPU(PERIODS));
	json_put_u64(o, "throttledPeriods", CPU(THROTTLED_PERIODS));
	json_put_u64(o, "throttledTime", CPU(THROTTLED) * 1000);
	json_close_object(o);
	put_pressure(o, s, "cpu");
	json_close_object(o);
}

/* cgroup v1 only; always there in runc's output. */
static void put_cpuset(struct json_out *o)
{
	static const char *const names[] = { "cpu_exclusive",		"mem_hardwall",
					     "mem_exclusive",		"memory_migrate",
					     "memory_spread_page",	"memory_spread_slab",
					     "memory_pressure",		"sched_load_balance",
					     "sched_relax_domain_level" };
	json_open_object(o, "cpuset");
	for (size_t i = 0; i < COUNT(names); i++)
		json_put_u64(o, names[i], 0);
	json_close_object(o);
}

struct memory_entry {
	uint64_t limit, usage, max, failures;
};

static void put_entry(struct json_out *o, const char *key, const struct memory_entry *e)
{
	json_open_object(o, key);
	json_put_u64(o, "limit", e->limit);
	json_put_u64(o, "usage", e->usage);
	json_put_u64(o, "max", e->max);
	json_put_u64(o, "failcnt", e->failures);
	json_close_object(o);
}

static uint64_t add_limits(uint64_t a, uint64_t b)
{
	return a == CSN_NO_LIMIT || b == CSN_NO_LIMIT ? CSN_NO_LIMIT : a + b;
}

static void put_memory(struct json_out *o, const struct csn_stats *s)
{
	const struct memory_entry memory = { MEMORY(MAX), MEMORY(CURRENT), MEMORY(PEAK),
					     MEMORY(MAX_EVENTS) };
	/* In v1's sense: of memory and swap together. */
	const struct memory_entry swap = { add_limits(MEMORY(MAX), MEMORY(SWAP_MAX)),
					   MEMORY(CURRENT) + MEMORY(SWAP_CURRENT), 0,
					   MEMORY(SWAP_MAX_EVENTS) };
	const struct memory_entry none = { 0 };
	size_t rows = csn_stats_rows(s, CSN_TABLE_MEMORY_STAT);

	json_open_object(o, "memory");
	for (size_t row = 0; row < rows; row++)
		if (strcmp(csn_stats_row_label(s, CSN_TABLE_MEMORY_STAT, row), "file") == 0)
			json_put_u64(o, "cache", number(s, CSN_TABLE_MEMORY_STAT, row, 0));
	put_entry(o, "usage", &memory);
	put_entry(o, "swap", &swap);
	put_entry(o, "kernel", &none);
	put_entry(o, "kernelTCP", &none);
	if (rows) {
		json_open_object(o, "raw");
		for (size_t row = 0; row < rows; row++)
			json_put_u64(o, csn_stats_row_label(s, CSN_TABLE_MEMORY_STAT, row),
				     number(s, CSN_TABLE_MEMORY_STAT, row, 0));
		json_close_object(o);
	}
	put_pressure(o, s, "memory");
	json_close_object(o);
}

/* Without the controller they are counted. */
static void put_pids(struct json_out *o, const struct cgroup *cg, const struct csn_stats *s)
{
	uint64_t limit = number(s, CSN_TABLE_PIDS, 0, CSN_PIDS_MAX), current = 0;
	auto_mem pid_t *pids = NULL;
	size_t count = 0;
	if (!csn_stats_value(s, CSN_TABLE_PIDS, 0, CSN_PIDS_CURRENT, &current) &&
	    cgroup_pids(cg, &pids, &count, NULL) == 0)
		current = count;
	json_open_object(o, "pids");
	json_put_u64(o, "current", current);
	json_put_u64(o, "limit", limit == CSN_NO_LIMIT ? 0 : limit);
	json_close_object(o);
}

static void put_io_entry(struct json_out *o, const struct csn_stats *s, size_t row, const char *op,
			 unsigned column)
{
	unsigned long long major = 0, minor = 0;
	uint64_t value;
	if (!csn_stats_value(s, CSN_TABLE_IO, row, column, &value) ||
	    sscanf(csn_stats_row_label(s, CSN_TABLE_IO, row), "%llu:%llu", &major, &minor) != 2)
		return;
	json_open_object(o, NULL);
	json_put_u64(o, "major", major);
	json_put_u64(o, "minor", minor);
	json_put_string(o, "op", op);
	json_put_u64(o, "value", value);
	json_close_object(o);
}

static void put_io(struct json_out *o, const struct csn_stats *s)
{
	static const struct {
		const char *key;
		unsigned read, write;
	} lists[] = { { "ioServiceBytesRecursive", CSN_IO_READ_BYTES, CSN_IO_WRITE_BYTES },
		      { "ioServicedRecursive", CSN_IO_READS, CSN_IO_WRITES } };
	size_t rows = csn_stats_rows(s, CSN_TABLE_IO);
	json_open_object(o, "blkio");
	for (size_t i = 0; rows && i < COUNT(lists); i++) {
		json_open_array(o, lists[i].key);
		for (size_t row = 0; row < rows; row++) {
			put_io_entry(o, s, row, "Read", lists[i].read);
			put_io_entry(o, s, row, "Write", lists[i].write);
		}
		json_close_array(o);
	}
	put_pressure(o, s, "io");
	json_close_object(o);
}

static void put_hugetlb(struct json_out *o, const struct csn_stats *s)
{
	size_t rows = csn_stats_rows(s, CSN_TABLE_HUGETLB);
	if (!rows) {
		json_put_null(o, "hugetlb");
		return;
	}
	json_open_object(o, "hugetlb");
	for (size_t row = 0; row < rows; row++) {
		json_open_object(o, csn_stats_row_label(s, CSN_TABLE_HUGETLB, row));
		json_put_u64(o, "usage", number(s, CSN_TABLE_HUGETLB, row, CSN_HUGETLB_CURRENT));
		json_put_u64(o, "failcnt",
			     number(s, CSN_TABLE_HUGETLB, row, CSN_HUGETLB_MAX_EVENTS));
		json_close_object(o);
	}
	json_close_object(o);
}

/* rdma and misc: an object of objects, where there are any. */
static void put_rows(struct json_out *o, const struct csn_stats *s, enum csn_table table)
{
	size_t rows = csn_stats_rows(s, table);
	if (!rows)
		return;
	json_open_object(o, csn_table_name(table));
	for (size_t row = 0; row < rows; row++) {
		const struct csn_column *c;
		json_open_object(o, csn_stats_row_label(s, table, row));
		for (unsigned i = 0; (c = csn_table_column(table, i)); i++) {
			uint64_t value;
			if (csn_stats_value(s, table, row, i, &value) && value != CSN_NO_LIMIT)
				json_put_u64(o, c->name, value);
		}
		json_close_object(o);
	}
	json_close_object(o);
}

static void put_network(struct json_out *o, const struct csn_stats *s)
{
	static const char *const names[] = { "RxBytes", "RxPackets", "RxErrors", "RxDropped",
					     "TxBytes", "TxPackets", "TxErrors", "TxDropped" };
	size_t rows = csn_stats_rows(s, CSN_TABLE_NETWORK);
	if (!rows) {
		json_put_null(o, "network_interfaces");
		return;
	}
	json_open_array(o, "network_interfaces");
	for (size_t row = 0; row < rows; row++) {
		json_open_object(o, NULL);
		json_put_string(o, "Name", csn_stats_row_label(s, CSN_TABLE_NETWORK, row));
		for (unsigned i = 0; i < COUNT(names); i++)
			json_put_u64(o, names[i], number(s, CSN_TABLE_NETWORK, row, i));
		json_close_object(o);
	}
	json_close_array(o);
}

static int print_stats(const char *id, const struct cgroup *cg, const struct csn_stats *s,
		       char **ret, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	json_put_string(&o, "type", "stats");
	json_put_string(&o, "id", id);
	json_open_object(&o, "data");
	put_cpu(&o, s);
	put_cpuset(&o);
	put_memory(&o, s);
	put_pids(&o, cg, s);
	put_io(&o, s);
	put_hugetlb(&o, s);
	put_rows(&o, s, CSN_TABLE_RDMA);
	put_rows(&o, s, CSN_TABLE_MISC);
	json_open_object(&o, "intel_rdt");
	json_close_object(&o);
	put_network(&o, s);
	json_close_object(&o);
	json_close_object(&o);
	return json_out_take(&o, ret, err);
}

/* ---- the stream -------------------------------------------------------------------------------
 */

/* One container that is watched. */
struct watch {
	const char *id;
	host_event_fn fn;
	void *data;
	struct cgroup cg;
	struct cgroup_sampler *sampler;
	unsigned files;
	struct csn_stats *stats;
	struct cgroup_oom oom;
	uint64_t oom_told;
	int events; /* cgroup.events */
	int init;
};

static void watch_done(struct watch *w)
{
	cgroup_sampler_close(w->sampler, &w->files);
	csn_stats_free(w->stats);
	close_fd(&w->oom.fd);
	close_fd(&w->events);
	close_fd(&w->init);
	cgroup_close(&w->cg);
}

static int open_watch(struct watch *w, const struct container *c, struct csn_error *err)
{
	int r = manager_open(c, &w->cg, err);
	w->init = r < 0 ? -1 : proc_pidfd(c->record.pid, c->record.start_time);
	if (r == -ENOENT || (r == 0 && w->init < 0))
		return fail(err, ESRCH, "container \"%s\" is not running", c->record.id);
	TRY(r);
	w->stats = stats_new();
	if (!w->stats)
		return fail(err, ENOMEM, "out of memory");
	w->files = CSN_TABLES * STATS_COLUMNS_MAX; /* more than there are */
	unsigned all = (1U << CSN_TABLES) - 1;
	TRY(cgroup_sampler_open(&w->cg, c->record.pid, all, &w->files, &w->sampler, err));
	w->events = openat(w->cg.dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	return cgroup_oom_open(&w->cg, &w->oom, err);
}

/* 0; 1: the container is gone. */
static int tell_stats(struct watch *w, struct csn_error *err)
{
	auto_mem char *text = NULL;
	int r = cgroup_sampler_read(w->sampler, w->stats, err);
	if (r == -ENOENT)
		return 1;
	TRY(r);
	TRY(print_stats(w->id, &w->cg, w->stats, &text, err));
	return w->fn(w->data, text);
}

static int tell_ooms(struct watch *w, struct csn_error *err)
{
	uint64_t kills = 0;
	if (!cgroup_oom_read(&w->oom, &kills)) {
		close_fd(&w->oom.fd);
		return 0;
	}
	/* runc's clients want to know that it happened; kills that came at once are one event. */
	if (kills <= w->oom_told)
		return 0;
	w->oom_told = kills;
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *text = NULL;
	json_open_object(&o, NULL);
	json_put_string(&o, "type", "oom");
	json_put_string(&o, "id", w->id);
	json_close_object(&o);
	TRY(json_out_take(&o, &text, err));
	return w->fn(w->data, text);
}

static bool is_empty(struct watch *w)
{
	char text[256];
	ssize_t n = w->events < 0 ? -1 : pread(w->events, text, sizeof text - 1, 0);
	if (n < 0)
		return true;
	text[n] = '\0';
	return strstr(text, "populated 0");
}

static int64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the group is empty: its last OOM events are told before that. */
static int follow(struct watch *w, int interval_ms, struct csn_error *err)
{
	int64_t next = now_ms() + interval_ms;
	for (int r = 0;;) {
		int64_t left = next - now_ms();
		/* init is asked once; then its group's other processes end in their own time. */
		struct pollfd p[] = { { .fd = w->oom.fd, .events = POLLPRI },
				      { .fd = w->events, .events = POLLPRI },
				      { .fd = w->init, .events = POLLIN } };
		int n = poll(p, COUNT(p), left > 0 ? (int)left : 0);
		if (n < 0 && errno != EINTR)
			return fail_errno(err, "poll");
		bool empty = is_empty(w);
		r = tell_ooms(w, err);
		if (r == 0 && !empty && n == 0) {
			next += interval_ms;
			r = tell_stats(w, err);
		}
		if (r != 0 || empty)
			return r < 0 ? r : 0;
		if (n > 0 && p[2].revents)
			close_fd(&w->init);
	}
}

int host_events(const struct host_context *ctx, const char *id, int interval_ms, host_event_fn fn,
		void *data, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct watch w AUTO(watch_done) = { .id = id,
					    .fn = fn,
					    .data = data,
					    .cg = CGROUP_INIT,
					    .oom = CGROUP_OOM_INIT,
					    .events = -1,
					    .init = -1 };
	TRY(container_open(ctx, id, ENTRY_SHARED_NONE, &c, err));
	if (!record_alive(&c.record))
		return fail(err, ESRCH, "container \"%s\" is not running", id);
	TRY(open_watch(&w, &c, err));
	if (interval_ms > 0)
		return follow(&w, interval_ms, err);
	int r = tell_stats(&w, err);
	if (r == 1)
		return fail(err, ESRCH, "container \"%s\" is not running", id);
	return r;
}
