/*
 * Limits: one table of plain values, then the files that hold a line a device. Written in table
 * order; unified files come last, so that they win.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "cgroups/internal.h"

enum when_missing {
	NEEDED,	       /* the file's absence is an error */
	NO_LIMIT_OK,   /* unlimited needs no file */
	ZERO_OR_MAX_OK /* so does zero: swap that is not there cannot be used */
};

static const struct limit {
	const char *file;
	size_t offset;
	unsigned controller;
	enum when_missing missing;
} limits[] = {
#define LIMIT(file, member, controller, missing)                                                   \
	{                                                                                          \
		file, offsetof(struct cgroup_limits, member), controller, missing                  \
	}
	/* swap before memory.max: raising memory first could let a group swap more than asked. */
	LIMIT("memory.swap.max", memory_swap_max, CGROUP_MEMORY, ZERO_OR_MAX_OK),
	LIMIT("memory.max", memory_max, CGROUP_MEMORY, NO_LIMIT_OK),
	LIMIT("memory.high", memory_high, CGROUP_MEMORY, NO_LIMIT_OK),
	LIMIT("memory.low", memory_low, CGROUP_MEMORY, NEEDED),
	LIMIT("memory.min", memory_min, CGROUP_MEMORY, NEEDED),
	LIMIT("memory.oom.group", memory_oom_group, CGROUP_MEMORY, NEEDED),
	LIMIT("pids.max", pids_max, CGROUP_PIDS, NO_LIMIT_OK),
#undef LIMIT
};

static const struct cgroup_value *value_of(const struct cgroup_limits *l, const struct limit *row)
{
	return (const struct cgroup_value *)((const char *)l + row->offset);
}

static bool may_be_missing(const struct limit *row, uint64_t value)
{
	return (row->missing != NEEDED && value == CGROUP_MAX) ||
	       (row->missing == ZERO_OR_MAX_OK && value == 0);
}

unsigned cgroup_limits_controllers(const struct cgroup_limits *l)
{
	unsigned mask = 0;
	for (size_t i = 0; i < COUNT(limits); i++)
		if (value_of(l, &limits[i])->set &&
		    !may_be_missing(&limits[i], value_of(l, &limits[i])->value))
			mask |= limits[i].controller;
	if (l->cpu_weight.set || l->cpu_idle.set || l->cpu_burst.set ||
	    (l->cpu_quota.set && l->cpu_quota.value != CGROUP_MAX))
		mask |= CGROUP_CPU;
	if (l->cpuset_cpus || l->cpuset_mems)
		mask |= CGROUP_CPUSET;
	if (l->io_weight.set || l->io_weights_count || l->io_limits_count)
		mask |= CGROUP_IO;
	if (l->hugetlb_count)
		mask |= CGROUP_HUGETLB;
	if (l->rdma_count)
		mask |= CGROUP_RDMA;
	return mask;
}

static const char *controller_of(unsigned bit)
{
	for (const struct controller_name *c = controller_names; c->name; c++)
		if (c->bit == bit)
			return c->name;
	return "?";
}

static int fail_controller(const struct cgroup *cg, const char *file, const char *controller,
			   struct csn_error *err)
{
	char offered[128] = "none";
	unsigned have = 0;
	size_t at = 0;
	(void)cgroup_controllers(cg, &have, NULL);
	for (const struct controller_name *c = controller_names; c->name; c++)
		if (have & c->bit)
			at += (size_t)snprintf(offered + at, sizeof offered - at, "%s%s",
					       at ? " " : "", c->name);
	return fail(
		err, ENOENT,
		"%s: the %s controller is not available in cgroup \"%s\" (it has: %s); it may be "
		"bound to cgroup v1 (boot with cgroup_no_v1=%s) or not be enabled in a parent's "
		"cgroup.subtree_control",
		file, controller, cg->path, offered, controller);
}

static int write_file(const struct cgroup *cg, unsigned controller, const char *file,
		      const char *text, struct csn_error *err)
{
	int r = cgroup_write(cg, file, text, err);
	return r == -ENOENT || (r == -EACCES && !cgroup_has_file(cg, file))
		       ? fail_controller(cg, file, controller_of(controller), err)
		       : r;
}

static void print_value(char *buf, size_t size, uint64_t value)
{
	if (value == CGROUP_MAX)
		(void)snprintf(buf, size, "max");
	else
		(void)snprintf(buf, size, "%" PRIu64, value);
}

static int apply_values(const struct cgroup *cg, const struct cgroup_limits *l,
			struct csn_error *err)
{
	for (size_t i = 0; i < COUNT(limits); i++) {
		const struct cgroup_value *v = value_of(l, &limits[i]);
		char text[32];
		if (!v->set ||
		    (may_be_missing(&limits[i], v->value) && !cgroup_has_file(cg, limits[i].file)))
			continue;
		print_value(text, sizeof text, v->value);
		TRY(write_file(cg, limits[i].controller, limits[i].file, text, err));
	}
	return 0;
}

static int check_memory(const struct cgroup *cg, const struct cgroup_limits *l,
			struct csn_error *err)
{
	uint64_t current = 0;
	if (!l->memory_check || !l->memory_max.set ||
	    cgroup_read_u64(cg, "memory.current", &current, NULL) < 0 ||
	    current < l->memory_max.value)
		return 0;
	return fail(err, EBUSY,
		    "memory.max: %" PRIu64 " bytes are below the %" PRIu64 " bytes in use",
		    l->memory_max.value, current);
}

/* "QUOTA PERIOD" in one file; the half that is not given keeps what the kernel has. */
static int apply_cpu_max(const struct cgroup *cg, const struct cgroup_limits *l,
			 struct csn_error *err)
{
	char now[64] = "max 100000", quota[32], text[96];
	if (!l->cpu_quota.set && !l->cpu_period.set)
		return 0;
	bool unlimited = !l->cpu_quota.set || l->cpu_quota.value == CGROUP_MAX;
	if (unlimited && !cgroup_has_file(cg, "cpu.max"))
		return 0;

	if (!l->cpu_quota.set || !l->cpu_period.set)
		(void)read_value(cg, "cpu.max", now, sizeof now);
	char *period = strchr(now, ' ');
	if (period)
		*period++ = '\0';
	if (l->cpu_quota.set)
		print_value(quota, sizeof quota, l->cpu_quota.value);
	else
		(void)snprintf(quota, sizeof quota, "%s", now);
	if (l->cpu_period.set)
		(void)snprintf(text, sizeof text, "%s %" PRIu64, quota, l->cpu_period.value);
	else
		(void)snprintf(text, sizeof text, "%s %s", quota, period ? period : "100000");
	return write_file(cg, CGROUP_CPU, "cpu.max", text, err);
}

static int apply_cpu(const struct cgroup *cg, const struct cgroup_limits *l, struct csn_error *err)
{
	char text[32];
	/* An idle group has no weight: leave idle first, enter it last. */
	if (l->cpu_idle.set && !l->cpu_idle.value)
		TRY(write_file(cg, CGROUP_CPU, "cpu.idle", "0", err));
	if (l->cpu_weight.set && !(l->cpu_idle.set && l->cpu_idle.value)) {
		print_value(text, sizeof text, l->cpu_weight.value);
		TRY(write_file(cg, CGROUP_CPU, "cpu.weight", text, err));
	}
	if (l->cpu_idle.set && l->cpu_idle.value)
		TRY(write_file(cg, CGROUP_CPU, "cpu.idle", "1", err));

	/* A burst may not exceed the quota, old or new: before a larger quota it is refused. */
	print_value(text, sizeof text, l->cpu_burst.value);
	bool early = l->cpu_burst.set && cgroup_write(cg, "cpu.max.burst", text, NULL) == 0;
	TRY(apply_cpu_max(cg, l, err));
	if (l->cpu_burst.set && !early)
		TRY(write_file(cg, CGROUP_CPU, "cpu.max.burst", text, err));

	if (l->cpuset_cpus)
		TRY(write_file(cg, CGROUP_CPUSET, "cpuset.cpus", l->cpuset_cpus, err));
	if (l->cpuset_mems)
		TRY(write_file(cg, CGROUP_CPUSET, "cpuset.mems", l->cpuset_mems, err));
	return 0;
}

static void add_rate(char *text, size_t size, const char *key, uint64_t rate)
{
	size_t at = strlen(text);
	char value[32];
	if (!rate)
		return;
	print_value(value, sizeof value, rate);
	(void)snprintf(text + at, size - at, " %s=%s", key, value);
}

static int apply_io(const struct cgroup *cg, const struct cgroup_limits *l, struct csn_error *err)
{
	char text[256];
	if (l->io_weight.set || l->io_bfq_weight.set) {
		bool bfq = l->io_bfq_weight.set && cgroup_has_file(cg, "io.bfq.weight");
		(void)snprintf(text, sizeof text, "%" PRIu64,
			       bfq ? l->io_bfq_weight.value : l->io_weight.value);
		TRY(write_file(cg, CGROUP_IO, bfq ? "io.bfq.weight" : "io.weight", text, err));
	}
	for (size_t i = 0; i < l->io_weights_count; i++) {
		const struct cgroup_io_weight *w = &l->io_weights[i];
		(void)snprintf(text, sizeof text, "%" PRId64 ":%" PRId64 " %" PRIu64, w->major,
			       w->minor, w->weight);
		TRY(write_file(cg, CGROUP_IO, "io.bfq.weight", text, err));
	}
	for (size_t i = 0; i < l->io_limits_count; i++) {
		const struct cgroup_io_limit *m = &l->io_limits[i];
		(void)snprintf(text, sizeof text, "%" PRId64 ":%" PRId64, m->major, m->minor);
		add_rate(text, sizeof text, "rbps", m->rbps);
		add_rate(text, sizeof text, "wbps", m->wbps);
		add_rate(text, sizeof text, "riops", m->riops);
		add_rate(text, sizeof text, "wiops", m->wiops);
		TRY(write_file(cg, CGROUP_IO, "io.max", text, err));
	}
	return 0;
}

static int apply_hugetlb(const struct cgroup *cg, const struct cgroup_limits *l,
			 struct csn_error *err)
{
	for (size_t i = 0; i < l->hugetlb_count; i++) {
		char file[64], text[32];
		print_value(text, sizeof text, l->hugetlb[i].limit);
		(void)snprintf(file, sizeof file, "hugetlb.%s.max", l->hugetlb[i].page_size);
		TRY(write_file(cg, CGROUP_HUGETLB, file, text, err));
		(void)snprintf(file, sizeof file, "hugetlb.%s.rsvd.max", l->hugetlb[i].page_size);
		if (cgroup_has_file(cg, file))
			TRY(write_file(cg, CGROUP_HUGETLB, file, text, err));
	}
	return 0;
}

static int apply_rdma(const struct cgroup *cg, const struct cgroup_limits *l, struct csn_error *err)
{
	for (size_t i = 0; i < l->rdma_count; i++) {
		char text[256], value[32];
		const struct cgroup_rdma *r = &l->rdma[i];
		(void)snprintf(text, sizeof text, "%s", r->device);
		if (r->has_handles) {
			print_value(value, sizeof value, r->handles);
			(void)snprintf(text + strlen(text), sizeof text - strlen(text),
				       " hca_handle=%s", value);
		}
		if (r->has_objects) {
			print_value(value, sizeof value, r->objects);
			(void)snprintf(text + strlen(text), sizeof text - strlen(text),
				       " hca_object=%s", value);
		}
		TRY(write_file(cg, CGROUP_RDMA, "rdma.max", text, err));
	}
	return 0;
}

/* A value may have several lines; the kernel takes one a write. */
static int apply_unified_file(const struct cgroup *cg, const struct cgroup_file *f,
			      struct csn_error *err)
{
	char controller[32];
	size_t dot = strcspn(f->name, ".");
	auto_mem char *text = strdup(f->text);
	if (!text)
		return fail(err, ENOMEM, "out of memory");

	char *save = NULL, *line = strtok_r(text, "\n", &save);
	do {
		int r = cgroup_write(cg, f->name, line ? line : "", err);
		if (r == -ENOENT) {
			(void)snprintf(controller, sizeof controller, "%.*s", (int)dot, f->name);
			return fail_controller(cg, f->name, controller, err);
		}
		TRY(r);
		line = strtok_r(NULL, "\n", &save);
	} while (line);
	return 0;
}

int cgroup_apply_limits(const struct cgroup *cg, const struct cgroup_limits *l,
			struct csn_error *err)
{
	TRY(check_memory(cg, l, err));
	TRY(apply_values(cg, l, err));
	TRY(apply_cpu(cg, l, err));
	TRY(apply_io(cg, l, err));
	TRY(apply_hugetlb(cg, l, err));
	TRY(apply_rdma(cg, l, err));
	for (size_t i = 0; i < l->unified_count; i++)
		TRY(apply_unified_file(cg, &l->unified[i], err));
	return 0;
}
