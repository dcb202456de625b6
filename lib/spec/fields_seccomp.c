/* Field tables of linux.seccomp (config-linux.md "Seccomp"). */
#include "spec/fields.h"

static const struct json_field arg_fields[] = {
	REQUIRED_RANGE("index", decode_u32, struct spec_seccomp_arg, index, 0, 5),
	REQUIRED("value", decode_u64, struct spec_seccomp_arg, value),
	FIELD("valueTwo", decode_u64, struct spec_seccomp_arg, value_two),
	REQUIRED("op", decode_string, struct spec_seccomp_arg, op),
	FIELDS_END,
};
static const struct json_elements arg_elements = { .element_size = sizeof(struct spec_seccomp_arg),
						   .decode = decode_object,
						   .detail = arg_fields };

static const struct json_field rule_fields[] = {
	REQUIRED("names", decode_strings, struct spec_seccomp_rule, names),
	REQUIRED("action", decode_string, struct spec_seccomp_rule, action),
	FIELD("errnoRet", decode_opt_u32, struct spec_seccomp_rule, errno_ret),
	FIELD_IN("args", decode_array, struct spec_seccomp_rule, args, &arg_elements),
	FIELDS_END,
};
static const struct json_elements rule_elements = { .element_size =
							    sizeof(struct spec_seccomp_rule),
						    .decode = decode_object,
						    .detail = rule_fields };

const struct json_field seccomp_fields[] = {
	REQUIRED("defaultAction", decode_string, struct spec_seccomp, default_action),
	FIELD("defaultErrnoRet", decode_opt_u32, struct spec_seccomp, default_errno_ret),
	FIELD("architectures", decode_strings, struct spec_seccomp, architectures),
	FIELD("flags", decode_strings, struct spec_seccomp, flags),
	FIELD("listenerPath", decode_text, struct spec_seccomp, listener_path),
	FIELD("listenerMetadata", decode_text, struct spec_seccomp, listener_metadata),
	FIELD_IN("syscalls", decode_array, struct spec_seccomp, rules, &rule_elements),
	FIELDS_END,
};
