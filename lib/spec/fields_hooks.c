/* Field tables of config.json's hooks (config.md "POSIX-platform Hooks"). */
#include "spec/fields.h"

static const struct json_field hook_fields[] = {
	REQUIRED("path", decode_abs_path, struct spec_hook, path),
	FIELD("args", decode_strings, struct spec_hook, args),
	FIELD("env", decode_strings, struct spec_hook, env),
	FIELD_RANGE("timeout", decode_opt_i64, struct spec_hook, timeout, 1, INT32_MAX / 1000),
	FIELDS_END,
};
static const struct json_elements hook_elements = { .element_size = sizeof(struct spec_hook),
						    .decode = decode_object,
						    .detail = hook_fields };

#define KIND(name, kind)                                                                           \
	{                                                                                          \
		name, decode_array, (kind) * sizeof(struct spec_hooks), &hook_elements, 0, 0, 0    \
	}

/* Offsets into struct spec_hooks[HOOK_KINDS]. */
const struct json_field hooks_fields[] = {
	KIND("prestart", HOOK_PRESTART),
	KIND("createRuntime", HOOK_CREATE_RUNTIME),
	KIND("createContainer", HOOK_CREATE_CONTAINER),
	KIND("startContainer", HOOK_START_CONTAINER),
	KIND("poststart", HOOK_POSTSTART),
	KIND("poststop", HOOK_POSTSTOP),
	FIELDS_END,
};

const char *spec_hook_name(enum spec_hook_kind kind)
{
	return hooks_fields[kind].name;
}
