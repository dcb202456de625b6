/* Field tables of config.json's process object (config.md "Process"). */
#include "spec/fields.h"

struct ids {
	uint32_t *items;
	size_t count;
};

static const struct json_elements id_elements = { .element_size = sizeof(uint32_t),
						  .decode = decode_u32 };

int decode_ids(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
	       void *out)
{
	return decode_array(d, v, f, out);
}

static const struct json_field user_fields[] = {
	REQUIRED("uid", decode_u32, struct spec_user, uid),
	REQUIRED("gid", decode_u32, struct spec_user, gid),
	FIELD_RANGE("umask", decode_opt_u32, struct spec_user, umask, 0, 0777),
	FIELD_IN("additionalGids", decode_ids, struct spec_user, additional_gids, &id_elements),
	FIELD("username", decode_text, struct spec_user, username),
	FIELDS_END,
};
_Static_assert(offsetof(struct spec_user, additional_gids_count) ==
		       offsetof(struct spec_user, additional_gids) + offsetof(struct ids, count),
	       "decode_array's shape");

static const struct json_field capabilities_fields[] = {
	FIELD("bounding", decode_strings, struct spec_capabilities, bounding),
	FIELD("effective", decode_strings, struct spec_capabilities, effective),
	FIELD("inheritable", decode_strings, struct spec_capabilities, inheritable),
	FIELD("permitted", decode_strings, struct spec_capabilities, permitted),
	FIELD("ambient", decode_strings, struct spec_capabilities, ambient),
	FIELDS_END,
};

static const struct json_field rlimit_fields[] = {
	REQUIRED("type", decode_string, struct spec_rlimit, type),
	REQUIRED("soft", decode_u64, struct spec_rlimit, soft),
	REQUIRED("hard", decode_u64, struct spec_rlimit, hard),
	FIELDS_END,
};
static const struct json_elements rlimit_elements = { .element_size = sizeof(struct spec_rlimit),
						      .decode = decode_object,
						      .detail = rlimit_fields };

static const struct json_field scheduler_fields[] = {
	REQUIRED("policy", decode_string, struct spec_scheduler, policy),
	FIELD("nice", decode_i32, struct spec_scheduler, nice),
	FIELD("priority", decode_i32, struct spec_scheduler, priority),
	FIELD("flags", decode_strings, struct spec_scheduler, flags),
	FIELD("runtime", decode_u64, struct spec_scheduler, runtime),
	FIELD("deadline", decode_u64, struct spec_scheduler, deadline),
	FIELD("period", decode_u64, struct spec_scheduler, period),
	FIELDS_END,
};

static const struct json_field io_priority_fields[] = {
	REQUIRED("class", decode_string, struct spec_io_priority, class_name),
	FIELD_RANGE("priority", decode_i32, struct spec_io_priority, priority, 0, 7),
	FIELDS_END,
};

static const struct json_field affinity_fields[] = {
	FIELD("initial", decode_text, struct spec_exec_cpu_affinity, initial),
	FIELD("final", decode_text, struct spec_exec_cpu_affinity, final),
	FIELDS_END,
};

struct console_size {
	uint32_t height, width;
};
static const struct json_field console_fields[] = {
	REQUIRED_RANGE("height", decode_u32, struct console_size, height, 0, UINT16_MAX),
	REQUIRED_RANGE("width", decode_u32, struct console_size, width, 0, UINT16_MAX),
	FIELDS_END,
};

int decode_console_size(struct json_decoder *d, const struct json_node *v,
			const struct json_field *f, void *out)
{
	struct spec_process *p = out;
	struct console_size size = { 0 };
	int r = decode_object(d, v, f, &size);
	if (r < 0)
		return r;
	p->has_console_size = true;
	p->console_height = size.height;
	p->console_width = size.width;
	return 0;
}

const struct json_field process_fields[] = {
	FIELD("terminal", decode_bool, struct spec_process, terminal),
	{ "consoleSize", decode_console_size, 0, console_fields, 0, 0, 0 },
	REQUIRED("cwd", decode_abs_path, struct spec_process, cwd),
	FIELD("env", decode_strings, struct spec_process, env),
	FIELD("args", decode_strings, struct spec_process, args),
	FIELD_IN("user", decode_object, struct spec_process, user, user_fields),
	FIELD_IN("capabilities", decode_set_object, struct spec_process, capabilities,
		 capabilities_fields),
	FIELD_IN("rlimits", decode_array, struct spec_process, rlimits, &rlimit_elements),
	FIELD("noNewPrivileges", decode_bool, struct spec_process, no_new_privileges),
	FIELD_RANGE("oomScoreAdj", decode_opt_i64, struct spec_process, oom_score_adj, -1000, 1000),
	FIELD("apparmorProfile", decode_text, struct spec_process, apparmor_profile),
	FIELD("selinuxLabel", decode_text, struct spec_process, selinux_label),
	FIELD_IN("scheduler", decode_set_object, struct spec_process, scheduler, scheduler_fields),
	FIELD_IN("ioPriority", decode_set_object, struct spec_process, io_priority,
		 io_priority_fields),
	FIELD_IN("execCPUAffinity", decode_set_object, struct spec_process, exec_cpu_affinity,
		 affinity_fields),
	FIELDS_END,
};
