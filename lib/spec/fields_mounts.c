/* Field tables of config.json's mounts and of id mappings (config.md "Mounts"). */
#include "spec/fields.h"

static const struct json_field idmap_fields[] = {
	REQUIRED("containerID", decode_u32, struct spec_idmap, container_id),
	REQUIRED("hostID", decode_u32, struct spec_idmap, host_id),
	REQUIRED("size", decode_u32, struct spec_idmap, size),
	FIELDS_END,
};
const struct json_elements idmap_elements = { .element_size = sizeof(struct spec_idmap),
					      .decode = decode_object,
					      .detail = idmap_fields };

int decode_idmaps(struct json_decoder *d, const struct json_node *v, const struct json_field *f,
		  void *out)
{
	struct spec_idmaps *maps = out;
	int r = decode_array(d, v, f, maps);
	if (r < 0)
		return r;
	maps->set = true;
	return 0;
}

static const struct json_field mount_fields[] = {
	REQUIRED("destination", decode_string, struct spec_mount, destination),
	FIELD("type", decode_text, struct spec_mount, type),
	FIELD("source", decode_text, struct spec_mount, source),
	FIELD("options", decode_strings, struct spec_mount, options),
	FIELD_IN("uidMappings", decode_idmaps, struct spec_mount, uid_mappings, &idmap_elements),
	FIELD_IN("gidMappings", decode_idmaps, struct spec_mount, gid_mappings, &idmap_elements),
	FIELDS_END,
};
const struct json_elements mount_elements = { .element_size = sizeof(struct spec_mount),
					      .decode = decode_object,
					      .detail = mount_fields };
