/* Field tables of linux.resources (config-linux.md "Control groups"). */
#include "spec/fields.h"

#define R struct spec_resources

static const struct json_field device_rule_fields[] = {
	REQUIRED("allow", decode_bool, struct spec_device_rule, allow),
	FIELD("type", decode_text, struct spec_device_rule, type),
	FIELD_RANGE("major", decode_opt_i64, struct spec_device_rule, major, -1, UINT32_MAX),
	FIELD_RANGE("minor", decode_opt_i64, struct spec_device_rule, minor, -1, UINT32_MAX),
	FIELD("access", decode_text, struct spec_device_rule, access),
	FIELDS_END,
};
static const struct json_elements device_rules = { .element_size = sizeof(struct spec_device_rule),
						   .decode = decode_object,
						   .detail = device_rule_fields };

static const struct json_field memory_fields[] = {
	FIELD_RANGE("limit", decode_opt_i64, R, memory.limit, -1, INT64_MAX),
	FIELD_RANGE("reservation", decode_opt_i64, R, memory.reservation, -1, INT64_MAX),
	FIELD_RANGE("swap", decode_opt_i64, R, memory.swap, -1, INT64_MAX),
	FIELD("kernel", decode_opt_i64, R, memory.kernel),
	FIELD("kernelTCP", decode_opt_i64, R, memory.kernel_tcp),
	FIELD("swappiness", decode_opt_u64, R, memory.swappiness),
	FIELD("disableOOMKiller", decode_opt_bool, R, memory.disable_oom_killer),
	FIELD("useHierarchy", decode_opt_bool, R, memory.use_hierarchy),
	FIELD("checkBeforeUpdate", decode_opt_bool, R, memory.check_before_update),
	FIELDS_END,
};

static const struct json_field cpu_fields[] = {
	FIELD("shares", decode_opt_u64, R, cpu.shares),
	FIELD("quota", decode_opt_i64, R, cpu.quota),
	FIELD("burst", decode_opt_u64, R, cpu.burst),
	FIELD("period", decode_opt_u64, R, cpu.period),
	FIELD("realtimeRuntime", decode_opt_i64, R, cpu.realtime_runtime),
	FIELD("realtimePeriod", decode_opt_u64, R, cpu.realtime_period),
	FIELD("cpus", decode_text, R, cpu.cpus),
	FIELD("mems", decode_text, R, cpu.mems),
	FIELD_RANGE("idle", decode_opt_i64, R, cpu.idle, 0, 1),
	FIELDS_END,
};

static const struct json_field pids_fields[] = {
	FIELD("limit", decode_opt_i64, R, pids_limit),
	FIELDS_END,
};

static const struct json_field throttle_fields[] = {
	REQUIRED_RANGE("major", decode_i64, struct spec_throttle, major, 0, UINT32_MAX),
	REQUIRED_RANGE("minor", decode_i64, struct spec_throttle, minor, 0, UINT32_MAX),
	REQUIRED("rate", decode_u64, struct spec_throttle, rate),
	FIELDS_END,
};
static const struct json_elements throttles = { .element_size = sizeof(struct spec_throttle),
						.decode = decode_object,
						.detail = throttle_fields };

static const struct json_field weight_device_fields[] = {
	REQUIRED_RANGE("major", decode_i64, struct spec_weight_device, major, 0, UINT32_MAX),
	REQUIRED_RANGE("minor", decode_i64, struct spec_weight_device, minor, 0, UINT32_MAX),
	FIELD_RANGE("weight", decode_opt_u32, struct spec_weight_device, weight, 0, UINT16_MAX),
	FIELD_RANGE("leafWeight", decode_opt_u32, struct spec_weight_device, leaf_weight, 0,
		    UINT16_MAX),
	FIELDS_END,
};
static const struct json_elements weight_devices = { .element_size =
							     sizeof(struct spec_weight_device),
						     .decode = decode_object,
						     .detail = weight_device_fields };

static const struct json_field block_io_fields[] = {
	FIELD_RANGE("weight", decode_opt_u32, R, block_io.weight, 0, UINT16_MAX),
	FIELD_RANGE("leafWeight", decode_opt_u32, R, block_io.leaf_weight, 0, UINT16_MAX),
	FIELD_IN("weightDevice", decode_array, R, block_io.weight_devices, &weight_devices),
	FIELD_IN("throttleReadBpsDevice", decode_array, R, block_io.read_bps, &throttles),
	FIELD_IN("throttleWriteBpsDevice", decode_array, R, block_io.write_bps, &throttles),
	FIELD_IN("throttleReadIOPSDevice", decode_array, R, block_io.read_iops, &throttles),
	FIELD_IN("throttleWriteIOPSDevice", decode_array, R, block_io.write_iops, &throttles),
	FIELDS_END,
};

static const struct json_field hugepage_fields[] = {
	REQUIRED("pageSize", decode_string, struct spec_hugepage_limit, page_size),
	REQUIRED("limit", decode_u64, struct spec_hugepage_limit, limit),
	FIELDS_END,
};
static const struct json_elements hugepages = { .element_size = sizeof(struct spec_hugepage_limit),
						.decode = decode_object,
						.detail = hugepage_fields };

static const struct json_field priority_fields[] = {
	REQUIRED("name", decode_string, struct spec_interface_priority, name),
	REQUIRED("priority", decode_u32, struct spec_interface_priority, priority),
	FIELDS_END,
};
static const struct json_elements priorities = { .element_size =
							 sizeof(struct spec_interface_priority),
						 .decode = decode_object,
						 .detail = priority_fields };
static const struct json_field network_fields[] = {
	FIELD("classID", decode_opt_u32, R, network.class_id),
	FIELD_IN("priorities", decode_array, R, network.priorities, &priorities),
	FIELDS_END,
};

static const struct json_field rdma_fields[] = {
	FIELD("hcaHandles", decode_opt_u32, struct spec_rdma, hca_handles),
	FIELD("hcaObjects", decode_opt_u32, struct spec_rdma, hca_objects),
	FIELDS_END,
};

struct rdma_decoding {
	struct json_decoder *d;
	R *resources;
};

static int add_rdma(void *data, const char *key, const struct json_node *v)
{
	struct rdma_decoding *r = data;
	struct spec_rdma *rdma = &r->resources->rdma[r->resources->rdma_count++];
	const struct json_field f = { .decode = decode_object, .detail = rdma_fields };

	rdma->device = arena_strdup(r->d->arena, key);
	if (!rdma->device)
		return json_out_of_memory(r->d);
	return json_decode_member(r->d, key, v, &f, rdma);
}

/* An object whose keys are device names. */
int decode_rdma(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		void *out)
{
	struct rdma_decoding r = { .d = d, .resources = out };
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	r.resources->rdma = arena_array(d->arena, node_members(v), sizeof *r.resources->rdma);
	if (!r.resources->rdma)
		return json_out_of_memory(d);
	return node_each_member(v, add_rdma, &r);
}

/* The nested objects share struct spec_resources: their rows' offsets are from its start. */
const struct json_field resources_fields[] = {
	FIELD_IN("devices", decode_array, R, devices, &device_rules),
	{ "memory", decode_object, 0, memory_fields, 0, 0, 0 },
	{ "cpu", decode_object, 0, cpu_fields, 0, 0, 0 },
	{ "pids", decode_object, 0, pids_fields, 0, 0, 0 },
	{ "blockIO", decode_object, 0, block_io_fields, 0, 0, 0 },
	FIELD_IN("hugepageLimits", decode_array, R, hugepages, &hugepages),
	{ "network", decode_object, 0, network_fields, 0, 0, 0 },
	{ "rdma", decode_rdma, 0, rdma_fields, 0, 0, 0 },
	FIELD("unified", decode_map, R, unified),
	FIELDS_END,
};
