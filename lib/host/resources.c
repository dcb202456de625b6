/*
 * OCI resources → cgroup v2 words (config-linux.md "Control groups"). Values that clients send for
 * "not set" (zeros, -1 where it means unlimited) change nothing; what v2 cannot do is refused by
 * name. Swap counts memory and swap together in OCI and swap alone in the kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "host/plan_build.h"

static struct cgroup_value value(uint64_t n)
{
	return (struct cgroup_value){ .set = true, .value = n };
}

static struct cgroup_value value_or_max(int64_t n)
{
	return value(n < 0 ? CGROUP_MAX : (uint64_t)n);
}

/* Present, and not the zero or false that clients send for nothing. */
static int refuse_v1(const struct spec_resources *r, struct csn_error *err)
{
	const struct {
		bool asked;
		const char *field;
	} fields[] = {
		{ r->memory.kernel.set && r->memory.kernel.value > 0, "memory.kernel" },
		{ r->memory.kernel_tcp.set && r->memory.kernel_tcp.value > 0, "memory.kernelTCP" },
		{ r->memory.swappiness.set, "memory.swappiness" },
		{ r->memory.disable_oom_killer.set && r->memory.disable_oom_killer.value,
		  "memory.disableOOMKiller" },
		{ r->cpu.realtime_runtime.set && r->cpu.realtime_runtime.value,
		  "cpu.realtimeRuntime" },
		{ r->cpu.realtime_period.set && r->cpu.realtime_period.value,
		  "cpu.realtimePeriod" },
		{ r->block_io.leaf_weight.set && r->block_io.leaf_weight.value,
		  "blockIO.leafWeight" },
		{ r->network.class_id.set && r->network.class_id.value, "network.classID" },
		{ r->network.priorities_count > 0, "network.priorities" },
	};
	for (size_t i = 0; i < COUNT(fields); i++)
		if (fields[i].asked)
			return fail(err, EOPNOTSUPP,
				    "linux.resources.%s: not supported by cgroup v2",
				    fields[i].field);
	return 0;
}

static int memory_limits(const struct spec_resources *r, struct cgroup_limits *out,
			 struct csn_error *err)
{
	const struct opt_i64 *limit = &r->memory.limit, *swap = &r->memory.swap;

	if (limit->set && limit->value)
		out->memory_max = value_or_max(limit->value);
	if (r->memory.reservation.set && r->memory.reservation.value)
		out->memory_low = value_or_max(r->memory.reservation.value);
	out->memory_check =
		r->memory.check_before_update.set && r->memory.check_before_update.value;

	if (limit->set && limit->value == -1 && (!swap->set || swap->value == 0)) {
		out->memory_swap_max = value(CGROUP_MAX);
		return 0;
	}
	if (!swap->set || swap->value == 0)
		return 0;
	if (swap->value < 0 || (limit->set && limit->value < 0)) {
		out->memory_swap_max = value_or_max(swap->value);
		return 0;
	}
	if (!limit->set || limit->value == 0)
		return fail(err, EINVAL, "linux.resources.memory.swap: needs memory.limit");
	if (swap->value < limit->value)
		return fail(
			err, EINVAL,
			"linux.resources.memory.swap: %lld is below memory.limit %lld (it counts "
			"memory and swap together)",
			(long long)swap->value, (long long)limit->value);
	out->memory_swap_max = value((uint64_t)(swap->value - limit->value));
	return 0;
}

/*
 * log2 of x as 16.16 fixed point, enough for a curve whose result is a small integer; the start
 * path links no libm.
 */
static uint64_t log2_fixed(uint64_t x)
{
	unsigned whole = 63 - (unsigned)__builtin_clzll(x);
	uint64_t mantissa = (x << (63 - whole)) >> 32, fraction = 0; /* 1.31 in 32 bits */
	for (int bit = 15; bit >= 0; bit--) {
		mantissa = mantissa * mantissa >> 31;
		if (mantissa >> 32) {
			mantissa >>= 1;
			fraction |= UINT64_C(1) << bit;
		}
	}
	return (uint64_t)whole << 16 | fraction;
}

/* 10^(e / 2^32) for e >= 0, by repeated square roots of ten: sum of bits of e. */
static double power10(double e)
{
	static const double roots[] = {
		3.1622776601683795, 1.7782794100389228, 1.333521432163324,  1.1547819846894583,
		1.0746078283213176, 1.036632928437698,	1.018151721718182,  1.0090350448414474,
		1.0045073642544626, 1.002251148292913,	1.0011249413399880, 1.0005623126022087
	};
	double result = 1;
	for (; e >= 1; e -= 1)
		result *= 10;
	double step = 0.5;
	for (size_t i = 0; i < COUNT(roots); i++, step /= 2)
		if (e >= step) {
			result *= roots[i];
			e -= step;
		}
	return result * (1 + e * 2.302585092994046);
}

/* The curve of the Kubernetes and OCI community (2025): 2 → 1, 1024 → 100, 262144 → 10000. */
static uint64_t weight_of_shares(uint64_t shares)
{
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	double l = (double)log2_fixed(shares) / 65536;
	double weight = power10((l * l + 125 * l) / 612 - 7.0 / 34);
	uint64_t whole = (uint64_t)weight;
	/* ceil, with the error of our arithmetic left out of it. */
	return weight - (double)whole > 1e-3 ? whole + 1 : whole;
}

static void cpu_limits(const struct spec_resources *r, struct cgroup_limits *out)
{
	if (r->cpu.shares.set && r->cpu.shares.value)
		out->cpu_weight = value(weight_of_shares(r->cpu.shares.value));
	if (r->cpu.quota.set && r->cpu.quota.value)
		out->cpu_quota = value_or_max(r->cpu.quota.value);
	if (r->cpu.period.set && r->cpu.period.value)
		out->cpu_period = value(r->cpu.period.value);
	if (r->cpu.burst.set)
		out->cpu_burst = value(r->cpu.burst.value);
	if (r->cpu.idle.set)
		out->cpu_idle = value((uint64_t)r->cpu.idle.value);
	out->cpuset_cpus = r->cpu.cpus;
	out->cpuset_mems = r->cpu.mems;
}

/* ---- block I/O ------------------------------------------------------------------------------- */

/* What both io.bfq.weight and, spread out, io.weight take. */
static int check_weight(uint32_t weight, const char *field, struct csn_error *err)
{
	return weight >= 10 && weight <= 1000
		       ? 0
		       : fail(err, EINVAL,
			      "linux.resources.blockIO.%s: expected an integer from 10 to 1000, "
			      "not %u",
			      field, weight);
}

static int io_weights(const struct spec_resources *r, struct arena *arena,
		      struct cgroup_limits *out, struct csn_error *err)
{
	uint32_t weight = r->block_io.weight.value;
	if (r->block_io.weight.set && weight) {
		TRY(check_weight(weight, "weight", err));
		out->io_bfq_weight = value(weight);
	}
	size_t count = r->block_io.weight_devices_count;
	struct cgroup_io_weight *weights = arena_array(arena, count, sizeof *weights);
	if (!weights)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct spec_weight_device *d = &r->block_io.weight_devices[i];
		char field[48];
		(void)snprintf(field, sizeof field, "weightDevice[%zu].weight", i);
		if (!d->weight.set)
			return fail(err, EINVAL, "linux.resources.blockIO.%s: is needed%s", field,
				    d->leaf_weight.set ? " (cgroup v2 has no leafWeight)" : "");
		TRY(check_weight(d->weight.value, field, err));
		weights[i] = (struct cgroup_io_weight){ d->major, d->minor, d->weight.value };
	}
	out->io_weights = weights;
	out->io_weights_count = count;
	return 0;
}

static struct cgroup_io_limit *limit_of_device(struct cgroup_io_limit *limits, size_t *count,
					       int64_t major, int64_t minor)
{
	for (size_t i = 0; i < *count; i++)
		if (limits[i].major == major && limits[i].minor == minor)
			return &limits[i];
	limits[*count] = (struct cgroup_io_limit){ .major = major, .minor = minor };
	return &limits[(*count)++];
}

static int io_limits(const struct spec_resources *r, struct arena *arena, struct cgroup_limits *out,
		     struct csn_error *err)
{
	const struct {
		const struct spec_throttles *list;
		size_t offset;
	} kinds[] = {
		{ &r->block_io.read_bps, offsetof(struct cgroup_io_limit, rbps) },
		{ &r->block_io.write_bps, offsetof(struct cgroup_io_limit, wbps) },
		{ &r->block_io.read_iops, offsetof(struct cgroup_io_limit, riops) },
		{ &r->block_io.write_iops, offsetof(struct cgroup_io_limit, wiops) },
	};
	size_t most = 0, count = 0;
	for (size_t k = 0; k < COUNT(kinds); k++)
		most += kinds[k].list->count;
	struct cgroup_io_limit *limits = arena_array(arena, most, sizeof *limits);
	if (!limits)
		return fail(err, ENOMEM, "out of memory");

	for (size_t k = 0; k < COUNT(kinds); k++)
		for (size_t i = 0; i < kinds[k].list->count; i++) {
			const struct spec_throttle *t = &kinds[k].list->items[i];
			struct cgroup_io_limit *l =
				limit_of_device(limits, &count, t->major, t->minor);
			uint64_t rate = t->rate ? t->rate : CGROUP_MAX;
			memcpy((char *)l + kinds[k].offset, &rate, sizeof rate);
		}
	out->io_limits = limits;
	out->io_limits_count = count;
	return 0;
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* The kernel's numbers are signed here; what is larger stands for "no limit". */
static uint64_t rdma_value(const struct opt_u32 *v)
{
	return v->value >= INT32_MAX ? CGROUP_MAX : v->value;
}

static int other_limits(const struct spec_resources *r, struct arena *arena,
			struct cgroup_limits *out, struct csn_error *err)
{
	struct cgroup_hugetlb *huge = arena_array(arena, r->hugepages_count, sizeof *huge);
	struct cgroup_rdma *rdma = arena_array(arena, r->rdma_count, sizeof *rdma);
	struct cgroup_file *files = arena_array(arena, r->unified.count, sizeof *files);
	if (!huge || !rdma || !files)
		return fail(err, ENOMEM, "out of memory");

	for (size_t i = 0; i < r->hugepages_count; i++)
		huge[i] =
			(struct cgroup_hugetlb){ r->hugepages[i].page_size, r->hugepages[i].limit };
	for (size_t i = 0; i < r->rdma_count; i++) {
		const struct spec_rdma *d = &r->rdma[i];
		if (!d->hca_handles.set && !d->hca_objects.set)
			return fail(err, EINVAL,
				    "linux.resources.rdma.%s: hcaHandles or hcaObjects is needed",
				    d->device);
		rdma[i] = (struct cgroup_rdma){ d->device, d->hca_handles.set, d->hca_objects.set,
						rdma_value(&d->hca_handles),
						rdma_value(&d->hca_objects) };
	}
	for (size_t i = 0; i < r->unified.count; i++)
		files[i] =
			(struct cgroup_file){ r->unified.items[i].key, r->unified.items[i].value };
	out->hugetlb = huge;
	out->hugetlb_count = r->hugepages_count;
	out->rdma = rdma;
	out->rdma_count = r->rdma_count;
	out->unified = files;
	out->unified_count = r->unified.count;
	return 0;
}

int resources_limits(const struct spec_resources *r, struct arena *arena, struct cgroup_limits *ret,
		     struct csn_error *err)
{
	TRY(refuse_v1(r, err));
	TRY(memory_limits(r, ret, err));
	cpu_limits(r, ret);
	if (r->pids_limit.set && r->pids_limit.value)
		ret->pids_max = value_or_max(r->pids_limit.value);
	TRY(io_weights(r, arena, ret, err));
	TRY(io_limits(r, arena, ret, err));
	return other_limits(r, arena, ret, err);
}

/* ---- devices --------------------------------------------------------------------------------- */

enum { RWM = CGROUP_DEV_READ | CGROUP_DEV_WRITE | CGROUP_DEV_MKNOD };

/* What every container may use: nodes can be made, the harmless ones opened. Before the user's
 * rules, so that those win. */
static const struct cgroup_device_rule default_rules[] = {
	{ true, 'c', -1, -1, CGROUP_DEV_MKNOD },
	{ true, 'b', -1, -1, CGROUP_DEV_MKNOD },
	{ true, 'c', 1, 3, RWM },    /* null */
	{ true, 'c', 1, 5, RWM },    /* zero */
	{ true, 'c', 1, 7, RWM },    /* full */
	{ true, 'c', 1, 8, RWM },    /* random */
	{ true, 'c', 1, 9, RWM },    /* urandom */
	{ true, 'c', 5, 0, RWM },    /* tty */
	{ true, 'c', 5, 1, RWM },    /* console */
	{ true, 'c', 5, 2, RWM },    /* ptmx */
	{ true, 'c', 136, -1, RWM }, /* pts */
	{ true, 'c', 10, 200, RWM }, /* tun: the network namespace is what guards it */
};

static unsigned access_of(const char *text)
{
	unsigned access = 0;
	if (!text || !*text)
		return RWM;
	for (; *text; text++)
		access |= *text == 'r'	 ? CGROUP_DEV_READ
			  : *text == 'w' ? CGROUP_DEV_WRITE
					 : CGROUP_DEV_MKNOD;
	return access;
}

static struct cgroup_device_rule rule_of(const struct spec_device_rule *d)
{
	return (struct cgroup_device_rule){
		.allow = d->allow,
		.type = d->type ? d->type[0] : 'a',
		.major = d->major.set ? d->major.value : -1,
		.minor = d->minor.set ? d->minor.value : -1,
		.access = access_of(d->access),
	};
}

/* A leading "deny all" is how configs say "only what follows": it states our own default and must
 * not take the default devices away. */
static bool is_deny_all(const struct cgroup_device_rule *r)
{
	return !r->allow && r->type == 'a' && r->major < 0 && r->minor < 0 && r->access == RWM;
}

int resources_devices(const struct spec *spec, struct arena *arena, struct cgroup_device_rule **ret,
		      size_t *ret_count, struct csn_error *err)
{
	const struct spec_resources *r = &spec->linux_.resources;
	size_t count = 0;

	*ret_count = 0;
	if (r->devices_count == 0)
		return 0;
	struct cgroup_device_rule *rules =
		arena_array(arena, COUNT(default_rules) + r->devices_count, sizeof *rules);
	if (!rules)
		return fail(err, ENOMEM, "out of memory");
	memcpy(rules, default_rules, sizeof default_rules);
	count = COUNT(default_rules);
	for (size_t i = 0; i < r->devices_count; i++) {
		struct cgroup_device_rule rule = rule_of(&r->devices[i]);
		if (!(i == 0 && is_deny_all(&rule)))
			rules[count++] = rule;
	}
	*ret = rules;
	*ret_count = count;
	return 0;
}
