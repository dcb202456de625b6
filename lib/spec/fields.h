/* The field tables of config.json, by object. Inside lib/spec only. */
#ifndef CSN_SPEC_FIELDS_H
#define CSN_SPEC_FIELDS_H

#include "base/json.h"
#include "spec/spec.h"

extern const struct json_field spec_fields[];	   /* the whole document */
extern const struct json_field process_fields[];   /* fields_process.c */
extern const struct json_field linux_fields[];	   /* fields_linux.c */
extern const struct json_field resources_fields[]; /* fields_resources.c */
extern const struct json_field seccomp_fields[];   /* fields_seccomp.c */
extern const struct json_field hooks_fields[];	   /* fields_hooks.c; out is struct spec_hooks[] */
extern const struct json_elements mount_elements;  /* fields_mounts.c */
extern const struct json_elements idmap_elements;

/* Decoders of one place each. Their rows carry the table of what is inside in detail all the same,
 * so that whoever walks the tables finds every field. */
json_decode_fn decode_idmaps; /* { items, count, set } that knows whether it was there */
json_decode_fn decode_ids, decode_namespaces; /* arrays: json_elements */
json_decode_fn decode_console_size;	      /* an object: fields */
json_decode_fn decode_net_devices, decode_rdma,
	decode_time_offsets; /* keys of free names: fields */

#endif
