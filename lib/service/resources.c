/*
 * Limits: from what a user asked for to OCI resources, merged when they are updated, and written as
 * JSON. One table of OCI's members serves merging and writing.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "service/service.h"

#define PERIOD_US 100000

/* ---- from options -----------------------------------------------------------------------------
 */

const struct csn_device_limit *service_device_limit(const struct csn_resources *r, size_t n)
{
	return (const void *)((const char *)r->devices + n * r->devices->size);
}

/* Values that are numbers alone: what each may be. max 0: any. */
static int check_ranges(const struct csn_resources *r, struct csn_error *err)
{
	const struct {
		const char *name;
		int64_t value, min, max;
	} rows[] = {
		{ "memory limit", r->memory_bytes, -1, 0 },
		{ "limit of memory and swap", r->memory_swap_bytes, -1, 0 },
		{ "memory reservation", r->memory_reservation_bytes, -1, 0 },
		{ "number of CPUs (in 10^-9)", r->nano_cpus, -1, 0 },
		{ "CPU quota", r->cpu_quota_us, -1, 0 },
		{ "CPU period", r->cpu_period_us, 1000, 1000000 },
		{ "CPU burst", r->cpu_burst_us, 0, 0 },
		{ "CPU shares", r->cpu_shares, 2, 262144 },
		{ "pids limit", r->pids_limit, -1, 0 },
		{ "block I/O weight", r->blkio_weight, 10, 1000 },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].value == 0)
			continue;
		if (rows[i].max && (rows[i].value < rows[i].min || rows[i].value > rows[i].max))
			return fail(err, EINVAL,
				    "%s: expected a number from %lld to %lld, not %lld",
				    rows[i].name, (long long)rows[i].min, (long long)rows[i].max,
				    (long long)rows[i].value);
		if (!rows[i].max && rows[i].value < rows[i].min)
			return fail(err, EINVAL, "%s: expected a number%s, not %lld", rows[i].name,
				    rows[i].min < 0 ? " above 0 or -1" : " above 0",
				    (long long)rows[i].value);
	}
	return 0;
}

static struct opt_i64 asked(int64_t value)
{
	return (struct opt_i64){ .set = value != 0, .value = value };
}

/* CPUs are a quota; a smaller one than the kernel takes is said before it is asked. */
static int cpu_time(const struct csn_resources *r, struct spec_resources *ret,
		    struct csn_error *err)
{
	int64_t period = r->cpu_period_us ? r->cpu_period_us : PERIOD_US;
	if (r->nano_cpus && (r->cpu_quota_us || r->cpu_period_us))
		return fail(err, EINVAL,
			    "a number of CPUs and a CPU quota or period exclude each "
			    "other");
	ret->cpu.quota = asked(r->cpu_quota_us);
	if (r->nano_cpus < 0) {
		ret->cpu.quota = asked(-1);
	} else if (r->nano_cpus > 0) {
		if (r->nano_cpus > INT64_MAX / PERIOD_US)
			return fail(err, EINVAL, "number of CPUs: too large");
		ret->cpu.quota = asked(r->nano_cpus * PERIOD_US / 1000000000);
		if (ret->cpu.quota.value < 1000)
			return fail(err, EINVAL, "number of CPUs: expected 0.01 or more");
	}
	if (r->cpu_quota_us > 0 && r->cpu_quota_us < 1000)
		return fail(err, EINVAL, "CPU quota: expected 1000 or more, not %lld",
			    (long long)r->cpu_quota_us);
	if (r->cpu_period_us || r->nano_cpus)
		ret->cpu.period = (struct opt_u64){ true, (uint64_t)period };
	if (r->cpu_burst_us)
		ret->cpu.burst = (struct opt_u64){ true, (uint64_t)r->cpu_burst_us };
	if (r->cpu_shares)
		ret->cpu.shares = (struct opt_u64){ true, (uint64_t)r->cpu_shares };
	return 0;
}

/* As Docker has it: who limits memory alone gets as much swap again. */
static int memory(const struct csn_resources *r, bool creating, struct spec_resources *ret,
		  struct csn_error *err)
{
	ret->memory.limit = asked(r->memory_bytes);
	ret->memory.reservation = asked(r->memory_reservation_bytes);
	ret->memory.swap = asked(r->memory_swap_bytes);
	if (creating && r->memory_bytes > 0 && r->memory_swap_bytes == 0)
		ret->memory.swap =
			asked(r->memory_bytes > INT64_MAX / 2 ? -1 : 2 * r->memory_bytes);
	if (creating && r->memory_swap_bytes > 0 && r->memory_bytes <= 0)
		return fail(err, EINVAL,
			    "a limit of memory and swap together needs a memory limit");
	return 0;
}

static int copy_text(const char *text, char **ret, struct arena *arena, struct csn_error *err)
{
	if (!text || !*text)
		return 0;
	*ret = arena_strdup(arena, text);
	return *ret ? 0 : fail(err, ENOMEM, "out of memory");
}

static struct spec_throttles *throttles_of(struct spec_resources *r,
					   enum csn_device_limit_kind kind)
{
	switch (kind) {
	case CSN_DEVICE_READ_BPS:
		return &r->block_io.read_bps;
	case CSN_DEVICE_WRITE_BPS:
		return &r->block_io.write_bps;
	case CSN_DEVICE_READ_IOPS:
		return &r->block_io.read_iops;
	case CSN_DEVICE_WRITE_IOPS:
		return &r->block_io.write_iops;
	case CSN_DEVICE_WEIGHT:
		break;
	}
	return NULL;
}

static int add_device(const struct csn_device_limit *d, const struct service_device *number,
		      size_t most, struct spec_resources *ret, struct arena *arena,
		      struct csn_error *err)
{
	struct spec_throttles *list = throttles_of(ret, d->kind);
	if (list) {
		if (!list->items)
			list->items = arena_array(arena, most, sizeof *list->items);
		if (!list->items)
			return fail(err, ENOMEM, "out of memory");
		list->items[list->count++] =
			(struct spec_throttle){ number->major, number->minor, d->value };
		return 0;
	}
	if (d->kind != CSN_DEVICE_WEIGHT)
		return fail(err, EINVAL, "device limit of \"%.200s\": unknown kind %d", d->device,
			    (int)d->kind);
	if (d->value < 10 || d->value > 1000)
		return fail(err, EINVAL,
			    "block I/O weight of \"%.200s\": expected a number from 10 to 1000, "
			    "not %llu",
			    d->device, (unsigned long long)d->value);
	if (!ret->block_io.weight_devices)
		ret->block_io.weight_devices =
			arena_array(arena, most, sizeof *ret->block_io.weight_devices);
	if (!ret->block_io.weight_devices)
		return fail(err, ENOMEM, "out of memory");
	ret->block_io.weight_devices[ret->block_io.weight_devices_count++] =
		(struct spec_weight_device){ .major = number->major,
					     .minor = number->minor,
					     .weight = { true, (uint32_t)d->value } };
	return 0;
}

int service_resources(const struct csn_resources *r, const struct service_device *devices,
		      bool creating, struct spec_resources *ret, struct arena *arena,
		      struct csn_error *err)
{
	struct spec_resources out = { .set = true };
	TRY(check_ranges(r, err));
	TRY(memory(r, creating, &out, err));
	TRY(cpu_time(r, &out, err));
	TRY(copy_text(r->cpuset_cpus, &out.cpu.cpus, arena, err));
	TRY(copy_text(r->cpuset_mems, &out.cpu.mems, arena, err));
	out.pids_limit = asked(r->pids_limit);
	if (r->blkio_weight)
		out.block_io.weight = (struct opt_u32){ true, (uint32_t)r->blkio_weight };
	for (size_t i = 0; i < r->devices_count; i++)
		TRY(add_device(service_device_limit(r, i), &devices[i], r->devices_count, &out,
			       arena, err));
	*ret = out;
	return 0;
}

/* ---- the table --------------------------------------------------------------------------------
 */

enum kind { SIGNED, UNSIGNED, SMALL, TEXT, RATES, WEIGHTS };

/* Members of one object stand together. */
static const struct row {
	const char *object, *name;
	enum kind kind;
	size_t offset;
} rows[] = {
#define ROW(object, name, kind, member)                                                            \
	{                                                                                          \
		object, name, kind, offsetof(struct spec_resources, member)                        \
	}
	ROW("memory", "limit", SIGNED, memory.limit),
	ROW("memory", "reservation", SIGNED, memory.reservation),
	ROW("memory", "swap", SIGNED, memory.swap),
	ROW("cpu", "shares", UNSIGNED, cpu.shares),
	ROW("cpu", "quota", SIGNED, cpu.quota),
	ROW("cpu", "burst", UNSIGNED, cpu.burst),
	ROW("cpu", "period", UNSIGNED, cpu.period),
	ROW("cpu", "cpus", TEXT, cpu.cpus),
	ROW("cpu", "mems", TEXT, cpu.mems),
	ROW("pids", "limit", SIGNED, pids_limit),
	ROW("blockIO", "weight", SMALL, block_io.weight),
	ROW("blockIO", "weightDevice", WEIGHTS, block_io.weight_devices),
	ROW("blockIO", "throttleReadBpsDevice", RATES, block_io.read_bps),
	ROW("blockIO", "throttleWriteBpsDevice", RATES, block_io.write_bps),
	ROW("blockIO", "throttleReadIOPSDevice", RATES, block_io.read_iops),
	ROW("blockIO", "throttleWriteIOPSDevice", RATES, block_io.write_iops),
#undef ROW
};

/* The lists, whose elements begin with the numbers of a device. */
struct list {
	char *items;
	size_t count;
};
struct weights {
	struct spec_weight_device *items;
	size_t count;
};

static const void *member(const struct row *row, const struct spec_resources *r)
{
	return (const char *)r + row->offset;
}

static bool is_set(const struct row *row, const struct spec_resources *r)
{
	const void *at = member(row, r);
	switch (row->kind) {
	case SIGNED:
		return ((const struct opt_i64 *)at)->set;
	case UNSIGNED:
		return ((const struct opt_u64 *)at)->set;
	case SMALL:
		return ((const struct opt_u32 *)at)->set;
	case TEXT:
		return *(char *const *)at;
	case RATES:
	case WEIGHTS:
		return ((const struct list *)at)->count;
	}
	return false;
}

/* ---- merging ----------------------------------------------------------------------------------
 */

static bool names_device(const struct list *l, const char *device, size_t size)
{
	for (size_t i = 0; i < l->count; i++)
		if (memcmp(l->items + i * size, device, 2 * sizeof(int64_t)) == 0)
			return true;
	return false;
}

/* What is said of a device replaces what was said of it. */
static int merge_list(struct list *into, const struct list *with, size_t size, struct arena *arena)
{
	struct list all = { arena_array(arena, into->count + with->count, size), 0 };
	if (!all.items)
		return -ENOMEM;
	for (size_t i = 0; i < into->count; i++)
		if (!names_device(with, into->items + i * size, size))
			memcpy(all.items + size * all.count++, into->items + i * size, size);
	memcpy(all.items + size * all.count, with->items, with->count * size);
	all.count += with->count;
	*into = all;
	return 0;
}

static int merge_row(const struct row *row, struct spec_resources *into,
		     const struct spec_resources *with, struct arena *arena)
{
	static const size_t sizes[] = {
		[SIGNED] = sizeof(struct opt_i64),
		[UNSIGNED] = sizeof(struct opt_u64),
		[SMALL] = sizeof(struct opt_u32),
		[TEXT] = sizeof(char *),
		[RATES] = sizeof(struct spec_throttle),
		[WEIGHTS] = sizeof(struct spec_weight_device),
	};
	void *to = (char *)into + row->offset;
	const void *from = member(row, with);
	if (row->kind == RATES || row->kind == WEIGHTS)
		return merge_list(to, from, sizes[row->kind], arena);
	memcpy(to, from, sizes[row->kind]);
	return 0;
}

int service_merge_resources(struct spec_resources *into, const struct spec_resources *with,
			    struct arena *arena, struct csn_error *err)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (is_set(&rows[i], with) && merge_row(&rows[i], into, with, arena) < 0)
			return fail(err, ENOMEM, "out of memory");

	const struct opt_i64 *limit = &into->memory.limit, *swap = &into->memory.swap;
	if (swap->set && swap->value > 0 && (!limit->set || limit->value <= 0))
		return fail(
			err, EINVAL,
			"a limit of memory and swap together needs a memory limit: change both");
	if (swap->set && swap->value > 0 && swap->value < limit->value)
		return fail(err, EINVAL,
			    "memory limit: %lld is above the limit of memory and swap together, "
			    "%lld: change both",
			    (long long)limit->value, (long long)swap->value);
	return 0;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void put_device(struct json_out *o, int64_t major, int64_t minor, const char *name,
		       uint64_t value)
{
	json_open_object(o, NULL);
	json_put_i64(o, "major", major);
	json_put_i64(o, "minor", minor);
	json_put_u64(o, name, value);
	json_close_object(o);
}

static void put_rates(struct json_out *o, const char *key, const struct spec_throttles *list)
{
	json_open_array(o, key);
	for (size_t i = 0; i < list->count; i++)
		put_device(o, list->items[i].major, list->items[i].minor, "rate",
			   list->items[i].rate);
	json_close_array(o);
}

static void put_weights(struct json_out *o, const char *key, const struct weights *list)
{
	json_open_array(o, key);
	for (size_t i = 0; i < list->count; i++)
		put_device(o, list->items[i].major, list->items[i].minor, "weight",
			   list->items[i].weight.value);
	json_close_array(o);
}

static void put_row(struct json_out *o, const struct row *row, const struct spec_resources *r)
{
	const void *at = member(row, r);
	switch (row->kind) {
	case SIGNED:
		json_put_i64(o, row->name, ((const struct opt_i64 *)at)->value);
		break;
	case UNSIGNED:
		json_put_u64(o, row->name, ((const struct opt_u64 *)at)->value);
		break;
	case SMALL:
		json_put_u64(o, row->name, ((const struct opt_u32 *)at)->value);
		break;
	case TEXT:
		json_put_string(o, row->name, *(char *const *)at);
		break;
	case RATES:
		put_rates(o, row->name, at);
		break;
	case WEIGHTS:
		put_weights(o, row->name, at);
		break;
	}
}

/* Without rules of its own: no device but the usual ones, so that what an image or a volume brings
 * along opens nothing. */
static void put_device_rules(struct json_out *o, const struct spec_resources *r)
{
	static char every[] = "rwm";
	const struct spec_device_rule none = { .allow = false, .access = every };
	const struct spec_device_rule *rules = r->devices_count ? r->devices : &none;
	size_t count = r->devices_count ? r->devices_count : 1;

	json_open_array(o, "devices");
	for (size_t i = 0; i < count; i++) {
		json_open_object(o, NULL);
		json_put_bool(o, "allow", rules[i].allow);
		if (rules[i].type)
			json_put_string(o, "type", rules[i].type);
		if (rules[i].major.set)
			json_put_i64(o, "major", rules[i].major.value);
		if (rules[i].minor.set)
			json_put_i64(o, "minor", rules[i].minor.value);
		if (rules[i].access)
			json_put_string(o, "access", rules[i].access);
		json_close_object(o);
	}
	json_close_array(o);
}

void service_put_resources(struct json_out *o, const char *key, const struct spec_resources *r)
{
	const char *open = NULL;
	json_open_object(o, key);
	put_device_rules(o, r);
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!is_set(&rows[i], r))
			continue;
		if (open && strcmp(open, rows[i].object) != 0)
			json_close_object(o);
		if (!open || strcmp(open, rows[i].object) != 0)
			json_open_object(o, rows[i].object);
		open = rows[i].object;
		put_row(o, &rows[i], r);
	}
	if (open)
		json_close_object(o);
	json_close_object(o);
}
