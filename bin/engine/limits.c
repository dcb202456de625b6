/*
 * The options that set limits, of create, run and update. One row each: its text, how it is read,
 * and what it becomes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/size.h"
#include "bin/engine/engine.h"

struct limit_args limit_args;

enum kind { SIZE, NUMBER, CPUS };

static const struct {
	const char *name;
	const char *const *text;
	enum kind kind;
	size_t offset;
} rows[] = {
#define ROW(name, text, kind, member)                                                              \
	{                                                                                          \
		name, &limit_args.text, kind, offsetof(struct csn_resources, member)               \
	}
	ROW("memory", memory, SIZE, memory_bytes),
	ROW("memory-swap", memory_swap, SIZE, memory_swap_bytes),
	ROW("memory-reservation", memory_reservation, SIZE, memory_reservation_bytes),
	ROW("cpus", cpus, CPUS, nano_cpus),
	ROW("cpu-shares", cpu_shares, NUMBER, cpu_shares),
	ROW("cpu-quota", cpu_quota, NUMBER, cpu_quota_us),
	ROW("cpu-period", cpu_period, NUMBER, cpu_period_us),
	ROW("pids-limit", pids_limit, NUMBER, pids_limit),
	ROW("blkio-weight", blkio_weight, NUMBER, blkio_weight),
#undef ROW
};

static const struct {
	const char *name;
	const struct opt_list *list;
	enum kind kind;
	enum csn_device_limit_kind limit;
	const char *expected;
} device_rows[] = {
	{ "blkio-weight-device", &limit_args.weights, NUMBER, CSN_DEVICE_WEIGHT, "DEVICE:WEIGHT" },
	{ "device-read-bps", &limit_args.read_bps, SIZE, CSN_DEVICE_READ_BPS, "DEVICE:RATE[UNIT]" },
	{ "device-write-bps", &limit_args.write_bps, SIZE, CSN_DEVICE_WRITE_BPS,
	  "DEVICE:RATE[UNIT]" },
	{ "device-read-iops", &limit_args.read_iops, NUMBER, CSN_DEVICE_READ_IOPS, "DEVICE:RATE" },
	{ "device-write-iops", &limit_args.write_iops, NUMBER, CSN_DEVICE_WRITE_IOPS,
	  "DEVICE:RATE" },
};

static bool parse_number(const char *text, int64_t *ret)
{
	char *end;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno == 0 && end != text && !*end && *text != ' ' && *text != '+';
}

/* "1.5" in 10^-9 */
static bool parse_cpus(const char *text, int64_t *ret)
{
	static const char digits[] = "0123456789";
	size_t whole = strspn(text, digits);
	const char *fraction = text[whole] == '.' ? text + whole + 1 : "";
	size_t count = strspn(fraction, digits);
	if (whole > 6 || (whole == 0 && count == 0) || count > 9 ||
	    (text[whole] && (text[whole] != '.' || fraction[count])))
		return false;
	*ret = strtoll(text, NULL, 10) * 1000000000;
	for (int64_t unit = 100000000; *fraction; fraction++, unit /= 10)
		*ret += (*fraction - '0') * unit;
	return true;
}

static bool parse(enum kind kind, const char *text, int64_t *ret)
{
	switch (kind) {
	case SIZE:
		*ret = -1;
		return strcmp(text, "-1") == 0 || size_parse(text, ret);
	case NUMBER:
		return parse_number(text, ret);
	case CPUS:
		return parse_cpus(text, ret);
	}
	return false;
}

static int collect_value(size_t row, struct csn_resources *ret, struct csn_error *err)
{
	static const char *const expected[] = { [SIZE] = "a size such as 512m, or -1",
						[NUMBER] = "a number",
						[CPUS] = "a number such as 1.5" };
	const char *text = *rows[row].text;
	int64_t value;
	if (!parse(rows[row].kind, text, &value))
		return fail(err, EINVAL, "--%s \"%s\": expected %s", rows[row].name, text,
			    expected[rows[row].kind]);
	memcpy((char *)ret + rows[row].offset, &value, sizeof value);
	return 0;
}

static int collect_device(struct arena *arena, size_t row, const char *text,
			  struct csn_device_limit *ret, struct csn_error *err)
{
	char *device = arena_strdup(arena, text);
	if (!device)
		return fail(err, ENOMEM, "out of memory");
	char *colon = strrchr(device, ':');
	int64_t value = -1;
	if (!colon || colon == device || !parse(device_rows[row].kind, colon + 1, &value) ||
	    value < 0)
		return fail(err, EINVAL, "--%s \"%s\": expected %s", device_rows[row].name, text,
			    device_rows[row].expected);
	*colon = '\0';
	*ret = (struct csn_device_limit)CSN_DEVICE_LIMIT_INIT;
	ret->kind = device_rows[row].limit;
	ret->device = device;
	ret->value = (uint64_t)value;
	return 0;
}

static int collect_devices(struct arena *arena, struct csn_resources *ret, struct csn_error *err)
{
	size_t count = 0;
	for (size_t row = 0; row < COUNT(device_rows); row++)
		count += device_rows[row].list->count;
	struct csn_device_limit *devices = arena_array(arena, count, sizeof *devices);
	if (!devices)
		return fail(err, ENOMEM, "out of memory");
	ret->devices = devices;
	for (size_t row = 0; row < COUNT(device_rows); row++)
		for (size_t i = 0; i < device_rows[row].list->count; i++)
			TRY(collect_device(arena, row, device_rows[row].list->items[i],
					   &devices[ret->devices_count++], err));
	return 0;
}

int limits_collect(struct arena *arena, struct csn_resources *ret, struct csn_error *err)
{
	*ret = (struct csn_resources)CSN_RESOURCES_INIT;
	for (size_t row = 0; row < COUNT(rows); row++)
		if (*rows[row].text)
			TRY(collect_value(row, ret, err));
	ret->cpuset_cpus = limit_args.cpuset_cpus;
	ret->cpuset_mems = limit_args.cpuset_mems;
	return collect_devices(arena, ret, err);
}

bool limits_given(void)
{
	static const struct limit_args none;
	return memcmp(&limit_args, &none, sizeof none) != 0;
}
