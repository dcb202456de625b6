/*
 * Limits: one table of plain values, then the files that hold a line a device. Written in table
 * order; unified files come last, so that they win.
 *
 * What a group without the controller has anyway needs no file: "max" for a limit, 0 for a
 * protection, a burst, cpu.idle or memory.oom.group, 0 or "max" for swap that is not there. Asking
 * for that where the controller is missing changes nothing; asking for more is an error.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "cgroups/internal.h"

/* What a missing file stands for. */
enum when_missing { MAX = 1, ZERO = 2 };

static const struct limit {
	const char *file;
	size_t offset;
	unsigned controller;
	unsigned missing; /* enum when_missing, or-ed */
} limits[] = {
#define LIMIT(file, member, controller, missing)                                                   \
	{                                                                                          \
		file, offsetof(struct cgroup_limits, member), controller, missing                  \
	}
	LIMIT("memory.swap.max", memory_swap_max, CGROUP_MEMORY, ZERO | MAX),
	LIMIT("memory.max", memory_max, CGROUP_MEMORY, MAX),
	LIMIT("memory.high", memory_high, CGROUP_MEMORY, MAX),
	LIMIT("memory.low", memory_low, CGROUP_MEMORY, ZERO),
	LIMIT("memory.min", memory_min, CGROUP_MEMORY, ZERO),
	LIMIT("memory.oom.group", memory_oom_group, CGROUP_MEMORY, ZERO),
	LIMIT("pids.max", pids_max, CGROUP_PIDS, MAX),
#undef LIMIT
};

static const struct cgroup_value *value_of(const struct cgroup_limits *l, const struct limit *row)
{
	return (const struct cgroup_value *)((const char *)l + row->offset);
}

static bool may_be_missing(const struct limit *row, uint64_t value)
{
	return ((row->missing & MAX) && value == CGROUP_MAX) ||
	       ((row->missing & ZERO) && value == 0);
}

/* The controller that a file belongs to, by its name; 0 for the core's own and unknown ones. */
unsigned controller_of_file(const char *file)
{
	size_t n = strcspn(file, ".");
	for (const struct controller_name *c = controller_names; c->name; c++)
		if (strlen(c->name) == n && strncmp(c->name, file, n) == 0)
			return c->bit;
	return 0;
}

unsigned cgroup_limits_controllers(const struct cgroup_limits *l)
{
	unsigned mask = 0;
	for (size_t i = 0; i < COUNT(limits); i++)
		if (value_of(l, &limits[i])->set &&
		    !may_be_missing(&limits[i], value_of(l, &limits[i])->value))
			mask |= limits[i].controller;
	if (l->cpu_weight.set || (l->cpu_idle.set && l->cpu_idle.value) ||
	    (l->cpu_burst.set && l->cpu_burst.value) ||
	    (l->cpu_quota.set && l->cpu_quota.value != CGROUP_MAX))
		mask |= CGROUP_CPU;
	if (l->cpuset_cpus || l->cpuset_mems)
		mask |= CGROUP_CPUSET;
	if (l->io_bfq_weight.set || l->io_weights_count || l->io_limits_count)
		mask |= CGROUP_IO;
	for (size_t i = 0; i < l->hugetlb_count; i++)
		if (l->hugetlb[i].limit != CGROUP_MAX)
			mask |= CGROUP_HUGETLB;
	if (l->rdma_count)
		mask |= CGROUP_RDMA;
	for (size_t i = 0; i < l->unified_count; i++)
		mask |= controller_of_file(l->unified[i].name);
	return mask;
}

static void print_value(char *buf, size_t size, uint64_t value)
{
	if (value == CGROUP_MAX)
		(void)snprintf(buf, size, "max");
	else
		(void)snprintf(buf, size, "%" PRIu64, value);
}

static int apply_values(struct batch *b, const struct cgroup_limits *l, struct csn_error *err)
{
	for (size_t i = 0; i < COUNT(limits); i++) {
		const struct cgroup_value *v = value_of(l, &limits[i]);
		char text[32];
		if (!v->set || (may_be_missing(&limits[i], v->value) &&
				!cgroup_has_file(b->cg, limits[i].file)))
			continue;
		print_value(text, sizeof text, v->value);
		TRY(batch_write(b, limits[i].file, text, err));
	}
	return 0;
}

/* Memory, and memory with swap, that are in use and would not fit: the kernel would kill for it. */
static int check_memory(const struct cgroup *cg, const struct cgroup_limits *l,
			struct csn_error *err)
{
	uint64_t current = 0, swap = 0;
	if (!l->memory_check || !l->memory_max.set ||
	    cgroup_read_u64(cg, "memory.current", &current, NULL) < 0)
		return 0;
	if (current >= l->memory_max.value)
		return fail(err, EBUSY,
			    "memory.max: %" PRIu64 " bytes are below the %" PRIu64 " bytes in use",
			    l->memory_max.value, current);
	if (!l->memory_swap_max.set || l->memory_swap_max.value == CGROUP_MAX ||
	    cgroup_read_u64(cg, "memory.swap.current", &swap, NULL) < 0 ||
	    swap <= l->memory_swap_max.value)
		return 0;
	return fail(err, EBUSY,
		    "memory.swap.max: %" PRIu64 " bytes are below the %" PRIu64 " bytes in use",
		    l->memory_swap_max.value, swap);
}

/* "QUOTA PERIOD" in one file; the half that is not given keeps what the kernel has. */
static int apply_cpu_max(struct batch *b, const struct cgroup_limits *l, struct csn_error *err)
{
	char now[64] = "max 100000", quota[64], text[160];
	if (!l->cpu_quota.set && !l->cpu_period.set)
		return 0;
	bool unlimited = !l->cpu_quota.set || l->cpu_quota.value == CGROUP_MAX;
	if (unlimited && !cgroup_has_file(b->cg, "cpu.max"))
		return 0;

	if (!l->cpu_quota.set || !l->cpu_period.set)
		(void)read_value(b->cg, "cpu.max", now, sizeof now);
	now[strcspn(now, "\n")] = '\0';
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
	return batch_write(b, "cpu.max", text, err);
}

#define BURST "cpu.max.burst" /* Linux 5.14 */
enum { CPU_WEIGHT_AT_BIRTH = 100 };

static int apply_cpu(struct batch *b, const struct cgroup_limits *l, struct csn_error *err)
{
	char text[32];
	/* An idle group has no weight: leave idle first, enter it last. */
	if (l->cpu_idle.set && !l->cpu_idle.value && cgroup_has_file(b->cg, "cpu.idle"))
		TRY(batch_write(b, "cpu.idle", "0", err));
	/* The weight that a group is born with asks for nothing: no controller is needed for it. */
	bool as_born =
		l->cpu_weight.value == CPU_WEIGHT_AT_BIRTH && !cgroup_has_file(b->cg, "cpu.weight");
	if (l->cpu_weight.set && !as_born && !(l->cpu_idle.set && l->cpu_idle.value)) {
		print_value(text, sizeof text, l->cpu_weight.value);
		TRY(batch_write(b, "cpu.weight", text, err));
	}
	if (l->cpu_idle.set && l->cpu_idle.value)
		TRY(batch_write(b, "cpu.idle", "1", err));

	/* A burst may not exceed the quota, old or new: before a larger quota it is refused. */
	print_value(text, sizeof text, l->cpu_burst.value);
	bool early = l->cpu_burst.set && batch_write(b, BURST, text, NULL) == 0;
	TRY(apply_cpu_max(b, l, err));
	if (l->cpu_burst.set && !early && (l->cpu_burst.value || cgroup_has_file(b->cg, BURST)))
		TRY(batch_write(b, BURST, text, err));

	if (l->cpuset_cpus)
		TRY(batch_write(b, "cpuset.cpus", l->cpuset_cpus, err));
	if (l->cpuset_mems)
		TRY(batch_write(b, "cpuset.mems", l->cpuset_mems, err));
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

/* The weight of the group, or with "MAJOR:MINOR " as prefix for one device. */
static int apply_io_weight(struct batch *b, const char *prefix, uint64_t weight,
			   struct csn_error *err)
{
	bool bfq = cgroup_has_file(b->cg, "io.bfq.weight");
	char text[64];
	if (!bfq)
		weight = weight <= 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
	(void)snprintf(text, sizeof text, "%s%" PRIu64, prefix, weight);
	return batch_write(b, bfq ? "io.bfq.weight" : "io.weight", text, err);
}

/* bfq forgets the weights of devices when the group's own is written: they are said again. */
static int apply_io_default_weight(struct batch *b, uint64_t weight, struct csn_error *err)
{
	enum { FILE_MAX = 1 << 20 };
	auto_mem char *before = NULL;
	size_t size = 0;
	char *save = NULL;
	if (b->undoable)
		(void)file_read(b->cg->dir, "io.bfq.weight", FILE_MAX, &before, &size, NULL);
	TRY(apply_io_weight(b, "", weight, err));
	for (char *line = before ? strtok_r(before, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (*line >= '0' && *line <= '9')
			TRY(batch_write(b, "io.bfq.weight", line, err));
	return 0;
}

static int apply_io(struct batch *b, const struct cgroup_limits *l, struct csn_error *err)
{
	char text[256];
	if (l->io_bfq_weight.set)
		TRY(apply_io_default_weight(b, l->io_bfq_weight.value, err));
	for (size_t i = 0; i < l->io_weights_count; i++) {
		const struct cgroup_io_weight *w = &l->io_weights[i];
		(void)snprintf(text, 48, "%" PRId64 ":%" PRId64 " ", w->major, w->minor);
		TRY(apply_io_weight(b, text, w->weight, err));
	}
	for (size_t i = 0; i < l->io_limits_count; i++) {
		const struct cgroup_io_limit *m = &l->io_limits[i];
		(void)snprintf(text, sizeof text, "%" PRId64 ":%" PRId64, m->major, m->minor);
		add_rate(text, sizeof text, "rbps", m->rbps);
		add_rate(text, sizeof text, "wbps", m->wbps);
		add_rate(text, sizeof text, "riops", m->riops);
		add_rate(text, sizeof text, "wiops", m->wiops);
		TRY(batch_write(b, "io.max", text, err));
	}
	return 0;
}

static int apply_hugetlb(struct batch *b, const struct cgroup_limits *l, struct csn_error *err)
{
	for (size_t i = 0; i < l->hugetlb_count; i++) {
		const struct cgroup_hugetlb *h = &l->hugetlb[i];
		char file[64], text[32];
		print_value(text, sizeof text, h->limit);
		/* Reservations first: they are what mmap takes, before any page is touched. */
		(void)snprintf(file, sizeof file, "hugetlb.%.32s.rsvd.max", h->page_size);
		if (cgroup_has_file(b->cg, file))
			TRY(batch_write(b, file, text, err));
		(void)snprintf(file, sizeof file, "hugetlb.%.32s.max", h->page_size);
		if (h->limit != CGROUP_MAX || cgroup_has_file(b->cg, file))
			TRY(batch_write(b, file, text, err));
	}
	return 0;
}

static int apply_rdma(struct batch *b, const struct cgroup_limits *l, struct csn_error *err)
{
	for (size_t i = 0; i < l->rdma_count; i++) {
		const struct cgroup_rdma *r = &l->rdma[i];
		char handles[32], objects[32];
		auto_mem char *text = NULL;
		print_value(handles, sizeof handles, r->handles);
		print_value(objects, sizeof objects, r->objects);
		if (asprintf(&text, "%s%s%s%s%s", r->device, r->has_handles ? " hca_handle=" : "",
			     r->has_handles ? handles : "", r->has_objects ? " hca_object=" : "",
			     r->has_objects ? objects : "") < 0) {
			text = NULL;
			return fail(err, ENOMEM, "out of memory");
		}
		TRY(batch_write(b, "rdma.max", text, err));
	}
	return 0;
}

/* Core files that move, end or stop processes, or make a group unfit for any: no limits, and never
 * a config's to write. */
static bool is_no_limit(const char *file)
{
	static const char *const files[] = { "cgroup.procs", "cgroup.threads",
					     "cgroup.kill",  "cgroup.freeze",
					     "cgroup.type",  "cgroup.subtree_control" };
	for (size_t i = 0; i < COUNT(files); i++)
		if (strcmp(file, files[i]) == 0)
			return true;
	return false;
}

/* A value may have several lines; the kernel takes one a write. */
static int apply_unified_file(struct batch *b, const struct cgroup_file *f, struct csn_error *err)
{
	if (is_no_limit(f->name))
		return fail(err, EINVAL, "cgroup file \"%s\" is not a limit", f->name);
	auto_mem char *text = strdup(f->text);
	if (!text)
		return fail(err, ENOMEM, "out of memory");

	char *save = NULL, *line = strtok_r(text, "\n", &save);
	do {
		TRY(batch_write(b, f->name, line ? line : "", err));
		line = strtok_r(NULL, "\n", &save);
	} while (line);
	return 0;
}

static int apply(struct batch *b, const struct cgroup_limits *l, struct csn_error *err)
{
	TRY(check_memory(b->cg, l, err));
	TRY(apply_values(b, l, err));
	TRY(apply_cpu(b, l, err));
	TRY(apply_io(b, l, err));
	TRY(apply_hugetlb(b, l, err));
	TRY(apply_rdma(b, l, err));
	for (size_t i = 0; i < l->unified_count; i++)
		TRY(apply_unified_file(b, &l->unified[i], err));
	return 0;
}

int cgroup_apply_limits(const struct cgroup *cg, const struct cgroup_limits *l,
			struct csn_error *err)
{
	struct batch b AUTO(batch_done) = { .cg = cg };
	return apply(&b, l, err);
}

int cgroup_update_limits(const struct cgroup *cg, const struct cgroup_limits *l,
			 struct csn_error *err)
{
	struct batch b AUTO(batch_done) = { .cg = cg, .undoable = true };
	int r = apply(&b, l, err);
	if (r < 0)
		batch_undo(&b);
	return r;
}
