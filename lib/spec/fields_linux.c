/* Field tables of the linux object (config-linux.md), less resources and seccomp. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "spec/fields.h"

#define L struct spec_linux

static const struct {
	const char *name;
	uint64_t flag;
} namespaces[] = {
	[NS_PID] = { "pid", CLONE_NEWPID },	     [NS_NETWORK] = { "network", CLONE_NEWNET },
	[NS_MOUNT] = { "mount", CLONE_NEWNS },	     [NS_IPC] = { "ipc", CLONE_NEWIPC },
	[NS_UTS] = { "uts", CLONE_NEWUTS },	     [NS_USER] = { "user", CLONE_NEWUSER },
	[NS_CGROUP] = { "cgroup", CLONE_NEWCGROUP }, [NS_TIME] = { "time", CLONE_NEWTIME },
};

const char *spec_namespace_name(enum spec_namespace_kind kind)
{
	return namespaces[kind].name;
}

uint64_t spec_namespace_flag(enum spec_namespace_kind kind)
{
	return namespaces[kind].flag;
}

struct namespace_row {
	char *type, *path;
};
static const struct json_field namespace_fields[] = {
	REQUIRED("type", decode_string, struct namespace_row, type),
	FIELD("path", decode_text, struct namespace_row, path),
	FIELDS_END,
};

static const struct json_elements namespace_elements = { .element_size =
								 sizeof(struct namespace_row),
							 .decode = decode_object,
							 .detail = namespace_fields };

/* The array is decoded by now: what is wrong is in one element all the same. */
static struct json_decoder *in_element(struct json_decoder *d, size_t index, const char *member)
{
	size_t at = strlen(d->path);
	(void)snprintf(d->path + at, sizeof d->path - at, "[%zu].%s", index, member);
	return d;
}

static int add_namespace(struct json_decoder *d, const struct namespace_row *row, size_t index,
			 struct spec_namespace *slots)
{
	for (size_t kind = 0; kind < COUNT(namespaces); kind++) {
		if (strcmp(row->type, namespaces[kind].name) != 0)
			continue;
		if (slots[kind].present)
			return json_expected(in_element(d, index, "type"),
					     "each namespace once, not \"%s\" again", row->type);
		if (row->path && row->path[0] != '/')
			return json_expected(in_element(d, index, "path"),
					     "an absolute path, not \"%s\"", row->path);
		slots[kind] = (struct spec_namespace){ true, row->path };
		return 0;
	}
	return json_expected(in_element(d, index, "type"),
			     "pid, network, mount, ipc, uts, user, cgroup or time, not \"%s\"",
			     row->type);
}

/* An array of {type, path} into one slot per kind. */
int decode_namespaces(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		      void *out)
{
	struct {
		struct namespace_row *items;
		size_t count;
	} rows = { 0 };

	int r = decode_array(d, v, f, &rows);
	for (size_t i = 0; r == 0 && i < rows.count; i++)
		r = add_namespace(d, &rows.items[i], i, out);
	return r;
}

static const struct json_field device_fields[] = {
	REQUIRED("type", decode_string, struct spec_device, type),
	REQUIRED("path", decode_abs_path, struct spec_device, path),
	FIELD_RANGE("major", decode_opt_i64, struct spec_device, major, 0, 0xfff),
	FIELD_RANGE("minor", decode_opt_i64, struct spec_device, minor, 0, 0xfffff),
	FIELD_RANGE("fileMode", decode_opt_u32, struct spec_device, file_mode, 0, 0177777),
	FIELD("uid", decode_opt_u32, struct spec_device, uid),
	FIELD("gid", decode_opt_u32, struct spec_device, gid),
	FIELDS_END,
};
static const struct json_elements devices = { .element_size = sizeof(struct spec_device),
					      .decode = decode_object,
					      .detail = device_fields };

/* Objects with free keys: what to fill, how far we are. */
struct keyed {
	struct json_decoder *d;
	L *linux_;
};

static const struct json_field net_device_fields[] = {
	FIELD("name", decode_text, struct spec_net_device, name),
	FIELDS_END,
};

static int add_net_device(void *data, const char *key, const struct json_node *v)
{
	struct keyed *k = data;
	struct spec_net_device *n = &k->linux_->net_devices[k->linux_->net_devices_count++];
	const struct json_field f = { .decode = decode_object, .detail = net_device_fields };

	n->host_name = arena_strdup(k->d->arena, key);
	if (!n->host_name)
		return json_out_of_memory(k->d);
	return json_decode_member(k->d, key, v, &f, n);
}

int decode_net_devices(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	struct keyed k = { .d = d, .linux_ = out };
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	k.linux_->net_devices =
		arena_array(d->arena, node_members(v), sizeof *k.linux_->net_devices);
	if (!k.linux_->net_devices)
		return json_out_of_memory(d);
	return node_each_member(v, add_net_device, &k);
}

static const struct json_field offset_fields[] = {
	FIELD("secs", decode_i64, struct spec_time_offset, secs),
	FIELD_RANGE("nanosecs", decode_u32, struct spec_time_offset, nanosecs, 0, 999999999),
	FIELDS_END,
};

static int add_time_offset(void *data, const char *key, const struct json_node *v)
{
	struct keyed *k = data;
	struct spec_time_offset *o = &k->linux_->time_offsets[k->linux_->time_offsets_count++];
	const struct json_field f = { .decode = decode_object, .detail = offset_fields };

	if (strcmp(key, "boottime") != 0 && strcmp(key, "monotonic") != 0)
		return json_expected(k->d, "boottime or monotonic, not \"%s\"", key);
	o->clock = arena_strdup(k->d->arena, key);
	if (!o->clock)
		return json_out_of_memory(k->d);
	return json_decode_member(k->d, key, v, &f, o);
}

int decode_time_offsets(struct json_decoder *d, const struct json_node *v,
			const struct json_field *f, void *out)
{
	struct keyed k = { .d = d, .linux_ = out };
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	k.linux_->time_offsets =
		arena_array(d->arena, node_members(v), sizeof *k.linux_->time_offsets);
	if (!k.linux_->time_offsets)
		return json_out_of_memory(d);
	return node_each_member(v, add_time_offset, &k);
}

static const struct json_field intel_rdt_fields[] = {
	FIELD("closID", decode_text, struct spec_intel_rdt, clos_id),
	FIELD("l3CacheSchema", decode_text, struct spec_intel_rdt, l3_cache_schema),
	FIELD("memBwSchema", decode_text, struct spec_intel_rdt, mem_bw_schema),
	FIELD("schemata", decode_strings, struct spec_intel_rdt, schemata),
	FIELD("enableMonitoring", decode_bool, struct spec_intel_rdt, enable_monitoring),
	FIELDS_END,
};

static const struct json_field memory_policy_fields[] = {
	REQUIRED("mode", decode_string, struct spec_memory_policy, mode),
	FIELD("nodes", decode_text, struct spec_memory_policy, nodes),
	FIELD("flags", decode_strings, struct spec_memory_policy, flags),
	FIELDS_END,
};

static const struct json_field personality_fields[] = {
	REQUIRED("domain", decode_string, struct spec_personality, domain),
	FIELD("flags", decode_strings, struct spec_personality, flags),
	FIELDS_END,
};

const struct json_field linux_fields[] = {
	FIELD_IN("namespaces", decode_namespaces, L, namespaces, &namespace_elements),
	FIELD_IN("uidMappings", decode_idmaps, L, uid_mappings, &idmap_elements),
	FIELD_IN("gidMappings", decode_idmaps, L, gid_mappings, &idmap_elements),
	{ "timeOffsets", decode_time_offsets, 0, offset_fields, 0, 0, 0 },
	FIELD_IN("devices", decode_array, L, devices, &devices),
	{ "netDevices", decode_net_devices, 0, net_device_fields, 0, 0, 0 },
	FIELD("cgroupsPath", decode_text, L, cgroups_path),
	FIELD_IN("resources", decode_set_object, L, resources, resources_fields),
	FIELD("rootfsPropagation", decode_text, L, rootfs_propagation),
	FIELD("maskedPaths", decode_strings, L, masked_paths),
	FIELD("readonlyPaths", decode_strings, L, readonly_paths),
	FIELD("mountLabel", decode_text, L, mount_label),
	FIELD("sysctl", decode_map, L, sysctl),
	FIELD_IN("seccomp", decode_set_object, L, seccomp, seccomp_fields),
	FIELD_IN("intelRdt", decode_set_object, L, intel_rdt, intel_rdt_fields),
	FIELD_IN("memoryPolicy", decode_set_object, L, memory_policy, memory_policy_fields),
	FIELD_IN("personality", decode_set_object, L, personality, personality_fields),
	FIELDS_END,
};
