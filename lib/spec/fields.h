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

/* { items, count, set }: an array of id mappings that knows whether it was there. */
json_decode_fn decode_idmaps;

#endif
